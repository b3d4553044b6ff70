//! [`Config`] -> YAML: with every key. Paths are absolute, so that the text means the same in any folder, or relative
//! for a file that moves with its project.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use super::{ClassWeights, Config, DeviceChoice, Optimizer, Precision, Pretrained, RandomCrop};

/// The config for a file in `folder`, with relative paths; with absolute ones if no folder is given.
pub(super) fn yaml(config: &Config, folder: Option<&Path>) -> String {
    let base = Base::of(config, folder);
    let mut out = String::new();
    let lines = paths(config, &base).into_iter().chain(tasks(config)).chain(settings(config, &base));
    for line in lines.chain(weights(config)) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The base of relative paths.
struct Base<'a> {
    /// The project's folder, where the paths of the config as it was read start.
    own: &'a Path,
    /// The path to it from the folder of the file that is written; `None` for absolute paths.
    way: Option<PathBuf>,
}

impl<'a> Base<'a> {
    fn of(config: &'a Config, folder: Option<&Path>) -> Self {
        let own = config.folder();
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let way = folder.and_then(|folder| way(&real(folder)?, &real(own)?));
        Self { own, way }
    }

    /// What lay within the project's folder, or was written from there, goes where that goes.
    fn path(&self, path: &Path) -> String {
        if let (Some(way), Ok(rest)) = (&self.way, path.strip_prefix(self.own)) {
            let relative = way.join(rest);
            let parts: Vec<_> =
                relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let text = parts.join("/");
            return scalar(if text.is_empty() { "." } else { &text });
        }
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        scalar(&absolute.to_string_lossy())
    }
}

/// The relative path from one folder to another, both without links and `..`; `None` if they have only the root of
/// the disk in common, and would hardly be moved together.
fn way(from: &Path, to: &Path) -> Option<PathBuf> {
    let mut common = from.components().zip(to.components()).take_while(|(from, to)| from == to);
    let shared = common.clone().count();
    common.find(|(part, _)| matches!(part, Component::Normal(_)))?;
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    Some(up.chain(to.components().skip(shared)).collect())
}

fn paths(config: &Config, base: &Base<'_>) -> Vec<String> {
    let paths = &config.paths;
    let path = |path: &Path| base.path(path);
    let optional =
        |key: &str, value: &Option<PathBuf>| value.as_deref().map(|it| format!("  {key}: {}", path(it)));
    let mut lines = vec!["paths:".to_owned(), format!("  model_dataframe: {}", path(&paths.model_dataframe))];
    lines.extend(optional("model_path", &paths.model_path));
    lines.extend(optional("training_history_path", &paths.training_history_path));
    lines.push(format!("  runs: {}", path(&paths.runs)));
    lines.push(format!("  images: {}", path(&paths.images)));
    lines
}

fn tasks(config: &Config) -> Vec<String> {
    let model = &config.model;
    let mut lines = vec!["model:".to_owned(), "  target_encoder:".to_owned()];
    for task in &model.tasks {
        let labels: Vec<String> = task.labels.iter().map(|label| scalar(label)).collect();
        lines.push(format!("    {}: [{}]", scalar(&task.name), labels.join(", ")));
    }
    lines.push(format!("  paths: {}", scalar(&model.path_column)));
    lines.extend(model.split_column.as_ref().map(|column| format!("  split_column: {}", scalar(column))));
    lines
}

fn settings(config: &Config, base: &Base<'_>) -> Vec<String> {
    let model = &config.model;
    let augmentation = &model.augmentation;
    let mut lines = vec![
        format!("  input_shape: [{}, {}]", model.height, model.width),
        format!("  freeze_convolutional_layers: {}", model.freeze_convolutional_layers),
        format!("  batch_size: {}", auto_or((!model.auto_batch_size).then_some(model.batch_size))),
        format!("  random_seed: {}", model.random_seed),
        format!("  learning_rate: {}", model.learning_rate),
        format!("  schedule: {}", model.schedule.name()),
        format!("  optimizer: {}", model.optimizer.name()),
        format!("  label_smoothing: {}", model.label_smoothing),
        format!("  frozen_epochs: {}", model.frozen_epochs),
        format!("  early_stopping_patience: {}", model.early_stopping_patience),
        format!("  early_stopping_min_delta: {}", model.early_stopping_min_delta),
        format!("  lr_reducer_factor: {}", model.lr_reducer_factor),
        format!("  lr_reducer_patience: {}", model.lr_reducer_patience),
        format!("  lr_reducer_min_delta: {}", model.lr_reducer_min_delta),
        format!("  lr_reducer_cooldown: {}", model.lr_reducer_cooldown),
        format!("  min_lr: {}", model.min_lr),
        format!("  epochs: {}", model.epochs),
        format!("  validation_split: {}", model.validation_split),
        format!("  not_applicable: {}", scalar(&model.not_applicable)),
        "  augmentation:".to_owned(),
        format!("    rotation: {}", augmentation.rotation),
        format!("    shift: {}", augmentation.shift),
        format!("    zoom: [{}, {}]", augmentation.zoom.0, augmentation.zoom.1),
        format!("    brightness: [{}, {}]", augmentation.brightness.0, augmentation.brightness.1),
        format!("    horizontal_flip: {}", augmentation.horizontal_flip),
        format!("    crop: {}", crop(augmentation.crop)),
        format!("  backbone: {}", model.backbone.name()),
        format!("  pretrained: {}", pretrained(&model.pretrained, base)),
        format!("  precision: {}", precision(model.precision)),
        format!("  device: {}", device(model.device)),
        format!("  threads: {}", auto_or(model.threads)),
        format!("  workers: {}", auto_or(model.workers)),
    ];
    // Keys that only some configs may have.
    if let Optimizer::AdamW { weight_decay } = model.optimizer {
        lines.push(format!("  weight_decay: {weight_decay}"));
    }
    lines.extend(model.backbone_learning_rate.map(|rate| format!("  backbone_learning_rate: {rate}")));
    lines
}

fn crop(crop: Option<RandomCrop>) -> String {
    let Some(RandomCrop { scale, ratio }) = crop else { return "none".to_owned() };
    format!("{{scale: [{}, {}], ratio: [{}, {}]}}", scale.0, scale.1, ratio.0, ratio.1)
}

fn weights(config: &Config) -> Vec<String> {
    let model = &config.model;
    let mut lines = Vec::new();
    if model.task_weights.iter().any(|weight| *weight != 1.0) {
        lines.push("  task_weights:".to_owned());
        for (task, weight) in model.tasks.iter().zip(&model.task_weights) {
            lines.push(format!("    {}: {weight}", scalar(&task.name)));
        }
    }
    lines.push(format!("  task_balancing: {}", model.task_balancing.name()));
    lines.push(format!("  class_weights: {}", class_weights(config)));
    lines
}

fn pretrained(pretrained: &Pretrained, base: &Base<'_>) -> String {
    match pretrained {
        Pretrained::Auto => "auto".to_owned(),
        Pretrained::Required => "required".to_owned(),
        Pretrained::None => "none".to_owned(),
        Pretrained::File(file) => base.path(file),
    }
}

fn precision(precision: Precision) -> &'static str {
    match precision {
        Precision::Auto => "auto",
        Precision::Fp32 => "fp32",
        Precision::Bf16 => "bf16",
    }
}

pub(crate) fn auto_or(count: Option<usize>) -> String {
    count.map_or("auto".to_owned(), |count| count.to_string())
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

/// Plain if no YAML parser can take it for something else, otherwise in double quotes.
pub fn scalar(text: &str) -> String {
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
