//! Which image to label next: accuracy against the number of labelled images, for images taken at random, by
//! the model's doubt, and by how little they resemble what is labelled. On the built-in sample, and on real
//! photographs where they are (`TASKLENS_PHOTOGRAPHS`, or `../shared/data/clothing`).
//!
//! `cargo bench --bench label_orders [-- REPEATS RETRAINED]`: 10 repeats took 17 minutes on one core, and each
//! one that trains networks anew a quarter of an hour more. What is finished is kept in `target/label_orders`;
//! remove it to begin anew.
//!
//! Each repeat labels some first images at random, trains a small network on them from scratch as a user
//! without a GPU would, and then labels some more in each round, in the order under test; the heads are fitted
//! anew on the network's features, by the code that the window uses. In some repeats a network is trained anew
//! on what is labelled in the end. Held-out rows only measure.

#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "label_orders/figure.rs"]
mod figure;
#[path = "label_orders/subject.rs"]
mod subject;
#[path = "label_orders/table.rs"]
mod table;

use std::path::{Path, PathBuf};
use std::time::Instant;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};
use subject::Subject;
use tasklens::labelling::order::{Arranged, Order, Question, Uncertainty, arrange};
use tasklens::labelling::suggestions::Suggestions;

const REPEATS: u64 = 10;
/// Repeats that train a network anew in the end.
const RETRAINED: u64 = 3;

/// The orders under test: `None` is at random.
const ORDERS: [(&str, Option<Order>); 3] =
    [("random", None), ("most uncertain", Some(Order::Uncertain)), ("most diverse", Some(Order::Diverse))];

/// What one order came to in one repeat.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Curve {
    order: usize,
    repeat: u64,
    points: Vec<Point>,
    /// Rows that are labelled in the end.
    labelled: Vec<usize>,
}

/// Shares of the held-out rows that are predicted right.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Point {
    /// Images that are labelled.
    labels: usize,
    /// One per task.
    accuracy: Vec<f64>,
}

impl Point {
    fn mean(&self) -> f64 {
        self.accuracy.iter().sum::<f64>() / self.accuracy.len() as f64
    }
}

/// Everything about one data set. What there is once per repeat is in the order of the repeats.
struct Outcome {
    title: &'static str,
    tasks: Vec<String>,
    held_out: usize,
    /// What the most frequent label of each task comes to.
    most_frequent: Point,
    /// The first network's own answers.
    network: Vec<Point>,
    /// Heads fitted to all labels there are.
    everything: Vec<Point>,
    curves: Vec<Curve>,
    /// `[order]`: networks trained anew on what is labelled in the end.
    retrained: Vec<Vec<Point>>,
}

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let repeats = numbers.first().copied().unwrap_or(REPEATS);
    let retrained = numbers.get(1).copied().unwrap_or(RETRAINED).min(repeats);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/label_orders");
    let subjects = subject::all(root, &folder);
    let mut outcomes: Vec<Outcome> = subjects.iter().map(|subject| examine(subject, repeats)).collect();
    write(root, &folder, &outcomes);
    for repeat in 1..=retrained {
        for (subject, outcome) in subjects.iter().zip(&mut outcomes) {
            retrain(subject, outcome, repeat);
        }
        // Each repeat takes minutes: what is known so far can be looked at.
        write(root, &folder, &outcomes);
    }
    println!("{}", table::markdown(&outcomes));
}

fn write(root: &Path, folder: &Path, outcomes: &[Outcome]) {
    std::fs::write(folder.join("label_orders.md"), table::markdown(outcomes)).expect("the table");
    std::fs::write(root.join("assets/label_orders.svg"), figure::svg(outcomes)).expect("the picture");
}

fn examine(subject: &Subject, repeats: u64) -> Outcome {
    let mut outcome = Outcome {
        title: subject.title,
        tasks: subject.dataset.tasks.iter().map(|task| task.name.clone()).collect(),
        held_out: subject.dataset.split.validation.len(),
        most_frequent: Point { labels: 0, accuracy: subject.shares_of_most_frequent() },
        network: Vec::new(),
        everything: Vec::new(),
        curves: Vec::new(),
        retrained: vec![Vec::new(); ORDERS.len()],
    };
    for repeat in 1..=repeats {
        let simulation = Simulation::prepare(subject, repeat);
        outcome.network.push(simulation.measured(&simulation.said, subject.first));
        let file = simulation.folder.join("everything.json");
        outcome.everything.push(kept(&file, || simulation.with_everything()));
        for (order, (name, by)) in ORDERS.into_iter().enumerate() {
            let began = Instant::now();
            let file = simulation.folder.join(format!("{}.json", name.replace(' ', "_")));
            let curve = kept(&file, || {
                let (points, labelled) = simulation.run(by);
                Curve { order, repeat, points, labelled }
            });
            let ends =
                [curve.points.first(), curve.points.last()].map(|point| point.map_or(0.0, Point::mean));
            let secs = began.elapsed().as_secs_f64();
            eprintln!("{} {repeat}, {name}: {:.3} to {:.3} ({secs:.0} s)", subject.name, ends[0], ends[1]);
            outcome.curves.push(curve);
        }
    }
    outcome
}

/// Trains networks from scratch on what each order has labelled in the end.
fn retrain(subject: &Subject, outcome: &mut Outcome, repeat: u64) {
    for curve in outcome.curves.iter().filter(|curve| curve.repeat == repeat) {
        let folder = subject.folder.join(format!("{repeat}/retrained_{}", curve.order));
        let outputs = subject.outputs(&folder, &curve.labelled, repeat);
        let said = Suggestions::of_outputs(&subject.dataset, &outputs);
        let point = Point { labels: curve.labelled.len(), accuracy: subject.accuracy(&said) };
        eprintln!("{} {repeat}, {}, trained anew: {:.3}", subject.name, ORDERS[curve.order].0, point.mean());
        outcome.retrained[curve.order].push(point);
    }
}

/// What an earlier run of the bench has left, else the work done now.
fn kept<T: Serialize + for<'a> Deserialize<'a>>(file: &Path, work: impl FnOnce() -> T) -> T {
    if let Some(kept) = std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return kept;
    }
    let result = work();
    tasklens::files::replace(file, &serde_json::to_vec_pretty(&result).expect("JSON")).expect("the result");
    result
}

/// One repeat: its first images, and what the network trained on them says.
struct Simulation<'a> {
    subject: &'a Subject,
    /// The rows that may be labelled, shuffled; the first of them are labelled to begin with.
    shuffled: Vec<usize>,
    said: Suggestions,
    seed: u64,
    folder: PathBuf,
}

impl<'a> Simulation<'a> {
    fn prepare(subject: &'a Subject, seed: u64) -> Self {
        let mut shuffled = subject.dataset.split.train.clone();
        shuffled.shuffle(&mut Pcg64::seed_from_u64(seed));
        let folder = subject.folder.join(seed.to_string());
        let outputs = subject.outputs(&folder, &shuffled[..subject.first], seed);
        let said = Suggestions::of_outputs(&subject.dataset, &outputs);
        Self { subject, shuffled, said, seed, folder }
    }

    /// Labels in rounds, by an order or at random; gives the rows that are labelled in the end, too.
    fn run(&self, order: Option<Order>) -> (Vec<Point>, Vec<usize>) {
        let Subject { first, step, last, .. } = *self.subject;
        let mut labels = vec![vec![None; self.subject.dataset.rows.len()]; self.subject.dataset.tasks.len()];
        let (mut labelled, mut open) = (self.shuffled[..first].to_vec(), self.shuffled[first..].to_vec());
        self.label(&mut labels, &labelled);
        let mut said = self.said.clone();
        let mut points = Vec::new();
        loop {
            said = self.updated(&said, &labels);
            points.push(self.measured(&said, labelled.len()));
            if labelled.len() + step > last.min(self.shuffled.len()) {
                return (points, labelled);
            }
            if let Some(order) = order {
                open = self.arranged(order, open, &labels, &said);
            }
            let rest = open.split_off(step);
            self.label(&mut labels, &open);
            labelled.extend(open);
            open = rest;
        }
    }

    fn arranged(
        &self,
        order: Order,
        mut open: Vec<usize>,
        labels: &[Vec<Option<u32>>],
        said: &Suggestions,
    ) -> Vec<usize> {
        open.sort_unstable();
        let tasks = self.subject.complete_tasks();
        let question = Question {
            order,
            uncertainty: Uncertainty::Margin,
            tasks: &tasks,
            labels,
            rows: &open,
            suggestions: Some(said),
        };
        let Arranged { rows, .. } = arrange(&question, &mut |_, _| true).expect("not cancelled");
        rows
    }

    /// All that the labels of the training rows can teach heads on these features.
    fn with_everything(&self) -> Point {
        let mut labels = vec![vec![None; self.subject.dataset.rows.len()]; self.subject.dataset.tasks.len()];
        self.label(&mut labels, &self.shuffled);
        self.measured(&self.updated(&self.said, &labels), self.shuffled.len())
    }

    fn label(&self, labels: &mut [Vec<Option<u32>>], rows: &[usize]) {
        for (task, labels) in labels.iter_mut().enumerate() {
            rows.iter().for_each(|row| labels[*row] = self.subject.dataset.rows[*row].labels[task]);
        }
    }

    fn updated(&self, said: &Suggestions, labels: &[Vec<Option<u32>>]) -> Suggestions {
        let updated = said.updated(&self.subject.dataset.tasks, labels, self.seed, &mut |_, _| true);
        updated.expect("heads").expect("not cancelled")
    }

    fn measured(&self, said: &Suggestions, labels: usize) -> Point {
        Point { labels, accuracy: self.subject.accuracy(said) }
    }
}
