//! When to reduce the learning rate and when to stop: Keras' `ReduceLROnPlateau` and `EarlyStopping` (mode `min`, on
//! `val_loss`) as pure state machines; and the one-cycle learning rate.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The initial minimum is infinity, stored as `None` because JSON has no infinity.
fn better(value: f64, best: Option<f64>, min_delta: f64) -> bool {
    // A NaN is never better.
    best.map_or(value < f64::INFINITY, |best| value < best - min_delta)
}

/// Reduces the learning rate when the loss stops improving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceLrOnPlateau {
    factor: f64,
    patience: usize,
    min_delta: f64,
    cooldown: usize,
    min_lr: f64,
    best: Option<f64>,
    wait: usize,
    cooldown_left: usize,
}

impl ReduceLrOnPlateau {
    /// `factor` above 0 and below 1; `patience` and `cooldown` in epochs.
    pub fn new(factor: f64, patience: usize, min_delta: f64, cooldown: usize, min_lr: f64) -> Self {
        Self { factor, patience, min_delta, cooldown, min_lr, best: None, wait: 0, cooldown_left: 0 }
    }

    /// Takes the settings of `other` and keeps the state.
    pub fn follow(&mut self, other: &Self) {
        let seen = (self.best, self.wait, self.cooldown_left);
        *self = other.clone();
        (self.best, self.wait, self.cooldown_left) = seen;
    }

    /// Records the loss of an epoch at `learning_rate`; returns the new rate if it should be reduced.
    pub(crate) fn after_epoch(&mut self, loss: f64, learning_rate: f64) -> Option<f64> {
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.wait = 0;
        }
        if better(loss, self.best, self.min_delta) {
            self.best = Some(loss);
            self.wait = 0;
            return None;
        }
        if self.cooldown_left > 0 {
            return None;
        }
        self.wait = self.wait.saturating_add(1);
        if self.wait < self.patience || learning_rate <= self.min_lr {
            return None;
        }
        self.cooldown_left = self.cooldown;
        self.wait = 0;
        Some((learning_rate * self.factor).max(self.min_lr))
    }
}

/// One cycle of the learning rate, per batch (Smith and Topin 2019, with the shape of PyTorch's `OneCycleLR`):
/// linearly up from [`FIRST`] times the highest rate, then along half a cosine down to [`LAST`] times it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    highest: f64,
    batches: usize,
}

/// Share of the batches with a rising rate.
const RISE: f64 = 0.3;
/// The first rate, as a share of the highest.
const FIRST: f64 = 1.0 / 25.0;
/// The last rate, as a share of the highest.
const LAST: f64 = 1e-4;

impl OneCycle {
    /// For this many batches.
    pub fn new(highest: f64, batches: usize) -> Self {
        Self { highest, batches }
    }

    /// The learning rate of a batch (from 0); beyond the end, the last one.
    pub fn rate(&self, batch: usize) -> f64 {
        let (batch, last) = (batch as f64, self.batches as f64 - 1.0);
        let top = (RISE * self.batches as f64 - 1.0).max(0.0);
        let share = if batch < top {
            FIRST + (1.0 - FIRST) * batch / top
        } else if last > top {
            let fallen = ((batch - top) / (last - top)).min(1.0);
            LAST + (1.0 - LAST) * (1.0 + (PI * fallen).cos()) / 2.0
        } else {
            1.0
        };
        self.highest * share
    }
}

/// The decision of [`EarlyStopping`] after an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoppingVerdict {
    /// Its weights are the best so far: keep them.
    pub best: bool,
    /// Patience is exhausted.
    pub stop: bool,
}

/// Stops when the loss stops improving, and tells which weights to keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    patience: usize,
    min_delta: f64,
    best: Option<f64>,
    best_epoch: Option<usize>,
    wait: usize,
}

impl EarlyStopping {
    /// `patience` in epochs.
    pub fn new(patience: usize, min_delta: f64) -> Self {
        Self { patience, min_delta, best: None, best_epoch: None, wait: 0 }
    }

    /// The epoch whose weights to keep, as passed to [`EarlyStopping::after_epoch`].
    pub fn best_epoch(&self) -> Option<usize> {
        self.best_epoch
    }

    /// Takes the settings of `other` and keeps the state.
    pub fn follow(&mut self, other: &Self) {
        let seen = (self.best, self.best_epoch, self.wait);
        *self = other.clone();
        (self.best, self.best_epoch, self.wait) = seen;
    }

    /// Sets the epoch and loss of the weights that are actually kept (or none) after `epochs` complete epochs.
    pub fn keep(&mut self, kept: Option<(usize, f64)>, epochs: usize) {
        self.best_epoch = kept.map(|(epoch, _)| epoch);
        self.best = kept.map(|(_, loss)| loss).filter(|loss| loss.is_finite());
        self.wait = self.wait.min(kept.map_or(0, |(epoch, _)| epochs.saturating_sub(epoch)));
    }

    /// Resets patience: earlier losses do not count for the epochs to come.
    pub(crate) fn forget_wait(&mut self) {
        self.wait = 0;
    }

    /// Whether patience is exhausted.
    pub fn is_over(&self) -> bool {
        self.wait > 0 && self.wait >= self.patience
    }

    /// Records the loss of epoch `epoch` (from 1). A loss that is not finite is never the best, although Keras keeps
    /// the first epoch whatever its loss.
    pub(crate) fn after_epoch(&mut self, epoch: usize, loss: f64) -> StoppingVerdict {
        // An epoch that is trained again replaces itself if it is as good.
        let is_again = self.best_epoch == Some(epoch) && self.best.is_some_and(|best| loss <= best);
        if is_again || (loss.is_finite() && better(loss, self.best, self.min_delta)) {
            self.best = Some(loss);
            self.best_epoch = Some(epoch);
            self.wait = 0;
            return StoppingVerdict { best: true, stop: false };
        }
        self.wait = self.wait.saturating_add(1);
        StoppingVerdict { best: false, stop: self.wait >= self.patience && epoch > 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs Keras' rule over losses: the learning rate that each epoch ran at.
    fn rates(mut rule: ReduceLrOnPlateau, losses: &[f64]) -> Vec<f64> {
        let mut rate = 1.0;
        losses
            .iter()
            .map(|&loss| {
                let ran_at = rate;
                rate = rule.after_epoch(loss, rate).unwrap_or(rate);
                ran_at
            })
            .collect()
    }

    #[test]
    fn the_rate_falls_after_patience_epochs_without_progress() {
        let rule = ReduceLrOnPlateau::new(0.5, 2, 0.0, 0, 0.0);
        assert_eq!(rates(rule, &[1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.6]), [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
    }

    #[test]
    fn progress_below_min_delta_is_none() {
        let losses = [1.0, 0.99995, 0.99990, 0.9998];
        // Against the best (1.0) each is under 1e-3 better; with no delta each counts.
        let strict = ReduceLrOnPlateau::new(0.1, 2, 1e-3, 0, 0.0);
        assert_eq!(rates(strict, &losses), [1.0, 1.0, 1.0, 0.1]);
        let lenient = ReduceLrOnPlateau::new(0.1, 2, 0.0, 0, 0.0);
        assert_eq!(rates(lenient, &losses), [1.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn cooldown_epochs_do_not_count() {
        let without = ReduceLrOnPlateau::new(0.5, 1, 0.0, 0, 0.0);
        assert_eq!(rates(without, &[1.0; 5]), [1.0, 1.0, 0.5, 0.25, 0.125]);
        // Keras counts the cooldown down before it looks at it: 2 gives one epoch of rest.
        let with = ReduceLrOnPlateau::new(0.5, 1, 0.0, 2, 0.0);
        assert_eq!(rates(with, &[1.0; 6]), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
    }

    #[test]
    fn the_rate_stops_at_min_lr() {
        let rule = ReduceLrOnPlateau::new(0.1, 1, 0.0, 0, 0.05);
        assert_eq!(rates(rule, &[1.0; 4]), [1.0, 1.0, 0.1, 0.05]);
        let mut at_end = ReduceLrOnPlateau::new(0.1, 1, 0.0, 0, 0.05);
        at_end.after_epoch(1.0, 0.05);
        assert_eq!(at_end.after_epoch(1.0, 0.05), None);
    }

    #[test]
    fn nan_is_no_progress() {
        let rule = ReduceLrOnPlateau::new(0.5, 1, 0.0, 0, 0.0);
        assert_eq!(rates(rule, &[f64::NAN, f64::NAN, 1.0]), [1.0, 0.5, 0.25]);
    }

    #[test]
    fn one_cycle_rises_in_a_line_and_falls_by_a_cosine() {
        // Of 10 batches the third has the highest rate: 0.3 * 10 - 1 batches after the first.
        let cycle = OneCycle::new(2.0, 10);
        let fall = |seventh: f64| 2e-4 + (2.0 - 2e-4) * (1.0 + (seventh * PI / 7.0).cos()) / 2.0;
        let expected =
            [0.08, 1.04, 2.0, fall(1.0), fall(2.0), fall(3.0), fall(4.0), fall(5.0), fall(6.0), 2e-4];
        // By hand: 1.90099, 1.62351, 1.22262, 0.77758, 0.37669, 0.09921.
        assert!((fall(1.0) - 1.900_98).abs() < 1e-4 && (fall(4.0) - 0.777_58).abs() < 1e-4);
        for (batch, expected) in expected.into_iter().enumerate() {
            let rate = cycle.rate(batch);
            assert!((rate - expected).abs() < 1e-12, "batch {batch}: {rate}, expected {expected}");
        }
        assert_eq!(cycle.rate(10), cycle.rate(9));
    }

    #[test]
    fn a_cycle_of_few_batches_has_its_highest_rate() {
        assert_eq!(OneCycle::new(0.5, 1).rate(0), 0.5);
        assert_eq!([0, 1].map(|batch| OneCycle::new(0.5, 2).rate(batch)), [0.5, 0.5e-4]);
    }

    /// Epochs run, and the epoch kept.
    fn run(mut rule: EarlyStopping, losses: &[f64]) -> (usize, Option<usize>) {
        for (i, &loss) in losses.iter().enumerate() {
            if rule.after_epoch(i + 1, loss).stop {
                return (i + 1, rule.best_epoch());
            }
        }
        (losses.len(), rule.best_epoch())
    }

    #[test]
    fn training_stops_after_patience_epochs_and_keeps_the_best() {
        let losses = [1.0, 0.8, 0.9, 0.85, 0.81, 0.5];
        assert_eq!(run(EarlyStopping::new(3, 0.0), &losses), (5, Some(2)));
        assert_eq!(run(EarlyStopping::new(4, 0.0), &losses), (6, Some(6)));
    }

    #[test]
    fn min_delta_decides_what_is_better() {
        assert_eq!(run(EarlyStopping::new(2, 0.1), &[1.0, 0.95, 0.91, 0.1]), (3, Some(1)));
    }

    #[test]
    fn patience_zero_allows_the_first_epoch_as_keras_does() {
        assert_eq!(run(EarlyStopping::new(0, 0.0), &[1.0, 1.0, 1.0]), (2, Some(1)));
        assert_eq!(run(EarlyStopping::new(0, 0.0), &[f64::NAN, f64::NAN]), (2, None));
    }

    #[test]
    fn a_loss_that_is_no_number_is_never_the_best() {
        let losses = [f64::INFINITY, f64::NAN, 3.0, f64::NAN, 2.0, f64::NAN];
        assert_eq!(run(EarlyStopping::new(3, 0.0), &losses), (6, Some(5)));
        assert_eq!(run(EarlyStopping::new(3, 0.0), &[f64::NAN; 6]), (3, None));
    }

    #[test]
    fn a_stored_schedule_goes_on_as_if_it_had_not_stopped() {
        let losses = [1.0, 1.0, 0.9, 0.95, 0.95, 0.95];
        let rule = EarlyStopping::new(3, 0.0);
        let mut stored = rule;
        for (i, &loss) in losses[..4].iter().enumerate() {
            stored.after_epoch(i + 1, loss);
        }
        let text = serde_json::to_string(&stored).unwrap();
        let mut stored: EarlyStopping = serde_json::from_str(&text).unwrap();
        assert_eq!(stored.after_epoch(5, 0.95), StoppingVerdict { best: false, stop: false });
        assert_eq!(stored.after_epoch(6, 0.95), StoppingVerdict { best: false, stop: true });
    }
}
