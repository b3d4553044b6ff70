//! Confidence intervals at 95 %: for the score of the same model on other rows of the same kind. Wilson's for
//! proportions, the normal one for means.

use rand::SeedableRng as _;
use rand_distr::{Binomial, Distribution as _};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

/// Number of Monte Carlo draws.
const DRAWS: usize = 1000;
/// A fixed seed, so that the same rows always give the same bound.
const SEED: u64 = 95;
/// The normal distribution's 97.5 % point.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// A score with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The score on the rows given.
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// The proportion `right` / `of` with Wilson's score interval (1927); `None` for no rows.
pub fn proportion(right: usize, of: usize) -> Option<Estimate> {
    if of == 0 {
        return None;
    }
    let value = right as f64 / of as f64;
    let (low, high) = wilson(value, of as f64);
    Some(Estimate { value, low, high })
}

/// Wilson's bounds of a proportion of `n` rows, which may be any number above 0.
pub(super) fn wilson(value: f64, n: f64) -> (f64, f64) {
    let centre = (value + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not separate the bound from the value at 0 and 1.
    ((centre - half).clamp(0.0, value), (centre + half).clamp(value, 1.0))
}

/// The mean of non-negative values, by the central limit theorem; `None` for no values. With a single value the
/// spread is unknown, and the upper bound infinite.
pub fn mean(values: &[f64]) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let value = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - value).powi(2)).sum();
    let half = if values.len() == 1 { f64::INFINITY } else { Z * (squares / (n - 1.0) / n).sqrt() };
    Some(Estimate { value, low: (value - half).max(0.0), high: value + half })
}

fn binomial(n: usize, share: f64, random: &mut Pcg64Mcg) -> usize {
    // Fails only for probabilities outside 0 to 1 or NaN, where there is nothing to draw from.
    Binomial::new(n as u64, share).map_or(0, |binomial| binomial.sample(random) as usize)
}

/// Draws the number of correct rows for each pair (rows, probability), computes `score`, and returns the 95th
/// percentile. Empty pairs draw 0.
pub(super) fn upper_by_chance(of: &[(usize, f64)], mut score: impl FnMut(&[usize]) -> f64) -> f64 {
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    let mut draw = || {
        let right: Vec<usize> = of.iter().map(|(n, share)| binomial(*n, *share, &mut random)).collect();
        score(&right)
    };
    let mut samples: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
    samples.sort_unstable_by(f64::total_cmp);
    percentile(&samples, 0.95)
}

/// A quantile of `sorted` by linear interpolation; NaN if empty.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let below = place as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Recorded {
        wilson: Vec<(usize, usize, f64, f64)>,
    }

    /// The bounds are those of statsmodels 0.15.0: `python tests/fixtures/evaluation/make.py`.
    #[test]
    fn the_interval_of_a_proportion_is_that_of_statsmodels() {
        let recorded: Recorded =
            serde_json::from_str(include_str!("../../tests/fixtures/evaluation/intervals.json")).unwrap();
        for (right, of, low, high) in recorded.wilson {
            let estimate = proportion(right, of).unwrap();
            assert!((estimate.low - low).abs() < 1e-12, "{right} of {of}: {estimate:?}, {low}");
            assert!((estimate.high - high).abs() < 1e-12, "{right} of {of}: {estimate:?}, {high}");
        }
        assert_eq!(proportion(0, 0), None);
    }

    #[test]
    fn the_interval_of_a_mean_follows_from_its_standard_error() {
        // 1 to 9: mean 5, variance 7.5, standard error sqrt(7.5 / 9).
        let estimate = mean(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]).unwrap();
        assert_eq!(estimate.value, 5.0);
        assert!((estimate.high - 6.789_194).abs() < 1e-6 && (estimate.low - 3.210_806).abs() < 1e-6);
        assert_eq!(mean(&[0.0, 0.0, 9.0]).unwrap().low, 0.0);
        assert_eq!(mean(&[1.0]).unwrap(), Estimate { value: 1.0, low: 0.0, high: f64::INFINITY });
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn a_percentile_lies_between_the_nearest() {
        assert_eq!(percentile(&[0.0, 10.0, 20.0], 0.25), 5.0);
        assert_eq!(percentile(&[3.0], 0.975), 3.0);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
