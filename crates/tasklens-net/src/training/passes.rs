//! Passes over the training rows and over the validation rows.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::Config;
use tasklens_data::dataset::split::Split;
use tch::{Device, Kind, Tensor, no_grad};

use super::adam::Adam;
use super::events::{Phase, SplitMetrics};
use super::features::TrainingFeatures;
use super::gradient_shares::GradientShares;
use super::latest::Latest;
use super::meter::{Left, Meter};
use super::metrics::{Totals, Weights};
use super::predictions::Predictions;
use super::ranks::{Gradients, Ranks, Together};
use super::reporter::Reporter;
use super::setup;
use super::stages::Rates;
use super::within::{KEEP_EVERY, Shared, Totalled, WithinEpoch, order_of};
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

/// How far a training pass came.
pub enum Progressed {
    /// To its end.
    Done(Trained),
    /// To a batch after which its state is to be kept, or where the user stopped it: it goes on from there.
    Within(WithinEpoch),
}

/// The result of a training pass.
pub struct Trained {
    /// Loss and accuracy while the weights were changing.
    pub metrics: SplitMetrics,
    /// Per task its share of the gradient on the features; empty if it was not measured.
    pub gradient_shares: Vec<f64>,
    /// Images per second over the whole pass.
    pub images_per_sec: f64,
    /// Its end, for a run that is left before the images for validation are through.
    pub end: WithinEpoch,
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
    /// How much work passes until the state within an epoch is to be kept.
    pub keep_every: Duration,
    /// The work at which the state of the run was kept last.
    kept: Duration,
    /// Other processes, each with its part of every batch for training.
    ranks: Option<Rc<Ranks>>,
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
    /// Other processes that train with this one.
    pub ranks: Option<&'a Rc<Ranks>>,
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
        let PassPlan { config, last, device, kind, ranks } = plan;
        let threads = setup::threads(config, ranks.map(|ranks| ranks.place()));
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
            cores: FreeCores::new(device, threads),
            reported: HashSet::new(),
            secs_per_validation_image: None,
            secs_per_training_image: None,
            keep_every: KEEP_EVERY,
            kept: Duration::ZERO,
            ranks: ranks.map(Rc::clone),
        }
    }

    /// The state of the run is on the disk.
    pub fn on_kept(&mut self, reporter: &Reporter) {
        self.kept = reporter.worked();
    }

    /// Whether it is time to keep the state within an epoch.
    pub fn is_due(&self, reporter: &Reporter) -> bool {
        reporter.worked().saturating_sub(self.kept) >= self.keep_every
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

    /// Trains for one epoch, or for what is left of it `from` a batch on, as far as [`Self::continued`] lets it. Of
    /// several processes, all do it at the same time.
    pub fn train(
        &mut self,
        epoch: usize,
        from: Option<&WithinEpoch>,
        rates: &Rates,
        network: &Network,
        adam: &mut Adam,
        reporter: &mut Reporter,
    ) -> anyhow::Result<Progressed> {
        let mut batches = shuffled_batches(&self.split.train, self.batch_size, self.source.seed, epoch);
        let order = order_of(&batches);
        let before = from.map_or((0, 0, 0, 0.0), |at| (at.batches, at.done, at.used, at.secs));
        let (first, done, mut used, secs_before) = before;
        let mut rest = batches.split_off(first.min(batches.len()));
        let sizes: Vec<usize> = rest.iter().map(Vec::len).collect();
        let others = match &self.ranks {
            Some(ranks) => {
                rest = rest.iter().map(|batch| ranks.part(batch).to_vec()).collect();
                Some((Rc::clone(ranks), Gradients::new(&adam.shapes())?))
            }
            None => None,
        };
        // Processes that train together leave an epoch after the same batch.
        let mut all_leave = false;
        let (mut totals, mut shares) = match from {
            Some(at) => at.sums(network.device())?,
            None => (
                Totals::new(self.source.tasks, network.device())?,
                GradientShares::new(self.source.tasks, network.device())?,
            ),
        };
        let mut latest = Latest::since(totals.numbers()?);
        let mut meter = Meter::new(
            epoch,
            Phase::Train,
            (done, self.split.train.len()),
            self.secs_per_training_image,
            reporter.worked(),
        );
        let state = |batches, used, meter: &Meter, totals: &Totals, shares: &GradientShares, now| {
            let secs = secs_before + meter.secs(now);
            let (totals, shares) = (totals.numbers()?, shares.numbers()?);
            anyhow::Ok(WithinEpoch { epoch, batches, order, done: meter.done, used, secs, totals, shares })
        };
        let count = first + rest.len();
        for ((batch, size), input) in (first..).zip(sizes).zip(self.inputs(rest, Some(epoch), network)?) {
            let stop = reporter.should_stop();
            let keep = batch > first && self.is_due(reporter);
            if all_leave || (others.is_none() && (stop || keep)) {
                let totals = self.over_all(totals, network)?;
                return state(batch, used, &meter, &totals, &shares, reporter.worked())
                    .map(Progressed::Within);
            }
            let input = input?;
            self.cores.follow();
            meter.done += size;
            self.report_failures(&input.batch, reporter);
            let is_used = !input.batch.rows.is_empty() && !self.is_too_small(&input);
            let rows = if is_used { input.batch.rows.len() } else { 0 };
            let mut loss = None;
            if is_used {
                let logits = self.logits(&input, network, true)?;
                loss = totals.add(&logits, &input.batch.labels, &self.weights)?;
                if let Some(loss) = &loss {
                    latest.add(rows);
                    shares.follow(loss, &logits, network.head_weights())?;
                }
            }
            if let Some((ranks, gradients)) = &others {
                let own = Together { rows, stop, keep: keep && ranks.leads() };
                let together = step_together(ranks, gradients, own, loss, adam, rates.at(batch))?;
                used += together.rows;
                all_leave = together.stop || together.keep;
                if together.stop {
                    reporter.ask_to_stop();
                }
            } else {
                used += rows;
                if let Some(loss) = &loss {
                    adam.step(loss, rates.at(batch))?;
                }
            }
            if reporter.progress_due() || meter.is_complete() {
                let sums = totals.numbers()?;
                let loss = sums.metrics(&self.weights).loss;
                check_loss(loss, epoch)?;
                meter.measure(reporter.worked());
                let latest = latest.take(&sums, &self.weights);
                reporter.send(meter.event(loss, self.left(&meter), latest));
            }
        }
        ensure!(used > 0, "none of the {} images to train with can be used", self.split.train.len());
        let now = reporter.worked();
        self.secs_per_training_image = meter.secs_per_image(now).or(self.secs_per_training_image);
        let totals = self.over_all(totals, network)?;
        let metrics = totals.metrics(&self.weights)?;
        check_loss(metrics.loss, epoch)?;
        let end = state(count, used, &meter, &totals, &shares, now)?;
        let images_per_sec = used as f64 / end.secs;
        Ok(Progressed::Done(Trained { metrics, gradient_shares: shares.mean()?, images_per_sec, end }))
    }

    /// What all processes have come to together: sums, and statistics of batch normalisation.
    fn over_all(&self, totals: Totals, network: &Network) -> anyhow::Result<Totals> {
        let Some(ranks) = &self.ranks else { return Ok(totals) };
        if matches!(self.feed, BatchFeed::Images { .. }) {
            ranks.average(network.parameters().iter().filter(|p| !p.trainable).map(|p| &p.tensor))?;
        }
        let Totalled { loss, correct, counts } = totals.numbers()?;
        let tasks = counts.len();
        let mut all = [loss, correct, counts.iter().map(|count| *count as f64).collect()].concat();
        ranks.sum_numbers(&mut all)?;
        let counts = all[2 * tasks..].iter().map(|count| *count as usize).collect();
        let (loss, correct) = (all[..tasks].to_vec(), all[tasks..2 * tasks].to_vec());
        Ok(Totals::of(&Totalled { loss, correct, counts }, network.device())?)
    }

    /// Where `batches` batches of an epoch are behind it, with nothing summed up: that is done by the process that leads.
    pub fn behind(&self, epoch: usize, batches: usize) -> Option<WithinEpoch> {
        let all = shuffled_batches(&self.split.train, self.batch_size, self.source.seed, epoch);
        let done = all.iter().take(batches).map(Vec::len).sum();
        let zeros = vec![0.0; self.source.tasks];
        let counts = vec![0; self.source.tasks];
        let totals = Totalled { loss: zeros.clone(), correct: zeros.clone(), counts };
        let shares = Shared { sum: zeros, batches };
        let order = order_of(&all);
        (batches > 0).then_some(WithinEpoch {
            epoch,
            batches,
            order,
            done,
            used: done,
            secs: 0.0,
            totals,
            shares,
        })
    }

    /// What of `from` the epoch can go on with: the sums of other batches are not those of these.
    pub fn continued(&self, epoch: usize, from: WithinEpoch, reporter: &mut Reporter) -> Option<WithinEpoch> {
        let order = order_of(&shuffled_batches(&self.split.train, self.batch_size, self.source.seed, epoch));
        if from.epoch == epoch && from.order == order && from.fits(self.source.tasks) {
            return Some(from);
        }
        reporter.warn(format!(
            "epoch {epoch} begins again, with what it had learnt so far: its images, or their batches, are others than \
             when the run was left"
        ));
        None
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
        let mut meter = Meter::new(
            epoch,
            Phase::Validation,
            (0, self.split.validation.len()),
            self.secs_per_validation_image,
            reporter.worked(),
        );
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
                meter.measure(reporter.worked());
                reporter.send(meter.event(loss, self.left(&meter), None));
            }
        }
        ensure!(!predictions.rows.is_empty(), "no validation image could be read");
        self.secs_per_validation_image = meter.secs_per_image(reporter.worked());
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
        let pass = if train { ForwardPass::train(self.kind) } else { ForwardPass::evaluate(self.kind) };
        Ok(network.forward(&images, pass)?)
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

    /// What is left at the rate that is shown beside it, once there is one. Until it was measured, a validation image is
    /// assumed to cost a third of a training image: forward without backward.
    fn left(&self, meter: &Meter) -> Option<Left> {
        let (n_train, n_validation) = (self.split.train.len() as f64, self.split.validation.len() as f64);
        let now = meter.rate()?.recip();
        let (per_train, per_validation) = match meter.phase {
            Phase::Train => (now, self.secs_per_validation_image.unwrap_or(now / 3.0)),
            Phase::Validation => (self.secs_per_training_image.unwrap_or(3.0 * now), now),
        };
        let phase = (meter.of - meter.done.min(meter.of)) as f64 * now;
        let rest_of_epoch = match meter.phase {
            Phase::Train => phase + n_validation * per_validation,
            Phase::Validation => phase,
        };
        let epochs = self.epochs.saturating_sub(meter.epoch) as f64;
        Some(Left {
            phase,
            all: rest_of_epoch + epochs * (n_train * per_train + n_validation * per_validation),
        })
    }
}

/// A step with the gradients of all processes, each of which has a `loss` on its own part, or none.
fn step_together(
    ranks: &Ranks,
    gradients: &Gradients,
    own: Together,
    loss: Option<Tensor>,
    adam: &mut Adam,
    rate: f64,
) -> anyhow::Result<Together> {
    let of_part = loss.map(|loss| adam.gradients(&loss)).transpose()?.unwrap_or_default();
    gradients.put(&of_part, own)?;
    ranks.sum(gradients.tensor())?;
    let (of_all, together) = gradients.take(adam.device())?;
    if of_all.iter().any(Tensor::defined) {
        adam.apply(&of_all, rate)?;
    }
    Ok(together)
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
