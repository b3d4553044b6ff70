//! The edited cells of a table, in order: in pages that versions of the table share.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// Records per page; a shared page is copied on change.
const PAGE: usize = 512;

/// A cell: record (0 is the header) and column.
pub(super) type Place = (usize, usize);

/// Text by cell. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct EditedCells {
    pages: Vec<Arc<BTreeMap<Place, Box<str>>>>,
    len: usize,
}

impl EditedCells {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The text of a cell, if it was edited.
    pub fn get(&self, cell: Place) -> Option<&str> {
        Some(self.pages.get(cell.0 / PAGE)?.get(&cell)?)
    }

    /// Edits a cell.
    pub fn insert(&mut self, cell: Place, text: &str) {
        let page = cell.0 / PAGE;
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Arc::default);
        }
        let before = Arc::make_mut(&mut self.pages[page]).insert(cell, text.into());
        self.len += usize::from(before.is_none());
    }

    /// The cell is again as it was.
    pub fn remove(&mut self, cell: Place) {
        let page = self.pages.get_mut(cell.0 / PAGE).filter(|page| page.contains_key(&cell));
        if let Some(page) = page {
            Arc::make_mut(page).remove(&cell);
            self.len -= 1;
        }
    }

    /// All cells with their texts.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &str)> {
        self.pages.iter().flat_map(|page| page.iter()).map(|(cell, text)| (*cell, &**text))
    }

    /// The last edited column of a record from `from` on, before `to`.
    pub fn last_before(&self, record: usize, from: usize, to: usize) -> Option<usize> {
        let page = self.pages.get(record / PAGE)?;
        let range = (Bound::Included((record, from)), Bound::Excluded((record, to.max(from))));
        page.range(range).next_back().map(|((_, column), _)| *column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_a_job_holds_stays_as_it_was() {
        let mut cells = EditedCells::default();
        assert!(cells.is_empty() && cells.get((3, 1)).is_none());
        for record in (0..3 * PAGE).rev() {
            cells.insert((record, 1), "a");
        }
        let held = cells.clone();
        cells.insert((PAGE, 2), "b");
        cells.insert((PAGE, 1), "c");
        cells.remove((0, 1));
        cells.remove((0, 1));
        cells.remove((9 * PAGE, 1));
        assert_eq!((cells.get((0, 1)), cells.get((PAGE, 1)), cells.len), (None, Some("c"), 3 * PAGE));
        assert_eq!((held.get((0, 1)), held.get((PAGE, 1)), held.len), (Some("a"), Some("a"), 3 * PAGE));
        assert!(held.iter().map(|(cell, _)| cell).eq((0..3 * PAGE).map(|record| (record, 1))));
        assert!(Arc::ptr_eq(&held.pages[2], &cells.pages[2]));
        assert_eq!(cells.last_before(PAGE, 0, 9), Some(2));
        assert_eq!((cells.last_before(PAGE, 0, 2), cells.last_before(PAGE, 2, 1)), (Some(1), None));
        (0..3 * PAGE).for_each(|record| cells.remove((record, 1)));
        cells.remove((PAGE, 2));
        assert!(cells.is_empty());
    }
}
