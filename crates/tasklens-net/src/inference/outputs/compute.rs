//! The pass that fills a store: what the network says of images that are new or have changed.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use tasklens_data::config::Augmentation;
use tasklens_data::dataset::Row;
use tasklens_data::images::cache::ImageCache;
use tasklens_data::images::miniature;
use tasklens_data::work::KeepGoing;

use super::{Buffer, SHARD_IMAGES, Stamp, Store, older};
use crate::device::FreeCores;
use crate::inference::Predictor;
use crate::inference::features::{self, Identity, View, clean};
use crate::inference::loader::{Batching, Drawn, Loader, SampleSource, in_batches};

/// How a pass ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputsPass {
    /// Images predicted now.
    pub predicted: usize,
    /// Images that were known already.
    pub known: usize,
    /// The rows that could not be read: the message names the file.
    pub failures: Vec<(usize, String)>,
    /// What is worth knowing of how rows were read: the message names the file.
    pub notes: Vec<(usize, String)>,
    /// Whether every image was seen to.
    pub complete: bool,
}

/// A pass at work.
struct Work<'a> {
    store: &'a Store,
    predictor: &'a Predictor,
    rows: &'a [Row],
    batch_size: usize,
    /// How many images are to be predicted.
    of: usize,
    pass: OutputsPass,
    keep_going: &'a mut KeepGoing<'a>,
}

impl Store {
    /// Predicts those of `which` whose image is new or has changed since, and keeps the outputs. The network
    /// is opened only when there is something to predict, and an image only where its features are not known.
    /// `keep_going` gets (done, of); what was computed before it said no is kept.
    ///
    /// # Errors
    /// The device ran out of memory or failed, or the disk is full. Images that cannot be read are listed
    /// instead.
    pub fn compute<P: Borrow<Predictor>>(
        &self,
        open: impl FnOnce() -> anyhow::Result<P>,
        rows: &[Row],
        which: &[usize],
        batching: Batching,
        keep_going: &mut KeepGoing<'_>,
    ) -> anyhow::Result<OutputsPass> {
        let missing = self.missing(rows, which)?;
        let of = missing.len();
        // Says that it has begun, and lets a cancelled pass end before the first batch.
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
                // Pieces of a dataset come one after the other: each image need not be looked at for each.
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

    /// Answers for the images whose features are known, without looking at them, and gives the others; `None` where
    /// the user stopped it.
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
            let mut buffer = Buffer::new(self.store.tasks.len());
            for batch in piece.chunks(self.batch_size) {
                let halves: Vec<_> = batch.iter().flat_map(|item| features.half(*item)).copied().collect();
                buffer.add(self.predictor.classify(bytemuck::cast_slice(&halves))?);
            }
            for &item in piece {
                let (row, stamp) = known[item].0;
                buffer.images.push(self.rows[row].image.clone());
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

    /// Lets the network look at images.
    fn look(&mut self, missing: &[(usize, Stamp)], workers: usize) -> anyhow::Result<()> {
        let rows: Vec<usize> = missing.iter().map(|(row, _)| *row).collect();
        let stamps: HashMap<usize, Stamp> = missing.iter().copied().collect();
        let description = self.predictor.description();
        let source = Arc::new(SampleSource {
            // Labels are not looked at, and the rows may be of fewer tasks.
            tasks: 0,
            rows: self.rows.to_vec(),
            // Each image is seen once: nothing is worth keeping.
            cache: ImageCache::new(description.height, description.width, 0),
            augmentation: Augmentation::none(),
            drawn: Drawn::ByRow,
            seed: 0,
        });
        let loader = Loader::start(&source, in_batches(&rows, self.batch_size), None, workers)
            .context("cannot start the threads that decode images")?;
        let image_bytes = description.height as usize * description.width as usize * 3;
        let mut buffer = Buffer::new(self.store.tasks.len());
        let mut cores = FreeCores::new(self.predictor.device().tch, None);
        for batch in loader {
            cores.follow();
            let look = self.predictor.look_at(&batch.pixels, batch.rows.len())?;
            self.pass.failures.extend(batch.failures);
            self.pass.notes.extend(batch.notes);
            // As heads see them that are trained on the features that are kept.
            buffer.add(match self.store.shared {
                Some(_) => self.predictor.classify(&look.features)?,
                None => look.probabilities,
            });
            buffer.features.extend(look.features);
            for (row, pixels) in batch.rows.iter().zip(batch.pixels.chunks_exact(image_bytes)) {
                buffer.images.push(self.rows[*row].image.clone());
                buffer.stamps.push(stamps.get(row).copied().unwrap_or_default());
                buffer.miniatures.extend(miniature::of(pixels, description.width, description.height));
            }
            self.pass.predicted += batch.rows.len();
            if buffer.images.len() >= SHARD_IMAGES {
                self.keep(std::mem::replace(&mut buffer, Buffer::new(self.store.tasks.len())))?;
            }
            if !self.goes_on() {
                break;
            }
        }
        if buffer.images.is_empty() { Ok(()) } else { self.keep(buffer) }
    }

    /// The features where they are shared, and what the network says beside the run.
    fn keep(&self, mut buffer: Buffer) -> anyhow::Result<()> {
        if let Some(shared) = &self.store.shared {
            let features = features::Buffer {
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
