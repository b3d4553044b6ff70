//! How far the first labels get, and which image to label next: accuracy against the number of labelled images, for
//! images taken at random, by the model's doubt, and by how little they resemble what is labelled. On the built-in
//! sample, and on real photographs where they are (`TASKLENS_PHOTOGRAPHS` names their folder).
//!
//! `cargo bench -p tasklens-net --bench label_orders [-- REPEATS]`. What is finished is kept in `target/label_orders`, where
//! `results` can be removed to fit anew on the same features.
//!
//! The features are those of the public network that Label begins with. Each repeat labels some first images at
//! random and then some more in each round, in the order under test; the heads are fitted anew on the features, by
//! the code that the window uses. Held-out rows only measure.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and makes files of its own"
)]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "label_orders/features.rs"]
mod features;
#[path = "label_orders/figure.rs"]
mod figure;
#[path = "label_orders/simulation.rs"]
mod simulation;
#[path = "../../../benches/shared/subject.rs"]
mod subject;
#[path = "label_orders/table.rs"]
mod table;

use std::cell::LazyCell;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tasklens_net::labelling::order::LabellingOrder;

use simulation::Simulation;
use subject::Subject;

const REPEATS: u64 = 5;

/// The orders under test: `None` is at random.
const ORDERS: [(&str, Option<LabellingOrder>); 3] = [
    ("random", None),
    ("most uncertain", Some(LabellingOrder::Uncertain)),
    ("most diverse", Some(LabellingOrder::Diverse)),
];

/// Numbers of labelled images at which heads are fitted and measured; the first are taken at random.
const ROUNDS: [usize; 10] = [20, 35, 50, 75, 100, 150, 200, 300, 400, 800];

/// What one order came to in one repeat.
struct Curve {
    order: usize,
    repeat: u64,
    /// One per round.
    points: Vec<Point>,
}

/// What the heads came to that learnt from so many labels.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Point {
    /// Images that are labelled.
    labels: usize,
    /// Per task the share of the held-out rows that are predicted right.
    accuracy: Vec<f64>,
    /// To fit the heads and to predict all images.
    secs: f64,
}

impl Point {
    /// Of the tasks.
    fn mean(&self) -> f64 {
        self.accuracy.iter().sum::<f64>() / self.accuracy.len() as f64
    }
}

/// Everything about one data set.
struct Outcome {
    title: &'static str,
    tasks: Vec<String>,
    held_out: usize,
    /// Heads fitted to all labels there are, one per repeat.
    everything: Vec<Point>,
    curves: Vec<Curve>,
}

fn main() {
    let repeats = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(REPEATS);
    let root = &Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("target/label_orders");
    let outcomes: Vec<Outcome> =
        subject::all(root, &folder).iter().map(|subject| examine(subject, repeats)).collect();
    std::fs::write(folder.join("label_orders.md"), table::markdown(&outcomes)).expect("the table");
    std::fs::write(root.join("assets/label_orders.svg"), figure::svg(&outcomes)).expect("the picture");
    println!("{}", table::markdown(&outcomes));
}

fn examine(subject: &Subject, repeats: u64) -> Outcome {
    // What was measured before needs none.
    let features = LazyCell::new(|| features::of(subject));
    let mut outcome = Outcome {
        title: subject.title,
        tasks: subject.dataset.tasks.iter().map(|task| task.name.clone()).collect(),
        held_out: subject.dataset.split.validation.len(),
        everything: Vec::new(),
        curves: Vec::new(),
    };
    for repeat in 1..=repeats {
        let simulation = || Simulation::new(subject, &features, repeat);
        let folder = subject.folder.join(format!("results/{repeat}"));
        outcome.everything.push(kept(&folder.join("everything.json"), || simulation().with_everything()));
        for (order, (name, by)) in ORDERS.into_iter().enumerate() {
            let file = folder.join(format!("{}.json", name.replace(' ', "_")));
            let points = kept(&file, || simulation().run(by));
            let ends = [points.first(), points.last()].map(|point| point.map_or(0.0, Point::mean));
            eprintln!("{} {repeat}, {name}: {:.3} to {:.3}", subject.name, ends[0], ends[1]);
            outcome.curves.push(Curve { order, repeat, points });
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
    tasklens_data::files::replace(file, &serde_json::to_vec_pretty(&result).expect("JSON"))
        .expect("the result");
    result
}
