//! Reads tasks and labels from a config: `target_encoder`, `target` and the two kinds of weights.

use super::limits::{FEWEST_LABELS, too_many};
use super::reader::{ConfigReader, Section, list};
use super::yaml::{Node, Value, YamlEntry};
use super::{ClassWeights, Task, nearest};
use crate::unicode;

pub(super) fn target_encoder(reader: &mut ConfigReader, section: &Section<'_>) -> Vec<Task> {
    const EXAMPLE: &str =
        "each task with its labels, such as `sleeves: [sleeveless, long_sleeve, short_sleeve]`";
    let node = section.get("target_encoder").filter(|node| !node.is_null());
    let Some(node) = node else {
        reader.fault(section.place, format!("`model.target_encoder` is missing: list {EXAMPLE}"));
        return Vec::new();
    };
    let entries = reader.map("model.target_encoder", node, EXAMPLE);
    if entries.is_empty() && matches!(node.value, Value::Map(_)) {
        reader.fault(Some(&node.place), format!("`model.target_encoder` names no task: list {EXAMPLE}"));
    }
    let mut tasks: Vec<Task> = Vec::new();
    for entry in entries {
        let name = entry.key.trim().to_owned();
        if name.is_empty() {
            reader.fault(Some(&entry.place), "a task in `model.target_encoder` has no name");
        } else if tasks.iter().any(|task| task.name == name) {
            reader.fault(Some(&entry.place), format!("`model.target_encoder` has the task `{name}` twice"));
        }
        let labels = labels(reader, &format!("model.target_encoder.{name}"), &entry.node);
        tasks.push(Task { name, labels });
    }
    if let Some(fault) = too_many(&tasks) {
        reader.fault(Some(&node.place), format!("`model.target_encoder`: {fault}"));
    }
    tasks
}

/// All tasks of `target_encoder` as written, including those that `target` leaves out.
pub(super) fn encoder_of(root: &Node) -> Vec<Task> {
    let entries = |node: &Node| match &node.value {
        Value::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    let value = |node: &Node, key: &str| entries(node).into_iter().find(|e| e.key == key).map(|e| e.node);
    let encoder = value(root, "model").and_then(|model| value(&model, "target_encoder"));
    let text = |item: &Node| match &item.value {
        Value::Scalar { text, .. } => text.trim().to_owned(),
        _ => String::new(),
    };
    let labels = |node: &Node| match &node.value {
        Value::List(items) => items.iter().map(text).collect(),
        _ => Vec::new(),
    };
    let task = |entry: YamlEntry| Task { name: entry.key.trim().to_owned(), labels: labels(&entry.node) };
    encoder.map(|encoder| entries(&encoder).into_iter().map(task).collect()).unwrap_or_default()
}

fn labels(reader: &mut ConfigReader, full: &str, node: &Node) -> Vec<String> {
    const EXPECTED: &str = "a list of labels, such as [short, long]";
    let Value::List(items) = &node.value else {
        reader.wrong(full, node, EXPECTED);
        return Vec::new();
    };
    let mut labels: Vec<String> = Vec::new();
    for item in items {
        // The text is taken as written: a label `1.0` or `no` is that text, as in the CSV.
        match &item.value {
            Value::Scalar { text, .. } if !text.trim().is_empty() => {
                let label = text.trim().to_owned();
                if labels.iter().any(|known| unicode::is_same(known, &label)) {
                    reader.fault(Some(&item.place), format!("`{full}` has the label `{label}` twice"));
                } else {
                    labels.push(label);
                }
            }
            Value::Scalar { .. } => {
                let message = format!("`{full}` has an empty label; a row without a label has an empty cell");
                reader.fault(Some(&item.place), message);
            }
            _ => reader.fault(Some(&item.place), format!("a label of `{full}` is {item}, expected text")),
        }
    }
    if labels.len() < FEWEST_LABELS {
        let message = format!("`{full}` has {} label, expected at least two", labels.len());
        reader.fault(Some(&node.place), message.replace("0 label", "no label"));
    }
    labels
}

/// `target` selects and orders the tasks; its names may end in `_encoded`, as in the Python project.
pub(super) fn target(reader: &mut ConfigReader, section: &Section<'_>, all: &[Task]) -> Vec<Task> {
    let Some(node) = section.get("target").filter(|node| !node.is_null()) else { return all.to_vec() };
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Scalar { .. } => std::slice::from_ref(node),
        Value::Map(_) => {
            reader.wrong("model.target", node, "a list of tasks, such as [sleeves_encoded, print_encoded]");
            return all.to_vec();
        }
    };
    let mut tasks: Vec<Task> = Vec::new();
    for item in items {
        let written = item.text().unwrap_or_default();
        let name = written.strip_suffix("_encoded").unwrap_or(written);
        let found = all.iter().find(|task| task.name == written || task.name == name);
        match found {
            Some(task) if tasks.contains(task) => {
                reader.fault(Some(&item.place), format!("`model.target` has the task `{name}` twice"));
            }
            Some(task) => tasks.push(task.clone()),
            None => {
                let message = format!(
                    "`model.target` has {item}, which is not a task of `model.target_encoder`; {}",
                    suggestion(name, all.iter().map(|task| task.name.as_str()))
                );
                reader.fault(Some(&item.place), message);
            }
        }
    }
    if items.is_empty() {
        reader.fault(Some(&node.place), "`model.target` names no task; leave it out to train all of them");
    }
    tasks
}

pub(super) fn task_weights(
    reader: &mut ConfigReader,
    section: &Section<'_>,
    all: &[Task],
    tasks: &[Task],
) -> Vec<f64> {
    let mut weights = vec![1.0; tasks.len()];
    let Some(node) = section.get("task_weights") else { return weights };
    let entries = reader.map("model.task_weights", node, "a weight for each task, such as `sleeves: 2`");
    for entry in entries {
        let full = format!("model.task_weights.{}", entry.key);
        let weight = reader.number_at(&full, &entry.node, 1.0, "a number from 0 to 1000", weight_fits);
        if !all.iter().any(|task| task.name == entry.key) {
            unknown_task(reader, "task_weights", entry, all);
        } else if let Some(index) = tasks.iter().position(|task| task.name == entry.key) {
            weights[index] = weight;
        }
    }
    if !weights.is_empty() && weights.iter().all(|weight| *weight == 0.0) {
        reader.fault(Some(&node.place), "`model.task_weights` is 0 for every task; one must be above 0");
    }
    weights
}

pub(super) fn class_weights(
    reader: &mut ConfigReader,
    section: &Section<'_>,
    all: &[Task],
    tasks: &[Task],
) -> ClassWeights {
    let Some(node) = section.get("class_weights").filter(|node| !node.is_null()) else {
        return ClassWeights::None;
    };
    match node.text() {
        Some("none" | "None") => return ClassWeights::None,
        Some("balanced") => return ClassWeights::Balanced,
        _ => {}
    }
    let expected = "`none`, `balanced` or weights per task and label, such as `sleeves: {long: 2}`";
    let entries = reader.map("model.class_weights", node, expected);
    let mut weights: Vec<Vec<f64>> = tasks.iter().map(|task| vec![1.0; task.labels.len()]).collect();
    for entry in entries {
        let Some(task) = all.iter().find(|task| task.name == entry.key) else {
            unknown_task(reader, "class_weights", entry, all);
            continue;
        };
        let full = format!("model.class_weights.{}", task.name);
        for label in reader.map(&full, &entry.node, "a weight for each label, such as `{long: 2}`") {
            let full = format!("{full}.{}", label.key);
            let weight = reader.number_at(&full, &label.node, 1.0, "a number from 0 to 1000", weight_fits);
            let Some(class) = task.labels.iter().position(|known| *known == label.key) else {
                let near = suggestion(&label.key, task.labels.iter().map(String::as_str));
                let message = format!("`{full}`: the task `{}` has no such label; {near}", task.name);
                reader.fault(Some(&label.place), message);
                continue;
            };
            if let Some(index) = tasks.iter().position(|chosen| chosen == task) {
                weights[index][class] = weight;
            }
        }
    }
    ClassWeights::PerLabel(weights)
}

fn weight_fits(weight: f64) -> bool {
    (0.0..=1000.0).contains(&weight)
}

fn unknown_task(reader: &mut ConfigReader, key: &str, entry: &YamlEntry, all: &[Task]) {
    let near = suggestion(&entry.key, all.iter().map(|task| task.name.as_str()));
    let message = format!("`model.{key}.{}`: `model.target_encoder` has no such task; {near}", entry.key);
    reader.fault(Some(&entry.place), message);
}

/// "did you mean ...?" or the whole list.
fn suggestion<'a>(text: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(text, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", list(names)),
    }
}
