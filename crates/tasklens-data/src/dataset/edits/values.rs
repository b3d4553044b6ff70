//! A snapshot of the edited values, for a job, while [`State`](super::State) keeps changing.

use std::sync::Arc;

use super::slots::{Slot, Slots, Word};
use super::texts::TextList;
use super::{Edit, Field, SmolStr};

/// The values at one moment. Cheap to make and to clone, so that a job can list what would take too long for a frame.
#[derive(Clone, Debug, Default)]
pub struct Values {
    pub(super) slots: Slots,
    pub(super) images: TextList,
    pub(super) words: TextList,
    pub(super) fields: Arc<Vec<Field>>,
}

impl Values {
    /// The labels that are not in the CSV yet, by image and task.
    pub fn pending(&self) -> Vec<Edit> {
        self.edits(|slot| slot.base != slot.current)
    }

    /// The labels that differ from the CSV as it was read, by image and task: those that are pending and those saved
    /// since the CSV was read. [`Dataset::with_edits`](crate::dataset::Dataset::with_edits) takes them.
    pub fn overlay(&self) -> Vec<Edit> {
        self.edits(|_| true)
    }

    /// Flagged images with their notes, in no particular order.
    pub fn flags(&self) -> impl Iterator<Item = (&str, &str)> {
        flags(&self.slots, &self.images, &self.words, &self.fields)
    }

    /// Whether no value is edited.
    pub fn is_empty(&self) -> bool {
        self.slots.len() == 0
    }

    fn edits(&self, is_wanted: impl Fn(&Slot) -> bool) -> Vec<Edit> {
        let text = |word: Option<Word>| word_of(&self.words, word).map(str::to_owned);
        let wanted = self.slots.iter().filter(|slot| is_wanted(slot));
        let edits = wanted.filter_map(|slot| match self.fields.get(slot.field as usize)? {
            Field::Label(task) => Some(Edit {
                image: self.images.get(slot.image).to_owned(),
                task: task.to_string(),
                before: text(slot.base),
                after: text(slot.current),
            }),
            Field::Kept(_) | Field::Flag => None,
        });
        let mut edits: Vec<Edit> = edits.collect();
        edits.sort_unstable();
        edits
    }
}

/// Flagged images with their notes.
pub(super) fn flags<'a>(
    slots: &'a Slots,
    images: &'a TextList,
    words: &'a TextList,
    fields: &[Field],
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let flag = fields.iter().position(|field| *field == Field::Flag);
    let is_flag = move |slot: &&Slot| flag == Some(slot.field as usize);
    slots
        .iter()
        .filter(is_flag)
        .filter_map(|slot| Some((images.get(slot.image), word_of(words, slot.current)?)))
}

/// The text of a label or a note.
pub(super) fn word_of(words: &TextList, word: Option<Word>) -> Option<&str> {
    Some(words.get(word?.get() - 1))
}

/// Normalised as in a cell: trimmed, and empty text is no label.
pub(super) fn cleaned(label: Option<SmolStr>) -> Option<SmolStr> {
    match label {
        Some(label) if label.trim().is_empty() => None,
        Some(label) if label.trim().len() < label.len() => Some(label.trim().into()),
        label => label,
    }
}
