//! Making a change: in the CSV, then in the config, then in the label edits.
//!
//! The order is the promise: a program that is killed between two of them leaves something that the
//! same change, made again, brings to its end ([`is_half_made`]). Each file is replaced as a whole, and only if
//! it is still what was read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use time::OffsetDateTime;

use super::{Change, Preview, check, preview};
use crate::config::{self, Config};
use crate::dataset::Dataset;
use crate::dataset::edits::merge::{self, OnConflict, Stamp, checked_bytes, replace_if_same};
use crate::dataset::edits::{self, Opened, State, backup, real};
use crate::dataset::table::Table;

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows of the CSV in which a label changed.
    pub rows_changed: usize,
    /// The CSV as it was; `None` where it did not change.
    pub csv_backup: Option<PathBuf>,
    /// The config as it was; `None` where it did not change.
    pub config_backup: Option<PathBuf>,
    /// What opening the edits had to say.
    pub warnings: Vec<String>,
}

/// Makes a change in the project of a config, from the files alone: in the cells and the header of the
/// CSV, in the text of the config and in all label edits. A dated copy of both files is kept in the folder
/// of the edits.
///
/// # Errors
/// The change cannot be made ([`check`]), the edits are open in another window, the config's text cannot be
/// changed safely, or a file cannot be written or was changed by another program meanwhile. Nothing is
/// written then, or, where the last writes fail, what the same change completes when it is made again.
pub fn apply(config_file: &Path, change: &Change) -> anyhow::Result<Applied> {
    let mut plan = Plan::make(config_file, change)?;
    plan.write_csv()?;
    plan.write_config()?;
    plan.append()?;
    Ok(plan.applied)
}

/// What [`apply`] would do, for who only looks: another window may have the edits open.
///
/// # Errors
/// The change cannot be made.
pub fn dry_run(config_file: &Path, change: &Change) -> anyhow::Result<Preview> {
    let text = TextFile::read(config_file)?;
    let config = text.config()?;
    let dataset = Dataset::open(&config)?;
    check(&config, &dataset, change).map_err(anyhow::Error::msg)?;
    let state = edits::look(&dataset)?;
    config_text(&text, &config, change)?;
    csv_bytes(&dataset.table, change)?;
    Ok(preview(&dataset, &state, change))
}

/// A file as it was read, to be replaced only while it is so.
struct TextFile {
    file: PathBuf,
    stamp: Stamp,
    bytes: Vec<u8>,
}

impl TextFile {
    fn read(file: &Path) -> anyhow::Result<Self> {
        let file = real(file)?;
        let stamp = Stamp::of(&file)?;
        let bytes = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        Ok(Self { file, stamp, bytes })
    }

    fn text(&self) -> anyhow::Result<&str> {
        let text = std::str::from_utf8(&self.bytes);
        text.with_context(|| format!("{} is not UTF-8 text; save it as UTF-8", self.file.display()))
    }

    fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::parse(self.text()?, &self.file)?)
    }

    /// Keeps a copy among the backups of `csv` and replaces the file.
    fn replace(&self, csv: &Path, new: &[u8]) -> anyhow::Result<PathBuf> {
        let now = OffsetDateTime::now_local().unwrap_or_else(|_| OffsetDateTime::now_utc());
        let kept = backup::keep(csv, &self.file, &self.bytes, now)?;
        let replaced = replace_if_same(&self.file, &self.stamp, new);
        if !replaced.with_context(|| format!("{} cannot be written", self.file.display()))? {
            let _ = fs::remove_file(kept);
            bail!("{} was written by another program meanwhile; make the change again", self.file.display());
        }
        backup::prune(csv, &self.file);
        Ok(kept)
    }
}

/// All that is to be written, found out before the first byte is.
struct Plan {
    change: Change,
    csv: TextFile,
    config: TextFile,
    new_csv: Option<Vec<u8>>,
    new_config: Option<String>,
    opened: Opened,
    applied: Applied,
}

impl Plan {
    fn make(config_file: &Path, change: &Change) -> anyhow::Result<Self> {
        let config_text_file = TextFile::read(config_file)?;
        let config = config_text_file.config()?;
        let mut csv = TextFile::read(&config.paths.model_dataframe)?;
        let mut table = Table::from_bytes(csv.bytes.clone(), &csv.file)?;
        let is_column_renamed = matches!(change, Change::RenameTask { task, to }
            if table.column(task).is_none() && table.column(to).is_some());
        let read_as = if is_column_renamed { config.after(change) } else { config.clone() };
        let dataset = Dataset::from_table(table.clone(), &read_as)?;
        let mut opened = edits::open(&dataset)?;
        if let Some(denied) = opened.journal.denied() {
            bail!("{denied}");
        }
        if !is_half_made(&config, &dataset, &opened.state, change) {
            check(&config, &dataset, change).map_err(anyhow::Error::msg)?;
        }
        let changes_config = change.tasks_after(&config.model.tasks) != config.model.tasks;
        let new_config = match changes_config {
            true => Some(config_text(&config_text_file, &config, change)?),
            false => None,
        };
        if matches!(change, Change::RemoveTask { .. }) && save_edits_of_task(&dataset, &mut opened, change)? {
            csv = TextFile::read(&config.paths.model_dataframe)?;
            table = Table::from_bytes(csv.bytes.clone(), &csv.file)?;
        }
        let (new_csv, rows_changed) = csv_bytes(&table, change)?;
        let applied = Applied { rows_changed, warnings: opened.warnings.clone(), ..Applied::default() };
        let change = change.clone();
        Ok(Self { change, csv, config: config_text_file, new_csv, new_config, opened, applied })
    }

    fn write_csv(&mut self) -> anyhow::Result<()> {
        if let Some(new) = &self.new_csv {
            self.applied.csv_backup = Some(self.csv.replace(&self.csv.file, new)?);
        }
        Ok(())
    }

    fn write_config(&mut self) -> anyhow::Result<()> {
        if let Some(new) = &self.new_config {
            self.applied.config_backup = Some(self.config.replace(&self.csv.file, new.as_bytes())?);
        }
        Ok(())
    }

    fn append(&mut self) -> anyhow::Result<()> {
        // Without any edit there is nothing to follow, and no journal need be made.
        if self.opened.state.has_history() {
            let entry = self.opened.state.change_vocabulary(self.change.clone());
            self.opened.journal.append(&[entry])?;
        }
        Ok(())
    }
}

/// Whether an earlier attempt at this change was cut short: the CSV has it and the config does not, or both
/// have it and the edits do not.
fn is_half_made(config: &Config, dataset: &Dataset, state: &State, change: &Change) -> bool {
    let named = |name: &str| config.model.tasks.iter().find(|task| task.name == name);
    let has = |label: &str| named(change.task()).is_some_and(|task| task.labels.iter().any(|l| l == label));
    match change {
        Change::AddTask { .. } | Change::AddLabel { .. } => false,
        Change::RenameTask { task, to } => match named(task) {
            Some(_) => dataset.table.column(task).is_none() && dataset.table.column(to).is_some(),
            None => named(to).is_some() && state.mentions(task, None),
        },
        Change::RemoveTask { task } => named(task).is_none() && state.mentions(task, None),
        Change::RenameLabel { task, from: gone, to: stays }
        | Change::MergeLabels { task, from: gone, into: stays } => {
            !has(gone) && has(stays) && state.mentions(task, Some(gone))
        }
        Change::RemoveLabel { task, label } => {
            named(task).is_some() && !has(label) && state.mentions(task, Some(label))
        }
    }
}

fn config_text(file: &TextFile, config: &Config, change: &Change) -> anyhow::Result<String> {
    let (text, _) = config::edit(file.text()?, config, change).map_err(anyhow::Error::msg)?;
    Ok(text)
}

/// The CSV after a change, where it is another, and how many rows have another label.
fn csv_bytes(table: &Table, change: &Change) -> anyhow::Result<(Option<Vec<u8>>, usize)> {
    let (mut table, mut rows) = (table.clone(), 0);
    match (change, table.column(change.task())) {
        (Change::AddTask { name, .. }, None) => table.add_column(name)?,
        (Change::RenameTask { to, .. }, Some(column)) => table.rename_column(column, to)?,
        (_, Some(column)) => {
            let Some((gone, after)) = change.replaced() else { return Ok((None, 0)) };
            for row in 0..table.row_count() {
                if table.cell(row, column).trim() == gone {
                    table.set_cell(row, column, after.unwrap_or_default())?;
                    rows += 1;
                }
            }
        }
        _ => {}
    }
    let new = if table.is_edited() { Some(checked_bytes(&table)?) } else { None };
    Ok((new, rows))
}

/// The edits of a task that leaves the config would have no place any more: they go into the CSV. Whether
/// it was written.
fn save_edits_of_task(dataset: &Dataset, opened: &mut Opened, change: &Change) -> anyhow::Result<bool> {
    let mut pending = opened.state.pending();
    pending.retain(|edit| edit.task == change.task());
    if pending.is_empty() {
        return Ok(false);
    }
    let outcome = merge::save(dataset, &pending, OnConflict::Ask)?;
    let entries = opened.state.note_saved(&outcome);
    opened.journal.append(&entries)?;
    if !outcome.conflicts.is_empty() || !outcome.missing.is_empty() {
        bail!(
            "{} label edits of the task `{}` cannot be written into the CSV; save the labels in the window first, and decide there",
            outcome.conflicts.len() + outcome.missing.len(),
            change.task()
        );
    }
    Ok(outcome.backup.is_some())
}

#[cfg(test)]
mod tests;
