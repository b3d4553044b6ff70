//! Turns a folder of images into a project: a CSV and a config for labelling.
//!
//! [`find_images`] lists the images; the user edits a [`ProjectDraft`], which [`ProjectDraft::write`] then writes. No existing file
//! is ever replaced.

mod find;
mod folder_split;
mod left_out;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::edits;
use super::starter::StarterConfig;
use super::table::Table;
use crate::config::Config;
use crate::config::presets::Proposed;
use crate::files;
use crate::unicode;

pub use find::{FoundImages, MOST_IMAGES, find_images};
pub use folder_split::FolderSplit;
pub use left_out::is_unread;

/// The column of the image path in the CSV.
pub(crate) const PATH_COLUMN: &str = "image_path";
/// The split column, if the folders are a split.
const SPLIT_COLUMN: &str = "split";
/// Separators of labels that are typed or pasted together.
pub const SEPARATORS: [char; 5] = [',', ';', '\t', '\n', '\r'];

/// A project that is being set up.
#[derive(Clone, Debug)]
pub struct ProjectDraft {
    pub found: Arc<FoundImages>,
    /// The tasks, in order.
    pub tasks: Vec<DraftTask>,
}

/// A task that is being set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftTask {
    /// Its name as typed.
    pub name: String,
    /// Its labels, in order.
    pub labels: Vec<String>,
    /// Whether the name of its sub-folder is an image's initial label.
    pub is_of_folders: bool,
}

/// The files that [`ProjectDraft::write`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The config, which opens the project.
    pub config: PathBuf,
    pub table: PathBuf,
}

impl DraftTask {
    /// A task whose labels are the names of the sub-folders.
    pub fn of_folders(name: &str, found: &FoundImages) -> Self {
        let mut task = Self { name: name.to_owned(), labels: Vec::new(), is_of_folders: true };
        found.sub_folders.iter().for_each(|folder| task.add_label(folder));
        task
    }

    /// Adds the labels of a typed or pasted list, without duplicates.
    pub fn add_labels(&mut self, list: &str) {
        list.split(SEPARATORS).for_each(|label| self.add_label(label));
    }

    fn add_label(&mut self, label: &str) {
        let label = label.trim();
        if !label.is_empty() && !self.labels.iter().any(|known| unicode::is_same(known, label)) {
            self.labels.push(label.to_owned());
        }
    }

    /// The cell of an image in the new CSV.
    fn cell<'a>(&'a self, found: &FoundImages, image: &str) -> &'a str {
        let folder = if self.is_of_folders { found.class_folder(image) } else { None };
        let label = |folder| self.labels.iter().find(|label| unicode::is_same(label, folder));
        folder.and_then(label).map(String::as_str).unwrap_or_default()
    }
}

impl ProjectDraft {
    /// What the user must correct before it can be written; `None` when it is ready.
    pub fn obstacle(&self) -> Option<String> {
        if self.found.images.is_empty() {
            return Some("There are no images in this folder.".to_owned());
        }
        if self.tasks.is_empty() {
            return Some("Add a task: something to tell about each image, such as `sleeves`.".to_owned());
        }
        self.tasks.iter().enumerate().find_map(|(index, task)| self.obstacle_of(index, task))
    }

    fn obstacle_of(&self, index: usize, task: &DraftTask) -> Option<String> {
        let name = task.name.trim();
        if name.is_empty() {
            return Some(match self.tasks.len() {
                1 => "Give the task a name, such as `sleeves`.".to_owned(),
                _ => format!("Give task {} a name, such as `sleeves`.", index + 1),
            });
        }
        if name == PATH_COLUMN {
            return Some(format!("`{name}` is the column of the images: give the task another name."));
        }
        if name == SPLIT_COLUMN && self.split().is_some() {
            return Some(format!("`{name}` is the column of the split: give the task another name."));
        }
        if self.tasks[..index].iter().any(|other| other.name.trim() == name) {
            return Some(format!("Two tasks have the name `{name}`: give one of them another."));
        }
        (task.labels.len() < 2).then(|| format!("The task `{name}` needs at least two labels."))
    }

    /// Upper bound of images with an initial label.
    pub fn labelled(&self) -> usize {
        if self.tasks.iter().any(|task| task.is_of_folders) { self.found.images.len() } else { 0 }
    }

    /// Writes the CSV and the config, with the training settings of `training`, into the folder of the images, under
    /// unused names.
    ///
    /// # Errors
    /// Something must be corrected first, see [`ProjectDraft::obstacle`]; or a file cannot be written, in which case neither
    /// is left behind.
    pub fn write(&self, training: &Proposed) -> anyhow::Result<Created> {
        if let Some(obstacle) = self.obstacle() {
            bail!("{}: {obstacle}", self.found.folder.display());
        }
        let Created { config, table } = free_names(&self.found.folder);
        let text = self.yaml(&table, training);
        Config::parse(&text, &config)?;
        let bytes = self.csv(&table)?;
        write_new(&table, &bytes)?;
        if let Err(error) = write_new(&config, text.as_bytes()) {
            // We created it a moment ago.
            let _ = std::fs::remove_file(&table);
            return Err(error);
        }
        Ok(Created { config, table })
    }

    /// The split given by the folders, if the labels come from folders, too.
    pub fn split(&self) -> Option<&FolderSplit> {
        let is_of_folders = self.tasks.iter().any(|task| task.is_of_folders);
        self.found.split.as_ref().filter(|split| is_of_folders && split.is_useful())
    }

    fn yaml(&self, table: &Path, training: &Proposed) -> String {
        let tasks = self.tasks.iter();
        let starter = StarterConfig {
            table: table.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            path_column: Some(PATH_COLUMN),
            tasks: tasks.map(|task| (task.name.trim(), task.labels.as_slice())).collect(),
            split_column: self.split().map(|_| SPLIT_COLUMN),
            training,
        };
        starter.to_yaml()
    }

    /// The CSV, verified by reading it back: file names can be anything.
    fn csv(&self, table: &Path) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let split = self.split();
        let header = std::iter::once(PATH_COLUMN).chain(self.tasks.iter().map(|task| task.name.trim()));
        writer.write_record(header.chain(split.map(|_| SPLIT_COLUMN)))?;
        let mut parts = split.map(|split| split.cells(&self.found.images)).unwrap_or_default().into_iter();
        for image in &self.found.images {
            let cells = self.tasks.iter().map(|task| task.cell(&self.found, image));
            writer.write_record(std::iter::once(image.as_str()).chain(cells).chain(parts.next()))?;
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        let read = Table::from_bytes(bytes.clone(), table)?;
        let is_as_meant = read.headers.len() == 1 + self.tasks.len() + split.iter().count()
            && read.row_count() == self.found.images.len()
            && self.found.images.iter().enumerate().all(|(row, image)| read.cell(row, 0) == image.as_str());
        if !is_as_meant {
            bail!(
                "{} cannot be written unambiguously: rename tasks and images with semicolons, tabs or quotes in their names",
                table.display()
            );
        }
        Ok(bytes)
    }
}

/// `labels.csv` and `config.yml`, or numbered names if those are taken.
fn free_names(folder: &Path) -> Created {
    let is_free = |path: &Path| std::fs::symlink_metadata(path).is_err();
    let names = |number: usize| {
        let stem = if number == 1 { "labels".to_owned() } else { format!("labels_{number}") };
        let plain = folder.join("config.yml");
        let config = if is_free(&plain) { plain } else { folder.join(format!("{stem}.yml")) };
        Created { config, table: folder.join(format!("{stem}.csv")) }
    };
    let mut number = 1;
    loop {
        let found = names(number);
        // Leftover edits of an earlier CSV of this name must not be applied to the new one.
        let free = [&found.config, &found.table, &edits::folder_of(&found.table)];
        if free.into_iter().all(|path| is_free(path)) {
            return found;
        }
        number += 1;
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::create(path, bytes).with_context(|| {
        format!("{} cannot be written; choose a folder that you may write to", path.display())
    })
}

#[cfg(test)]
mod tests;
