//! The layout by bhtsne: t-SNE whose repulsion is interpolated on a grid for many images, so that the time is linear
//! in their number.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyhow::bail;
use bhtsne::{Neighbor, tSNE};
use tasklens_data::panics;
use tasklens_data::work::KeepGoing;

use super::Positions;
use super::reduce::Nearest;

/// Minimum number of images for a layout.
pub const LEAST: usize = 10;
/// The perplexity: effective number of neighbours.
const PERPLEXITY: f32 = 15.0;
const EPOCHS: usize = 500;
/// From this number of images on the grid is faster than a tree (van der Maaten 2014).
const MANY: usize = 5000;
/// Ratio of a tree cell's width to its distance below which it counts as one point.
const ACCURACY: f32 = 0.5;
/// Initial standard deviation of the layout: small, so that attracted points can pass each other (Kobak and Berens
/// 2019).
const BEGINNING: f32 = 1e-4;

/// Number of neighbours needed per image, for this many images.
pub fn neighbours(images: usize) -> usize {
    (3 * perplexity(images) as usize).max(1)
}

fn perplexity(images: usize) -> f32 {
    PERPLEXITY.min(((images.saturating_sub(1)) / 3) as f32).max(1.0)
}

/// Unwinds out of the layout, which cannot be cancelled otherwise.
struct Cancelled;

/// Lays out images by their [`neighbours`] (index and distance, nearest first), starting from `begin`. `None` if
/// cancelled by `keep_going`.
///
/// # Errors
/// The library failed, with its message.
pub fn lay_out(
    begin: &Positions,
    found: &Nearest,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Positions>> {
    let neighbours: Vec<Vec<Neighbor<f32>>> = found
        .iter()
        .map(|found| found.iter().map(|&(index, distance)| Neighbor { index, distance }).collect())
        .collect();
    let squares: f32 = begin.iter().map(|place| place[0] * place[0]).sum();
    let scale = BEGINNING / (squares / begin.len() as f32).sqrt().max(1e-12);
    let scaled: Vec<f32> = begin.as_flattened().iter().map(|value| value * scale).collect();
    // With given neighbours, only the number of data points matters.
    let data = vec![0_u8; begin.len()];
    let work = || {
        let mut layout: tSNE<'_, f32, u8, 2> = tSNE::new(&data);
        layout.perplexity(perplexity(begin.len())).epochs(EPOCHS).initial_embedding(scaled);
        layout.epoch_callback(|epoch, _| {
            if !keep_going(epoch + 1, EPOCHS) {
                // Not a panic: nothing is printed.
                resume_unwind(Box::new(Cancelled));
            }
        });
        if begin.len() < MANY {
            layout.barnes_hut_with_neighbors(ACCURACY, &neighbours);
        } else {
            layout.fit_sne_with_neighbors(&neighbours);
        }
        layout.embedding()
    };
    let flat = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(flat) => flat,
        Err(cause) if cause.is::<Cancelled>() => return Ok(None),
        Err(cause) => {
            bail!("the map cannot be laid out: {}", panics::message(&*cause));
        }
    };
    let layout = flat.as_chunks().0.to_vec();
    let finite = flat.iter().all(|value| value.is_finite());
    Ok(Some(if finite && layout.len() == begin.len() { layout } else { begin.clone() }))
}
