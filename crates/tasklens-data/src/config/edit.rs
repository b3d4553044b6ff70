//! A change of tasks and labels in the text of a config: comments, order and layout stay as they are.
//!
//! Only the affected bytes are cut and inserted ([`ConfigDraft`]); the new text must then parse to exactly the intended
//! config, or it is not used.

mod draft;
mod settings;

use super::tasks::encoder_of;
use super::vocabulary::VocabularyChange;
use super::yaml::{self, Node, Value, YamlEntry};
use super::{ClassWeights, Config};
use draft::ConfigDraft;

pub use settings::edit_settings;

/// Keys of `model:` with a group of keys per task.
const WEIGHTS: [&str; 2] = ["task_weights", "class_weights"];

/// The text after a change, and the config that it parses to; `config` is what the text parses to now.
///
/// # Errors
/// The text is written in a way that cannot be changed safely; the message says what to do by hand.
pub fn edit_vocabulary(
    text: &str,
    config: &Config,
    change: &VocabularyChange,
) -> Result<(String, Config), String> {
    let by_hand = |why: &str| {
        format!("{}: this cannot be changed safely ({why}); {change} by hand", config.file.display())
    };
    let root = yaml::parse(text).map_err(|fault| by_hand(&fault.message))?;
    let root = root.ok_or_else(|| by_hand("it is empty"))?;
    let model = value(&root, "model").ok_or_else(|| by_hand("it has no `model:`"))?;
    let mut draft = ConfigDraft::new(text);
    draft_change(&mut draft, model, change).map_err(&by_hand)?;
    let new = draft.finish();
    let read = Config::parse(&new, &config.file).map_err(|error| by_hand(&error.message))?;
    let all = |text: &str| yaml::parse(text).ok().flatten().map(|root| encoder_of(&root));
    let meant_of_all = all(text).map(|tasks| change.tasks_after(&tasks));
    if comparable(&read) != comparable(&config.after(change)) || all(&new) != meant_of_all {
        return Err(by_hand("its layout is unusual"));
    }
    Ok((new, read))
}

/// Weights that are all 1 count as none.
fn comparable(config: &Config) -> Config {
    let mut config = config.clone();
    if let ClassWeights::PerLabel(weights) = &config.model.class_weights
        && weights.iter().flatten().all(|weight| *weight == 1.0)
    {
        config.model.class_weights = ClassWeights::None;
    }
    config
}

fn draft_change(
    draft: &mut ConfigDraft<'_>,
    model: &Node,
    change: &VocabularyChange,
) -> Result<(), &'static str> {
    let encoder = entry(model, "target_encoder").ok_or("there is no `target_encoder`")?;
    let task = entry(&encoder.node, change.task());
    let known = || task.ok_or("the task is not in `target_encoder`");
    match change {
        VocabularyChange::AddTask { name, labels } => {
            if task.is_some() {
                return Err("`target_encoder` has the task, but `target` leaves it out");
            }
            draft.add_task(&encoder.node, name, labels)?;
            add_target(draft, model, name)?;
        }
        VocabularyChange::RenameTask { to, .. } => {
            draft.replace(known()?.span.clone(), to);
            for weights in WEIGHTS.iter().filter_map(|key| entry(model, key)) {
                if let Some(weight) = entry(&weights.node, change.task()) {
                    draft.replace(weight.span.clone(), to);
                }
            }
            if let Some((item, suffix)) = target(model, change.task()) {
                draft.replace(item.span.clone(), &format!("{to}{suffix}"));
            }
        }
        VocabularyChange::RemoveTask { task } => {
            draft.remove_entry(encoder, task)?;
            for weights in WEIGHTS.iter().filter_map(|key| entry(model, key)) {
                if entry(&weights.node, task).is_some() {
                    remove_or_parent(draft, model, weights, task)?;
                }
            }
            if let Some((item, _)) = target(model, task)
                && let Some(list) = value(model, "target")
            {
                draft.remove_item(list, item)?;
            }
        }
        VocabularyChange::AddLabel { label, .. } => draft.add_item(&known()?.node, label)?,
        VocabularyChange::RenameLabel { from, to, .. } => {
            draft.replace(item(&known()?.node, from)?.span.clone(), to);
            if let Some(weight) = weight_of(model, change.task(), from) {
                draft.replace(weight.span.clone(), to);
            }
        }
        VocabularyChange::MergeLabels { from: gone, .. }
        | VocabularyChange::RemoveLabel { label: gone, .. } => {
            let list = &known()?.node;
            draft.remove_item(list, item(list, gone)?)?;
            remove_weight(draft, model, change.task(), gone)?;
        }
    }
    Ok(())
}

/// The new task joins `target`, where there is one.
fn add_target(draft: &mut ConfigDraft<'_>, model: &Node, name: &str) -> Result<(), &'static str> {
    let Some(list) = value(model, "target").filter(|list| !list.is_null()) else { return Ok(()) };
    let written = match &list.value {
        Value::List(items) => items.first().and_then(Node::text),
        _ => list.text(),
    };
    let suffix = if written.is_some_and(|text| text.ends_with("_encoded")) { "_encoded" } else { "" };
    let item = format!("{name}{suffix}");
    match list.value {
        Value::Scalar { .. } => draft.make_list(list, &item),
        _ => draft.add_item(list, &item)?,
    }
    Ok(())
}

/// Removes a label's weight, with all groups that this leaves empty.
fn remove_weight(
    draft: &mut ConfigDraft<'_>,
    model: &Node,
    task: &str,
    label: &str,
) -> Result<(), &'static str> {
    let Some(weights) = entry(model, "class_weights") else { return Ok(()) };
    let Some(of_task) = entry(&weights.node, task) else { return Ok(()) };
    if entry(&of_task.node, label).is_none() {
        return Ok(());
    }
    match entries(&of_task.node).len() {
        1 => remove_or_parent(draft, model, weights, task),
        _ => draft.remove_entry(of_task, label),
    }
}

/// Removes a key of a group, or the whole group if it has no other.
fn remove_or_parent(
    draft: &mut ConfigDraft<'_>,
    model: &Node,
    group: &YamlEntry,
    key: &str,
) -> Result<(), &'static str> {
    match entries(&group.node).len() {
        1 => draft.remove_from(model, &group.key),
        _ => draft.remove_entry(group, key),
    }
}

fn weight_of<'a>(model: &'a Node, task: &str, label: &str) -> Option<&'a YamlEntry> {
    entry(&entry(&entry(model, "class_weights")?.node, task)?.node, label)
}

/// The item of `target` that selects a task, and its suffix after the name.
fn target<'a>(model: &'a Node, task: &str) -> Option<(&'a Node, &'static str)> {
    let list = value(model, "target")?;
    let items = match &list.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(list),
    };
    items.iter().find_map(|item| match item.text()? {
        text if text == task => Some((item, "")),
        text if text.strip_suffix("_encoded") == Some(task) => Some((item, "_encoded")),
        _ => None,
    })
}

fn item<'a>(list: &'a Node, label: &str) -> Result<&'a Node, &'static str> {
    let Value::List(items) = &list.value else { return Err("the labels are not a list") };
    // The text is taken as written: a label `null` is that text.
    let is_it = |item: &&Node| matches!(&item.value, Value::Scalar { text, .. } if text.trim() == label);
    items.iter().find(is_it).ok_or("the label is missing")
}

fn entries(node: &Node) -> &[YamlEntry] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a YamlEntry> {
    entries(node).iter().find(|entry| entry.key.trim() == key)
}

fn value<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    entry(node, key).map(|entry| &entry.node)
}

#[cfg(test)]
mod tests;
