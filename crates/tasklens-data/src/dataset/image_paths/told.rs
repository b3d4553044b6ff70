//! Reports images that were found under another name than in their cells, once per kind of difference.

use crate::text::{counted, is};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a cell and its file differ, the most certain match first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NameDifference {
    /// No difference.
    Exact,
    /// No difference, but the second folder has such a file, too.
    Twice,
    /// Composed and decomposed Unicode.
    Unicode,
    /// The cell is percent-encoded.
    Percent,
    /// Upper and lower case.
    Case,
    /// The file has another extension.
    Ending,
}

/// Images that were found by a guess.
#[derive(Clone, Debug, Default)]
pub struct Guesses {
    of_kind: BTreeMap<NameDifference, Example>,
    /// Whether only a sample of the rows was looked up.
    pub(super) is_of_sample: bool,
}

#[derive(Clone, Debug)]
struct Example {
    count: usize,
    row: usize,
    cell: String,
    path: PathBuf,
}

impl Guesses {
    pub(super) fn add(&mut self, kind: NameDifference, row: usize, cell: &str, path: &Path) {
        let first = || Example { count: 0, row, cell: cell.to_owned(), path: path.to_path_buf() };
        self.of_kind.entry(kind).or_insert_with(first).count += 1;
    }

    /// A note for each kind, with the number of images and an example; `line` maps a row to its line in the CSV.
    pub fn notes(&self, line: &dyn Fn(usize) -> u64) -> Vec<String> {
        self.of_kind.iter().map(|(kind, example)| self.note(*kind, example, line(example.row))).collect()
    }

    fn note(&self, kind: NameDifference, example: &Example, line: u64) -> String {
        let Example { count, cell, path, .. } = example;
        let path = path.display();
        let least = if self.is_of_sample { "at least " } else { "" };
        let images = format!("{} {}", counted(*count, "image"), is(*count));
        let how = match kind {
            NameDifference::Exact | NameDifference::Twice => {
                return format!(
                    "{least}{images} there twice, relative to the CSV and in the folder `images` of the config, such as \
                     `{cell}` on line {line}: {path} is used"
                );
            }
            NameDifference::Unicode => "the same name in another Unicode form",
            NameDifference::Percent => "the name without percent signs (`%20` is a space)",
            NameDifference::Case => "the name in different upper and lower case",
            NameDifference::Ending => "the name with another file extension",
        };
        format!("{least}{images} read from a file that has {how}, such as {path} for `{cell}` on line {line}")
    }
}
