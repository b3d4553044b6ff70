//! [`Config`] -> YAML: every key, with absolute paths, so that the text means the same in any folder.

use std::fmt::Write as _;
use std::path::Path;

use super::{Backbone, ClassWeights, Config, DeviceChoice, Precision, Pretrained};

pub(super) fn yaml(config: &Config) -> String {
    let mut out = String::from("paths:\n");
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("  model_dataframe: {}", path(&config.paths.model_dataframe)));
    if let Some(model_path) = &config.paths.model_path {
        line(format!("  model_path: {}", path(model_path)));
    }
    if let Some(history) = &config.paths.training_history_path {
        line(format!("  training_history_path: {}", path(history)));
    }
    line(format!("  runs: {}", path(&config.paths.runs)));

    let model = &config.model;
    line("model:".to_owned());
    line(format!("  input_shape: [{}, {}]", model.height, model.width));
    line("  target_encoder:".to_owned());
    for task in &model.tasks {
        let labels: Vec<String> = task.labels.iter().map(|label| scalar(label)).collect();
        line(format!("    {}: [{}]", scalar(&task.name), labels.join(", ")));
    }
    line(format!("  paths: {}", scalar(&model.path_column)));
    if let Some(column) = &model.split_column {
        line(format!("  split_column: {}", scalar(column)));
    }
    line(format!("  freeze_convolutional_layers: {}", model.freeze_convolutional_layers));
    line(format!("  batch_size: {}", model.batch_size));
    line(format!("  random_seed: {}", model.random_seed));
    line(format!("  learning_rate: {}", model.learning_rate));
    line(format!("  early_stopping_patience: {}", model.early_stopping_patience));
    line(format!("  early_stopping_min_delta: {}", model.early_stopping_min_delta));
    line(format!("  lr_reducer_factor: {}", model.lr_reducer_factor));
    line(format!("  lr_reducer_patience: {}", model.lr_reducer_patience));
    line(format!("  lr_reducer_min_delta: {}", model.lr_reducer_min_delta));
    line(format!("  lr_reducer_cooldown: {}", model.lr_reducer_cooldown));
    line(format!("  min_lr: {}", model.min_lr));
    line(format!("  epochs: {}", model.epochs));
    line(format!("  validation_split: {}", model.validation_split));
    let augmentation = &model.augmentation;
    line("  augmentation:".to_owned());
    line(format!("    rotation: {}", augmentation.rotation));
    line(format!("    shift: {}", augmentation.shift));
    line(format!("    zoom: [{}, {}]", augmentation.zoom.0, augmentation.zoom.1));
    line(format!("    brightness: [{}, {}]", augmentation.brightness.0, augmentation.brightness.1));
    line(format!("    horizontal_flip: {}", augmentation.horizontal_flip));
    line(format!("  backbone: {}", backbone(model.backbone)));
    line(format!("  pretrained: {}", pretrained(&model.pretrained)));
    line(format!("  precision: {}", precision(model.precision)));
    line(format!("  device: {}", device(model.device)));
    if model.task_weights.iter().any(|weight| *weight != 1.0) {
        line("  task_weights:".to_owned());
        for (task, weight) in model.tasks.iter().zip(&model.task_weights) {
            line(format!("    {}: {weight}", scalar(&task.name)));
        }
    }
    line(format!("  class_weights: {}", class_weights(config)));
    let workers = model.workers.map_or("auto".to_owned(), |workers| workers.to_string());
    line(format!("  workers: {workers}"));
    out
}

fn backbone(backbone: Backbone) -> &'static str {
    match backbone {
        Backbone::Xception => "xception",
        Backbone::XceptionSmall => "xception_small",
    }
}

fn pretrained(pretrained: &Pretrained) -> String {
    match pretrained {
        Pretrained::Auto => "auto".to_owned(),
        Pretrained::Required => "required".to_owned(),
        Pretrained::None => "none".to_owned(),
        Pretrained::File(file) => path(file),
    }
}

fn precision(precision: Precision) -> &'static str {
    match precision {
        Precision::Auto => "auto",
        Precision::Fp32 => "fp32",
        Precision::Bf16 => "bf16",
    }
}

fn device(device: DeviceChoice) -> String {
    match device {
        DeviceChoice::Auto => "auto".to_owned(),
        DeviceChoice::Cpu => "cpu".to_owned(),
        DeviceChoice::Cuda(index) => format!("cuda:{index}"),
        DeviceChoice::Mps => "mps".to_owned(),
    }
}

fn class_weights(config: &Config) -> String {
    match &config.model.class_weights {
        ClassWeights::None => "none".to_owned(),
        ClassWeights::Balanced => "balanced".to_owned(),
        ClassWeights::PerLabel(weights) => {
            let mut out = String::new();
            for (task, weights) in config.model.tasks.iter().zip(weights) {
                let labels: Vec<String> = task
                    .labels
                    .iter()
                    .zip(weights)
                    .map(|(label, weight)| format!("{}: {weight}", scalar(label)))
                    .collect();
                let _ = write!(out, "\n    {}: {{{}}}", scalar(&task.name), labels.join(", "));
            }
            out
        }
    }
}

fn path(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    scalar(&absolute.to_string_lossy())
}

/// Plain where no reader of YAML can take it for something else, in double quotes otherwise.
pub(crate) fn scalar(text: &str) -> String {
    let begins_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    let is_word = matches!(
        text.to_ascii_lowercase().as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
    );
    if begins_plain && is_plain && !is_word {
        return text.to_owned();
    }
    // A JSON string is a YAML string.
    serde_json::Value::from(text).to_string()
}
