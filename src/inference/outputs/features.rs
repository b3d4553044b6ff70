//! Features and miniatures of images, left in their files: a million images need no gigabytes of memory.

use std::sync::Arc;

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use sha2::{Digest as _, Sha256};

#[cfg(test)]
use super::shard::Buffer;
use super::shard::{MINIATURE_BYTES, Shard};
use crate::download::hex;

/// `[N, D]` pooled features in float16, and `[N, 12, 12, 3]` tiny pictures. Cheap to clone and to pick from.
#[derive(Clone, Debug, Default)]
pub struct Features {
    pub(super) shards: Vec<Arc<Shard>>,
    /// Shard, and row within it.
    pub(super) places: Arc<Vec<(u32, u32)>>,
}

impl Features {
    /// Number of images, N.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
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
        let shard = &self.shards[shard as usize];
        let bytes = 2 * shard.dimensions;
        let at = shard.features_at + row as usize * bytes;
        bytemuck::cast_slice(&shard.map[at..at + bytes])
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

    /// The tiny picture of an image: 12 x 12 RGB, stretched to a square.
    ///
    /// # Panics
    /// `index` is not below [`Features::len`].
    pub fn miniature(&self, index: usize) -> &[u8] {
        let (shard, row) = self.places[index];
        let shard = &self.shards[shard as usize];
        let at = shard.miniatures_at + row as usize * MINIATURE_BYTES;
        &shard.map[at..at + MINIATURE_BYTES]
    }

    /// What identifies them, in their order, without reading all: the first numbers of each image.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.dimensions().to_le_bytes());
        for index in 0..self.len() {
            let half = self.half(index);
            hash.update(bytemuck::cast_slice(&half[..half.len().min(64)]));
        }
        hex(&hash.finalize())
    }

    /// Whether both are of the same images in the same order, and from the same outputs; these may have been
    /// read anew.
    pub fn is_same(&self, other: &Self) -> bool {
        self.places == other.places
            && self.shards.len() == other.shards.len()
            && self.shards.iter().zip(&other.shards).all(|(a, b)| Arc::ptr_eq(a, b) || a.is_same(b))
    }

    /// Those of some images, in a new order, without copying any.
    ///
    /// # Panics
    /// An index is not below [`Features::len`].
    pub fn pick(&self, indices: &[usize]) -> Self {
        let places = indices.iter().map(|&index| self.places[index]).collect();
        Self { shards: self.shards.clone(), places: Arc::new(places) }
    }
}

#[cfg(test)]
impl Features {
    /// Drawn features in a file, `draw(item, dimension)`, with grey miniatures.
    pub(crate) fn drawn(count: usize, dimensions: usize, draw: impl Fn(usize, usize) -> f32) -> Self {
        Self::of_miniatures(&vec![128; count * MINIATURE_BYTES], dimensions, draw)
    }

    /// Drawn features, one per miniature.
    pub(crate) fn of_miniatures(
        miniatures: &[u8],
        dimensions: usize,
        draw: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let count = miniatures.len() / MINIATURE_BYTES;
        let mut buffer = Buffer::new(0);
        buffer.images = (0..count).map(|item| item.to_string().into()).collect();
        buffer.stamps = vec![[0; 2]; count];
        buffer.miniatures = miniatures.to_vec();
        for item in 0..count {
            for i in 0..dimensions {
                buffer.features.extend(f16::from_f32(draw(item, i)).to_le_bytes());
            }
        }
        // What is mapped stays when the folder goes.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("000000.safetensors");
        std::fs::write(&file, buffer.to_bytes(&[]).unwrap()).unwrap();
        let shard = Arc::new(Shard::open(&file, &[]).unwrap());
        Self { shards: vec![shard], places: Arc::new((0..count as u32).map(|row| (0, row)).collect()) }
    }
}
