//! Scores of the predictions of one task, with confidence intervals and a constant baseline. Pure arithmetic on
//! labels and probabilities; scores that scikit-learn has are defined as there.

mod calibration;
mod macro_averages;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::confusion::{Confusion, Margins};
use super::intervals::{self, Estimate, proportion};
use crate::inference::most_probable;
use calibration::Reliability;
pub use calibration::{BINS, Calibration, CalibrationBin};
use macro_averages::macro_averages;

/// The scores of one task. Undefined scores, such as the recall of a label without rows, are `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskScores {
    /// Number of rows with a label; all scores refer to these.
    pub rows: usize,
    /// Accuracy, with Wilson's interval.
    pub accuracy: Option<Estimate>,
    /// Balanced accuracy (mean recall of the labels that occur), with Wilson's interval for an effective number of
    /// rows.
    pub balanced_accuracy: Option<Estimate>,
    /// Macro-F1 (mean F1 of the labels that occur or are predicted), with an interval of the same kind.
    pub macro_f1: Option<Estimate>,
    /// Log loss: mean negative natural log probability of the right label, clipped to [`f64::EPSILON`] from 0 and 1;
    /// with the normal interval of a mean.
    pub log_loss: Option<Estimate>,
    /// Calibration of the probabilities.
    pub calibration: Calibration,
    /// The baseline; `None` without rows.
    pub baseline: Option<Baseline>,
    /// Per label, in their order.
    pub labels: Vec<LabelScores>,
    /// Counts `[true][predicted]`.
    pub confusion: Confusion,
}

/// The scores of always predicting the most frequent label, on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// The most frequent label, the first on ties.
    pub label: u32,
    /// Accuracy: its share of the rows.
    pub accuracy: f64,
    /// Balanced accuracy: one over the number of labels that occur.
    pub balanced_accuracy: f64,
    /// Macro-F1: its F1 divided by the number of labels that occur.
    pub macro_f1: f64,
    /// Log loss of predicting the label frequencies for every row: their entropy.
    pub log_loss: f64,
}

/// The scores of one label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelScores {
    /// Number of rows that have it.
    pub rows: usize,
    /// Number of rows predicted as it.
    pub predicted: usize,
    /// Of the rows predicted as it, the share that have it; `None` if there are none.
    pub precision: Option<Estimate>,
    /// Of the rows that have it, the share predicted as it; `None` if there are none.
    pub recall: Option<Estimate>,
    /// F1: harmonic mean of both; 0 if one is 0 or undefined, `None` if both are undefined.
    pub f1: Option<f64>,
}

/// The most probable label of each row of `probabilities` (`[N, classes]`, row by row); the first of
/// equals.
pub fn predicted(probabilities: &[f32], classes: usize) -> Vec<u32> {
    probabilities.chunks_exact(classes.max(1)).map(|row| most_probable(row) as u32).collect()
}

/// Scores predictions. `probabilities` is `[N, classes]`, row by row, 0 to 1; rows without a label are skipped.
///
/// # Panics
/// `probabilities` does not have `classes` numbers for each of `labels`, or a label is not below `classes`.
pub fn score(labels: &[Option<u32>], probabilities: &[f32], classes: usize) -> TaskScores {
    assert_eq!(probabilities.len(), labels.len() * classes, "a probability per row and class");
    let mut confusion = Confusion::new(classes);
    let mut reliability = Reliability::default();
    let mut losses = Vec::with_capacity(labels.len());
    for (label, row) in labels.iter().zip(probabilities.chunks_exact(classes.max(1))) {
        let Some(label) = label.map(|label| label as usize) else { continue };
        let predicted = most_probable(row);
        confusion.add(label, predicted);
        reliability.add(f64::from(row[predicted]), label == predicted);
        losses.push(-f64::from(row[label]).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln());
    }
    let margins = confusion.margins();
    let [balanced_accuracy, macro_f1] = macro_averages(&confusion, &margins);
    TaskScores {
        rows: losses.len(),
        accuracy: proportion(margins.right.iter().sum(), losses.len()),
        balanced_accuracy,
        macro_f1,
        log_loss: intervals::mean(&losses),
        calibration: reliability.calibration(),
        baseline: baseline(&margins.actual),
        labels: (0..classes).map(|label| label_scores(&margins, label)).collect(),
        confusion,
    }
}

/// Baseline from `counts`, the rows per label.
fn baseline(counts: &[usize]) -> Option<Baseline> {
    let rows: usize = counts.iter().sum();
    let most = *counts.iter().max().filter(|_| rows > 0)?;
    let occurring = counts.iter().filter(|count| **count > 0).count() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / rows as f64);
    Some(Baseline {
        label: counts.iter().position(|count| *count == most)? as u32,
        accuracy: most as f64 / rows as f64,
        balanced_accuracy: 1.0 / occurring,
        macro_f1: 2.0 * most as f64 / (rows + most) as f64 / occurring,
        log_loss: shares.map(|share| -share * share.ln()).sum(),
    })
}

fn label_scores(margins: &Margins, label: usize) -> LabelScores {
    let (right, rows, predicted) = (margins.right[label], margins.actual[label], margins.predicted[label]);
    LabelScores {
        rows,
        predicted,
        precision: proportion(right, predicted),
        recall: proportion(right, rows),
        f1: margins.f1(label),
    }
}
