//! Edits follow when tasks and labels change: values, undo, redo and what was passed through, all alike.
//!
//! So what was undone before can be redone after, with the names that hold then.

use super::state::Numbered;
use super::{Edit, Entry, Field, State, now};
use crate::config::Change;

impl State {
    /// Puts a change of tasks or labels into all edits, those that were undone included.
    pub fn change_vocabulary(&mut self, change: Change) -> Entry {
        self.follow(&change);
        Entry::Vocabulary { time: now(), change }
    }

    /// Whether any edit, made or undone, is of this task and, where one is given, has this label.
    pub fn mentions(&self, task: &str, label: Option<&str>) -> bool {
        let is_it = |field: &Field, values: [&Option<String>; 2]| {
            of_task(field) == Some(task)
                && label.is_none_or(|label| values.iter().any(|value| value.as_deref() == Some(label)))
        };
        let steps = self.done.iter().chain(&self.undone).flat_map(|numbered| &numbered.step.changes);
        let mut slots = self.values.iter().flat_map(|(_, fields)| fields);
        steps.into_iter().any(|change| is_it(&change.field, [&change.before, &change.after]))
            || slots.any(|(field, slot)| is_it(field, [&slot.base, &slot.current]))
    }

    /// Whether anything was ever edited.
    pub fn has_history(&self) -> bool {
        !(self.values.is_empty() && self.done.is_empty() && self.undone.is_empty())
    }

    pub(super) fn follow(&mut self, change: &Change) {
        self.values.change_all(|fields| {
            fields.retain_mut(|(field, slot)| {
                let is_of_task = of_task(field) == Some(change.task());
                if !follow_field(field, change) {
                    return false;
                }
                if is_of_task {
                    follow_value(&mut slot.base, change);
                    follow_value(&mut slot.current, change);
                }
                slot.saved || slot.base != slot.current
            });
        });
        let slots = self.values.iter().flat_map(|(_, fields)| fields);
        self.pending = slots.filter(|(field, slot)| slot.is_pending(field)).count();
        follow_steps(&mut self.done, change);
        follow_steps(&mut self.undone, change);
        if let Some(saving) = &mut self.saving {
            saving.labels.retain_mut(|edit| follow_edit(edit, change));
        }
    }
}

fn of_task(field: &Field) -> Option<&str> {
    match field {
        Field::Label(task) | Field::Kept(task) => Some(task),
        Field::Flag => None,
    }
}

/// Whether the field is still there. A field that has the new name of a task already is of a column
/// that is no more.
fn follow_field(field: &mut Field, change: &Change) -> bool {
    let (Field::Label(name) | Field::Kept(name)) = field else { return true };
    match change {
        Change::RemoveTask { task } => name != task,
        Change::RenameTask { to, .. } if name == to => false,
        Change::RenameTask { task, to } => {
            if name == task {
                name.clone_from(to);
            }
            true
        }
        _ => true,
    }
}

/// Whether the edit is still of a task.
fn follow_edit(edit: &mut Edit, change: &Change) -> bool {
    let is_of_task = edit.task == change.task();
    let mut field = Field::Label(std::mem::take(&mut edit.task));
    let is_there = follow_field(&mut field, change);
    if let Field::Label(task) = field {
        edit.task = task;
    }
    if is_of_task {
        follow_value(&mut edit.before, change);
        follow_value(&mut edit.after, change);
    }
    is_there
}

fn follow_value(value: &mut Option<String>, change: &Change) {
    if let Some((gone, after)) = change.replaced()
        && value.as_deref() == Some(gone)
    {
        *value = after.map(str::to_owned);
    }
}

/// Changes that change nothing any more go, and steps that have none.
fn follow_steps(steps: &mut Vec<Numbered>, change: &Change) {
    steps.retain_mut(|numbered| {
        numbered.step.changes.retain_mut(|step| {
            let is_of_task = of_task(&step.field) == Some(change.task());
            if !follow_field(&mut step.field, change) {
                return false;
            }
            if is_of_task {
                follow_value(&mut step.before, change);
                follow_value(&mut step.after, change);
            }
            step.before != step.after
        });
        !numbered.step.changes.is_empty()
    });
}
