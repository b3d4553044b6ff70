//! Balanced accuracy and macro-F1 with intervals that account for labels with few rows.
//!
//! Neither is a proportion, but both are treated as one with the same variance: Wilson's interval with an effective
//! number of rows, as for stratified surveys (Franco et al. 2019, "Comparative study of confidence intervals for
//! proportions in complex sample surveys"). With a single label it is Wilson's own. The variance is computed by the
//! delta method, from a confusion matrix in which each label gets a few additional rows with the average accuracy:
//! counts alone would imply that a label with two correct rows is always correct. The bootstrap has the same problem,
//! and leaves out a label with a single row in 37 % of the draws.

use crate::evaluation::confusion::{Confusion, Margins};
use crate::evaluation::intervals::{Estimate, Z, wilson};

/// Rows added to each label. With 2 of them 95 % intervals hold in 92 to 99 % of the draws of
/// `coverage_of_macro_averages`, with 1 or a half in 88 % if labels have 2 or 3 rows.
const ADDED: f64 = 2.0;

/// Balanced accuracy and macro-F1; `None` without rows.
pub fn macro_averages(confusion: &Confusion, margins: &Margins) -> [Option<Estimate>; 2] {
    let occurring: Vec<usize> = (0..confusion.labels()).filter(|label| margins.actual[*label] > 0).collect();
    if occurring.is_empty() {
        return [None, None];
    }
    let right = usual_recall(margins, &occurring);
    let estimate = |value: f64, rows: f64| {
        let (low, high) = wilson(value, rows);
        Some(Estimate { value, low, high })
    };
    [
        estimate(margins.balanced_accuracy(), rows_of_recall(margins, &occurring, right)),
        estimate(margins.macro_f1(), rows_of_f1(confusion, margins, right)),
    ]
}

/// The mean recall, shrunk towards one half like Wilson's centre: above 0 and below 1.
fn usual_recall(margins: &Margins, occurring: &[usize]) -> f64 {
    let labels = occurring.len() as f64;
    let rows =
        labels * labels / occurring.iter().map(|label| 1.0 / margins.actual[*label] as f64).sum::<f64>();
    (margins.balanced_accuracy() * rows + Z * Z / 2.0) / (rows + Z * Z)
}

/// Number of rows of a proportion with the variance of the balanced accuracy.
fn rows_of_recall(margins: &Margins, occurring: &[usize], right: f64) -> f64 {
    let labels = occurring.len() as f64;
    let (mut mean, mut variance) = (0.0, 0.0);
    for label in occurring {
        let rows = margins.actual[*label] as f64;
        let recall = (margins.right[*label] as f64 + ADDED * right) / (rows + ADDED);
        mean += recall / labels;
        variance += recall * (1.0 - recall) / rows / (labels * labels);
    }
    mean * (1.0 - mean) / variance
}

/// The same for macro-F1, over the labels that occur or are predicted.
fn rows_of_f1(confusion: &Confusion, margins: &Margins, right: f64) -> f64 {
    let labels: Vec<usize> = (0..confusion.labels()).filter(|label| margins.f1(*label).is_some()).collect();
    // With a single label there is nothing to confuse it with: added wrong rows are predicted as no label.
    let others = labels.len().saturating_sub(1).max(1) as f64;
    let smoothed = |actual: usize, predicted: usize| {
        let rows = margins.actual[actual] as f64;
        let added = ADDED * if actual == predicted { right } else { (1.0 - right) / others };
        (confusion.count(actual, predicted) as f64 + added) * rows / (rows + ADDED)
    };
    let hits: Vec<f64> = labels.iter().map(|label| smoothed(*label, *label)).collect();
    // Rows that have the label and rows predicted as it, together.
    let sums: Vec<f64> = labels
        .iter()
        .map(|label| {
            let predicted: f64 = labels.iter().map(|actual| smoothed(*actual, *label)).sum();
            margins.actual[*label] as f64 + predicted
        })
        .collect();
    // F1 is 2 hits / sum: its derivative with respect to the sum.
    let loss: Vec<f64> = hits.iter().zip(&sums).map(|(hits, sum)| 2.0 * hits / (sum * sum)).collect();
    let count = labels.len() as f64;
    let mean = hits.iter().zip(&sums).map(|(hits, sum)| 2.0 * hits / sum).sum::<f64>() / count;
    let mut variance = 0.0;
    for (i, actual) in labels.iter().enumerate() {
        for (j, predicted) in labels.iter().enumerate() {
            let slope = if i == j { 2.0 / sums[i] - 2.0 * loss[i] } else { -(loss[i] + loss[j]) };
            variance += smoothed(*actual, *predicted) * (slope / count).powi(2);
        }
        if labels.len() == 1 {
            let missed = margins.actual[*actual] as f64 - hits[i];
            variance += missed * loss[i].powi(2);
        }
    }
    mean * (1.0 - mean) / variance
}

#[cfg(test)]
mod tests;
