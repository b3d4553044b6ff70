//! What the user does to labels and flags, and where that leads.

use std::time::Instant;

use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::{AnnotationChange, AnnotationSource, Step};
use tasklens_net::labelling::order::LabellingOrder;

use super::{LabelView, Which};
use crate::app::command::{AppCommand, Level, Notice, Subject, UiCommand};
use crate::app::context::ViewContext;
use crate::app::services::label_edits::LabelEdits;

/// What the user says about images and a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenLabel {
    /// One of the labels, by its place in the task.
    Label(usize),
    /// The task makes no sense for the images.
    DoesNotApply,
    /// The label is taken away.
    Nothing,
}

impl LabelView {
    /// Gives rows a label for a task, or takes it away. Whether that could be asked for.
    pub(super) fn give(
        &mut self,
        rows: &[usize],
        task: usize,
        label: GivenLabel,
        source: AnnotationSource,
        context: &ViewContext<'_>,
    ) -> bool {
        let Some((dataset, edits)) = editable(context) else { return false };
        let text = match label {
            GivenLabel::Label(label) => {
                dataset.tasks.get(task).and_then(|task| task.labels.get(label)).map(String::as_str)
            }
            GivenLabel::DoesNotApply => dataset.not_applicable(task),
            GivenLabel::Nothing => None,
        };
        if label != GivenLabel::Nothing && text.is_none() {
            return false;
        }
        let change = |row: &usize| edits.state().label_change(dataset, *row, task, text);
        let mut changes = Vec::with_capacity(rows.len());
        changes.extend(rows.iter().filter(|row| **row < dataset.rows.len()).map(change));
        self.send(changes, source, context);
        true
    }

    /// One step of several changes.
    pub(super) fn send(
        &mut self,
        changes: Vec<AnnotationChange>,
        source: AnnotationSource,
        context: &ViewContext<'_>,
    ) {
        let given = changes.iter().filter(|change| change.after.is_some()).count();
        self.session.on_labelled(given);
        if source == AnnotationSource::Hand || given <= 1 {
            self.rate.add(given, Instant::now());
        }
        context.commands.send(AppCommand::Edit(Step::now(source, changes)));
    }

    /// Takes the suggestion for the task at hand, and goes on.
    pub(super) fn accept(&mut self, context: &ViewContext<'_>) {
        let Some(row) = self.arrangement.queue.current() else { return };
        match self.suggestion(self.task, row) {
            Some(_) if has_unknown_label(context, row, self.task) => {
                let message = "This image has a label that the config does not list: choose another label, or \
                               add this one under Tasks and labels";
                let edit = AppCommand::Ui(UiCommand::EditTasks);
                context
                    .commands
                    .notify(Notice::new(Level::Warning, message).offering("Tasks and labels", edit));
            }
            Some((label, _)) => {
                if self.give(
                    &[row],
                    self.task,
                    GivenLabel::Label(label as usize),
                    AnnotationSource::Suggestion,
                    context,
                ) {
                    self.go_on(context);
                }
            }
            None => context.commands.toast(Level::Info, "There is no suggestion for this image yet"),
        }
    }

    /// Takes the suggestions for all tasks in question that the image lacks a label for, and goes to the next.
    pub(super) fn accept_all(&mut self, context: &ViewContext<'_>) {
        let Some(row) = self.arrangement.queue.current() else { return };
        let Some((dataset, edits)) = editable(context) else { return };
        let asked = self.tasks_in_question(&dataset.tasks).into_iter();
        let change = |task| self.suggested_change(dataset, edits, row, task);
        let changes: Vec<AnnotationChange> = asked.filter_map(change).collect();
        if !changes.is_empty() {
            self.send(changes, AnnotationSource::Suggestion, context);
        }
        self.next_image(context);
    }

    /// The change that gives a row what the model says; `None` where it has a label. One that the config does not
    /// list is a label, too: only the user replaces it.
    pub(super) fn suggested_change(
        &self,
        dataset: &Dataset,
        edits: &LabelEdits,
        row: usize,
        task: usize,
    ) -> Option<AnnotationChange> {
        if row >= dataset.rows.len() || dataset.label_text(row, task).is_some() {
            return None;
        }
        let (label, _) = self.suggestion(task, row)?;
        let text = dataset.tasks.get(task)?.labels.get(label as usize)?;
        Some(edits.state().label_change(dataset, row, task, Some(text)))
    }

    /// What the model says of a row.
    pub(super) fn suggestion(&self, task: usize, row: usize) -> Option<(u32, f32)> {
        self.session.suggestions()?.top(task, row)
    }

    /// After a label was given: to the next task that lacks one, else to the next image.
    pub(super) fn go_on(&mut self, context: &ViewContext<'_>) {
        let (Some(row), Some((dataset, _))) = (self.arrangement.queue.current(), context.labels()) else {
            return;
        };
        if !self.goes_on {
            return;
        }
        let later = self.tasks_in_question(&dataset.tasks).into_iter().filter(|task| *task > self.task);
        let next = later.into_iter().find(|task| dataset.label(row, *task).is_missing());
        match next {
            Some(task) => self.task = task,
            None => self.next_image(context),
        }
    }

    /// To the next image that lacks a label; in the order of the file to the very next.
    pub(super) fn next_image(&mut self, context: &ViewContext<'_>) {
        let Some((dataset, _)) = context.labels() else { return };
        let tasks = self.tasks_in_question(&dataset.tasks);
        let queue = &mut self.arrangement.queue;
        let moved = if self.order == LabellingOrder::File || self.order == LabellingOrder::Disagreement {
            queue.step(1)
        } else {
            queue.next_that(|row| lacks_any(dataset, row, &tasks))
        };
        if !moved && self.which != Which::Flagged {
            context.commands.toast(Level::Success, "That was the last image of this list");
        }
        self.on_image(context);
    }

    /// Another image is shown: its first task without a label is asked, or the first of all.
    pub(super) fn on_image(&mut self, context: &ViewContext<'_>) {
        let (Some(row), Some((dataset, _))) = (self.arrangement.queue.current(), context.labels()) else {
            return;
        };
        let tasks = self.tasks_in_question(&dataset.tasks);
        let lacks = |task: &&usize| dataset.label(row, **task).is_missing();
        self.task = tasks.iter().find(lacks).or(tasks.first()).copied().unwrap_or(0);
        self.shown = Some(row);
        self.zoom.reset();
        self.keep_note(context);
        self.assigning = None;
    }

    /// So many images on, or back.
    pub(super) fn step(&mut self, step: isize, context: &ViewContext<'_>) {
        if self.arrangement.queue.step(step) {
            self.on_image(context);
        }
    }

    /// The next task in question, or the one before; behind the last comes the next image.
    pub(super) fn step_task(&mut self, forward: bool, context: &ViewContext<'_>) {
        let Some((dataset, _)) = context.labels() else { return };
        let tasks = self.tasks_in_question(&dataset.tasks);
        let at = tasks.iter().position(|task| *task == self.task);
        match (at, forward) {
            (Some(at), true) if at + 1 == tasks.len() => {
                if self.arrangement.queue.step(1) {
                    self.on_image(context);
                    self.task = tasks.first().copied().unwrap_or(0);
                }
            }
            (Some(0), false) => {
                if self.arrangement.queue.step(-1) {
                    self.on_image(context);
                    self.task = tasks.last().copied().unwrap_or(0);
                }
            }
            (Some(at), true) => self.task = tasks[at + 1],
            (Some(at), false) => self.task = tasks[at - 1],
            (None, _) => self.task = tasks.first().copied().unwrap_or(0),
        }
    }

    /// Flags a row with a note, or takes the flag away.
    pub(super) fn set_flag(&mut self, row: usize, note: Option<&str>, context: &ViewContext<'_>) {
        let Some((dataset, edits)) = editable(context) else { return };
        let change = edits.state().flag_change(dataset, row, note);
        context.commands.send(AppCommand::Edit(Step::now(AnnotationSource::Hand, vec![change])));
    }
}

/// Whether a row has text for a task that the config does not list: the suggestions leave it alone.
fn has_unknown_label(context: &ViewContext<'_>, row: usize, task: usize) -> bool {
    context.labels().is_some_and(|(dataset, _)| {
        dataset.label(row, task).is_missing() && dataset.label_text(row, task).is_some()
    })
}

/// Whether a row lacks a label for any of these tasks.
pub(super) fn lacks_any(dataset: &Dataset, row: usize, tasks: &[usize]) -> bool {
    tasks.iter().any(|task| dataset.label(row, *task).is_missing())
}

/// The rows and their edits, where they can be changed; says why, where not.
pub(super) fn editable<'a>(context: &ViewContext<'a>) -> Option<(&'a Dataset, &'a LabelEdits)> {
    let (dataset, edits) = context.labels()?;
    match edits.denied() {
        Some(denied) => {
            context.commands.notify(Notice::new(Level::Warning, denied).about(Subject::Labels));
            None
        }
        None => Some((dataset, edits)),
    }
}
