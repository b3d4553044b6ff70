//! The result of all edits: values, undo, redo, and what is not in the CSV yet. In memory only.

use std::sync::Arc;

use super::history::{History, Packed};
use super::interrupted::Saving;
use super::merge::{Conflict, MergeOutcome};
use super::slots::{Slot, Slots, Word};
use super::step_view::StepView;
use super::texts::Texts;
use super::values::{flags, word_of};
use super::{AnnotationChange, AnnotationSource, Edit, Entry, Field, SmolStr, Step, Values, now};

/// The state after all edits. A lookup costs one hash; the cost of an edit is proportional to its changes. Images,
/// labels and fields are stored as numbers: a million edits take about 100 MB.
///
/// Every method that changes it returns the [`Entry`] for the [`Journal`](super::Journal); reading a journal uses the
/// same code, so that both give the same state.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(super) images: Texts,
    pub(super) words: Texts,
    /// Each field once.
    pub(super) fields: Arc<Vec<Field>>,
    pub(super) slots: Slots,
    pub(super) history: History,
    pub(super) last_number: u64,
    pub(super) pending: usize,
    /// A save whose end is not in the journal.
    pub(super) saving: Option<Saving>,
}

/// A [`Slot`] as text.
pub(super) struct SlotView<'a> {
    pub base: Option<&'a str>,
    pub current: Option<&'a str>,
}

impl State {
    /// The edited label of an image, if it differs from that of the CSV as it was read: the outer `None` is "not
    /// edited", the inner "edited to have no label".
    pub fn label(&self, image: &str, task: &str) -> Option<Option<&str>> {
        Some(self.find(image, |field| field.is_label_of(task))?.current)
    }

    /// Whether the user has confirmed the label `given` of this image and task.
    pub fn is_kept(&self, image: &str, task: &str, given: Option<&str>) -> bool {
        let slot = self.find(image, |field| matches!(field, Field::Kept(name) if name == task));
        slot.and_then(|slot| slot.current) == Some(given.unwrap_or_default())
    }

    /// The note of a flagged image, which may be empty; `None` if it is not flagged.
    pub fn flag(&self, image: &str) -> Option<&str> {
        self.find(image, |field| *field == Field::Flag)?.current
    }

    /// Flagged images with their notes, in no particular order.
    pub fn flags(&self) -> impl Iterator<Item = (&str, &str)> {
        flags(&self.slots, self.images.list(), self.words.list(), &self.fields)
    }

    /// Whether no value is edited.
    pub fn is_empty(&self) -> bool {
        self.slots.len() == 0
    }

    /// Number of labels that are not in the CSV yet, in constant time.
    pub fn pending_count(&self) -> usize {
        self.pending
    }

    /// The labels that are not in the CSV yet, by image and task.
    pub fn pending(&self) -> Vec<Edit> {
        self.values().pending()
    }

    /// The labels that differ from the CSV as it was read, by image and task: those that are pending and
    /// those saved since the CSV was read. [`Dataset::with_edits`](super::Dataset::with_edits) takes them.
    pub fn overlay(&self) -> Vec<Edit> {
        self.values().overlay()
    }

    /// All values, to be listed by a job: with many edits, [`State::overlay`] takes too long for a frame.
    pub fn values(&self) -> Values {
        Values {
            slots: self.slots.clone(),
            images: self.images.list().clone(),
            words: self.words.list().clone(),
            fields: Arc::clone(&self.fields),
        }
    }

    /// Whether there is a step to undo.
    pub fn can_undo(&self) -> bool {
        self.history.last_done().is_some()
    }

    /// Whether there is a step to redo.
    pub fn can_redo(&self) -> bool {
        self.history.next_undone().is_some()
    }

    /// The step that [`State::undo`] undoes.
    pub fn next_undo(&self) -> Option<StepView<'_>> {
        Some(StepView { state: self, at: self.history.last_done()? })
    }

    /// The step that [`State::redo`] redoes.
    pub fn next_redo(&self) -> Option<StepView<'_>> {
        Some(StepView { state: self, at: self.history.next_undone()? })
    }

    /// Undoes the last step; `None` if there is none. This also works after a save: the labels are then pending
    /// again.
    pub fn undo(&mut self) -> Option<Entry> {
        let step = self.history.heads[self.history.last_done()?].number;
        self.undo_last();
        Some(Entry::Undo { step, time: now() })
    }

    /// Redoes the step that was undone last; `None` if there is none.
    pub fn redo(&mut self) -> Option<Entry> {
        let step = self.history.heads[self.history.next_undone()?].number;
        self.redo_next();
        Some(Entry::Redo { step, time: now() })
    }

    /// Records the result of a save. Call it once, before rows that were read after the save come into memory. What
    /// the user edited during the save stays pending; where the file won over an edit, the file's label becomes a
    /// step of its own, which can be undone. The labels written move from the outcome into the entry.
    pub fn note_saved(&mut self, outcome: &mut MergeOutcome) -> Vec<Entry> {
        let mut labels = std::mem::take(&mut outcome.written);
        let is_undone = |edit: &mut Edit| self.slot_of(&edit.image, &edit.task).is_none();
        let undone: Vec<Edit> = labels.extract_if(.., is_undone).collect();
        let of_file = |conflict: &Conflict| Edit { after: conflict.cell.clone(), ..conflict.edit.clone() };
        labels.extend(outcome.given_up.iter().map(of_file));
        if labels.is_empty() && undone.is_empty() {
            return Vec::new();
        }
        let entry = Entry::Saved { time: now(), labels, undone };
        self.take_saved(&entry);
        let changes = outcome.given_up.iter().filter_map(|Conflict { edit, cell, .. }| {
            let is_current = self.label(&edit.image, &edit.task)? == edit.after.as_deref();
            is_current.then(|| AnnotationChange {
                image: edit.image.as_str().into(),
                field: Field::Label(edit.task.as_str().into()),
                before: edit.after.as_deref().map(SmolStr::from),
                after: cell.as_deref().map(SmolStr::from),
            })
        });
        let step = Step::now(AnnotationSource::File, changes.collect());
        std::iter::once(entry).chain(self.edit(step)).collect()
    }

    /// Forgets saved labels. Call it when rows that were read after the last save come into memory.
    pub fn forget_saved(&mut self) {
        self.slots.change_all(|slot| {
            slot.saved = false;
            true
        });
    }

    /// Applies a line of the journal.
    ///
    /// # Errors
    /// It undoes or redoes a missing step, whose line is damaged; nothing changes.
    pub(super) fn replay(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Step { number, time, source, changes } => {
                self.take_step(number, time.unix_timestamp(), source, &changes);
            }
            // Steps are undone in reverse order, so an undone step implies that all later ones were undone, too.
            Entry::Undo { step, .. } => {
                let at = self.history.find_done(step);
                let at = at.ok_or_else(|| format!("it undoes step {step}, which does not exist"))?;
                while self.history.done > at {
                    self.undo_last();
                }
            }
            Entry::Redo { step, .. } => {
                let at = self.history.find_undone(step);
                let at = at.ok_or_else(|| format!("it redoes step {step}, which does not exist"))?;
                while self.history.done <= at {
                    self.redo_next();
                }
            }
            saved @ Entry::Saved { .. } => self.take_saved(&saved),
            Entry::Saving { from, to, labels, .. } => self.saving = Some(Saving { from, to, labels }),
            Entry::NotSaved { .. } => self.saving = None,
            Entry::Vocabulary { change, .. } => self.follow(&change),
        }
        Ok(())
    }

    /// Records that the CSV has these labels, although no save reported it; those `undone` must be written back.
    pub(super) fn note_found(&mut self, labels: Vec<Edit>, undone: Vec<Edit>) -> Entry {
        let entry = Entry::Saved { time: now(), labels, undone };
        self.take_saved(&entry);
        entry
    }

    fn take_saved(&mut self, entry: &Entry) {
        let Entry::Saved { labels, undone, .. } = entry else { return };
        self.saving = None;
        for edit in labels {
            // A label that is not pending here (its line is damaged) is already that of the CSV.
            let Some(slot) = self.slot_of(&edit.image, &edit.task) else { continue };
            let base = self.add_word(edit.after.as_deref());
            self.put(Slot { base, saved: true, ..slot });
        }
        for edit in undone {
            let (image, field) = (self.images.add(&edit.image), self.add_label_field(&edit.task));
            let (base, current) =
                (self.add_word(edit.after.as_deref()), self.add_word(edit.before.as_deref()));
            self.put(Slot { image, field, base, current, saved: true });
        }
    }

    /// Applies a step whose numbers are all known.
    pub(super) fn take_packed(
        &mut self,
        number: u64,
        time: i64,
        source: AnnotationSource,
        changes: &[Packed],
    ) {
        changes.iter().for_each(|change| self.apply(*change));
        self.last_number = self.last_number.max(number);
        self.history.push(number, time, source, changes);
    }

    fn undo_last(&mut self) {
        let Some(last) = self.history.last_done() else { return };
        for at in self.history.range(last).rev() {
            self.apply(self.history.changes[at].reversed());
        }
        self.history.done = last;
    }

    fn redo_next(&mut self) {
        let Some(next) = self.history.next_undone() else { return };
        for at in self.history.range(next) {
            self.apply(self.history.changes[at]);
        }
        self.history.done = next + 1;
    }

    fn apply(&mut self, change: Packed) {
        let Packed { image, field, before, after } = change;
        let slot = self.slots.get(image, field).copied().unwrap_or(Slot::new(image, field));
        // If nothing is pending, the value that the user saw is that of the CSV.
        let base = match slot.base == slot.current {
            true if self.is_label(field) => before,
            _ => slot.base,
        };
        self.put(Slot { base, current: after, ..slot });
    }

    /// Stores a slot; one without information is dropped.
    pub(super) fn put(&mut self, slot: Slot) {
        let is_pending = slot.base != slot.current;
        let was_pending = self.slots.put(slot).is_some_and(|old| old.base != old.current);
        if self.is_label(slot.field) {
            self.pending = self.pending + usize::from(is_pending) - usize::from(was_pending);
        }
    }

    /// Whether this field is stored in the CSV.
    pub(super) fn is_label(&self, field: u32) -> bool {
        matches!(self.fields.get(field as usize), Some(Field::Label(_)))
    }

    pub(super) fn add_field(&mut self, is_it: impl Fn(&Field) -> bool, make: impl FnOnce() -> Field) -> u32 {
        let at = self.fields.iter().position(is_it).unwrap_or_else(|| {
            Arc::make_mut(&mut self.fields).push(make());
            self.fields.len() - 1
        });
        at as u32
    }

    pub(super) fn find_field(&self, field: &Field) -> Option<u32> {
        self.fields.iter().position(|of| of == field).map(|at| at as u32)
    }

    pub(super) fn take_field(&mut self, field: &Field) -> u32 {
        self.add_field(|of| of == field, || field.clone())
    }

    fn add_label_field(&mut self, task: &str) -> u32 {
        self.add_field(|field| field.is_label_of(task), || Field::Label(task.into()))
    }

    /// The number of a label or a note.
    pub(super) fn add_word(&mut self, text: Option<&str>) -> Option<Word> {
        Word::new(self.words.add(text?) + 1)
    }

    pub(super) fn find_word(&self, text: &str) -> Option<Word> {
        Word::new(self.words.find(text)? + 1)
    }

    /// Whether another state is identical. Compares everything.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.images.list().iter().eq(other.images.list().iter())
            && self.words.list().iter().eq(other.words.list().iter())
            && self.fields == other.fields
            && self.slots.iter().eq(other.slots.iter())
            && self.history == other.history
            && self.last_number == other.last_number
            && self.pending == other.pending
            && self.saving == other.saving
    }

    fn slot_of(&self, image: &str, task: &str) -> Option<Slot> {
        let field = self.fields.iter().position(|field| field.is_label_of(task))?;
        self.slots.get(self.images.find(image)?, field as u32).copied()
    }

    pub(super) fn slot(&self, image: &str, field: &Field) -> Option<SlotView<'_>> {
        self.find(image, |of| of == field)
    }

    fn find(&self, image: &str, is_it: impl Fn(&Field) -> bool) -> Option<SlotView<'_>> {
        let field = self.fields.iter().position(is_it)?;
        let slot = self.slots.get(self.images.find(image)?, field as u32)?;
        let word = |word| word_of(self.words.list(), word);
        Some(SlotView { base: word(slot.base), current: word(slot.current) })
    }
}
