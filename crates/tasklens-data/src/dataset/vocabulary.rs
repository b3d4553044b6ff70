//! Changes tasks and labels while a project is being labelled: add, rename, merge, remove.
//!
//! [`check`] tells whether a change is possible, [`preview`] what it does to the images, and [`apply`] makes it in
//! the CSV, the config and the label edits, after backing up both files.

mod apply;
mod begun;
mod preview;

use super::Dataset;
use crate::config::{Config, Task, nearest};

pub use crate::config::VocabularyChange;
pub use apply::{Applied, Finished, apply, dry_run, finish};
pub use begun::{DamagedRecord, cut_short};
pub use preview::{Preview, PreviewRow, preview};

/// Checks whether a change is possible in a project.
///
/// # Errors
/// It is not possible, with the reason: the name is taken, the task would have too few labels, and so on.
pub fn check(config: &Config, dataset: &Dataset, change: &VocabularyChange) -> Result<(), String> {
    let tasks = &config.model.tasks;
    if let VocabularyChange::AddTask { name, labels } = change {
        check_name("task", name)?;
        if tasks.iter().any(|task| task.name == *name) {
            return Err(format!("there is already a task `{name}`"));
        }
        check_column(config, name)?;
        for (at, label) in labels.iter().enumerate() {
            check_name("label", label)?;
            check_is_label(config, label)?;
            if labels[..at].contains(label) {
                return Err(format!("the label `{label}` is given twice"));
            }
        }
        if labels.len() < 2 {
            return Err(format!("give the task `{name}` at least two labels"));
        }
        return match dataset.table.column(name) {
            Some(_) => Ok(()),
            None => dataset.table.clone().add_column(name).map_err(|error| error.to_string()),
        };
    }
    let task = find(tasks, change.task())?;
    match change {
        VocabularyChange::AddTask { .. } => Ok(()),
        VocabularyChange::RenameTask { to, .. } => {
            check_name("task", to)?;
            if tasks.iter().any(|task| task.name == *to) {
                return Err(format!("there is already a task `{to}`"));
            }
            check_column(config, to)?;
            match dataset.table.column(to) {
                Some(_) => Err(format!("the CSV already has a column `{to}`; choose another name")),
                None => Ok(()),
            }
        }
        VocabularyChange::RemoveTask { task } if tasks.len() < 2 => {
            Err(format!("`{task}` is the only task; add another first"))
        }
        VocabularyChange::RemoveTask { .. } => Ok(()),
        VocabularyChange::AddLabel { label, .. } => check_new_label(config, task, label),
        VocabularyChange::RenameLabel { from, to, .. } => {
            check_known_label(task, from)?;
            check_new_label(config, task, to).map_err(|error| {
                let merge =
                    if task.labels.contains(to) && from != to { "; merge the two instead" } else { "" };
                format!("{error}{merge}")
            })
        }
        VocabularyChange::MergeLabels { from, into, .. } => {
            if from == into {
                return Err(format!("`{from}` cannot be merged into itself; choose another label"));
            }
            check_known_label(task, into)?;
            check_gone(task, dataset, from)
        }
        VocabularyChange::RemoveLabel { label, .. } => check_gone(task, dataset, label),
    }
}

fn find<'a>(tasks: &'a [Task], name: &str) -> Result<&'a Task, String> {
    let names = || tasks.iter().map(|task| task.name.as_str());
    tasks.iter().find(|task| task.name == name).ok_or_else(|| {
        let near = nearest(name, names()).map(|near| format!("; did you mean `{near}`?"));
        let all = || format!("; there are {}", names().collect::<Vec<_>>().join(", "));
        format!("there is no task `{name}`{}", near.unwrap_or_else(all))
    })
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err(format!("a {what} needs a name"));
    }
    if name.trim() != name {
        return Err(format!("the {what} `{name}` has surrounding spaces; remove them"));
    }
    match name.chars().any(char::is_control) {
        true => Err(format!("the {what} {name:?} has a line break or another control character; remove it")),
        false => Ok(()),
    }
}

fn check_column(config: &Config, name: &str) -> Result<(), String> {
    let model = &config.model;
    if *name == model.path_column || model.split_column.as_deref() == Some(name) {
        return Err(format!("the column `{name}` has another use in the config; choose another name"));
    }
    Ok(())
}

/// Cells with this text have another meaning, which they would lose.
fn check_is_label(config: &Config, label: &str) -> Result<(), String> {
    match crate::unicode::is_same(label, &config.model.not_applicable) {
        true => Err(format!(
            "`{label}` says that a task does not apply (key not_applicable); choose another label"
        )),
        false => Ok(()),
    }
}

fn check_new_label(config: &Config, task: &Task, label: &str) -> Result<(), String> {
    check_name("label", label)?;
    check_is_label(config, label)?;
    match task.labels.iter().any(|known| known == label) {
        true => Err(format!("the task `{}` already has a label `{label}`", task.name)),
        false => Ok(()),
    }
}

fn check_known_label(task: &Task, label: &str) -> Result<(), String> {
    if task.labels.iter().any(|known| known == label) {
        return Ok(());
    }
    let near = nearest(label, task.labels.iter().map(String::as_str));
    let near = near.map(|near| format!("; did you mean `{near}`?"));
    let all = || format!("; its labels are {}", task.labels.join(", "));
    Err(format!("the task `{}` has no label `{label}`{}", task.name, near.unwrap_or_else(all)))
}

/// Checks the removal of a label: two must remain. Text of the column that is not a label can be removed, too.
fn check_gone(task: &Task, dataset: &Dataset, label: &str) -> Result<(), String> {
    if let Err(error) = check_known_label(task, label) {
        let column = dataset.table.column(&task.name);
        let has_it = |row| column.is_some_and(|column| dataset.table.cell(row, column).trim() == label);
        let stands = !label.is_empty() && (0..dataset.table.row_count()).any(has_it);
        return if stands { Ok(()) } else { Err(error) };
    }
    match task.labels.len() {
        ..3 => Err(format!("the task `{}` has two labels and needs them; add another first", task.name)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
