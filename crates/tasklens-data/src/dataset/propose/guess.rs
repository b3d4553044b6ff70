//! Statistics of a column's values, to guess its role.

use std::collections::HashMap;
use std::path::Path;

use super::{ColumnGuess, MOST_DISTINCT, Role};
use crate::dataset::image_paths::ImageFinder;
use crate::dataset::split::Part;
use crate::dataset::table::Table;
use crate::images::decode::has_image_ending;
use crate::unicode::composed;

/// Columns with more labels than this become tasks only if the user says so.
const MOST_LABELS: usize = 100;
/// Minimum average count of a label; below it, the column is more likely an id or a comment.
const LEAST_ROWS_PER_LABEL: usize = 3;
const EXAMPLES: usize = 5;
/// Number of paths per column that are looked up on disk.
const LOOKED_UP: usize = 20;

/// Counts of a column.
struct Tally {
    /// Distinct values with their count, in order of appearance; cut at [`MOST_DISTINCT`].
    values: Vec<(String, usize)>,
    filled: usize,
    /// Number of cells that look like image files.
    images: usize,
    /// Number of cells that say train, validation or test.
    parts: usize,
    /// Number of cells with a decimal number.
    fractions: usize,
}

pub(super) fn columns(table: &Table) -> Vec<ColumnGuess> {
    let tallies: Vec<Tally> = (0..table.headers.len()).map(|column| tally(table, column)).collect();
    let path = path_column(table, &tallies);
    let split = (0..tallies.len()).find(|column| is_split(&table.headers[*column], &tallies[*column]));
    tallies
        .into_iter()
        .enumerate()
        .map(|(column, tally)| {
            let role = if Some(column) == path {
                Role::Path
            } else if Some(column) == split {
                Role::Split
            } else if is_task(&table.headers[column], &tally) {
                Role::Task
            } else {
                Role::Ignore
            };
            guess(table, column, role, tally)
        })
        .collect()
}

fn guess(table: &Table, column: usize, role: Role, tally: Tally) -> ColumnGuess {
    let distinct = tally.values.len();
    let examples = tally.values.iter().take(EXAMPLES).map(|(value, _)| value.clone()).collect();
    let mut labels: Vec<String> = Vec::new();
    if distinct < MOST_DISTINCT {
        labels = tally.values.into_iter().map(|(value, _)| value).collect();
        // Numerically if all are numbers, else alphabetically: independent of the order of the rows.
        let number = |label: &String| label.parse::<f64>().unwrap_or(f64::INFINITY);
        labels.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
    }
    let empty = table.row_count() - tally.filled;
    ColumnGuess { name: table.headers[column].clone(), role, labels, distinct, empty, examples }
}

fn tally(table: &Table, column: usize) -> Tally {
    let mut tally = Tally { values: Vec::new(), filled: 0, images: 0, parts: 0, fractions: 0 };
    let mut index_of: HashMap<String, usize> = HashMap::new();
    for row in 0..table.row_count() {
        let cell = table.cell(row, column);
        let text = cell.trim();
        if text.is_empty() {
            continue;
        }
        tally.filled += 1;
        tally.images += usize::from(is_image_name(text));
        tally.parts += usize::from(Part::from_cell(text).is_some());
        tally.fractions += usize::from(text.contains('.') && text.parse::<f64>().is_ok());
        if let Some(index) = index_of.get(&*composed(text)) {
            tally.values[*index].1 += 1;
        } else if tally.values.len() < MOST_DISTINCT {
            index_of.insert(composed(text).into_owned(), tally.values.len());
            tally.values.push((text.to_owned(), 1));
        }
    }
    tally
}

pub(super) fn is_image_name(text: &str) -> bool {
    has_image_ending(Path::new(text))
}

/// The column whose values are existing files; if there is none, the one with the most image names.
fn path_column(table: &Table, tallies: &[Tally]) -> Option<usize> {
    let finder = ImageFinder::new(&table.path, None);
    let score = |column: usize| {
        let tally = &tallies[column];
        let values = tally.values.iter().take(LOOKED_UP);
        let found = values.filter(|(value, _)| finder.finds(value)).count();
        let name = table.headers[column].to_lowercase();
        let named = ["path", "image", "img", "file"].iter().any(|word| name.contains(word));
        (found, tally.images, usize::from(named && tally.images > 0))
    };
    let is_likely = |column: &usize| {
        let (found, images, _) = score(*column);
        found > 0 || images * 2 > tallies[*column].filled
    };
    // The first on ties, so that a later copy of the column does not win.
    (0..tallies.len()).filter(is_likely).rev().max_by_key(|column| score(*column))
}

fn is_split(name: &str, tally: &Tally) -> bool {
    let named =
        ["split", "set", "subset", "partition", "fold", "part"].contains(&name.to_lowercase().as_str());
    let known = tally.parts * 10 >= tally.filled * 9 && tally.filled > 0;
    known && (named || tally.values.len() >= 2)
}

/// Few, repeating values that are not measurements.
fn is_task(name: &str, tally: &Tally) -> bool {
    let distinct = tally.values.len();
    let is_index = name.is_empty() || name.to_lowercase().starts_with("unnamed");
    !is_index
        && (2..=MOST_LABELS).contains(&distinct)
        && (distinct * LEAST_ROWS_PER_LABEL <= tally.filled || (distinct <= 3 && tally.filled > distinct))
        && tally.images * 2 <= tally.filled
        && tally.fractions * 2 <= tally.filled
}
