//! The record of a change in progress: it tells that CSV, config and label edits may be inconsistent, and what they
//! should become.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::VocabularyChange;
use crate::config::Config;
use crate::dataset::edits::{backup, folder_of};
use crate::files::{self, Stamped, disk};

const NOTE: &str = "changing.json";

/// A change in progress, with the SHA-256 of both files before and after it, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    pub change: VocabularyChange,
    pub csv: Digests,
    pub config: Digests,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Digests {
    before: String,
    after: String,
}

impl Digests {
    pub fn of(read: &Stamped, new: Option<&[u8]>) -> Self {
        let before = read.digest();
        let after = new.map_or_else(|| before.clone(), files::digest);
        Self { before, after }
    }

    fn is_before(&self, file: &Path) -> bool {
        Stamped::read(file).is_ok_and(|read| read.digest() == self.before)
    }
}

/// A record that cannot be read: whether its change is complete is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{} cannot be read ({why}). It is the record of a change of tasks and labels that was interrupted and cannot be \
     completed automatically. Compare the tasks and labels of the config with {}; if they do not fit, take both files \
     from {}. Then delete the record",
    file.display(), csv.display(), backups_of(csv).display()
)]
pub struct DamagedRecord {
    file: PathBuf,
    csv: PathBuf,
    why: String,
}

impl Begun {
    /// The record beside a CSV; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(csv: &Path) -> Result<Option<Self>, DamagedRecord> {
        let file = note_of(csv);
        let damaged = |why: String| DamagedRecord { file: file.clone(), csv: csv.to_path_buf(), why };
        match fs::symlink_metadata(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Ok(found) if !found.is_file() => return Err(damaged("it is not a regular file".to_owned())),
            _ => {}
        }
        let bytes = fs::read(&file).map_err(|error| damaged(error.to_string()))?;
        serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
    }

    pub fn write(&self, csv: &Path) -> anyhow::Result<()> {
        let file = note_of(csv);
        let written = files::replace(&file, &serde_json::to_vec(self)?);
        written.with_context(|| format!("{} cannot be written; nothing was changed", file.display()))
    }

    /// Whether neither file has changed.
    pub fn touched_nothing(&self, csv: &Path, config: &Path) -> bool {
        self.csv.is_before(csv) && self.config.is_before(config)
    }
}

/// Removes the record: everything is consistent.
pub(super) fn forget(csv: &Path) -> std::io::Result<()> {
    let file = note_of(csv);
    match fs::symlink_metadata(&file) {
        Ok(found) if found.is_file() => disk::remove(&file),
        _ => Ok(()),
    }
}

/// The interrupted change of tasks and labels in the project of a config, if any. Repeating it, or opening the
/// project in the window, completes it.
///
/// # Errors
/// There is a record of one, but it cannot be read.
pub fn cut_short(config: &Config) -> Result<Option<VocabularyChange>, DamagedRecord> {
    Ok(Begun::read(&files::without_detours(&config.paths.model_dataframe))?.map(|begun| begun.change))
}

fn backups_of(csv: &Path) -> PathBuf {
    folder_of(csv).join(backup::FOLDER)
}

fn note_of(csv: &Path) -> PathBuf {
    folder_of(csv).join(NOTE)
}
