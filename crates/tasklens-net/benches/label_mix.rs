//! What the share of newly fitted heads beside the network is worth when it is chosen on every labelled row, the
//! network's training rows among them, and when it is chosen on the others only. Some labels are given, a part of them
//! wrong; a small network trains on them; more are given, and the heads are fitted as the window does. Rows without a
//! label measure, with their true ones. On the built-in sample, and on real photographs where they are.
//!
//! `cargo bench -p tasklens-net --bench label_mix [-- REPEATS WRONG]`, such as `-- 3 0.2`: a repeat takes minutes on one core. What is
//! trained is kept in `target/label_mix`; remove it to begin anew.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and makes files of its own"
)]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "label_mix/network.rs"]
mod network;
#[expect(dead_code, reason = "label_orders uses more of it")]
#[path = "../../../benches/shared/subject.rs"]
mod subject;

use std::path::Path;

use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use tasklens_net::labelling::suggestions::Suggestions;
use tasklens_net::training::seen::{self, Seen};

use subject::Subject;

const REPEATS: u64 = 3;
/// Labelled when the network is trained, a fifth of them to validate it.
const FIRST: usize = 400;
/// Labelled since.
const MORE: usize = 100;
/// Share of the labels that are wrong.
const WRONG: f64 = 0.2;
/// The shares that the window tries.
const SHARES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// `[task][row]`.
type Labels = Vec<Vec<Option<u32>>>;

fn main() {
    let mut numbers = std::env::args().filter(|argument| argument.parse::<f64>().is_ok());
    let repeats = numbers.next().and_then(|number| number.parse().ok()).unwrap_or(REPEATS);
    let wrong = numbers.next().and_then(|number| number.parse().ok()).unwrap_or(WRONG);
    let root = &Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for subject in subject::all(root, &root.join("target/label_mix")) {
        println!("{}, {FIRST} + {MORE} labels, {:.0} % of them wrong", subject.title, 100.0 * wrong);
        println!("repeat  network  heads  share on all  share on the others  best share");
        let mut sums = [0.0; 5];
        for repeat in 1..=repeats {
            let result = Simulation::prepare(&subject, repeat, wrong).run();
            println!("{repeat:>6}  {}", told(result));
            sums.iter_mut().zip(result).for_each(|(sum, value)| *sum += value / repeats as f64);
        }
        println!("  mean  {}", told(sums));
    }
}

fn told([network, heads, before, now, best]: [f64; 5]) -> String {
    format!("{network:>7.3}  {heads:>5.3}  {before:>12.3}  {now:>19.3}  {best:>10.3}")
}

struct Simulation<'a> {
    subject: &'a Subject,
    given: Labels,
    said: Suggestions,
    seen: Option<Seen>,
    seed: u64,
}

impl<'a> Simulation<'a> {
    fn prepare(subject: &'a Subject, seed: u64, wrong: f64) -> Self {
        let mut random = Pcg64::seed_from_u64(seed);
        let mut shuffled = subject.dataset.split.train.clone();
        shuffled.shuffle(&mut random);
        shuffled.truncate(FIRST + MORE);
        let given = given(subject, &shuffled, wrong, &mut random);
        let folder = subject.folder.join(format!("{seed}-{wrong}"));
        let labels = |row: usize| given.iter().map(|labels| labels[row]).collect();
        let outputs = network::outputs(subject, &folder, &shuffled[..FIRST], &labels, seed);
        let said = Suggestions::of_outputs(&subject.dataset, &outputs);
        let seen = seen::of_run(&folder.join("run"), &subject.dataset).expect("the split of the run");
        Self { subject, given, said, seen, seed }
    }

    /// Accuracy on rows without a label, mean of the tasks: of the network, of the heads, of both with the share
    /// chosen on all labelled rows, with that of the window, and with the share that is best for these rows.
    fn run(&self) -> [f64; 5] {
        let heads = self.said.updated(&self.subject.dataset.tasks, &self.given, self.seed, &mut |_, _| true);
        let heads = heads.expect("heads").expect("not cancelled");
        let has_trained_on_none = self.said.clone().knowing(Some(&Seen::default()));
        let knowing = self.said.clone().knowing(self.seen.as_ref());
        let of = |said: &Suggestions| {
            let answer = |task, row| said.top(task, row).map(|(label, _)| label);
            mean(self.accuracies(answer).into_iter())
        };
        let by_share = SHARES.map(|share| self.accuracies(|task, row| self.mixed(&heads, share, task, row)));
        let best_of = |task: usize| by_share.iter().map(|accuracies| accuracies[task]).fold(0.0, f64::max);
        [
            of(&self.said),
            of(&heads),
            of(&heads.mixed_with(&has_trained_on_none, &self.given)),
            of(&heads.mixed_with(&knowing, &self.given)),
            mean((0..self.given.len()).map(best_of)),
        ]
    }

    fn mixed(&self, heads: &Suggestions, share: f32, task: usize, row: usize) -> Option<u32> {
        let (learnt, known) = (heads.probabilities(task, row)?, self.said.probabilities(task, row)?);
        let mixed = learnt.iter().zip(known).map(|(learnt, known)| share * learnt + (1.0 - share) * known);
        (0..).zip(mixed).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(label, _)| label)
    }

    /// One per task.
    fn accuracies(&self, answer: impl Fn(usize, usize) -> Option<u32>) -> Vec<f64> {
        let rows = &self.subject.dataset.rows;
        let of_task = |(task, given): (usize, &Vec<Option<u32>>)| {
            let asked: Vec<usize> = (0..rows.len())
                .filter(|row| given[*row].is_none() && rows[*row].labels[task].class().is_some())
                .collect();
            let right =
                asked.iter().filter(|row| answer(task, **row) == rows[**row].labels[task].class()).count();
            right as f64 / asked.len().max(1) as f64
        };
        self.given.iter().enumerate().map(of_task).collect()
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

/// The labels of some rows, some of them wrong.
fn given(subject: &Subject, labelled: &[usize], wrong: f64, random: &mut Pcg64) -> Labels {
    let (tasks, rows) = (&subject.dataset.tasks, &subject.dataset.rows);
    let mut given: Labels = vec![vec![None; rows.len()]; tasks.len()];
    for (task, given) in given.iter_mut().enumerate() {
        let labels = tasks[task].labels.len() as u32;
        for row in labelled {
            let shift = if random.random_bool(wrong) { random.random_range(1..labels) } else { 0 };
            given[*row] = rows[*row].labels[task].class().map(|label| (label + shift) % labels);
        }
    }
    given
}
