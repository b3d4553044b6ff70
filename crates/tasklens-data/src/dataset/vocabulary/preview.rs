//! Previews the effect of a change on the images.

use crate::dataset::Dataset;
use crate::dataset::edits::State;
use crate::unicode;

use super::Change;

/// Maximum number of listed images.
const MOST: usize = 300;

/// The effect of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Number of images whose label changes or is removed.
    pub images: usize,
    /// The first of them.
    pub rows: Vec<PreviewRow>,
    /// Further effects, for the user.
    pub notes: Vec<String>,
}

/// One image that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewRow {
    /// The row (index into `Dataset::rows`).
    pub row: usize,
    /// The text of its path cell.
    pub image: String,
    /// Its label, edits included.
    pub before: String,
    /// Its label after the change; `None` if it has none then.
    pub after: Option<String>,
}

/// Computes the effect of a change on a dataset as it was read from its CSV, with the edits in `state`.
pub fn preview(dataset: &Dataset, state: &State, change: &Change) -> Preview {
    let mut preview = Preview::default();
    let task = dataset.tasks.iter().position(|task| task.name == change.task());
    if let (Some((gone, after)), Some(task)) = (change.replaced(), task) {
        for row in 0..dataset.rows.len() {
            if !state.label_text(dataset, row, task).is_some_and(|label| unicode::is_same(&label, gone)) {
                continue;
            }
            preview.images += 1;
            if preview.rows.len() < MOST {
                preview.rows.push(PreviewRow {
                    row,
                    image: dataset.image_key(row).into_owned(),
                    before: gone.to_owned(),
                    after: after.map(str::to_owned),
                });
            }
        }
    }
    preview.notes.extend(note(dataset, state, change));
    preview
}

fn note(dataset: &Dataset, state: &State, change: &Change) -> Option<String> {
    let counted = |wanted: &dyn Fn(&str) -> bool, column: usize| {
        (0..dataset.table.row_count()).filter(|row| wanted(dataset.table.cell(*row, column).trim())).count()
    };
    match change {
        Change::AddTask { name, labels } => Some(match dataset.table.column(name) {
            None => format!("The CSV gets an empty column `{name}` at the end."),
            Some(column) => {
                let known = counted(&|cell| labels.iter().any(|label| unicode::is_same(label, cell)), column);
                let filled = counted(&|cell| !cell.is_empty(), column);
                format!(
                    "The CSV has a column `{name}`, which stays as it is: {known} of its cells have one of these labels, {} have other text.",
                    filled - known
                )
            }
        }),
        Change::RenameTask { task, to } => {
            Some(format!("The column `{task}` of the CSV becomes `{to}`; no label changes."))
        }
        Change::RemoveTask { task } => Some(format!(
            "The column `{task}` and its labels stay in the CSV; only the config forgets the task. Its edits are written there first, and can then no longer be undone."
        )),
        Change::AddLabel { task, label } => {
            let at = dataset.tasks.iter().position(|known| known.name == *task)?;
            let has_it = |row: &usize| {
                state.label_text(dataset, *row, at).is_some_and(|text| unicode::is_same(&text, label))
            };
            match (0..dataset.rows.len()).filter(has_it).count() {
                0 => None,
                1 => Some(format!("1 image has the text `{label}` already and counts as labelled then.")),
                images => Some(format!(
                    "{images} images have the text `{label}` already and count as labelled then."
                )),
            }
        }
        _ => None,
    }
}
