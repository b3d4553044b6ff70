//! Proposes a config for a bare CSV: which column holds the image path, and which columns are tasks with which
//! labels.
//!
//! The proposal is a plain value that the user can correct before it becomes a config.

mod guess;

use std::path::{Path, PathBuf};

use super::image_paths::ImageFinder;
use super::starter::StarterConfig;
use super::table::Table;
use crate::config::presets::Proposed;
use crate::config::{Config, ConfigError};
use crate::images::shape::common_aspect;

/// A proposed config: one guess per column of a CSV.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub table_path: PathBuf,
    /// Number of data rows.
    pub rows: usize,
    /// One per column, in the order of the CSV.
    pub columns: Vec<ColumnGuess>,
    /// Height over width of most images of the column that seems to hold them, see [`common_aspect`].
    pub aspect: Option<f32>,
}

/// The guessed role of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnGuess {
    /// Name of the column.
    pub name: String,
    /// Its role; the user may change it.
    pub role: Role,
    /// The labels if it is a task, in order; empty if there are too many distinct values.
    pub labels: Vec<String>,
    /// Number of distinct values without empty cells; counting stops at [`MOST_DISTINCT`].
    pub distinct: usize,
    /// Number of empty cells.
    pub empty: usize,
    /// The first few distinct values.
    pub examples: Vec<String>,
}

/// The role of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The image path; exactly one column.
    Path,
    /// A task: its values are the labels.
    Task,
    /// Train, validation or test; at most one column.
    Split,
    /// The column has no use in the project.
    Ignore,
}

/// Maximum number of distinct values of a task.
pub(crate) const MOST_DISTINCT: usize = 1_000;

/// Guesses the roles of the columns of a CSV.
///
/// # Errors
/// The CSV cannot be read, or its first line is a row instead of the column names.
pub fn propose_config(table_path: &Path) -> anyhow::Result<Proposal> {
    let table = Table::open(table_path)?;
    if let Some(name) = table.headers.iter().find(|header| guess::is_image_name(header)) {
        anyhow::bail!(
            "{}: the first line contains `{name}` and seems to be a row; add a line with the column names, such as `path,color`, above it",
            table_path.display()
        );
    }
    let columns = guess::columns(&table);
    let aspect = columns
        .iter()
        .position(|column| column.role == Role::Path)
        .and_then(|column| aspect_of_images(&table, column));
    Ok(Proposal { table_path: table_path.to_path_buf(), rows: table.row_count(), columns, aspect })
}

fn aspect_of_images(table: &Table, column: usize) -> Option<f32> {
    let finder = ImageFinder::new(&table.path, None);
    common_aspect(table.row_count(), |row| finder.locate(&[table.cell(row, column).into_owned()]).paths.pop())
}

impl Proposal {
    /// Assigns a role to a column; an exclusive role is taken from the column that had it.
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

    /// Whether a column holds the image paths.
    pub fn has_path(&self) -> bool {
        self.with_role(Role::Path).next().is_some()
    }

    /// What the user must correct before there can be a config; `None` when it is ready.
    pub fn obstacle(&self) -> Option<String> {
        if !self.has_path() {
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

    /// The checked config as if it were saved as `file`, with the training settings of `training`.
    ///
    /// # Errors
    /// Something must be corrected first, see [`Proposal::obstacle`].
    pub fn to_config(&self, file: PathBuf, training: &Proposed) -> Result<Config, ConfigError> {
        if let Some(message) = self.obstacle() {
            return Err(ConfigError { file, line: None, message });
        }
        Config::parse(&self.to_yaml(&file, training), &file)
    }

    /// The text of a commented `config.yml`, to be saved as `file`: the path of the CSV is relative if that is short.
    pub fn to_yaml(&self, file: &Path, training: &Proposed) -> String {
        let column = |role| self.with_role(role).next().map(|column| column.name.as_str());
        let tasks = self.with_role(Role::Task);
        let starter = StarterConfig {
            table: self.relative_table_path(file),
            path_column: column(Role::Path),
            tasks: tasks.map(|column| (column.name.as_str(), column.labels.as_slice())).collect(),
            split_column: column(Role::Split),
            training,
        };
        starter.to_yaml()
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
