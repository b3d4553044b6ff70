//! The edits into the CSV: the user's file with the edited cells, and every other byte as it was.
//!
//! The file is always read anew, so what another program changed meanwhile is kept. Rows are found
//! by the text of their path cell. Where several rows have the same, the edit goes to the one that
//! [`Dataset`] uses: the first with a valid label, or the first. The others stay as they are.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use time::OffsetDateTime;

use super::state::cleaned;
use super::{Edit, backup, real};
use crate::config::Task;
use crate::dataset::Dataset;
use crate::dataset::table::Table;

/// What happens to an edit whose cell has neither the label that the user saw nor the one chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The cell stays and the edit stays pending; it is returned for the user to decide.
    Ask,
    /// The edit wins.
    Overwrite,
    /// The file wins, and the edit is given up.
    GiveUp,
}

/// What a save or an export did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the file has now: written, or found to be there already.
    pub written: Vec<Edit>,
    /// Rows in which a cell changed.
    pub rows_changed: usize,
    /// Where the file is kept as it was; `None` where nothing changed, and for an export.
    pub backup: Option<PathBuf>,
    /// Left for the user to decide, by row.
    pub conflicts: Vec<Conflict>,
    /// Where the file won, by row.
    pub given_up: Vec<Conflict>,
    /// Without a row or column in the file; they stay pending.
    pub missing: Vec<Missing>,
    /// Whether the file is another than the one that was read into memory: rows should be read anew.
    pub file_changed: bool,
}

/// An edit and a cell that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The edit.
    pub edit: Edit,
    /// The line in the file, from 1.
    pub line: u64,
    /// The label that the file has.
    pub cell: Option<String>,
}

/// An edit that has no place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The edit.
    pub edit: Edit,
    /// What is missing: the image's row or the task's column.
    pub why: String,
}

/// Attempts before it is said that another program keeps writing the file.
const ATTEMPTS: usize = 3;

/// Writes edits into the CSV of a dataset: first a dated copy of it is kept, then it is replaced as a
/// whole. Hand the outcome to [`State::note_saved`](super::State::note_saved) and append what that returns. Conflicts
/// can be settled one by one: call it again with those edits and the side that wins.
///
/// # Errors
/// The file cannot be read or written, lost its path column, or its encoding lacks a character of a
/// label; it is then as it was.
pub fn save(dataset: &Dataset, edits: &[Edit], on_conflict: OnConflict) -> anyhow::Result<Outcome> {
    let csv = real(&dataset.table.path)?;
    for _ in 0..ATTEMPTS {
        let read = Stamp::of(&csv)?;
        let bytes = fs::read(&csv).with_context(|| format!("{} cannot be read", csv.display()))?;
        let table = Table::from_bytes(bytes.clone(), &csv)?;
        let (table, mut outcome) = merge(table, dataset, edits, on_conflict)?;
        if !table.is_edited() {
            return Ok(outcome);
        }
        let merged = checked_bytes(&table)?;
        let now = OffsetDateTime::now_local().unwrap_or_else(|_| OffsetDateTime::now_utc());
        let kept = backup::keep(&csv, &csv, &bytes, now)?;
        let replaced = replace_if_same(&csv, &read, &merged);
        if !replaced.with_context(|| format!("{} cannot be written", csv.display()))? {
            let _ = fs::remove_file(kept);
            continue;
        }
        backup::prune(&csv, &csv);
        outcome.backup = Some(kept);
        return Ok(outcome);
    }
    bail!("another program keeps writing {}; save again when it is done", csv.display());
}

/// Writes a copy of the CSV with the edits to `target`, which is replaced if it is there; the CSV and
/// the edits stay as they are.
///
/// # Errors
/// As [`save`]; or the target is the CSV itself.
pub fn export(
    dataset: &Dataset,
    edits: &[Edit],
    on_conflict: OnConflict,
    target: &Path,
) -> anyhow::Result<Outcome> {
    let csv = real(&dataset.table.path)?;
    if fs::canonicalize(target).is_ok_and(|target| fs::canonicalize(&csv).is_ok_and(|csv| csv == target)) {
        bail!("{} is the CSV itself; choose another name, or save the edits into it", target.display());
    }
    let (table, outcome) = merge(Table::open(&csv)?, dataset, edits, on_conflict)?;
    let bytes = checked_bytes(&table)?;
    crate::files::replace(target, &bytes)
        .with_context(|| format!("{} cannot be written", target.display()))?;
    Ok(outcome)
}

/// Sets the edited cells of a table as it is on disk.
fn merge(
    mut table: Table,
    dataset: &Dataset,
    edits: &[Edit],
    on_conflict: OnConflict,
) -> anyhow::Result<(Table, Outcome)> {
    let path_column = &dataset.table.headers[dataset.columns.path];
    let Some(path) = table.column(path_column) else {
        bail!(
            "{} has no column `{path_column}` any more, so its rows cannot be found; put it back, or export the labels to another file before you change it",
            table.path.display()
        );
    };
    let mut outcome = Outcome { file_changed: !table.is_same_file(&dataset.table), ..Outcome::default() };
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
        let cell = cleaned(Some(table.cell(row, column).into_owned()));
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

/// The row of each edited image: the first with a valid label, or the first.
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
            task.labels.iter().any(|label| label == cell.trim())
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

/// The bytes to write, after they were read again: a user's file is not the place for a surprise.
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
            "{} would not read as it should after the edits; nothing was written: look for a quote that is not closed in it",
            table.path.display()
        );
    }
    Ok(bytes)
}

/// Replaces a file, or returns false where another program wrote it since `read`.
pub(in crate::dataset) fn replace_if_same(file: &Path, read: &Stamp, bytes: &[u8]) -> io::Result<bool> {
    let mut is_same = true;
    let replaced = crate::files::replace_with(file, |new| {
        new.write_all(bytes)?;
        // As late as can be: what was written since would be lost.
        is_same = Stamp::of(file).map_err(io::Error::other)? == *read;
        if is_same { Ok(()) } else { Err(io::Error::other("it changed meanwhile")) }
    });
    if is_same { replaced.map(|()| true) } else { Ok(false) }
}

/// Tells a file from what it was a moment ago.
#[derive(PartialEq, Eq)]
pub(in crate::dataset) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub fn of(file: &Path) -> anyhow::Result<Self> {
        let metadata = fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?;
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}
