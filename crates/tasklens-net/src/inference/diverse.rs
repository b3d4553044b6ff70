//! Selects a few representative images: k-centre greedy (Gonzalez 1985) on stored features, proposed by Sener and
//! Savarese (2018) as core-set selection for active learning.
//!
//! Each step chooses the image least similar to all chosen ones, by the cosine of their features. The features stay
//! in their files; each step reads all of them once, on all cores.

use tasklens_data::work::{KeepGoing, cores};

use super::neighbours::kernel::dot_and_square;
use super::outputs::Features;

/// Number of given centres that are compared with every item at a time: as many as fit the processor's cache.
const CENTRES: usize = 32;
/// Minimum number of items per thread.
const FOR_A_THREAD: usize = 512;

/// The chosen items, and how well every item is represented.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cover {
    /// The chosen items, in the order of choice.
    pub chosen: Vec<usize>,
    /// Per item the cosine, -1 to 1, to the most similar centre or chosen item; -1 if there is none.
    pub similarities: Vec<f32>,
}

/// Chooses `k` items besides `centres`: the one least similar to all centres, which then becomes a centre, and so on;
/// on ties, the lower number. Without centres it starts with the item nearest to the mean. Returns fewer if none are
/// left. `keep_going` gets (done, of) in centres; `None` if it cancelled.
///
/// # Panics
/// A centre is not below [`Features::len`].
pub fn k_centre_greedy(
    features: &Features,
    centres: &[usize],
    k: usize,
    keep_going: &mut KeepGoing<'_>,
) -> Option<Vec<usize>> {
    cover(features, centres, k, keep_going).map(|cover| cover.chosen)
}

/// As [`k_centre_greedy`], also returning how well every item is represented.
///
/// # Panics
/// As [`k_centre_greedy`].
pub(crate) fn cover(
    features: &Features,
    centres: &[usize],
    k: usize,
    keep_going: &mut KeepGoing<'_>,
) -> Option<Cover> {
    let of = centres.len() + k;
    let mut similarities = vec![-1.0; features.len()];
    let mut is_taken = vec![false; features.len()];
    centres.iter().for_each(|centre| is_taken[*centre] = true);
    let mut next = if centres.is_empty() { nearest_to_mean(features) } else { None };
    let mut done = 0;
    for centres in centres.chunks(CENTRES) {
        if !keep_going(done, of) {
            return None;
        }
        next = compare(features, centres, &mut similarities, &is_taken);
        done += centres.len();
    }
    let mut chosen = Vec::new();
    while let Some(item) = next.filter(|_| chosen.len() < k) {
        if !keep_going(done + chosen.len(), of) {
            return None;
        }
        is_taken[item] = true;
        chosen.push(item);
        next = compare(features, &[item], &mut similarities, &is_taken);
    }
    Some(Cover { chosen, similarities })
}

/// Adds centres, and returns the untaken item that is least similar to all of them.
fn compare(
    features: &Features,
    centres: &[usize],
    similarities: &mut [f32],
    is_taken: &[bool],
) -> Option<usize> {
    let centres: Vec<Vec<f32>> = centres.iter().map(|centre| unit(features, *centre)).collect();
    let work = |from: usize, similarities: &mut [f32]| {
        let mut least: Option<(f32, usize)> = None;
        for (item, similarity) in (from..).zip(similarities) {
            for centre in &centres {
                let (dot, square) = dot_and_square(features.half(item), centre);
                *similarity = similarity.max(cosine(dot, square));
            }
            if !is_taken[item] && least.is_none_or(|(lowest, _)| *similarity < lowest) {
                least = Some((*similarity, item));
            }
        }
        least
    };
    let cores = cores();
    let part = similarities.len().div_ceil(cores).max(FOR_A_THREAD);
    let leasts: Vec<Option<(f32, usize)>> = std::thread::scope(|scope| {
        let mut parts = similarities.chunks_mut(part).zip((0..).step_by(part));
        let first = parts.next();
        let work = &work;
        let threads: Vec<_> =
            parts.map(|(similarities, from)| scope.spawn(move || work(from, similarities))).collect();
        // The calling thread works, too.
        let first = first.and_then(|(similarities, from)| work(from, similarities));
        let others = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(first).chain(others).collect()
    });
    leasts.into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, item)| item)
}

/// The item most similar to the mean of all, each normalised to length 1.
fn nearest_to_mean(features: &Features) -> Option<usize> {
    let mut mean = vec![0.0; features.dimensions()];
    for item in 0..features.len() {
        mean.iter_mut().zip(unit(features, item)).for_each(|(sum, value)| *sum += value);
    }
    let similarity = |item: usize| {
        let (dot, square) = dot_and_square(features.half(item), &mean);
        cosine(dot, square)
    };
    (0..features.len())
        .map(|item| (similarity(item), item))
        .reduce(|a, b| if b.0 > a.0 { b } else { a })
        .map(|(_, item)| item)
}

/// The features of an item, normalised to length 1 unless zero.
fn unit(features: &Features, item: usize) -> Vec<f32> {
    let mut values = features.gather(&[item]);
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        values.iter_mut().for_each(|value| *value /= length);
    }
    values
}

/// The cosine, from the product with a unit vector and the squared length; 0 for zero length.
fn cosine(dot: f32, square: f32) -> f32 {
    let cosine = dot / square.sqrt();
    if cosine.is_finite() { cosine } else { 0.0 }
}

#[cfg(test)]
mod tests;
