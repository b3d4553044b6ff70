//! Drawn features in files, as the store keeps those of images.

use std::path::PathBuf;

use anyhow::Context as _;
use half::f16;
use tasklens_net::inference::features::{
    FeatureBuffer, FeatureStore, Features, Identity, MINIATURE_BYTES, SHARD_IMAGES, View,
};

/// A vector per miniature.
pub fn of_miniatures(
    miniatures: &[u8],
    dimensions: usize,
    mut draw: impl FnMut(usize, usize) -> f32,
) -> anyhow::Result<Features> {
    // What is mapped stays when the folder goes.
    let folder = tempfile::tempdir()?;
    let mut store = FeatureStore::of(folder.path(), "drawn", dimensions);
    let mut identities = Vec::new();
    for miniatures in miniatures.chunks(SHARD_IMAGES * MINIATURE_BYTES) {
        let first = identities.len();
        let items = first..first + miniatures.len() / MINIATURE_BYTES;
        let images: Vec<PathBuf> = items.clone().map(|item| item.to_string().into()).collect();
        identities.extend(images.iter().map(|image| Identity::new(image, [0; 2])));
        let mut features = Vec::with_capacity(2 * images.len() * dimensions);
        for item in items {
            (0..dimensions).for_each(|i| features.extend(f16::from_f32(draw(item, i)).to_le_bytes()));
        }
        let stamps = vec![[0; 2]; images.len()];
        store.append(
            &View::Plain,
            &FeatureBuffer { images, stamps, features, miniatures: miniatures.to_vec() },
        )?;
    }
    let shelf = store.read();
    let places: Option<Vec<_>> = shelf.find(&View::Plain, &identities).into_iter().collect();
    Ok(shelf.features(places.context("features are not there")?))
}
