//! The confusion matrix of one task, the scores computed from its counts, and an order of labels that puts confused
//! ones side by side.

mod seriation;

use serde::Serialize;

/// Weight of the given order of labels relative to a confusion of 1: it only breaks ties.
const GIVEN_ORDER: f64 = 1e-9;

/// The denominator of a [`Confusion::normalised`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// None: plain counts.
    #[default]
    None,
    /// The rows that have the label: the diagonal is recall.
    Actual,
    /// The rows predicted as the label: the diagonal is precision.
    Predicted,
}

/// Counts by true and predicted label: `[true][predicted]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion {
    counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// All zero, for this many labels.
    pub fn new(labels: usize) -> Self {
        Self { counts: vec![vec![0; labels]; labels] }
    }

    /// Number of labels: the matrix is `[labels, labels]`.
    pub fn labels(&self) -> usize {
        self.counts.len()
    }

    /// Counts one row by its two class indices.
    pub fn add(&mut self, actual: usize, predicted: usize) {
        self.counts[actual][predicted] += 1;
    }

    /// Number of rows of label `actual` predicted as `predicted`.
    pub fn count(&self, actual: usize, predicted: usize) -> usize {
        self.counts[actual][predicted]
    }

    /// Number of rows that have a label.
    pub fn actual(&self, label: usize) -> usize {
        self.counts[label].iter().sum()
    }

    /// Number of rows predicted as a label.
    pub fn predicted(&self, label: usize) -> usize {
        self.counts.iter().map(|row| row[label]).sum()
    }

    /// Total number of rows.
    pub fn total(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Correct, actual and predicted rows per label.
    pub fn margins(&self) -> Margins {
        let mut margins = Margins::new(self.labels());
        for (actual, predicted, count) in self.cells() {
            margins.add(actual, predicted, count);
        }
        margins
    }

    /// (actual, predicted, count) of the cells that are not 0.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        self.counts.iter().enumerate().flat_map(|(actual, row)| {
            let filled = row.iter().enumerate().filter(|(_, count)| **count > 0);
            filled.map(move |(predicted, count)| (actual, predicted, *count))
        })
    }

    /// `[true][predicted]`: counts, or shares from 0 to 1; NaN if the denominator is 0.
    pub(crate) fn normalised(&self, by: Normalisation) -> Vec<Vec<f64>> {
        let Margins { actual, predicted, .. } = self.margins();
        let share = |row: usize, column: usize, count: usize| match by {
            Normalisation::None => count as f64,
            Normalisation::Actual => count as f64 / actual[row] as f64,
            Normalisation::Predicted => count as f64 / predicted[column] as f64,
        };
        let rows = self.counts.iter().enumerate();
        rows.map(|(row, counts)| {
            counts.iter().enumerate().map(|(column, count)| share(row, column, *count)).collect()
        })
        .collect()
    }

    fn right(&self) -> usize {
        (0..self.counts.len()).map(|label| self.counts[label][label]).sum()
    }

    /// Accuracy; NaN without rows.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.total() as f64
    }

    /// Precision of `label`; NaN if it is never predicted.
    pub fn precision(&self, label: usize) -> f64 {
        self.counts[label][label] as f64 / self.predicted(label) as f64
    }

    /// Recall of `label`; NaN if it does not occur.
    pub fn recall(&self, label: usize) -> f64 {
        self.counts[label][label] as f64 / self.actual(label) as f64
    }

    /// F1: 2 right / (predicted + actual); 0 if both are 0.
    pub fn f1(&self, label: usize) -> f64 {
        let sum = self.predicted(label) + self.actual(label);
        if sum == 0 { 0.0 } else { 2.0 * self.counts[label][label] as f64 / sum as f64 }
    }
}

/// The part of a confusion matrix that macro averages need: its diagonal and its sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// Per label, the rows that have it and are predicted as it.
    pub right: Vec<usize>,
    /// Per label, the rows that have it.
    pub actual: Vec<usize>,
    /// Per label, the rows predicted as it.
    pub predicted: Vec<usize>,
}

impl Margins {
    /// All zero, for this many labels.
    pub fn new(labels: usize) -> Self {
        Self { right: vec![0; labels], actual: vec![0; labels], predicted: vec![0; labels] }
    }

    /// Adds this many rows.
    pub fn add(&mut self, actual: usize, predicted: usize, count: usize) {
        self.actual[actual] += count;
        self.predicted[predicted] += count;
        if actual == predicted {
            self.right[actual] += count;
        }
    }

    /// Resets all counts to zero.
    pub fn clear(&mut self) {
        for counts in [&mut self.right, &mut self.actual, &mut self.predicted] {
            counts.fill(0);
        }
    }

    /// Balanced accuracy: mean recall of the labels that occur; NaN without rows.
    pub fn balanced_accuracy(&self) -> f64 {
        let occurring = self.right.iter().zip(&self.actual).filter(|(_, actual)| **actual > 0);
        mean(occurring.map(|(right, actual)| *right as f64 / *actual as f64))
    }

    /// Mean F1 of the labels that occur or are predicted; NaN without rows.
    pub fn macro_f1(&self) -> f64 {
        mean((0..self.right.len()).filter_map(|label| self.f1(label)))
    }

    /// F1; `None` if the label neither occurs nor is predicted.
    pub fn f1(&self, label: usize) -> Option<f64> {
        let sum = self.actual[label] + self.predicted[label];
        (sum > 0).then(|| 2.0 * self.right[label] as f64 / sum as f64)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// An order of the labels in which confused ones are neighbours, so that confusions form blocks along the diagonal.
/// Confusions are weighted by the share of their label's rows, so that rare labels are placed well, too; ties keep
/// the given order. Deterministic; about 100 ms for 500 labels (cubic time).
pub fn order(confusion: &Confusion) -> Vec<usize> {
    let labels = confusion.labels();
    let shares = confusion.normalised(Normalisation::Actual);
    let share = |actual: usize, predicted: usize| {
        let share = shares[actual][predicted];
        if share.is_nan() { 0.0 } else { share }
    };
    let similarity = |a: usize, b: usize| {
        let given = 1.0 - a.abs_diff(b) as f64 / labels as f64;
        (share(a, b) + share(b, a)) / 2.0 + GIVEN_ORDER * given
    };
    let similarity: Vec<Vec<f64>> =
        (0..labels).map(|a| (0..labels).map(|b| similarity(a, b)).collect()).collect();
    seriation::order(&similarity)
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

    #[test]
    fn confused_labels_become_neighbours_and_the_others_stay() {
        // Three groups, dealt out in turn: 0 3 6, 1 4 7, 2 5 8.
        let mut confusion = Confusion::new(10);
        for actual in 0..10 {
            for _ in 0..20 {
                confusion.add(actual, actual);
            }
            for predicted in (0..9).filter(|predicted| actual < 9 && *predicted % 3 == actual % 3) {
                confusion.add(actual, predicted);
            }
        }
        let order = order(&confusion);
        let mut groups: Vec<usize> = order[..9].iter().map(|label| label % 3).collect();
        groups.dedup();
        assert_eq!((groups.len(), order[9]), (3, 9), "{order:?}");
    }

    #[test]
    fn pairs_that_nothing_joins_keep_the_given_order() {
        let mut confusion = Confusion::new(8);
        for actual in 0..8 {
            (0..20).for_each(|_| confusion.add(actual, actual));
            // The later, the more confused.
            (0..actual).for_each(|_| confusion.add(actual, actual ^ 1));
        }
        assert_eq!(order(&confusion), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn without_confusion_the_given_order_stays() {
        for labels in [0, 1, 2, 3, 7, 40] {
            let mut confusion = Confusion::new(labels);
            (0..labels).for_each(|label| confusion.add(label, label));
            assert_eq!(order(&confusion), (0..labels).collect::<Vec<_>>());
            // Nor do labels without rows move.
            assert_eq!(order(&Confusion::new(labels)), (0..labels).collect::<Vec<_>>());
        }
    }

    #[test]
    fn shares_are_of_the_row_or_of_the_column() {
        let mut confusion = Confusion::new(3);
        for (actual, predicted) in [(0, 0), (0, 0), (0, 1), (0, 1), (1, 1)] {
            confusion.add(actual, predicted);
        }
        assert_eq!(confusion.normalised(Normalisation::None)[0], [2.0, 2.0, 0.0]);
        assert_eq!(confusion.normalised(Normalisation::Actual)[0], [0.5, 0.5, 0.0]);
        assert_eq!(confusion.normalised(Normalisation::Predicted)[1][1], 1.0 / 3.0);
        assert!(confusion.normalised(Normalisation::Actual)[2][0].is_nan());
        assert!(confusion.normalised(Normalisation::Predicted)[0][2].is_nan());
    }
}
