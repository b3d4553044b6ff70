//! What share of the labels is wrong, from rows that the network did not train with.
//!
//! A row on which network and label differ is the network's mistake or the label's. The network's own mistakes
//! vanish where it is sure; wrong labels do not: they are as frequent among the images of which it is surest.
//! So agreement is described as a psychometric function with a lapse rate (Wichmann and Hill 2001, "The
//! psychometric function: I. Fitting, sampling, and goodness of fit"): with x, the log odds of the most probable
//! label,
//!
//! q(x) = 1 / (1 + exp(-(a + b x))), the probability that this label is the right one, and
//! P(the row has it) = q (1 - w) + (1 - q) w / (K - 1),
//!
//! where w is the share of wrong labels, each of the K - 1 others as likely. `a` and `b` mend a network that is
//! too sure or not sure enough (Platt 1999). One that learnt from wrong labels too is never surer than their share
//! allows: its probabilities are unmixed first, by some shares between none and what its surest answers allow.
//! All of these and `w` are those of greatest likelihood, and the interval is that of the profile likelihood.
//!
//! Where the surest answers are no surer than wrong labels would make them, both explain them: the interval then
//! begins at 0 and says what is the most.
//!
//! What is assumed is that the network's own mistakes become rare where it is surest: mistakes of which it is as
//! sure as of anything are counted as wrong labels. What the network's probabilities alone imply would not do: one
//! that learnt with 5 % of wrong labels says 95 % where it is certain, and they explain all its disagreement.

use serde::Serialize;

use super::intervals::Estimate;
use crate::inference::most_probable;

/// Fewer labelled rows say nothing.
pub const FEWEST: usize = 50;
/// A wider interval says nothing of use.
const WIDEST: f64 = 0.15;
/// Half the 95 % point of chi-squared with one degree of freedom.
const DROP: f64 = 1.920_729_41;
/// Log odds are cut here, where float32 probabilities end.
const SUREST: f64 = 16.0;
/// Rows are put together by how sure the network is of them.
const BINS: usize = 100;
/// Probabilities are unmixed by these parts of what the surest answers allow.
const UNMIXED: [f64; 4] = [0.0, 0.6, 0.9, 1.0];
/// The share of rows that count as the surest.
const SUREST_ROWS: f64 = 0.02;

/// What can be said of the share of wrong labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum WrongLabels {
    /// The share, with its 95 % interval.
    Share {
        /// Labelled rows that it rests on.
        rows: usize,
        /// 0 to 1.
        share: Estimate,
    },
    /// The network's mistakes cannot be told from wrong labels: any share in the interval would look the same.
    NetworkTooWeak {
        /// Labelled rows that it rests on.
        rows: usize,
    },
    /// Too few labelled rows that the network did not train with.
    TooFewRows {
        /// How many there are.
        rows: usize,
    },
}

impl WrongLabels {
    /// A sentence about it beside a list of `listed` of `labels` labels, without a full stop.
    pub fn beside_list(&self, labels: usize, listed: usize) -> String {
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

/// Estimates what share of `labels` is wrong. `probabilities` is `[N, classes]` of a network that did not train
/// with these rows; rows without a label are passed over, as are those whose probabilities are no numbers.
///
/// # Panics
/// `probabilities` has not `classes` numbers for each of `labels`.
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

/// Rows of which the network is about equally sure.
#[derive(Clone, Copy, Debug)]
struct Bin {
    /// Mean of their log odds.
    odds: f64,
    rows: f64,
    /// How many have the most probable label.
    agree: f64,
}

/// `a` and `b` of the module's formula.
type Curve = [f64; 2];

/// What a probability of agreement is, and its slope in the linear predictor.
struct At {
    agree: f64,
    slope: f64,
}

/// The curve where nothing else is known: the network is as often right as it says.
const AS_SAID: Curve = [0.0, 1.0];

struct Agreement {
    /// The rows, once for each of [`UNMIXED`].
    unmixed: Vec<Vec<Bin>>,
    /// K - 1.
    others: f64,
}

/// How likely a share of wrong labels is.
struct Profile {
    wrong: f64,
    /// Log likelihood of the best curve.
    height: f64,
    /// The best for each of [`UNMIXED`].
    curves: Vec<Curve>,
}

impl Agreement {
    /// Of (probability of the most probable label, whether the row has it), ascending.
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
            let bin = |rows: &[(f32, bool)]| Bin {
                odds: rows.iter().map(|row| log_odds(row.0)).sum::<f64>() / rows.len() as f64,
                rows: rows.len() as f64,
                agree: rows.iter().filter(|row| row.1).count() as f64,
            };
            rows.chunks(rows.len().div_ceil(BINS).max(1)).map(bin).collect()
        });
        Self { unmixed: unmixed.into(), others }
    }

    /// The share of greatest likelihood and its interval; `None` where any share is about as likely.
    fn share_of_wrong(&self) -> Option<Estimate> {
        // With more, agreement would tell of disagreement.
        let most = 0.9 * self.others / (self.others + 1.0);
        // First a coarse look, as there may be two peaks; each starts from its neighbour's curve.
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

    /// The likelihood of a share, the curves fitted from those of a share nearby.
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
    fn fit(&self, bins: &[Bin], wrong: f64, start: Curve) -> (f64, Curve) {
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

    fn at(&self, bin: &Bin, wrong: f64, [a, b]: Curve) -> At {
        let right = 1.0 / (1.0 + (-(a + b * bin.odds)).exp());
        let by_chance = wrong / self.others;
        let agree = right * (1.0 - wrong) + (1.0 - right) * by_chance;
        At { agree: agree.clamp(1e-9, 1.0 - 1e-9), slope: (1.0 - wrong - by_chance) * right * (1.0 - right) }
    }

    fn log_likelihood(&self, bins: &[Bin], wrong: f64, curve: Curve) -> f64 {
        let of = |bin: &Bin| {
            let agree = self.at(bin, wrong, curve).agree;
            bin.agree * agree.ln() + (bin.rows - bin.agree) * (1.0 - agree).ln()
        };
        bins.iter().map(of).sum()
    }

    /// Gradient and Fisher information (its upper triangle) of the log likelihood in `a` and `b`.
    fn score(&self, bins: &[Bin], wrong: f64, curve: Curve) -> ([f64; 2], [f64; 3]) {
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

/// A damped step; the slope stays at least 0: no network is more often right where it is less sure.
fn step([a, b]: Curve, [g0, g1]: [f64; 2], [h00, h01, h11]: [f64; 3], damping: f64) -> Curve {
    let (d0, d1) = (h00 * (1.0 + damping) + 1e-9, h11 * (1.0 + damping) + 1e-9);
    let determinant = (d0 * d1 - h01 * h01).max(1e-18);
    [a + (d1 * g0 - h01 * g1) / determinant, (b + (d0 * g1 - h01 * g0) / determinant).max(0.0)]
}

/// The place and the height of the peak within `around`, by golden sections; `known` is the best so far.
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

/// Where `is_in` ends between a place outside and one inside.
fn border(mut outside: f64, mut inside: f64, is_in: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..20 {
        let middle = 0.5 * (outside + inside);
        if is_in(middle) { inside = middle } else { outside = middle }
    }
    inside
}

#[cfg(test)]
mod tests;
