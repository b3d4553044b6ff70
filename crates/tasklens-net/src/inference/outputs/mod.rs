//! The outputs of a network for every image of a dataset: probabilities and features, stored beside the run.
//!
//! A [`OutputStore`] writes them in shards as they are computed, so that a cancelled pass continues where it stopped, and
//! only new images are computed later. [`Outputs`] is what Inspect reads. It does not contain labels, which may
//! change without a new pass. Features of a shared backbone are in the [store of features](super::features): new
//! heads on it need not read any image.

mod compute;
pub mod derived;
mod older;
mod shard;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use tasklens_data::config::Task;
use tasklens_data::dataset::Rows;
use tasklens_data::download::hex;
use tasklens_data::files;

use super::checkpoint_of;
use super::features::{self, Identity, Numbers, Place, View};
pub use super::features::{Features, MINIATURE_BYTES, MINIATURE_SIDE, Stamp, stamp};
use crate::model::checkpoint;
pub use compute::OutputsPass;
pub use shard::OutputBuffer;
use shard::OutputShard;

/// Images per file: the most that a killed pass can lose.
const SHARD_IMAGES: usize = 2048;
/// The name of the folder within a run.
const FOLDER: &str = "outputs";
const ENDING: &str = "safetensors";
/// Number of hexadecimal digits of the checkpoint's hash in the name of a store.
const DIGITS_OF_STORE: usize = 16;
/// Number of digits in the name of a file of outputs.
const DIGITS_OF_SHARD: usize = 6;

/// The outputs of a network for images.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// The tasks of the network.
    pub tasks: Vec<Task>,
    /// Image paths as in the dataset.
    pub images: Vec<PathBuf>,
    /// `[task]`, each `[N, labels]`: the network's own probabilities.
    pub probabilities: Vec<Vec<f32>>,
    /// `[N, D]`, left on disk.
    pub features: Features,
}

impl Outputs {
    /// The position of each image.
    pub fn places(&self) -> HashMap<&Path, usize> {
        self.images.iter().enumerate().map(|(place, image)| (image.as_path(), place)).collect()
    }
}

/// The store for the outputs of one checkpoint.
#[derive(Clone, Debug)]
pub struct OutputStore {
    folder: PathBuf,
    tasks: Vec<Task>,
    /// The shared store of features if other networks have the same backbone; else they are stored here.
    shared: Option<features::FeatureStore>,
    /// A temporary folder if nothing can be written beside the checkpoint; removed with the last clone.
    temporary: Option<Arc<tempfile::TempDir>>,
}

impl OutputStore {
    /// The store of the best checkpoint of a run folder, or of a single checkpoint.
    ///
    /// # Errors
    /// The checkpoint cannot be read, or its outputs would lie behind a symbolic link.
    pub fn of(model_or_run: &Path) -> anyhow::Result<Self> {
        let path = checkpoint_of(model_or_run);
        let description = checkpoint::read_description(&path)?;
        // Outputs are identified by the weights: a resumed run has new ones.
        let bytes = files::map(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let digest = hex(&Sha256::digest(&bytes))[..DIGITS_OF_STORE].to_owned();
        let beside =
            if model_or_run.is_dir() { model_or_run.join(FOLDER) } else { path.with_extension(FOLDER) };
        let folder = beside.join(digest);
        // A run may come from anywhere: a link in it may lead outside.
        if let Some(link) = [&beside, &folder].into_iter().find(|folder| folder.is_symlink()) {
            bail!(
                "{} is a symbolic link, and predictions are neither read nor kept through one: remove the link",
                link.display()
            );
        }
        let shared = features::FeatureStore::shared(&path, &description);
        Ok(Self { folder, tasks: description.tasks, shared, temporary: None })
    }

    /// The same in a temporary folder, for a run that is not writable.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn temporary(self) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        Ok(Self {
            folder: folder.path().to_path_buf(),
            tasks: self.tasks,
            shared: None,
            temporary: Some(Arc::new(folder)),
        })
    }

    /// Its folder, which also holds further results for the same checkpoint.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The tasks of the checkpoint.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    fn shards(&self) -> anyhow::Result<Vec<OutputShard>> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .map(|entries| {
                let entries = entries.filter_map(Result::ok);
                let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
                files.map(|entry| entry.path()).collect()
            })
            .unwrap_or_default();
        files.retain(|file| is_shard(file));
        files.sort();
        let shards: Vec<OutputShard> =
            files.iter().map(|file| OutputShard::open(file, &self.tasks)).collect::<anyhow::Result<_>>()?;
        // All were written by the same network.
        let mut dimensions = self.shared.as_ref().map(features::FeatureStore::dimensions);
        for (shard, file) in shards.iter().zip(&files) {
            let Some(numbers) = &shard.numbers else { continue };
            let expected = *dimensions.get_or_insert(numbers.dimensions());
            ensure!(numbers.dimensions() == expected, shard::damaged(file));
        }
        Ok(shards)
    }

    /// All stored outputs; the latest if an image was predicted several times.
    ///
    /// # Errors
    /// A file is damaged; the message names it.
    pub fn load(&self) -> anyhow::Result<Outputs> {
        let shards = self.shards()?;
        let mut latest: HashMap<&Path, Place> = HashMap::new();
        for (index, shard) in shards.iter().enumerate() {
            for (row, image) in shard.images.iter().enumerate() {
                latest.insert(image, (index as u32, row as u32));
            }
        }
        let mut order: Vec<Place> = latest.into_values().collect();
        order.sort_unstable();
        let (order, features) = self.features_of(&shards, order);
        let mut probabilities = Vec::with_capacity(self.tasks.len());
        for (index, task) in self.tasks.iter().enumerate() {
            let labels = task.labels.len();
            let mut all = Vec::with_capacity(order.len() * labels);
            for (shard, row) in &order {
                let from = *row as usize * labels;
                all.extend_from_slice(&shards[*shard as usize].probabilities[index][from..from + labels]);
            }
            probabilities.push(all);
        }
        let image = |(shard, row): &Place| shards[*shard as usize].images[*row as usize].clone();
        Ok(Outputs {
            tasks: self.tasks.clone(),
            images: order.iter().map(image).collect(),
            probabilities,
            features,
        })
    }

    /// The features of images, from the shards or the shared store, and which of the images have any.
    fn features_of(&self, shards: &[OutputShard], images: Vec<Place>) -> (Vec<Place>, Features) {
        let shelf = self.shared.as_ref().map(features::FeatureStore::read).unwrap_or_default();
        let identity = |(shard, row): &Place| shards[*shard as usize].identity(*row as usize);
        let elsewhere: Vec<Identity> =
            images.iter().filter(|image| shards[image.0 as usize].numbers.is_none()).map(identity).collect();
        let mut elsewhere = shelf.find(&View::Plain, &elsewhere).into_iter();
        let mut files: Vec<Arc<Numbers>> = Vec::new();
        // Index of each shard's features among the files.
        let own: Vec<Option<u32>> = shards
            .iter()
            .map(|shard| {
                files.push(Arc::clone(shard.numbers.as_ref()?));
                Some(files.len() as u32 - 1)
            })
            .collect();
        let shared = files.len() as u32;
        files.extend(shelf.files());
        let place = |(shard, row): Place| match own[shard as usize] {
            Some(file) => Some((file, row)),
            None => elsewhere.next().flatten().map(|(file, row)| (shared + file, row)),
        };
        let places: Vec<Option<Place>> = images.iter().copied().map(place).collect();
        let has_place = images.into_iter().zip(&places).filter(|(_, place)| place.is_some());
        (
            has_place.map(|(image, _)| image).collect(),
            Features::new(files, places.into_iter().flatten().collect()),
        )
    }

    /// Whether there are outputs for every image of `which` as it is on disk now.
    ///
    /// # Errors
    /// A file is damaged; the message names it.
    pub fn is_complete(&self, rows: &Rows, which: &[usize]) -> anyhow::Result<bool> {
        Ok(self.missing(rows, which)?.is_empty())
    }

    /// Images without up-to-date outputs, with their stamps; also those whose features are gone.
    fn missing(&self, rows: &Rows, which: &[usize]) -> anyhow::Result<Vec<(usize, Stamp)>> {
        let shards = self.shards()?;
        let shelf = self.shared.as_ref().map(features::FeatureStore::read).unwrap_or_default();
        let stamps: Vec<Stamp> = which.iter().map(|row| stamp(&rows[*row].image)).collect();
        let identity = |(row, stamp): (&usize, &Stamp)| Identity::new(&rows[*row].image, *stamp);
        let identities: Vec<Identity> = which.iter().zip(&stamps).map(identity).collect();
        let shared = shelf.find(&View::Plain, &identities);
        // Per image its latest stamp, and whether its features are stored with it.
        let mut known: HashMap<&Path, (Stamp, bool)> = HashMap::new();
        for shard in &shards {
            let stamps = shard.stamps.iter().map(|stamp| (*stamp, shard.numbers.is_some()));
            known.extend(shard.images.iter().map(PathBuf::as_path).zip(stamps));
        }
        let is_missing = |place: &usize| {
            let known = known.get(&*rows[which[*place]].image);
            !known.is_some_and(|(stamp, has_features)| {
                *stamp == stamps[*place] && (*has_features || shared[*place].is_some())
            })
        };
        Ok((0..which.len()).filter(is_missing).map(|place| (which[place], stamps[place])).collect())
    }

    /// Adds outputs in one file.
    ///
    /// # Errors
    /// The disk is full or not writable.
    pub fn append(&self, buffer: &OutputBuffer) -> anyhow::Result<()> {
        let bytes = buffer.to_bytes(&self.tasks)?;
        let mut number = 0_u32;
        loop {
            // Names sort by the order of writing.
            let file = self.folder.join(format!("{number:0DIGITS_OF_SHARD$}.{ENDING}"));
            number += 1;
            if file.exists() {
                continue;
            }
            match files::create(&file, &bytes) {
                // Another job of this run took the name meanwhile.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                done => return done.with_context(|| format!("cannot write {}", file.display())),
            }
        }
    }
}

/// Whether a file of the store holds outputs: six digits; others hold derived results.
fn is_shard(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == ENDING)
        && file.file_stem().is_some_and(|stem| {
            stem.len() == DIGITS_OF_SHARD && stem.as_encoded_bytes().iter().all(u8::is_ascii_digit)
        })
}

#[cfg(test)]
mod tests;
