//! Changes of tasks and labels, and their effect on a config.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ClassWeights, Config, Task};

/// A change of the tasks and labels of a project. Names have no surrounding spaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Add a task. An existing column of that name keeps its cells.
    AddTask {
        /// Name of the task and of its column.
        name: String,
        /// Its labels, at least two.
        labels: Vec<String>,
    },
    /// Rename a task and its column.
    RenameTask { task: String, to: String },
    /// Remove a task from the config; its column stays in the CSV.
    RemoveTask { task: String },
    /// Add a label, after the others.
    AddLabel { task: String, label: String },
    /// Rename a label everywhere.
    RenameLabel { task: String, from: String, to: String },
    /// Merge a label into another existing one.
    MergeLabels {
        task: String,
        /// The label that disappears.
        from: String,
        /// The label that stays.
        into: String,
    },
    /// Remove a label; its images become unlabelled.
    RemoveLabel { task: String, label: String },
}

impl Change {
    /// The task that is changed.
    pub fn task(&self) -> &str {
        match self {
            Self::AddTask { name, .. } => name,
            Self::RenameTask { task, .. }
            | Self::RemoveTask { task }
            | Self::AddLabel { task, .. }
            | Self::RenameLabel { task, .. }
            | Self::MergeLabels { task, .. }
            | Self::RemoveLabel { task, .. } => task,
        }
    }

    /// The label that disappears, and what its images get instead; `None` if no image changes its label.
    pub fn replaced(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::RenameLabel { from, to, .. } => Some((from, Some(to))),
            Self::MergeLabels { from, into, .. } => Some((from, Some(into))),
            Self::RemoveLabel { label, .. } => Some((label, None)),
            _ => None,
        }
    }

    /// The tasks after the change; a change of something that does not exist has no effect.
    pub fn tasks_after(&self, tasks: &[Task]) -> Vec<Task> {
        let mut tasks = tasks.to_vec();
        if let Self::AddTask { name, labels } = self {
            tasks.push(Task { name: name.clone(), labels: labels.clone() });
            return tasks;
        }
        let Some(at) = tasks.iter().position(|task| task.name == self.task()) else { return tasks };
        let labels = &mut tasks[at].labels;
        match self {
            Self::AddTask { .. } => {}
            Self::RenameTask { to, .. } => tasks[at].name.clone_from(to),
            Self::RemoveTask { .. } => drop(tasks.remove(at)),
            Self::AddLabel { label, .. } => labels.push(label.clone()),
            Self::RenameLabel { from, to, .. } => {
                labels.iter_mut().filter(|label| *label == from).for_each(|label| label.clone_from(to));
            }
            Self::MergeLabels { from, .. } => labels.retain(|label| label != from),
            Self::RemoveLabel { label, .. } => labels.retain(|other| other != label),
        }
        tasks
    }
}

/// The change in words, such as "add the label ...".
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddTask { name, labels } => {
                write!(f, "add the task `{name}` with the labels {}", labels.join(", "))
            }
            Self::RenameTask { task, to } => write!(f, "rename the task `{task}` to `{to}`"),
            Self::RemoveTask { task } => write!(f, "remove the task `{task}`"),
            Self::AddLabel { task, label } => write!(f, "add the label `{label}` to `{task}`"),
            Self::RenameLabel { task, from, to } => {
                write!(f, "rename the label `{from}` of `{task}` to `{to}`")
            }
            Self::MergeLabels { task, from, into } => {
                write!(f, "merge the label `{from}` of `{task}` into `{into}`")
            }
            Self::RemoveLabel { task, label } => write!(f, "remove the label `{label}` of `{task}`"),
        }
    }
}

impl Config {
    /// The config after a change: weights follow their tasks and labels, new ones get 1.
    #[must_use]
    pub fn after(&self, change: &Change) -> Self {
        let mut config = self.clone();
        let model = &mut config.model;
        let at = model.tasks.iter().position(|task| task.name == change.task());
        let class = at
            .zip(change.replaced())
            .and_then(|(at, (gone, _))| model.tasks[at].labels.iter().position(|label| label == gone));
        let mut per_label = match &mut model.class_weights {
            ClassWeights::PerLabel(weights) => Some(weights),
            _ => None,
        };
        match (change, at) {
            (Change::AddTask { labels, .. }, _) => {
                model.task_weights.push(1.0);
                per_label.iter_mut().for_each(|weights| weights.push(vec![1.0; labels.len()]));
            }
            (Change::RemoveTask { .. }, Some(at)) => {
                model.task_weights.remove(at);
                per_label.iter_mut().for_each(|weights| drop(weights.remove(at)));
            }
            (Change::AddLabel { .. }, Some(at)) => {
                per_label.iter_mut().for_each(|weights| weights[at].push(1.0));
            }
            (Change::MergeLabels { .. } | Change::RemoveLabel { .. }, Some(at)) => {
                if let (Some(class), Some(weights)) = (class, per_label) {
                    weights[at].remove(class);
                }
            }
            _ => {}
        }
        model.tasks = change.tasks_after(&model.tasks);
        config
    }
}
