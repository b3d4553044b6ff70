use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;

/// A confusion matrix of these counts.
fn confusion(counts: &[&[usize]]) -> Confusion {
    let mut confusion = Confusion::new(counts.len());
    for (actual, row) in counts.iter().enumerate() {
        for (predicted, count) in row.iter().enumerate() {
            (0..*count).for_each(|_| confusion.add(actual, predicted));
        }
    }
    confusion
}

fn both(confusion: &Confusion) -> [Estimate; 2] {
    macro_averages(confusion, &confusion.margins()).map(|estimate| estimate.unwrap())
}

#[track_caller]
fn bounds(estimate: Estimate, low: f64, high: f64) {
    let near = (estimate.low - low).abs() < 5e-4 && (estimate.high - high).abs() < 5e-4;
    assert!(near, "{estimate:?}, expected {low} to {high}");
}

#[test]
fn few_rows_that_are_all_right_do_not_make_it_certain() {
    // As accuracy has it for 10 of 10, and for 5 + 5 alike.
    let [one, f1] = both(&confusion(&[&[10]]));
    bounds(one, 0.7225, 1.0);
    // F1 of a recall r without a false hit is 2 r / (1 + r).
    assert!((f1.low - 2.0 * 0.7225 / 1.7225).abs() < 0.01, "{f1:?}");
    let [two, f1] = both(&confusion(&[&[5, 0], &[0, 5]]));
    bounds(two, 0.7225, 1.0);
    assert!((f1.low - 0.7225).abs() < 0.05, "{f1:?}");
}

#[test]
fn a_label_with_one_row_makes_the_interval_wide_though_all_else_is_sure() {
    // The recall of the second is somewhere between 0.2 and 1 (Wilson's), that of the first close to 1: the interval
    // is from 0.6, or wider.
    let [balanced, f1] = both(&confusion(&[&[1000, 0], &[0, 1]]));
    assert!((0.3..0.6).contains(&balanced.low) && balanced.high == 1.0, "{balanced:?}");
    assert!(f1.low < 0.8, "{f1:?}");
    let [sure, _] = both(&confusion(&[&[1000, 0], &[0, 1000]]));
    assert!(sure.low > 0.99, "{sure:?}");
}

#[test]
fn all_wrong_is_0_and_labels_that_are_only_predicted_do_not_panic() {
    let [balanced, f1] = both(&confusion(&[&[0, 0, 3], &[0, 0, 3], &[0, 0, 0]]));
    assert_eq!((balanced.value, balanced.low, f1.value, f1.low), (0.0, 0.0, 0.0, 0.0));
    assert!((0.2..0.8).contains(&balanced.high) && (0.2..0.8).contains(&f1.high), "{balanced:?}, {f1:?}");
}

/// A model and how many rows of each label it is measured on: the true recalls; wrong ones fall evenly on the others.
struct Setting {
    rows: Vec<usize>,
    recalls: Vec<f64>,
}

impl Setting {
    /// Balanced accuracy and macro-F1 of as many rows as one likes, with the shares of `rows`.
    fn truth(&self) -> [f64; 2] {
        let labels = self.rows.len() as f64;
        let cell = |actual: usize, predicted: usize| {
            let wrong = (1.0 - self.recalls[actual]) / (labels - 1.0);
            self.rows[actual] as f64 * if actual == predicted { self.recalls[actual] } else { wrong }
        };
        let f1 = |label: usize| {
            let predicted: f64 = (0..self.rows.len()).map(|actual| cell(actual, label)).sum();
            2.0 * cell(label, label) / (self.rows[label] as f64 + predicted)
        };
        [self.recalls.iter().sum::<f64>() / labels, (0..self.rows.len()).map(f1).sum::<f64>() / labels]
    }

    /// Of so many samples, the share of which the intervals hold the truth.
    fn coverage(&self, samples: usize) -> [f64; 2] {
        let (mut random, truth, labels) = (Pcg64Mcg::seed_from_u64(1), self.truth(), self.rows.len());
        let mut held = [0; 2];
        for _ in 0..samples {
            let mut confusion = Confusion::new(labels);
            for (actual, rows) in self.rows.iter().enumerate() {
                for _ in 0..*rows {
                    let is_right = random.random::<f64>() < self.recalls[actual];
                    let other = (actual + random.random_range(1..labels)) % labels;
                    confusion.add(actual, if is_right { actual } else { other });
                }
            }
            for ((held, estimate), truth) in held.iter_mut().zip(both(&confusion)).zip(truth) {
                *held += usize::from((estimate.low - 1e-12..=estimate.high + 1e-12).contains(&truth));
            }
        }
        held.map(|held| held as f64 / samples as f64)
    }
}

fn settings() -> Vec<(&'static str, Setting)> {
    let alike = |labels: usize, rows: usize, recall: f64| Setting {
        rows: vec![rows; labels],
        recalls: vec![recall; labels],
    };
    let mixed = |rows: &[usize], recalls: &[f64]| Setting { rows: rows.to_vec(), recalls: recalls.to_vec() };
    vec![
        ("2 labels, 5 rows each, right 0.9", alike(2, 5, 0.9)),
        ("2 labels, 50 rows each, right 0.9", alike(2, 50, 0.9)),
        ("10 labels, 1 row each, right 0.9", alike(10, 1, 0.9)),
        ("10 labels, 3 rows each, right 0.8", alike(10, 3, 0.8)),
        ("50 labels, 2 rows each, right 0.9", alike(50, 2, 0.9)),
        ("5 labels, 200 rows each, right 0.85", alike(5, 200, 0.85)),
        (
            "500, 100, 20, 5, 1 rows, the rare worse",
            mixed(&[500, 100, 20, 5, 1], &[0.98, 0.95, 0.9, 0.7, 0.5]),
        ),
        ("500, 100, 20, 5, 1 rows, right 0.95", mixed(&[500, 100, 20, 5, 1], &[0.95; 5])),
        ("990 and 10 rows, right 0.99 and 0.5", mixed(&[990, 10], &[0.99, 0.5])),
    ]
}

#[test]
fn the_intervals_hold_about_as_often_as_they_say() {
    for (name, setting) in settings() {
        for (what, coverage) in ["balanced accuracy", "macro-F1"].iter().zip(setting.coverage(400)) {
            // 3.5 standard errors of 400 samples below the least that many of them give.
            assert!(coverage > 0.88, "{name}: {what} in {coverage}");
        }
    }
}

/// `cargo test --lib -- --ignored --nocapture coverage_of_macro_averages` prints how often they hold.
#[test]
#[ignore = "a measurement"]
fn coverage_of_macro_averages() {
    for (name, setting) in settings() {
        let [balanced, f1] = setting.coverage(10_000);
        println!("{name}: balanced accuracy {balanced:.3}, macro-F1 {f1:.3}");
    }
}
