//! Finds the same photograph twice, resized or recompressed, by the correlation of tiny pictures.
//!
//! A training image that reappears in validation inflates the scores. Tiny pictures are used instead of features,
//! because a network is trained to find different photographs of one kind similar.
//!
//! All pairs are compared, in blocks. The 432 numbers are first rotated so that the leading ones hold most of the
//! variance (principal components): vectors that are further apart in these than duplicates can be in all are
//! skipped. No pair is missed by this.
//!
//! Images with identical tiny pictures form a group, represented by its first: thousands of copies give thousands of
//! pairs, not millions.

use std::collections::{HashMap, HashSet};

use tasklens_data::work::KeepGoing;
use tch::{Device, Kind, Tensor, no_grad};

use super::outputs::{Features, MINIATURE_BYTES};

/// From this correlation on, two images count as the same photograph. Of copies of 400 photographs of clothes, all
/// that were recompressed, resized or brightened reach it, 96 % of those cropped by 1 % on each side, 16 % by 2 %,
/// and no mirrored ones. Of all other pairs among 3,400 photographs, one does, and it is a true duplicate; from 0.99
/// on there are also different shirts laid out for the same camera.
pub const SAME_PHOTOGRAPH: f32 = 0.995;

/// Images per block on either side: their products take 64 MiB.
const BLOCK: usize = 4096;
/// Number of leading components in the first comparison.
const LEADING: i64 = 32;
/// Number of images for computing the principal components.
const SAMPLE: usize = 20_000;
/// Tolerance for float32 rounding in the first comparison.
const SLACK: f64 = 1e-4;
/// Variance of a miniature (values 0 to 255) below which it is considered blank.
const FEATURELESS: f64 = 1.0;

/// Two images that show the same photograph.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Index into the features, from the first list.
    pub a: usize,
    /// Index into the features, from the second list.
    pub b: usize,
    /// Correlation of the two miniatures, up to 1.
    pub similarity: f32,
}

/// Pairs of an image of `first` and one of `second` (such as training and validation images) whose correlation is at
/// least `threshold`, most similar first. A uniform image matches no other. Of identical images in a list the first
/// represents all; each of the others gets one pair, with its best match. `keep_going` gets (done, of); `None` if it
/// cancelled.
///
/// # Errors
/// Out of memory.
///
/// # Panics
/// An index is not below [`Features::len`].
pub fn across(
    features: &Features,
    first: &[usize],
    second: &[usize],
    threshold: f32,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Vec<Pair>>> {
    find(features, first, Some(second), threshold, keep_going)
}

/// Pairs among `items`, each once with `a` before `b` in the list; otherwise as [`across`]. Of `n` identical images
/// the others get one pair each, with the first.
///
/// # Errors
/// Out of memory.
///
/// # Panics
/// An index is not below [`Features::len`].
pub fn within(
    features: &Features,
    items: &[usize],
    threshold: f32,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Vec<Pair>>> {
    find(features, items, None, threshold, keep_going)
}

fn find(
    features: &Features,
    first: &[usize],
    second: Option<&[usize]>,
    threshold: f32,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Vec<Pair>>> {
    no_grad(|| {
        let first = Groups::new(features, first);
        let second = second.map(|items| Groups::new(features, items));
        let turn = turn(features, &second.as_ref().unwrap_or(&first).firsts)?;
        let left = Side::new(features, &first.firsts, &turn)?;
        let right = second.as_ref().map(|groups| Side::new(features, &groups.firsts, &turn)).transpose()?;
        let columns = right.as_ref().unwrap_or(&left);
        // Unit vectors that correlate by c are sqrt(2 - 2c) apart.
        let bound = f64::from(threshold) - 1.0 - SLACK;
        let blocks = |side: &Side| side.items.len().div_ceil(BLOCK);
        let of = blocks(&left) * blocks(columns);
        let mut pairs = Vec::new();
        for (done, (i, j)) in
            (0..blocks(&left)).flat_map(|i| (0..blocks(columns)).map(move |j| (i, j))).enumerate()
        {
            if !keep_going(done, of) {
                return Ok(None);
            }
            if right.is_none() && j < i {
                continue;
            }
            let products = left.block(&left.rows, i)?.f_mm(&columns.block(&columns.columns, j)?.f_tr()?)?;
            let candidates = products.f_ge(bound)?.f_nonzero()?;
            let mut flat = vec![0_i64; candidates.numel()];
            candidates.f_copy_data(&mut flat, candidates.numel())?;
            for place in flat.chunks_exact(2) {
                let (a, b) = (i * BLOCK + place[0] as usize, j * BLOCK + place[1] as usize);
                if right.is_none() && b <= a {
                    continue;
                }
                let (a, b) = (left.items[a], columns.items[b]);
                let similarity = correlation(features.miniature(a), features.miniature(b));
                if similarity >= threshold {
                    pairs.push(Pair { a, b, similarity });
                }
            }
        }
        sort(&mut pairs);
        let more = match &second {
            None => first.pairs_within(&left.items),
            Some(second) => {
                let mut more = first.pairs_as(&pairs, |pair| pair.a, |pair, a| Pair { a, ..*pair });
                more.extend(second.pairs_as(&pairs, |pair| pair.b, |pair, b| Pair { b, ..*pair }));
                more
            }
        };
        if !more.is_empty() {
            pairs.extend(more);
            sort(&mut pairs);
        }
        Ok(keep_going(of, of).then_some(pairs))
    })
}

/// Sorts the most similar pairs first.
fn sort(pairs: &mut [Pair]) {
    pairs.sort_unstable_by(|x, y| y.similarity.total_cmp(&x.similarity).then((x.a, x.b).cmp(&(y.a, y.b))));
}

/// Images of one side, grouped by miniature.
struct Groups {
    /// One image of each miniature, in the order of the list.
    firsts: Vec<usize>,
    /// (first, other) for images whose miniature occurred before.
    others: Vec<(usize, usize)>,
}

impl Groups {
    fn new(features: &Features, items: &[usize]) -> Self {
        let mut seen: HashMap<&[u8], usize> = HashMap::with_capacity(items.len());
        let mut groups = Self { firsts: Vec::with_capacity(items.len()), others: Vec::new() };
        for &item in items {
            match *seen.entry(features.miniature(item)).or_insert(item) {
                first if first == item => groups.firsts.push(item),
                first => groups.others.push((first, item)),
            }
        }
        groups
    }

    /// Pairs each other image with the first of its group, unless that is blank.
    fn pairs_within(&self, shown: &[usize]) -> Vec<Pair> {
        let shown: HashSet<usize> = shown.iter().copied().collect();
        let pairs = self.others.iter().filter(|(first, _)| shown.contains(first));
        pairs.map(|(first, other)| Pair { a: *first, b: *other, similarity: 1.0 }).collect()
    }

    /// For each other image the best pair of its group's first image, with itself in its place. `pairs` is sorted,
    /// most similar first.
    fn pairs_as(
        &self,
        pairs: &[Pair],
        item: impl Fn(&Pair) -> usize,
        replaced: impl Fn(&Pair, usize) -> Pair,
    ) -> Vec<Pair> {
        let mut best: HashMap<usize, &Pair> = HashMap::new();
        for pair in pairs {
            best.entry(item(pair)).or_insert(pair);
        }
        let others = self.others.iter();
        others.filter_map(|(first, other)| best.get(first).map(|pair| replaced(pair, *other))).collect()
    }
}

/// Images of one side, without blank ones.
struct Side {
    items: Vec<usize>,
    /// `[N, LEADING + 2]`: as rows of the product.
    rows: Tensor,
    /// The same as columns: the product of both is -1/2 of the squared distance.
    columns: Tensor,
}

impl Side {
    fn new(features: &Features, items: &[usize], turn: &Tensor) -> anyhow::Result<Self> {
        let mut kept = Vec::with_capacity(items.len());
        let mut leading = Vec::new();
        for items in items.chunks(BLOCK) {
            let (vectors, shown) = vectors(features, items)?;
            kept.extend(shown);
            leading.push(vectors.f_mm(turn)?);
        }
        let leading = match leading.is_empty() {
            true => Tensor::f_zeros([0, turn.size()[1]], (Kind::Float, Device::Cpu))?,
            false => Tensor::f_cat(&leading, 0)?,
        };
        let halves = leading.f_square()?.f_sum_dim_intlist(1, true, Kind::Float)?.f_mul_scalar(-0.5)?;
        let ones = halves.f_ones_like()?;
        let rows = Tensor::f_cat(&[&leading, &halves, &ones], 1)?;
        let columns = Tensor::f_cat(&[&leading, &ones, &halves], 1)?;
        Ok(Self { items: kept, rows, columns })
    }

    fn block(&self, of: &Tensor, index: usize) -> anyhow::Result<Tensor> {
        let from = index * BLOCK;
        Ok(of.f_narrow(0, from as i64, (self.items.len() - from).min(BLOCK) as i64)?)
    }
}

/// The leading principal components, `[432, LEADING]`, orthonormal.
fn turn(features: &Features, items: &[usize]) -> anyhow::Result<Tensor> {
    let size = MINIATURE_BYTES as i64;
    let mut covariance = Tensor::f_zeros([size, size], (Kind::Float, Device::Cpu))?;
    let sample: Vec<usize> = items.iter().copied().step_by(items.len().div_ceil(SAMPLE).max(1)).collect();
    for items in sample.chunks(BLOCK) {
        let (vectors, _) = vectors(features, items)?;
        covariance = covariance.f_addmm(&vectors.f_tr()?, &vectors)?;
    }
    // In ascending order of the variance.
    let (_, components) = covariance.f_linalg_eigh("L")?;
    Ok(components.f_narrow(1, size - LEADING, LEADING)?.f_contiguous()?)
}

/// Miniatures with zero mean and length 1, `[n, 432]`, and their images, without blank ones.
fn vectors(features: &Features, items: &[usize]) -> anyhow::Result<(Tensor, Vec<usize>)> {
    let mut shown = Vec::with_capacity(items.len());
    let mut values = Vec::with_capacity(items.len() * MINIATURE_BYTES);
    for &item in items {
        let miniature = features.miniature(item);
        let (mean, squares) = moments(miniature);
        if squares >= FEATURELESS * MINIATURE_BYTES as f64 {
            let scale = 1.0 / squares.sqrt();
            values.extend(miniature.iter().map(|value| ((f64::from(*value) - mean) * scale) as f32));
            shown.push(item);
        }
    }
    Ok((Tensor::f_from_slice(&values)?.f_view([shown.len() as i64, MINIATURE_BYTES as i64])?, shown))
}

/// The mean of a miniature, and the sum of squared deviations.
fn moments(miniature: &[u8]) -> (f64, f64) {
    let mean = miniature.iter().map(|value| f64::from(*value)).sum::<f64>() / MINIATURE_BYTES as f64;
    (mean, miniature.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum())
}

/// Pearson's correlation of miniatures that are not blank.
fn correlation(a: &[u8], b: &[u8]) -> f32 {
    let ((mean_a, squares_a), (mean_b, squares_b)) = (moments(a), moments(b));
    let products = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - mean_a) * (f64::from(*b) - mean_b));
    (products.sum::<f64>() / (squares_a * squares_b).sqrt()) as f32
}

#[cfg(test)]
mod tests;
