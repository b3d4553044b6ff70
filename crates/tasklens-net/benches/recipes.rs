//! What network and recipe a time buys: each is trained on the rows of a config as it says, and what the validation
//! rows say of the best epoch is printed as a table.
//!
//! `cargo bench -p tasklens-net --bench recipes -- CONFIG [--full] [SEED...]`: without `--full` the frozen recipes alone, which take a
//! minute or two each for three thousand photographs; without seeds 1.

#![allow(clippy::print_stdout, reason = "a bench prints, and makes files of its own")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::path::Path;
use std::time::Instant;

use tasklens_data::config::presets::PresetFacts;
use tasklens_data::config::{Backbone, Config, Recipe};
use tasklens_net::training::events::{Event, Stopped};
use tasklens_net::training::{self, Unsaved};

/// A row of the table: its name, network, input and way to train.
struct Row {
    name: &'static str,
    backbone: Backbone,
    /// Height and width, pixels.
    size: (u32, u32),
    recipe: Recipe,
}

const LITE0: Backbone = Backbone::EfficientNetLite0;
const LITE2: Backbone = Backbone::EfficientNetLite2;

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
    let row = |name, backbone, size, recipe| Row { name, backbone, size, recipe };
    let mut rows = vec![
        row("lite0 256x256, heads", LITE0, (256, 256), Recipe::Quick),
        row("lite2 260x260, heads", LITE2, (260, 260), Recipe::Quick),
        row("lite2 300x300, heads", LITE2, (300, 300), Recipe::Quick),
        row("lite2 352x256, heads", LITE2, (352, 256), Recipe::Quick),
    ];
    if arguments.iter().any(|argument| argument == "--full") {
        rows.extend([
            row("lite0 224x224, all layers", LITE0, (224, 224), Recipe::Full),
            row("lite2 260x260, all layers", LITE2, (260, 260), Recipe::Full),
            row("lite2 304x224, all layers", LITE2, (304, 224), Recipe::Full),
        ]);
    }
    for row in rows {
        for seed in &seeds {
            measure(&row, Path::new(config), *seed);
        }
    }
}

fn measure(row: &Row, file: &Path, seed: u64) {
    let name = row.name;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = Config::open(file).expect("a config");
    row.recipe.keys(&PresetFacts::default()).put_into(&mut config.model);
    (config.model.backbone, (config.model.height, config.model.width)) = (row.backbone, row.size);
    config.model.random_seed = seed;
    // Features are computed anew by each, and nothing is left beside the config.
    config.paths.runs = folder.path().join("runs");
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
