//! The edited cells of a table, in order: in pages that versions of the table share.

use std::sync::Arc;

/// Records per page; a shared page is copied on change, and what follows a new cell in its page is moved.
const PAGE: usize = 128;

/// A cell: record (0 is the header) and column.
pub(super) type Place = (usize, usize);

/// Cells of neighbouring records with their text, in the order of the cells.
type Page = Vec<(Place, Arc<str>)>;

/// Text by cell. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct EditedCells {
    /// By record.
    pages: Vec<Arc<Page>>,
    len: usize,
    /// Whether a column has, or had, an edited cell: most are never asked for anything else.
    columns: Vec<bool>,
    /// The text of the last edit: many cells in a row often get the same.
    last: Option<Arc<str>>,
}

impl EditedCells {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The text of a cell, if it was edited.
    pub fn get(&self, cell: Place) -> Option<&str> {
        if !self.columns.get(cell.1).copied().unwrap_or(false) {
            return None;
        }
        let page = self.pages.get(cell.0 / PAGE)?;
        Some(&page[find(page, cell).ok()?].1)
    }

    /// Edits a cell.
    pub fn insert(&mut self, cell: Place, text: &str) {
        let page = cell.0 / PAGE;
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Arc::default);
        }
        if self.columns.len() <= cell.1 {
            self.columns.resize(cell.1 + 1, false);
        }
        self.columns[cell.1] = true;
        let text = match &self.last {
            Some(last) if **last == *text => Arc::clone(last),
            _ => Arc::clone(self.last.insert(text.into())),
        };
        let page = Arc::make_mut(&mut self.pages[page]);
        match find(page, cell) {
            Ok(at) => page[at].1 = text,
            Err(at) => {
                page.insert(at, (cell, text));
                self.len += 1;
            }
        }
    }

    /// The cell is again as it was.
    pub fn remove(&mut self, cell: Place) {
        let Some(page) = self.pages.get_mut(cell.0 / PAGE) else { return };
        if let Ok(at) = find(page, cell) {
            Arc::make_mut(page).remove(at);
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
        let end = find(page, (record, to)).unwrap_or_else(|at| at);
        let (cell, _) = page.get(end.checked_sub(1)?)?;
        (cell.0 == record && cell.1 >= from).then_some(cell.1)
    }
}

/// Where a cell is in its page, or belongs.
fn find(page: &[(Place, Arc<str>)], cell: Place) -> Result<usize, usize> {
    match page.last() {
        // The usual case while rows come in order.
        Some((last, _)) if *last < cell => Err(page.len()),
        _ => page.binary_search_by_key(&cell, |(cell, _)| *cell),
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
