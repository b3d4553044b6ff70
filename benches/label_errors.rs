//! How many wrong labels are found: 5 % of the sample's labels are flipped at random, a network is trained on
//! them as they are, and the likely label errors are compared with what was flipped. Takes some minutes.
//!
//! `cargo bench --bench label_errors [-- IMAGES EPOCHS]`

#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::collections::HashMap;
use std::path::Path;

use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use tasklens::config::{Config, DeviceChoice};
use tasklens::dataset::{Dataset, sample};
use tasklens::evaluation::inspection::Inspection;
use tasklens::evaluation::suspects;
use tasklens::inference::Predictor;
use tasklens::inference::outputs::Store;
use tasklens::training::events::Event;
use tasklens::training::{self, split_file};

const SHARE: f64 = 0.05;

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let images = numbers.first().copied().unwrap_or(2000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = sample::write_sample(folder.path(), images, 7, &mut |_, _| true).expect("the sample");
    let changes: Vec<(String, String)> =
        numbers.get(1).map(|epochs| ("model.epochs".to_owned(), epochs.to_string())).into_iter().collect();
    let config = Config::with_overrides(&file, &changes).expect("a config");
    let flipped = flip(&config);
    let run = folder.path().join("run");
    train(&config, &run);

    let dataset = Dataset::open(&config).expect("rows");
    let store = Store::of(&run).expect("a store");
    let which: Vec<usize> = (0..dataset.rows.len()).collect();
    let open = || Predictor::open(&run, DeviceChoice::Auto);
    store.compute(open, &dataset.rows, &which, (32, 2), &mut |_, _| true).expect("outputs");
    let parts = split_file::parts(&run, &dataset).expect("parts");
    let inspection = Inspection::new(&dataset, &parts, &store.load().expect("outputs"));
    let found = suspects::find(&dataset, &inspection, store.folder(), &mut |_, _| true).expect("suspects");
    let found = found.expect("not cancelled");

    println!("labels flipped at random: {:.0} %, in train and validation rows alike", 100.0 * SHARE);
    let mut sums = [0; 4];
    for ((task, found), flipped) in dataset.tasks.iter().zip(&found).zip(&flipped) {
        let hits = found.suspects.iter().filter(|suspect| flipped.contains_key(&suspect.of.row)).count();
        let mended =
            found.suspects.iter().filter(|suspect| flipped.get(&suspect.of.row) == Some(&suspect.proposed));
        let counts = [flipped.len(), found.suspects.len(), hits, mended.count()];
        println!("{:<10} {}", task.name, told(counts));
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    println!("{:<10} {}", "all", told(sums));
}

fn told([flipped, suspects, hits, mended]: [usize; 4]) -> String {
    format!(
        "{flipped} flipped, {suspects} suspects: recall {:.3}, precision {:.3}, right proposals {:.3} of the hits",
        hits as f64 / flipped as f64,
        hits as f64 / suspects.max(1) as f64,
        mended as f64 / hits.max(1) as f64
    )
}

/// Flips labels in the CSV; per task the rows flipped, with their true class.
fn flip(config: &Config) -> Vec<HashMap<usize, u32>> {
    let mut dataset = Dataset::open(config).expect("rows");
    let mut random = Pcg64::seed_from_u64(5);
    let mut flipped = vec![HashMap::new(); dataset.tasks.len()];
    for row in 0..dataset.rows.len() {
        for (task, flipped) in flipped.iter_mut().enumerate() {
            let Some(label) = dataset.rows[row].labels[task] else { continue };
            if !random.random_bool(SHARE) {
                continue;
            }
            let others: Vec<usize> =
                (0..dataset.tasks[task].labels.len()).filter(|other| *other != label as usize).collect();
            let wrong = *others.choose(&mut random).expect("a task has two labels");
            let text = dataset.tasks[task].labels[wrong].clone();
            dataset.table.set_cell(row, dataset.columns.tasks[task], &text).expect("a cell");
            flipped.insert(row, label);
        }
    }
    dataset.table.write_to(Path::new(&config.paths.model_dataframe)).expect("the CSV");
    flipped
}

fn train(config: &Config, run: &Path) {
    let request = training::Request {
        config: config.clone(),
        run: Some(run.to_path_buf()),
        resume: false,
        allow_outside: false,
        edits: training::Unsaved::default(),
    };
    let training = training::start(request, || {});
    for event in training.events {
        match event {
            Event::Epoch(epoch) => {
                eprintln!("epoch {} validation {:?}", epoch.epoch, epoch.validation.task_accuracy);
            }
            Event::Failed { error } => panic!("{error}"),
            _ => {}
        }
    }
}
