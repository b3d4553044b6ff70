//! Applies changes of tasks and labels to all edits: values, undo and redo alike.
//!
//! So steps that were undone before a change can be redone after it, with the new names.

use std::sync::Arc;

use super::slots::Word;
use super::{Edit, Entry, Field, State, now};
use crate::config::VocabularyChange;

impl State {
    /// Applies a change of tasks or labels to all edits, including undone ones.
    pub fn change_vocabulary(&mut self, change: VocabularyChange) -> Entry {
        self.follow(&change);
        Entry::Vocabulary { time: now(), change }
    }

    /// Whether any edit, done or undone, is of this task and, if one is given, has this label.
    pub fn mentions(&self, task: &str, label: Option<&str>) -> bool {
        let label = match label.map(|label| self.find_word(label)) {
            Some(None) => return false,
            label => label.flatten(),
        };
        let is_of_task: Vec<bool> = self.fields.iter().map(|field| of_task(field) == Some(task)).collect();
        let is_it = |field: u32, values: [Option<Word>; 2]| {
            is_of_task[field as usize] && (label.is_none() || values.contains(&label))
        };
        let mut changes = self.history.changes.iter();
        changes.any(|change| is_it(change.field, [change.before, change.after]))
            || self.slots.iter().any(|slot| is_it(slot.field, [slot.base, slot.current]))
    }

    pub(super) fn follow(&mut self, change: &VocabularyChange) {
        let is_of_task: Vec<bool> =
            self.fields.iter().map(|field| of_task(field) == Some(change.task())).collect();
        let numbers = self.follow_fields(change);
        let replaced = change.replaced().and_then(|(gone, after)| {
            let gone = self.find_word(gone)?;
            Some((gone, self.add_word(after)))
        });
        let follow = |field: &mut u32, values: [&mut Option<Word>; 2]| {
            let old = *field as usize;
            let Some(new) = numbers[old] else { return false };
            *field = new;
            if is_of_task[old]
                && let Some((gone, after)) = replaced
            {
                values.into_iter().filter(|value| **value == Some(gone)).for_each(|value| *value = after);
            }
            true
        };
        self.slots.change_all(|slot| follow(&mut slot.field, [&mut slot.base, &mut slot.current]));
        self.history.retain(|step| follow(&mut step.field, [&mut step.before, &mut step.after]));
        self.count_pending();
        if let Some(saving) = &mut self.saving {
            saving.labels.retain_mut(|edit| follow_edit(edit, change));
        }
    }

    /// Renames fields and drops removed ones; returns the new number of each.
    fn follow_fields(&mut self, change: &VocabularyChange) -> Vec<Option<u32>> {
        let (mut fields, mut numbers) = (Vec::new(), Vec::new());
        for field in self.fields.iter() {
            let mut field = field.clone();
            let is_there = follow_field(&mut field, change);
            numbers.push(is_there.then_some(fields.len() as u32));
            if is_there {
                fields.push(field);
            }
        }
        self.fields = Arc::new(fields);
        numbers
    }

    fn count_pending(&mut self) {
        let slots = self.slots.iter().filter(|slot| self.is_label(slot.field));
        self.pending = slots.filter(|slot| slot.base != slot.current).count();
    }
}

fn of_task(field: &Field) -> Option<&str> {
    match field {
        Field::Label(task) | Field::Kept(task) => Some(task),
        Field::Flag => None,
    }
}

/// Whether the field still exists. A field that already has the new name of a task belongs to a removed column.
fn follow_field(field: &mut Field, change: &VocabularyChange) -> bool {
    let (Field::Label(name) | Field::Kept(name)) = field else { return true };
    match change {
        VocabularyChange::RemoveTask { task } => name != task,
        VocabularyChange::RenameTask { to, .. } if name == to => false,
        VocabularyChange::RenameTask { task, to } => {
            if name == task {
                *name = to.into();
            }
            true
        }
        _ => true,
    }
}

/// Whether the edit is still of a task.
fn follow_edit(edit: &mut Edit, change: &VocabularyChange) -> bool {
    let is_of_task = edit.task == change.task();
    let mut field = Field::Label(std::mem::take(&mut edit.task).into());
    let is_there = follow_field(&mut field, change);
    if let Field::Label(task) = field {
        edit.task = task.into();
    }
    if is_of_task {
        follow_value(&mut edit.before, change);
        follow_value(&mut edit.after, change);
    }
    is_there
}

fn follow_value(value: &mut Option<String>, change: &VocabularyChange) {
    if let Some((gone, after)) = change.replaced()
        && value.as_deref() == Some(gone)
    {
        *value = after.map(str::to_owned);
    }
}
