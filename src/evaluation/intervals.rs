//! Confidence intervals at 95 %: what the same model would score on other rows of the same kind.
//! Proportions have Wilson's, means the normal one, and scores of counts the bootstrap's.

use rand::SeedableRng as _;
use rand_distr::{Binomial, Distribution as _};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

/// Draws of a bootstrap: the bounds then stray by some hundredths of their distance.
pub const RESAMPLES: usize = 1000;
/// Fewer where there is more to draw (hundreds of labels), so that it takes a moment, not many seconds.
const LEAST_RESAMPLES: usize = 200;
/// Counts to draw before there are fewer resamples.
const MOST_DRAWS: usize = 2_000_000;
/// The same rows always have the same interval.
const SEED: u64 = 95;
/// The normal distribution's 97.5 % point.
pub(super) const Z: f64 = 1.959_963_984_540_054;

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
    let n = of as f64;
    let value = right as f64 / n;
    let centre = (value + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not part the bound from the value at 0 and 1.
    let (low, high) = ((centre - half).clamp(0.0, value), (centre + half).clamp(value, 1.0));
    Some(Estimate { value, low, high })
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

/// The percentile bootstrap (Efron and Tibshirani 1993, chapter 13) of scores that follow from how
/// often each outcome occurs: to draw rows again with replacement is to draw their counts from a
/// multinomial distribution, so that the time does not grow with the rows. `scores` gets new counts,
/// in the order of `counts`, and returns some scores; the bounds of each come back, NaN where a draw
/// was NaN.
pub fn bootstrap<const N: usize>(
    counts: &[usize],
    mut scores: impl FnMut(&[usize]) -> [f64; N],
) -> [(f64, f64); N] {
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    let mut drawn = vec![0; counts.len()];
    let mut samples: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(RESAMPLES));
    for _ in 0..(MOST_DRAWS / counts.len().max(1)).clamp(LEAST_RESAMPLES, RESAMPLES) {
        multinomial(counts, &mut drawn, &mut random);
        for (samples, score) in samples.iter_mut().zip(scores(&drawn)) {
            samples.push(score);
        }
    }
    samples.map(|mut samples| {
        samples.sort_unstable_by(f64::total_cmp);
        (percentile(&samples, 0.025), percentile(&samples, 0.975))
    })
}

/// As many as `counts` sum up to, drawn anew with the shares of `counts`: one binomial after another.
fn multinomial(counts: &[usize], drawn: &mut [usize], random: &mut Pcg64Mcg) {
    let mut left: usize = counts.iter().sum();
    let mut weight = left;
    for (count, drawn) in counts.iter().zip(drawn) {
        *drawn = binomial(left, *count as f64 / weight as f64, random);
        left -= *drawn;
        weight -= count;
    }
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
    let mut samples: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
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
    fn counts_are_drawn_with_the_shares_they_have() {
        let counts = [600, 0, 300, 100];
        let mut sums = [0.0; 4];
        let mut squares = 0.0;
        bootstrap(&counts, |drawn| {
            assert_eq!(drawn.iter().sum::<usize>(), 1000);
            for (sum, drawn) in sums.iter_mut().zip(drawn) {
                *sum += *drawn as f64 / RESAMPLES as f64;
            }
            squares += (drawn[2] as f64 - 300.0).powi(2) / RESAMPLES as f64;
            [0.0]
        });
        for (sum, count) in sums.iter().zip(counts) {
            assert!((sum - count as f64).abs() < 2.0, "{sums:?}");
        }
        // n p (1 - p) = 210, give or take 4.5 % of a thousand draws.
        assert!((squares - 210.0).abs() < 30.0, "{squares}");
    }

    #[test]
    fn a_percentile_lies_between_the_nearest() {
        assert_eq!(percentile(&[0.0, 10.0, 20.0], 0.25), 5.0);
        assert_eq!(percentile(&[3.0], 0.975), 3.0);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
