//! What network and recipe a time buys: each is trained on the rows of a config as it says, and what the validation
//! rows say of the best epoch is printed as a table.
//!
//! `cargo bench --bench recipes -- CONFIG [--full] [SEED...]`: without `--full` the frozen recipes alone, which take a
//! minute or two each for three thousand photographs; without seeds 1.

#![allow(clippy::print_stdout, reason = "a bench prints, and makes files of its own")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::path::Path;
use std::time::Instant;

use tasklens_data::config::Config;
use tasklens_net::training::events::{Event, Stopped};
use tasklens_net::training::{self, Unsaved};

/// A row of the table: its name, and the keys that it sets.
type Recipe = (&'static str, &'static [(&'static str, &'static str)]);

const HEADS: &[(&str, &str)] = &[
    ("freeze_convolutional_layers", "true"),
    ("augmentation", "none"),
    ("schedule", "one_cycle"),
    ("optimizer", "adamw"),
    ("weight_decay", "1"),
    ("learning_rate", "0.003"),
    ("epochs", "30"),
    ("early_stopping_patience", "30"),
    ("batch_size", "64"),
];

const ALL_LAYERS: &[(&str, &str)] = &[
    ("freeze_convolutional_layers", "false"),
    ("augmentation.rotation", "0"),
    ("augmentation.shift", "0"),
    ("augmentation.zoom", "[1, 1]"),
    ("augmentation.brightness", "[0.8, 1.2]"),
    ("augmentation.horizontal_flip", "true"),
    ("augmentation.crop.scale", "[0.35, 1]"),
    ("schedule", "one_cycle"),
    ("optimizer", "adamw"),
    ("weight_decay", "0.01"),
    ("learning_rate", "0.003"),
    ("backbone_learning_rate", "0.0005"),
    ("label_smoothing", "0.1"),
    ("epochs", "3"),
    ("batch_size", "32"),
];

const LITE0: &[(&str, &str)] = &[("backbone", "efficientnet_lite0"), ("input_shape", "[224, 224]")];
const LITE2: &[(&str, &str)] = &[("backbone", "efficientnet_lite2"), ("input_shape", "[260, 260]")];
/// The pixels of 260 x 260 in the shape of most photographs.
const LITE2_PORTRAIT: &[(&str, &str)] = &[("backbone", "efficientnet_lite2"), ("input_shape", "[300, 226]")];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(config) = arguments.iter().find(|argument| argument.ends_with(".yml")) else {
        println!("name a config.yml");
        return;
    };
    let mut seeds: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if seeds.is_empty() {
        seeds.push(1);
    }
    let mut rows = vec![
        ("lite0 224x224, heads", LITE0, HEADS),
        ("lite2 260x260, heads", LITE2, HEADS),
        ("lite2 300x226, heads", LITE2_PORTRAIT, HEADS),
    ];
    if arguments.iter().any(|argument| argument == "--full") {
        rows.extend([
            ("lite0 224x224, all layers", LITE0, ALL_LAYERS),
            ("lite2 260x260, all layers", LITE2, ALL_LAYERS),
            ("lite2 300x226, all layers", LITE2_PORTRAIT, ALL_LAYERS),
        ]);
    }
    for (name, network, recipe) in rows {
        for seed in &seeds {
            measure((name, network), recipe, Path::new(config), *seed);
        }
    }
}

fn measure((name, network): Recipe, recipe: &[(&str, &str)], file: &Path, seed: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut changes: Vec<(String, String)> = network
        .iter()
        .chain(recipe)
        .map(|(key, value)| (format!("model.{key}"), (*value).to_owned()))
        .collect();
    changes.push(("model.random_seed".to_owned(), seed.to_string()));
    // Features are computed anew by each, and nothing is left beside the config.
    changes.push(("paths.runs".to_owned(), folder.path().join("runs").display().to_string()));
    let config = Config::with_overrides(file, &changes).expect("a config");
    let tasks: Vec<String> = config.model.tasks.iter().map(|task| task.name.clone()).collect();
    let request = training::Request {
        config,
        run: Some(folder.path().join("runs/run")),
        resume: false,
        allow_outside: true,
        edits: Unsaved::default(),
    };
    let began = Instant::now();
    for event in training::start(request, || {}).events {
        match event {
            Event::Failed { error } => panic!("{name}: {error}"),
            Event::Stopped(Stopped { best: Some(best), .. }) => {
                let accuracies: Vec<String> = tasks
                    .iter()
                    .zip(&best.validation.task_accuracy)
                    .map(|(task, accuracy)| format!("{task} {accuracy:.3}"))
                    .collect();
                println!(
                    "| {name} | seed {seed} | {:.0} s | best epoch {} | {} |",
                    began.elapsed().as_secs_f64(),
                    best.epoch,
                    accuracies.join(" | ")
                );
            }
            _ => {}
        }
    }
}
