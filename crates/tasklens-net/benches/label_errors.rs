//! How many wrong labels are found, and whether what is claimed of them is true: labels of the sample are flipped
//! at random, a network is trained on them as they are and looked at after 1, 2, 4, 8 and 16 epochs. Takes some
//! minutes for each share of flipped labels.
//!
//! `cargo bench -p tasklens-net --bench label_errors [-- [by-heart] SEED [PERCENT...]]`, without any 0, 1, 5 and 10 %. With `by-heart`
//! nothing is augmented and there are 40 epochs: the network learns its images by heart, and its training rows are
//! judged by its own features and by those of a pretrained network (which set-up brings) in turn.
//!
//! The held-out labels are flipped anew ten times for each network (which never saw them), so that the claimed
//! intervals are held to account by more than one draw.

#![allow(clippy::print_stdout, reason = "a bench prints, and makes files of its own")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::collections::HashMap;
use std::path::Path;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use tasklens_data::config::{Config, DeviceChoice};
use tasklens_data::dataset::split::Part;
use tasklens_data::dataset::{Dataset, sample};
use tasklens_data::work::KeepGoing;
use tasklens_net::evaluation::inspection::Inspection;
use tasklens_net::evaluation::suspects::{self, TaskSuspects};
use tasklens_net::evaluation::wrong_labels::{self, WrongLabels};
use tasklens_net::inference::Predictor;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::outputs::OutputStore;
use tasklens_net::model::pretrained;
use tasklens_net::training::events::Event;
use tasklens_net::training::{self, split_file, unseen};

const IMAGES: usize = 2000;
const STOPS: [u32; 5] = [1, 2, 4, 8, 16];
const BY_HEART: [u32; 2] = [10, 40];
const REDRAWN: u64 = 10;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let seed = numbers.next().unwrap_or(1);
    let mut shares: Vec<f64> = numbers.map(|percent| percent as f64 / 100.0).collect();
    if shares.is_empty() {
        shares = vec![0.0, 0.01, 0.05, 0.1];
    }
    let by_heart = std::env::args().any(|argument| argument == "by-heart");
    let mut held = Held::default();
    for share in shares {
        measure(share, seed, by_heart, &mut held);
    }
    println!(
        "\nclaimed intervals that hold the true share: {} of {} as trained, {} of {} with held-out labels flipped anew; \
         nothing claimed: {} and {}",
        held.own.0, held.own.1, held.redrawn.0, held.redrawn.1, held.own.2, held.redrawn.2
    );
}

/// How often an interval held the truth, of how many, and how often nothing was claimed.
#[derive(Default)]
struct Held {
    own: (usize, usize, usize),
    redrawn: (usize, usize, usize),
}

/// Counts one claim.
fn count(counts: &mut (usize, usize, usize), claim: &WrongLabels, truth: f64) {
    match claim {
        WrongLabels::Share { share, .. } => {
            counts.0 += usize::from((share.low..=share.high).contains(&truth));
            counts.1 += 1;
        }
        _ => counts.2 += 1,
    }
}

fn measure(share: f64, seed: u64, by_heart: bool, held: &mut Held) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = sample::write_sample(folder.path(), IMAGES, 7, &mut |_, _| true).expect("the sample");
    let config = |epochs: u32| {
        let mut changes = vec![("model.epochs", epochs.to_string()), ("model.random_seed", seed.to_string())];
        if by_heart {
            let patience = ("model.early_stopping_patience", BY_HEART[1].to_string());
            changes.extend([patience, ("model.augmentation", "none".to_owned())]);
        }
        let changes: Vec<_> = changes.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Config::with_overrides(&file, &changes).expect("a config")
    };
    let flipped = flip(&config(1), share, seed);
    let run = folder.path().join("run");
    println!("\n{:.0} % of the labels flipped at random, seed {seed}", 100.0 * share);
    let stops = if by_heart { &BY_HEART[..] } else { &STOPS };
    for (stop, &epochs) in stops.iter().enumerate() {
        train(&config(epochs), &run, stop > 0);
        let dataset = Dataset::open(&config(epochs)).expect("rows");
        let (inspection, store) = inspect(&run, &dataset);
        let mut unseen = |rows: &[usize], keep_going: &mut KeepGoing<'_>| {
            unseen::features(&config(epochs), &dataset, rows, &pretrained::cached, keep_going)
        };
        let mut own = |_: &[usize], _: &mut KeepGoing<'_>| Ok(None);
        let mut judges: Vec<&mut suspects::Unseen<'_>> = vec![&mut own];
        if by_heart {
            judges.push(&mut unseen);
        }
        for (judge, unseen) in judges.into_iter().enumerate() {
            let found = suspects::find(&dataset, &inspection, store.folder(), unseen, &mut |_, _| true);
            let found = found.expect("suspects").expect("not cancelled");
            for (task, flipped) in flipped.iter().enumerate() {
                report(epochs, task, &dataset, &inspection, &found[task], flipped, &mut held.own);
                if judge == 0 {
                    redraw(share, task, &inspection, flipped, &mut held.redrawn);
                }
            }
        }
    }
}

/// Of the rows of the dataset whose label was flipped, the true one.
type Flipped = HashMap<usize, u32>;

fn inspect(run: &Path, dataset: &Dataset) -> (Inspection, OutputStore) {
    let store = OutputStore::of(run).expect("a store");
    let which: Vec<usize> = (0..dataset.rows.len()).collect();
    let open = || Predictor::open(run, DeviceChoice::Auto);
    store
        .compute(open, &dataset.rows, &which, Batching { size: 32, workers: 2 }, &mut |_, _| true)
        .expect("outputs");
    let parts = split_file::parts(run, dataset).expect("parts");
    (Inspection::new(dataset, &parts, &store.load().expect("outputs")), store)
}

fn report(
    epochs: u32,
    task: usize,
    dataset: &Dataset,
    inspection: &Inspection,
    found: &TaskSuspects,
    flipped: &Flipped,
    held: &mut (usize, usize, usize),
) {
    let accuracy = |is_train: bool| {
        let items = (0..inspection.len()).filter(|i| (inspection.parts[*i] == Part::Train) == is_train);
        let right: Vec<bool> = items.filter_map(|item| inspection.tasks[task].is_right(item)).collect();
        right.iter().filter(|right| **right).count() as f64 / right.len().max(1) as f64
    };
    let held_out: Vec<usize> =
        (0..inspection.len()).filter(|item| inspection.parts[*item] != Part::Train).collect();
    let wrong = held_out.iter().filter(|item| flipped.contains_key(&inspection.rows[**item])).count();
    let truth = wrong as f64 / held_out.len().max(1) as f64;
    count(held, &found.wrong, truth);
    let claim = match found.wrong {
        WrongLabels::Share { share, .. } => {
            format!("{:4.1} % ({:.1} to {:.1})", 100.0 * share.value, 100.0 * share.low, 100.0 * share.high)
        }
        _ => "nothing".to_owned(),
    };
    println!(
        "{epochs:>2} epochs  {:<9} train {:.3} held out {:.3}  claimed {claim:<21} true {:4.1} %  {}{}",
        dataset.tasks[task].name,
        accuracy(true),
        accuracy(false),
        100.0 * truth,
        told(found, flipped),
        match found.memorised {
            Some(memorised) if memorised.judged_by_other => "  (by heart, judged by a pretrained network)",
            Some(_) => "  (by heart)",
            None => "",
        }
    );
}

/// How many flipped labels are on the list, per part.
fn told(found: &TaskSuspects, flipped: &Flipped) -> String {
    let hits = found.suspects.iter().filter(|suspect| flipped.contains_key(&suspect.of.row)).count();
    let right =
        found.suspects.iter().filter(|suspect| flipped.get(&suspect.of.row) == Some(&suspect.proposed));
    format!(
        "{} flipped, {} suspects: recall {:.3}, precision {:.3}, right proposals {:.3} of the hits",
        flipped.len(),
        found.suspects.len(),
        hits as f64 / flipped.len().max(1) as f64,
        hits as f64 / found.suspects.len().max(1) as f64,
        right.count() as f64 / hits.max(1) as f64
    )
}

/// Claims about held-out labels that are flipped anew.
fn redraw(
    share: f64,
    task: usize,
    inspection: &Inspection,
    flipped: &Flipped,
    held: &mut (usize, usize, usize),
) {
    let items: Vec<usize> =
        (0..inspection.len()).filter(|item| inspection.parts[*item] != Part::Train).collect();
    let (labels, probabilities) = inspection.gather(task, &items);
    let classes = inspection.tasks[task].task.labels.len();
    for seed in 0..REDRAWN {
        let mut random = Pcg64::seed_from_u64(100 + seed);
        let mut wrong = 0;
        let labels: Vec<Option<u32>> = labels
            .iter()
            .zip(&items)
            .map(|(label, item)| {
                let truth = flipped.get(&inspection.rows[*item]).copied().or(*label)?;
                let is_wrong = random.random_bool(share);
                wrong += usize::from(is_wrong);
                Some(if is_wrong { other(truth, classes, &mut random) } else { truth })
            })
            .collect();
        let claim = wrong_labels::estimate(&labels, &probabilities, classes);
        count(held, &claim, wrong as f64 / items.len().max(1) as f64);
    }
}

/// Another label, each as likely.
fn other(label: u32, classes: usize, random: &mut Pcg64) -> u32 {
    (label + random.random_range(1..classes as u32)) % classes as u32
}

/// Flips labels in the CSV; per task the rows flipped, with their true class.
fn flip(config: &Config, share: f64, seed: u64) -> Vec<Flipped> {
    let mut dataset = Dataset::open(config).expect("rows");
    let mut random = Pcg64::seed_from_u64(seed);
    let mut flipped = vec![Flipped::new(); dataset.tasks.len()];
    for row in 0..dataset.rows.len() {
        for (task, flipped) in flipped.iter_mut().enumerate() {
            let Some(label) = dataset.rows[row].labels[task].class() else { continue };
            if !random.random_bool(share) {
                continue;
            }
            let labels = &dataset.tasks[task].labels;
            let text = labels[other(label, labels.len(), &mut random) as usize].clone();
            dataset.table.set_cell(row, dataset.columns.tasks[task], &text).expect("a cell");
            flipped.insert(row, label);
        }
    }
    dataset.table.write_to(Path::new(&config.paths.model_dataframe)).expect("the CSV");
    flipped
}

fn train(config: &Config, run: &Path, resume: bool) {
    let request = training::Request {
        config: config.clone(),
        run: Some(run.to_path_buf()),
        resume,
        allow_outside: false,
        edits: training::Unsaved::default(),
    };
    for event in training::start(request, || {}).events {
        if let Event::Failed { error } = event {
            panic!("{error}");
        }
    }
}
