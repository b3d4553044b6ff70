//! Interned texts: image names, labels and notes, each stored once and referred to by number.
//!
//! A million names take one hash table of numbers and some pages of text, not a million allocations. The list alone,
//! which maps numbers to texts, is cheap to share with a job.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Texts per page; a shared page is copied when a text is added.
const PAGE: usize = 1024;

/// The texts of some numbers, from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct TextList {
    pages: Vec<Arc<Page>>,
}

#[derive(Clone, Debug, Default)]
struct Page {
    text: String,
    /// End of each text.
    ends: Vec<usize>,
}

impl TextList {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.pages.last().map_or(0, |last| (self.pages.len() - 1) * PAGE + last.ends.len())
    }

    /// The text of a number; empty if there is none.
    pub fn get(&self, number: u32) -> &str {
        let (page, at) = (number as usize / PAGE, number as usize % PAGE);
        self.pages.get(page).map_or("", |page| page.get(at))
    }

    /// All texts, by number.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.pages.iter().flat_map(|page| (0..page.ends.len()).map(|at| page.get(at)))
    }

    fn push(&mut self, text: &str) {
        let page = match self.pages.last_mut() {
            Some(page) if page.ends.len() < PAGE => page,
            _ => self.pages.push_mut(Arc::default()),
        };
        let page = Arc::make_mut(page);
        page.text.push_str(text);
        page.ends.push(page.text.len());
        if page.ends.len() == PAGE {
            page.text.shrink_to_fit();
        }
    }
}

impl Page {
    fn get(&self, at: usize) -> &str {
        let Some(end) = self.ends.get(at) else { return "" };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..*end]
    }
}

/// What is known of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The same for the same text.
    pub hash: u64,
    /// Its number, if it has one.
    pub number: Option<u32>,
}

/// A [`TextList`] and the numbers of its texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    list: TextList,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Texts {
    /// The texts, to be shared.
    pub fn list(&self) -> &TextList {
        &self.list
    }

    /// Looks a text up once, for [`Self::add_found`].
    pub fn look_up(&self, text: &str) -> Found {
        let hash = self.hasher.hash_one(text);
        let number = self.numbers.find(hash, |number| self.list.get(*number) == text);
        Found { hash, number: number.copied() }
    }

    /// The number of a known text.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.look_up(text).number
    }

    /// The number of a text, which is added if it is new.
    pub fn add(&mut self, text: &str) -> u32 {
        self.add_found(text, self.look_up(text))
    }

    /// [`Self::add`] for a text that was looked up.
    pub fn add_found(&mut self, text: &str, found: Found) -> u32 {
        if let Some(number) = found.number {
            return number;
        }
        let Self { list, numbers, hasher } = self;
        // It may have been added since.
        if let Some(number) = numbers.find(found.hash, |number| list.get(*number) == text) {
            return *number;
        }
        let number = list.len() as u32;
        list.push(text);
        numbers.insert_unique(found.hash, number, |number| hasher.hash_one(list.get(*number)));
        number
    }

    /// Makes room for so many new texts at once.
    pub fn reserve(&mut self, texts: usize) {
        let Self { list, numbers, hasher } = self;
        numbers.reserve(texts, |number| hasher.hash_one(list.get(*number)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_there_once_and_a_shared_list_stays_as_it_was() {
        let mut texts = Texts::default();
        let numbers: Vec<u32> = (0..3000).map(|number| texts.add(&format!("{number}.jpg"))).collect();
        assert_eq!(numbers, (0..3000).collect::<Vec<_>>());
        let held = texts.list().clone();
        assert_eq!(
            (texts.add("7.jpg"), texts.add(""), texts.add("new"), texts.add("")),
            (7, 3000, 3001, 3000)
        );
        assert_eq!((held.len(), texts.list().len()), (3000, 3002));
        assert_eq!((held.get(2999), held.get(3000), texts.list().get(3001)), ("2999.jpg", "", "new"));
        let shared = held.pages.iter().zip(&texts.list.pages).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(shared, 2, "only the page that grew was copied");
        assert_eq!((texts.find("2999.jpg"), texts.find("2999")), (Some(2999), None));
        let late = texts.look_up("late");
        assert_eq!((late.number, texts.add("late"), texts.add_found("late", late)), (None, 3002, 3002));
    }
}
