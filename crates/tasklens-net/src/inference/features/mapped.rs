//! Memory-mapped features and miniatures of images, so that a million images need no gigabytes of memory.

use std::sync::Arc;

use anyhow::ensure;
use half::f16;
use half::slice::HalfFloatSliceExt as _;
use memmap2::Mmap;
use sha2::{Digest as _, Sha256};

#[cfg(test)]
use super::identity::View;
#[cfg(test)]
use super::shard::{FeatureBuffer, FeatureShard};
use tasklens_data::download::hex;
use tasklens_data::images::miniature::BYTES as MINIATURE_BYTES;

/// The features in one memory-mapped file.
#[derive(Debug)]
pub struct Numbers {
    map: Mmap,
    /// Offset of the features in bytes.
    features_at: usize,
    /// Length of a feature vector.
    dimensions: usize,
    /// Offset of the miniatures in bytes; augmented views have none.
    miniatures_at: Option<usize>,
}

impl Numbers {
    /// From a file with a verified layout.
    ///
    /// # Errors
    /// The features are not aligned for float16.
    pub(in crate::inference) fn new(
        map: Mmap,
        features_at: usize,
        dimensions: usize,
        miniatures_at: Option<usize>,
    ) -> anyhow::Result<Self> {
        ensure!(features_at.is_multiple_of(2), "`features` is not aligned");
        ensure!(dimensions > 0, "`features` has no numbers");
        Ok(Self { map, features_at, dimensions, miniatures_at })
    }

    pub(in crate::inference) fn map(&self) -> &Mmap {
        &self.map
    }

    /// Length of a feature vector.
    pub(in crate::inference) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The features of a row of the file.
    pub(super) fn half(&self, row: usize) -> &[f16] {
        let bytes = 2 * self.dimensions;
        bytemuck::cast_slice(&self.map[self.features_at + row * bytes..][..bytes])
    }

    /// The miniature of a row of the file, empty if there is none.
    pub(super) fn miniature(&self, row: usize) -> &[u8] {
        let Some(at) = self.miniatures_at else { return &[] };
        &self.map[at + row * MINIATURE_BYTES..][..MINIATURE_BYTES]
    }

    /// Whether both are the same file, by its header: shards are never changed, and the header includes the images.
    fn is_same(&self, other: &Self) -> bool {
        let head = |numbers: &Self| numbers.features_at.min(numbers.map.len());
        self.map.len() == other.map.len()
            && self.dimensions == other.dimensions
            && self.map[..head(self)] == other.map[..head(other)]
    }
}

/// `[N, D]` pooled features in float16, and `[N, 12, 12, 3]` tiny pictures. Cheap to clone and to pick from.
#[derive(Clone, Debug, Default)]
pub struct Features {
    shards: Arc<[Arc<Numbers>]>,
    /// File, and row within it.
    places: Arc<Vec<Place>>,
}

/// Which of some files, and which row of it.
pub type Place = (u32, u32);

impl Features {
    /// The features at these places in files, which have the same dimensions.
    pub(in crate::inference) fn new(shards: Vec<Arc<Numbers>>, places: Vec<Place>) -> Self {
        Self { shards: shards.into(), places: Arc::new(places) }
    }

    /// Number of images, N.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Length of a feature vector, D; 0 without images.
    pub fn dimensions(&self) -> usize {
        self.shards.first().map_or(0, |shard| shard.dimensions)
    }

    /// The features of an image.
    ///
    /// # Panics
    /// `index` is not below [`Features::len`].
    pub fn half(&self, index: usize) -> &[f16] {
        let (shard, row) = self.places[index];
        self.shards[shard as usize].half(row as usize)
    }

    /// The features of an image, written to `out` of length D.
    ///
    /// # Panics
    /// `index` is not below [`Features::len`], or `out` has another length.
    pub fn write(&self, index: usize, out: &mut [f32]) {
        self.half(index).convert_to_f32_slice(out);
    }

    /// `[indices, D]` in float32.
    ///
    /// # Panics
    /// An index is not below [`Features::len`].
    pub fn gather(&self, indices: &[usize]) -> Vec<f32> {
        let dimensions = self.dimensions();
        let mut out = vec![0.0; indices.len() * dimensions];
        for (&index, row) in indices.iter().zip(out.chunks_exact_mut(dimensions.max(1))) {
            self.write(index, row);
        }
        out
    }

    /// The miniature of an image: 12 x 12 RGB, stretched to a square. Empty for an augmented view.
    ///
    /// # Panics
    /// `index` is not below [`Features::len`].
    pub fn miniature(&self, index: usize) -> &[u8] {
        let (shard, row) = self.places[index];
        self.shards[shard as usize].miniature(row as usize)
    }

    /// A digest that identifies them in their order without reading everything: only the first numbers of each image.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.dimensions().to_le_bytes());
        for index in 0..self.len() {
            let half = self.half(index);
            hash.update(bytemuck::cast_slice(&half[..half.len().min(64)]));
        }
        hex(&hash.finalize())
    }

    /// Whether both are of the same images in the same order and from the same outputs, which may have been reloaded.
    pub fn is_same(&self, other: &Self) -> bool {
        self.places == other.places
            && self.shards.len() == other.shards.len()
            && self.shards.iter().zip(other.shards.iter()).all(|(a, b)| Arc::ptr_eq(a, b) || a.is_same(b))
    }

    /// A selection of images in a new order, without copying.
    ///
    /// # Panics
    /// An index is not below [`Features::len`].
    pub fn pick(&self, indices: &[usize]) -> Self {
        let places = indices.iter().map(|&index| self.places[index]).collect();
        Self { shards: Arc::clone(&self.shards), places: Arc::new(places) }
    }
}

#[cfg(test)]
impl Features {
    /// Synthetic features in a file, `draw(item, dimension)`, with grey miniatures.
    pub(crate) fn drawn(count: usize, dimensions: usize, draw: impl Fn(usize, usize) -> f32) -> Self {
        Self::of_miniatures(&vec![128; count * MINIATURE_BYTES], dimensions, draw)
    }

    /// Synthetic features, one per miniature.
    pub(crate) fn of_miniatures(
        miniatures: &[u8],
        dimensions: usize,
        draw: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let count = miniatures.len() / MINIATURE_BYTES;
        if count == 0 {
            return Self::default();
        }
        let mut buffer = FeatureBuffer {
            images: (0..count).map(|item| item.to_string().into()).collect(),
            stamps: vec![[0; 2]; count],
            miniatures: miniatures.to_vec(),
            ..FeatureBuffer::default()
        };
        for item in 0..count {
            for i in 0..dimensions {
                buffer.features.extend(f16::from_f32(draw(item, i)).to_le_bytes());
            }
        }
        // The mapping stays valid when the folder is removed.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("000000.safetensors");
        std::fs::write(&file, buffer.to_bytes(&View::Plain).unwrap()).unwrap();
        let numbers = FeatureShard::open(&file, dimensions).unwrap().numbers;
        Self::new(vec![numbers], (0..count as u32).map(|row| (0, row)).collect())
    }
}
