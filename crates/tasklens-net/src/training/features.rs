//! Features for `freeze_convolutional_layers`: each image goes through the backbone a few times, once unchanged and
//! several times augmented; after that an epoch takes seconds without a GPU.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use half::f16;
use tasklens_data::config::{Augmentation, Config, ModelConfig};
use tasklens_data::dataset::Rows;
use tasklens_data::images::cache::ImageCache;
use tasklens_data::images::miniature;
use tch::{Device, Kind, Tensor, no_grad};

use super::events::Stage;
use super::reporter::Reporter;
use super::setup::{StoppedEarly, free_memory};
use crate::device::{FreeCores, gate};
use crate::inference::engine::{Demand, Engine, WORTHWHILE};
use crate::inference::features::{
    self, FeatureBuffer, FeatureStore, Identity, SHARD_IMAGES, Stamp, View, clean, stamp,
};
use crate::inference::loader::{Loader, in_batches};
use crate::inference::precision_name;
use crate::inference::samples::{Drawn, SampleSource};
use crate::model::layers::ForwardPass;
use crate::model::network::Network;
use crate::onnx::engine_model;

/// Number of augmented versions of each training image: more reduce overfitting and take longer to compute.
const AUGMENTED_VIEWS: usize = 4;

/// Number of augmented views per image for training the heads of a config. None if all layers are trained afterwards,
/// which augments anyway, and because the plain view is often stored already.
pub(super) fn augmented_views(model: &ModelConfig) -> usize {
    let has_none = model.augmentation == Augmentation::none() || Stage::Heads.is_followed(model);
    if has_none { 0 } else { AUGMENTED_VIEWS }
}

/// The views per image for training the heads of a config.
///
/// # Errors
/// The augmentation cannot be serialised.
pub(super) fn training_views(model: &ModelConfig) -> anyhow::Result<Vec<View>> {
    let augmented = View::augmented(&model.augmentation, augmented_views(model))?;
    Ok(std::iter::once(View::Plain).chain(augmented).collect())
}

/// Views of rows, memory-mapped.
#[derive(Clone)]
pub struct TrainingFeatures {
    /// `[views]`, each of the same rows.
    views: Vec<features::Features>,
    /// Per row of the dataset its index in them.
    places: Arc<HashMap<usize, u32>>,
    dimensions: usize,
}

/// The feature store of a network's backbone, independent of its heads.
pub(super) fn store(config: &Config, network: &Network, kind: Kind) -> anyhow::Result<FeatureStore> {
    let facts = network.backbone().facts();
    let feed = features::BackboneFeed {
        backbone: network.backbone().name(),
        conventions: network.conventions(),
        size: (config.model.height, config.model.width),
        mean: facts.mean,
        std: facts.std,
        precision: precision_name(kind),
    };
    Ok(FeatureStore::of(&config.paths.runs, &features::key(network, feed)?, facts.features as usize))
}

/// Everything needed to compute features.
pub struct Extractor<'a> {
    /// The network whose backbone computes them, in evaluation mode.
    pub network: &'a Network,
    /// Rows of the dataset.
    pub rows: &'a Rows,
    /// Height and width of the input, pixels.
    pub size: (u32, u32),
    /// Settings of augmented views.
    pub augmentation: &'a Augmentation,
    /// The number format of the forward pass.
    pub kind: Kind,
    /// Images that go through the network together.
    pub batch_size: usize,
    /// Number of decoding threads.
    pub workers: usize,
    /// Number of CPU threads for computing; `None` means as many as other programs leave cores.
    pub threads: Option<usize>,
    /// The store of the network's backbone.
    pub store: FeatureStore,
    /// Features of all rows and views, stored or not: by them it is decided what computes, so that one that is computed
    /// again comes from what computed the others.
    pub of: usize,
    /// What computes them faster, if anything does.
    pub(crate) engine: Engine,
}

/// An image with missing views.
#[derive(Clone)]
struct Missing {
    row: usize,
    stamp: Stamp,
    /// Per requested view, whether it is missing.
    lacks: Vec<bool>,
}

impl Extractor<'_> {
    /// The features of the validation rows: one view, not augmented.
    ///
    /// # Errors
    /// Cancelled, no image can be read, or the device failed.
    pub fn validation(
        &mut self,
        rows: &[usize],
        reporter: &mut Reporter,
    ) -> anyhow::Result<TrainingFeatures> {
        self.of_views(rows, &[View::Plain], "features of the validation images", reporter)
    }

    /// The features of the training rows, in [`training_views`].
    ///
    /// # Errors
    /// As [`Extractor::validation`].
    pub fn training(
        &mut self,
        rows: &[usize],
        views: &[View],
        reporter: &mut Reporter,
    ) -> anyhow::Result<TrainingFeatures> {
        self.of_views(rows, views, "features of the training images", reporter)
    }

    /// Gets features from the store; missing ones are computed and stored.
    fn of_views(
        &mut self,
        rows: &[usize],
        views: &[View],
        what: &str,
        reporter: &mut Reporter,
    ) -> anyhow::Result<TrainingFeatures> {
        let stamps: Vec<Stamp> = rows.iter().map(|row| stamp(&self.rows[*row].image)).collect();
        let identity = |(row, stamp): (&usize, &Stamp)| Identity::new(&self.rows[*row].image, *stamp);
        let images: Vec<Identity> = rows.iter().zip(&stamps).map(identity).collect();
        let missing = self.missing(rows, &stamps, &images, views, reporter);
        if !missing.is_empty() {
            if self.of >= WORTHWHILE {
                self.engine.prepare(Demand::Batches, || engine_model(self.network, self.size));
            }
            self.compute(missing, views, what, reporter)?;
            clean::clean(&self.store);
        }
        let shelf = self.store.read();
        let found: Vec<_> = views.iter().map(|view| shelf.find(view, &images)).collect();
        let is_whole = |place: &usize| found.iter().all(|view| view[*place].is_some());
        let whole: Vec<usize> = (0..rows.len()).filter(is_whole).collect();
        ensure!(!whole.is_empty(), "none of the images could be read");
        let view = |places: &Vec<Option<features::Place>>| {
            shelf.features(whole.iter().filter_map(|place| places[*place]).collect())
        };
        let places = whole.iter().enumerate().map(|(at, place)| (rows[*place], at as u32)).collect();
        Ok(TrainingFeatures {
            views: found.iter().map(view).collect(),
            places: Arc::new(places),
            dimensions: shelf.dimensions(),
        })
    }

    /// Missing views, each image once, however many rows it has.
    fn missing(
        &self,
        rows: &[usize],
        stamps: &[Stamp],
        images: &[Identity],
        views: &[View],
        reporter: &mut Reporter,
    ) -> Vec<Missing> {
        let shelf = self.store.read();
        for problem in &shelf.problems {
            reporter.warn(problem.clone());
        }
        let found: Vec<_> = views.iter().map(|view| shelf.find(view, images)).collect();
        let mut seen = HashSet::new();
        let missing = |place: usize| {
            let lacks: Vec<bool> = found.iter().map(|view| view[place].is_none()).collect();
            let is_missing = lacks.contains(&true) && seen.insert(images[place]);
            is_missing.then(|| Missing { row: rows[place], stamp: stamps[place], lacks })
        };
        (0..rows.len()).filter_map(missing).collect()
    }

    /// Computes all views piece by piece, so that each image is decoded once; results are stored whatever happens
    /// later.
    fn compute(
        &mut self,
        mut missing: Vec<Missing>,
        views: &[View],
        what: &str,
        reporter: &mut Reporter,
    ) -> anyhow::Result<()> {
        let what = format!("computing the {what} (once)");
        let of = missing.iter().map(|image| image.lacks.iter().filter(|lacks| **lacks).count() as u64).sum();
        let mut progress = FeaturesProgress { what, done: 0, of };
        let mut cores = FreeCores::new(self.network.device(), self.threads);
        for piece in missing.chunks_mut(SHARD_IMAGES) {
            let source = self.source(piece);
            for (index, view) in views.iter().enumerate() {
                let which: Vec<usize> = (0..piece.len()).filter(|image| piece[*image].lacks[index]).collect();
                let failed =
                    self.compute_view(view, &source, piece, &which, &mut progress, &mut cores, reporter)?;
                // Report it once, not for each view.
                for image in failed {
                    progress.done +=
                        piece[image].lacks[index + 1..].iter().filter(|lacks| **lacks).count() as u64;
                    piece[image].lacks.fill(false);
                }
            }
            reporter.preparing(&progress.what, progress.done, progress.of);
        }
        Ok(())
    }

    /// Cache of a piece's images between its views.
    fn source(&self, piece: &[Missing]) -> Arc<SampleSource> {
        let (height, width) = self.size;
        Arc::new(SampleSource {
            rows: piece.iter().map(|image| self.rows[image.row].clone()).collect(),
            // Labels are not used.
            tasks: 0,
            cache: ImageCache::new(height, width, free_memory() / 4),
            augmentation: self.augmentation.clone(),
            drawn: Drawn::ByPath,
            seed: 0,
        })
    }

    /// Returns those that could not be read.
    #[expect(clippy::too_many_arguments, reason = "the state of one pass, which goes no further")]
    fn compute_view(
        &mut self,
        view: &View,
        source: &Arc<SampleSource>,
        piece: &[Missing],
        which: &[usize],
        progress: &mut FeaturesProgress,
        cores: &mut FreeCores,
        reporter: &mut Reporter,
    ) -> anyhow::Result<Vec<usize>> {
        let batches = in_batches(which, self.engine.batch_size(self.batch_size, which.len()));
        let loader = Loader::start(source, batches, view.number(), self.workers)
            .context("cannot start the threads that decode images")?;
        let (height, width) = self.size;
        let image_bytes = height as usize * width as usize * 3;
        let mut buffer = FeatureBuffer::default();
        let mut failed = Vec::new();
        let mut is_stopped = false;
        for batch in loader {
            if reporter.should_stop() {
                is_stopped = true;
                break;
            }
            cores.follow();
            for (image, message) in batch.failures {
                reporter.warn(format!("{message}; the run continues without this image"));
                progress.done += 1;
                failed.push(image);
            }
            for (_, message) in batch.notes {
                reporter.warn(message);
            }
            if !batch.rows.is_empty() {
                buffer.features.extend(self.features_of(&batch.pixels, batch.rows.len())?);
            }
            for (image, pixels) in batch.rows.iter().zip(batch.pixels.chunks_exact(image_bytes)) {
                buffer.images.push(source.rows[*image].image.to_path_buf());
                buffer.stamps.push(piece[*image].stamp);
                if *view == View::Plain {
                    buffer.miniatures.extend(miniature::of(pixels, width, height));
                }
            }
            progress.done += batch.rows.len() as u64;
            reporter.preparing(&progress.what, progress.done, progress.of);
        }
        if let Some(warning) = self.store.append(view, &buffer)? {
            reporter.warn(warning);
        }
        if is_stopped {
            anyhow::bail!(StoppedEarly);
        }
        Ok(failed)
    }

    /// `[images, features]` in float16, little-endian.
    fn features_of(&self, pixels: &[u8], images: usize) -> anyhow::Result<Vec<u8>> {
        let _inside = gate::enter();
        if let Some(look) = self.engine.look_at(pixels, images) {
            return Ok(look.features);
        }
        let shape = [images as i64, i64::from(self.size.0), i64::from(self.size.1), 3];
        no_grad(|| {
            let bytes = Tensor::f_from_data_size(pixels, &shape, Kind::Uint8)?;
            let input = self.network.normalise(&bytes, self.kind)?;
            let features = self.network.features(&input, ForwardPass::evaluate(self.kind))?;
            let half = features.f_to_device(Device::Cpu)?.f_to_kind(Kind::Half)?.f_contiguous()?;
            let mut features = vec![0; 2 * half.numel()];
            half.f_copy_data_u8(&mut features, half.numel())?;
            Ok(features)
        })
    }
}

/// FeaturesProgress of a pass over images.
struct FeaturesProgress {
    what: String,
    done: u64,
    of: u64,
}

impl TrainingFeatures {
    /// Whether a row's image could be read.
    pub fn has(&self, row: usize) -> bool {
        self.places.contains_key(&row)
    }

    /// Features `[rows, features]` in float32 on `device`; `view` selects the version of each row.
    ///
    /// # Errors
    /// A row has no features, or the device is out of memory.
    pub fn batch(
        &self,
        rows: &[usize],
        view: impl Fn(usize) -> u64,
        device: Device,
    ) -> anyhow::Result<Tensor> {
        let mut halves: Vec<f16> = Vec::with_capacity(rows.len() * self.dimensions);
        for &row in rows {
            let place = self.places.get(&row).with_context(|| format!("row {row} has no features"))?;
            let view = &self.views[(view(row) % self.views.len() as u64) as usize];
            halves.extend_from_slice(view.half(*place as usize));
        }
        let shape = [rows.len() as i64, self.dimensions as i64];
        let picked = Tensor::f_from_data_size(bytemuck::cast_slice(&halves), &shape, Kind::Half)?;
        Ok(picked.f_to_device(device)?.f_to_kind(Kind::Float)?)
    }
}
