//! Compares two models on the same rows, for one task: what the second fixes and breaks, and whether that can be
//! chance.

use serde::Serialize;

use super::intervals::{Estimate, Z};

/// With fewer rows no difference is reported: it could be chance alone.
pub const FEWEST: usize = 10;

/// What happens to each row when the second model replaces the first. The lists hold row indices, ascending; rows
/// without a label are in none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Wrong before, right after.
    pub fixed: Vec<usize>,
    /// Right before, wrong after.
    pub broken: Vec<usize>,
    /// Wrong both times, possibly as different labels.
    pub still_wrong: Vec<usize>,
    pub still_right: Vec<usize>,
    /// Accuracy after minus accuracy before, -1 to 1, with the paired interval of [`difference`]; `None` for fewer
    /// than [`FEWEST`] rows.
    pub difference: Option<Estimate>,
    /// The p-value of an imbalance of `fixed` and `broken` at least as large, if the models were equally good
    /// ([`mcnemar`]); `None` for fewer than [`FEWEST`] rows.
    pub p_value: Option<f64>,
}

impl Comparison {
    /// Number of rows with a label.
    pub fn rows(&self) -> usize {
        [&self.fixed, &self.broken, &self.still_wrong, &self.still_right].iter().map(|rows| rows.len()).sum()
    }

    /// Only the lists, for rows that one of the models was trained on: its results there do not generalise.
    #[must_use]
    pub fn without_conclusion(self) -> Self {
        Self { difference: None, p_value: None, ..self }
    }
}

/// Compares the labels that two models predict for the same rows.
///
/// # Panics
/// The three slices differ in length.
pub fn compare(labels: &[Option<u32>], before: &[u32], after: &[u32]) -> Comparison {
    assert!(labels.len() == before.len() && labels.len() == after.len(), "as many predictions as rows");
    let mut comparison = Comparison::default();
    for (row, ((label, before), after)) in labels.iter().zip(before).zip(after).enumerate() {
        let Some(label) = label else { continue };
        let rows = match (before == label, after == label) {
            (false, true) => &mut comparison.fixed,
            (true, false) => &mut comparison.broken,
            (false, false) => &mut comparison.still_wrong,
            (true, true) => &mut comparison.still_right,
        };
        rows.push(row);
    }
    let (fixed, broken, rows) = (comparison.fixed.len(), comparison.broken.len(), comparison.rows());
    if rows >= FEWEST {
        comparison.difference = difference(fixed, broken, rows);
        comparison.p_value = Some(mcnemar(fixed, broken));
    }
    comparison
}

/// (fixed - broken) / rows with the adjusted Wald interval at 95 % (Bonett and Price 2012, "Adjusted Wald confidence
/// interval for a difference of binomial proportions based on paired data"): one more fixed and one more broken row
/// are added, so that the coverage also holds for few rows. `None` for no rows.
pub fn difference(fixed: usize, broken: usize, rows: usize) -> Option<Estimate> {
    if rows == 0 {
        return None;
    }
    let value = (fixed as f64 - broken as f64) / rows as f64;
    let n = rows as f64 + 2.0;
    let (up, down) = ((fixed as f64 + 1.0) / n, (broken as f64 + 1.0) / n);
    let half = Z * ((up + down - (up - down).powi(2)) / n).sqrt();
    Some(Estimate { value, low: (up - down - half).max(-1.0), high: (up - down + half).min(1.0) })
}

/// The two-sided p-value of McNemar's exact test: the probability that a fair coin, tossed for each row on which the
/// models differ, gives an imbalance at least as large. 1 if they do not differ. Exact at every size, without
/// switching to an approximation.
pub fn mcnemar(fixed: usize, broken: usize) -> f64 {
    let (fewer, n) = (fixed.min(broken), fixed + broken);
    // ln of C(n, fewer) / 2^n.
    let ways: f64 = (1..=fewer).map(|i| ((n - fewer + i) as f64 / i as f64).ln()).sum();
    let probability = (ways - n as f64 * std::f64::consts::LN_2).exp();
    // C(n, i - 1) = C(n, i) i / (n - i + 1): the rest of the tail, in terms of its largest.
    let mut tail = 1.0;
    let mut term = 1.0;
    for i in (1..=fewer).rev() {
        term *= i as f64 / (n - i + 1) as f64;
        tail += term;
        if term < f64::EPSILON {
            break;
        }
    }
    (2.0 * probability * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Recorded {
        mcnemar: Vec<(usize, usize, f64)>,
    }

    /// The p-values are those of statsmodels 0.15.0 and SciPy 1.17.1: `python
    /// tests/fixtures/evaluation/make.py`.
    #[test]
    fn the_p_value_is_that_of_statsmodels() {
        let recorded: Recorded =
            serde_json::from_str(include_str!("../../tests/fixtures/evaluation/intervals.json")).unwrap();
        for (fixed, broken, p) in recorded.mcnemar {
            let ours = mcnemar(fixed, broken);
            assert!((ours - p).abs() <= 1e-9 * p, "{fixed}, {broken}: {ours}, recorded {p}");
        }
        assert_eq!(mcnemar(0, 0), 1.0);
        assert!(mcnemar(600_000, 400_000) < 1e-300 && mcnemar(500_000, 500_000) == 1.0);
    }

    /// What an interval promises: that it holds the true difference 95 times in 100. Summed over all
    /// outcomes of few rows; the plain Wald interval falls to 0.90 here.
    #[test]
    fn the_interval_of_the_difference_holds_the_true_one() {
        for (rows, fixed, broken) in [(20, 0.3, 0.1), (30, 0.1, 0.1), (50, 0.15, 0.05), (100, 0.05, 0.04)] {
            let covered = coverage(rows, fixed, broken);
            assert!((0.94..0.985).contains(&covered), "{rows} rows, {fixed}, {broken}: {covered}");
        }
    }

    /// How probable it is that the interval holds `fixed` - `broken`, the probabilities of each.
    fn coverage(rows: usize, fixed: f64, broken: f64) -> f64 {
        let ways = |n: usize, k: usize| (1..=k).map(|i| (n - k + i) as f64 / i as f64).product::<f64>();
        let mut covered = 0.0;
        for up in 0..=rows {
            for down in 0..=rows - up {
                let same = (rows - up - down) as i32;
                let probability = ways(rows, up)
                    * ways(rows - up, down)
                    * fixed.powi(up as i32)
                    * broken.powi(down as i32)
                    * (1.0 - fixed - broken).powi(same);
                let interval = difference(up, down, rows).unwrap();
                if (interval.low..=interval.high).contains(&(fixed - broken)) {
                    covered += probability;
                }
            }
        }
        covered
    }

    #[test]
    fn the_interval_of_the_difference_is_paired() {
        let estimate = difference(1, 7, 21).unwrap();
        assert_eq!(estimate.value, -6.0 / 21.0);
        // By hand: (2 - 8) / 23, give or take 1.96 sqrt((10 / 23 - 36 / 529) / 23).
        assert!(
            (estimate.low + 0.508_36).abs() < 1e-5 && (estimate.high + 0.013_37).abs() < 1e-5,
            "{estimate:?}"
        );
        // Models that never differ may still do so on the next row.
        let same = difference(0, 0, 50).unwrap();
        assert!(same.value == 0.0 && same.low < -0.02 && same.high > 0.02, "{same:?}");
    }

    #[test]
    fn each_labelled_row_is_in_one_list() {
        let labels = [Some(0), Some(1), None, Some(2), Some(2), Some(0)];
        let comparison = compare(&labels, &[1, 1, 0, 2, 0, 2], &[0, 0, 0, 2, 1, 0]);
        assert_eq!(comparison.fixed, [0, 5]);
        assert_eq!(comparison.broken, [1]);
        assert_eq!(comparison.still_right, [3]);
        assert_eq!(comparison.still_wrong, [4]);
        assert_eq!(comparison.rows(), 5);
        assert_eq!((comparison.difference, comparison.p_value), (None, None), "too few");
        let twice = |list: &[u32]| [list, list].concat();
        let labels = [labels, labels].concat();
        let comparison = compare(&labels, &twice(&[1, 1, 0, 2, 0, 2]), &twice(&[0, 0, 0, 2, 1, 0]));
        assert_eq!(comparison.difference.unwrap().value, 0.2);
        assert_eq!(comparison.p_value, Some(mcnemar(4, 2)));
        assert_eq!(compare(&[None], &[0], &[0]), Comparison::default());
    }
}
