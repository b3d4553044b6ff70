//! The note that a change began: whoever finds it knows that CSV, config and label edits may not fit together,
//! and how they were meant to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::VocabularyChange;
use crate::config::Config;
use crate::dataset::edits::folder_of;
use crate::files::{self, Stamped, disk};

const NOTE: &str = "changing.json";

/// A change that began, with the files before and after it as SHA-256 in hexadecimal.
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

impl Begun {
    /// The note beside a CSV, where there is one that can be read.
    pub fn read(csv: &Path) -> Option<Self> {
        let file = note_of(csv);
        let is_file = fs::symlink_metadata(&file).is_ok_and(|found| found.is_file());
        is_file.then(|| fs::read(&file).ok()).flatten().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }

    pub fn write(&self, csv: &Path) -> anyhow::Result<()> {
        let file = note_of(csv);
        let written = files::replace(&file, &serde_json::to_vec(self)?);
        written.with_context(|| format!("{} cannot be written; nothing was changed", file.display()))
    }

    /// Whether neither file was touched.
    pub fn touched_nothing(&self, csv: &Path, config: &Path) -> bool {
        self.csv.is_before(csv) && self.config.is_before(config)
    }
}

/// Removes the note: all is as it should be.
pub(super) fn forget(csv: &Path) -> std::io::Result<()> {
    let file = note_of(csv);
    match fs::symlink_metadata(&file) {
        Ok(found) if found.is_file() => disk::remove(&file),
        _ => Ok(()),
    }
}

/// The change of tasks and labels that was cut short in the project of a config, if one was: it is made again,
/// or the project opened in the window, to bring it to its end.
pub fn cut_short(config: &Config) -> Option<VocabularyChange> {
    Begun::read(&config.paths.model_dataframe).map(|begun| begun.change)
}

fn note_of(csv: &Path) -> PathBuf {
    folder_of(csv).join(NOTE)
}
