//! One file of a store of outputs: safetensors with a few thousand images, written once, then only read.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use memmap2::Mmap;
use safetensors::tensor::Metadata;
use safetensors::{Dtype, SafeTensors};
use tasklens_data::config::Task;
use tasklens_data::files;

use crate::inference::features::{Identity, MINIATURE_BYTES, Numbers, Raw, Stamp, bytes_of, half, tensor_of};

// Names of the tensors in a file, besides the probabilities.
const IMAGES: &str = "images";
const STAMPS: &str = "stamps";
const FEATURES: &str = "features";
const MINIATURES: &str = "miniatures";

/// Outputs that are to be written to a file.
#[derive(Debug, Default)]
pub struct OutputBuffer {
    /// The path of each image.
    pub images: Vec<PathBuf>,
    /// From [`stamp`](super::stamp), taken before the image was read.
    pub stamps: Vec<Stamp>,
    /// `[task]`, each `[N, labels]`.
    pub probabilities: Vec<Vec<f32>>,
    /// `[N, features]`, float16, little-endian; empty if stored elsewhere.
    pub features: Vec<u8>,
    /// `[N, 12, 12, 3]`; empty if stored elsewhere.
    pub miniatures: Vec<u8>,
}

impl OutputBuffer {
    /// An empty buffer for so many tasks.
    pub fn new(tasks: usize) -> Self {
        Self { probabilities: vec![Vec::new(); tasks], ..Self::default() }
    }

    /// Adds the outputs for further images, per task.
    pub(super) fn add(&mut self, probabilities: Vec<Vec<f32>>) {
        for (all, new) in self.probabilities.iter_mut().zip(probabilities) {
            all.extend(new);
        }
    }

    /// Serialises the shard.
    ///
    /// # Errors
    /// The number of values does not fit the tasks.
    pub fn to_bytes(&self, tasks: &[Task]) -> anyhow::Result<Vec<u8>> {
        let count = self.images.len();
        let paths: Vec<Cow<'_, str>> = self.images.iter().map(|path| path.to_string_lossy()).collect();
        let paths = serde_json::to_vec(&paths)?;
        let stamps = self.stamps.concat();
        let mut tensors = vec![
            (IMAGES.to_owned(), Raw(Dtype::U8, vec![paths.len()], Cow::Owned(paths))),
            (STAMPS.to_owned(), Raw(Dtype::I64, vec![count, 2], bytes_of(&stamps))),
        ];
        if !(self.features.is_empty() && self.miniatures.is_empty()) {
            let shape = vec![count, MINIATURE_BYTES];
            tensors.push((FEATURES.to_owned(), half(count, &self.features)));
            tensors.push((MINIATURES.to_owned(), Raw(Dtype::U8, shape, Cow::Borrowed(&self.miniatures))));
        }
        for (index, (task, values)) in tasks.iter().zip(&self.probabilities).enumerate() {
            let shape = vec![count, task.labels.len()];
            tensors.push((probabilities_name(index), Raw(Dtype::F32, shape, bytes_of(values))));
        }
        Ok(safetensors::serialize(tensors.iter().map(|(name, raw)| (name, raw)), None)?)
    }
}

fn probabilities_name(task: usize) -> String {
    format!("probabilities.{task}")
}

/// A shard opened for reading. Large data stays in the file.
#[derive(Debug)]
pub struct OutputShard {
    /// The path of each image.
    pub images: Vec<PathBuf>,
    /// The state of each file when it was read.
    pub stamps: Vec<Stamp>,
    /// `[task]`, each `[N, labels]`.
    pub probabilities: Vec<Vec<f32>>,
    /// The features, with the mapped file; `None` if stored elsewhere.
    pub numbers: Option<Arc<Numbers>>,
}

impl OutputShard {
    /// Opens a shard of a network with these tasks.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or has other tasks.
    pub fn open(file: &Path, tasks: &[Task]) -> anyhow::Result<Self> {
        let map = files::map(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::of(map, tasks).with_context(|| damaged(file))
    }

    fn of(map: Mmap, tasks: &[Task]) -> anyhow::Result<Self> {
        let tensors = SafeTensors::deserialize(&map)?;
        let find = |name: &str| tensors.tensor(name).with_context(|| format!("`{name}` is missing"));
        // Types and shapes are checked: the file may come from anywhere.
        let data = |name: &str, dtype: Dtype, shape: &[usize]| tensor_of(&tensors, name, dtype, shape);
        let paths = find(IMAGES)?;
        let images: Vec<PathBuf> = serde_json::from_slice(data(IMAGES, Dtype::U8, &[paths.data().len()])?)?;
        let count = images.len();
        let stamps: Vec<i64> = numbers(data(STAMPS, Dtype::I64, &[count, 2])?);
        let stamps = stamps.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
        let mut probabilities = Vec::with_capacity(tasks.len());
        for (index, task) in tasks.iter().enumerate() {
            let shape = [count, task.labels.len()];
            probabilities.push(numbers(data(&probabilities_name(index), Dtype::F32, &shape)?));
        }
        if tensors.tensor(FEATURES).is_err() {
            return Ok(Self { images, stamps, probabilities, numbers: None });
        }
        let dimensions = find(FEATURES)?.shape().get(1).copied().unwrap_or(0);
        let features = data(FEATURES, Dtype::F16, &[count, dimensions])?;
        let miniatures = data(MINIATURES, Dtype::U8, &[count, MINIATURE_BYTES])?;
        let at = |data: &[u8]| data.as_ptr() as usize - map.as_ptr() as usize;
        let (features_at, miniatures_at) = (at(features), at(miniatures));
        let numbers = Numbers::new(map, features_at, dimensions, Some(miniatures_at))?;
        Ok(Self { images, stamps, probabilities, numbers: Some(Arc::new(numbers)) })
    }

    /// Path and stamp of an image when it was predicted.
    ///
    /// # Panics
    /// There is no such row.
    pub fn identity(&self, row: usize) -> Identity {
        Identity::new(&self.images[row], self.stamps[row])
    }
}

/// Whether a file with this header holds outputs.
pub fn is_of_shard(header: &Metadata) -> bool {
    [IMAGES, STAMPS, &probabilities_name(0)].iter().all(|name| header.info(name).is_some())
}

/// The message for a file that cannot be read.
pub fn damaged(file: &Path) -> String {
    format!("{} is damaged: delete it, and its images are predicted again", file.display())
}

fn numbers<T: bytemuck::AnyBitPattern>(bytes: &[u8]) -> Vec<T> {
    bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()
}
