//! Predicts many files: worker threads decode ahead of the network.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use tasklens_data::config::Augmentation;
use tasklens_data::dataset::Rows;
use tasklens_data::images::cache::ImageCache;

use super::engine::{Demand, WORTHWHILE};
use super::{Look, Prediction, Predictor};
use crate::device::FreeCores;
use crate::inference::loader::{Batching, Loader, in_batches};
use crate::inference::samples::{Batch, Drawn, SampleSource};

/// The result for one row.
#[derive(Debug)]
pub struct PredictedRow {
    /// Index into the rows given.
    pub row: usize,
    /// The prediction, or why the image could not be read.
    pub result: Result<Prediction, String>,
    /// A note about how the image was read; it names the file.
    pub note: Option<String>,
}

/// Predicts the images of `which` of `rows`. `answer`
/// gets every row once, batch by batch, and returns whether to go on.
///
/// # Errors
/// The device ran out of memory or failed.
pub fn predict_rows(
    predictor: &Predictor,
    rows: Rows,
    which: &[usize],
    batching: Batching,
    answer: &mut dyn FnMut(PredictedRow) -> bool,
) -> anyhow::Result<()> {
    look_at_rows(predictor, rows, which, batching, &mut |batch, look| {
        let failed = |(row, message)| PredictedRow { row, result: Err(message), note: None };
        let mut notes: HashMap<usize, String> = batch.notes.into_iter().collect();
        let predictions = predictor.by_image(&look.probabilities, batch.rows.len());
        let predicted = batch.rows.into_iter().zip(predictions).map(|(row, prediction)| PredictedRow {
            row,
            result: Ok(prediction),
            note: notes.remove(&row),
        });
        Ok(batch.failures.into_iter().map(failed).chain(predicted).all(&mut *answer))
    })
}

/// Runs the network on the images of `which` of `rows`, as [`predict_rows`]. `take` gets each batch (without labels)
/// with its outputs, and returns whether to continue.
///
/// # Errors
/// The device ran out of memory or failed, or `take` failed.
pub(super) fn look_at_rows(
    predictor: &Predictor,
    rows: Rows,
    which: &[usize],
    batching: Batching,
    take: &mut dyn FnMut(Batch, Look) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let description = predictor.description();
    let source = Arc::new(SampleSource {
        // Labels are not used, and the rows may have fewer tasks.
        tasks: 0,
        rows,
        // Each image is read once: no cache needed.
        cache: ImageCache::new(description.height, description.width, 0),
        augmentation: Augmentation::none(),
        drawn: Drawn::ByRow,
        seed: 0,
    });
    let batches = in_batches(which, predictor.engine.batch_size(batching.size, which.len()));
    let loader = Loader::start(&source, batches, None, batching.workers)
        .context("cannot start the threads that decode images")?;
    if which.len() >= WORTHWHILE {
        // While the first images are decoded.
        predictor.speed_up(Demand::Batches);
    }
    let mut cores = FreeCores::new(predictor.device().tch, None);
    for batch in loader {
        cores.follow();
        let look = predictor.look_at(&batch.pixels, batch.rows.len())?;
        if !take(batch, look)? {
            break;
        }
    }
    Ok(())
}
