//! Two-dimensional maps of images by their features.
//!
//! [`pca`] is fast and preserves large distances. [`neighbour_preserving`] (t-SNE) takes a while and preserves
//! neighbourhoods; it is initialised with the former, so that the picture does not jump. Both use features normalised
//! to length 1, like the cosine of [`super::neighbours`].

mod reduce;
mod tsne;

use std::path::Path;

use tasklens_data::work::KeepGoing;

use super::outputs::{Features, derived};
use reduce::Reduced;

/// Number of principal components in which neighbours are searched.
const COMPONENTS: usize = 50;
/// Maximum number of images that are laid out directly; further ones are placed between their neighbours.
const SAMPLE: usize = 50_000;

/// A position for each image, around (0, 0), in arbitrary units.
pub type Positions = Vec<[f32; 2]>;

/// The first two principal components, computed on at most 10,000 images (Halko, Martinsson and Tropp 2011) and then
/// for all. Deterministic for the same features and `seed`. `keep_going` gets (done, of) in images; `None` if it
/// cancelled.
///
/// # Errors
/// Out of memory.
pub fn pca(
    features: &Features,
    seed: u64,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Positions>> {
    Ok(Reduced::of(features, 2, seed, keep_going)?.map(|reduced| reduced.leading()))
}

/// A map that keeps neighbours together (t-SNE by interpolation: Linderman et al. 2019), initialised with [`pca`]
/// (Kobak and Berens 2019). Of more than 50,000 images, as many drawn by `seed` are laid out; each other is placed at
/// the mean of its five nearest ones among them. Reproducible up to rounding, because threads add in any order.
/// `keep_going` gets (done, of) in thousandths of the work; `None` if it cancelled.
///
/// # Errors
/// Out of memory, or the layout failed.
pub fn neighbour_preserving(
    features: &Features,
    seed: u64,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Positions>> {
    sampled(features, SAMPLE, seed, keep_going)
}

/// As [`neighbour_preserving`], laying out at most `limit` images directly.
fn sampled(
    features: &Features,
    limit: usize,
    seed: u64,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Positions>> {
    let mut part = |from: usize, to: usize, done: usize, of: usize| {
        keep_going(from + (to - from) * done / of.max(1), 1000)
    };
    let reduced = Reduced::of(features, COMPONENTS, seed, &mut |done, of| part(0, 100, done, of))?;
    let Some(reduced) = reduced else { return Ok(None) };
    let begin = reduced.leading();
    // With fewer images than a neighbourhood, or identical ones, there is nothing to lay out.
    if features.len() < tsne::LEAST || begin.iter().all(|place| *place == begin[0]) {
        return Ok(Some(begin));
    }
    let sample = reduce::sample(features.len(), limit, seed);
    let drawn = reduced.pick(&sample)?;
    let count = tsne::neighbours(sample.len());
    let found = drawn.nearest(&drawn, count, true, &mut |done, of| part(100, 300, done, of))?;
    let Some(found) = found else { return Ok(None) };
    let begin: Positions = sample.iter().map(|item| begin[*item]).collect();
    let laid_out = tsne::lay_out(&begin, &found, &mut |done, of| part(300, 800, done, of))?;
    let Some(laid_out) = laid_out else { return Ok(None) };
    if sample.len() == features.len() {
        return Ok(Some(laid_out));
    }
    let found = reduced.nearest(&drawn, 5, false, &mut |done, of| part(800, 1000, done, of))?;
    Ok(found.map(|found| {
        let mut all: Positions =
            found.iter().map(|near| mean(near.iter().map(|(at, _)| laid_out[*at]))).collect();
        for (place, item) in laid_out.iter().zip(sample) {
            all[item] = *place;
        }
        all
    }))
}

fn mean(places: impl ExactSizeIterator<Item = [f32; 2]>) -> [f32; 2] {
    let count = places.len().max(1) as f32;
    let [x, y] = places.fold([0.0; 2], |[x, y], place| [x + place[0], y + place[1]]);
    [x / count, y / count]
}

/// As [`neighbour_preserving`], cached in `folder` ([`Store::folder`](super::outputs::Store::folder)) until the
/// images change.
///
/// # Errors
/// As [`neighbour_preserving`]. Failure to cache is only logged.
pub fn neighbour_preserving_kept(
    folder: &Path,
    features: &Features,
    seed: u64,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Positions>> {
    let digest = format!("{} {seed}", features.digest());
    let kept = derived::read(folder, derived::MAP, &digest, &[2 * features.len()]);
    if let Some(kept) = kept.and_then(|mut lists| lists.pop()) {
        return Ok(Some(kept.as_chunks().0.to_vec()));
    }
    let Some(layout) = neighbour_preserving(features, seed, keep_going)? else { return Ok(None) };
    derived::write(folder, derived::MAP, &digest, &[layout.concat()]);
    Ok(Some(layout))
}

#[cfg(test)]
mod tests;
