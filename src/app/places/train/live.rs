//! What is known of the run that is watched, built from its events alone.

use std::path::PathBuf;

use tasklens_net::evaluation::verdict::{self, Finding};
use tasklens_net::training::events::{BatchProgress, EpochMetrics, Event, Stage, Started, Stopped};
use tasklens_net::training::run_folder::RunRecord;

use super::curves::Curves;

/// Work before the first epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Preparing {
    /// What is being done.
    pub what: String,
    /// How much is done.
    pub done: u64,
    /// How much there is; 0 when unknown.
    pub of: u64,
}

/// How the run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With its best weights in place.
    Stopped(Stopped),
    /// With an error.
    Failed(String),
}

/// The run that is watched, or was last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveRun {
    /// The latest work before the first epoch.
    pub preparing: Option<Preparing>,
    /// Facts of the run, once it exists.
    pub started: Option<Started>,
    /// Progress within the epoch.
    pub progress: Option<BatchProgress>,
    /// Its curves so far.
    pub curves: Curves,
    /// Its epochs so far.
    pub epochs: Vec<EpochMetrics>,
    /// The best epoch so far.
    pub best: Option<EpochMetrics>,
    /// What the user must know.
    pub warnings: Vec<String>,
    /// How it ended, once it has.
    pub end: Option<End>,
    /// Whether it waits.
    pub is_paused: bool,
}

impl LiveRun {
    /// A run of these tasks that has said nothing yet.
    pub fn new(tasks: &[String]) -> Self {
        Self { curves: Curves::new(tasks), ..Self::default() }
    }

    /// A run from disk, as if it had been watched.
    pub fn of(record: &RunRecord) -> Self {
        Self {
            started: record.started.clone(),
            curves: Curves::of(record),
            epochs: record.epochs.clone(),
            best: record.epochs.iter().rfind(|metrics| metrics.best).cloned(),
            end: record.stopped.clone().map(End::Stopped),
            ..Self::default()
        }
    }

    /// The folder, once it is known.
    pub fn folder(&self) -> Option<&PathBuf> {
        self.started.as_ref().map(|started| &started.run)
    }

    /// What has come of it, once it has ended without an error.
    pub fn findings(&self) -> Vec<Finding> {
        let (Some(started), Some(End::Stopped(stopped))) = (&self.started, &self.end) else {
            return Vec::new();
        };
        verdict::judge(started, &self.epochs, stopped)
    }

    /// Takes in an event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Preparing { what, done, of } => {
                self.preparing = Some(Preparing { what: what.clone(), done: *done, of: *of });
            }
            Event::Started(started) => self.start(started),
            Event::Batch(progress) => self.progress = Some(progress.clone()),
            Event::Epoch(metrics) => {
                self.curves.push(metrics);
                self.epochs.push(metrics.clone());
                if metrics.best {
                    self.best = Some(metrics.clone());
                }
            }
            Event::LearningRateReduced { epoch, .. } => self.curves.rate_reduced(*epoch),
            Event::StageBegan { epoch, stage: Stage::All } => self.curves.all_layers_from(*epoch),
            Event::StageBegan { stage: Stage::Heads, .. } => {}
            Event::Warning { message } => self.warnings.push(message.clone()),
            Event::Paused => self.is_paused = true,
            Event::Resumed => self.is_paused = false,
            Event::Stopped(stopped) => self.end = Some(End::Stopped(stopped.clone())),
            Event::Failed { error } => self.end = Some(End::Failed(error.clone())),
            Event::Checkpoint { .. } => {}
        }
    }

    fn start(&mut self, started: &Started) {
        self.preparing = None;
        // A resumed run keeps the epochs that its folder has.
        let goes_on = started.epochs_done > 0 && self.curves.tasks == started.tasks;
        if !goes_on {
            self.curves = Curves::new(&started.tasks);
            self.epochs.clear();
            self.best = None;
        }
        self.started = Some(started.clone());
    }
}

#[cfg(test)]
mod tests {
    use tasklens_net::training::events::{SplitMetrics, StopReason};

    use super::*;

    fn started(epochs_done: usize) -> Event {
        Event::Started(Started {
            run: "runs/a".into(),
            device: "CPU".into(),
            precision: "fp32".into(),
            parameters: 1,
            n_train: 8,
            n_validation: 2,
            tasks: vec!["print".into()],
            validation_labels: Vec::new(),
            epochs: 10,
            epochs_done,
            weights: "from scratch".into(),
        })
    }

    fn epoch(number: usize, best: bool) -> Event {
        let split = SplitMetrics { loss: 1.0, task_loss: vec![1.0], task_accuracy: vec![0.5] };
        Event::Epoch(EpochMetrics {
            epoch: number,
            learning_rate: 0.001,
            secs: 1.0,
            images_per_sec: 8.0,
            train: split.clone(),
            validation: split,
            best,
        })
    }

    #[test]
    fn a_new_run_forgets_the_old_curves_and_a_resumed_one_keeps_them() {
        let tasks = ["print".to_owned()];
        let mut run = LiveRun::new(&tasks);
        for event in [started(0), epoch(1, true), epoch(2, false)] {
            run.apply(&event);
        }
        assert_eq!(run.curves.epochs(), 2);
        assert_eq!(run.best.as_ref().map(|best| best.epoch), Some(1));
        run.apply(&started(2));
        assert_eq!(run.curves.epochs(), 2, "resumed after two epochs");
        run.apply(&started(0));
        assert_eq!(run.curves.epochs(), 0, "started anew");
        assert_eq!(run.best, None);
    }

    #[test]
    fn the_end_and_the_warnings_before_it_are_kept() {
        let mut run = LiveRun::new(&[]);
        run.apply(&Event::Warning { message: "2 rows were left out".into() });
        let stopped =
            Stopped { why: StopReason::Asked, best_epoch: None, best: None, model: None, secs: 1.0 };
        run.apply(&Event::Stopped(stopped.clone()));
        assert_eq!(run.warnings, ["2 rows were left out"]);
        assert_eq!(run.end, Some(End::Stopped(stopped)));
    }
}
