//! A list in pages that versions share: a clone copies no item, and changing one copies its page if that is shared.
//!
//! So an edit makes the next version of a million rows within a frame while jobs keep the version they began with.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// Items per page. More make the copy of a page dearer, fewer the copy of the list of pages.
const PAGE: usize = 512;

/// See the module's docs.
#[derive(Clone, Debug)]
pub struct Pages<T> {
    /// All but the last have [`PAGE`] items.
    pages: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Pages<T> {
    /// Number of items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// An item, if it exists.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.pages.get(index / PAGE)?.get(index % PAGE)
    }

    /// All items in order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { pages: self.pages.iter(), page: [].iter(), left: self.len }
    }
}

impl<T: Clone> Pages<T> {
    /// An item to be changed; copies its page if another version shares it.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        Arc::make_mut(self.pages.get_mut(index / PAGE)?).get_mut(index % PAGE)
    }
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T> Index<usize> for Pages<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        &self.pages[index / PAGE][index % PAGE]
    }
}

impl<T: Clone> IndexMut<usize> for Pages<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut Arc::make_mut(&mut self.pages[index / PAGE])[index % PAGE]
    }
}

impl<T: PartialEq> PartialEq for Pages<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self.pages.iter().zip(&other.pages).all(|(own, other)| Arc::ptr_eq(own, other) || own == other)
    }
}

impl<T> FromIterator<T> for Pages<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut items = items.into_iter();
        let (mut pages, mut len) = (Vec::new(), 0);
        loop {
            let page: Vec<T> = items.by_ref().take(PAGE).collect();
            len += page.len();
            let is_last = page.len() < PAGE;
            if !page.is_empty() {
                pages.push(Arc::new(page));
            }
            if is_last {
                return Self { pages, len };
            }
        }
    }
}

impl<T> From<Vec<T>> for Pages<T> {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

impl<'a, T> IntoIterator for &'a Pages<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Items in order.
#[derive(Clone, Debug)]
pub struct Iter<'a, T> {
    pages: std::slice::Iter<'a, Arc<Vec<T>>>,
    page: std::slice::Iter<'a, T>,
    left: usize,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        let item = match self.page.next() {
            Some(item) => item,
            None => {
                self.page = self.pages.next()?.iter();
                self.page.next()?
            }
        };
        self.left -= 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_as_one_whatever_its_length() {
        for len in [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE] {
            let pages: Pages<usize> = (0..len).collect();
            assert_eq!((pages.len(), pages.is_empty(), pages.iter().len()), (len, len == 0, len));
            assert!(pages.iter().copied().eq(0..len), "{len}");
            assert!((0..len).all(|index| pages[index] == index && pages.get(index) == Some(&index)));
            assert_eq!(pages.get(len), None);
            assert_eq!(pages, (0..len).collect::<Vec<_>>().into());
        }
    }

    #[test]
    fn a_version_that_a_job_holds_stays_as_it_was_and_shares_what_did_not_change() {
        let mut now: Pages<usize> = (0..10 * PAGE).collect();
        let held = now.clone();
        now[PAGE] = 7;
        *now.get_mut(PAGE + 1).unwrap() = 8;
        assert_eq!(now.get_mut(10 * PAGE), None);
        assert!(held.iter().copied().eq(0..10 * PAGE));
        assert_eq!([now[PAGE - 1], now[PAGE], now[PAGE + 1], now[PAGE + 2]], [PAGE - 1, 7, 8, PAGE + 2]);
        assert_ne!(now, held);
        let shared = held.pages.iter().zip(&now.pages).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(shared, 9, "only the page that changed was copied");
    }
}
