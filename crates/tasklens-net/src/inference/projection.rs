//! Where images lie in the plane: two-dimensional maps of their features.
//!
//! [`pca`] is there at once and keeps the large distances. [`neighbour_preserving`] takes a while and keeps who
//! is next to whom: t-SNE, begun at the first so that the picture does not jump. Both see features scaled to
//! length 1, as the cosine of [`super::neighbours`] does.

mod reduce;
mod tsne;

use std::path::Path;

use tasklens_data::work::KeepGoing;

use super::outputs::{Features, derived};
use reduce::Reduced;

/// Principal components in which neighbours are sought for a map.
const COMPONENTS: usize = 50;
/// Images that are laid out themselves; further ones are put between those that they resemble.
const SAMPLE: usize = 50_000;

/// A place for each image, around (0, 0); the unit is arbitrary.
pub type Layout = Vec<[f32; 2]>;

/// The first two principal components, computed on at most 10,000 images (Halko, Martinsson and Tropp 2011) and
/// then for all. The same for the same features and `seed`. `keep_going` gets (done, of) in images; `None`
/// where it said no.
///
/// # Errors
/// The memory does not suffice.
pub fn pca(features: &Features, seed: u64, keep_going: &mut KeepGoing<'_>) -> anyhow::Result<Option<Layout>> {
    Ok(Reduced::of(features, 2, seed, keep_going)?.map(|reduced| reduced.leading()))
}

/// A map that keeps neighbours together (t-SNE by interpolation: Linderman et al. 2019), begun at [`pca`]
/// (Kobak and Berens 2019). Of more than 50,000 images, as many drawn by `seed` are laid out; each
/// other is put at the mean of its five nearest ones among them. Twice the same but for
/// rounding: threads add in any order. `keep_going` gets (done, of) in thousandths of the work; `None`
/// where it said no.
///
/// # Errors
/// The memory does not suffice, or the layout fails.
pub fn neighbour_preserving(
    features: &Features,
    seed: u64,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Layout>> {
    sampled(features, SAMPLE, seed, keep_going)
}

/// As [`neighbour_preserving`], laying out at most `limit` images themselves.
fn sampled(
    features: &Features,
    limit: usize,
    seed: u64,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Layout>> {
    let mut part = |from: usize, to: usize, done: usize, of: usize| {
        keep_going(from + (to - from) * done / of.max(1), 1000)
    };
    let reduced = Reduced::of(features, COMPONENTS, seed, &mut |done, of| part(0, 100, done, of))?;
    let Some(reduced) = reduced else { return Ok(None) };
    let begin = reduced.leading();
    // Of fewer images than a neighbourhood has there is nothing to keep together, nor of equal ones.
    if features.len() < tsne::LEAST || begin.iter().all(|place| *place == begin[0]) {
        return Ok(Some(begin));
    }
    let sample = reduce::sample(features.len(), limit, seed);
    let drawn = reduced.pick(&sample)?;
    let count = tsne::neighbours(sample.len());
    let found = drawn.nearest(&drawn, count, true, &mut |done, of| part(100, 300, done, of))?;
    let Some(found) = found else { return Ok(None) };
    let begin: Layout = sample.iter().map(|item| begin[*item]).collect();
    let laid_out = tsne::lay_out(&begin, &found, &mut |done, of| part(300, 800, done, of))?;
    let Some(laid_out) = laid_out else { return Ok(None) };
    if sample.len() == features.len() {
        return Ok(Some(laid_out));
    }
    let found = reduced.nearest(&drawn, 5, false, &mut |done, of| part(800, 1000, done, of))?;
    Ok(found.map(|found| {
        let mut all: Layout =
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

/// As [`neighbour_preserving`], kept in `folder` ([`Store::folder`](super::outputs::Store::folder)) until the
/// images are others.
///
/// # Errors
/// As [`neighbour_preserving`]. That nothing can be kept is only logged.
pub fn neighbour_preserving_kept(
    folder: &Path,
    features: &Features,
    seed: u64,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Layout>> {
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
