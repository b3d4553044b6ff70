//! The state of a run after its last complete epoch, or within the one that follows, and how a resumed run continues
//! from there.
//!
//! `last.safetensors` is written first after an epoch and completes it; `best.safetensors` follows and states which
//! epoch it holds. After a kill in between, the former contains the weights for the latter.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tasklens_data::config::{Config, Task};
use tch::Tensor;

use super::adam;
use super::balance::LOG_VARIANCES;
use super::events::EpochMetrics;
use super::reporter::Reporter;
use super::run_folder::{BEST, CONFIG, LAST, RunRecord, WITHIN};
use super::schedule::{EarlyStopping, ReduceLrOnPlateau, StoppingVerdict};
use super::within::WithinEpoch;
use crate::device::Device;
use crate::model::checkpoint::{self, Description, Further};
use crate::model::network::Network;

/// More steps than any run takes, with room for further counting.
const MOST_STEPS: u64 = 1 << 52;

/// Everything besides the tensors that changes from epoch to epoch, for resuming.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunProgress {
    pub learning_rate: f64,
    pub plateau: ReduceLrOnPlateau,
    pub stopping: EarlyStopping,
    pub epochs: Vec<EpochMetrics>,
    /// The epoch whose weights are kept as the best; missing in files of older versions.
    #[serde(default)]
    pub best: Option<EpochMetrics>,
    pub adam_steps: u64,
    pub weights: String,
    /// Where it is in the epoch after them; only in [`WITHIN`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<WithinEpoch>,
}

/// What a killed run did not finish after its last complete epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The weights of the last epoch are the best, but not saved as such yet.
    pub lacks_best: bool,
    /// The last epoch in the log; 0 if it has none.
    pub last_told: usize,
}

/// The metadata of `best.safetensors`.
struct Held {
    epoch: usize,
    /// Validation loss; `None` if it was not validated.
    metrics: Option<EpochMetrics>,
}

impl RunProgress {
    /// The state before the first epoch.
    pub fn new(config: &Config, weights: String) -> Self {
        let model = &config.model;
        Self {
            learning_rate: model.learning_rate,
            plateau: ReduceLrOnPlateau::new(
                model.lr_reducer_factor,
                model.lr_reducer_patience,
                model.lr_reducer_min_delta,
                model.lr_reducer_cooldown,
                model.min_lr,
            ),
            stopping: EarlyStopping::new(model.early_stopping_patience, model.early_stopping_min_delta),
            epochs: Vec::new(),
            best: None,
            adam_steps: 0,
            weights,
            within: None,
        }
    }

    /// Takes the settings of the schedule from `config`, and also the learning rate if it differs from that in the
    /// run's previous config.
    fn follow(&mut self, config: &Config, left_with: &Path) {
        let new = Self::new(config, String::new());
        self.plateau.follow(&new.plateau);
        self.stopping.follow(&new.stopping);
        let rate = config.model.learning_rate;
        if Config::open(left_with).is_ok_and(|old| old.model.learning_rate != rate) {
            self.learning_rate = rate;
        }
    }

    /// Records the validation loss of an epoch. In a stage that is followed by another, there is no early stopping,
    /// and losses do not count for the next stage.
    pub fn after_epoch(&mut self, epoch: usize, loss: f64, is_followed: bool) -> StoppingVerdict {
        let verdict = self.stopping.after_epoch(epoch, loss);
        if !is_followed {
            return verdict;
        }
        self.stopping.forget_wait();
        StoppingVerdict { stop: false, ..verdict }
    }

    /// Metrics of the epoch whose weights are kept.
    pub fn best(&self) -> Option<&EpochMetrics> {
        let best = self.stopping.best_epoch()?;
        let is_best = |metrics: &&EpochMetrics| metrics.epoch == best;
        self.best.as_ref().filter(is_best).or_else(|| self.epochs.iter().find(is_best))
    }

    /// Checks whether a run with this many tasks can continue from it: the file may come from anywhere.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check(&self, tasks: usize) -> anyhow::Result<()> {
        let rate = self.learning_rate;
        ensure!(rate.is_finite() && (0.0..=1.0).contains(&rate), "its learning rate is {rate}");
        ensure!(self.adam_steps <= MOST_STEPS, "it has taken {} steps", self.adam_steps);
        let best = self.best.iter().map(|epoch| (epoch.epoch, epoch));
        for (number, epoch) in (1..).zip(&self.epochs).chain(best) {
            let per_task = [&epoch.train, &epoch.validation]
                .into_iter()
                .flat_map(|split| [split.task_loss.len(), split.task_accuracy.len()]);
            let has_shares = [0, tasks].contains(&epoch.gradient_shares.len());
            ensure!(
                epoch.epoch == number && has_shares && per_task.into_iter().all(|length| length == tasks),
                "the metrics of its epoch {number} are not those of {tasks} tasks"
            );
        }
        Ok(())
    }

    /// Ensures that the best epoch is the one that `best.safetensors` holds, or will hold. Writes nothing.
    pub fn settle(&mut self, folder: &Path, config: &Config, reporter: &mut Reporter) -> Behind {
        let held = held(&folder.join(BEST), &config.model.tasks).unwrap_or_else(|error| {
            reporter.warn(format!("{error:#}"));
            None
        });
        let (lacks_best, notice) = self.agree_with(held);
        if let Some(notice) = notice {
            reporter.warn(notice);
        }
        let record = RunRecord::open(folder).ok();
        let last_told = record.and_then(|record| record.epochs.last().map(|metrics| metrics.epoch));
        Behind { lacks_best, last_told: last_told.unwrap_or(0) }
    }

    /// Whether to write `best.safetensors` from the weights of the last epoch, and a message for the user.
    fn agree_with(&mut self, held: Option<Held>) -> (bool, Option<String>) {
        let (best, last) = (self.stopping.best_epoch(), self.epochs.len());
        let is_validated = |held: &Held| held.metrics.as_ref().is_some_and(|m| m.validation.loss.is_finite());
        match held {
            // No validation loss has been finite so far; weights are kept for want of better ones.
            held if best.is_none() && !held.as_ref().is_some_and(is_validated) => (false, None),
            Some(Held { epoch, metrics }) if Some(epoch) == best => {
                self.best = metrics.or_else(|| self.best().cloned());
                (false, None)
            }
            held if best == Some(last) && held.as_ref().is_none_or(|held| held.epoch < last) => (true, None),
            Some(Held { epoch, metrics: Some(metrics) }) => {
                self.stopping.keep(Some((epoch, metrics.validation.loss)), last);
                self.best = Some(metrics);
                let notice = format!(
                    "{BEST} holds the weights of epoch {epoch}, which {LAST} does not list as the \
                     best: they are kept until a better epoch"
                );
                (false, Some(notice))
            }
            _ => {
                self.stopping.keep(None, last);
                self.best = None;
                let notice =
                    format!("The best weights, {BEST}, are lost: those of the next epoch replace them");
                (false, Some(notice))
            }
        }
    }
}

/// The metadata of a file of best weights; `None` if there is none.
fn held(file: &Path, tasks: &[Task]) -> anyhow::Result<Option<Held>> {
    if !file.is_file() {
        return Ok(None);
    }
    let Description { epoch, mut extra, tasks: own, .. } = checkpoint::read_description(file)?;
    ensure!(own == tasks, "{} has other tasks or labels than the run", file.display());
    let metrics = extra.get_mut("metrics").map(serde_json::Value::take).unwrap_or_default();
    let metrics = serde_json::from_value(metrics)
        .with_context(|| format!("{} has unreadable metadata", file.display()))?;
    Ok(Some(Held { epoch, metrics }))
}

/// What the file holds beside the network.
const FURTHER: Further = Further { prefixes: &adam::PREFIXES, per_task: &[LOG_VARIANCES] };

/// State of the optimizer and learnt weights of the tasks, by name.
pub type State = HashMap<String, Tensor>;

/// Loads network, progress and [`State`] of where a run was left: within an epoch, or after the last complete one.
pub fn load_last(
    folder: &Path,
    config: &Config,
    device: &Device,
    reporter: &mut Reporter,
) -> anyhow::Result<(Network, RunProgress, State)> {
    let (last, within) = (folder.join(LAST), folder.join(WITHIN));
    if !within.is_file() {
        return load_from(&last, folder, config, device);
    }
    let epochs = |file: &Path| checkpoint::read_description(file).map(|description| description.epoch);
    // The end of an epoch is written before what was kept within it goes.
    let is_newer = |file: &Path| anyhow::Ok(!last.is_file() || epochs(file)? >= epochs(&last)?);
    match is_newer(&within).and_then(|is_newer| match is_newer {
        true => load_from(&within, folder, config, device),
        false => load_from(&last, folder, config, device),
    }) {
        Err(error) if last.is_file() => {
            let loaded = load_from(&last, folder, config, device)?;
            reporter.warn(format!("{error:#}: the run goes on from its last complete epoch"));
            Ok(loaded)
        }
        loaded => loaded,
    }
}

fn load_from(
    file: &Path,
    folder: &Path,
    config: &Config,
    device: &Device,
) -> anyhow::Result<(Network, RunProgress, State)> {
    let loaded = checkpoint::load_with(file, device.tch, FURTHER)?;
    ensure!(
        loaded.description.tasks == config.model.tasks,
        "{} was trained for other tasks or labels than the config has: start a new run",
        file.display()
    );
    ensure!(
        loaded.description.backbone()? == config.model.backbone,
        "{} has the backbone {}, the config another: start a new run",
        file.display(),
        loaded.description.backbone
    );
    let (then, now) =
        ([loaded.description.height, loaded.description.width], [config.model.height, config.model.width]);
    // Its losses and best weights refer to images of that size.
    ensure!(
        then == now,
        "{} was trained with `input_shape: {then:?}`, and the config has {now:?}: set it as it was, or start a new run",
        file.display()
    );
    let mut progress: RunProgress = serde_json::from_value(loaded.description.extra)
        .with_context(|| format!("{} lacks what a resumed run needs", file.display()))?;
    progress
        .check(config.model.tasks.len())
        .with_context(|| format!("{} cannot be resumed: start a new run", file.display()))?;
    progress.follow(config, &folder.join(CONFIG));
    Ok((loaded.network, progress, loaded.tensors))
}

#[cfg(test)]
mod tests;
