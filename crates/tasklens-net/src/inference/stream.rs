//! Predicting files by the thousand: worker threads decode ahead of the network.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use tasklens_data::config::Augmentation;
use tasklens_data::dataset::Row;
use tasklens_data::images::cache::ImageCache;

use super::{Prediction, Predictor};
use crate::device::FreeCores;
use crate::inference::loader::{Batching, Drawn, Loader, SampleSource, in_batches};

/// What came of one row.
#[derive(Debug)]
pub struct PredictedRow {
    /// Index into the rows given.
    pub row: usize,
    /// The prediction, or why the image could not be read.
    pub result: Result<Prediction, String>,
    /// What is worth knowing of how the image was read; it names the file.
    pub note: Option<String>,
}

/// Predicts the images of `which` of `rows`. `answer`
/// gets every row once, batch by batch, and returns whether to go on.
///
/// # Errors
/// The device ran out of memory or failed.
pub fn predict_rows(
    predictor: &Predictor,
    rows: Vec<Row>,
    which: &[usize],
    batching: Batching,
    answer: &mut dyn FnMut(PredictedRow) -> bool,
) -> anyhow::Result<()> {
    let description = predictor.description();
    let source = Arc::new(SampleSource {
        tasks: rows.first().map_or(0, |row| row.labels.len()),
        rows,
        // Each image is seen once: nothing is worth keeping.
        cache: ImageCache::new(description.height, description.width, 0),
        augmentation: Augmentation::none(),
        drawn: Drawn::ByRow,
        seed: 0,
    });
    let loader = Loader::start(&source, in_batches(which, batching.size), None, batching.workers)
        .context("cannot start the threads that decode images")?;
    let mut cores = FreeCores::new(predictor.device().tch, None);
    for batch in loader {
        cores.follow();
        for (row, message) in batch.failures {
            if !answer(PredictedRow { row, result: Err(message), note: None }) {
                return Ok(());
            }
        }
        let predictions = predictor.predict_pixels(&batch.pixels, batch.rows.len())?;
        let mut notes: HashMap<usize, String> = batch.notes.into_iter().collect();
        for (row, prediction) in batch.rows.into_iter().zip(predictions) {
            if !answer(PredictedRow { row, result: Ok(prediction), note: notes.remove(&row) }) {
                return Ok(());
            }
        }
    }
    Ok(())
}
