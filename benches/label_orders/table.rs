//! The results as Markdown.

use std::fmt::Write as _;

use super::{ORDERS, Outcome, Point};

/// Student's t for an interval of 95 %, from two values on; with more it is near the last.
const STUDENT: [f64; 19] = [
    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11,
    2.10, 2.09,
];

/// Mean and standard deviation over the repeats.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub mean: f64,
    pub deviation: f64,
    count: usize,
}

impl Spread {
    pub fn of(values: &[f64]) -> Self {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count.max(1) as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, deviation: (squares / count.saturating_sub(1).max(1) as f64).sqrt(), count }
    }

    pub fn of_means(points: &[Point]) -> Self {
        Self::of(&points.iter().map(Point::mean).collect::<Vec<_>>())
    }

    /// In percent, with the deviation.
    fn share(self) -> String {
        format!("{:.1} ± {:.1}", 100.0 * self.mean, 100.0 * self.deviation)
    }

    /// In percentage points, with an interval that the mean of many repeats is in at 95 %.
    fn points(self) -> String {
        if self.count < 2 {
            return format!("{:+.1}", 100.0 * self.mean);
        }
        let student = STUDENT[(self.count - 2).min(STUDENT.len() - 1)];
        let half = student * self.deviation / (self.count as f64).sqrt();
        let [low, high] = [self.mean - half, self.mean + half].map(|end| 100.0 * end);
        format!("{:+.1} ({low:+.1} to {high:+.1})", 100.0 * self.mean)
    }
}

impl Outcome {
    /// Numbers of labelled images that were measured.
    pub fn labels(&self) -> Vec<usize> {
        let points = self.curves.first().map(|curve| &curve.points);
        points.into_iter().flatten().map(|point| point.labels).collect()
    }

    /// One value per repeat, for an order and the place of a number of labels.
    fn values(&self, order: usize, place: usize, value: impl Fn(&Point) -> f64) -> Vec<f64> {
        let curves = self.curves.iter().filter(|curve| curve.order == order);
        curves.map(|curve| value(&curve.points[place])).collect()
    }

    /// Mean accuracy of the tasks under an order.
    pub fn accuracy(&self, order: usize, place: usize) -> Spread {
        Spread::of(&self.values(order, place, Point::mean))
    }

    /// As [`Outcome::accuracy`], but without what makes a repeat better or worse under every order: its first
    /// images and its network. The mean is the same.
    pub fn within_repeats(&self, order: usize, place: usize) -> Spread {
        let level = |is_counted: &dyn Fn(u64) -> bool| {
            let curves = self.curves.iter().filter(|curve| is_counted(curve.repeat));
            Spread::of(&curves.flat_map(|curve| &curve.points).map(Point::mean).collect::<Vec<_>>()).mean
        };
        let all = level(&|_| true);
        let curves = self.curves.iter().filter(|curve| curve.order == order);
        let values =
            curves.map(|curve| curve.points[place].mean() + all - level(&|repeat| repeat == curve.repeat));
        Spread::of(&values.collect::<Vec<_>>())
    }

    fn table(&self) -> String {
        let labels = self.labels();
        let all = self.everything.first().map_or(0, |point| point.labels);
        let mut text = format!(
            "### {}\n\nAccuracy in percent on {} held-out images, mean of the tasks {}; mean ± standard deviation of {} \
             repeats, differences with their 95 % intervals.\n\n\
             - The most frequent label of each task: {:.1}\n\
             - The network's own answers after {} labels: {}\n\
             - Heads fitted to all {all} labels: {}\n\n",
            self.title,
            self.held_out,
            self.tasks.join(", "),
            self.everything.len(),
            100.0 * self.most_frequent.mean(),
            labels.first().unwrap_or(&0),
            Spread::of_means(&self.network).share(),
            Spread::of_means(&self.everything).share()
        );
        let names = ORDERS.map(|(name, _)| name);
        let less = names[1..].iter().map(|name| format!("{name} less random"));
        let heads: Vec<String> = names.iter().map(ToString::to_string).chain(less).collect();
        let _ =
            writeln!(text, "| labelled | {} |\n|{}", heads.join(" | "), " ---: |".repeat(1 + heads.len()));
        for (place, labels) in labels.iter().enumerate() {
            let cells = row(&[0, 1, 2].map(|order| self.values(order, place, Point::mean)));
            let _ = writeln!(text, "| {labels} | {cells} |");
        }
        for (task, name) in self.tasks.iter().enumerate() {
            for place in [labels.len() / 2, labels.len() - 1] {
                let cells =
                    row(&[0, 1, 2].map(|order| self.values(order, place, |point| point.accuracy[task])));
                let _ = writeln!(text, "| {name}, {} | {cells} |", labels[place]);
            }
        }
        if !self.retrained[0].is_empty() {
            let means = |order: usize| self.retrained[order].iter().map(Point::mean).collect();
            let (cells, repeats) = (row(&[0, 1, 2].map(means)), self.retrained[0].len());
            let last = labels.last().unwrap_or(&0);
            let _ = writeln!(text, "| {last}, network trained anew ({repeats} repeats) | {cells} |");
            for (task, name) in self.tasks.iter().enumerate() {
                let values =
                    |order: usize| self.retrained[order].iter().map(|point| point.accuracy[task]).collect();
                let _ = writeln!(text, "| {name}, {last}, trained anew | {} |", row(&[0, 1, 2].map(values)));
            }
        }
        text.push('\n');
        for (order, name) in names.iter().enumerate().skip(1) {
            for place in [labels.len() / 2, labels.len() - 1] {
                let reached = self.accuracy(order, place).mean;
                let needed = (0..labels.len()).find(|place| self.accuracy(0, *place).mean >= reached);
                let needed = needed.map_or_else(
                    || format!("more than {}", labels[labels.len() - 1]),
                    |place| labels[place].to_string(),
                );
                let (labels, reached) = (labels[place], 100.0 * reached);
                let _ = writeln!(text, "- {name}: {reached:.1} with {labels} labels; random needs {needed}");
            }
        }
        text
    }
}

/// Cells of one row: each order (random first), and what each other has more than random. Values of the same
/// repeat are compared, as they share their first images and their network.
fn row(values: &[Vec<f64>; 3]) -> String {
    let shares = values.iter().map(|values| Spread::of(values).share());
    let gains = values[1..].iter().map(|values_of_order| {
        let gains: Vec<f64> = values_of_order.iter().zip(&values[0]).map(|(a, b)| a - b).collect();
        Spread::of(&gains).points()
    });
    shares.chain(gains).collect::<Vec<_>>().join(" | ")
}

/// Tables of all data sets.
pub fn markdown(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(Outcome::table).collect::<Vec<_>>().join("\n")
}
