//! The results as Markdown.

use std::fmt::Write as _;

use super::{ORDERS, Outcome, Point};

/// Mean and standard deviation over the repeats.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub mean: f64,
    pub deviation: f64,
}

impl Spread {
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, deviation: (squares / (count - 1.0).max(1.0)).sqrt() }
    }

    /// In percent.
    fn share(self) -> String {
        format!("{:.1} ± {:.1} %", 100.0 * self.mean, 100.0 * self.deviation)
    }

    /// A difference, in percentage points.
    fn points(self) -> String {
        format!("{:+.1} ± {:.1}", 100.0 * self.mean, 100.0 * self.deviation)
    }
}

impl Outcome {
    /// Numbers of labelled images that were measured.
    pub fn labels(&self) -> Vec<usize> {
        self.curves
            .first()
            .map_or_else(Vec::new, |curve| curve.points.iter().map(|point| point.labels).collect())
    }

    /// One value per repeat, for an order and the place of a number of labels.
    fn values(&self, order: usize, place: usize, value: impl Fn(&Point) -> f64) -> Vec<f64> {
        self.curves
            .iter()
            .filter(|curve| curve.order == order)
            .map(|curve| value(&curve.points[place]))
            .collect()
    }

    /// Mean accuracy of the tasks under an order.
    pub fn accuracy(&self, order: usize, place: usize) -> Spread {
        Spread::of(&self.values(order, place, Point::mean))
    }
}

/// Tables of all data sets.
pub fn markdown(outcomes: &[Outcome], repeats: u64) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let labels = outcome.labels();
        let all = outcome.everything.first().map_or(0, |point| point.labels);
        let mean = |points: &[Point]| Spread::of(&points.iter().map(Point::mean).collect::<Vec<_>>()).share();
        let _ = writeln!(
            text,
            "### {}\n\n{repeats} repeats (mean ± standard deviation), {} held-out rows, mean of the tasks {}. The network's \
             own answers after {} labels: {}. Heads fitted to all {all}: {}.\n",
            outcome.title,
            outcome.held_out,
            outcome.tasks.join(", "),
            labels.first().unwrap_or(&0),
            mean(&outcome.network),
            mean(&outcome.everything)
        );
        let names: Vec<&str> = ORDERS.iter().map(|(name, _)| *name).collect();
        let _ = writeln!(
            text,
            "| labelled | {} | {} |",
            names.join(" | "),
            names[1..]
                .iter()
                .map(|name| format!("{name} less random, points"))
                .collect::<Vec<_>>()
                .join(" | ")
        );
        let _ = writeln!(text, "|{}", " ---: |".repeat(2 * names.len()));
        for (place, labels) in labels.iter().enumerate() {
            let shares = (0..names.len()).map(|order| outcome.accuracy(order, place).share());
            let random = outcome.values(0, place, Point::mean);
            let gains = (1..names.len()).map(|order| {
                // Of the same repeat: they share their first images and their network.
                let values = outcome.values(order, place, Point::mean);
                Spread::of(
                    &values.iter().zip(&random).map(|(value, random)| value - random).collect::<Vec<_>>(),
                )
                .points()
            });
            let _ = writeln!(text, "| {labels} | {} |", shares.chain(gains).collect::<Vec<_>>().join(" | "));
        }
        let _ = writeln!(text, "\nPer task:\n\n| task | labelled | {} |", names.join(" | "));
        let _ = writeln!(text, "| --- |{}", " ---: |".repeat(1 + names.len()));
        for (task, name) in outcome.tasks.iter().enumerate() {
            for place in [0, labels.len() / 2, labels.len() - 1] {
                let shares = (0..names.len()).map(|order| {
                    Spread::of(&outcome.values(order, place, |point| point.accuracy[task])).share()
                });
                let shares = shares.collect::<Vec<_>>().join(" | ");
                let _ = writeln!(text, "| {name} | {} | {shares} |", labels[place]);
            }
        }
        let _ = writeln!(text, "\nLabels that random order needs for what an order reaches:\n");
        for order in 1..names.len() {
            for place in [labels.len() / 2, labels.len() - 1] {
                let reached = outcome.accuracy(order, place).mean;
                let needed = (0..labels.len()).find(|place| outcome.accuracy(0, *place).mean >= reached);
                let needed = needed.map_or_else(
                    || format!("more than {}", labels[labels.len() - 1]),
                    |place| labels[place].to_string(),
                );
                let _ = writeln!(
                    text,
                    "- {} with {}: {:.1} %, random needs {needed}",
                    names[order],
                    labels[place],
                    100.0 * reached
                );
            }
        }
        text.push('\n');
    }
    text
}
