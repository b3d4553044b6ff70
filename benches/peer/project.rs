//! A project from its files on: the features of its images, and epochs of training.

use std::path::{Path, PathBuf};

use serde_json::json;
use tasklens_data::config::{Backbone, Config};
use tasklens_net::training::events::Event;
use tasklens_net::training::{self, Request, Unsaved};

use super::python::Python;
use super::table::{Row, Table};
use super::{BATCH, LABELS, Model, SIZE};
use super::{hint, median, name_in_timm, photographs, rate, rest, seconds, tasks};

/// Runs of each side.
const ROUNDS: usize = 5;
/// Photographs whose features are computed.
const FEATURES: usize = 1500;
/// Photographs of an epoch.
const EPOCH: usize = 240;

/// A project of photographs with made-up labels, whose training starts from the weights of `model`.
fn project(folder: &Path, files: &[PathBuf], model: &Model, backbone: Backbone, rest: &str) -> Config {
    let names: Vec<String> = tasks().into_iter().map(|task| task.name).collect();
    let mut csv = format!("image_path,{},split\n", names.join(","));
    for (at, file) in files.iter().enumerate() {
        let labels: Vec<String> = LABELS.iter().map(|labels| format!("label{}", at % labels)).collect();
        // A few validate, which is not measured.
        let split = if at % 30 == 0 { "validation" } else { "train" };
        csv += &format!("{},{},{split}\n", file.display(), labels.join(","));
    }
    std::fs::write(folder.join("photographs.csv"), csv).expect("written");
    let encoder: String = names
        .iter()
        .zip(LABELS)
        .map(|(name, labels)| {
            let labels: Vec<String> = (0..labels).map(|label| format!("label{label}")).collect();
            format!("    {name}: [{}]\n", labels.join(", "))
        })
        .collect();
    let config = format!(
        "paths:\n  model_dataframe: photographs.csv\nmodel:\n  input_shape: [{SIZE}, {SIZE}]\n  paths: image_path\n  \
         target_encoder:\n{encoder}  backbone: {}\n  pretrained: {}\n  split_column: split\n  batch_size: {BATCH}\n{rest}",
        backbone.name(),
        model.folder.path().join("best.safetensors").display(),
    );
    let file = folder.join("config.yml");
    std::fs::write(&file, config).expect("written");
    Config::open(&file).expect("a config")
}

/// Trains, and gives the images a second of each epoch.
fn trained(config: &Config, run: PathBuf) -> Vec<f64> {
    let request = Request {
        config: config.clone(),
        run: Some(run),
        resume: false,
        allow_outside: true,
        edits: Unsaved::default(),
    };
    let mut rates = Vec::new();
    for event in training::start(request, || {}).events {
        match event {
            Event::Epoch(epoch) => rates.push(epoch.images_per_sec),
            Event::Failed { error } => panic!("{error}"),
            _ => {}
        }
    }
    rates
}

/// Features of frozen layers, from the files to the disk, with one epoch for the heads.
pub fn features(root: &Path, precision: &str, python: &mut Python, table: &mut Table) {
    let backbone = Backbone::EfficientNetLite0;
    let Some((_, files)) = photographs(root, table) else { return };
    let files = &files[..files.len().min(FEATURES)];
    let model = Model::new(backbone, &tasks(), precision);
    let folder = tempfile::tempdir().expect("a folder");
    let settings = format!(
        "  freeze_convolutional_layers: true\n  augmentation: none\n  epochs: 1\n  precision: {precision}\n"
    );
    let mut config = project(folder.path(), files, &model, backbone, &settings);
    let request = json!({"do": "features", "model": model.onnx, "photographs": files, "precision": hint(precision), "folder": folder.path()});
    python.ask(&request);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Stored features are those of a folder of runs: in a new one there are none.
        config.paths.runs = folder.path().join(format!("runs{round}"));
        ours.push(seconds(|| drop(trained(&config, config.paths.runs.join("run")))));
        rest();
        theirs.push(python.ask(&request));
        rest();
    }
    table.add(&Row {
        work: format!(
            "features of {} photographs, EfficientNet-Lite0, {precision}, with an epoch of the heads",
            files.len()
        ),
        ours: rate(files.len(), ours),
        openvino: rate(files.len(), theirs),
        onnxruntime: None,
        pytorch: None,
    });
}

/// The first epoch of all layers, and one whose images were decoded before.
pub fn epochs(root: &Path, backbone: Backbone, precision: &str, python: &mut Python, table: &mut Table) {
    let Some((_, files)) = photographs(root, table) else { return };
    let files = &files[..files.len().min(EPOCH)];
    let model = Model::new(backbone, &tasks(), precision);
    let folder = tempfile::tempdir().expect("a folder");
    let settings = format!(
        "  epochs: 2\n  precision: {precision}\n  augmentation:\n    rotation: 10\n    shift: 0.15\n    zoom: [0.8, 1.2]\n    \
         brightness: [0.5, 1.5]\n    horizontal_flip: true\n"
    );
    let config = project(folder.path(), files, &model, backbone, &settings);
    let request = json!({"do": "epoch", "network": name_in_timm(backbone), "precision": hint(precision), "batch": BATCH, "size": SIZE, "labels": LABELS, "photographs": files});
    python.ask(&request);
    let [mut first, mut later, mut theirs] = [const { Vec::new() }; 3];
    for round in 0..ROUNDS {
        let rates = trained(&config, folder.path().join(format!("runs/run{round}")));
        first.push(rates[0]);
        later.push(rates[1]);
        rest();
        theirs.push(files.len() as f64 / python.ask(&request));
        rest();
    }
    let theirs = median(theirs);
    for (which, ours) in [("first", first), ("second", later)] {
        table.add(&Row {
            work: format!(
                "{which} epoch of {} photographs, {}, {precision}",
                files.len(),
                backbone.facts().title
            ),
            ours: Some(median(ours)),
            openvino: None,
            onnxruntime: None,
            pytorch: Some(theirs),
        });
    }
}
