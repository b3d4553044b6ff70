//! Estimates the share of wrong labels from rows that the network was not trained on.
//!
//! If network and label disagree, one of them is wrong. The network's own mistakes vanish where it is confident;
//! wrong labels do not: they are as frequent among the most confident images. So agreement is modelled as a
//! psychometric function with a lapse rate (Wichmann and Hill 2001, "The psychometric function: I. Fitting, sampling,
//! and goodness of fit"): with x, the log odds of the most probable label,
//!
//! q(x) = 1 / (1 + exp(-(a + b x))), the probability that this label is right, and P(the row has it) = q (1 - w) + (1
//! - q) w / (K - 1),
//!
//! where w is the share of wrong labels, each of the K - 1 others being equally likely. `a` and `b` correct over- and
//! underconfidence (Platt 1999). A network that was trained on wrong labels, too, is never more confident than their
//! share allows: its probabilities are unmixed first, for several shares between none and what its most confident
//! predictions allow. All of these and `w` are maximum likelihood estimates, and the interval is that of the profile
//! likelihood.
//!
//! If the most confident predictions are no more confident than wrong labels would make them, both are possible
//! explanations: the interval then begins at 0 and gives an upper bound.
//!
//! The assumption is that the network's own mistakes become rare where it is most confident: fully confident mistakes
//! are counted as wrong labels. The network's probabilities alone would not suffice: one that was trained with 5 % of
//! wrong labels predicts 95 % where it is certain, which explains all disagreement.

use serde::Serialize;

use super::intervals::Estimate;
use crate::inference::most_probable;

/// Minimum number of labelled rows.
pub const FEWEST: usize = 50;
/// A wider interval is of no use.
const WIDEST: f64 = 0.15;
/// Half the 95th percentile of chi-squared with one degree of freedom.
const DROP: f64 = 1.920_729_41;
/// Log odds are clipped here, at the limit of float32 probabilities.
const SUREST: f64 = 16.0;
/// Number of groups of rows with similar confidence.
const BINS: usize = 100;
/// Probabilities are unmixed by these fractions of what the most confident predictions allow.
const UNMIXED: [f64; 4] = [0.0, 0.6, 0.9, 1.0];
/// The share of rows that count as most confident.
const SUREST_ROWS: f64 = 0.02;

/// The estimate of the share of wrong labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum WrongLabels {
    /// The share, with its 95 % interval.
    Share {
        /// Number of labelled rows that it is based on.
        rows: usize,
        /// The share, 0 to 1.
        share: Estimate,
    },
    /// The network's mistakes cannot be distinguished from wrong labels: any share would look the same.
    NetworkTooWeak {
        /// Number of labelled rows that it is based on.
        rows: usize,
    },
    /// Too few labelled rows that the network was not trained on.
    TooFewRows {
        /// Number of such rows.
        rows: usize,
    },
}

impl WrongLabels {
    /// A sentence about it, for a list of `listed` suspects among `labels` labels, without a full stop.
    pub(crate) fn beside_list(&self, labels: usize, listed: usize) -> String {
        let sentence = self.sentence();
        match self {
            Self::Share { share, .. } if share.high * (labels as f64) < 0.5 * listed as f64 => {
                format!("{sentence}: most of this list are the network's own mistakes")
            }
            _ => sentence,
        }
    }

    /// A sentence about it, without a full stop.
    pub fn sentence(&self) -> String {
        match self {
            Self::Share { rows, share } if share.low == 0.0 => format!(
                "At most {} % of the labels are wrong, perhaps none, by the {rows} that the network did not train with",
                percent(share.high)
            ),
            Self::Share { rows, share } => format!(
                "About {} % of the labels are wrong ({} to {} %), by the {rows} that the network did not train with",
                percent(share.value),
                percent(share.low),
                percent(share.high)
            ),
            Self::NetworkTooWeak { .. } => {
                "The network is not sure enough to tell its own mistakes from wrong \
                                            labels: train it longer first"
                    .to_owned()
            }
            Self::TooFewRows { rows } => format!(
                "How many labels are wrong cannot be told from the {rows} that the network did not train with: it takes \
                 at least {FEWEST}"
            ),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// Estimates the share of `labels` that is wrong. `probabilities` is `[N, classes]` from a network that was not
/// trained on these rows; rows without a label or with NaN are skipped.
///
/// # Panics
/// `probabilities` does not have `classes` numbers for each of `labels`.
pub fn estimate(labels: &[Option<u32>], probabilities: &[f32], classes: usize) -> WrongLabels {
    assert_eq!(probabilities.len(), labels.len() * classes, "a probability per row and class");
    let mut rows: Vec<(f32, bool)> = labels
        .iter()
        .zip(probabilities.chunks_exact(classes.max(1)))
        .filter(|(_, row)| row.iter().all(|p| p.is_finite()))
        .filter_map(|(label, row)| {
            let top = most_probable(row);
            Some((row[top], top == (*label)? as usize))
        })
        .collect();
    if rows.len() < FEWEST || classes < 2 {
        return WrongLabels::TooFewRows { rows: rows.len() };
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let agreement = Agreement::new(&rows, (classes - 1) as f64);
    match agreement.share_of_wrong() {
        Some(share) if share.high - share.low <= WIDEST => WrongLabels::Share { rows: rows.len(), share },
        _ => WrongLabels::NetworkTooWeak { rows: rows.len() },
    }
}

/// A group of rows with similar confidence.
#[derive(Clone, Copy, Debug)]
struct OddsBin {
    /// Mean of their log odds.
    odds: f64,
    rows: f64,
    /// Number of rows whose label is the most probable one.
    agree: f64,
}

/// `a` and `b` of the module's formula.
type Curve = [f64; 2];

/// The probability of agreement, and its derivative by the linear predictor.
struct At {
    agree: f64,
    slope: f64,
}

/// The initial curve: the network is perfectly calibrated.
const AS_SAID: Curve = [0.0, 1.0];

struct Agreement {
    /// The rows, once for each of [`UNMIXED`].
    unmixed: Vec<Vec<OddsBin>>,
    /// K - 1 of K labels: how many wrong ones there are.
    others: f64,
}

/// The likelihood of a share of wrong labels.
struct Profile {
    wrong: f64,
    /// Log likelihood of the best curve.
    height: f64,
    /// The best for each of [`UNMIXED`].
    curves: Vec<Curve>,
}

impl Agreement {
    /// From (confidence, whether the most probable label is the given one), ascending.
    fn new(rows: &[(f32, bool)], others: f64) -> Self {
        let surest = rows[rows.len() - 1 - (rows.len() as f64 * SUREST_ROWS) as usize].0;
        let most = 1.0 - f64::from(surest);
        let unmixed = UNMIXED.map(|part| {
            let (learnt, by_chance) = (part * most, part * most / others);
            let log_odds = |p: f32| {
                let p = f64::from(p) - by_chance;
                let rest = 1.0 - learnt - by_chance - p;
                (p.max(f64::MIN_POSITIVE) / rest.max(f64::MIN_POSITIVE)).ln().clamp(-SUREST, SUREST)
            };
            let bin = |rows: &[(f32, bool)]| OddsBin {
                odds: rows.iter().map(|row| log_odds(row.0)).sum::<f64>() / rows.len() as f64,
                rows: rows.len() as f64,
                agree: rows.iter().filter(|row| row.1).count() as f64,
            };
            rows.chunks(rows.len().div_ceil(BINS).max(1)).map(bin).collect()
        });
        Self { unmixed: unmixed.into(), others }
    }

    /// The maximum likelihood estimate with its interval; `None` if all shares are about equally likely.
    fn share_of_wrong(&self) -> Option<Estimate> {
        // Beyond this, agreement would indicate a wrong label.
        let most = 0.9 * self.others / (self.others + 1.0);
        // First a coarse grid, as there may be two peaks; each point starts from its neighbour's curve.
        const STEPS: u32 = 32;
        let mut known = vec![self.profile(0.0, &[AS_SAID; UNMIXED.len()])];
        for step in 1..=STEPS {
            let wrong = most * (f64::from(step) / f64::from(STEPS)).powi(2);
            let next = self.profile(wrong, &known[known.len() - 1].curves);
            known.push(next);
        }
        let peak = (0..known.len()).max_by(|a, b| known[*a].height.total_cmp(&known[*b].height))?;
        let height = |wrong: f64| {
            let near =
                known.iter().min_by(|a, b| (a.wrong - wrong).abs().total_cmp(&(b.wrong - wrong).abs()));
            near.map_or(f64::NEG_INFINITY, |near| self.profile(wrong, &near.curves).height)
        };
        let around = [peak.saturating_sub(1), (peak + 1).min(known.len() - 1)].map(|at| known[at].wrong);
        let (value, top) = maximum(around, (known[peak].wrong, known[peak].height), height);
        let likely: Vec<usize> = (0..known.len()).filter(|at| known[*at].height >= top - DROP).collect();
        let (first, last) = (*likely.first()?, *likely.last()?);
        let is_likely = |wrong: f64| height(wrong) >= top - DROP;
        let low = match first.checked_sub(1) {
            Some(outside) => border(known[outside].wrong, known[first].wrong.min(value), is_likely),
            None => 0.0,
        };
        let high = border(known.get(last + 1)?.wrong, known[last].wrong.max(value), is_likely);
        Some(Estimate { value, low: low.min(value), high: high.max(value) })
    }

    /// The likelihood of a share, with curves fitted from those of a nearby share.
    fn profile(&self, wrong: f64, starts: &[Curve]) -> Profile {
        let mut profile = Profile { wrong, height: f64::NEG_INFINITY, curves: Vec::new() };
        for (bins, start) in self.unmixed.iter().zip(starts) {
            // A flat curve is a dead end to start from.
            let (height, curve) = self.fit(bins, wrong, if start[1] > 0.01 { *start } else { AS_SAID });
            profile.height = profile.height.max(height);
            profile.curves.push(curve);
        }
        profile
    }

    /// The log likelihood of the best curve with this share of wrong labels, and the curve; by Fisher scoring
    /// with the damping of Levenberg and Marquardt.
    fn fit(&self, bins: &[OddsBin], wrong: f64, start: Curve) -> (f64, Curve) {
        let mut curve = start;
        let mut now = self.log_likelihood(bins, wrong, curve);
        let mut damping = 1e-3;
        for _ in 0..60 {
            let (gradient, information) = self.score(bins, wrong, curve);
            let mut gained = None;
            for _ in 0..10 {
                let trial = step(curve, gradient, information, damping);
                let then = self.log_likelihood(bins, wrong, trial);
                if then >= now {
                    gained = Some((trial, then));
                    break;
                }
                damping *= 10.0;
            }
            let Some((trial, then)) = gained else { break };
            let gain = then - now;
            (curve, now, damping) = (trial, then, damping / 10.0);
            if gain < 1e-7 {
                break;
            }
        }
        (now, curve)
    }

    fn at(&self, bin: &OddsBin, wrong: f64, [a, b]: Curve) -> At {
        let right = 1.0 / (1.0 + (-(a + b * bin.odds)).exp());
        let by_chance = wrong / self.others;
        let agree = right * (1.0 - wrong) + (1.0 - right) * by_chance;
        At { agree: agree.clamp(1e-9, 1.0 - 1e-9), slope: (1.0 - wrong - by_chance) * right * (1.0 - right) }
    }

    fn log_likelihood(&self, bins: &[OddsBin], wrong: f64, curve: Curve) -> f64 {
        let of = |bin: &OddsBin| {
            let agree = self.at(bin, wrong, curve).agree;
            bin.agree * agree.ln() + (bin.rows - bin.agree) * (1.0 - agree).ln()
        };
        bins.iter().map(of).sum()
    }

    /// Gradient and Fisher information (its upper triangle) of the log likelihood in `a` and `b`.
    fn score(&self, bins: &[OddsBin], wrong: f64, curve: Curve) -> ([f64; 2], [f64; 3]) {
        let (mut gradient, mut information) = ([0.0; 2], [0.0; 3]);
        for bin in bins {
            let At { agree, slope } = self.at(bin, wrong, curve);
            let variance = agree * (1.0 - agree);
            let residual = (bin.agree - bin.rows * agree) / variance * slope;
            let weight = bin.rows * slope * slope / variance;
            gradient[0] += residual;
            gradient[1] += residual * bin.odds;
            information[0] += weight;
            information[1] += weight * bin.odds;
            information[2] += weight * bin.odds * bin.odds;
        }
        (gradient, information)
    }
}

/// A damped step; the slope stays non-negative: no network is right more often where it is less confident.
fn step([a, b]: Curve, [g0, g1]: [f64; 2], [h00, h01, h11]: [f64; 3], damping: f64) -> Curve {
    let (d0, d1) = (h00 * (1.0 + damping) + 1e-9, h11 * (1.0 + damping) + 1e-9);
    let determinant = (d0 * d1 - h01 * h01).max(1e-18);
    [a + (d1 * g0 - h01 * g1) / determinant, (b + (d0 * g1 - h01 * g0) / determinant).max(0.0)]
}

/// Position and height of the peak within `around`, by golden-section search; `known` is the best so far.
fn maximum([mut low, mut high]: [f64; 2], known: (f64, f64), f: impl Fn(f64) -> f64) -> (f64, f64) {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let mut best = known;
    for _ in 0..24 {
        let (left, right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        let (at_left, at_right) = (f(left), f(right));
        for (at, height) in [(left, at_left), (right, at_right)] {
            if height > best.1 {
                best = (at, height);
            }
        }
        if at_left >= at_right { high = right } else { low = left }
    }
    best
}

/// The boundary of `is_in` between a point outside and one inside, by bisection.
fn border(mut outside: f64, mut inside: f64, is_in: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..20 {
        let middle = 0.5 * (outside + inside);
        if is_in(middle) { inside = middle } else { outside = middle }
    }
    inside
}

#[cfg(test)]
mod tests;
