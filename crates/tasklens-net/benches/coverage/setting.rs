//! Models with known recalls, and how often intervals from samples of them hold the truth. A test draws from them too.

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::{Confusion, Estimate};

/// A model and how many rows of each label it is measured on: the true recalls; wrong ones fall evenly on the others.
pub struct Setting {
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

    /// Of so many samples, the share of which the intervals of balanced accuracy and macro-F1 hold the truth.
    pub fn coverage(&self, samples: usize, intervals: impl Fn(&Confusion) -> [Estimate; 2]) -> [f64; 2] {
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
            for ((held, estimate), truth) in held.iter_mut().zip(intervals(&confusion)).zip(truth) {
                *held += usize::from((estimate.low - 1e-12..=estimate.high + 1e-12).contains(&truth));
            }
        }
        held.map(|held| held as f64 / samples as f64)
    }
}

/// What is tried, with its name.
pub fn settings() -> Vec<(&'static str, Setting)> {
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
