//! The record of a change in progress: it tells that CSV, config and label edits may be inconsistent, and what they
//! should become.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Change;
use crate::config::Config;
use crate::dataset::edits::folder_of;
use crate::files::{self, Stamped, disk};

const NOTE: &str = "changing.json";

/// A change in progress, with the SHA-256 of both files before and after it, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    pub change: Change,
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
    /// The record beside a CSV, if there is a readable one.
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
pub fn cut_short(config: &Config) -> Option<Change> {
    Begun::read(&config.paths.model_dataframe).map(|begun| begun.change)
}

fn note_of(csv: &Path) -> PathBuf {
    folder_of(csv).join(NOTE)
}
