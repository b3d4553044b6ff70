//! The pass that fills a store: predicts images that are new or have changed.

use std::borrow::Borrow;
use std::collections::HashMap;

use tasklens_data::dataset::Rows;
use tasklens_data::images::miniature;
use tasklens_data::work::KeepGoing;

use super::{OutputBuffer, OutputStore, SHARD_IMAGES, Stamp, older};
use crate::inference::Predictor;
use crate::inference::features::{self, Identity, View, clean};
use crate::inference::loader::Batching;
use crate::inference::stream::look_at_rows;
use crate::model::checkpoint::Description;

/// The result of a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputsPass {
    /// Number of images predicted in this pass.
    pub predicted: usize,
    /// Number of images with stored outputs.
    pub known: usize,
    /// The rows that could not be read: the message names the file.
    pub failures: Vec<(usize, String)>,
    /// Notes about how rows were read: the message names the file.
    pub notes: Vec<(usize, String)>,
    /// Whether all images were processed.
    pub complete: bool,
}

impl OutputsPass {
    /// What to tell the user of it: the first failure and the first note, each with the number of the others.
    pub fn messages(&self) -> impl Iterator<Item = String> {
        [&self.failures, &self.notes].into_iter().filter_map(|told| {
            let (_, first) = told.first()?;
            let more = told.len() - 1;
            Some(if more > 0 { format!("{first} (and {more} more)") } else { first.clone() })
        })
    }
}

/// A pass over images, with what it has to know and what it has found.
struct Work<'a> {
    store: &'a OutputStore,
    predictor: &'a Predictor,
    rows: &'a Rows,
    batch_size: usize,
    /// Number of images to predict.
    of: usize,
    pass: OutputsPass,
    keep_going: &'a mut KeepGoing<'a>,
}

impl OutputStore {
    /// Predicts those of `which` whose image is new or has changed, and stores the outputs. The network is opened
    /// only if there is something to predict, and an image only if its features are not stored. `keep_going` gets
    /// (done, of); results before a cancel are kept.
    ///
    /// # Errors
    /// The device ran out of memory or failed, or the disk is full. Images that cannot be read are listed
    /// instead.
    pub fn compute<P: Borrow<Predictor>>(
        &self,
        open: impl FnOnce() -> anyhow::Result<P>,
        rows: &Rows,
        which: &[usize],
        batching: Batching,
        keep_going: &mut KeepGoing<'_>,
    ) -> anyhow::Result<OutputsPass> {
        let missing = self.missing(rows, which)?;
        let of = missing.len();
        // Reports the start, so that a cancelled pass ends before the first batch.
        if !keep_going(0, of) {
            return Ok(OutputsPass::default());
        }
        let pass = OutputsPass { known: which.len() - of, ..OutputsPass::default() };
        if missing.is_empty() {
            return Ok(OutputsPass { complete: true, ..pass });
        }
        let predictor = open()?;
        if self.temporary.is_none() {
            older::clear(&self.folder);
        }
        let predictor = predictor.borrow();
        let mut work = Work { store: self, predictor, rows, batch_size: batching.size, of, pass, keep_going };
        if let Some(unknown) = work.classify_known(missing)?
            && !unknown.is_empty()
        {
            work.look(&unknown, batching.workers)?;
            if let Some(shared) = &self.shared {
                // A dataset is processed in pieces: do not check all images for each of them.
                clean::clean_unused(shared);
            }
        }
        let Work { mut pass, .. } = work;
        pass.complete = pass.predicted + pass.failures.len() == of;
        Ok(pass)
    }
}

impl Work<'_> {
    fn goes_on(&mut self) -> bool {
        (self.keep_going)(self.pass.predicted + self.pass.failures.len(), self.of)
    }

    /// Predicts the images with stored features without reading them, and returns the others; `None` if cancelled.
    fn classify_known(
        &mut self,
        missing: Vec<(usize, Stamp)>,
    ) -> anyhow::Result<Option<Vec<(usize, Stamp)>>> {
        let Some(shared) = &self.store.shared else { return Ok(Some(missing)) };
        let shelf = shared.read();
        for problem in &shelf.problems {
            log::warn!("{problem}");
        }
        let identity = |(row, stamp): &(usize, Stamp)| Identity::new(&self.rows[*row].image, *stamp);
        let places = shelf.find(&View::Plain, &missing.iter().map(identity).collect::<Vec<_>>());
        let (known, unknown): (Vec<_>, Vec<_>) =
            missing.into_iter().zip(places).partition(|(_, place)| place.is_some());
        let features = shelf.features(known.iter().filter_map(|(_, place)| *place).collect());
        let items: Vec<usize> = (0..known.len()).collect();
        for piece in items.chunks(SHARD_IMAGES) {
            let mut buffer = OutputBuffer::new(self.store.tasks.len());
            for batch in piece.chunks(self.batch_size) {
                let halves: Vec<_> = batch.iter().flat_map(|item| features.half(*item)).copied().collect();
                buffer.add(self.predictor.classify(bytemuck::cast_slice(&halves))?);
            }
            for &item in piece {
                let (row, stamp) = known[item].0;
                buffer.images.push(self.rows[row].image.to_path_buf());
                buffer.stamps.push(stamp);
            }
            self.store.append(&buffer)?;
            self.pass.predicted += piece.len();
            if !self.goes_on() {
                return Ok(None);
            }
        }
        Ok(Some(unknown.into_iter().map(|(image, _)| image).collect()))
    }

    /// Runs the network on images.
    fn look(&mut self, missing: &[(usize, Stamp)], workers: usize) -> anyhow::Result<()> {
        let which: Vec<usize> = missing.iter().map(|(row, _)| *row).collect();
        let stamps: HashMap<usize, Stamp> = missing.iter().copied().collect();
        let predictor = self.predictor;
        let batching = Batching { size: self.batch_size, workers };
        let Description { height, width, .. } = *predictor.description();
        let mut buffer = OutputBuffer::new(self.store.tasks.len());
        look_at_rows(predictor, self.rows.clone(), &which, batching, &mut |batch, look| {
            self.pass.failures.extend(batch.failures);
            self.pass.notes.extend(batch.notes);
            // Rounded as stored, as heads that are trained on stored features see them.
            buffer.add(match self.store.shared {
                Some(_) => predictor.classify(&look.features)?,
                None => look.probabilities,
            });
            buffer.features.extend(look.features);
            let pixels = batch.pixels.chunks_exact(height as usize * width as usize * 3);
            for (row, pixels) in batch.rows.iter().zip(pixels) {
                buffer.images.push(self.rows[*row].image.to_path_buf());
                buffer.stamps.push(stamps.get(row).copied().unwrap_or_default());
                buffer.miniatures.extend(miniature::of(pixels, width, height));
            }
            self.pass.predicted += batch.rows.len();
            if buffer.images.len() >= SHARD_IMAGES {
                self.keep(std::mem::replace(&mut buffer, OutputBuffer::new(self.store.tasks.len())))?;
            }
            Ok(self.goes_on())
        })?;
        if buffer.images.is_empty() { Ok(()) } else { self.keep(buffer) }
    }

    /// Stores features in the shared store, and outputs beside the run.
    fn keep(&self, mut buffer: OutputBuffer) -> anyhow::Result<()> {
        if let Some(shared) = &self.store.shared {
            let features = features::FeatureBuffer {
                images: buffer.images.clone(),
                stamps: buffer.stamps.clone(),
                features: std::mem::take(&mut buffer.features),
                miniatures: std::mem::take(&mut buffer.miniatures),
            };
            shared.keep(&View::Plain, &features)?;
        }
        self.store.append(&buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_tells_its_first_failure_and_note_and_counts_the_others() {
        let told = |row: usize, text: &str| (row, text.to_owned());
        let mut pass = OutputsPass { notes: vec![told(4, "4.png is grey")], ..OutputsPass::default() };
        assert_eq!(pass.messages().collect::<Vec<_>>(), ["4.png is grey"]);
        pass.failures = vec![told(1, "1.png is gone"), told(2, "2.png is gone"), told(3, "3.png is gone")];
        assert_eq!(pass.messages().collect::<Vec<_>>(), ["1.png is gone (and 2 more)", "4.png is grey"]);
    }
}
