use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use rand_pcg::Pcg64Mcg;

use super::*;

/// Rows of a made-up network, and the labels that they got.
struct MadeUp {
    labels: Vec<Option<u32>>,
    probabilities: Vec<f32>,
    classes: usize,
    /// Share of the labels that are wrong, as drawn.
    wrong: f64,
    accuracy: f64,
}

/// How the made-up rows are drawn.
#[derive(Clone, Copy)]
struct Draw {
    rows: usize,
    classes: usize,
    /// Deviation of the logits: the larger, the better the network.
    spread: f64,
    /// Chance that a label is made wrong.
    wrong: f64,
    /// What the network has learnt of wrong labels: its probabilities are right for labels of which this share is
    /// wrong.
    learnt: f64,
    /// The network's logits are so many times those that would be right.
    too_sure: f64,
}

const WEAK: Draw = Draw { rows: 1000, classes: 3, spread: 1.2, wrong: 0.0, learnt: 0.0, too_sure: 1.0 };
const GOOD: Draw = Draw { rows: 2000, classes: 4, spread: 6.0, wrong: 0.05, learnt: 0.0, too_sure: 1.0 };

fn softmax(logits: &[f64], sharper: f64) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: Vec<f64> = logits.iter().map(|logit| (sharper * (logit - most)).exp()).collect();
    let sum: f64 = all.iter().sum();
    all.iter().map(|p| p / sum).collect()
}

fn draw(how: Draw, seed: u64) -> MadeUp {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let Draw { rows, classes, spread, .. } = how;
    let others = (classes - 1) as f64;
    let (mut labels, mut probabilities, mut wrong, mut right) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..rows {
        let logits: Vec<f64> = (0..classes)
            .map(|_| {
                let normal: f64 = StandardNormal.sample(&mut random);
                spread * normal
            })
            .collect();
        let mut left: f64 = random.random_range(0.0..1.0);
        let truth = softmax(&logits, 1.0)
            .iter()
            .position(|p| {
                left -= p;
                left < 0.0
            })
            .unwrap_or(classes - 1);
        let mut label = truth;
        if random.random_bool(how.wrong) {
            wrong += 1;
            label = (truth + random.random_range(1..classes)) % classes;
        }
        labels.push(Some(label as u32));
        let said = softmax(&logits, how.too_sure);
        let said: Vec<f32> =
            said.iter().map(|p| ((1.0 - how.learnt) * p + how.learnt * (1.0 - p) / others) as f32).collect();
        right += usize::from(most_probable(&said) == truth);
        probabilities.extend(said);
    }
    let of = |count: usize| count as f64 / rows as f64;
    MadeUp { labels, probabilities, classes, wrong: of(wrong), accuracy: of(right) }
}

/// Of ten draws: how often the interval holds the truth or nothing is claimed, how often something is claimed,
/// and the mean of what is.
fn ten(how: Draw) -> (usize, usize, f64) {
    let (mut held, mut claimed, mut sum) = (0, 0, 0.0);
    for seed in 0..10 {
        let made = draw(how, seed);
        match estimate(&made.labels, &made.probabilities, made.classes) {
            WrongLabels::Share { share, .. } => {
                claimed += 1;
                sum += share.value;
                held += usize::from((share.low..=share.high).contains(&made.wrong));
            }
            WrongLabels::NetworkTooWeak { .. } => held += 1,
            WrongLabels::TooFewRows { rows } => panic!("{rows} rows"),
        }
    }
    (held, claimed, sum / claimed.max(1) as f64)
}

/// Confident learning said 21.5 %, 11 % and 9 % of labels that are all right.
#[test]
fn a_weak_network_is_not_taken_for_wrong_labels() {
    for (classes, spread, accuracy) in [(3, 1.2, 0.63), (2, 1.2, 0.76), (7, 3.4, 0.73)] {
        let how = Draw { classes, spread, ..WEAK };
        let made = draw(how, 0);
        assert!((made.accuracy - accuracy).abs() < 0.03, "{classes} classes: {}", made.accuracy);
        let (held, claimed, mean) = ten(how);
        assert!(held >= 9, "{classes} classes: {held} of 10");
        assert!(claimed == 0 || mean < 0.03, "{classes} classes: {mean} in {claimed}");
    }
}

#[test]
fn a_network_that_knows_nothing_claims_nothing() {
    for seed in 0..20 {
        let how = Draw { spread: 0.05, ..WEAK };
        let made = draw(how, seed);
        let found = estimate(&made.labels, &made.probabilities, made.classes);
        assert_eq!(found, WrongLabels::NetworkTooWeak { rows: 1000 }, "seed {seed}");
    }
}

#[test]
fn the_interval_holds_the_planted_share() {
    for wrong in [0.0, 0.01, 0.05, 0.1, 0.2] {
        let (held, claimed, mean) = ten(Draw { wrong, ..GOOD });
        assert!(held >= 9 && claimed == 10, "{wrong}: {held} held of {claimed}");
        assert!((mean - wrong).abs() < 0.2 * wrong + 0.002, "{wrong}: {mean}");
    }
}

/// Its probabilities say 95 % where the label is certain: there is no excess over what they imply, and no way to
/// tell that from a network that is never sure.
#[test]
fn a_network_that_learnt_the_wrong_labels_too_does_not_call_them_right() {
    let (held, claimed, _) = ten(Draw { learnt: 0.05, ..GOOD });
    assert!(held >= 9 && claimed == 10, "{held} held of {claimed}");
}

#[test]
fn how_sure_the_network_says_to_be_does_not_matter() {
    for how in [Draw { too_sure: 3.0, ..GOOD }, Draw { too_sure: 0.5, ..GOOD }] {
        let (held, claimed, mean) = ten(how);
        assert!(held >= 9 && claimed == 10, "{held} held of {claimed}");
        assert!((mean - 0.05).abs() < 0.015, "{mean}");
    }
}

#[test]
fn few_rows_say_nothing_and_rows_without_label_or_numbers_do_not_count() {
    let made = draw(Draw { rows: 100, ..GOOD }, 1);
    let few = estimate(&made.labels[..49], &made.probabilities[..49 * 4], 4);
    assert_eq!(few, WrongLabels::TooFewRows { rows: 49 });
    let whole = estimate(&made.labels, &made.probabilities, 4);
    assert!(matches!(whole, WrongLabels::Share { rows: 100, .. }), "{whole:?}");
    let (mut labels, mut probabilities) = (made.labels.clone(), made.probabilities);
    labels.extend([None, Some(1)]);
    probabilities.extend([0.25; 4]);
    probabilities.extend([f32::NAN; 4]);
    assert_eq!(estimate(&labels, &probabilities, 4), whole);
    let one = estimate(&[Some(0); 60], &[1.0; 60], 1);
    assert_eq!(one, WrongLabels::TooFewRows { rows: 60 });
}

/// All agree: the share is 0, and at most what so few rows allow.
#[test]
fn rows_that_all_agree_allow_what_their_number_does() {
    for (rows, most) in [(60, 0.05), (1000, 0.003)] {
        let probabilities = [0.99, 0.01].repeat(rows);
        let WrongLabels::Share { share, .. } = estimate(&vec![Some(0); rows], &probabilities, 2) else {
            panic!("nothing is said of {rows} rows");
        };
        assert!(share.value < 1e-3 && share.low == 0.0, "{share:?}");
        assert!(share.high < most && share.high > 1.0 / rows as f64, "{share:?}");
    }
}

#[test]
fn a_list_longer_than_the_share_allows_is_said_to_be_the_networks() {
    let share = Estimate { value: 0.02, low: 0.01, high: 0.04 };
    let found = WrongLabels::Share { rows: 400, share };
    assert!(found.beside_list(2000, 338).ends_with(": most of this list are the network's own mistakes"));
    assert_eq!(found.beside_list(2000, 80), found.sentence());
}
