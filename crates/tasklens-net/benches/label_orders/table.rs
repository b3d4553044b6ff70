//! The results as Markdown.

use std::fmt::Write as _;

use super::{ORDERS, Outcome, Point, ROUNDS};

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
    /// images. The mean is the same.
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

    /// Seconds of a fit to so many labels, the median over repeats and orders.
    fn secs(&self, labels: usize) -> f64 {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let mut secs: Vec<f64> = points.filter(|p| p.labels == labels).map(|p| p.secs).collect();
        secs.sort_by(f64::total_cmp);
        secs.get(secs.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn table(&self) -> String {
        let mut text = format!(
            "### {}\n\nAccuracy in percent on {} held-out images; mean ± standard deviation of {} repeats, differences with \
             their 95 % intervals. A fit took {:.1} s with 100 labels and {:.1} s with 400.\n\n",
            self.title,
            self.held_out,
            self.everything.len(),
            self.secs(100),
            self.secs(400),
        );
        let mean = format!("mean of {}", self.tasks.join(", "));
        text += &self.rows(&mean, &Point::mean);
        for (task, name) in self.tasks.iter().enumerate() {
            text += &self.rows(name, &|point| point.accuracy[task]);
        }
        for (order, (name, _)) in ORDERS.iter().enumerate().skip(1) {
            for place in [ROUNDS.len() / 2, ROUNDS.len() - 1] {
                let _ = writeln!(text, "- {name}: {}", self.labels_saved(order, place));
            }
        }
        text
    }

    /// Some value of every point, by number of labels and order.
    fn rows(&self, what: &str, value: &dyn Fn(&Point) -> f64) -> String {
        let names = ORDERS.map(|(name, _)| name);
        let less = names[1..].iter().map(|name| format!("{name} - random"));
        let heads: Vec<String> = names.iter().map(ToString::to_string).chain(less).collect();
        let mut text =
            format!("| {what} | {} |\n|{}\n", heads.join(" | "), " ---: |".repeat(1 + heads.len()));
        for (place, labels) in ROUNDS.iter().enumerate() {
            let cells = row(&[0, 1, 2].map(|order| self.values(order, place, value)));
            let _ = writeln!(text, "| {labels} | {cells} |");
        }
        let all = self.everything.first().map_or(0, |point| point.labels);
        let everything = Spread::of(&self.everything.iter().map(value).collect::<Vec<_>>());
        let _ = writeln!(text, "| all {all} | {} |{}\n", everything.share(), " |".repeat(heads.len() - 1));
        text
    }

    /// How many random labels do what an order does with fewer.
    fn labels_saved(&self, order: usize, place: usize) -> String {
        let reached = self.accuracy(order, place).mean;
        let needed = (0..ROUNDS.len()).find(|place| self.accuracy(0, *place).mean >= reached);
        let needed = needed.map_or_else(
            || format!("more than {}", ROUNDS[ROUNDS.len() - 1]),
            |place| ROUNDS[place].to_string(),
        );
        format!("{:.1} with {} labels, for which random needs {needed}", 100.0 * reached, ROUNDS[place])
    }
}

/// Cells of one row: each order (random first), and what each other has more than random. Values of the same
/// repeat are compared, as they share their first images.
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
