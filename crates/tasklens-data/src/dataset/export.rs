//! Exports the labels for other programs: as a CSV, a folder per label, or JSON lines.
//!
//! The export has the current labels: the CSV with all edits, including those not saved yet. The CSV, the edits and
//! the images stay unchanged.

mod folders;
mod made;

use std::collections::HashMap;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Dataset;
use super::edits::Values;
use super::edits::merge::{self, OnConflict};
use crate::files::Output;
use crate::text::{counted, plural};
use crate::work::KeepGoing;

pub use made::folder_in;

/// The format of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A copy of the CSV.
    Csv,
    /// One object per line and image: `{"image": .., "labels": {task: label or null}, "flag": note or null}`.
    JsonLines,
    /// `OUT/task/label/0001_name.jpg` for each image and task.
    Folders {
        /// The tasks to export: indices into [`Dataset::tasks`].
        tasks: Vec<usize>,
        /// How images are placed.
        placing: Placing,
    },
}

/// How an image is placed in a folder. If the file system does not support one kind of link, the other is used, and
/// copies if it supports none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placing {
    /// A hard link: takes no space, and stays valid when the original is moved.
    #[default]
    HardLink,
    /// A symbolic link: takes no space, and also works across disks.
    SymbolicLink,
    /// A copy: takes the space of the original.
    Copy,
}

/// The result of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOutcome {
    /// What was written and where, for the user.
    pub summary: String,
    /// Messages about what may be unexpected.
    pub notices: Vec<String>,
    /// Images that could not be exported.
    pub left_out: usize,
}

/// Exports the labels of a dataset with its edits, which may be in its rows already, to a file or a folder. `progress`
/// gets (done, of) and returns whether to continue.
///
/// # Errors
/// The target cannot be written, is the CSV itself, or is a folder with files that are not from an export; or the
/// user cancelled. A missing image is a notice.
pub fn export(
    dataset: &Dataset,
    values: &Values,
    form: &Form,
    target: &Path,
    progress: &mut KeepGoing<'_>,
) -> anyhow::Result<ExportOutcome> {
    let output = || Output::of(target).with_context(|| format!("{} cannot be written", target.display()));
    match form {
        Form::Csv => csv(dataset, values, target, &output()?),
        Form::JsonLines => json_lines(dataset, values, target, &output()?, progress),
        Form::Folders { tasks, placing } => {
            folders::export(&dataset.with_edits(&values.overlay()), tasks, *placing, target, progress)
        }
    }
}

fn csv(dataset: &Dataset, values: &Values, target: &Path, output: &Output) -> anyhow::Result<ExportOutcome> {
    let outcome = merge::export(dataset, &values.pending(), OnConflict::Overwrite, target)?;
    let changed = outcome.rows_changed;
    let rows = plural(changed, "row", "rows");
    let summary = match output {
        Output::File(_) => format!("{} with {changed} corrected {rows} was written", target.display()),
        _ => format!("the CSV with {changed} corrected {rows} was written to {output}"),
    };
    let missing = outcome.missing.first().map(|missing| {
        format!("{} label edits have no cell in the CSV: {}", outcome.missing.len(), missing.why)
    });
    Ok(ExportOutcome { summary, notices: missing.into_iter().collect(), left_out: 0 })
}

fn json_lines(
    dataset: &Dataset,
    values: &Values,
    target: &Path,
    output: &Output,
    progress: &mut KeepGoing<'_>,
) -> anyhow::Result<ExportOutcome> {
    if is_same(target, &dataset.table.path) {
        bail!("{} is the CSV itself; choose another name", target.display());
    }
    let edited = dataset.with_edits(&values.overlay());
    let rows = rows(&edited);
    let flags: HashMap<&str, &str> = values.flags().collect();
    let target = std::path::absolute(target)?;
    let mut is_cancelled = false;
    let written = output.write_with(|file| {
        let mut out = BufWriter::new(file);
        for (done, row) in rows.iter().enumerate() {
            if !progress(done, rows.len()) {
                is_cancelled = true;
                return Err(std::io::Error::other("cancelled"));
            }
            serde_json::to_writer(&mut out, &object(&edited, &flags, *row, &target))?;
            out.write_all(b"\n")?;
        }
        out.flush()
    });
    if is_cancelled {
        bail!("cancelled");
    }
    written.with_context(|| format!("{output} cannot be written"))?;
    let to = if output.is_standard() { output.to_string() } else { target.display().to_string() };
    let summary = format!("{} were written to {to}", counted(rows.len(), "image"));
    Ok(ExportOutcome { summary, ..ExportOutcome::default() })
}

fn object(dataset: &Dataset, flags: &HashMap<&str, &str>, row: usize, target: &Path) -> serde_json::Value {
    let labels = dataset.tasks.iter().enumerate().map(|(task, of)| {
        let label = dataset.given_label(row, task).map(std::borrow::Cow::into_owned);
        (of.name.clone(), serde_json::Value::from(label))
    });
    serde_json::json!({
        "image": path_from(target, &dataset.rows[row].image),
        "labels": labels.collect::<serde_json::Map<_, _>>(),
        "flag": flags.get(&*dataset.image_key(row)),
    })
}

/// An image's path as written in a file: relative if it lies below the file's folder, with `/`.
fn path_from(file: &Path, image: &Path) -> String {
    let below = file.parent().and_then(|folder| image.strip_prefix(folder).ok());
    match below {
        Some(below) => {
            let parts = below.components().filter(|part| matches!(part, Component::Normal(_)));
            parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
        }
        None => image.display().to_string(),
    }
}

/// One row per image, in the order of the table: of several rows the first with a label, as in training.
fn rows(dataset: &Dataset) -> Vec<usize> {
    let mut row_of: HashMap<&Path, usize> = HashMap::with_capacity(dataset.rows.len());
    for (index, row) in dataset.rows.iter().enumerate() {
        if row.image.as_os_str().is_empty() {
            continue;
        }
        let is_labelled = |row: usize| dataset.rows[row].is_labelled();
        let chosen = row_of.entry(&row.image).or_insert(index);
        if !is_labelled(*chosen) && is_labelled(index) {
            *chosen = index;
        }
    }
    let mut rows: Vec<usize> = row_of.into_values().collect();
    rows.sort_unstable();
    rows
}

fn is_same(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| -> Option<PathBuf> { fs::canonicalize(path).ok() };
    real(a).is_some_and(|a| real(b) == Some(a))
}

#[cfg(test)]
mod tests;
