//! The training loop: epochs, what happens after each, and which weights are kept.

pub(super) mod prepare;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::{Config, Schedule, Task};
use tasklens_data::dataset::Rows;
use tasklens_data::files;
use tasklens_torch::memory::Keeping;
use tch::Kind;

use super::adam::Adam;
use super::balance::TaskBalance;
use super::events::{EpochMetrics, Event, Stage, StopReason, Stopped};
use super::passes::{BatchFeed, Passes, Progressed, Trained, Validated};
use super::predictions::Predictions;
use super::progress::{Behind, RunProgress};
use super::ranks::follower::{self, Directive};
use super::ranks::{Place, Ranks};
use super::reporter::Reporter;
use super::run_folder::{self, BEST, HISTORY, LAST, PREDICTIONS, WITHIN};
use super::setup::{self, StoppedEarly};
use super::stages::Rates;
use super::within::WithinEpoch;
use super::{Request, history, outputs};
use crate::inference::precision_name;
use crate::inference::samples::SampleSource;
use crate::model::checkpoint::{self, Description};
use crate::model::network::Network;

/// Trains as requested, at its place among several processes if it has one. The caller turns the result into the last
/// event.
pub(super) fn run(
    request: &Request,
    split_of: Option<&Path>,
    place: Option<Place>,
    reporter: &mut Reporter,
) -> anyhow::Result<Stopped> {
    let began = Instant::now();
    let trained = match place {
        None => lead(request, split_of, None, reporter, began),
        Some(place) => Ranks::join(place, request.resume, reporter).and_then(|ranks| {
            let ranks = Rc::new(ranks);
            let trained = if ranks.leads() {
                lead(request, split_of, Some(&ranks), reporter, began)
            } else {
                follower::run(request, &ranks, reporter)
            };
            trained.inspect_err(|error| ranks.fail(error))
        }),
    };
    match trained {
        Err(error) if error.is::<StoppedEarly>() => {
            let secs = began.elapsed().as_secs_f64();
            Ok(Stopped { why: StopReason::Asked, best_epoch: None, best: None, model: None, secs })
        }
        trained => trained,
    }
}

/// Trains as the process that decides, often the only one.
fn lead(
    request: &Request,
    split_of: Option<&Path>,
    ranks: Option<&Rc<Ranks>>,
    reporter: &mut Reporter,
    began: Instant,
) -> anyhow::Result<Stopped> {
    let config = &request.config;
    // Before anything is written, and not after hours. The window may have changed the config after reading it.
    if let Some((_, message)) = config.model.contradiction() {
        bail!(message);
    }
    outputs::check(config)?;
    let outside = if request.allow_outside { Vec::new() } else { outputs::outside(request) };
    ensure!(outside.is_empty(), outputs::told(config, &outside));
    let (folder, is_new) = setup::open_folder(request)?;
    let error = match Run::prepare(request, split_of, ranks, folder.clone(), reporter) {
        Ok(mut run) => {
            let stopped = run.train(reporter, began)?;
            if let Some(ranks) = ranks {
                ranks.say(&Directive::End)?;
            }
            return Ok(stopped);
        }
        Err(error) => error,
    };
    if is_new {
        reporter.end_log();
        run_folder::remove_unbegun(&folder);
    }
    Err(error)
}

struct Run {
    /// The config of the request, with what the run found out.
    config: Config,
    folder: PathBuf,
    rows: Arc<SampleSource>,
    network: Network,
    adam: Adam,
    /// Learnt weights of the tasks, where the config wants them.
    balance: Option<TaskBalance>,
    passes: Passes,
    progress: RunProgress,
    /// What a resumed run has to catch up on first.
    behind: Option<Behind>,
    kind: Kind,
    stage: Stage,
    /// Number of decoding threads.
    workers: usize,
    /// Other processes that train with this one, and do what it says.
    ranks: Option<Rc<Ranks>>,
    /// Each step takes the memory of the one before.
    _memory: Keeping,
}

impl Run {
    fn train(&mut self, reporter: &mut Reporter, began: Instant) -> anyhow::Result<Stopped> {
        let first = self.progress.epochs.len() + 1;
        let mut why = StopReason::Finished;
        if let Some(behind) = self.behind.take() {
            self.catch_up(&behind, reporter)?;
        }
        if self.progress.stopping.is_over() {
            return self.finish(StopReason::EarlyStopping, reporter, began);
        }
        for epoch in first..=self.config.model.epochs {
            self.enter_stage(epoch, reporter)?;
            let started = reporter.worked();
            let rate = self.progress.learning_rate;
            let batches = self.passes.batches();
            let rates = Rates::of(&self.config.model, epoch, batches, rate);
            let before = self.progress.within.as_ref().map_or(0.0, |within| within.secs);
            let Some(trained) = self.trained(epoch, rate, &rates, reporter)? else {
                why = StopReason::Asked;
                break;
            };
            if self.passes.is_due(reporter) {
                self.keep_within(trained.end.clone(), reporter)?;
            }
            let Some(validated) = self.validated(epoch, reporter)? else {
                self.keep_within(trained.end, reporter)?;
                why = StopReason::Asked;
                break;
            };
            let Trained { metrics: train, gradient_shares, images_per_sec, .. } = trained;
            self.tell_unvalidated(epoch, validated.metrics.loss, reporter);
            let verdict = self.progress.after_epoch(epoch, validated.metrics.loss, self.is_followed());
            let metrics = EpochMetrics {
                epoch,
                learning_rate: rates.at(batches - 1),
                secs: before + reporter.worked().saturating_sub(started).as_secs_f64(),
                images_per_sec,
                train,
                validation: validated.metrics,
                best: verdict.best,
                gradient_shares,
            };
            let reduced = self.reduced(metrics.validation.loss, rate);
            self.progress.learning_rate = reduced.unwrap_or(rate);
            self.progress.epochs.push(metrics.clone());
            self.progress.adam_steps = self.adam.steps();
            if verdict.best {
                self.progress.best = Some(metrics.clone());
            }
            // An epoch is complete once this is written: everything below can be derived from it if the run is killed
            // in between.
            self.checkpoint(LAST, epoch, false, reporter)?;
            self.forget_within();
            self.passes.on_kept(reporter);
            if verdict.best {
                self.keep_best(epoch, Some(&validated.predictions), reporter)?;
            }
            self.write_history(reporter)?;
            reporter.send(Event::Epoch(metrics));
            if let Some(learning_rate) = reduced {
                reporter.send(Event::LearningRateReduced { epoch, learning_rate });
            }
            if verdict.stop {
                why = StopReason::EarlyStopping;
                break;
            }
        }
        self.finish(why, reporter, began)
    }

    /// Trains for what is left of an epoch, and keeps its state every few minutes; `None` if the user stopped the run.
    fn trained(
        &mut self,
        epoch: usize,
        rate: f64,
        rates: &Rates,
        reporter: &mut Reporter,
    ) -> anyhow::Result<Option<Trained>> {
        loop {
            let from = self.progress.within.take();
            let from = from.and_then(|from| self.passes.continued(epoch, from, reporter));
            if let Some(ranks) = &self.ranks {
                let first = from.as_ref().map_or(0, |from| from.batches);
                ranks.say(&Directive::Train { epoch, first, rate })?;
            }
            let progressed =
                self.passes.train(epoch, from.as_ref(), rates, &self.network, &mut self.adam, reporter)?;
            match progressed {
                Progressed::Done(trained) => return Ok(Some(trained)),
                Progressed::Within(within) => self.keep_within(within, reporter)?,
            }
            if reporter.should_stop() {
                return Ok(None);
            }
        }
    }

    /// Writes where the epoch is, with everything that it goes on from.
    fn keep_within(&mut self, within: WithinEpoch, reporter: &mut Reporter) -> anyhow::Result<()> {
        let has_begun = within.batches > 0;
        self.progress.within = Some(within);
        self.progress.adam_steps = self.adam.steps();
        if has_begun {
            self.checkpoint(WITHIN, self.progress.epochs.len(), false, reporter)?;
        }
        self.passes.on_kept(reporter);
        Ok(())
    }

    /// The epoch is complete: what was kept within it is of no use, and is not read.
    fn forget_within(&mut self) {
        self.progress.within = None;
        let file = self.folder.join(WITHIN);
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            log::warn!("{} stays: {error}", file.display());
        }
    }

    /// Whether another stage follows the current one.
    fn is_followed(&self) -> bool {
        self.stage.is_followed(&self.config.model)
    }

    /// The new learning rate after an epoch with this loss, if the plateau rule applies and reduces it.
    fn reduced(&mut self, loss: f64, rate: f64) -> Option<f64> {
        let is_ruled = self.config.model.schedule == Schedule::Plateau && !self.is_followed();
        if is_ruled { self.progress.plateau.after_epoch(loss, rate) } else { None }
    }

    /// Starts the stage whose first epoch this is, and reports it.
    fn enter_stage(&mut self, epoch: usize, reporter: &mut Reporter) -> anyhow::Result<()> {
        let model = &self.config.model;
        let stage = Stage::of(model, epoch);
        if stage != self.stage {
            self.stage = stage;
            self.adam = stage.optimizer(model, &self.network, self.balance.as_ref())?;
            self.passes.go_on_with(BatchFeed::Images { workers: self.workers }, stage.epochs(model).1);
        }
        if model.frozen_epochs > 0 && epoch == stage.epochs(model).0 {
            reporter.send(Event::StageBegan { epoch, stage });
        }
        Ok(())
    }

    /// Validates the network as it will predict, with folded normalisation: in bf16 this rounds differently, which
    /// changes about one prediction in a few hundred.
    fn validated(&mut self, epoch: usize, reporter: &mut Reporter) -> anyhow::Result<Option<Validated>> {
        self.network.fold(self.kind)?;
        self.passes.validate(epoch, &self.network, reporter)
    }

    /// Reports it once for consecutive epochs.
    fn tell_unvalidated(&self, epoch: usize, loss: f64, reporter: &mut Reporter) {
        let was_finite = self.progress.epochs.last().is_none_or(|last| last.validation.loss.is_finite());
        if !loss.is_finite() && was_finite {
            reporter.warn(format!(
                "the validation loss of epoch {epoch} is {loss}: the run continues, and the epoch does not count as the best; \
                 if that persists, start again with a lower `learning_rate` (a tenth, say)"
            ));
        }
    }

    /// Finishes what a killed run did not after its last complete epoch: the best weights with their predictions, the
    /// history, the log.
    fn catch_up(&mut self, behind: &Behind, reporter: &mut Reporter) -> anyhow::Result<()> {
        if behind.lacks_best {
            let epoch = self.progress.epochs.len();
            let validated = self.validated(epoch, reporter)?;
            self.keep_best(epoch, validated.as_ref().map(|validated| &validated.predictions), reporter)?;
        }
        self.write_history(reporter)?;
        for metrics in self.progress.epochs.iter().filter(|metrics| metrics.epoch > behind.last_told) {
            reporter.send(Event::Epoch(metrics.clone()));
        }
        Ok(())
    }

    /// Saves the weights as the best; the file that marks them as such is written last.
    fn keep_best(
        &self,
        epoch: usize,
        predictions: Option<&Predictions>,
        reporter: &mut Reporter,
    ) -> anyhow::Result<()> {
        if let Some(predictions) = predictions {
            predictions.write(&self.folder.join(PREDICTIONS), self.rows_of_csv(), self.tasks())?;
        }
        self.checkpoint(BEST, epoch, true, reporter)
    }

    fn tasks(&self) -> &[Task] {
        &self.config.model.tasks
    }

    fn rows_of_csv(&self) -> &Rows {
        &self.rows.rows
    }

    /// Copies the best weights to the configured path.
    fn finish(
        &mut self,
        why: StopReason,
        reporter: &mut Reporter,
        began: Instant,
    ) -> anyhow::Result<Stopped> {
        if self.progress.epochs.is_empty() {
            if self.adam.steps() == 0 {
                let secs = began.elapsed().as_secs_f64();
                return Ok(Stopped { why, best_epoch: None, best: None, model: None, secs });
            }
            reporter.warn(
                "Stopped during the first epoch: its weights are kept, although they were not validated",
            );
            self.checkpoint(BEST, 0, false, reporter)?;
        } else if self.progress.epochs.iter().all(|metrics| !metrics.validation.loss.is_finite()) {
            reporter.warn(
                "the validation loss was not finite in any epoch: the last weights are kept, although nothing shows that \
                 they are good; start again with a lower `learning_rate` (a tenth, say)",
            );
            self.checkpoint(BEST, self.progress.epochs.len(), false, reporter)?;
        }
        let model = self.folder.join(BEST);
        if let Some(path) = &self.config.paths.model_path
            && let Err(error) = outputs::copy_model(&model, path)
        {
            reporter.warn(format!(
                "the best model stays at {}; it cannot be copied to `model_path`: {error:#}",
                model.display()
            ));
        }
        Ok(Stopped {
            why,
            best_epoch: self.progress.best().map(|metrics| metrics.epoch),
            best: self.progress.best().cloned(),
            model: Some(model).filter(|model| model.is_file()),
            secs: began.elapsed().as_secs_f64(),
        })
    }

    fn checkpoint(
        &self,
        name: &str,
        epoch: usize,
        best: bool,
        reporter: &mut Reporter,
    ) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        let model = &self.config.model;
        let resumable = name == LAST || name == WITHIN;
        let extra = if resumable {
            serde_json::to_value(&self.progress)?
        } else {
            serde_json::json!({ "metrics": self.progress.epochs.last() })
        };
        let description = Description {
            conventions: self.network.conventions(),
            epoch,
            config: self.config.to_yaml(),
            extra,
            ..Description::new(
                model.backbone,
                model.tasks.clone(),
                (model.height, model.width),
                precision_name(self.kind),
            )
        };
        // Prediction needs neither.
        let mut state = if resumable { self.adam.state() } else { Vec::new() };
        state.extend(self.balance.as_ref().filter(|_| resumable).map(TaskBalance::parameter));
        checkpoint::write(&path, &self.network, &description, &state)?;
        reporter.send(Event::Checkpoint { epoch, best, path });
        if let Some(ranks) = self.ranks.as_ref().filter(|_| resumable) {
            ranks.kept()?;
        }
        Ok(())
    }

    fn write_history(&self, reporter: &mut Reporter) -> anyhow::Result<()> {
        let names: Vec<String> = self.tasks().iter().map(|task| task.name.clone()).collect();
        let text = history::to_csv(&names, &self.progress.epochs);
        let own = self.folder.join(HISTORY);
        files::replace(&own, text.as_bytes()).with_context(|| format!("cannot write {}", own.display()))?;
        // The run has its own copy, so a failure here does not end it. Reported once, at its first epoch.
        if let Some(copy) = &self.config.paths.training_history_path
            && let Err(error) = outputs::write_history(&text, copy)
            && self.progress.epochs.len() == 1
        {
            reporter.warn(format!("the history is not copied to `training_history_path`: {error:#}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
