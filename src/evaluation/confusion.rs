//! The confusion matrix of one task, and the scores that follow from it.

use serde::Serialize;

/// How often each label was taken for each: `[true][predicted]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion {
    counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// Nothing counted yet, for so many labels.
    pub fn new(labels: usize) -> Self {
        Self { counts: vec![vec![0; labels]; labels] }
    }

    /// Counts one row.
    pub fn add(&mut self, actual: usize, predicted: usize) {
        self.counts[actual][predicted] += 1;
    }

    /// How many rows of label `actual` were taken for `predicted`.
    pub fn count(&self, actual: usize, predicted: usize) -> usize {
        self.counts[actual][predicted]
    }

    /// Rows that have a label.
    pub fn actual(&self, label: usize) -> usize {
        self.counts[label].iter().sum()
    }

    /// Rows predicted as a label.
    pub fn predicted(&self, label: usize) -> usize {
        self.counts.iter().map(|row| row[label]).sum()
    }

    /// All rows counted.
    pub fn total(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    fn right(&self) -> usize {
        (0..self.counts.len()).map(|label| self.counts[label][label]).sum()
    }

    /// Share of rows that are right; NaN without rows.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.total() as f64
    }

    /// Of the rows predicted as `label`, the share that have it; NaN where none is.
    pub fn precision(&self, label: usize) -> f64 {
        self.counts[label][label] as f64 / self.predicted(label) as f64
    }

    /// Of the rows that have `label`, the share predicted as it; NaN where none has.
    pub fn recall(&self, label: usize) -> f64 {
        self.counts[label][label] as f64 / self.actual(label) as f64
    }

    /// Harmonic mean of precision and recall: 2 right / (predicted + actual); 0 where both are 0.
    pub fn f1(&self, label: usize) -> f64 {
        let sum = self.predicted(label) + self.actual(label);
        if sum == 0 { 0.0 } else { 2.0 * self.counts[label][label] as f64 / sum as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_follow_from_the_counts() {
        let mut confusion = Confusion::new(3);
        for (actual, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 0)] {
            confusion.add(actual, predicted);
        }
        assert_eq!(confusion.accuracy(), 0.6);
        assert_eq!(confusion.precision(0), 2.0 / 3.0);
        assert_eq!(confusion.recall(0), 2.0 / 3.0);
        assert_eq!(confusion.recall(1), 0.5);
        assert_eq!(confusion.f1(1), 0.5);
        // A label that occurs nowhere has no precision and no recall.
        assert!(confusion.precision(2).is_nan() && confusion.recall(2).is_nan());
        assert_eq!(confusion.f1(2), 0.0);
    }
}
