//! Makes steps: their changes are normalised, and applied as numbers. Each image is looked up once.

use hashbrown::HashTable;

use super::history::Packed;
use super::texts::Found;
use super::values::{cleaned, word_of};
use super::{AnnotationChange, AnnotationSource, Entry, Field, SmolStr, State, Step};

impl State {
    /// Makes a step. Its changes are normalised first: `before` becomes the current value, empty text becomes no
    /// label, and of several changes of one value the last counts. Changes without effect or without an image are
    /// dropped; `None` if none is left.
    pub fn edit(&mut self, step: Step) -> Option<Entry> {
        let Step { time, source, mut changes } = step;
        let images: Vec<Found> = changes.iter_mut().map(|change| self.complete(change)).collect();
        let count = last_of_values(&changes, &images);
        self.images.reserve(images.iter().filter(|image| image.number.is_none()).count());
        let mut packed = Vec::with_capacity(changes.len());
        let mut counting = images.into_iter().zip(count);
        changes.retain(|change| {
            let image = counting.next().filter(|(_, counts)| *counts);
            let Some((image, _)) =
                image.filter(|_| !change.image.is_empty() && change.before != change.after)
            else {
                return false;
            };
            packed.push(self.pack(change, image));
            true
        });
        if changes.is_empty() {
            return None;
        }
        let number = self.last_number + 1;
        self.take_packed(number, time.unix_timestamp(), source, &packed);
        Some(Entry::Step { number, time, source, changes })
    }

    /// Normalises a change; returns what is known of its image.
    fn complete(&self, change: &mut AnnotationChange) -> Found {
        let AnnotationChange { image, field, before, after } = change;
        if image.trim().len() < image.len() {
            *image = image.trim().into();
        }
        if matches!(field, Field::Label(_)) {
            *before = cleaned(before.take());
            *after = cleaned(after.take());
        } else {
            *before = None;
        }
        let found = self.images.look_up(image);
        if let Some(slot) = found.number.and_then(|image| self.slots.get(image, self.find_field(field)?)) {
            let current = word_of(self.words.list(), slot.current);
            if before.as_deref() != current {
                *before = current.map(SmolStr::from);
            }
        }
        found
    }

    pub(super) fn take_step(
        &mut self,
        number: u64,
        time: i64,
        source: AnnotationSource,
        changes: &[AnnotationChange],
    ) {
        let packed: Vec<Packed> =
            changes.iter().map(|change| self.pack(change, self.images.look_up(&change.image))).collect();
        self.take_packed(number, time, source, &packed);
    }

    fn pack(&mut self, change: &AnnotationChange, image: Found) -> Packed {
        Packed {
            image: self.images.add_found(&change.image, image),
            field: self.take_field(&change.field),
            before: self.add_word(change.before.as_deref()),
            after: self.add_word(change.after.as_deref()),
        }
    }
}

/// Which changes are the last of their value.
fn last_of_values(changes: &[AnnotationChange], images: &[Found]) -> Vec<bool> {
    let mut later: HashTable<u32> = HashTable::with_capacity(changes.len());
    let mut is_last = vec![false; changes.len()];
    for (at, AnnotationChange { image, field, .. }) in changes.iter().enumerate().rev() {
        let is_same = |other: &u32| {
            let other = &changes[*other as usize];
            other.image == *image && other.field == *field
        };
        if later.find(images[at].hash, is_same).is_none() {
            later.insert_unique(images[at].hash, at as u32, |at| images[*at as usize].hash);
            is_last[at] = true;
        }
    }
    is_last
}
