//! Label edits: changes by the user that may not be in the CSV yet.
//!
//! [`State`] is the current state in memory, with undo and redo; [`Journal`] puts every change on disk before it
//! counts as kept; [`merge`] writes the changes into the CSV. An edit identifies its image by the text of the path
//! cell, so it survives moved folders and new rows. The only thread here is [`Writer`], so that the window never
//! waits for the disk.

pub(super) mod backup;
mod history;
mod interrupted;
mod journal;
pub mod merge;
mod overlay;
mod slots;
mod state;
mod step;
mod step_view;
mod texts;
mod values;
mod vocabulary;
mod writer;

use std::path::Path;

use serde::{Deserialize, Serialize};
pub use smol_str::SmolStr;
use time::OffsetDateTime;

pub use journal::{Journal, Refusal, folder_of};
pub(super) use overlay::trimmed;
pub use state::State;
pub use step_view::{ChangeView, StepView};
pub use values::Values;
pub use writer::{Writer, WriterReport};

use super::Dataset;
use crate::config::{Config, VocabularyChange};
use crate::files::{self, Stamp, Stamped};

/// A property of an image that can be edited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The label of the task with this name, as text; no value means "no label".
    Label(SmolStr),
    /// The user has confirmed the given label of the task: the value is that label, or empty text if there is none.
    /// It counts only while the image has that label.
    Kept(SmolStr),
    /// Flagged: the value is a note, which may be empty.
    Flag,
}

impl Field {
    fn is_label_of(&self, task: &str) -> bool {
        matches!(self, Self::Label(name) if name == task)
    }
}

/// A change of one value from `before` to `after`. Short texts need no allocation: there may be a change per image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotationChange {
    /// The text of the path cell, without spaces around it.
    pub image: SmolStr,
    pub field: Field,
    /// The value that the user saw.
    pub before: Option<SmolStr>,
    /// The value that the user chose.
    pub after: Option<SmolStr>,
}

/// The origin of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnotationSource {
    /// Chosen by the user without help.
    Hand,
    /// A suggestion of the network that the user accepted.
    Suggestion,
    /// A proposed correction of a label that the user accepted or rejected.
    LabelIssue,
    /// A different value in the CSV that the user let win.
    File,
    /// An origin that this version does not know.
    #[serde(other)]
    Other,
}

/// Changes that are applied, undone and redone together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub time: OffsetDateTime,
    pub source: AnnotationSource,
    pub changes: Vec<AnnotationChange>,
}

impl Step {
    /// A step with the current time.
    pub fn now(source: AnnotationSource, changes: Vec<AnnotationChange>) -> Self {
        Self { time: now(), source, changes }
    }
}

/// The label of one image and task, in the CSV and as edited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    /// The text of the path cell, without spaces around it.
    pub image: String,
    /// The task and column.
    pub task: String,
    /// The label in the CSV, as far as known.
    pub before: Option<String>,
    /// The label that it should have.
    pub after: Option<String>,
}

/// A line of the journal. [`State`] creates entries, [`Journal::append`] stores them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A [`Step`] was made; earlier undone steps can no longer be redone.
    Step {
        /// Increases with each step; undo and redo refer to it.
        number: u64,
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
        source: AnnotationSource,
        changes: Vec<AnnotationChange>,
    },
    /// A step was undone.
    Undo {
        /// Number of the step.
        step: u64,
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
    },
    /// A step was redone.
    Redo {
        /// Number of the step.
        step: u64,
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
    },
    /// The CSV is about to be replaced. If neither of the next two follows, the program ended in between.
    Saving {
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
        /// SHA-256 of the CSV before, in hexadecimal.
        from: String,
        /// SHA-256 of the CSV after, in hexadecimal.
        to: String,
        /// The labels written, or there already.
        labels: Vec<Edit>,
    },
    /// The CSV was not replaced.
    NotSaved {
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
    },
    /// The CSV now has these labels.
    Saved {
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
        /// The labels written, or found there.
        labels: Vec<Edit>,
        /// Labels that were undone while being written, so that they must be written back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        undone: Vec<Edit>,
    },
    /// Tasks or labels changed, in the CSV, the config and all earlier entries.
    Vocabulary {
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
        change: VocabularyChange,
    },
}

/// The result of [`open`].
#[derive(Debug)]
pub struct OpenedAnnotations {
    /// The state after all edits.
    pub state: State,
    /// The journal for further entries.
    pub journal: Journal,
    /// Warnings about damaged lines, each with file and line, an unreliable lock, and what cannot be determined.
    pub warnings: Vec<String>,
    /// The config and rows that the edits belong to, if the CSV changed after the given ones were read.
    pub reread: Option<Box<(Config, Dataset)>>,
}

/// Attempts to read a consistent pair of CSV and journal.
const ATTEMPTS: usize = 5;

/// Opens the edits of a dataset, as it was read from its CSV, for editing. Edits that the CSV already has (because a
/// save was killed before it was recorded) are marked as saved, and what was undone while that save ran is pending
/// again. Nothing is created on disk before the first edit. [`Journal::denied`] tells whether they are read-only.
///
/// # Errors
/// The journal exists but cannot be read, or was written by a newer version; or the CSV changed and cannot be read
/// again.
pub fn open(config: &Config, dataset: &Dataset) -> anyhow::Result<OpenedAnnotations> {
    let journal::OpenedJournal { mut state, mut journal, mut warnings } = Journal::open(&dataset.table.path)?;
    let mut reread: Option<Box<(Config, Dataset)>> = None;
    // Saving requires the lock: rows from before a save are detected here, and not combined with a later journal.
    // Without the lock, both are read until they are consistent.
    for _ in 0..ATTEMPTS {
        let rows = reread.as_ref().map_or(dataset, |reread| &reread.1);
        if is_current(rows) {
            break;
        }
        // Another program may have changed the tasks, too. A config without a file is as it was given.
        let config = Config::open(&config.file).unwrap_or_else(|_| config.clone());
        let rows = Dataset::open(&config)?;
        reread = Some(Box::new((config, rows)));
        if journal.denied().is_some() {
            state = Journal::look(&dataset.table.path)?;
        }
    }
    let rows = reread.as_ref().map_or(dataset, |reread| &reread.1);
    let (entry, doubts) = settle(&mut state, rows);
    warnings.extend(doubts);
    if let Some(entry) = entry
        && journal.denied().is_none()
        && let Err(error) = journal.append(&[entry])
    {
        warnings.push(error.to_string());
    }
    if journal.wants_snapshot()
        && let Err(error) = journal.take_snapshot(&state)
    {
        // Nothing is lost, and the next opening tries again.
        log::warn!("{error}");
    }
    Ok(OpenedAnnotations { state, journal, warnings, reread })
}

/// The rows of a config's CSV and their edits, read-only: another window may continue editing. Nothing is locked,
/// created or repaired.
///
/// # Errors
/// The CSV or the journal cannot be read, or a newer version wrote the journal.
pub fn look(config: &Config) -> anyhow::Result<(Dataset, State)> {
    look_from(config, Dataset::open(config)?)
}

fn look_from(config: &Config, mut dataset: Dataset) -> anyhow::Result<(Dataset, State)> {
    let mut state = Journal::look(&dataset.table.path)?;
    for _ in 0..ATTEMPTS {
        if is_current(&dataset) {
            break;
        }
        // Another window may have saved in between.
        dataset = Dataset::open(config)?;
        state = Journal::look(&dataset.table.path)?;
    }
    settle(&mut state, &dataset);
    Ok((dataset, state))
}

/// Removes incomplete files that killed programs left beside a CSV, its journal and its backups. Lists the folder of
/// the CSV, which may hold a million images.
pub fn remove_leftovers(csv: &Path) {
    let edits = folder_of(csv);
    let folders = [edits.parent().map(Path::to_path_buf), Some(edits.join(backup::FOLDER)), Some(edits)];
    let count: usize = folders.into_iter().flatten().map(|folder| files::remove_leftovers(&folder)).sum();
    if count > 0 {
        log::info!("{count} half-written files of a program that was killed were removed");
    }
}

/// Whether the CSV is still what was read.
fn is_current(dataset: &Dataset) -> bool {
    let Some(stamp) = &dataset.table.stamp else { return true };
    // A missing file is not read: the current rows stay.
    Stamp::of(&dataset.table.path).map_or(true, |found| found == *stamp)
}

/// Applies what an interrupted save left in the CSV: returns the entry for the journal, and what cannot be
/// determined.
fn settle(state: &mut State, dataset: &Dataset) -> (Option<Entry>, Vec<String>) {
    let digest = match state.saving {
        Some(_) => Stamped::read(&dataset.table.path).ok(),
        None => None,
    };
    let digest =
        digest.filter(|read| Some(&read.stamp) == dataset.table.stamp.as_ref()).map(|read| read.digest());
    let mut found = state.found_in(dataset, digest.as_deref());
    let doubts = std::mem::take(&mut found.doubts);
    let entry = state.take_found(found);
    state.forget_saved();
    (entry, doubts)
}

/// Now, in UTC, to the second.
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc().truncate_to_second()
}

/// A CSV's path with links resolved: its journal and replacement belong beside the file itself.
pub(super) fn real(csv: &Path) -> std::io::Result<std::path::PathBuf> {
    if csv.is_symlink() { std::fs::canonicalize(csv) } else { std::path::absolute(csv) }
}

#[cfg(test)]
mod tests;
