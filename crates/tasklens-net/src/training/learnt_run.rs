//! Saves heads that were fitted in Label as a run: the backbone is frozen, and the heads are fitted by [`heads`] to
//! all labelled images except those that the split keeps for validation.
//!
//! The folder looks like that of a trained run, so that Predict, Inspect, Compare and the command line can open it.
//! Its numbers mean the same: they are measured on validation images, which neither the heads nor the backbone have
//! seen.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use half::f16;
use tasklens_data::config::{Augmentation, ClassWeights, Config, OutputPath, Pretrained, TaskBalancing};
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::{Part, Split};
use tasklens_data::files;
use tasklens_data::text::{counted, plural};
use tasklens_data::work::KeepGoing;
use tch::{Device, Kind, Tensor, no_grad};

use super::events::{EpochMetrics, Event, LabelledImages, SplitMetrics, Started, StopReason, Stopped};
use super::heads::{self, Heads};
use super::metrics::{Totals, Weights};
use super::predictions::Predictions;
use super::run_folder::{self, BEST, CONFIG, EVENTS, HISTORY, PREDICTIONS};
use super::{base_network, history, outputs, seen, setup, split_file};
use crate::inference::checkpoint_of;
use crate::inference::outputs::{Features, OutputStore};
use crate::inference::samples::NO_LABEL;
use crate::model::backbone_file;
use crate::model::checkpoint::{self, Description};
use crate::model::network::{Network, is_backbone, probabilities};

/// Number of rows whose features are in memory at a time.
const CHUNK: usize = 4096;

/// A run that was saved from what Label had learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedRun {
    /// The new run folder.
    pub run: PathBuf,
    /// Number of training images.
    pub trained: usize,
    /// Number of validation images.
    pub validated: usize,
    /// Number of labelled images in neither, because they have no features yet or cannot be read.
    pub left_out: usize,
    /// Per task its name, and the number of correct and of all labelled validation images.
    pub scores: Vec<(String, usize, usize)>,
}

impl SavedRun {
    /// A summary in a few sentences.
    pub fn told(&self) -> String {
        let score = |(task, right, of): &(String, usize, usize)| format!("{task} {right} of {of}");
        let scores: Vec<String> = self.scores.iter().filter(|score| score.2 > 0).map(score).collect();
        let mut text = format!(
            "Saved as the run {}: trained on {}. Correct on validation images: {}",
            run_folder::name(&self.run),
            counted(self.trained, "image"),
            scores.join(", ")
        );
        if let Some(left_out) = left_out(self.left_out) {
            text = format!("{text}. {left_out}");
        }
        text
    }
}

fn left_out(images: usize) -> Option<String> {
    let it = plural(images, "it has", "they have");
    (images > 0).then(|| {
        format!("{} not used: {it} no features yet, or cannot be read", counted(images, "labelled image"))
    })
}

/// Fits heads on the stored features of `base` (a run or a checkpoint), and writes them with its backbone as a new
/// run of the config. Reads no images. `keep_going` gets (done, of) in processed rows; `None` if it cancelled.
///
/// # Errors
/// There is no labelled image for validation or none for training; the folder of runs is outside the project, without
/// permission by the user; the base cannot be read; or the disk is full. Then nothing of the run is left behind.
pub fn save(
    config: &Config,
    dataset: &Dataset,
    base: &Path,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<SavedRun>> {
    let began = Instant::now();
    let outside = config.outside(&[OutputPath::Runs]);
    ensure!(
        outside.is_empty(),
        "{}: allow it in Train, or set `paths.runs` to a folder in the project",
        outputs::told(config, &outside)
    );
    let checkpoint = checkpoint_of(base);
    let description = checkpoint::read_description(&checkpoint)?;
    let config = config_on(config, &description, &checkpoint)?;
    let known = Known::of(base, dataset)?;
    let (split, left_out) = split(dataset, base, &known)?;
    let Some(heads) = known.fit(dataset, &split.train, config.model.random_seed, keep_going)? else {
        return Ok(None);
    };
    let network = network(&config, &checkpoint, &heads)?;
    let measured = Measured::of(&network, &config, dataset, &known, &split)?;
    let run = run_folder::create(&config.paths.runs)?;
    let writing = Writing { run: &run, config: &config, dataset, split: &split, network: &network, left_out };
    if let Err(error) = writing.write(&description, &measured, began) {
        writing.discard();
        return Err(error);
    }
    let (trained, validated) = (split.train.len(), split.validation.len());
    Ok(Some(SavedRun { trained, validated, left_out, scores: measured.scores(&config), run }))
}

/// The config of the run: with the settings of the fit, and without those that had no effect.
fn config_on(config: &Config, description: &Description, checkpoint: &Path) -> anyhow::Result<Config> {
    let mut config = config.clone();
    let model = &mut config.model;
    let is_own = model.backbone == description.backbone()? && base_network::is_base(checkpoint);
    if !is_own {
        let is_public = base_network::is_base(checkpoint);
        model.pretrained =
            if is_public { Pretrained::Auto } else { Pretrained::File(checkpoint.to_path_buf()) };
    }
    model.backbone = description.backbone()?;
    (model.height, model.width) = (description.height, description.width);
    model.freeze_convolutional_layers = true;
    (model.epochs, model.frozen_epochs, model.backbone_learning_rate) = (1, 0, None);
    (model.class_weights, model.label_smoothing) = (ClassWeights::None, 0.0);
    model.task_balancing = TaskBalancing::Fixed;
    model.augmentation = Augmentation::none();
    // Copies of output files are only for trained runs.
    (config.paths.model_path, config.paths.training_history_path) = (None, None);
    Ok(config)
}

/// The stored features of a dataset's rows.
struct Known {
    features: Features,
    /// Per row its index in them.
    items: Vec<Option<usize>>,
}

impl Known {
    fn of(base: &Path, dataset: &Dataset) -> anyhow::Result<Self> {
        let outputs = OutputStore::of(base)?.load()?;
        let places = outputs.places();
        let items = dataset.rows.iter().map(|row| places.get(&*row.image).copied()).collect();
        Ok(Self { features: outputs.features, items })
    }

    fn pick(&self, rows: &[usize]) -> Features {
        self.features.pick(&rows.iter().filter_map(|row| self.items[*row]).collect::<Vec<_>>())
    }

    fn fit(
        &self,
        dataset: &Dataset,
        rows: &[usize],
        seed: u64,
        keep_going: &mut KeepGoing<'_>,
    ) -> anyhow::Result<Option<Heads>> {
        let of_task = |task: usize| rows.iter().map(|row| dataset.rows[*row].labels[task].class()).collect();
        let labels: Vec<Vec<Option<u32>>> = (0..dataset.tasks.len()).map(of_task).collect();
        heads::fit_heads(&self.pick(rows), &labels, &dataset.tasks, seed, keep_going)
    }
}

/// The training and validation rows of the heads, and the number of rows without features. Rows that the network of
/// `base` was trained on are not used for validation.
fn split(dataset: &Dataset, base: &Path, known: &Known) -> anyhow::Result<(Split, usize)> {
    let Split { mut train, mut validation } = Split::clone(&dataset.split);
    let before = train.len() + validation.len();
    train.retain(|row| known.items[*row].is_some());
    validation.retain(|row| known.items[*row].is_some());
    let left_out = before - train.len() - validation.len();
    if !base_network::is_base(&checkpoint_of(base)) {
        let Some(seen) = seen::of_run(base, dataset)? else {
            bail!(
                "{} does not tell which images it was trained on, so there are none to validate with: fit heads \
                 on a network that does, or train a network",
                base.display()
            );
        };
        let (by_heart, new) = validation.into_iter().partition(|row| seen.parts[*row] == Some(Part::Train));
        validation = new;
        train.extend::<Vec<usize>>(by_heart);
        train.sort_unstable();
    }
    let none = |what: &str| {
        let missing = left_out_of(left_out);
        format!("no labelled image is left to {what}{missing}: label some more, then save again")
    };
    ensure!(!train.is_empty(), none("train on"));
    ensure!(
        !validation.is_empty(),
        none("validate with (`model.validation_split` or `model.split_column` selects them)")
    );
    Ok((Split { train, validation }, left_out))
}

fn left_out_of(images: usize) -> String {
    left_out(images).map_or_else(String::new, |left_out| format!(" ({left_out})"))
}

/// The backbone of a checkpoint with new heads.
fn network(config: &Config, checkpoint: &Path, heads: &Heads) -> anyhow::Result<Network> {
    let model = &config.model;
    let mut network = Network::new(model.backbone, &model.tasks, model.random_seed, Device::Cpu)?;
    backbone_file::load(&mut network, checkpoint)?;
    let dimensions = model.backbone.facts().features;
    let mut values = HashMap::new();
    for (task, head) in model.tasks.iter().zip(&heads.tasks) {
        let weights = Tensor::f_from_slice(&head.weights)?.f_view([-1, dimensions])?;
        values.insert(format!("heads.{}.weight", task.name), weights);
        values.insert(format!("heads.{}.bias", task.name), Tensor::f_from_slice(&head.biases)?);
    }
    network.load(&values, |name| !is_backbone(name))?;
    Ok(network)
}

/// The network's outputs for both parts.
struct Measured {
    train: SplitMetrics,
    validation: SplitMetrics,
    predictions: Predictions,
    /// Validation labels per task.
    labelled: Vec<LabelledImages>,
}

impl Measured {
    fn of(
        network: &Network,
        config: &Config,
        dataset: &Dataset,
        known: &Known,
        split: &Split,
    ) -> anyhow::Result<Self> {
        let (train, _) = measure(network, config, dataset, known, &split.train)?;
        let (validation, predictions) = measure(network, config, dataset, known, &split.validation)?;
        let labelled = setup::labelled(config, dataset, &split.validation);
        Ok(Self { train, validation, predictions, labelled })
    }

    fn scores(&self, config: &Config) -> Vec<(String, usize, usize)> {
        let tasks = config.model.tasks.iter().zip(&self.labelled).zip(&self.validation.task_accuracy);
        // Without a label the accuracy is NaN, which becomes 0.
        tasks
            .map(|((task, labelled), accuracy)| {
                (task.name.clone(), (accuracy * labelled.images as f64).round() as usize, labelled.images)
            })
            .collect()
    }
}

fn measure(
    network: &Network,
    config: &Config,
    dataset: &Dataset,
    known: &Known,
    rows: &[usize],
) -> anyhow::Result<(SplitMetrics, Predictions)> {
    let model = &config.model;
    let weights = Weights::without_classes(model.task_weights.clone());
    let mut totals = Totals::new(model.tasks.len(), Device::Cpu)?;
    let mut predictions = Predictions::new(model.tasks.len());
    no_grad(|| {
        for rows in rows.chunks(CHUNK) {
            let logits = network.classify(&features_of(&known.pick(rows))?)?;
            let labels = |task: usize| rows.iter().map(move |row| dataset.rows[*row].labels[task].class());
            let labels = (0..model.tasks.len()).flat_map(labels);
            let labels: Vec<i64> = labels.map(|label| label.map_or(NO_LABEL, i64::from)).collect();
            totals.add(&logits, &labels, &weights)?;
            predictions.rows.extend(rows);
            for (all, logits) in predictions.probabilities.iter_mut().zip(&logits) {
                all.extend(probabilities(logits)?);
            }
        }
        Ok((totals.metrics(&weights)?, predictions))
    })
}

/// Features `[N, D]` in float32.
fn features_of(features: &Features) -> anyhow::Result<Tensor> {
    let halves: Vec<f16> = (0..features.len()).flat_map(|item| features.half(item)).copied().collect();
    let shape = [features.len() as i64, features.dimensions() as i64];
    let tensor = Tensor::f_from_data_size(bytemuck::cast_slice(&halves), &shape, Kind::Half)?;
    Ok(tensor.f_to_kind(Kind::Float)?)
}

/// A run folder that is being written.
struct Writing<'a> {
    run: &'a Path,
    config: &'a Config,
    dataset: &'a Dataset,
    split: &'a Split,
    network: &'a Network,
    left_out: usize,
}

impl Writing<'_> {
    /// The checkpoint is written last except for the events: before that it does not count as a run.
    fn write(&self, base: &Description, measured: &Measured, began: Instant) -> anyhow::Result<()> {
        let Self { run, config, dataset, split, .. } = self;
        let epoch = EpochMetrics {
            epoch: 1,
            learning_rate: 0.0,
            secs: began.elapsed().as_secs_f64(),
            images_per_sec: 0.0,
            train: measured.train.clone(),
            validation: measured.validation.clone(),
            best: true,
            gradient_shares: Vec::new(),
        };
        self.put(CONFIG, config.to_yaml_in(run).as_bytes())?;
        split_file::write(run, dataset, split)?;
        let names: Vec<String> = config.model.tasks.iter().map(|task| task.name.clone()).collect();
        self.put(HISTORY, history::to_csv(&names, std::slice::from_ref(&epoch)).as_bytes())?;
        measured.predictions.write(&run.join(PREDICTIONS), &dataset.rows, &config.model.tasks)?;
        let description = Description {
            tasks: config.model.tasks.clone(),
            epoch: 1,
            config: config.to_yaml(),
            extra: serde_json::json!({ "metrics": epoch }),
            ..base.clone()
        };
        checkpoint::write(&run.join(BEST), self.network, &description, &[])?;
        let mut lines = String::new();
        for event in self.events(&description.precision, measured, &epoch, began) {
            lines += &(serde_json::to_string(&event)? + "\n");
        }
        self.put(EVENTS, lines.as_bytes())
    }

    fn events(
        &self,
        precision: &str,
        measured: &Measured,
        epoch: &EpochMetrics,
        began: Instant,
    ) -> Vec<Event> {
        let started = Started {
            run: self.run.to_path_buf(),
            device: "CPU".to_owned(),
            precision: precision.to_owned(),
            parameters: self.network.parameters().count(),
            n_train: self.split.train.len(),
            n_validation: self.split.validation.len(),
            tasks: self.config.model.tasks.iter().map(|task| task.name.clone()).collect(),
            validation_labels: measured.labelled.clone(),
            epochs: 1,
            epochs_done: 0,
            weights: "heads fitted while labelling, on a backbone that stays as it is".to_owned(),
            found_batch_size: None,
        };
        let stopped = Stopped {
            why: StopReason::Finished,
            best_epoch: Some(1),
            best: Some(epoch.clone()),
            model: Some(self.run.join(BEST)),
            secs: began.elapsed().as_secs_f64(),
        };
        let warning = left_out(self.left_out).map(Event::warning);
        let mut events = vec![Event::Started(started)];
        events.extend(warning);
        events.extend([
            Event::Epoch(epoch.clone()),
            Event::Checkpoint { epoch: 1, best: true, path: self.run.join(BEST) },
            Event::Stopped(stopped),
        ]);
        events
    }

    fn put(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let file = self.run.join(name);
        files::replace(&file, bytes).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Removes a run that could not be written completely.
    fn discard(&self) {
        for name in [BEST, PREDICTIONS, HISTORY] {
            // The folder stays if something in it cannot be removed.
            let _ = std::fs::remove_file(self.run.join(name));
        }
        run_folder::remove_unbegun(self.run);
    }
}

#[cfg(test)]
mod tests;
