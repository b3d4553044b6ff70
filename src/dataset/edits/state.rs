//! What the edits come to: values, undo, redo, and what the CSV does not have yet. Memory only.

use std::collections::HashSet;

use super::interrupted::Saving;
use super::merge::{Conflict, Outcome};
use super::values::{Slot, Values};
use super::{Change, Edit, Entry, Field, Source, Step, now};

/// What holds after all edits. Looking a value up costs one hash; an edit costs its changes.
///
/// Every method that changes it returns the [`Entry`] that the [`Journal`](super::Journal) must
/// keep; reading a journal goes the same way, so what was lived and what is read are the same.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(super) values: Values,
    pub(super) done: Vec<Numbered>,
    pub(super) undone: Vec<Numbered>,
    last_number: u64,
    pub(super) pending: usize,
    /// A save of which the journal does not tell how it ended.
    pub(super) saving: Option<Saving>,
}

#[derive(Clone, Debug)]
pub(super) struct Numbered {
    number: u64,
    pub step: Step,
}

impl State {
    /// The edited label of an image, where it is another than that of the rows in memory: the outer
    /// `None` is "not edited", the inner "edited to have no label".
    pub fn label(&self, image: &str, task: &str) -> Option<Option<&str>> {
        let slot = self.find(image, |field| matches!(field, Field::Label(name) if name == task))?;
        Some(slot.current.as_deref())
    }

    /// Whether the user looked at the label `given` of this image and task and kept it.
    pub fn is_kept(&self, image: &str, task: &str, given: Option<&str>) -> bool {
        let slot = self.find(image, |field| matches!(field, Field::Kept(name) if name == task));
        slot.and_then(|slot| slot.current.as_deref()) == Some(given.unwrap_or_default())
    }

    /// The note of a flagged image, which may be empty; `None` where it is not flagged.
    pub fn flag(&self, image: &str) -> Option<&str> {
        self.find(image, |field| *field == Field::Flag)?.current.as_deref()
    }

    /// Flagged images with their notes, in no order.
    pub fn flags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().filter_map(|(image, _)| Some((image, self.flag(image)?)))
    }

    /// Whether no value is edited.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many labels the CSV does not have yet; costs nothing.
    pub fn pending_count(&self) -> usize {
        self.pending
    }

    /// The labels that the CSV does not have yet, by image and task: what [`super::merge::save`] takes.
    pub fn pending(&self) -> Vec<Edit> {
        self.values.pending()
    }

    /// The labels that differ from the rows in memory, by image and task: those that are pending and
    /// those saved since the CSV was read. [`Dataset::with_edits`](super::Dataset::with_edits) takes them.
    pub fn overlay(&self) -> Vec<Edit> {
        self.values.overlay()
    }

    /// All values, for a job to list: with many edits, [`State::overlay`] takes longer than a frame may.
    pub fn values(&self) -> Values {
        self.values.clone()
    }

    /// The step that [`State::undo`] undoes.
    pub fn next_undo(&self) -> Option<&Step> {
        self.done.last().map(|done| &done.step)
    }

    /// The step that [`State::redo`] makes again.
    pub fn next_redo(&self) -> Option<&Step> {
        self.undone.last().map(|undone| &undone.step)
    }

    /// Makes a step. Its changes are completed first: `before` becomes the value that holds, a label
    /// without text is no label, and of several changes of one value the last counts. Changes that
    /// change nothing or have no image fall away; `None` where none is left.
    pub fn edit(&mut self, step: Step) -> Option<Entry> {
        let Step { time, source, changes } = step;
        let mut seen = HashSet::with_capacity(changes.len());
        let mut made: Vec<Change> = changes.into_iter().rev().map(|change| self.complete(change)).collect();
        made.retain(|change| seen.insert((change.image.clone(), change.field.clone())));
        made.retain(|change| !change.image.is_empty() && change.before != change.after);
        made.reverse();
        if made.is_empty() {
            return None;
        }
        for change in &made {
            self.put(&change.image, &change.field, &change.before, &change.after);
        }
        let number = self.last_number + 1;
        self.push(Numbered { number, step: Step { time, source, changes: made.clone() } });
        Some(Entry::Step { number, time, source, changes: made })
    }

    /// Undoes the last step; `None` where there is none. Also after a save: its labels are pending again.
    pub fn undo(&mut self) -> Option<Entry> {
        let step = self.done.last()?.number;
        self.undo_last();
        Some(Entry::Undo { step, time: now() })
    }

    /// Makes the step that was undone last again; `None` where there is none.
    pub fn redo(&mut self) -> Option<Entry> {
        let step = self.undone.last()?.number;
        self.redo_last();
        Some(Entry::Redo { step, time: now() })
    }

    /// Notes what a save did: once, and before rows that were read after it come into memory. What the
    /// user edited while it ran stays pending; where the file won over an edit, the file's label becomes
    /// a step of its own, which can be undone.
    pub fn note_saved(&mut self, outcome: &Outcome) -> Vec<Entry> {
        let mut labels = outcome.written.clone();
        let kept_out = |edit: &Edit| self.slot(&edit.image, &Field::Label(edit.task.clone())).is_none();
        let undone: Vec<Edit> = labels.extract_if(.., |edit| kept_out(edit)).collect();
        let of_file = |conflict: &Conflict| Edit { after: conflict.cell.clone(), ..conflict.edit.clone() };
        labels.extend(outcome.given_up.iter().map(of_file));
        if labels.is_empty() && undone.is_empty() {
            return Vec::new();
        }
        let entry = Entry::Saved { time: now(), labels, undone };
        self.take_saved(&entry);
        let changes = outcome.given_up.iter().filter_map(|Conflict { edit, cell, .. }| {
            let is_current = self.label(&edit.image, &edit.task)? == edit.after.as_deref();
            is_current.then(|| Change {
                image: edit.image.clone(),
                field: Field::Label(edit.task.clone()),
                before: edit.after.clone(),
                after: cell.clone(),
            })
        });
        let step = Step::now(Source::File, changes.collect());
        std::iter::once(entry).chain(self.edit(step)).collect()
    }

    /// Forgets what was saved: to be called when rows that were read after the last save come into memory.
    pub fn forget_saved(&mut self) {
        self.values.change_all(|fields| {
            fields.retain_mut(|(_, slot)| {
                slot.saved = false;
                slot.base != slot.current
            });
        });
    }

    /// Takes a line of the journal.
    ///
    /// # Errors
    /// It undoes or redoes a step that is not there, because its line is damaged; nothing changes.
    pub(super) fn replay(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Step { number, time, source, changes } => {
                for change in &changes {
                    self.put(&change.image, &change.field, &change.before, &change.after);
                }
                self.push(Numbered { number, step: Step { time, source, changes } });
            }
            // Steps are undone last first, so one that is below others tells that those were, too.
            Entry::Undo { step, .. } => {
                let at = self.done.iter().rposition(|done| done.number == step);
                let at = at.ok_or_else(|| format!("it undoes step {step}, which is not there"))?;
                while self.done.len() > at {
                    self.undo_last();
                }
            }
            Entry::Redo { step, .. } => {
                let at = self.undone.iter().rposition(|undone| undone.number == step);
                let at = at.ok_or_else(|| format!("it redoes step {step}, which is not there"))?;
                while self.undone.len() > at {
                    self.redo_last();
                }
            }
            saved @ Entry::Saved { .. } => self.take_saved(&saved),
            Entry::Saving { from, to, labels, .. } => self.saving = Some(Saving { from, to, labels }),
            Entry::NotSaved { .. } => self.saving = None,
            Entry::Vocabulary { change, .. } => self.follow(&change),
        }
        Ok(())
    }

    /// Notes that the CSV has these labels, though no save told so; those `undone` must be written back.
    pub(super) fn note_found(&mut self, labels: Vec<Edit>, undone: Vec<Edit>) -> Entry {
        let entry = Entry::Saved { time: now(), labels, undone };
        self.take_saved(&entry);
        entry
    }

    fn take_saved(&mut self, entry: &Entry) {
        let Entry::Saved { labels, undone, .. } = entry else { return };
        self.saving = None;
        for edit in labels {
            let base = edit.after.clone();
            // A label that is not pending here (its line is damaged) is the CSV's already.
            self.update(&edit.image, &Field::Label(edit.task.clone()), |slot| {
                slot.map(|slot| Slot { base, saved: true, ..slot })
            });
        }
        for edit in undone {
            let slot = Slot { base: edit.after.clone(), current: edit.before.clone(), saved: true };
            self.update(&edit.image, &Field::Label(edit.task.clone()), |_| Some(slot));
        }
    }

    fn complete(&self, mut change: Change) -> Change {
        change.image = change.image.trim().to_owned();
        if matches!(change.field, Field::Label(_)) {
            change.before = cleaned(change.before);
            change.after = cleaned(change.after);
        } else {
            change.before = None;
        }
        if let Some(slot) = self.slot(&change.image, &change.field) {
            change.before.clone_from(&slot.current);
        }
        change
    }

    fn push(&mut self, step: Numbered) {
        self.last_number = self.last_number.max(step.number);
        self.done.push(step);
        self.undone.clear();
    }

    fn undo_last(&mut self) {
        let Some(last) = self.done.pop() else { return };
        for change in last.step.changes.iter().rev() {
            self.put(&change.image, &change.field, &change.after, &change.before);
        }
        self.undone.push(last);
    }

    fn redo_last(&mut self) {
        let Some(last) = self.undone.pop() else { return };
        for change in &last.step.changes {
            self.put(&change.image, &change.field, &change.before, &change.after);
        }
        self.done.push(last);
    }

    fn put(&mut self, image: &str, field: &Field, before: &Option<String>, after: &Option<String>) {
        let goes_to_csv = matches!(field, Field::Label(_));
        self.update(image, field, |slot| {
            let slot = slot.unwrap_or_default();
            // Where nothing is pending, what the user saw is what the CSV has.
            let base = match slot.base == slot.current {
                true if goes_to_csv => before.clone(),
                _ => slot.base,
            };
            Some(Slot { base, current: after.clone(), saved: slot.saved })
        });
    }

    /// Replaces a slot; one that says nothing is dropped.
    fn update(&mut self, image: &str, field: &Field, change: impl FnOnce(Option<Slot>) -> Option<Slot>) {
        let pending = &mut self.pending;
        self.values.change(image, |fields| {
            let (key, old) = match fields.iter().position(|(of, _)| of == field) {
                Some(at) => {
                    let (key, slot) = fields.swap_remove(at);
                    (key, Some(slot))
                }
                None => (field.clone(), None),
            };
            *pending -= usize::from(old.as_ref().is_some_and(|slot| slot.is_pending(field)));
            if let Some(new) = change(old).filter(|slot| slot.saved || slot.base != slot.current) {
                *pending += usize::from(new.is_pending(field));
                fields.push((key, new));
            }
        });
    }

    pub(super) fn slot(&self, image: &str, field: &Field) -> Option<&Slot> {
        self.find(image, |of| of == field)
    }

    fn find(&self, image: &str, is_it: impl Fn(&Field) -> bool) -> Option<&Slot> {
        self.values.get(image)?.iter().find(|(field, _)| is_it(field)).map(|(_, slot)| slot)
    }
}

/// As a cell says it: without spaces around, and no text is no label.
pub(super) fn cleaned(label: Option<String>) -> Option<String> {
    match label {
        Some(label) if label.trim().is_empty() => None,
        Some(label) if label.trim().len() < label.len() => Some(label.trim().to_owned()),
        label => label,
    }
}
