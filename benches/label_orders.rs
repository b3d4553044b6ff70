//! Which image to label next: accuracy against the number of labelled images, for images taken at random, by
//! the model's doubt, and by how little they resemble what is labelled. On the built-in sample, and on real
//! photographs where they are (`TASKLENS_PHOTOGRAPHS`, or `../shared/data/clothing`).
//!
//! `cargo bench --bench label_orders [-- REPEATS]` takes about half an hour on one core. What is finished is
//! kept in `target/label_orders`; remove it to begin anew.
//!
//! Each repeat labels some first images at random, trains a small network on them from scratch as a user
//! without a GPU would, and then labels some more in each round, in the order under test; the heads are fitted
//! anew on the network's features, by the code that the window uses. Held-out rows only measure.

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

const REPEATS: u64 = 4;

/// The orders under test: `None` is at random.
const ORDERS: [(&str, Option<Order>); 3] =
    [("random", None), ("most uncertain", Some(Order::Uncertain)), ("most diverse", Some(Order::Diverse))];

/// What one order came to in one repeat.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Curve {
    order: usize,
    repeat: u64,
    points: Vec<Point>,
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

/// Everything about one data set.
struct Outcome {
    title: String,
    tasks: Vec<String>,
    /// The last order and repeat is all that is to be known at once: heads fitted to every label.
    everything: Vec<Point>,
    /// The first network's own answers.
    network: Vec<Point>,
    curves: Vec<Curve>,
    held_out: usize,
}

fn main() {
    let repeats = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(REPEATS);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/label_orders");
    let subjects = subject::all(root, &folder);
    let outcomes: Vec<Outcome> = subjects.iter().map(|subject| examine(subject, repeats)).collect();
    let text = table::markdown(&outcomes, repeats);
    println!("{text}");
    std::fs::write(folder.join("label_orders.md"), text).expect("the table");
    let picture = root.join("assets/label_orders.svg");
    std::fs::write(&picture, figure::svg(&outcomes)).expect("the picture");
    println!("{}\n{}", folder.join("label_orders.md").display(), picture.display());
}

fn examine(subject: &Subject, repeats: u64) -> Outcome {
    let mut outcome = Outcome {
        title: subject.title(),
        tasks: subject.dataset.tasks.iter().map(|task| task.name.clone()).collect(),
        everything: Vec::new(),
        network: Vec::new(),
        curves: Vec::new(),
        held_out: subject.dataset.split.validation.len(),
    };
    for repeat in 1..=repeats {
        let simulation = Simulation::prepare(subject, repeat);
        outcome.network.push(simulation.measured(&simulation.said, subject.first));
        let file = simulation.folder.join("everything.json");
        outcome.everything.push(kept(&file, || simulation.with_everything()));
        for (order, (name, by)) in ORDERS.into_iter().enumerate() {
            let began = Instant::now();
            let file = simulation.folder.join(format!("{}.json", name.replace(' ', "_")));
            let curve = kept(&file, || Curve { order, repeat, points: simulation.run(by) });
            let ends =
                [curve.points.first(), curve.points.last()].map(|point| point.map_or(0.0, Point::mean));
            let secs = began.elapsed().as_secs_f64();
            eprintln!("{} {repeat}, {name}: {:.3} to {:.3} ({secs:.0} s)", subject.name, ends[0], ends[1]);
            outcome.curves.push(curve);
        }
    }
    outcome
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

    /// Labels in rounds, by an order or at random.
    fn run(&self, order: Option<Order>) -> Vec<Point> {
        let Subject { first, step, last, .. } = *self.subject;
        let mut labels = vec![vec![None; self.subject.dataset.rows.len()]; self.subject.dataset.tasks.len()];
        self.label(&mut labels, &self.shuffled[..first]);
        let mut open = self.shuffled[first..].to_vec();
        let mut said = self.said.clone();
        let mut points = Vec::new();
        loop {
            said = self.updated(&said, &labels);
            let labelled = self.shuffled.len() - open.len();
            points.push(self.measured(&said, labelled));
            if labelled + step > last.min(self.shuffled.len()) {
                return points;
            }
            if let Some(order) = order {
                open = self.arranged(order, open, &labels, &said);
            }
            let rest = open.split_off(step);
            self.label(&mut labels, &open);
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
        let dataset = &self.subject.dataset;
        let accuracy = |task: usize| {
            let (mut right, mut of) = (0_u32, 0_u32);
            for row in &dataset.split.validation {
                if let Some(label) = dataset.rows[*row].labels[task] {
                    of += 1;
                    right += u32::from(said.top(task, *row).is_some_and(|(top, _)| top == label));
                }
            }
            f64::from(right) / f64::from(of.max(1))
        };
        Point { labels, accuracy: (0..dataset.tasks.len()).map(accuracy).collect() }
    }
}
