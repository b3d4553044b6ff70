//! Makes a change: in the CSV, then in the config, then in the label edits.
//!
//! The order makes it recoverable: first the change is recorded ([`begun`](super::begun)), so that after a kill
//! between two files [`finish`], or repeating the change, completes it ([`is_half_made`]). Each file is replaced
//! atomically, and only if it is still what was read.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::begun::{Begun, DamagedRecord, Digests, forget};
use super::{Preview, VocabularyChange, check, preview};
use crate::config::{self, Config};
use crate::dataset::Dataset;
use crate::dataset::edits::merge::{OnConflict, Save, checked_bytes};
use crate::dataset::edits::{self, Journal, OpenedAnnotations, State, backup, real};
use crate::dataset::table::Table;
use crate::files::{self, Stamped};
use crate::unicode;

/// The result of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows of the CSV in which a label changed.
    pub rows_changed: usize,
    /// Backup of the CSV; `None` if it did not change.
    pub csv_backup: Option<PathBuf>,
    /// Backup of the config; `None` if it did not change.
    pub config_backup: Option<PathBuf>,
    /// Messages from opening the edits and replacing the files.
    pub warnings: Vec<String>,
}

/// Makes a change in the project of a config, from the files alone: in the cells and the header of the CSV, in the
/// text of the config and in all label edits. Dated backups of both files are kept in the folder of the edits.
///
/// # Errors
/// The change is not possible ([`check`]), the edits are open in another window, the config's text cannot be changed
/// safely, or a file cannot be written or was changed by another program meanwhile. Then nothing is written, or, if
/// one of the last writes fails, repeating the change completes it.
pub fn apply(config_file: &Path, change: &VocabularyChange) -> anyhow::Result<Applied> {
    let mut said = Vec::new();
    match finish(config_file)? {
        Some(Finished::Completed { change: finished, applied }) if finished == *change => return Ok(applied),
        finished => said.extend(finished.map(|finished| finished.to_string())),
    }
    let mut plan = PlannedChange::make(config_file, change)?;
    plan.execute()?;
    plan.applied.warnings.extend(said);
    Ok(plan.applied)
}

/// What became of a change that had been interrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It is made, with what was left to do.
    Completed { change: VocabularyChange, applied: Applied },
    /// It had touched no file and was dropped.
    Dropped { change: VocabularyChange },
    /// Nobody knows which it was: its record stays, for the user to look at.
    Unknown(DamagedRecord),
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, change) = match self {
            Self::Completed { change, .. } => ("that had been interrupted is completed", change),
            Self::Dropped { change } => {
                ("had been interrupted before it changed anything, and is dropped", change)
            }
            Self::Unknown(damaged) => return write!(f, "{damaged}."),
        };
        write!(f, "A change of tasks and labels {what}: {change}.")
    }
}

/// Completes an interrupted change; `None` if there is none, or if another window is making it.
///
/// # Errors
/// It cannot be completed; the message says what to do.
pub fn finish(config_file: &Path) -> anyhow::Result<Option<Finished>> {
    let Ok(config) = Config::open(config_file) else { return Ok(None) };
    let csv = real(&config.paths.model_dataframe)?;
    match Begun::read(&csv) {
        Ok(Some(_)) => {}
        Ok(None) => return Ok(None),
        Err(damaged) => return Ok(Some(Finished::Unknown(damaged))),
    }
    // Making a change requires the lock.
    let opened = Journal::open(&csv)?;
    let begun = Begun::read(&csv).unwrap_or_default();
    let Some(begun) = begun.filter(|_| opened.journal.denied().is_none()) else {
        return Ok(None);
    };
    let change = begun.change.clone();
    if begun.touched_nothing(&csv, config_file) {
        forget(&csv)?;
        return Ok(Some(Finished::Dropped { change }));
    }
    drop(opened);
    let config = Config::open(config_file)?;
    let applied = match PlannedChange::make(config_file, &change) {
        Ok(mut plan) => {
            plan.execute()?;
            plan.applied
        }
        // All three have it: only the record is left.
        Err(_) if is_made(&config, &change) => {
            forget(&csv)?;
            Applied::default()
        }
        Err(error) => {
            return Err(error.context(format!(
                "a change of tasks and labels was interrupted and cannot be completed automatically ({change}); make it again"
            )));
        }
    };
    Ok(Some(Finished::Completed { change, applied }))
}

/// What [`apply`] would do, read-only: another window may have the edits open.
///
/// # Errors
/// The change is not possible.
pub fn dry_run(config_file: &Path, change: &VocabularyChange) -> anyhow::Result<Preview> {
    let text = TextFile::read(config_file)?;
    let config = text.config()?;
    let (dataset, state) = edits::look(&config)?;
    check(&config, &dataset, change).map_err(anyhow::Error::msg)?;
    config_text(&text, &config, change)?;
    csv_bytes(&dataset.table, change)?;
    Ok(preview(&dataset, &state, change))
}

/// A file as it was read, to be replaced only if unchanged.
struct TextFile {
    file: PathBuf,
    read: Stamped,
}

impl TextFile {
    fn read(file: &Path) -> anyhow::Result<Self> {
        let file = real(file)?;
        let read = Stamped::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        Ok(Self { file, read })
    }

    fn text(&self) -> anyhow::Result<&str> {
        let text = std::str::from_utf8(&self.read.bytes);
        text.with_context(|| format!("{} is not UTF-8 text; save it as UTF-8", self.file.display()))
    }

    fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::parse(self.text()?, &self.file)?)
    }

    fn table(&self) -> anyhow::Result<Table> {
        let mut table = Table::from_bytes(self.read.bytes.clone(), &self.file)?;
        table.stamp = Some(self.read.stamp.clone());
        Ok(table)
    }

    fn check_writable(&self) -> anyhow::Result<()> {
        files::check_writable(&self.file)
            .with_context(|| format!("{} cannot be changed", self.file.display()))
    }

    /// Backs up the file beside `csv` and replaces it.
    fn replace(&self, csv: &Path, new: &[u8], warnings: &mut Vec<String>) -> anyhow::Result<PathBuf> {
        match backup::replace(csv, &self.file, &self.read, new)? {
            Some(replaced) => {
                warnings.extend(replaced.notices);
                Ok(replaced.backup)
            }
            None => bail!(
                "{} was written by another program meanwhile; make the change again",
                self.file.display()
            ),
        }
    }
}

/// Everything to be written, determined before the first byte is.
struct PlannedChange {
    change: VocabularyChange,
    csv: TextFile,
    config: TextFile,
    new_csv: Option<Vec<u8>>,
    new_config: Option<String>,
    opened: OpenedAnnotations,
    applied: Applied,
}

impl PlannedChange {
    fn make(config_file: &Path, change: &VocabularyChange) -> anyhow::Result<Self> {
        let config_text_file = TextFile::read(config_file)?;
        let config = config_text_file.config()?;
        let mut csv = TextFile::read(&config.paths.model_dataframe)?;
        let mut table = csv.table()?;
        let is_column_renamed = matches!(change, VocabularyChange::RenameTask { task, to }
            if table.column(task).is_none() && table.column(to).is_some());
        let read_as = if is_column_renamed { config.after(change) } else { config.clone() };
        let dataset = Dataset::from_table(table.clone(), &read_as)?;
        let mut opened = edits::open(&read_as, &dataset)?;
        if let Some(denied) = opened.journal.denied() {
            bail!("{denied}");
        }
        if opened.reread.is_some() {
            bail!("{} was written by another program meanwhile; make the change again", csv.file.display());
        }
        if !is_half_made(&config, &dataset, &opened.state, change) {
            check(&config, &dataset, change).map_err(anyhow::Error::msg)?;
        }
        let changes_config = change.tasks_after(&config.model.tasks) != config.model.tasks;
        let new_config = match changes_config {
            true => Some(config_text(&config_text_file, &config, change)?),
            false => None,
        };
        if matches!(change, VocabularyChange::RemoveTask { .. })
            && save_edits_of_task(&dataset, &mut opened, change)?
        {
            csv = TextFile::read(&config.paths.model_dataframe)?;
            table = csv.table()?;
        }
        let (new_csv, rows_changed) = csv_bytes(&table, change)?;
        if new_csv.is_some() {
            csv.check_writable()?;
        }
        if new_config.is_some() {
            config_text_file.check_writable()?;
        }
        // Even if nothing was ever edited: an open window must not continue with the old names.
        opened.journal.claim()?;
        let applied = Applied { rows_changed, warnings: opened.warnings.clone(), ..Applied::default() };
        let change = change.clone();
        Ok(Self { change, csv, config: config_text_file, new_csv, new_config, opened, applied })
    }

    /// Writes everything, in an order that can be completed from any point.
    fn execute(&mut self) -> anyhow::Result<()> {
        let begun = Begun {
            change: self.change.clone(),
            csv: Digests::of(&self.csv.read, self.new_csv.as_deref()),
            config: Digests::of(&self.config.read, self.new_config.as_ref().map(String::as_bytes)),
        };
        begun.write(&self.csv.file)?;
        let written = self.write();
        if written.is_ok() || begun.touched_nothing(&self.csv.file, &self.config.file) {
            // If it stays, the next opening finds that there is nothing to complete.
            let _ = forget(&self.csv.file);
        }
        written
    }

    fn write(&mut self) -> anyhow::Result<()> {
        let warnings = &mut self.applied.warnings;
        if let Some(new) = &self.new_csv {
            self.applied.csv_backup = Some(self.csv.replace(&self.csv.file, new, warnings)?);
        }
        let half_made = "the change is incomplete; make it again, or open the project again, to complete it";
        if let Some(new) = &self.new_config {
            let replaced = self.config.replace(&self.csv.file, new.as_bytes(), warnings);
            self.applied.config_backup = Some(match self.new_csv {
                Some(_) => replaced.context(half_made)?,
                None => replaced?,
            });
        }
        let entry = self.opened.state.change_vocabulary(self.change.clone());
        self.opened.journal.append(&[entry]).context(half_made)
    }
}

/// Whether the config already is as after the change.
fn is_made(config: &Config, change: &VocabularyChange) -> bool {
    let tasks = &config.model.tasks;
    let named = tasks.iter().find(|task| task.name == change.task());
    match change {
        VocabularyChange::AddTask { .. } => named.is_some(),
        VocabularyChange::AddLabel { label, .. } => named.is_some_and(|task| task.labels.contains(label)),
        _ => change.tasks_after(tasks) == *tasks,
    }
}

/// Whether an earlier attempt at this change was interrupted: the CSV has it and the config does not, or both have it
/// and the edits do not.
fn is_half_made(config: &Config, dataset: &Dataset, state: &State, change: &VocabularyChange) -> bool {
    let named = |name: &str| config.model.tasks.iter().find(|task| task.name == name);
    let has = |label: &str| named(change.task()).is_some_and(|task| task.labels.iter().any(|l| l == label));
    match change {
        VocabularyChange::AddTask { .. } | VocabularyChange::AddLabel { .. } => false,
        VocabularyChange::RenameTask { task, to } => match named(task) {
            Some(_) => dataset.table.column(task).is_none() && dataset.table.column(to).is_some(),
            None => named(to).is_some() && state.mentions(task, None),
        },
        VocabularyChange::RemoveTask { task } => named(task).is_none() && state.mentions(task, None),
        VocabularyChange::RenameLabel { task, from: gone, to: stays }
        | VocabularyChange::MergeLabels { task, from: gone, into: stays } => {
            !has(gone) && has(stays) && state.mentions(task, Some(gone))
        }
        VocabularyChange::RemoveLabel { task, label } => {
            named(task).is_some() && !has(label) && state.mentions(task, Some(label))
        }
    }
}

fn config_text(file: &TextFile, config: &Config, change: &VocabularyChange) -> anyhow::Result<String> {
    let (text, _) = config::edit_vocabulary(file.text()?, config, change).map_err(anyhow::Error::msg)?;
    Ok(text)
}

/// The CSV after a change, if it differs, and the number of rows whose label changes.
fn csv_bytes(table: &Table, change: &VocabularyChange) -> anyhow::Result<(Option<Vec<u8>>, usize)> {
    let (mut table, mut rows) = (table.clone(), 0);
    match (change, table.column(change.task())) {
        (VocabularyChange::AddTask { name, .. }, None) => table.add_column(name)?,
        (VocabularyChange::RenameTask { to, .. }, Some(column)) => table.rename_column(column, to)?,
        (_, Some(column)) => {
            let Some((gone, after)) = change.replaced() else { return Ok((None, 0)) };
            for row in 0..table.row_count() {
                if unicode::is_same(table.cell(row, column).trim(), gone) {
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

/// Edits of a task that is removed from the config would be lost, so they are written into the CSV. Returns whether
/// it was written.
fn save_edits_of_task(
    dataset: &Dataset,
    opened: &mut OpenedAnnotations,
    change: &VocabularyChange,
) -> anyhow::Result<bool> {
    let mut pending = opened.state.pending();
    pending.retain(|edit| edit.task == change.task());
    if pending.is_empty() {
        return Ok(false);
    }
    let save = Save { dataset, edits: &pending, on_conflict: OnConflict::Ask, last_written: None };
    let mut outcome = save.run(&mut |entry| Ok(opened.journal.append(&[entry])?))?;
    let entries = opened.state.note_saved(&mut outcome);
    opened.warnings.extend_from_slice(&outcome.notices);
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
