//! The edited values by image, as [`State`](super::State) holds them. They can be shared with a job while they
//! go on changing: only the part in which something changes is then copied.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use super::{Edit, Field};

/// Of this many parts one is copied where a change meets a shared one.
const PARTS: usize = 256;

/// A value that is, or was since the CSV was read, another than the CSV's.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// What the CSV has; nothing for what does not go there.
    pub base: Option<String>,
    /// What holds.
    pub current: Option<String>,
    /// The CSV was written since it was read: rows in memory have an older label than `base`.
    pub saved: bool,
}

impl Slot {
    /// Whether the CSV lacks it.
    pub fn is_pending(&self, field: &Field) -> bool {
        matches!(field, Field::Label(_)) && self.base != self.current
    }
}

/// What is edited of one image.
pub(super) type Fields = Vec<(Field, Slot)>;

/// The values of a moment. A clone costs next to nothing, so a job can list what would take a frame too long.
#[derive(Clone, Debug)]
pub struct Values {
    parts: Vec<Arc<HashMap<String, Fields>>>,
    hasher: RandomState,
    images: usize,
}

impl Default for Values {
    fn default() -> Self {
        let parts = (0..PARTS).map(|_| Arc::default()).collect();
        Self { parts, hasher: RandomState::new(), images: 0 }
    }
}

impl Values {
    /// The labels that the CSV does not have yet, by image and task.
    pub fn pending(&self) -> Vec<Edit> {
        self.edits(Slot::is_pending)
    }

    /// The labels that differ from the rows in memory, by image and task.
    pub fn overlay(&self) -> Vec<Edit> {
        self.edits(|_, _| true)
    }

    /// Whether no value is edited.
    pub(super) fn is_empty(&self) -> bool {
        self.images == 0
    }

    pub(super) fn get(&self, image: &str) -> Option<&Fields> {
        self.parts[self.part_of(image)].get(image)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Fields)> {
        self.parts.iter().flat_map(|part| part.iter()).map(|(image, fields)| (image.as_str(), fields))
    }

    /// Changes what is edited of an image; one of which nothing is left falls away.
    pub(super) fn change(&mut self, image: &str, change: impl FnOnce(&mut Fields)) {
        let part = self.part_of(image);
        let part = Arc::make_mut(&mut self.parts[part]);
        self.images -= part.len();
        match part.get_mut(image) {
            Some(fields) => {
                change(fields);
                if fields.is_empty() {
                    part.remove(image);
                }
            }
            None => {
                let mut fields = Fields::new();
                change(&mut fields);
                if !fields.is_empty() {
                    part.insert(image.to_owned(), fields);
                }
            }
        }
        self.images += part.len();
    }

    /// Changes what is edited of every image, in the same way.
    pub(super) fn change_all(&mut self, mut change: impl FnMut(&mut Fields)) {
        self.images = 0;
        for part in &mut self.parts {
            let part = Arc::make_mut(part);
            part.retain(|_, fields| {
                change(fields);
                !fields.is_empty()
            });
            self.images += part.len();
        }
    }

    fn part_of(&self, image: &str) -> usize {
        // The maps themselves go by other bits.
        (self.hasher.hash_one(image) >> 16) as usize % PARTS
    }

    fn edits(&self, is_wanted: impl Fn(&Slot, &Field) -> bool) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        for (image, fields) in self.iter() {
            for (field, slot) in fields {
                let Field::Label(task) = field else { continue };
                if is_wanted(slot, field) {
                    edits.push(Edit {
                        image: image.to_owned(),
                        task: task.clone(),
                        before: slot.base.clone(),
                        after: slot.current.clone(),
                    });
                }
            }
        }
        edits.sort_unstable();
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(values: &mut Values, image: usize, note: Option<&str>) {
        values.change(&format!("{image}.jpg"), |fields| {
            *fields = Vec::from_iter(note.map(|note| {
                let current = Some(note.to_owned());
                (Field::Label("print".to_owned()), Slot { current, ..Slot::default() })
            }));
        });
    }

    #[test]
    fn what_a_job_holds_stays_as_it_was_while_the_user_goes_on() {
        let mut values = Values::default();
        (0..1000).for_each(|image| flag(&mut values, image, Some("solid")));
        let held = values.clone();
        flag(&mut values, 7, Some("striped"));
        flag(&mut values, 8, None);
        flag(&mut values, 1000, Some("dotted"));
        assert!(held.overlay().iter().all(|edit| edit.after.as_deref() == Some("solid")));
        assert_eq!((held.overlay().len(), values.overlay().len()), (1000, 1000));
        let now: Vec<Edit> =
            values.overlay().into_iter().filter(|e| e.after.as_deref() != Some("solid")).collect();
        assert_eq!(now.iter().map(|edit| edit.image.as_str()).collect::<Vec<_>>(), ["1000.jpg", "7.jpg"]);
        let shared = held.parts.iter().zip(&values.parts).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert!(shared >= PARTS - 3, "only what changed was copied: {shared}");
        values.change_all(Fields::clear);
        assert!(values.is_empty() && !held.is_empty());
    }
}
