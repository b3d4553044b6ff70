//! Calibration of the probabilities of the most probable label.

use serde::Serialize;

use crate::evaluation::intervals::{Estimate, proportion, upper_by_chance};

/// Number of confidence bins, as in the paper.
pub const BINS: usize = 15;

/// The expected calibration error with its bins (Guo, Pleiss, Sun, Weinberger 2017, "On Calibration of Modern Neural
/// Networks"). Confidence is the probability of the most probable label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Mean difference of confidence and accuracy over the bins, weighted by their rows, 0 to 1; `None` without rows.
    pub error: Option<f64>,
    /// The 95th percentile of the error of perfectly calibrated probabilities on this many rows: only above it does
    /// `error` say anything about the model (Vaicenavicius et al. 2019, "Evaluating model calibration in
    /// classification"). Used instead of an interval, which would mislead: the error is biased upwards for few rows,
    /// and doubly so in a bootstrap.
    pub error_by_chance: Option<f64>,
    /// Mean confidence; above the accuracy, the model is overconfident.
    pub confidence: Option<f64>,
    /// [`BINS`] of equal width, ascending.
    pub bins: Vec<CalibrationBin>,
}

/// A bin: rows whose confidence is above `low` and at most `high`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Lower end of its confidences, 0 to 1, exclusive.
    pub low: f64,
    /// Upper end, inclusive.
    pub high: f64,
    /// Number of predictions in it.
    pub rows: usize,
    /// Their mean confidence; `None` without rows.
    pub confidence: Option<f64>,
    /// The share of them that is right.
    pub accuracy: Option<Estimate>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    rows: usize,
    right: usize,
    confidence: f64,
}

/// The sums over the rows of a bin.
#[derive(Default)]
pub(super) struct Reliability {
    bins: [Sums; BINS],
}

impl Reliability {
    /// Adds a row by the probability of its most probable label, and whether that is right.
    pub(super) fn add(&mut self, confidence: f64, right: bool) {
        let above = (confidence * BINS as f64).ceil() as usize;
        let bin = &mut self.bins[above.saturating_sub(1).min(BINS - 1)];
        bin.rows += 1;
        bin.right += usize::from(right);
        bin.confidence += confidence;
    }

    pub(super) fn calibration(&self) -> Calibration {
        let rows: usize = self.bins.iter().map(|bin| bin.rows).sum();
        let right = self.bins.map(|bin| bin.right);
        let confidence = self.bins.iter().map(|bin| bin.confidence).sum::<f64>() / rows as f64;
        let any = rows > 0;
        Calibration {
            error: any.then(|| self.error(&right)),
            error_by_chance: any.then(|| upper_by_chance(&self.chances(), |right| self.error(right))),
            confidence: any.then_some(confidence),
            bins: self.bins.iter().enumerate().map(|(i, bin)| reliability(i, bin)).collect(),
        }
    }

    /// The expected calibration error if this many rows in each bin were right.
    fn error(&self, right: &[usize]) -> f64 {
        let rows: usize = self.bins.iter().map(|bin| bin.rows).sum();
        let gaps = self.bins.iter().zip(right).map(|(bin, right)| (*right as f64 - bin.confidence).abs());
        gaps.sum::<f64>() / rows as f64
    }

    /// Per bin the number of rows and their probability of being right if the model were calibrated.
    fn chances(&self) -> [(usize, f64); BINS] {
        self.bins.map(|bin| match bin.rows {
            0 => (0, 0.0),
            rows => (rows, (bin.confidence / rows as f64).clamp(0.0, 1.0)),
        })
    }
}

fn reliability(i: usize, bin: &Sums) -> CalibrationBin {
    CalibrationBin {
        low: i as f64 / BINS as f64,
        high: (i + 1) as f64 / BINS as f64,
        rows: bin.rows,
        confidence: (bin.rows > 0).then(|| bin.confidence / bin.rows as f64),
        accuracy: proportion(bin.right, bin.rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred rows per confidence, of which so many are right.
    fn of(rows: &[(f64, usize)]) -> Calibration {
        let mut reliability = Reliability::default();
        for (confidence, right) in rows {
            (0..100).for_each(|i| reliability.add(*confidence, i < *right));
        }
        reliability.calibration()
    }

    #[test]
    fn only_an_untrue_model_errs_more_than_chance() {
        let calibrated = of(&[(0.55, 57), (0.75, 74), (0.95, 94)]);
        assert!(calibrated.error < calibrated.error_by_chance, "{calibrated:?}");
        let too_sure = of(&[(0.55, 45), (0.75, 62), (0.95, 81)]);
        assert!(too_sure.error > too_sure.error_by_chance, "{too_sure:?}");
        assert!((too_sure.error.unwrap() - 0.37 / 3.0).abs() < 1e-9);
        assert!((too_sure.confidence.unwrap() - 0.75).abs() < 1e-9);
        // Chance: the mean of |right / 100 - p| over three bins is 0.032, its 95 % point about 0.06.
        let chance = calibrated.error_by_chance.unwrap();
        assert!((0.045..0.07).contains(&chance), "{chance}");
    }

    #[test]
    fn every_confidence_has_its_bin() {
        let calibration = of(&[(0.0, 0), (1.0 / 3.0, 30), (0.34, 30), (1.0, 100)]);
        let rows: Vec<usize> = calibration.bins.iter().map(|bin| bin.rows).collect();
        assert_eq!(rows, [100, 0, 0, 0, 100, 100, 0, 0, 0, 0, 0, 0, 0, 0, 100]);
        // Not a number: no bin is right for it, and none may panic.
        Reliability::default().add(f64::NAN, true);
    }

    #[test]
    fn without_rows_nothing_is_known() {
        let calibration = of(&[]);
        assert_eq!(
            (calibration.error, calibration.error_by_chance, calibration.confidence),
            (None, None, None)
        );
        assert_eq!(calibration.bins.len(), BINS);
    }
}
