//! The features of images, one vector per image and view, stored once for all users: heads that are trained on a
//! frozen backbone, Label, Inspect and the map.
//!
//! A [`FeatureStore`] is a folder per backbone ([`key`]) beside the runs. It is written in shards as features are computed,
//! so that a cancelled pass, or one with unreadable images, loses nothing, and is read through memory maps: a pass
//! only keeps positions in memory. Unused features are removed: see [`clean`].

mod backbone;
pub mod clean;
mod identity;
mod mapped;
mod shard;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use tasklens_data::files;
pub use tasklens_data::images::miniature::{BYTES as MINIATURE_BYTES, SIDE as MINIATURE_SIDE};

use crate::model::checkpoint::Description;
pub use backbone::{BackboneFeed, key, key_of_checkpoint};
pub use identity::{Identity, Stamp, View, stamp};
pub(super) use mapped::Numbers;
pub use mapped::{Features, Place};
pub use shard::FeatureBuffer;
use shard::FeatureShard;
pub(super) use shard::{Raw, bytes_of, half, tensor_of};

/// The folder of all stores, within the folder of runs.
pub const FOLDER: &str = "features";
/// Images per file: the most that a killed pass can lose.
pub const SHARD_IMAGES: usize = 2048;
const ENDING: &str = "safetensors";
/// Number of digits in the name of a shard.
const DIGITS_OF_SHARD: usize = 6;
/// Extension that a damaged shard gets.
const DAMAGED: &str = "damaged";

/// The store for the features of one backbone.
#[derive(Clone, Debug)]
pub struct FeatureStore {
    folder: PathBuf,
    dimensions: usize,
    /// A fallback for features that cannot be stored in the folder.
    spare: Option<Arc<tempfile::TempDir>>,
}

impl FeatureStore {
    /// The store of the backbone with this [`key`], with feature vectors of length `dimensions`, in the folder of
    /// runs.
    pub fn of(runs: &Path, key: &str, dimensions: usize) -> Self {
        Self { folder: runs.join(FOLDER).join(key), dimensions, spare: None }
    }

    /// The store of the backbone of a checkpoint, if its folder of runs has one: only for backbones with separately
    /// trained heads. Features of other backbones are stored with the checkpoint.
    pub fn shared(checkpoint: &Path, description: &Description) -> Option<Self> {
        let checkpoint = std::path::absolute(checkpoint).ok()?;
        let runs = checkpoint.parent()?.parent()?;
        // A link in a folder from elsewhere may lead outside.
        let is_own = |folder: &Path| folder.is_dir() && !folder.is_symlink();
        if !is_own(&runs.join(FOLDER)) {
            return None;
        }
        let store = Self::of_checkpoint(runs, &checkpoint, description).ok()?;
        Some(store).filter(|store| is_own(store.folder()))
    }

    /// Creates the store of the backbone of a checkpoint, so that all networks with that backbone share it.
    ///
    /// # Errors
    /// The checkpoint cannot be read, or the folder cannot be created.
    pub fn share(runs: &Path, checkpoint: &Path, description: &Description) -> anyhow::Result<Self> {
        let store = Self::of_checkpoint(runs, checkpoint, description)?;
        let made = files::disk::create_folders(&store.folder);
        made.with_context(|| format!("cannot make {}", store.folder.display()))?;
        Ok(store)
    }

    fn of_checkpoint(runs: &Path, checkpoint: &Path, description: &Description) -> anyhow::Result<Self> {
        let dimensions = description.backbone()?.facts().features as usize;
        Ok(Self::of(runs, &key_of_checkpoint(checkpoint, description)?, dimensions))
    }

    /// Length of a feature vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The folder of its files; it may not exist yet.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads the current shards. Damaged files are set aside, and their features are missing.
    pub fn read(&self) -> Shelf {
        let mut shelf = Shelf { shards: Vec::new(), problems: Vec::new(), dimensions: self.dimensions };
        for folder in std::iter::once(self.folder()).chain(self.spare.as_ref().map(|spare| spare.path())) {
            for file in shards_in(folder) {
                match FeatureShard::open(&file, self.dimensions) {
                    Ok(shard) => shelf.shards.push(shard),
                    // Another process may just have removed it as unused.
                    Err(_) if !file.exists() => {}
                    Err(error) => shelf.problems.push(set_aside(&file, &error)),
                }
            }
        }
        shelf
    }

    /// Adds features in one file.
    ///
    /// # Errors
    /// The disk is full or not writable.
    pub fn keep(&self, view: &View, buffer: &FeatureBuffer) -> anyhow::Result<()> {
        append_to(&self.folder, &buffer.to_bytes(view)?)
    }

    /// As [`FeatureStore::keep`]. If they cannot be stored, they last as long as this store, and the returned message says
    /// why.
    ///
    /// # Errors
    /// They cannot be written anywhere.
    pub fn append(&mut self, view: &View, buffer: &FeatureBuffer) -> anyhow::Result<Option<String>> {
        if buffer.images.is_empty() {
            return Ok(None);
        }
        let bytes = buffer.to_bytes(view)?;
        if let Some(spare) = &self.spare {
            return append_to(spare.path(), &bytes).map(|()| None);
        }
        let Err(error) = append_to(&self.folder, &bytes) else { return Ok(None) };
        let spare = tempfile::tempdir().context("cannot create a temporary folder")?;
        append_to(spare.path(), &bytes)?;
        self.spare = Some(Arc::new(spare));
        Ok(Some(format!("the features cannot be stored for the next time: {error:#}")))
    }
}

/// The shards of a store at one moment.
#[derive(Debug, Default)]
pub struct Shelf {
    shards: Vec<FeatureShard>,
    dimensions: usize,
    /// Messages about files that could not be read.
    pub problems: Vec<String>,
}

impl Shelf {
    /// The position of the view of each image, the latest if there are several. Marks the files as used.
    pub fn find(&self, view: &View, images: &[Identity]) -> Vec<Option<Place>> {
        let wanted: std::collections::HashSet<Identity> = images.iter().copied().collect();
        let mut found: HashMap<Identity, Place> = HashMap::with_capacity(wanted.len());
        for (index, shard) in self.shards.iter().enumerate().filter(|(_, shard)| shard.view == *view) {
            let before = found.len();
            for (row, identity) in shard.identities().enumerate() {
                if wanted.contains(&identity) {
                    found.insert(identity, (index as u32, row as u32));
                }
            }
            if found.len() > before {
                mark_as_used(&shard.file);
            }
        }
        images.iter().map(|image| found.get(image).copied()).collect()
    }

    /// The features at positions from [`Shelf::find`].
    pub fn features(&self, places: Vec<Place>) -> Features {
        Features::new(self.files().collect(), places)
    }

    /// The files of these positions.
    pub(super) fn files(&self) -> impl Iterator<Item = Arc<Numbers>> + '_ {
        self.shards.iter().map(|shard| Arc::clone(&shard.numbers))
    }

    /// Length of a feature vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }
}

/// The shards in a folder, oldest first; links are not followed.
fn shards_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).filter(|file| is_shard(file)).collect();
    files.sort();
    files
}

/// Whether a file has the name of a shard: six digits.
fn is_shard(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == ENDING)
        && file.file_stem().is_some_and(|stem| {
            stem.len() == DIGITS_OF_SHARD && stem.as_encoded_bytes().iter().all(u8::is_ascii_digit)
        })
}

fn append_to(folder: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // Names sort by the order of writing.
    let last = shards_in(folder).pop();
    let last = last.and_then(|file| file.file_stem()?.to_str()?.parse::<u32>().ok());
    let mut number = last.map_or(0, |last| last + 1);
    loop {
        let file = folder.join(format!("{number:0DIGITS_OF_SHARD$}.{ENDING}"));
        match files::create(&file, bytes) {
            // Another process took the name meanwhile.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            done => return done.with_context(|| format!("cannot write {}", file.display())),
        }
    }
}

/// Renames a damaged file instead of deleting it, in case it is not a shard at all.
fn set_aside(file: &Path, error: &anyhow::Error) -> String {
    let aside = file.with_added_extension(DAMAGED);
    let what = match std::fs::rename(file, &aside) {
        Ok(()) => {
            // It is kept as long as other unused files.
            mark_as_used(&aside);
            format!("it is {} now, and", aside.display())
        }
        Err(_) => "delete it;".to_owned(),
    };
    format!("{} is damaged ({error:#}): {what} its features are computed again", file.display())
}

/// The modification time of a shard is its time of last use.
fn mark_as_used(file: &Path) {
    let set = std::fs::OpenOptions::new()
        .append(true)
        .open(file)
        .and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = set {
        log::debug!("{} cannot be marked as used: {error}", file.display());
    }
}

#[cfg(test)]
mod tests;
