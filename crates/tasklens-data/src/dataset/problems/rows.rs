//! Problems of single rows, apart from labels and images.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::{Problem, ProblemKind};
use crate::dataset::split::{Part, Rule};
use crate::dataset::table::DefectKind;
use crate::dataset::{Dataset, RowLabel};

impl Dataset {
    /// Finds problems of single rows, apart from their labels.
    /// The rows that they make unusable are noted in `usable`.
    pub(in crate::dataset) fn check_rows(&self, usable: &mut [bool], found: &mut Vec<Problem>) {
        for defect in self.table.defects() {
            let Some(row) = defect.row else { continue };
            if !self.is_blank(row) {
                let message = defect_message(defect.kind, self.table.delimiter);
                found.push(Problem::of_row(ProblemKind::Form, &self.table, row, message));
            }
        }
        for row in 0..self.rows.len() {
            if self.rows[row].image.as_os_str().is_empty() && !self.is_blank(row) {
                let message = "there is no image path, so the row is not used".to_owned();
                found.push(Problem::in_row(
                    ProblemKind::EmptyPath,
                    &self.table,
                    row,
                    self.columns.path,
                    message,
                ));
            }
        }
        self.check_duplicates(usable, found);
        self.check_split_cells(usable, found);
    }

    /// Of several usable rows with the same image only the first is kept: a copy on each side of the split would make
    /// validation look too good. Images are the same if their paths are, or if the check of the images found the same
    /// file.
    fn check_duplicates(&self, usable: &mut [bool], found: &mut Vec<Problem>) {
        let same_files: HashMap<usize, usize> = self.same_files.iter().copied().collect();
        let mut first_of: HashMap<Cow<'_, Path>, usize> = HashMap::with_capacity(self.rows.len());
        let mut duplicates = Vec::new();
        for (index, row) in self.rows.iter().enumerate().filter(|(index, _)| usable[*index]) {
            let named = same_files.get(&index).map_or(row, |first| &self.rows[*first]);
            let path = without_detours(&named.image);
            let has_detour = matches!(path, Cow::Owned(_));
            let first = *first_of.entry(path).or_insert(index);
            let leads_elsewhere = || {
                let one = same_file::is_same_file(&self.rows[first].image, &row.image);
                // The folder may be a link; only such paths need a disk access.
                has_detour && matches!(one, Ok(false))
            };
            if first != index && !leads_elsewhere() {
                duplicates.push((index, first));
            }
        }
        for (row, first) in duplicates {
            let line = self.table.line_of_row(first);
            let (cell, other) = (self.image_key(row), self.image_key(first));
            let name = match is_same_text(&cell, &other) {
                true => String::new(),
                false => format!(" by another name, `{other}`"),
            };
            let difference = compare_labels(&self.rows[first].labels, &self.rows[row].labels);
            let message = match difference {
                Difference::None => {
                    format!("the same image and labels as on line {line}{name}; this row is not used")
                }
                Difference::Missing => format!(
                    "the same image as on line {line}{name}, with labels for other tasks; this row is not used: put all labels in one row"
                ),
                Difference::Conflict(task) => format!(
                    "the same image as on line {line}{name}, but another label for `{}`; this row is not used: keep the row that is right",
                    self.tasks[task].name
                ),
            };
            usable[row] = false;
            found.push(Problem::in_row(ProblemKind::Duplicate, &self.table, row, self.columns.path, message));
        }
    }

    fn check_split_cells(&self, usable: &mut [bool], found: &mut Vec<Problem>) {
        let (Rule::Given(parts), Some(column)) = (&*self.rule, self.columns.split) else { return };
        for (index, part) in parts.iter().enumerate() {
            match part {
                Some(Part::Train | Part::Validation) => {}
                Some(Part::Test) => usable[index] = false,
                None if usable[index] => {
                    usable[index] = false;
                    let cell = self.table.cell(index, column);
                    let message = match cell.trim() {
                        "" => "the cell is empty, so the row is not used; expected train, validation or test"
                            .to_owned(),
                        text => format!(
                            "`{text}` is unknown, so the row is not used; expected train, validation or test"
                        ),
                    };
                    found.push(Problem::in_row(ProblemKind::Split, &self.table, index, column, message));
                }
                None => {}
            }
        }
    }
}

fn defect_message(kind: DefectKind, delimiter: char) -> String {
    match kind {
        DefectKind::OpenQuote => {
            "a cell begins with a quote that never closes; it is read as a character".to_owned()
        }
        DefectKind::Ragged { found, expected, lines } => {
            let delimiter = if delimiter == '\t' { "tab".to_owned() } else { format!("`{delimiter}`") };
            let more = if found < expected { "a missing" } else { "an extra" };
            let quote = match lines {
                0 | 1 => String::new(),
                lines => format!("; it covers {lines} lines, so a quote may be open"),
            };
            format!(
                "the row has {found} cells, the header has {expected}; look for {more} {delimiter}{quote}"
            )
        }
    }
}

/// Whether two paths are the same, apart from `./` and the like.
fn is_same_text(a: &str, b: &str) -> bool {
    let parts = |path| Path::components(Path::new(path)).filter(|part| *part != Component::CurDir);
    parts(a).eq(parts(b))
}

/// A path without `folder/..`, which is equivalent unless the folder is a link.
fn without_detours(path: &Path) -> Cow<'_, Path> {
    if !path.to_str().is_some_and(|text| text.contains("..")) {
        return Cow::Borrowed(path);
    }
    let mut short = PathBuf::new();
    for component in path.components() {
        match (component, short.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                short.pop();
            }
            (Component::ParentDir, Some(Component::RootDir)) => {}
            _ => short.push(component),
        }
    }
    if short == path { Cow::Borrowed(path) } else { Cow::Owned(short) }
}

/// How the labels of two rows with the same image differ.
enum Difference {
    None,
    /// Only one of them has a label for a certain task.
    Missing,
    /// They have different labels for this task.
    Conflict(usize),
}

fn compare_labels(a: &[RowLabel], b: &[RowLabel]) -> Difference {
    let differ = |(a, b): (&RowLabel, &RowLabel)| !a.is_missing() && !b.is_missing() && a != b;
    if let Some(task) = a.iter().zip(b).position(differ) {
        return Difference::Conflict(task);
    }
    if a == b { Difference::None } else { Difference::Missing }
}
