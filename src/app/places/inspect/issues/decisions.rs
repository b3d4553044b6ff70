//! What was decided about suspects, read from the label edits, and what an answer changes. No drawing.

use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::{AnnotationChange, AnnotationSource, Step};
use tasklens_data::text::{counted_grouped, plural};
use tasklens_net::evaluation::inspection::TaskItems;
use tasklens_net::evaluation::suspects::{Suspect, TaskSuspects};

use super::detail::SuspectAnswer;
use crate::app::command::{AppCommand, Level};
use crate::app::context::ViewContext;
use crate::app::services::label_edits::LabelEdits;

/// What the user has said of a suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet.
    Open,
    /// It has the proposed label now.
    Accepted,
    /// The given label is right.
    Kept,
    /// It has a third label, or none.
    Changed,
}

/// How many suspects of a task have which decision, counted once per version of the label edits.
#[derive(Clone, Copy)]
pub struct DecisionCounts {
    pub task: usize,
    pub version: u64,
    /// By [`Decision`].
    pub suspects: [u64; 4],
}

impl DecisionCounts {
    /// How many have this one.
    pub fn of(&self, decision: Decision) -> u64 {
        self.suspects[decision as usize]
    }
}

/// Gives several suspects their proposed labels, in one step. What was decided since is left as it is.
pub fn accept_several(chosen: &[usize], items: &TaskItems, found: &TaskSuspects, context: &ViewContext<'_>) {
    let Some((dataset, edits)) = context.labels() else { return };
    let Some(task) = task_in(items, dataset) else { return };
    if let Some(denied) = edits.denied() {
        context.commands.toast(Level::Warning, denied);
        return;
    }
    let (mut changes, mut unknown) = (Vec::new(), 0_usize);
    for suspect in chosen.iter().filter_map(|at| found.suspects.get(*at)) {
        if decision(items, suspect, context) != Decision::Open {
            continue;
        }
        match change(SuspectAnswer::Accept, suspect, items, task, (dataset, edits)) {
            Ok(change) => changes.extend(change),
            Err(_) => unknown += 1,
        }
    }
    if unknown > 0 {
        let message = format!(
            "The config no longer lists some of these labels: {} {} left unchanged",
            counted_grouped(unknown, "image"),
            plural(unknown, "was", "were")
        );
        context.commands.toast(Level::Warning, message);
    }
    if !changes.is_empty() {
        context.commands.send(AppCommand::Edit(Step::now(AnnotationSource::LabelIssue, changes)));
    }
}

/// The number of a task in rows that may have been read since with other tasks.
pub fn task_in(items: &TaskItems, dataset: &Dataset) -> Option<usize> {
    dataset.tasks.iter().position(|task| task.name == items.task.name)
}

/// What an answer changes, if anything; the error says why it cannot.
pub fn change(
    answer: SuspectAnswer,
    suspect: &Suspect,
    items: &TaskItems,
    task: usize,
    (dataset, edits): (&Dataset, &LabelEdits),
) -> Result<Option<AnnotationChange>, String> {
    let state = edits.state();
    let change = match answer {
        SuspectAnswer::Skip => return Ok(None),
        SuspectAnswer::Keep => state.keep_change(dataset, suspect.of.row, task),
        SuspectAnswer::Accept => {
            let label = items.task.labels.get(suspect.proposed as usize).map_or("", String::as_str);
            if !dataset.tasks[task].labels.iter().any(|known| known == label) {
                let name = &items.task.name;
                return Err(format!("The config no longer lists `{label}` for {name}: nothing was changed"));
            }
            state.label_change(dataset, suspect.of.row, task, Some(label))
        }
    };
    edits.denied().map_or(Ok(Some(change)), |denied| Err(denied.to_owned()))
}

/// What the label edits say of a suspect.
pub fn decision(items: &TaskItems, suspect: &Suspect, context: &ViewContext<'_>) -> Decision {
    let labels = context.labels().and_then(|labels| Some((labels, task_in(items, labels.0)?)));
    labels.map_or(Decision::Open, |(labels, task)| of_labels(labels, &items.task, task, suspect))
}

fn of_labels(
    (dataset, edits): (&Dataset, &LabelEdits),
    spec: &Task,
    task: usize,
    suspect: &Suspect,
) -> Decision {
    let row = suspect.of.row;
    if row >= dataset.rows.len() {
        return Decision::Open;
    }
    let label = dataset.label_text(row, task);
    let text = |class: u32| spec.labels.get(class as usize).map(String::as_str);
    if label.as_deref() == text(suspect.given) {
        let kept = edits.state().is_kept(&suspect.of.image, &spec.name, label.as_deref());
        return if kept { Decision::Kept } else { Decision::Open };
    }
    if label.as_deref() == text(suspect.proposed) { Decision::Accepted } else { Decision::Changed }
}
