//! Label edits: what the user changed and the CSV may not have yet.
//!
//! [`State`] is what holds now, with undo and redo, and never touches the disk; [`Journal`] keeps
//! every change on disk before it counts as saved; [`merge`] writes the changes into the CSV. An
//! edit knows its image by the text of the path cell, so it survives moved folders and new rows.
//! No windows and no threads here but [`Writer`], which keeps the disk away from the window.

pub(super) mod backup;
mod journal;
pub mod merge;
mod overlay;
mod state;
mod values;
mod vocabulary;
mod writer;

use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use journal::{Journal, folder_of};
pub use state::State;
pub use values::Values;
pub use writer::{Report, Writer};

use super::Dataset;
use crate::config::Change as VocabularyChange;

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

/// One value that changes from `before` to `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
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
pub enum Source {
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
    pub source: Source,
    /// In order.
    pub changes: Vec<Change>,
}

impl Step {
    /// A step made now.
    pub fn now(source: Source, changes: Vec<Change>) -> Self {
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
        source: Source,
        /// In order.
        changes: Vec<Change>,
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
pub struct Opened {
    /// What holds now.
    pub state: State,
    /// Where the next entries go.
    pub journal: Journal,
    /// Damaged lines, each with file and line, and a lock that the disk does not know.
    pub warnings: Vec<String>,
}

/// Opens the edits of a dataset as it was read from its CSV. Edits that the CSV turns out to have
/// (a save that was killed before it was noted) are noted as saved, and what was undone while that save
/// ran is pending again. Nothing is made on disk until the first edit. [`Journal::denied`] tells whether
/// they can only be looked at.
///
/// # Errors
/// The journal is there but cannot be read, or a newer version wrote it.
pub fn open(dataset: &Dataset) -> anyhow::Result<Opened> {
    let (mut opened, found) = read(dataset)?;
    if let Some(entry) = found
        && opened.journal.denied().is_none()
        && let Err(error) = opened.journal.append(&[entry])
    {
        opened.warnings.push(format!("{error:#}"));
    }
    Ok(opened)
}

/// What holds for a dataset as it was read from its CSV, for who only looks: another window may go on
/// editing.
///
/// # Errors
/// The journal is there but cannot be read, or a newer version wrote it.
pub fn look(dataset: &Dataset) -> anyhow::Result<State> {
    Ok(read(dataset)?.0.state)
}

/// The edits, and what a save that nobody noted makes of them, where there was one.
fn read(dataset: &Dataset) -> anyhow::Result<(Opened, Option<Entry>)> {
    let mut opened = Journal::open(&dataset.table.path)?;
    let (found, undone) = opened.state.found_in(dataset);
    let is_noted = found.is_empty() && undone.is_empty();
    let entry = (!is_noted).then(|| opened.state.note_found(found, undone));
    opened.state.forget_saved();
    Ok((opened, entry))
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
