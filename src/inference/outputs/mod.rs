//! What a network says of every image of a dataset: probabilities and features, kept beside the run.
//!
//! A [`Store`] writes them in shards as they are computed, so that a pass that was cancelled goes on where
//! it was, and images that came since cost only themselves. [`Outputs`] is what Inspect reads. Labels are no
//! part of it: they may change without a new pass.

pub mod derived;
mod older;
mod shard;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

pub use super::features::{Features, MINIATURE_BYTES, MINIATURE_SIDE, Stamp, stamp};
use super::{Predictor, checkpoint_of};
use crate::config::{Augmentation, Task};
use crate::dataset::Row;
use crate::device::FreeCores;
use crate::download::hex;
use crate::files;
use crate::images::cache::ImageCache;
use crate::images::loader::{Drawn, Loader, Source, in_batches};
use crate::images::miniature;
use crate::model::checkpoint;
pub use shard::Buffer;
use shard::Shard;

/// So many images are in a file: a killed pass loses no more.
const SHARD_IMAGES: usize = 2048;
/// The folder within a run.
const FOLDER: &str = "outputs";
const ENDING: &str = "safetensors";
/// The name of a store: so many hexadecimal digits of what its checkpoint hashes to.
const DIGITS_OF_STORE: usize = 16;
/// The name of a file of outputs.
const DIGITS_OF_SHARD: usize = 6;

/// What a network says of images.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// The tasks of the network.
    pub tasks: Vec<Task>,
    /// One per image, as the dataset has it.
    pub images: Vec<PathBuf>,
    /// `[task]`, each `[N, labels]`: the network's own probabilities.
    pub probabilities: Vec<Vec<f32>>,
    /// `[N, D]`, left on disk.
    pub features: Features,
}

/// Where the outputs of one checkpoint are kept.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    tasks: Vec<Task>,
    /// Where nothing may be written beside the checkpoint: gone with the last clone.
    _temporary: Option<Arc<tempfile::TempDir>>,
}

/// How a pass ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Images predicted now.
    pub predicted: usize,
    /// Images that were known already.
    pub known: usize,
    /// The rows that could not be read: the message names the file.
    pub failures: Vec<(usize, String)>,
    /// What is worth knowing of how rows were read: the message names the file.
    pub notes: Vec<(usize, String)>,
    /// Whether every image was seen to.
    pub complete: bool,
}

impl Store {
    /// The store of the best checkpoint of a run folder, or of a checkpoint alone.
    ///
    /// # Errors
    /// The checkpoint cannot be read, or its outputs would lie behind a symbolic link.
    pub fn of(model_or_run: &Path) -> anyhow::Result<Self> {
        let path = checkpoint_of(model_or_run);
        let tasks = checkpoint::read_description(&path)?.tasks;
        // The weights themselves say whether outputs are theirs: a resumed run has new ones.
        let bytes = files::map(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let digest = hex(&Sha256::digest(&bytes))[..DIGITS_OF_STORE].to_owned();
        let beside =
            if model_or_run.is_dir() { model_or_run.join(FOLDER) } else { path.with_extension(FOLDER) };
        let folder = beside.join(digest);
        // A run may come from anywhere: a link in it leads to what is not its own.
        if let Some(link) = [&beside, &folder].into_iter().find(|folder| folder.is_symlink()) {
            bail!(
                "{} is a symbolic link, and predictions are neither read nor kept through one: remove the link",
                link.display()
            );
        }
        Ok(Self { folder, tasks, _temporary: None })
    }

    /// The same in a folder of the system for temporary files, where the run cannot be written to.
    ///
    /// # Errors
    /// No such folder can be made.
    pub fn temporary(self) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        Ok(Self {
            folder: folder.path().to_path_buf(),
            tasks: self.tasks,
            _temporary: Some(Arc::new(folder)),
        })
    }

    /// Where it is; further results about the same checkpoint are kept there, too.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The tasks of the checkpoint.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    fn shards(&self) -> anyhow::Result<Vec<Shard>> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .map(|entries| {
                let entries = entries.filter_map(Result::ok);
                let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
                files.map(|entry| entry.path()).collect()
            })
            .unwrap_or_default();
        files.retain(|file| is_shard(file));
        files.sort();
        let shards: Vec<Shard> =
            files.iter().map(|file| Shard::open(file, &self.tasks)).collect::<anyhow::Result<_>>()?;
        // One network has written them all.
        let dimensions = shards.first().map_or(0, |shard| shard.numbers.dimensions());
        if let Some(other) = shards.iter().position(|shard| shard.numbers.dimensions() != dimensions) {
            bail!(shard::damaged(&files[other]));
        }
        Ok(shards)
    }

    /// All outputs that are there; where an image was predicted twice, the later.
    ///
    /// # Errors
    /// A file is damaged; the message names it.
    pub fn load(&self) -> anyhow::Result<Outputs> {
        let mut shards = self.shards()?;
        let mut latest: HashMap<PathBuf, (u32, u32)> = HashMap::new();
        for (index, shard) in shards.iter_mut().enumerate() {
            for (row, image) in std::mem::take(&mut shard.images).into_iter().enumerate() {
                latest.insert(image, (index as u32, row as u32));
            }
        }
        let mut order: Vec<(PathBuf, (u32, u32))> = latest.into_iter().collect();
        order.sort_unstable_by_key(|(_, place)| *place);
        let mut probabilities = Vec::with_capacity(self.tasks.len());
        for (index, task) in self.tasks.iter().enumerate() {
            let labels = task.labels.len();
            let mut all = Vec::with_capacity(order.len() * labels);
            for (_, (shard, row)) in &order {
                let from = *row as usize * labels;
                all.extend_from_slice(&shards[*shard as usize].probabilities[index][from..from + labels]);
            }
            probabilities.push(all);
        }
        let (images, places): (Vec<_>, Vec<_>) = order.into_iter().unzip();
        let features = Features::new(shards.into_iter().map(|shard| shard.numbers).collect(), places);
        Ok(Outputs { tasks: self.tasks.clone(), images, probabilities, features })
    }

    /// Whether every image of `which` is known as it is on disk now.
    ///
    /// # Errors
    /// A file is damaged; the message names it.
    pub fn is_complete(&self, rows: &[Row], which: &[usize]) -> anyhow::Result<bool> {
        Ok(self.missing(rows, which)?.is_empty())
    }

    /// Predicts those of `which` whose image is new or has changed since, and keeps the outputs. The network
    /// is opened only when there is something to predict. `keep_going` gets (done, of); what was computed
    /// before it said no is kept.
    ///
    /// # Errors
    /// The device ran out of memory or failed, or the disk is full. Images that cannot be read are listed
    /// instead.
    pub fn compute<P: Borrow<Predictor>>(
        &self,
        open: impl FnOnce() -> anyhow::Result<P>,
        rows: &[Row],
        which: &[usize],
        (batch_size, workers): (usize, usize),
        keep_going: &mut dyn FnMut(usize, usize) -> bool,
    ) -> anyhow::Result<Pass> {
        let missing = self.missing(rows, which)?;
        // Says that it has begun, and lets a cancelled pass end before the first batch.
        if !keep_going(0, missing.len()) {
            return Ok(Pass::default());
        }
        let mut pass = Pass { known: which.len() - missing.len(), ..Pass::default() };
        if missing.is_empty() {
            return Ok(Pass { complete: true, ..pass });
        }
        let predictor = open()?;
        let predictor = predictor.borrow();
        if self._temporary.is_none() {
            older::clear(&self.folder);
        }
        let (missing, stamps): (Vec<usize>, Vec<Stamp>) = missing.into_iter().unzip();
        let stamps: HashMap<usize, Stamp> = missing.iter().copied().zip(stamps).collect();
        let description = predictor.description();
        let source = Arc::new(Source {
            // Labels are not looked at, and the rows may be of fewer tasks.
            tasks: 0,
            rows: rows.to_vec(),
            // Each image is seen once: nothing is worth keeping.
            cache: ImageCache::new(description.height, description.width, 0),
            augmentation: Augmentation::none(),
            drawn: Drawn::ByRow,
            seed: 0,
        });
        let loader = Loader::start(&source, in_batches(&missing, batch_size), None, workers)
            .context("cannot start the threads that decode images")?;
        let image_bytes = description.height as usize * description.width as usize * 3;
        let mut buffer = Buffer::new(self.tasks.len());
        let mut cores = FreeCores::new(predictor.device().tch, None);
        for batch in loader {
            cores.follow();
            let look = predictor.look_at(&batch.pixels, batch.rows.len())?;
            pass.failures.extend(batch.failures);
            pass.notes.extend(batch.notes);
            for (all, new) in buffer.probabilities.iter_mut().zip(look.probabilities) {
                all.extend(new);
            }
            buffer.features.extend(look.features);
            for (row, pixels) in batch.rows.iter().zip(batch.pixels.chunks_exact(image_bytes)) {
                buffer.images.push(rows[*row].image.clone());
                buffer.stamps.push(stamps.get(row).copied().unwrap_or_default());
                buffer.miniatures.extend(miniature::of(pixels, description.width, description.height));
            }
            pass.predicted += batch.rows.len();
            if buffer.images.len() >= SHARD_IMAGES {
                self.append(&std::mem::replace(&mut buffer, Buffer::new(self.tasks.len())))?;
            }
            if !keep_going(pass.predicted + pass.failures.len(), missing.len()) {
                break;
            }
        }
        if !buffer.images.is_empty() {
            self.append(&buffer)?;
        }
        pass.complete = pass.predicted + pass.failures.len() == missing.len();
        Ok(pass)
    }

    /// Which images are not known as they are on disk now, with their stamps.
    fn missing(&self, rows: &[Row], which: &[usize]) -> anyhow::Result<Vec<(usize, Stamp)>> {
        let shards = self.shards()?;
        let known: HashMap<&Path, Stamp> = shards
            .iter()
            .flat_map(|shard| shard.images.iter().map(PathBuf::as_path).zip(shard.stamps.iter().copied()))
            .collect();
        let mut missing = Vec::new();
        for &row in which {
            let now = stamp(&rows[row].image);
            if known.get(rows[row].image.as_path()) != Some(&now) {
                missing.push((row, now));
            }
        }
        Ok(missing)
    }

    /// Adds outputs, computed by whomever, in one file.
    ///
    /// # Errors
    /// The disk is full or not writable.
    pub fn append(&self, buffer: &Buffer) -> anyhow::Result<()> {
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
                // Another job of this run took the name that was free a moment ago.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                done => return done.with_context(|| format!("cannot write {}", file.display())),
            }
        }
    }
}

/// Whether a file of the store holds outputs: six digits; others hold what was derived from them.
fn is_shard(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == ENDING)
        && file.file_stem().is_some_and(|stem| {
            stem.len() == DIGITS_OF_SHARD && stem.as_encoded_bytes().iter().all(u8::is_ascii_digit)
        })
}

#[cfg(test)]
mod tests;
