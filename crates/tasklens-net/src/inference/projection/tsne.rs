//! The layout itself, by bhtsne: t-SNE with the repulsion of many images interpolated on a grid, so that the
//! work is linear in their number.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyhow::bail;
use bhtsne::{Neighbor, tSNE};
use tasklens_data::panics;
use tasklens_data::work::KeepGoing;

use super::Layout;
use super::reduce::Nearest;

/// Images from which there is something to lay out.
pub const LEAST: usize = 10;
/// How many neighbours an image is kept to, softly.
const PERPLEXITY: f32 = 15.0;
const EPOCHS: usize = 500;
/// From so many images on the grid is faster than a tree (van der Maaten 2014).
const MANY: usize = 5000;
/// Width of a cell of the tree by its distance, under which it counts as one point.
const ACCURACY: f32 = 0.5;
/// Deviation of the layout at the beginning: small, so that what is pulled together can pass
/// (Kobak and Berens 2019).
const BEGINNING: f32 = 1e-4;

/// Neighbours that a layout of so many images wants of each.
pub fn neighbours(images: usize) -> usize {
    (3 * perplexity(images) as usize).max(1)
}

fn perplexity(images: usize) -> f32 {
    PERPLEXITY.min(((images.saturating_sub(1)) / 3) as f32).max(1.0)
}

/// Unwinds out of the layout, which offers no other way.
struct Cancelled;

/// Lays out images by their [`neighbours`] (place and distance, the nearest first), from where `begin` has
/// them. `None` where `keep_going` said no.
///
/// # Errors
/// The library fails; the message is its own.
pub fn lay_out(
    begin: &Layout,
    found: &Nearest,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Layout>> {
    let neighbours: Vec<Vec<Neighbor<f32>>> = found
        .iter()
        .map(|found| found.iter().map(|&(index, distance)| Neighbor { index, distance }).collect())
        .collect();
    let squares: f32 = begin.iter().map(|place| place[0] * place[0]).sum();
    let scale = BEGINNING / (squares / begin.len() as f32).sqrt().max(1e-12);
    let scaled: Vec<f32> = begin.as_flattened().iter().map(|value| value * scale).collect();
    // It asks for the data's number alone where neighbours are given.
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
