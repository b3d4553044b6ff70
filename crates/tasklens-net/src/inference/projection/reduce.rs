//! Principal components by a randomised range finder, and exact nearest neighbours in them.

use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use tasklens_data::work::KeepGoing;
use tch::{Device, Kind, Tensor, no_grad};

use super::Positions;
use crate::inference::outputs::Features;

/// Number of images for computing the components.
const SAMPLE: usize = 10_000;
/// Oversampling and power iterations (Halko et al. 2011, section 4.5).
const OVERSAMPLING: usize = 10;
const ROUNDS: usize = 4;
/// Number of images in memory at a time.
const CHUNK: usize = 4096;
/// Size of a block product in numbers: 64 MiB.
const PRODUCT: usize = 16 << 20;

/// Images by their leading principal components, `[N, K]` float32.
pub struct Reduced {
    values: Tensor,
}

/// Per image its nearest neighbours with distances.
pub type Nearest = Vec<Vec<(usize, f32)>>;

/// At most this many of `0..of` in ascending order.
pub fn sample(of: usize, wanted: usize, seed: u64) -> Vec<usize> {
    if of <= wanted {
        return (0..of).collect();
    }
    let mut sample: Vec<usize> = (0..of).collect();
    sample.shuffle(&mut Pcg64::seed_from_u64(seed));
    sample.truncate(wanted);
    sample.sort_unstable();
    sample
}

/// `[items, D]`, each normalised to length 1; zero vectors stay zero.
fn unit(features: &Features, items: &[usize]) -> anyhow::Result<Tensor> {
    let shape = [items.len() as i64, features.dimensions() as i64];
    let values = Tensor::f_from_slice(&features.gather(items))?.f_view(shape)?;
    let lengths = values.f_square()?.f_sum_dim_intlist(1, true, Kind::Float)?.f_sqrt()?;
    Ok(values.f_div(&lengths.f_clamp_min(1e-12)?)?)
}

/// Mean and directions `[D, components]`, largest variance first.
fn directions(features: &Features, components: usize, seed: u64) -> anyhow::Result<(Tensor, Tensor)> {
    let values = unit(features, &sample(features.len(), SAMPLE, seed))?;
    let mean = values.f_mean_dim(0, true, Kind::Float)?;
    let values = values.f_sub(&mean)?;
    let transposed = values.f_tr()?;
    let [rows, dimensions] = [values.size()[0], values.size()[1]];
    let wanted = (components as i64).min(rows).min(dimensions);
    let sought = (wanted + OVERSAMPLING as i64).min(rows).min(dimensions);
    let mut random = Pcg64::seed_from_u64(seed);
    // Any distribution around zero works.
    let drawn: Vec<f32> = (0..dimensions * sought).map(|_| random.random::<f32>() - 0.5).collect();
    let mut basis = Tensor::f_from_slice(&drawn)?.f_view([dimensions, sought])?;
    for _ in 0..ROUNDS {
        let (range, _) = Tensor::f_linalg_qr(&values.f_mm(&basis)?, "reduced")?;
        (basis, _) = Tensor::f_linalg_qr(&transposed.f_mm(&range)?, "reduced")?;
    }
    let within = values.f_mm(&basis)?;
    // In ascending order of the variance.
    let (_, turn) = within.f_tr()?.f_mm(&within)?.f_linalg_eigh("L")?;
    let found = basis.f_mm(&turn.f_flip([1])?.f_narrow(1, 0, wanted)?)?;
    // The sign is arbitrary: the largest number of each direction is made positive.
    let (_, largest) = found.f_abs()?.f_max_dim(0, true)?;
    let signs = found.f_gather(0, &largest, false)?.f_sign()?;
    Ok((mean, found.f_mul(&signs)?))
}

impl Reduced {
    /// For all images; `None` if cancelled by `keep_going`.
    pub fn of(
        features: &Features,
        components: usize,
        seed: u64,
        keep_going: &mut KeepGoing<'_>,
    ) -> anyhow::Result<Option<Self>> {
        no_grad(|| {
            let of = features.len();
            if !keep_going(0, of) {
                return Ok(None);
            }
            let zeros = Tensor::f_zeros([of as i64, components as i64], (Kind::Float, Device::Cpu))?;
            if of == 0 || features.dimensions() == 0 {
                return Ok(Some(Self { values: zeros }));
            }
            let (mean, directions) = directions(features, components, seed)?;
            let items: Vec<usize> = (0..of).collect();
            for items in items.chunks(CHUNK) {
                let values = unit(features, items)?.f_sub(&mean)?.f_mm(&directions)?;
                let place = zeros.f_narrow(0, items[0] as i64, items.len() as i64)?;
                // With fewer images or features than components, the last ones stay zero.
                place.f_narrow(1, 0, directions.size()[1])?.f_copy_(&values)?;
                if !keep_going(items[0] + items.len(), of) {
                    return Ok(None);
                }
            }
            Ok(Some(Self { values: zeros }))
        })
    }

    /// A selection of the images.
    pub fn pick(&self, items: &[usize]) -> anyhow::Result<Self> {
        let items: Vec<i64> = items.iter().map(|item| *item as i64).collect();
        Ok(Self { values: self.values.f_index_select(0, &Tensor::f_from_slice(&items)?)? })
    }

    /// The first two components.
    pub fn leading(&self) -> Positions {
        let columns = self.values.narrow(1, 0, 2).contiguous();
        let mut flat = vec![0.0; columns.numel()];
        columns.copy_data(&mut flat, columns.numel());
        flat.as_chunks().0.to_vec()
    }

    /// Per image, the `count` nearest of `others` with their distances, the nearest first; excluding the one with the
    /// same number if `except_itself`. `None` if cancelled by `keep_going`.
    pub fn nearest(
        &self,
        others: &Self,
        count: usize,
        except_itself: bool,
        keep_going: &mut KeepGoing<'_>,
    ) -> anyhow::Result<Option<Nearest>> {
        no_grad(|| {
            let squares = |values: &Tensor| values.f_square()?.f_sum_dim_intlist(1, false, Kind::Float);
            let columns = others.values.f_tr()?;
            let other_squares = squares(&others.values)?;
            let (of, count) = (self.values.size()[0] as usize, count as i64);
            let block = (PRODUCT / others.values.size()[0].max(1) as usize).max(1);
            let mut all = Vec::with_capacity(of);
            for from in (0..of).step_by(block) {
                let rows = (of - from).min(block) as i64;
                let values = self.values.f_narrow(0, from as i64, rows)?;
                let products = other_squares.f_addmm(&values, &columns.f_mul_scalar(-2.0)?)?;
                if except_itself {
                    let _ = products.f_diagonal(from as i64, 0, 1)?.f_fill_(f64::INFINITY)?;
                }
                let (distances, places) = products.f_topk(count, 1, false, true)?;
                let distances = distances.f_add(&squares(&values)?.f_unsqueeze(1)?)?.f_clamp_min(0.0)?;
                let mut lengths = vec![0.0_f32; distances.numel()];
                distances.f_sqrt()?.f_copy_data(&mut lengths, distances.numel())?;
                let mut items = vec![0_i64; places.numel()];
                places.f_copy_data(&mut items, places.numel())?;
                let rows = items.chunks_exact(count as usize).zip(lengths.chunks_exact(count as usize));
                all.extend(rows.map(|(items, lengths)| {
                    items
                        .iter()
                        .zip(lengths)
                        .map(|(item, length)| (*item as usize, *length))
                        .collect::<Vec<_>>()
                }));
                if !keep_going(all.len(), of) {
                    return Ok(None);
                }
            }
            Ok(Some(all))
        })
    }
}
