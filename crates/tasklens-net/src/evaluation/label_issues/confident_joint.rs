//! Estimates the joint distribution of given and true labels: counted where the model is confident, then scaled up to
//! all rows. As in cleanlab's `count.py`.

use super::Labelled;
use crate::inference::most_probable;

/// Minimum threshold, so that a probability of 0 is never confident.
const LEAST_THRESHOLD: f64 = 2e-6;
/// Tolerance below the threshold, for rounding.
const SLACK: f64 = 1e-6;

/// Per label, its mean probability over the rows that have it; NaN for a label without rows.
pub(super) fn thresholds(rows: &Labelled) -> Vec<f64> {
    let labels = rows.by_label.iter().enumerate();
    labels
        .map(|(label, items)| {
            if items.is_empty() {
                return f64::NAN;
            }
            let sum: f64 = items.iter().map(|item| rows.probability(*item, label)).sum();
            // Not max(), which would hide NaN.
            let mean = sum / items.len() as f64;
            if mean < LEAST_THRESHOLD { LEAST_THRESHOLD } else { mean }
        })
        .collect()
}

/// The rows of which the model is confident.
pub(super) struct Confident {
    /// `[given][confident label]`; at least 1 on the diagonal, so that each label can be scaled.
    pub counts: Vec<Vec<usize>>,
    /// (row, given label) of those off the diagonal, ascending.
    pub beside_diagonal: Vec<(usize, usize)>,
}

impl Confident {
    pub fn count(rows: &Labelled, thresholds: &[f64]) -> Self {
        let mut counts = vec![vec![0; rows.classes]; rows.classes];
        let mut beside_diagonal = Vec::new();
        for (given, items) in rows.by_label.iter().enumerate() {
            for &item in items {
                let Some(label) = confident_label(rows.row(item), thresholds) else { continue };
                counts[given][label] += 1;
                if label != given {
                    beside_diagonal.push((item, given));
                }
            }
            counts[given][given] = counts[given][given].max(1);
        }
        beside_diagonal.sort_unstable();
        Self { counts, beside_diagonal }
    }
}

/// The label whose threshold is reached; if there are several, the most probable one.
fn confident_label(row: &[f32], thresholds: &[f64]) -> Option<usize> {
    let reached = |(p, threshold): (&f32, &f64)| f64::from(*p) >= threshold - SLACK;
    let mut confident = row.iter().zip(thresholds).enumerate().filter(|(_, pair)| reached(*pair));
    let (only, _) = confident.next()?;
    Some(if confident.next().is_some() { most_probable(row) } else { only })
}

/// The counts scaled so that each row sums to the number of rows with that label, in integers. Exact halves depend on
/// the last bit, so two programs may differ there by one row.
pub(super) fn calibrated(counts: &[Vec<usize>], rows: &Labelled) -> Vec<Vec<usize>> {
    let labels = counts.iter().zip(&rows.by_label);
    labels
        .map(|(counts, items)| {
            let confident: usize = counts.iter().sum();
            let scaled = counts.iter().map(|count| *count as f64 / confident as f64 * items.len() as f64);
            round_to_sum(&scaled.collect::<Vec<f64>>(), items.len())
        })
        .collect()
}

/// Integers close to `values` with the sum `sum`, which is that of `values` up to rounding: if rounding each misses
/// the sum, those that were rounded furthest the other way change.
fn round_to_sum(values: &[f64], sum: usize) -> Vec<usize> {
    let mut whole: Vec<i64> = values.iter().map(|value| value.round_ties_even() as i64).collect();
    loop {
        let missing = sum as i64 - whole.iter().sum::<i64>();
        if missing == 0 || whole.is_empty() {
            return whole.into_iter().map(|value| value.max(0) as usize).collect();
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| (values[*a] - whole[*a] as f64).total_cmp(&(values[*b] - whole[*b] as f64)));
        if missing > 0 {
            order.reverse();
        }
        for i in order.into_iter().take(missing.unsigned_abs() as usize) {
            whole[i] += missing.signum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_the_sum_and_changes_the_nearest() {
        assert_eq!(round_to_sum(&[1.4, 1.4, 1.2], 4), [1, 2, 1]);
        assert_eq!(round_to_sum(&[0.6, 0.7, 0.7], 2), [0, 1, 1]);
        assert_eq!(round_to_sum(&[2.5, 2.5], 5), [2, 3]);
        // Halves to even first, as NumPy.
        assert_eq!(round_to_sum(&[3.5, 2.5], 6), [4, 2]);
        assert_eq!(round_to_sum(&[3.0, 0.0], 3), [3, 0]);
        assert_eq!(round_to_sum(&[0.0, 0.0], 0), [0, 0]);
    }

    #[test]
    fn one_confident_label_is_taken_and_of_several_the_most_probable() {
        assert_eq!(confident_label(&[0.5, 0.3, 0.2], &[0.6, 0.25, 0.4]), Some(1));
        assert_eq!(confident_label(&[0.5, 0.3, 0.2], &[0.4, 0.25, 0.4]), Some(0));
        assert_eq!(confident_label(&[0.5, 0.3, 0.2], &[0.6, 0.4, f64::NAN]), None);
        assert_eq!(confident_label(&[0.5, 0.3, 0.2], &[0.500_000_5, 0.4, 0.4]), Some(0));
    }
}
