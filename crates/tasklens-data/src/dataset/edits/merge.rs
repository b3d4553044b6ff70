//! Merges the edits into the CSV: only edited cells change, every other byte stays.
//!
//! The file is always read again, so that changes by other programs are kept. Rows are found by the text of their
//! path cell. If several rows have the same text, the edit goes to the one that [`Dataset`] uses: the first with a
//! valid label, or else the first. The others stay as they are.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::overlay::trimmed;
use super::{Edit, Entry, backup, now, real};
use crate::config::Task;
use crate::dataset::Dataset;
use crate::dataset::table::Table;
use crate::files::{self, Output, Stamped};
use crate::unicode;

/// What happens to an edit whose cell holds neither the label that the user saw nor the one chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The cell stays and the edit stays pending; it is returned for the user to decide.
    Ask,
    /// The edit wins.
    Overwrite,
    /// The file wins, and the edit is given up.
    GiveUp,
}

/// The result of a save or an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeOutcome {
    /// The labels that the file has now, whether written or found there already.
    pub written: Vec<Edit>,
    /// Rows in which a cell changed.
    pub rows_changed: usize,
    /// The backup; `None` if nothing changed, and for an export.
    pub backup: Option<PathBuf>,
    /// Conflicts left for the user to decide, by row.
    pub conflicts: Vec<Conflict>,
    /// Conflicts in which the file won, by row.
    pub given_up: Vec<Conflict>,
    /// Edits without a row or column in the file; they stay pending.
    pub missing: Vec<Missing>,
    /// Whether the file differed from what was read into memory or written by the last save: rows should be reloaded.
    pub file_changed: bool,
    /// SHA-256 of the written file; `None` if nothing changed, and for an export.
    pub written_digest: Option<String>,
    /// Messages for the user about the replaced file.
    pub notices: Vec<String>,
}

/// An edit and a cell that are in conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub edit: Edit,
    /// The line in the file, from 1.
    pub line: u64,
    /// The label that the file has.
    pub cell: Option<String>,
}

/// An edit without a cell in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub edit: Edit,
    /// What is missing: the image's row or the task's column.
    pub why: String,
}

/// Attempts before giving up because another program keeps writing the file.
const ATTEMPTS: usize = 3;

/// A save of label edits into the CSV of a dataset.
#[derive(Clone, Copy, Debug)]
pub struct Save<'a> {
    /// The rows in memory, with or without the edits.
    pub dataset: &'a Dataset,
    /// The edits to write.
    pub edits: &'a [Edit],
    /// How to handle conflicts.
    pub on_conflict: OnConflict,
    /// SHA-256 of the file after our last save, if the rows in memory are older than that.
    pub last_written: Option<&'a str>,
}

impl Save<'_> {
    /// Writes the edits into the CSV: makes a dated backup, then replaces the file atomically. Each entry passed to
    /// `note` must be in the journal when `note` returns: after a crash it tells what was being written. Pass the
    /// outcome to [`State::note_saved`](super::State::note_saved) and append what that returns. Conflicts can be
    /// resolved one by one: save again with those edits and the side that wins.
    ///
    /// # Errors
    /// The file cannot be read or written, is read-only, lost its path column, or its encoding lacks a character of a
    /// label; or `note` failed. The file is then unchanged.
    pub fn run(&self, note: &mut dyn FnMut(Entry) -> anyhow::Result<()>) -> anyhow::Result<MergeOutcome> {
        let csv = real(&self.dataset.table.path)?;
        if !csv.exists() {
            bail!(
                "{} no longer exists: put it back, and save again; the edits wait beside it",
                csv.display()
            );
        }
        let cannot = || format!("{} cannot be saved", csv.display());
        files::check_writable(&csv).with_context(cannot)?;
        let mut is_noted = false;
        let saved = self.attempts(&csv, &mut |entry| {
            is_noted = true;
            note(entry)
        });
        let is_written = saved.as_ref().is_ok_and(|outcome| outcome.written_digest.is_some());
        if is_noted && !is_written {
            // If this fails, the next opening finds out from the file.
            let _ = note(Entry::NotSaved { time: now() });
        }
        saved
    }

    fn attempts(
        &self,
        csv: &Path,
        note: &mut dyn FnMut(Entry) -> anyhow::Result<()>,
    ) -> anyhow::Result<MergeOutcome> {
        for _ in 0..ATTEMPTS {
            let read = Stamped::read(csv).with_context(|| format!("{} cannot be read", csv.display()))?;
            let table = Table::from_bytes(read.bytes.clone(), csv)?;
            let (table, mut outcome) = merge(table, self.dataset, self.edits, self.on_conflict)?;
            let from = read.digest();
            outcome.file_changed = match self.last_written {
                Some(last) => from != last,
                None => !table.is_same_file(&self.dataset.table),
            };
            if !table.is_edited() {
                return Ok(outcome);
            }
            let merged = checked_bytes(&table)?;
            let to = files::digest(&merged);
            let labels = outcome.written.clone();
            note(Entry::Saving { time: now(), from, to: to.clone(), labels })?;
            if let Some(replaced) = backup::replace(csv, csv, &read, &merged)? {
                outcome.backup = Some(replaced.backup);
                outcome.notices = replaced.notices;
                outcome.written_digest = Some(to);
                return Ok(outcome);
            }
        }
        bail!("another program keeps writing {}; save again when it is done", csv.display());
    }
}

/// Writes a copy of the CSV with the edits to `target`; the CSV and the edits stay unchanged.
///
/// # Errors
/// As [`Save::run`]; or the target is the CSV itself.
pub fn export(
    dataset: &Dataset,
    edits: &[Edit],
    on_conflict: OnConflict,
    target: &Path,
) -> anyhow::Result<MergeOutcome> {
    let csv = real(&dataset.table.path)?;
    if fs::canonicalize(target).is_ok_and(|target| fs::canonicalize(&csv).is_ok_and(|csv| csv == target)) {
        bail!("{} is the CSV itself; choose another name, or save the edits into it", target.display());
    }
    let cannot = || format!("{} cannot be written", target.display());
    let output = Output::of(target).with_context(cannot)?;
    let (table, outcome) = merge(Table::open(&csv)?, dataset, edits, on_conflict)?;
    output.write(&checked_bytes(&table)?).with_context(cannot)?;
    Ok(outcome)
}

/// Sets the edited cells in a table as it is on disk.
fn merge(
    mut table: Table,
    dataset: &Dataset,
    edits: &[Edit],
    on_conflict: OnConflict,
) -> anyhow::Result<(Table, MergeOutcome)> {
    let path_column = &dataset.table.headers[dataset.columns.path];
    let Some(path) = table.column(path_column) else {
        bail!(
            "{} no longer has a column `{path_column}`, so its rows cannot be found; put it back, or export the labels to another file before you change it",
            table.path.display()
        );
    };
    let mut outcome = MergeOutcome::default();
    let tasks: Vec<(usize, &Task)> =
        dataset.tasks.iter().filter_map(|task| Some((table.column(&task.name)?, task))).collect();
    let rows = rows_of(&table, path, &tasks, edits);
    let mut by_row: Vec<(usize, usize, &Edit)> = Vec::with_capacity(edits.len());
    for edit in edits {
        match (rows.get(edit.image.as_str()), table.column(&edit.task)) {
            (Some(row), Some(column)) => by_row.push((*row, column, edit)),
            (None, _) => {
                let why = format!("no row has the image `{}`", edit.image);
                outcome.missing.push(Missing { edit: edit.clone(), why });
            }
            (_, None) => {
                let why = format!("there is no column `{}`", edit.task);
                outcome.missing.push(Missing { edit: edit.clone(), why });
            }
        }
    }
    by_row.sort_by_key(|(row, column, _)| (*row, *column));
    let mut changed = BTreeSet::new();
    for (row, column, edit) in by_row {
        let cell = trimmed(table.cell(row, column)).into_owned();
        let cell = Some(cell).filter(|cell| !cell.is_empty());
        if cell != edit.before && cell != edit.after && on_conflict != OnConflict::Overwrite {
            let conflict = Conflict { edit: edit.clone(), line: table.line_of_row(row), cell };
            match on_conflict {
                OnConflict::GiveUp => outcome.given_up.push(conflict),
                _ => outcome.conflicts.push(conflict),
            }
            continue;
        }
        if cell != edit.after {
            table.set_cell(row, column, edit.after.as_deref().unwrap_or_default())?;
            changed.insert(row);
        }
        outcome.written.push(edit.clone());
    }
    outcome.rows_changed = changed.len();
    Ok((table, outcome))
}

/// The row of each edited image: the first with a valid label, or else the first.
pub(super) fn rows_of<'a>(
    table: &Table,
    path: usize,
    tasks: &[(usize, &Task)],
    edits: &'a [Edit],
) -> HashMap<&'a str, usize> {
    let mut rows: HashMap<&str, Option<(usize, bool)>> =
        edits.iter().map(|edit| (edit.image.as_str(), None)).collect();
    if rows.is_empty() {
        return HashMap::new();
    }
    let is_labelled = |row: usize| {
        tasks.iter().any(|(column, task)| {
            let cell = table.cell(row, *column);
            task.labels.iter().any(|label| unicode::is_same(label, cell.trim()))
        })
    };
    for row in 0..table.row_count() {
        let cell = table.cell(row, path);
        match rows.get_mut(cell.trim()) {
            Some(found @ None) => *found = Some((row, is_labelled(row))),
            Some(Some(found)) if !found.1 && is_labelled(row) => *found = (row, true),
            _ => {}
        }
    }
    rows.into_iter().filter_map(|(image, row)| Some((image, row?.0))).collect()
}

/// The bytes to write, verified by parsing them again.
pub(in crate::dataset) fn checked_bytes(table: &Table) -> anyhow::Result<Vec<u8>> {
    let bytes = table
        .to_bytes()
        .map_err(|why| anyhow::anyhow!("{}: the edits cannot be written: {why}", table.path.display()))?;
    let again = Table::from_bytes(bytes.clone(), &table.path)?;
    let is_as_meant = again.headers == table.headers
        && again.row_count() == table.row_count()
        && table.edited_cells().all(|(row, column, cell)| again.cell(row, column) == cell);
    if !is_as_meant {
        bail!(
            "{} would not be read correctly after the edits, so nothing was written: look for an unclosed quote in it",
            table.path.display()
        );
    }
    Ok(bytes)
}
