//! Label edits: what the user changed and the CSV may not have yet.
//!
//! [`State`] is what holds now, with undo and redo, and never touches the disk; [`Journal`] keeps
//! every change on disk before it counts as saved; [`merge`] writes the changes into the CSV. An
//! edit knows its image by the text of the path cell, so it survives moved folders and new rows.
//! No windows and no threads here but [`Writer`], which keeps the disk away from the window.

pub(super) mod backup;
mod history;
mod interrupted;
mod journal;
pub mod merge;
mod overlay;
mod slots;
mod state;
mod step_view;
mod texts;
mod values;
mod vocabulary;
mod writer;

use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use journal::{Journal, Refusal, folder_of};
pub use state::State;
pub use step_view::{ChangeView, StepView};
pub use values::Values;
pub use writer::{Report, Writer};

use super::Dataset;
use crate::config::{Config, VocabularyChange};
use crate::files::{self, Stamp, Stamped};

/// What can change about an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The label of the task with this name, as text; none is "no label".
    Label(String),
    /// Looked at, and the given label of the task is right: the value is that label, empty text where
    /// there is none. It counts only while the image has that label.
    Kept(String),
    /// Flagged: the value is a note, which may be empty.
    Flag,
}

impl Field {
    fn is_label_of(&self, task: &str) -> bool {
        matches!(self, Self::Label(name) if name == task)
    }
}

/// One value that changes from `before` to `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotationChange {
    /// The text of the path cell, without spaces around it.
    pub image: String,
    /// What changes.
    pub field: Field,
    /// What the user saw.
    pub before: Option<String>,
    /// What the user chose.
    pub after: Option<String>,
}

/// Where a change came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnotationSource {
    /// The user chose it unaided.
    Hand,
    /// The user accepted what the network suggests.
    Suggestion,
    /// The user accepted, or turned down, a proposed correction of a given label.
    LabelIssue,
    /// The CSV had another value and the user let it win.
    File,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// Changes that are made, undone and redone together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub time: OffsetDateTime,
    /// Where it came from.
    pub source: AnnotationSource,
    /// In order.
    pub changes: Vec<AnnotationChange>,
}

impl Step {
    /// A step made now.
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
    /// What the CSV has, as far as is known.
    pub before: Option<String>,
    /// What it is to have.
    pub after: Option<String>,
}

/// A line of the journal: what was done, in order. [`State`] makes them, [`Journal::append`] keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A [`Step`] was made; what was undone before can no longer be redone.
    Step {
        /// Grows with each step; undo and redo name it.
        number: u64,
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
        /// Where it came from.
        source: AnnotationSource,
        /// In order.
        changes: Vec<AnnotationChange>,
    },
    /// A step was undone.
    Undo {
        /// Its number.
        step: u64,
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
    },
    /// A step was made again.
    Redo {
        /// Its number.
        step: u64,
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
    },
    /// The CSV is about to be replaced. Where neither of the next two follows, the program ended meanwhile.
    Saving {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
        /// SHA-256 of the CSV before, in hexadecimal.
        from: String,
        /// SHA-256 of the CSV after, in hexadecimal.
        to: String,
        /// What is written, or there already.
        labels: Vec<Edit>,
    },
    /// The CSV was not replaced.
    NotSaved {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
    },
    /// The CSV has these labels now.
    Saved {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
        /// What was written, or found to be there.
        labels: Vec<Edit>,
        /// What was written but undone while it was written, so that it must be written back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        undone: Vec<Edit>,
    },
    /// Tasks or labels changed, in the CSV, in the config and in every entry before.
    Vocabulary {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        time: OffsetDateTime,
        /// What changed.
        change: VocabularyChange,
    },
}

/// What [`open`] found.
#[derive(Debug)]
pub struct OpenedAnnotations {
    /// What holds now.
    pub state: State,
    /// Where the next entries go.
    pub journal: Journal,
    /// Damaged lines, each with file and line, a doubt about the lock, and what cannot be known.
    pub warnings: Vec<String>,
    /// The config and the rows that the edits belong to, where the CSV changed after the given ones were read.
    pub reread: Option<Box<(Config, Dataset)>>,
}

/// Attempts at finding a CSV and its journal as they are at one moment.
const ATTEMPTS: usize = 5;

/// Opens the edits of a dataset as it was read from its CSV, to go on with them. Edits that the CSV turns out to
/// have (a save that was killed before it was noted) are noted as saved, and what was undone while that save
/// ran is pending again. Nothing is made on disk until the first edit. [`Journal::denied`] tells whether
/// they can only be looked at.
///
/// # Errors
/// The journal is there but cannot be read, or a newer version wrote it; the CSV changed and cannot be read anew.
pub fn open(config: &Config, dataset: &Dataset) -> anyhow::Result<OpenedAnnotations> {
    let journal::OpenedJournal { mut state, mut journal, mut warnings } = Journal::open(&dataset.table.path)?;
    let mut reread: Option<Box<(Config, Dataset)>> = None;
    // Who saves holds the lock: rows that were read before a save are noticed here, and not used with a journal
    // that tells of it. Without the lock, both are looked at until they are of one moment.
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

/// The rows of a config's CSV and the edits that hold for them, for who only looks: another window may go on
/// editing. Nothing is locked, made or mended.
///
/// # Errors
/// The CSV or the journal cannot be read, or a newer version wrote it.
pub fn look(config: &Config) -> anyhow::Result<(Dataset, State)> {
    look_from(config, Dataset::open(config)?)
}

fn look_from(config: &Config, mut dataset: Dataset) -> anyhow::Result<(Dataset, State)> {
    let mut state = Journal::look(&dataset.table.path)?;
    for _ in 0..ATTEMPTS {
        if is_current(&dataset) {
            break;
        }
        // A save of another window may have come between the two.
        dataset = Dataset::open(config)?;
        state = Journal::look(&dataset.table.path)?;
    }
    settle(&mut state, &dataset);
    Ok((dataset, state))
}

/// Removes what killed programs left half-written beside a CSV, its journal and its backups. Looks at every name in
/// the folder of the CSV, which may be a million images.
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
    // A file that is gone is no reason to read it: the rows that are there stay.
    Stamp::of(&dataset.table.path).map_or(true, |found| found == *stamp)
}

/// Takes in what the CSV has of a save that was cut short: the entry that tells so, and what cannot be known.
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

/// A CSV's path with a link to it followed: what is beside it and what replaces it belongs to the file.
pub(super) fn real(csv: &Path) -> std::io::Result<std::path::PathBuf> {
    if csv.is_symlink() { std::fs::canonicalize(csv) } else { std::path::absolute(csv) }
}

#[cfg(test)]
mod tests;
