//! The edited values of all images, in order: numbers only, in copy-on-write pages that can be shared with a job
//! while editing continues.

use std::num::NonZeroU32;
use std::sync::Arc;

/// Images per page; a shared page is copied on change, and what follows a new slot in its page is moved.
const PAGE: u32 = 128;

/// A label or a note: the number of its text, from 1.
pub(super) type Word = NonZeroU32;

/// A value that differs, or differed since the CSV was read, from the one in the CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The number of the image.
    pub image: u32,
    /// The number of the field.
    pub field: u32,
    /// The value in the CSV; none for fields that are not stored there.
    pub base: Option<Word>,
    /// The value after all edits; `None` is no label.
    pub current: Option<Word>,
    /// The CSV was written since it was read: what was read is an older label than `base`.
    pub saved: bool,
}

impl Slot {
    /// A slot without information.
    pub fn new(image: u32, field: u32) -> Self {
        Self { image, field, base: None, current: None, saved: false }
    }

    /// Whether it holds any information.
    pub fn counts(&self) -> bool {
        self.saved || self.base != self.current
    }

    fn key(&self) -> (u32, u32) {
        (self.image, self.field)
    }
}

/// Slots by image and field. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    pages: Vec<Arc<Vec<Slot>>>,
    len: usize,
}

impl Slots {
    /// Number of image and field pairs with a value.
    pub fn len(&self) -> usize {
        self.len
    }

    /// All slots, by image and field.
    pub fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.pages.iter().flat_map(|page| page.iter())
    }

    /// The slot of a field of an image.
    pub fn get(&self, image: u32, field: u32) -> Option<&Slot> {
        let page = self.pages.get((image / PAGE) as usize)?;
        page.binary_search_by_key(&(image, field), Slot::key).ok().map(|at| &page[at])
    }

    /// Stores a slot, or removes it if it holds no information. Returns the previous one.
    pub fn put(&mut self, slot: Slot) -> Option<Slot> {
        let page = (slot.image / PAGE) as usize;
        if self.pages.len() <= page {
            if !slot.counts() {
                return None;
            }
            self.pages.resize_with(page + 1, Arc::default);
        }
        let page = Arc::make_mut(&mut self.pages[page]);
        let at = match page.last() {
            // The usual case while images come in order.
            Some(last) if last.key() < slot.key() => Err(page.len()),
            _ => page.binary_search_by_key(&slot.key(), Slot::key),
        };
        match at {
            Ok(at) if slot.counts() => Some(std::mem::replace(&mut page[at], slot)),
            Ok(at) => {
                self.len -= 1;
                Some(page.remove(at))
            }
            Err(at) => {
                if slot.counts() {
                    self.len += 1;
                    page.insert(at, slot);
                }
                None
            }
        }
    }

    /// Modifies each slot; positions must stay in order, and slots without information are dropped.
    pub fn change_all(&mut self, mut keeps: impl FnMut(&mut Slot) -> bool) {
        self.len = 0;
        for page in &mut self.pages {
            let page = Arc::make_mut(page);
            page.retain_mut(|slot| keeps(slot) && slot.counts());
            self.len += page.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_holds_stays_as_it_was_while_the_user_goes_on() {
        let slot = |image, current| Slot { current: Word::new(current), ..Slot::new(image, 0) };
        let mut slots = Slots::default();
        (0..10_000).rev().for_each(|image| assert_eq!(slots.put(slot(image, 1)), None));
        let held = slots.clone();
        assert_eq!(slots.put(slot(7, 2)), Some(slot(7, 1)));
        assert_eq!(slots.put(slot(8, 0)), Some(slot(8, 1)));
        assert_eq!(slots.put(slot(8, 0)), None);
        assert_eq!(slots.put(slot(10_000, 2)), None);
        assert_eq!((held.len(), held.iter().count(), slots.len()), (10_000, 10_000, 10_000));
        assert!(held.iter().map(|slot| slot.image).eq(0..10_000));
        let changed: Vec<u32> = slots.iter().filter(|s| s.current != Word::new(1)).map(|s| s.image).collect();
        assert_eq!(changed, [7, 10_000]);
        let shared = held.pages.iter().zip(&slots.pages).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(shared, held.pages.len() - 2, "only what changed was copied");
        slots.change_all(|_| false);
        assert_eq!((slots.len(), slots.get(7, 0), held.get(7, 0)), (0, None, Some(&slot(7, 1))));
    }
}
