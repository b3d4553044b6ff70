//! Confidence intervals at 95 %: what the same model would score on other rows of the same kind.
//! Proportions have Wilson's, and means the normal one.

use rand::SeedableRng as _;
use rand_distr::{Binomial, Distribution as _};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

/// Draws of what chance does.
const DRAWS: usize = 1000;
/// The same rows always have the same bound.
const SEED: u64 = 95;
/// The normal distribution's 97.5 % point.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// A score with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The score on the rows given.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// `right` of `of` rows (Wilson 1927, the score interval); `None` of no rows.
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
    // Rounding must not part the bound from the value at 0 and 1.
    ((centre - half).clamp(0.0, value), (centre + half).clamp(value, 1.0))
}

/// The mean of values that are at least 0, by the central limit theorem; `None` of no values. With
/// one value, which tells nothing of the spread, the upper bound is infinite.
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
    // Fails only of a share outside 0 to 1, NaN included: there is then nothing to draw from.
    Binomial::new(n as u64, share).map_or(0, |binomial| binomial.sample(random) as usize)
}

/// Draws `score` of how many of each (rows, probability) turn out right, and returns the value under
/// which 95 % of the draws lie. Empty pairs draw 0.
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

/// Between the two nearest of `sorted`, in proportion; NaN of none.
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
