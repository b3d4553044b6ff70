//! The curves of one run, ready to draw: points per split, the total and each task.

use tasklens_net::training::events::EpochMetrics;
use tasklens_net::training::run_folder::RunRecord;

use crate::app::widgets::chart::{Mark, MarkKind, Point};

/// A quantity on the two splits. Epochs without a finite value have no point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitPoints {
    /// Over the training images.
    pub train: Vec<Point>,
    /// Over the validation images.
    pub validation: Vec<Point>,
}

/// All curves of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// Task names, in the order of the per-task lists.
    pub tasks: Vec<String>,
    /// The loss over all tasks.
    pub total: SplitPoints,
    /// The loss, per task.
    pub task_loss: Vec<SplitPoints>,
    /// The accuracy (0 to 1), per task.
    pub task_accuracy: Vec<SplitPoints>,
    /// The share of the gradient on the shared features (0 to 1), per task; of training alone.
    pub shares: Vec<SplitPoints>,
    /// The learning rate, per epoch.
    pub rate: Vec<Point>,
    /// The best epoch and the reductions of the rate.
    pub marks: Vec<Mark>,
}

impl Curves {
    /// The curves of a run of these tasks, without epochs yet.
    pub fn new(tasks: &[String]) -> Self {
        Self {
            tasks: tasks.to_vec(),
            task_loss: vec![SplitPoints::default(); tasks.len()],
            task_accuracy: vec![SplitPoints::default(); tasks.len()],
            shares: vec![SplitPoints::default(); tasks.len()],
            ..Self::default()
        }
    }

    /// The curves of a run.
    pub fn of(record: &RunRecord) -> Self {
        let tasks = record.started.as_ref().map_or(&[][..], |started| &started.tasks);
        let mut curves = Self::new(tasks);
        for metrics in &record.epochs {
            curves.push(metrics);
        }
        let mark = |kind| move |epoch| Mark { epoch, kind };
        let best = record.kept_epoch().map(|kept| kept.epoch);
        curves.marks.extend(best.map(mark(MarkKind::Best)));
        curves.marks.extend(record.reductions.iter().copied().map(mark(MarkKind::RateReduced)));
        curves.marks.extend(record.all_layers_from.map(mark(MarkKind::AllLayers)));
        curves
    }

    fn push(&mut self, metrics: &EpochMetrics) {
        let epoch = metrics.epoch as f64;
        push(&mut self.rate, epoch, metrics.learning_rate);
        push(&mut self.total.train, epoch, metrics.train.loss);
        push(&mut self.total.validation, epoch, metrics.validation.loss);
        let split = |pairs: &mut [SplitPoints], train: &[f64], validation: &[f64]| {
            for ((pair, train), validation) in pairs.iter_mut().zip(train).zip(validation) {
                push(&mut pair.train, epoch, *train);
                push(&mut pair.validation, epoch, *validation);
            }
        };
        for (points, share) in self.shares.iter_mut().zip(&metrics.gradient_shares) {
            push(&mut points.train, epoch, *share);
        }
        split(&mut self.task_loss, &metrics.train.task_loss, &metrics.validation.task_loss);
        split(&mut self.task_accuracy, &metrics.train.task_accuracy, &metrics.validation.task_accuracy);
    }

    /// Whether the shares of several tasks were measured.
    pub fn has_shares(&self) -> bool {
        self.tasks.len() > 1 && self.shares.iter().any(|points| !points.train.is_empty())
    }

    /// How many epochs there are.
    pub fn epochs(&self) -> usize {
        self.rate.len()
    }
}

fn push(points: &mut Vec<Point>, epoch: f64, value: f64) {
    // A chart searches by epoch: an epoch that is said again (a resumed run) replaces what was there.
    while points.last().is_some_and(|point| point[0] >= epoch) {
        points.pop();
    }
    if value.is_finite() {
        points.push([epoch, value]);
    }
}

#[cfg(test)]
mod tests {
    use tasklens_net::training::events::SplitMetrics;

    use super::*;

    fn epoch(epoch: usize, loss: f64, second_task: f64, best: bool) -> EpochMetrics {
        let split =
            SplitMetrics { loss, task_loss: vec![loss, second_task], task_accuracy: vec![0.5, second_task] };
        EpochMetrics {
            epoch,
            learning_rate: 0.001,
            secs: 1.0,
            images_per_sec: 10.0,
            train: split.clone(),
            validation: split,
            best,
            gradient_shares: Vec::new(),
        }
    }

    #[test]
    fn a_task_without_labels_has_no_point_where_it_has_no_value() {
        let mut curves = Curves::new(&["a".into(), "b".into()]);
        curves.push(&epoch(1, 2.0, f64::NAN, true));
        curves.push(&epoch(2, 1.0, 0.25, true));
        assert_eq!(curves.total.train, [[1.0, 2.0], [2.0, 1.0]]);
        assert_eq!(curves.task_loss[1].validation, [[2.0, 0.25]]);
    }

    #[test]
    fn the_kept_epoch_is_marked_and_every_reduction_and_the_second_stage() {
        let record = RunRecord {
            epochs: [(1, true), (2, true), (3, false)].map(|(n, is_best)| epoch(n, 1.0, 1.0, is_best)).into(),
            reductions: vec![2, 3],
            all_layers_from: Some(3),
            ..RunRecord::default()
        };
        let mark = |epoch, kind| Mark { epoch, kind };
        let reduced = [mark(2, MarkKind::RateReduced), mark(3, MarkKind::RateReduced)];
        let marks = [mark(2, MarkKind::Best), reduced[0], reduced[1], mark(3, MarkKind::AllLayers)];
        assert_eq!(Curves::of(&record).marks, marks);
    }

    #[test]
    fn an_epoch_that_is_said_again_replaces_what_was_there() {
        let mut curves = Curves::new(&[]);
        for (number, loss) in [(1, 3.0), (2, 2.0), (3, 1.0), (2, 1.5)] {
            curves.push(&epoch(number, loss, 1.0, false));
        }
        assert_eq!(curves.total.train, [[1.0, 3.0], [2.0, 1.5]]);
    }
}
