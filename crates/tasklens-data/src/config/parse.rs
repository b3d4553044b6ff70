//! YAML tree -> [`Config`]: each key with its default, range and allowed values.

use std::path::{Path, PathBuf};

use super::limits::{BATCH_SIZE, BATCH_SIZES, SIDES};
use super::reader::{ConfigReader, Section, whole_number};
use super::tasks::{class_weights, target, target_encoder, task_weights};
use super::yaml::{Node, Value, YamlPlace};
use super::{
    Augmentation, Backbone, Config, ConfigError, ConfigPaths, DeviceChoice, ModelConfig, Precision,
    Pretrained, Root, Schedule, Task, TaskBalancing, recipe,
};
use crate::unicode;

const SECTIONS: &[&str] = &["paths", "model"];
const PATH_KEYS: &[&str] = &["model_dataframe", "model_path", "training_history_path", "runs", "images"];
const MODEL_KEYS: &[&str] = &[
    "input_shape",
    "target_encoder",
    "target",
    "paths",
    "split_column",
    "class_mode",
    "freeze_convolutional_layers",
    "batch_size",
    "random_seed",
    "learning_rate",
    "backbone_learning_rate",
    "schedule",
    "optimizer",
    "weight_decay",
    "label_smoothing",
    "frozen_epochs",
    "early_stopping_patience",
    "early_stopping_min_delta",
    "lr_reducer_factor",
    "lr_reducer_patience",
    "lr_reducer_min_delta",
    "lr_reducer_cooldown",
    "min_lr",
    "epochs",
    "validation_split",
    "not_applicable",
    "augmentation",
    "backbone",
    "pretrained",
    "precision",
    "device",
    "task_weights",
    "task_balancing",
    "class_weights",
    "threads",
    "workers",
];
const AUGMENTATION_KEYS: &[&str] = &["rotation", "shift", "zoom", "brightness", "horizontal_flip", "crop"];
const MAX_EPOCHS: u64 = 1_000_000;
/// The default of `not_applicable`.
const DOES_NOT_APPLY: &str = "n/a";
/// The size in the Python project's example.
const DEFAULT_SIDE: u32 = 299;

/// Reads the tree of a whole file (`None` if it is empty).
pub(super) fn config(root: Option<&Node>, file: &Path) -> Result<Config, ConfigError> {
    let mut reader = ConfigReader::new(file);
    let none: &[_] = &[];
    let entries = root
        .map_or(none, |node| reader.map("config.yml", node, "the two groups of keys `paths:` and `model:`"));
    let top = Section { name: "", place: None, entries };
    reader.only_known(&top, SECTIONS, &[("model", MODEL_KEYS), ("paths", PATH_KEYS)]);
    let section_of_paths = section(&mut reader, &top, "paths");
    let found = find_root(&mut reader, &section_of_paths);
    let paths = paths(&mut reader, &section_of_paths);
    let section_of_model = section(&mut reader, &top, "model");
    let model = model(&mut reader, &section_of_model);
    let notices = reader.finish(file)?;
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
    Ok(Config { file, root: found, paths, model, notices })
}

fn section<'a>(reader: &mut ConfigReader, top: &Section<'a>, name: &'a str) -> Section<'a> {
    let node = top.get(name);
    let entries = node.map_or(&[][..], |node| reader.map(name, node, "a group of keys, indented below it"));
    let entry = top.entries.iter().find(|entry| entry.key == name);
    // If the section is not a group of keys, missing keys follow from that error and come after it.
    let is_group = |node: &Node| node.is_null() || matches!(node.value, Value::Map(_));
    let place = entry.filter(|entry| is_group(&entry.node)).map(|entry| &entry.place);
    Section { name, place, entries }
}

/// Finds where relative paths start, for all that is read from here on.
fn find_root(reader: &mut ConfigReader, paths: &Section<'_>) -> Root {
    let csv = paths.get("model_dataframe").and_then(Node::text).filter(|csv| !csv.is_empty());
    let Some(csv) = csv else { return Root { folder: reader.own.clone(), looked_in: Vec::new() } };
    let root = Root::of(&reader.own, csv);
    reader.notices.extend(root.notice(&reader.own, csv));
    reader.folder = root.folder.clone();
    root
}

fn paths(reader: &mut ConfigReader, section: &Section<'_>) -> ConfigPaths {
    reader.only_known(section, PATH_KEYS, &[("model", MODEL_KEYS)]);
    let model_dataframe = reader.path(section, "model_dataframe");
    if model_dataframe.is_none() && section.get("model_dataframe").is_none_or(Node::is_null) {
        reader.fault(
            section.place,
            "`paths.model_dataframe` is missing: give the path of the CSV, relative to this file",
        );
    }
    ConfigPaths {
        model_dataframe: model_dataframe.unwrap_or_default(),
        model_path: reader.path(section, "model_path").map(|path| safetensors_path(reader, path)),
        training_history_path: reader.path(section, "training_history_path"),
        runs: reader.path(section, "runs").unwrap_or_else(|| reader.absolute("runs")),
        images: reader.path(section, "images").unwrap_or_else(|| reader.folder.clone()),
    }
}

/// The Python project saves HDF5; we write safetensors beside it.
fn safetensors_path(reader: &mut ConfigReader, path: PathBuf) -> PathBuf {
    let is_h5 =
        path.extension().is_some_and(|e| e.eq_ignore_ascii_case("h5") || e.eq_ignore_ascii_case("hdf5"));
    if !is_h5 {
        return path;
    }
    let new = path.with_extension("safetensors");
    reader.notices.push(format!(
        "paths.model_path: models are written as safetensors, to {} instead of {}",
        new.display(),
        path.display()
    ));
    new
}

fn model(reader: &mut ConfigReader, section: &Section<'_>) -> ModelConfig {
    reader.only_known(section, MODEL_KEYS, &[("paths", PATH_KEYS)]);
    let (height, width) = input_shape(reader, section);
    let all = target_encoder(reader, section);
    let tasks = target(reader, section, &all);
    let path_column = reader.text(section, "paths", "the name of the column that holds the image path");
    let split_column = reader.text(section, "split_column", "the name of a column");
    reader.choice(section, "class_mode", &[("multi_output", ())], ());
    let (batch_size, auto_batch_size) = batch_size(reader, section);
    let positive = |value: f64| value > 0.0 && value <= 1.0;
    let delta = |value: f64| (0.0..=1e6).contains(&value);
    let model = ModelConfig {
        height,
        width,
        path_column: path_column.unwrap_or_else(|| "path".to_owned()),
        split_column,
        freeze_convolutional_layers: reader.switch(section, "freeze_convolutional_layers", false),
        batch_size,
        auto_batch_size,
        random_seed: reader.whole(section, "random_seed", 0..=u64::MAX, 42),
        learning_rate: reader.number(
            section,
            "learning_rate",
            recipe::LEARNING_RATE,
            "a number above 0 and at most 1, such as 0.001",
            positive,
        ),
        backbone_learning_rate: recipe::backbone_learning_rate(reader, section),
        schedule: reader.choice(section, "schedule", &Schedule::ALL, Schedule::default()),
        optimizer: recipe::optimizer(reader, section),
        label_smoothing: reader.number(
            section,
            "label_smoothing",
            0.0,
            "a number from 0 to below 1, such as 0.1",
            |value| (0.0..1.0).contains(&value),
        ),
        frozen_epochs: reader.count(section, "frozen_epochs", 0..=MAX_EPOCHS, 0),
        early_stopping_patience: reader.count(section, "early_stopping_patience", 0..=MAX_EPOCHS, 10),
        early_stopping_min_delta: reader.number(
            section,
            "early_stopping_min_delta",
            0.0,
            "a number, 0 or more",
            delta,
        ),
        lr_reducer_factor: reader.number(
            section,
            "lr_reducer_factor",
            recipe::LR_REDUCER_FACTOR,
            "a number above 0 and below 1, such as 0.1",
            |value| value > 0.0 && value < 1.0,
        ),
        lr_reducer_patience: reader.count(
            section,
            "lr_reducer_patience",
            0..=MAX_EPOCHS,
            recipe::LR_REDUCER_PATIENCE,
        ),
        lr_reducer_min_delta: reader.number(
            section,
            "lr_reducer_min_delta",
            1e-4,
            "a number, 0 or more",
            delta,
        ),
        lr_reducer_cooldown: reader.count(section, "lr_reducer_cooldown", 0..=MAX_EPOCHS, 0),
        min_lr: reader.number(
            section,
            "min_lr",
            recipe::MIN_LR,
            "a number from 0 to 1, such as 0.000001",
            |value| (0.0..=1.0).contains(&value),
        ),
        epochs: reader.count(section, "epochs", 1..=MAX_EPOCHS, 100),
        validation_split: reader.number(
            section,
            "validation_split",
            0.2,
            "a number above 0 and below 1, such as 0.2",
            |value| value > 0.0 && value < 1.0,
        ),
        not_applicable: not_applicable(reader, section, &tasks),
        augmentation: augmentation(reader, section),
        backbone: reader.choice(
            section,
            "backbone",
            &Backbone::ALL.iter().map(|network| (network.name(), *network)).collect::<Vec<_>>(),
            Backbone::default(),
        ),
        pretrained: pretrained(reader, section),
        precision: reader.choice(
            section,
            "precision",
            &[("auto", Precision::Auto), ("fp32", Precision::Fp32), ("bf16", Precision::Bf16)],
            Precision::default(),
        ),
        device: device(reader, section),
        task_weights: task_weights(reader, section, &all, &tasks),
        task_balancing: reader.choice(
            section,
            "task_balancing",
            &TaskBalancing::ALL,
            TaskBalancing::default(),
        ),
        class_weights: class_weights(reader, section, &all, &tasks),
        threads: auto_or_count(reader, section, "threads"),
        workers: auto_or_count(reader, section, "workers"),
        tasks,
    };
    columns_are_distinct(reader, section, &model);
    recipe::check(reader, section, &model);
    model
}

/// The word for a task that makes no sense for an image.
fn not_applicable(reader: &mut ConfigReader, section: &Section<'_>, tasks: &[Task]) -> String {
    let key = "not_applicable";
    let Some(word) = reader.text(section, key, "a word that is not a label, such as n/a") else {
        return DOES_NOT_APPLY.to_owned();
    };
    let word = word.trim().to_owned();
    let is_word = |label: &String| unicode::is_same(label, &word);
    if let Some((task, node)) =
        tasks.iter().find(|task| task.labels.iter().any(is_word)).zip(section.get(key))
    {
        reader.fault(
            Some(&node.place),
            format!(
                "`{}` is `{word}`, which is also a label of `{}`; expected a word that is not a label",
                section.full(key),
                task.name
            ),
        );
    }
    word
}

/// `[height, width]`; a third entry must be 3 (RGB); Python's `(299, 299, 3)` is accepted, too.
fn input_shape(reader: &mut ConfigReader, section: &Section<'_>) -> (u32, u32) {
    let default = (DEFAULT_SIDE, DEFAULT_SIDE);
    let Some(node) = section.get("input_shape") else { return default };
    let sides: Option<Vec<u32>> = match &node.value {
        Value::List(items) => items.iter().map(|item| item.text()?.parse().ok()).collect(),
        _ => node.text().and_then(|text| text.strip_prefix('(')?.strip_suffix(')')).and_then(|tuple| {
            tuple.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| s.parse().ok()).collect()
        }),
    };
    match sides.as_deref() {
        Some(&[height, width] | &[height, width, 3]) if SIDES.contains(&height) && SIDES.contains(&width) => {
            (height, width)
        }
        _ => {
            let shown = match &sides {
                Some(sides) => format!("{sides:?}"),
                None => node.to_string(),
            };
            let message = format!(
                "`model.input_shape` is {shown}, expected [height, width] in pixels, each from 32 to 1024, such as [299, 299]"
            );
            reader.fault(Some(&node.place), message);
            default
        }
    }
}

fn augmentation(reader: &mut ConfigReader, model: &Section<'_>) -> Augmentation {
    let default = Augmentation::default();
    let Some(node) = model.get("augmentation") else { return default };
    if node.text().is_some_and(|text| matches!(text, "none" | "None" | "false" | "False")) {
        return Augmentation::none();
    }
    let name = "model.augmentation";
    let entries = reader.map(name, node, "`none` or a group of keys such as `rotation: 10`");
    let section = Section { name, place: Some(&node.place), entries };
    reader.only_known(&section, AUGMENTATION_KEYS, &[]);
    let degrees = |value: f64| (0.0..=180.0).contains(&value);
    let share = |value: f64| (0.0..=0.9).contains(&value);
    #[expect(clippy::cast_possible_truncation, reason = "small numbers with few digits")]
    Augmentation {
        rotation: reader.number(&section, "rotation", 10.0, "degrees from 0 to 180", degrees) as f32,
        shift: reader.number(&section, "shift", 0.15, "a share of the size from 0 to 0.9", share) as f32,
        zoom: reader.range(&section, "zoom", default.zoom, 0.1..=10.0),
        brightness: reader.range(&section, "brightness", default.brightness, 0.0..=10.0),
        horizontal_flip: reader.switch(&section, "horizontal_flip", true),
        crop: recipe::crop(reader, &section),
    }
}

fn pretrained(reader: &mut ConfigReader, section: &Section<'_>) -> Pretrained {
    let Some(node) = section.get("pretrained") else { return Pretrained::default() };
    match node.text() {
        Some("auto") => Pretrained::Auto,
        Some("required") => Pretrained::Required,
        Some("none" | "None") => Pretrained::None,
        Some(path) if path.ends_with(".safetensors") => Pretrained::File(reader.absolute(path)),
        _ => {
            let expected = "`auto`, `required`, `none` or the path of a .safetensors file";
            reader.wrong("model.pretrained", node, expected);
            Pretrained::default()
        }
    }
}

fn device(reader: &mut ConfigReader, section: &Section<'_>) -> DeviceChoice {
    let Some(node) = section.get("device") else { return DeviceChoice::default() };
    let choice = node.text().and_then(DeviceChoice::from_name);
    choice.unwrap_or_else(|| {
        reader.wrong("model.device", node, "`auto`, `cpu`, `cuda`, `cuda:N` (N from 0) or `mps`");
        DeviceChoice::default()
    })
}

/// The batch size, and whether a run finds it.
fn batch_size(reader: &mut ConfigReader, section: &Section<'_>) -> (usize, bool) {
    let Some(node) = section.get("batch_size") else { return (BATCH_SIZE, false) };
    let text = node.text();
    let size = text.and_then(whole_number).and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| BATCH_SIZES.contains(size));
    if size.is_none() && text != Some("auto") {
        let expected =
            format!("`auto` or a whole number from {} to {}", BATCH_SIZES.start(), BATCH_SIZES.end());
        reader.wrong(&section.full("batch_size"), node, &expected);
    }
    (size.unwrap_or(BATCH_SIZE), size.is_none())
}

/// A count, or `None` for `auto`.
fn auto_or_count(reader: &mut ConfigReader, section: &Section<'_>, key: &str) -> Option<usize> {
    let node = section.get(key)?;
    if node.text() == Some("auto") {
        return None;
    }
    let count = node.text().and_then(|text| text.parse().ok()).filter(|n| (1..=256).contains(n));
    if count.is_none() {
        reader.wrong(&section.full(key), node, "`auto` or a whole number from 1 to 256");
    }
    count
}

/// A column can only have one role: image path, split or task.
fn columns_are_distinct(reader: &mut ConfigReader, section: &Section<'_>, model: &ModelConfig) {
    let place_of = |key: &str| -> Option<YamlPlace> { section.get(key).map(|node| node.place.clone()) };
    let is_task = |column: &str| model.tasks.iter().any(|task| task.name == column);
    if is_task(&model.path_column) {
        let message =
            format!("the column `{}` holds the image path and cannot be a task too", model.path_column);
        reader.fault(place_of("target_encoder").as_ref(), message);
    }
    let Some(split) = &model.split_column else { return };
    if is_task(split) || *split == model.path_column {
        let message = format!("`model.split_column` is `{split}`, which is already a task or the image path");
        reader.fault(place_of("split_column").as_ref(), message);
    }
}
