//! Passes over the training rows and over the validation rows.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::Config;
use tasklens_data::dataset::split::Split;
use tch::{Device, Kind, Tensor, no_grad};

use super::adam::Adam;
use super::events::{BatchProgress, Event, Phase, SplitMetrics};
use super::features::TrainingFeatures;
use super::gradient_shares::GradientShares;
use super::metrics::{Totals, Weights};
use super::predictions::Predictions;
use super::reporter::Reporter;
use super::stages::Rates;
use crate::device::FreeCores;
use crate::inference::loader::{Loader, in_batches, shuffled_batches};
use crate::inference::samples::{Batch, SampleSource, mix};
use crate::model::layers::ForwardPass;
use crate::model::network::{Network, probabilities};

/// The source of batches.
pub enum BatchFeed {
    /// Decoded and augmented images.
    Images {
        /// Number of decoding threads.
        workers: usize,
    },
    /// Stored features of a frozen backbone.
    Features {
        /// Features of the training rows.
        train: TrainingFeatures,
        /// Features of the validation rows.
        validation: TrainingFeatures,
    },
}

/// The result of a training pass.
pub struct Trained {
    /// Loss and accuracy while the weights were changing.
    pub metrics: SplitMetrics,
    /// Per task its share of the gradient on the features; empty if it was not measured.
    pub gradient_shares: Vec<f64>,
    /// Images per second over the whole pass.
    pub images_per_sec: f64,
}

/// The result of a validation pass.
pub struct Validated {
    pub metrics: SplitMetrics,
    /// Probabilities of every row.
    pub predictions: Predictions,
}

/// Runs passes, and keeps the state that they share.
pub struct Passes {
    source: Arc<SampleSource>,
    feed: BatchFeed,
    split: Split,
    batch_size: usize,
    epochs: usize,
    kind: Kind,
    /// Weights of tasks and labels in the training loss.
    weights: Weights,
    /// Weights for validation: tasks as in training, labels unweighted.
    unweighted: Weights,
    cores: FreeCores,
    reported: HashSet<usize>,
    secs_per_validation_image: Option<f64>,
    secs_per_training_image: Option<f64>,
}

/// A batch for the network.
struct Input {
    batch: Batch,
    features: Option<Tensor>,
}

/// An iterator over the batches of a pass.
type InputIter = Box<dyn Iterator<Item = anyhow::Result<Input>>>;

/// How passes go through a network.
#[derive(Clone, Copy)]
pub struct PassPlan<'a> {
    /// The config of the run.
    pub config: &'a Config,
    /// The epoch up to which.
    pub last: usize,
    /// The processor that computes.
    pub device: Device,
    /// The number format of the forward pass.
    pub kind: Kind,
}

impl Passes {
    /// For a run over `split`, as `plan` says.
    pub fn new(
        source: Arc<SampleSource>,
        feed: BatchFeed,
        split: Split,
        plan: PassPlan<'_>,
        weights: Weights,
    ) -> Self {
        let PassPlan { config, last, device, kind } = plan;
        let unweighted = Weights::without_classes(weights.tasks.clone());
        Self {
            source,
            feed,
            split,
            batch_size: config.model.batch_size,
            epochs: last,
            kind,
            weights,
            unweighted,
            cores: FreeCores::new(device, config.model.threads),
            reported: HashSet::new(),
            secs_per_validation_image: None,
            secs_per_training_image: None,
        }
    }

    /// Switches the source of batches to `feed`, up to epoch `last`.
    pub fn go_on_with(&mut self, feed: BatchFeed, last: usize) {
        (self.feed, self.epochs) = (feed, last);
        // Their speed may differ.
        (self.secs_per_validation_image, self.secs_per_training_image) = (None, None);
    }

    /// Number of batches per epoch.
    pub fn batches(&self) -> usize {
        shuffled_batches(&self.split.train, self.batch_size, self.source.seed, 1).len()
    }

    /// Trains for one epoch; `None` if the user stopped the run.
    pub fn train(
        &mut self,
        epoch: usize,
        rates: &Rates,
        network: &Network,
        adam: &mut Adam,
        reporter: &mut Reporter,
    ) -> anyhow::Result<Option<Trained>> {
        let batches = shuffled_batches(&self.split.train, self.batch_size, self.source.seed, epoch);
        let mut totals = Totals::new(self.source.tasks, network.device())?;
        let mut shares = GradientShares::new(self.source.tasks, network.device())?;
        let mut meter = Meter::new(epoch, Phase::Train, self.split.train.len(), reporter.worked());
        let mut used = 0;
        for (batch, input) in self.inputs(batches, Some(epoch), network)?.enumerate() {
            if reporter.should_stop() {
                return Ok(None);
            }
            let input = input?;
            self.cores.follow();
            meter.done += input.batch.rows.len() + input.batch.failures.len();
            self.report_failures(&input.batch, reporter);
            if input.batch.rows.is_empty() || self.is_too_small(&input) {
                continue;
            }
            used += input.batch.rows.len();
            let logits = self.logits(&input, network, true)?;
            if let Some(loss) = totals.add(&logits, &input.batch.labels, &self.weights)? {
                shares.follow(&loss, &logits, network.head_weights())?;
                adam.step(&loss, rates.at(batch))?;
            }
            if reporter.progress_due() || meter.is_complete() {
                let metrics = totals.metrics(&self.weights)?;
                check_loss(metrics.loss, epoch)?;
                let now = reporter.worked();
                let left = self.secs_left(&meter, now);
                reporter.send(meter.event(metrics.loss, left, now));
            }
        }
        ensure!(used > 0, "none of the {} images to train with can be used", self.split.train.len());
        let secs = meter.secs(reporter.worked());
        self.secs_per_training_image = Some(secs / self.split.train.len() as f64);
        let metrics = totals.metrics(&self.weights)?;
        check_loss(metrics.loss, epoch)?;
        Ok(Some(Trained { metrics, gradient_shares: shares.mean()?, images_per_sec: used as f64 / secs }))
    }

    /// Validates; `None` if the user stopped the run.
    pub fn validate(
        &mut self,
        epoch: usize,
        network: &Network,
        reporter: &mut Reporter,
    ) -> anyhow::Result<Option<Validated>> {
        let batches = in_batches(&self.split.validation, self.batch_size);
        let mut totals = Totals::new(self.source.tasks, network.device())?;
        let mut predictions = Predictions::new(self.source.tasks);
        let mut meter = Meter::new(epoch, Phase::Validation, self.split.validation.len(), reporter.worked());
        for input in self.inputs(batches, None, network)? {
            if reporter.should_stop() {
                return Ok(None);
            }
            let input = input?;
            self.cores.follow();
            meter.done += input.batch.rows.len() + input.batch.failures.len();
            self.report_failures(&input.batch, reporter);
            if input.batch.rows.is_empty() {
                continue;
            }
            no_grad(|| -> anyhow::Result<()> {
                let logits = self.logits(&input, network, false)?;
                totals.add(&logits, &input.batch.labels, &self.unweighted)?;
                for (logits, all) in logits.iter().zip(&mut predictions.probabilities) {
                    all.extend(probabilities(logits)?);
                }
                Ok(())
            })?;
            predictions.rows.extend(&input.batch.rows);
            if reporter.progress_due() || meter.is_complete() {
                let loss = totals.metrics(&self.unweighted)?.loss;
                let now = reporter.worked();
                let left = self.secs_left(&meter, now);
                reporter.send(meter.event(loss, left, now));
            }
        }
        ensure!(!predictions.rows.is_empty(), "no validation image could be read");
        let secs = meter.secs(reporter.worked());
        self.secs_per_validation_image = Some(secs / self.split.validation.len() as f64);
        // Training weights may give extreme validation losses for a while, because early running statistics can
        // explode.
        let metrics = totals.metrics(&self.unweighted)?;
        Ok(Some(Validated { metrics, predictions }))
    }

    /// Batches from images or from stored features.
    fn inputs(
        &self,
        batches: Vec<Vec<usize>>,
        augment_epoch: Option<usize>,
        network: &Network,
    ) -> anyhow::Result<InputIter> {
        let device = network.device();
        match &self.feed {
            BatchFeed::Images { workers } => {
                let loader = Loader::start(&self.source, batches, augment_epoch, *workers)
                    .context("cannot start the threads that decode images")?;
                Ok(Box::new(loader.map(|batch| Ok(Input { batch, features: None }))))
            }
            BatchFeed::Features { train, validation } => {
                let features = if augment_epoch.is_some() { train } else { validation }.clone();
                let source = Arc::clone(&self.source);
                Ok(Box::new(batches.into_iter().map(move |mut rows| {
                    rows.retain(|&row| features.has(row));
                    let view = |row| mix(source.seed, augment_epoch.unwrap_or(0) as u64, row as u64);
                    let features = Some(features.batch(&rows, view, device)?);
                    Ok(Input { batch: source.labelled(rows), features })
                })))
            }
        }
    }

    fn logits(&self, input: &Input, network: &Network, train: bool) -> anyhow::Result<Vec<Tensor>> {
        if let Some(features) = &input.features {
            return Ok(network.classify(features)?);
        }
        let (height, width) = self.source.cache.size();
        let shape = [input.batch.rows.len() as i64, i64::from(height), i64::from(width), 3];
        let bytes = Tensor::f_from_data_size(&input.batch.pixels, &shape, Kind::Uint8)?;
        let images = network.normalise(&bytes, self.kind)?;
        Ok(network.forward(&images, ForwardPass { train, kind: self.kind })?)
    }

    fn is_too_small(&self, input: &Input) -> bool {
        let (height, width) = self.source.cache.size();
        input.features.is_none() && is_single_value(input.batch.rows.len(), height, width)
    }

    /// Reports each image that failed or has a note once, not in every epoch.
    fn report_failures(&mut self, batch: &Batch, reporter: &mut Reporter) {
        for (row, message) in &batch.failures {
            if self.reported.insert(*row) {
                reporter.warn(format!("{message}; the run continues without this image"));
            }
        }
        for (row, message) in &batch.notes {
            if self.reported.insert(*row) {
                reporter.warn(message.clone());
            }
        }
    }

    /// Time to the end of the stage's last epoch. Before the first validation pass, a validation image is assumed to
    /// cost a third of a training image: forward without backward.
    fn secs_left(&self, meter: &Meter, now: Duration) -> f64 {
        let (n_train, n_validation) = (self.split.train.len() as f64, self.split.validation.len() as f64);
        let now = meter.secs_per_image(now);
        let per_train = match meter.phase {
            Phase::Train => now,
            Phase::Validation => self.secs_per_training_image.unwrap_or(3.0 * now),
        };
        let per_validation = match meter.phase {
            Phase::Train => self.secs_per_validation_image.unwrap_or(now / 3.0),
            Phase::Validation => now,
        };
        let rest_of_phase = (meter.of - meter.done.min(meter.of)) as f64 * now;
        let rest_of_epoch = match meter.phase {
            Phase::Train => rest_of_phase + n_validation * per_validation,
            Phase::Validation => rest_of_phase,
        };
        let epochs = self.epochs.saturating_sub(meter.epoch) as f64;
        rest_of_epoch + epochs * (n_train * per_train + n_validation * per_validation)
    }
}

/// Rejects settings that no network can be trained with, although every image can be read.
///
/// # Errors
/// Batch normalisation would only ever see one value per channel; the message says what to change.
pub fn check_batches(config: &Config, images: usize) -> anyhow::Result<()> {
    let model = &config.model;
    let batch = model.batch_size.min(images);
    if model.freeze_convolutional_layers || !is_single_value(batch, model.height, model.width) {
        return Ok(());
    }
    let small = format!(
        "at an `input_shape` as small as [{}, {}] batch normalisation needs at least 2 in a batch",
        model.height, model.width
    );
    ensure!(
        images > 1,
        "there is only one image to train with, and {small}: label more images, or set a larger `input_shape`"
    );
    bail!("`batch_size` is {batch}, and {small}: set a larger one");
}

/// Whether batch normalisation would see a single value per channel, which has no variance: one image that the last
/// layers reduce to one pixel.
fn is_single_value(images: usize, height: u32, width: u32) -> bool {
    images < 2 && last_size(height) * last_size(width) < 2
}

/// Side of the feature maps before pooling: the stem halves and trims, four blocks halve.
fn last_size(side: u32) -> u32 {
    let stem = (side.saturating_sub(3) / 2 + 1).saturating_sub(2);
    (0..4).fold(stem, |side, _| side.div_ceil(2))
}

/// A training loss that is not finite will not recover: the weights are invalid, too.
fn check_loss(loss: f64, epoch: usize) -> anyhow::Result<()> {
    if loss.is_finite() {
        return Ok(());
    }
    bail!(
        "the loss became {loss} in epoch {epoch}: start again with a lower `learning_rate` (a tenth, say); \
         the best weights of earlier epochs, if any, are kept"
    )
}

/// Progress and speed of a pass. Times are those of [`Reporter::worked`].
struct Meter {
    epoch: usize,
    phase: Phase,
    done: usize,
    of: usize,
    began: Duration,
    last: (Duration, usize),
    rate: Option<f64>,
}

impl Meter {
    fn new(epoch: usize, phase: Phase, of: usize, now: Duration) -> Self {
        Self { epoch, phase, done: 0, of, began: now, last: (now, 0), rate: None }
    }

    fn is_complete(&self) -> bool {
        self.done >= self.of
    }

    fn secs(&self, now: Duration) -> f64 {
        now.saturating_sub(self.began).as_secs_f64()
    }

    fn secs_per_image(&self, now: Duration) -> f64 {
        self.secs(now) / self.done.max(1) as f64
    }

    /// Smooths the rate over about the last ten events.
    fn event(&mut self, loss: f64, secs_left: f64, now: Duration) -> Event {
        let secs = now.saturating_sub(self.last.0).as_secs_f64();
        if secs > 0.0 && self.done > self.last.1 {
            let rate = (self.done - self.last.1) as f64 / secs;
            self.rate = Some(self.rate.map_or(rate, |old| old * 0.9 + rate * 0.1));
            self.last = (now, self.done);
        }
        Event::Batch(BatchProgress {
            epoch: self.epoch,
            phase: self.phase,
            done: self.done,
            of: self.of,
            images_per_sec: self.rate.unwrap_or(0.0),
            loss,
            secs_left,
        })
    }
}
