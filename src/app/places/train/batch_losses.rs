//! The loss of a run per batch: as it is, and smoothed; thinned, so that a run of a million batches needs no more
//! memory than one of a few thousand.

use tasklens_net::training::events::{BatchProgress, Phase};

use crate::app::services::figure::Point;

/// What the smoothed loss keeps at each batch: about the last 50 count. That of fastai's `Recorder`.
const KEPT_PER_BATCH: f64 = 0.98;
/// In short epochs, about the last half of an epoch counts, so that the line does not lag behind the epochs.
const EPOCHS_IN_MIND: f64 = 0.5;
/// Lines have at most so many points; an even number.
const MOST_POINTS: usize = 2_000;

/// An exponential moving average without the bias to 0 at its beginning: what was not seen yet has no weight
/// (Kingma and Ba 2015, section 3).
#[derive(Clone, Debug, Default, PartialEq)]
struct Smoothing {
    sum: f64,
    weight: f64,
}

impl Smoothing {
    /// Takes in a value of which `1 - kept` counts at first; returns the average.
    fn take(&mut self, value: f64, kept: f64) -> f64 {
        self.sum = kept * self.sum + (1.0 - kept) * value;
        self.weight = kept * self.weight + (1.0 - kept);
        self.sum / self.weight
    }
}

/// One loss over the batches.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchLine {
    /// As it was; each point stands for some batches, equally many but for the last.
    pub raw: Vec<Point>,
    /// Smoothed, at the same places.
    pub smoothed: Vec<Point>,
    /// How many batches each point stands for.
    batches: Vec<f64>,
    smoothing: Smoothing,
    /// How many measurements a point stands for, and the last one so far.
    per_point: usize,
    in_last: usize,
}

impl Default for BatchLine {
    fn default() -> Self {
        let (raw, smoothed, batches) = (Vec::new(), Vec::new(), Vec::new());
        Self { raw, smoothed, batches, smoothing: Smoothing::default(), per_point: 1, in_last: 1 }
    }
}

impl BatchLine {
    /// The loss of so many batches that end at `x`, of which the average keeps `kept`.
    fn push(&mut self, x: f64, batches: f64, loss: f64, kept: f64) {
        if !loss.is_finite() {
            return;
        }
        self.go_back_to(x);
        let average = self.smoothing.take(loss, kept);
        if self.in_last < self.per_point && !self.raw.is_empty() {
            self.merge_into_last([x, loss], [x, average], batches);
            self.in_last += 1;
            return;
        }
        if self.raw.len() == MOST_POINTS {
            self.halve();
        }
        self.raw.push([x, loss]);
        self.smoothed.push([x, average]);
        self.batches.push(batches);
        self.in_last = 1;
    }

    /// An epoch that begins again replaces what was there.
    fn go_back_to(&mut self, x: f64) {
        while self.raw.last().is_some_and(|point| point[0] >= x) {
            self.raw.pop();
            self.smoothed.pop();
            self.batches.pop();
            self.in_last = self.per_point;
        }
    }

    fn merge_into_last(&mut self, raw: Point, smoothed: Point, batches: f64) {
        if let (Some(last_raw), Some(last_smoothed), Some(before)) =
            (self.raw.last_mut(), self.smoothed.last_mut(), self.batches.last_mut())
        {
            *last_raw = between(*last_raw, *before, raw, batches);
            *last_smoothed = between(*last_smoothed, *before, smoothed, batches);
            *before += batches;
        }
    }

    /// Makes one point of each two.
    fn halve(&mut self) {
        let weights = &self.batches;
        let merged = |points: &[Point]| -> Vec<Point> {
            let pairs = points.chunks_exact(2).zip(weights.chunks_exact(2));
            pairs.map(|(point, weight)| between(point[0], weight[0], point[1], weight[1])).collect()
        };
        (self.raw, self.smoothed) = (merged(&self.raw), merged(&self.smoothed));
        self.batches = self.batches.chunks_exact(2).map(|pair| pair.iter().sum()).collect();
        self.per_point *= 2;
    }
}

/// The mean of two points by their weights.
fn between(a: Point, of_a: f64, b: Point, of_b: f64) -> Point {
    let share = of_b / (of_a + of_b);
    [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]
}

/// The losses of a run per batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchLosses {
    /// Over all tasks.
    pub total: BatchLine,
    /// Per task.
    pub tasks: Vec<BatchLine>,
    /// Where the batches seen last end, in epochs.
    last: Option<f64>,
}

impl BatchLosses {
    /// Takes in the batches that an event tells of.
    pub fn push(&mut self, progress: &BatchProgress) {
        let (Phase::Train, Some(latest)) = (progress.phase, &progress.latest) else { return };
        let x = progress.epoch as f64 - 1.0 + progress.done as f64 / progress.of.max(1) as f64;
        let batches = latest.batches as f64;
        let epochs = self.last.map_or(0.0, |last| (x - last).max(0.0));
        let kept = KEPT_PER_BATCH.powf(batches).min((-epochs / EPOCHS_IN_MIND).exp());
        self.last = Some(x);
        self.tasks.resize_with(latest.task_loss.len(), BatchLine::default);
        self.total.push(x, batches, latest.loss, kept);
        for (line, loss) in self.tasks.iter_mut().zip(&latest.task_loss) {
            line.push(x, batches, *loss, kept);
        }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.total.raw.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tasklens_net::training::events::LatestBatches;

    use super::*;

    #[test]
    fn the_average_is_that_of_the_values_by_their_age() {
        let mut smoothing = Smoothing::default();
        assert_eq!(smoothing.take(4.0, 0.5), 4.0, "no pull to 0 at the beginning");
        // (0.5 * 1 + 0.25 * 4) / 0.75
        assert!((smoothing.take(1.0, 0.5) - 2.0).abs() < 1e-12);
        // (0.5 * 6 + 0.25 * 1 + 0.125 * 4) / 0.875
        assert!((smoothing.take(6.0, 0.5) - 3.75 / 0.875).abs() < 1e-12);
    }

    fn progress(epoch: usize, done: usize, of: usize, batches: usize, loss: f64) -> BatchProgress {
        BatchProgress {
            epoch,
            phase: Phase::Train,
            done,
            of,
            images_per_sec: 1.0,
            loss,
            phase_secs_left: 0.0,
            secs_left: 0.0,
            latest: Some(LatestBatches { batches, loss, task_loss: vec![loss, f64::NAN] }),
        }
    }

    #[test]
    fn batches_lie_within_their_epoch_and_one_that_begins_again_replaces_what_was_there() {
        let mut losses = BatchLosses::default();
        for (epoch, done, loss) in [(1, 50, 4.0), (1, 100, 3.0), (2, 50, 2.0), (2, 100, 1.0), (2, 50, 5.0)] {
            losses.push(&progress(epoch, done, 100, 1, loss));
        }
        assert_eq!(losses.total.raw, [[0.5, 4.0], [1.0, 3.0], [1.5, 5.0]]);
        assert_eq!(losses.tasks[0].raw, losses.total.raw);
        assert!(losses.tasks[1].raw.is_empty(), "a task without labels has no loss");
        losses.push(&BatchProgress { phase: Phase::Validation, ..progress(2, 80, 100, 1, 9.0) });
        assert_eq!(losses.total.raw.len(), 3, "a validation image is no batch");
    }

    #[test]
    fn many_batches_in_one_event_weigh_as_many_and_half_an_epoch_is_remembered() {
        let of_one = 10_000;
        let mut losses = BatchLosses::default();
        losses.push(&progress(1, 1, of_one, 1, 1.0));
        losses.push(&progress(1, 101, of_one, 100, 3.0));
        let old = 0.98_f64.powi(100) * 0.02;
        let new = 1.0 - 0.98_f64.powi(100);
        let expected = (old + 3.0 * new) / (old + new);
        assert!((losses.total.smoothed[1][1] - expected).abs() < 1e-12);
        // Four batches an epoch: 50 would be more than twelve epochs.
        let mut losses = BatchLosses::default();
        losses.push(&progress(1, 1, 4, 1, 1.0));
        losses.push(&progress(1, 2, 4, 1, 3.0));
        let kept = (-0.5_f64).exp();
        let expected = (kept * 0.02 + 3.0 * (1.0 - kept)) / (kept * 0.02 + 1.0 - kept);
        assert!((losses.total.smoothed[1][1] - expected).abs() < 1e-12);
    }

    #[test]
    fn a_million_batches_take_bounded_memory_and_keep_their_mean_and_their_ends() {
        let (batches, of) = (1_000_000, 1_000);
        let mut losses = BatchLosses::default();
        let mut sum = 0.0;
        for batch in 0..batches {
            // The memory of a vector that was always short stays short, too.
            let loss = if batch % 2 == 0 { 1.0 } else { 3.0 } + batch as f64 / batches as f64;
            sum += loss;
            losses.push(&progress(batch / of + 1, batch % of + 1, of, 1, loss));
            assert!(losses.total.raw.len() <= MOST_POINTS);
        }
        let line = &losses.total;
        assert!(line.raw.len() > MOST_POINTS / 3, "{}", line.raw.len());
        assert!(line.raw.capacity() <= 2 * MOST_POINTS);
        assert_eq!(line.batches.iter().sum::<f64>(), batches as f64);
        let kept: f64 = line.raw.iter().zip(&line.batches).map(|(point, batches)| point[1] * batches).sum();
        assert!((kept - sum).abs() < 1e-3 * sum);
        assert!(line.raw.windows(2).all(|pair| pair[0][0] < pair[1][0]));
        assert!(line.raw[0][0] < 1.0 && line.raw.last().unwrap()[0] > 998.0);
        // All points but the last stand for equally many, so that old times are as fine as new ones.
        let complete = &line.batches[..line.batches.len() - 1];
        assert!(complete.iter().all(|of| *of == complete[0]));
    }
}
