//! The run that is watched: its record, and how far it is within what the record does not keep.

use std::path::PathBuf;

use tasklens_net::evaluation::starved::{self, Starved};
use tasklens_net::evaluation::verdict::{self, Finding};
use tasklens_net::training::events::{BatchProgress, Event, Phase};
use tasklens_net::training::run_folder::RunRecord;

use super::batch_losses::BatchLosses;
use super::curves::Curves;
use super::run_bar::preparing_text;

/// Charts of a run under way have room for so many epochs, if it has as many.
const FEW_EPOCHS: f64 = 20.0;
/// One in so many of the epochs in the charts is done at least, beyond the few.
const LEAST_SHARE: f64 = 4.0;

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

/// The run that is watched, or was last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveRun {
    /// What it has said so far.
    pub record: RunRecord,
    /// Work that no epoch has gone on after yet.
    pub preparing: Option<Preparing>,
    /// Progress within the epoch.
    pub progress: Option<BatchProgress>,
    /// Its curves so far.
    pub curves: Curves,
    /// Its loss per batch since it started or was resumed.
    pub batches: BatchLosses,
    /// Whether the user paused it.
    pub is_paused: bool,
}

impl LiveRun {
    /// A run of these tasks that has said nothing yet.
    pub fn new(tasks: &[String]) -> Self {
        Self { curves: Curves::new(tasks), ..Self::default() }
    }

    /// A run that goes on from what it had come to.
    pub fn going_on(mut record: RunRecord) -> Self {
        let curves = Curves::of(&record);
        record.go_on();
        Self { record, curves, ..Self::default() }
    }

    /// The folder, once it is known.
    pub fn folder(&self) -> Option<&PathBuf> {
        self.record.started.as_ref().map(|started| &started.run)
    }

    /// Whether it has ended, one way or the other.
    pub fn is_over(&self) -> bool {
        self.record.stopped.is_some() || self.record.failed.is_some()
    }

    /// Whether there is anything to draw, or will be.
    pub fn has_charts(&self) -> bool {
        !self.is_over() || self.curves.epochs() > 0 || !self.batches.is_empty()
    }

    /// What has come of it, once it has ended without an error.
    pub fn findings(&self) -> Vec<Finding> {
        let (Some(started), Some(stopped)) = (&self.record.started, &self.record.stopped) else {
            return Vec::new();
        };
        verdict::judge(started, &self.record.epochs, stopped)
    }

    /// Tasks that may be starved by the others.
    pub fn starved(&self) -> Vec<Starved> {
        starved::starved(&self.curves.tasks, &self.record.epochs)
    }

    /// What it does, and how far that is (0 to 1): one line for the status bar.
    pub fn doing(&self) -> (String, f32) {
        if let Some(Preparing { what, done, of }) = &self.preparing {
            return (what.clone(), if *of > 0 { *done as f32 / *of as f32 } else { 0.0 });
        }
        let Some(batch) = &self.progress else { return ("Preparing".to_owned(), 0.0) };
        let phase = match batch.phase {
            Phase::Train => "training",
            Phase::Validation => "validation",
        };
        (format!("Epoch {}, {phase}", batch.epoch), batch.done as f32 / batch.of.max(1) as f32)
    }

    /// What it does as long as there is nothing to draw; `None` once there is, or could be.
    pub fn waiting(&self) -> Option<String> {
        if self.is_over() || self.progress.is_some() {
            return None;
        }
        match (&self.preparing, &self.record.started) {
            (None, Some(_)) => Some("Warming up: the first batch takes longer than the others".to_owned()),
            (preparing, _) => Some(preparing_text(preparing.as_ref())),
        }
    }

    /// Where the horizontal axis of its charts ends: the whole run, so that one sees how far it is, unless so little of a
    /// long one is done that its curves would be a stroke; once it is over, what was run of it.
    pub fn axis_end(&self) -> f64 {
        let ran = self.curves.rate.last().map_or(0.0, |point| point[0]);
        let ran = self.batches.total.raw.last().map_or(ran, |point| ran.max(point[0]));
        let planned = self.record.started.as_ref().map_or(0, |started| started.epochs) as f64;
        let epochs = self.curves.epochs();
        if self.is_over() || epochs == 0 {
            return ran.max(1.0);
        }
        // It grows seldom: at a quarter, by a factor of two.
        let mut end = FEW_EPOCHS;
        while end < LEAST_SHARE * epochs as f64 {
            end *= 2.0;
        }
        planned.min(end).max(ran)
    }

    /// Takes in an event.
    pub fn apply(&mut self, event: &Event) {
        self.record.apply(event);
        match event {
            Event::Preparing { what, done, of } => {
                self.preparing = Some(Preparing { what: what.clone(), done: *done, of: *of });
            }
            Event::Batch(progress) => {
                self.batches.push(progress);
                (self.preparing, self.progress) = (None, Some(progress.clone()));
            }
            Event::Paused => self.is_paused = true,
            Event::Resumed => self.is_paused = false,
            Event::Started(_) => {
                (self.preparing, self.batches) = (None, BatchLosses::default());
                self.curves = Curves::of(&self.record);
            }
            Event::Epoch(_) | Event::LearningRateReduced { .. } | Event::StageBegan { .. } => {
                self.curves = Curves::of(&self.record);
            }
            Event::Checkpoint { .. } | Event::Warning { .. } | Event::Stopped(_) | Event::Failed { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tasklens_net::training::events::{EpochMetrics, SplitMetrics, Started};

    use super::*;
    use crate::app::widgets::chart::{Mark, MarkKind};

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
            found_batch_size: None,
        })
    }

    fn epoch(number: usize, loss: f64, best: bool) -> Event {
        let split = SplitMetrics { loss, task_loss: vec![loss], task_accuracy: vec![0.5] };
        Event::Epoch(EpochMetrics {
            epoch: number,
            learning_rate: 0.001,
            secs: 1.0,
            images_per_sec: 8.0,
            train: split.clone(),
            validation: split,
            best,
            gradient_shares: Vec::new(),
        })
    }

    #[test]
    fn a_new_run_forgets_the_old_curves_and_a_resumed_one_keeps_them() {
        let tasks = ["print".to_owned()];
        let mut run = LiveRun::new(&tasks);
        for event in [started(0), epoch(1, 1.0, true), epoch(2, 1.0, false)] {
            run.apply(&event);
        }
        assert_eq!(run.curves.epochs(), 2);
        assert_eq!(run.record.kept_epoch().map(|best| best.epoch), Some(1));
        let mut run = LiveRun::going_on(run.record);
        assert_eq!((run.curves.epochs(), run.folder()), (2, None), "it has not started again yet");
        run.apply(&started(2));
        assert_eq!(run.curves.epochs(), 2, "resumed after two epochs");
        run.apply(&started(0));
        assert_eq!(run.curves.epochs(), 0, "started anew");
        assert_eq!(run.record.kept_epoch(), None);
    }

    #[test]
    fn the_best_epoch_of_the_charts_is_the_one_with_the_weights_and_not_the_one_of_the_lowest_loss() {
        let mut run = LiveRun::new(&[]);
        // As after `early_stopping_min_delta: 0.1`.
        for event in [started(0), epoch(1, 0.5, true), epoch(2, 0.45, false)] {
            run.apply(&event);
        }
        assert_eq!(run.curves.marks, [Mark { epoch: 1, kind: MarkKind::Best }]);
        assert_eq!(run.record.kept_epoch().map(|best| best.epoch), Some(1));
    }

    #[test]
    fn the_axis_is_as_long_as_the_run_unless_that_is_long_and_young() {
        let of = |epochs, done: usize| {
            let mut run = LiveRun::new(&[]);
            let Event::Started(started) = started(0) else { unreachable!() };
            run.apply(&Event::Started(Started { epochs, ..started }));
            (1..=done).for_each(|number| run.apply(&epoch(number, 1.0, false)));
            run.axis_end()
        };
        assert_eq!(of(10, 0), 1.0, "the first epoch alone");
        assert_eq!([of(3, 1), of(10, 1), of(10, 9)], [3.0, 10.0, 10.0]);
        assert_eq!(
            [of(100, 1), of(100, 5), of(100, 6), of(100, 11), of(100, 25)],
            [20.0, 20.0, 40.0, 80.0, 100.0]
        );
    }

    #[test]
    fn the_status_bar_tells_of_the_latest_work() {
        let mut run = LiveRun::new(&[]);
        assert_eq!(run.doing(), ("Preparing".to_owned(), 0.0));
        run.apply(&Event::Preparing { what: "reading images".into(), done: 1, of: 4 });
        assert_eq!(run.doing(), ("reading images".to_owned(), 0.25));
        run.apply(&started(0));
        let (phase, done, of) = (Phase::Validation, 1, 2);
        run.apply(&Event::Batch(BatchProgress {
            epoch: 3,
            phase,
            done,
            of,
            images_per_sec: 1.0,
            loss: 1.0,
            phase_secs_left: 1.0,
            secs_left: 1.0,
            latest: None,
        }));
        assert_eq!(run.doing(), ("Epoch 3, validation".to_owned(), 0.5));
    }
}
