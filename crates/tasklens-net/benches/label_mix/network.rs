//! A small network that is trained from scratch on some labels, as without public weights.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use tasklens_data::config::{Config, DeviceChoice};
use tasklens_net::inference::Predictor;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::outputs::{OutputStore, Outputs};
use tasklens_net::training;
use tasklens_net::training::events::Event;

use super::subject::Subject;

/// What a network says of all rows that is trained on the `labelled` ones, with these labels, a fifth of which
/// validate it.
pub fn outputs(
    subject: &Subject,
    folder: &Path,
    labelled: &[usize],
    labels: &dyn Fn(usize) -> Vec<Option<u32>>,
    seed: u64,
) -> Outputs {
    let run = folder.join("run");
    let trained = folder.join("trained");
    if !trained.is_file() {
        let began = Instant::now();
        // What a bench that was interrupted has left.
        let _ = std::fs::remove_dir_all(&run);
        std::fs::create_dir_all(folder).expect("a folder");
        let epochs = train(&config(subject, folder, labelled, labels, seed), &run);
        std::fs::write(&trained, "").expect("a mark");
        let (images, secs) = (labelled.len(), began.elapsed().as_secs_f64());
        eprintln!("{} {seed}: {images} images, {epochs} epochs in {secs:.0} s", subject.name);
    }
    let store = OutputStore::of(&run).expect("a store");
    let rows = &subject.dataset.rows;
    let which: Vec<usize> = (0..rows.len()).collect();
    let open = || Predictor::open(&run, DeviceChoice::Cpu);
    let pass = store
        .compute(open, rows, &which, Batching { size: 32, workers: 1 }, &mut |_, _| true)
        .expect("outputs");
    assert!(pass.complete && pass.failures.is_empty(), "{:?}", pass.failures);
    store.load().expect("outputs")
}

/// A project with only the `labelled` rows in its CSV: nothing of the others can leak into the network.
fn config(
    subject: &Subject,
    folder: &Path,
    labelled: &[usize],
    labels: &dyn Fn(usize) -> Vec<Option<u32>>,
    seed: u64,
) -> Config {
    let csv = folder.join("labelled.csv");
    let mut writer = csv::Writer::from_path(&csv).expect("a CSV");
    let tasks = &subject.dataset.tasks;
    let names = tasks.iter().map(|task| task.name.as_str());
    writer.write_record(std::iter::once("image_path").chain(names)).expect("a row");
    for row in labelled {
        let (row, labels) = (&subject.dataset.rows[*row], labels(*row));
        let labels = labels
            .iter()
            .zip(tasks)
            .map(|(label, task)| label.map_or("", |label| task.labels[label as usize].as_str()));
        let image = row.image.to_str().expect("a path in UTF-8");
        writer.write_record(std::iter::once(image).chain(labels)).expect("a row");
    }
    writer.flush().expect("the CSV");
    let mut text = format!(
        "paths: {{model_dataframe: labelled.csv}}\nmodel:\n  paths: image_path\n  input_shape: [64, 64]\n  backbone: \
         xception_small\n  pretrained: none\n  batch_size: 16\n  random_seed: {seed}\n  learning_rate: 0.002\n  \
         epochs: 60\n  early_stopping_patience: 15\n  lr_reducer_patience: 6\n  lr_reducer_factor: 0.3\n  \
         device: cpu\n  augmentation: {{rotation: 5, shift: 0.1, zoom: [0.8, 1.2], brightness: [0.7, 1.3]}}\n  \
         target_encoder:\n"
    );
    for task in tasks {
        let _ = writeln!(text, "    {}: [{}]", task.name, task.labels.join(", "));
    }
    Config::parse(&text, &folder.join("config.yml")).expect("a config")
}

/// Trains a run and gives the number of its epochs.
fn train(config: &Config, run: &Path) -> usize {
    let request = training::Request {
        config: config.clone(),
        run: Some(run.to_path_buf()),
        resume: false,
        allow_outside: false,
        edits: training::Unsaved::default(),
    };
    let mut epochs = 0;
    for event in training::start(request, || {}).events {
        match event {
            Event::Epoch(epoch) => {
                epochs = epoch.epoch;
            }
            Event::Failed { error } => panic!("{error}"),
            _ => {}
        }
    }
    epochs
}
