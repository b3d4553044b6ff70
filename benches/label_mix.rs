//! What the share of newly fitted heads beside the network is worth when it is chosen on every labelled row, the
//! network's training rows among them, and when it is chosen on the others only. Some labels of the built-in sample
//! are given, one in five of them wrong; a small network trains on them until it knows them by heart, more are given,
//! and the heads are fitted as the window does. Rows without a label measure, with their true ones.
//!
//! `cargo bench --bench label_mix [-- REPEATS]`; three repeats take minutes on one core. What is trained is kept in
//! `target/label_mix`; remove it to begin anew.

#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::fmt::Write as _;
use std::path::Path;

use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use tasklens::config::{Config, DeviceChoice};
use tasklens::dataset::{Dataset, sample};
use tasklens::inference::Predictor;
use tasklens::inference::outputs::Store;
use tasklens::labelling::suggestions::Suggestions;
use tasklens::training;
use tasklens::training::events::Event;
use tasklens::training::seen::{self, Seen};

const REPEATS: u64 = 3;
const IMAGES: usize = 1200;
/// Labelled when the network is trained, a fifth of them to validate it.
const FIRST: usize = 400;
/// Labelled since.
const MORE: usize = 100;
/// Share of the labels that are wrong.
const WRONG: f64 = 0.2;
const EPOCHS: usize = 40;

/// The shares that the window tries.
const SHARES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// `[task][row]`.
type Labels = Vec<Vec<Option<u32>>>;

fn main() {
    let repeats = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(REPEATS);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/label_mix");
    println!("repeat  network  heads  share on all  share on the others  best share");
    let mut sums = [0.0; 5];
    for repeat in 1..=repeats {
        let result = Simulation::prepare(&root.join(repeat.to_string()), repeat).run();
        println!("{repeat:>6}  {}", told(result));
        sums.iter_mut().zip(result).for_each(|(sum, value)| *sum += value / repeats as f64);
    }
    println!("  mean  {}", told(sums));
}

fn told([network, heads, before, now, best]: [f64; 5]) -> String {
    format!("{network:>7.3}  {heads:>5.3}  {before:>12.3}  {now:>19.3}  {best:>10.3}")
}

struct Simulation {
    /// As the CSV is when the network is trained.
    dataset: Dataset,
    truth: Labels,
    given: Labels,
    said: Suggestions,
    seen: Option<Seen>,
    seed: u64,
}

impl Simulation {
    fn prepare(folder: &Path, seed: u64) -> Self {
        let sample = folder.join("sample");
        let file = sample::write_sample(&sample, IMAGES, 100 + seed, &mut |_, _| true).expect("the sample");
        let drawn = Dataset::open(&Config::open(&file).expect("a config")).expect("rows");
        let truth: Labels = (0..drawn.tasks.len())
            .map(|task| drawn.rows.iter().map(|row| row.labels[task]).collect())
            .collect();
        let mut random = Pcg64::seed_from_u64(seed);
        let mut shuffled: Vec<usize> = (0..drawn.rows.len()).collect();
        shuffled.shuffle(&mut random);
        let given = given(&drawn, &truth, &shuffled[..FIRST + MORE], &mut random);
        let config = write_first(folder, &drawn, &given, &shuffled[..FIRST], seed);
        let run = folder.join("run");
        if !folder.join("trained").is_file() {
            // What a bench that was interrupted has left.
            let _ = std::fs::remove_dir_all(&run);
            train(&config, &run);
            std::fs::write(folder.join("trained"), "").expect("a mark");
        }
        let dataset = Dataset::open(&config).expect("rows");
        let store = Store::of(&run).expect("a store");
        let which: Vec<usize> = (0..dataset.rows.len()).collect();
        let open = || Predictor::open(&run, DeviceChoice::Cpu);
        store.compute(open, &dataset.rows, &which, (32, 1), &mut |_, _| true).expect("outputs");
        let said = Suggestions::of_outputs(&dataset, &store.load().expect("outputs"));
        let seen = seen::of_run(&run, &dataset).expect("the split of the run");
        Self { dataset, truth, given, said, seen, seed }
    }

    /// Accuracy on rows without a label, mean of the tasks: of the network, of the heads, of both with the share
    /// chosen on all labelled rows, with that of the window, and with the share that is best for these rows.
    fn run(&self) -> [f64; 5] {
        let heads = self.said.updated(&self.dataset.tasks, &self.given, self.seed, &mut |_, _| true);
        let heads = heads.expect("heads").expect("not cancelled");
        let has_trained_on_none = self.said.clone().knowing(Some(&Seen::default()));
        let knowing = self.said.clone().knowing(self.seen.as_ref());
        let of = |said: &Suggestions| self.accuracy(|task, row| said.top(task, row).map(|(label, _)| label));
        let best = SHARES.map(|share| self.accuracy(|task, row| self.mixed(&heads, share, task, row)));
        [
            of(&self.said),
            of(&heads),
            of(&heads.mixed_with(&has_trained_on_none, &self.given)),
            of(&heads.mixed_with(&knowing, &self.given)),
            best.into_iter().fold(0.0, f64::max),
        ]
    }

    fn mixed(&self, heads: &Suggestions, share: f32, task: usize, row: usize) -> Option<u32> {
        let (learnt, known) = (heads.probabilities(task, row)?, self.said.probabilities(task, row)?);
        let mixed = learnt.iter().zip(known).map(|(learnt, known)| share * learnt + (1.0 - share) * known);
        (0..).zip(mixed).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(label, _)| label)
    }

    fn accuracy(&self, answer: impl Fn(usize, usize) -> Option<u32>) -> f64 {
        let (mut right, mut of) = (0_u32, 0_u32);
        for (task, truth) in self.truth.iter().enumerate() {
            for row in (0..truth.len()).filter(|row| self.given[task][*row].is_none()) {
                of += 1;
                right += u32::from(answer(task, row) == truth[row]);
            }
        }
        f64::from(right) / f64::from(of.max(1))
    }
}

/// The labels of some rows, some of them wrong.
fn given(drawn: &Dataset, truth: &Labels, rows: &[usize], random: &mut Pcg64) -> Labels {
    let mut given: Labels = vec![vec![None; drawn.rows.len()]; drawn.tasks.len()];
    for (task, given) in given.iter_mut().enumerate() {
        let labels = drawn.tasks[task].labels.len() as u32;
        for row in rows {
            let shift = if random.random_bool(WRONG) { random.random_range(1..labels) } else { 0 };
            given[*row] = truth[task][*row].map(|label| (label + shift) % labels);
        }
    }
    given
}

/// A project with all images, of which the `first` have their labels.
fn write_first(folder: &Path, drawn: &Dataset, given: &Labels, first: &[usize], seed: u64) -> Config {
    let mut writer = csv::Writer::from_path(folder.join("labels.csv")).expect("a CSV");
    let names = drawn.tasks.iter().map(|task| task.name.as_str());
    writer.write_record(std::iter::once("image_path").chain(names)).expect("a row");
    for (row, drawn_row) in drawn.rows.iter().enumerate() {
        let label = |(task, labels): (usize, &Vec<Option<u32>>)| {
            let label = labels[row].filter(|_| first.contains(&row));
            label.map_or("", |label| drawn.tasks[task].labels[label as usize].as_str())
        };
        let labels = given.iter().enumerate().map(label);
        let image = drawn_row.image.to_str().expect("a path in UTF-8");
        writer.write_record(std::iter::once(image).chain(labels)).expect("a row");
    }
    writer.flush().expect("the CSV");
    let mut text = format!(
        "paths: {{model_dataframe: labels.csv}}\nmodel:\n  paths: image_path\n  input_shape: [48, 48]\n  backbone: \
         xception_small\n  pretrained: none\n  batch_size: 16\n  random_seed: {seed}\n  learning_rate: 0.002\n  \
         epochs: {EPOCHS}\n  early_stopping_patience: {EPOCHS}\n  device: cpu\n  augmentation: none\n  \
         target_encoder:\n"
    );
    for task in &drawn.tasks {
        let _ = writeln!(text, "    {}: [{}]", task.name, task.labels.join(", "));
    }
    Config::parse(&text, &folder.join("config.yml")).expect("a config")
}

fn train(config: &Config, run: &Path) {
    let request = training::Request {
        config: config.clone(),
        run: Some(run.to_path_buf()),
        resume: false,
        allow_outside: false,
        edits: training::Unsaved::default(),
    };
    for event in training::start(request, || {}).events {
        match event {
            Event::Epoch(epoch) => {
                eprintln!(
                    "epoch {}: {:?}, best: {}",
                    epoch.epoch, epoch.validation.task_accuracy, epoch.best
                );
            }
            Event::Failed { error } => panic!("{error}"),
            _ => {}
        }
    }
}
