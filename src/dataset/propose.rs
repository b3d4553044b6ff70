//! A config for a bare CSV: which column holds the image path, which are tasks with which labels.
//!
//! The guess is a plain value that the user corrects before it becomes a config.

mod guess;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::table::Table;
use crate::config::{Config, ConfigError, yaml_scalar};

/// A config in the making: one guess per column of a CSV.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The CSV.
    pub table_path: PathBuf,
    /// Number of data rows.
    pub rows: usize,
    /// One per column, in the order of the CSV.
    pub columns: Vec<ColumnGuess>,
}

/// What a column seems to be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnGuess {
    /// Its name.
    pub name: String,
    /// What it is for; the user may change it.
    pub role: Role,
    /// The labels if it is a task, in order; empty where there are too many distinct values.
    pub labels: Vec<String>,
    /// Number of distinct values, empty cells not counted; counting ends at [`MOST_DISTINCT`].
    pub distinct: usize,
    /// Empty cells.
    pub empty: usize,
    /// The first few distinct values.
    pub examples: Vec<String>,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The image path; exactly one column.
    Path,
    /// A task: its values are the labels.
    Task,
    /// Train, validation or test; at most one column.
    Split,
    /// Nothing.
    Ignore,
}

/// Distinct values beyond which a column is no task.
pub const MOST_DISTINCT: usize = 1_000;

/// Guesses what the columns of a CSV are for.
///
/// # Errors
/// The CSV cannot be read, or its first line is a row instead of the column names.
pub fn propose_config(table_path: &Path) -> anyhow::Result<Proposal> {
    let table = Table::open(table_path)?;
    if let Some(name) = table.headers.iter().find(|header| guess::is_image_name(header)) {
        anyhow::bail!(
            "{}: the first line has `{name}` and so seems to be a row; put a line with the column names, such as `path,color`, above it",
            table_path.display()
        );
    }
    Ok(Proposal {
        table_path: table_path.to_path_buf(),
        rows: table.row_count(),
        columns: guess::columns(&table),
    })
}

impl Proposal {
    /// Gives a column a role; a role that only one column can have leaves the one that had it.
    pub fn set_role(&mut self, column: usize, role: Role) {
        if matches!(role, Role::Path | Role::Split) {
            for other in &mut self.columns {
                if other.role == role {
                    other.role = Role::Ignore;
                }
            }
        }
        if let Some(column) = self.columns.get_mut(column) {
            column.role = role;
        }
    }

    /// What must be corrected before there can be a config: in words for the user, `None` when it is ready.
    pub fn obstacle(&self) -> Option<String> {
        if self.with_role(Role::Path).next().is_none() {
            return Some("Choose the column that holds the image paths.".to_owned());
        }
        if self.with_role(Role::Task).next().is_none() {
            return Some("Choose at least one column as a task: a column with a few labels.".to_owned());
        }
        let few = self.with_role(Role::Task).find(|column| column.labels.len() < 2)?;
        Some(match few.distinct {
            MOST_DISTINCT.. => format!("`{}` has too many different values to be a task.", few.name),
            _ => format!("The task `{}` needs at least two labels.", few.name),
        })
    }

    /// The checked config as if it were saved as `file`.
    ///
    /// # Errors
    /// Something must be corrected first, see [`Proposal::obstacle`].
    pub fn to_config(&self, file: PathBuf) -> Result<Config, ConfigError> {
        if let Some(message) = self.obstacle() {
            return Err(ConfigError { file, line: None, message });
        }
        Config::parse(&self.to_yaml(&file), &file)
    }

    /// The text of a `config.yml` with comments for a newcomer, to be saved as `file`: the path of
    /// the CSV is relative to it where that is short.
    pub fn to_yaml(&self, file: &Path) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "# Relative paths start at the folder of this file.");
        let _ = writeln!(out, "paths:");
        let _ = writeln!(out, "  model_dataframe: {}", yaml_scalar(&self.relative_table_path(file)));
        let _ = writeln!(out, "  runs: runs                    # each training makes a folder in here");
        let _ = writeln!(out, "model:");
        for column in self.with_role(Role::Path).take(1) {
            let _ = writeln!(out, "  # The column with the image path, relative to the folder of the CSV.");
            let _ = writeln!(out, "  paths: {}", yaml_scalar(&column.name));
        }
        let _ = writeln!(out, "  # One task per column, with the labels that may stand in it.");
        let _ = writeln!(out, "  target_encoder:");
        for column in self.with_role(Role::Task) {
            let labels: Vec<String> = column.labels.iter().map(|label| yaml_scalar(label)).collect();
            let _ = writeln!(out, "    {}: [{}]", yaml_scalar(&column.name), labels.join(", "));
        }
        match self.with_role(Role::Split).next() {
            Some(column) => {
                let _ = writeln!(out, "  # The column that says train, validation or test.");
                let _ = writeln!(out, "  split_column: {}", yaml_scalar(&column.name));
            }
            None => {
                let _ = writeln!(
                    out,
                    "  validation_split: 0.2         # share of the rows that is held back to measure"
                );
            }
        }
        out.push_str(&self.training_yaml());
        out
    }

    /// Settings with which a first run ends in reasonable time also without a GPU.
    fn training_yaml(&self) -> String {
        let batch_size = match self.rows {
            0..200 => 8,
            200..2_000 => 16,
            _ => 32,
        };
        format!(
            "  input_shape: [224, 224]       # height and width in pixels; smaller is faster
  batch_size: {batch_size}{}# images per step; smaller needs less memory
  epochs: 30                    # at most; training stops early when it gets no better
  learning_rate: 0.001
  early_stopping_patience: 8    # epochs without progress before it stops
  lr_reducer_patience: 3        # epochs without progress before the learning rate is reduced
  lr_reducer_factor: 0.3
  random_seed: 42
",
            " ".repeat(if batch_size < 10 { 17 } else { 16 })
        )
    }

    fn with_role(&self, role: Role) -> impl Iterator<Item = &ColumnGuess> {
        self.columns.iter().filter(move |column| column.role == role)
    }

    fn relative_table_path(&self, file: &Path) -> String {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let (table, file) = (absolute(&self.table_path), absolute(file));
        let below = file.parent().and_then(|folder| table.strip_prefix(folder).ok());
        below.unwrap_or(&table).to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests;
