//! Finds out what an interrupted save left in the CSV: the journal has its beginning, but not its end.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Edit, Entry, Field, State, now};
use crate::dataset::Dataset;

/// A save that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saving {
    /// SHA-256 of the CSV before.
    pub from: String,
    /// SHA-256 of the CSV after.
    pub to: String,
    /// The labels to be written.
    pub labels: Vec<Edit>,
}

/// Labels in the CSV without an [`Entry::Saved`].
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FoundInTable {
    /// Labels that the CSV has as they were edited.
    labels: Vec<Edit>,
    /// Labels that were undone after the save had taken them, so that the CSV must be written again.
    undone: Vec<Edit>,
    /// Messages about what cannot be determined.
    pub doubts: Vec<String>,
}

impl State {
    /// Searches a dataset, just read from a CSV with this SHA-256, for saved labels that the journal does not know
    /// of. Only an interrupted save can have left labels that are not pending as they are; everything else in the
    /// file was written by another program, and stays.
    pub(super) fn found_in(&self, dataset: &Dataset, digest: Option<&str>) -> FoundInTable {
        let mut found = FoundInTable::default();
        let pending = self.pending();
        let cells = Cells::of(dataset, &pending);
        found.labels =
            pending.iter().filter(|edit| cells.label(edit) == Some(edit.after.clone())).cloned().collect();
        let Some(saving) = self.saving.as_ref().filter(|saving| digest != Some(saving.from.as_str())) else {
            return found;
        };
        let is_certain = digest == Some(saving.to.as_str());
        let cells = Cells::of(dataset, &saving.labels);
        for edit in &saving.labels {
            // A different label was written by another program since.
            let Some(label) = cells.label(edit).filter(|label| *label == edit.after) else { continue };
            let slot = self.slot(&edit.image, &Field::Label(edit.task.as_str().into()));
            let written = |before: Option<String>| Edit { before, after: label.clone(), ..edit.clone() };
            match slot {
                Some(slot) if slot.base != slot.current => {
                    if is_certain && slot.base != label.as_deref() && slot.current != label.as_deref() {
                        found.labels.push(written(slot.base.map(str::to_owned)));
                    }
                }
                _ => {
                    let current = slot.map_or(edit.before.as_deref(), |slot| slot.current);
                    if current == label.as_deref() {
                        continue;
                    }
                    if is_certain {
                        found.undone.push(written(current.map(str::to_owned)));
                    } else {
                        found.doubts.push(doubt(dataset, edit));
                    }
                }
            }
        }
        found.labels.sort_unstable();
        found.undone.sort_unstable();
        found
    }

    /// Applies the findings. Returns the entry for the journal, if any.
    pub(super) fn take_found(&mut self, found: FoundInTable) -> Option<Entry> {
        if found.labels.is_empty() && found.undone.is_empty() {
            return self.saving.take().map(|_| Entry::NotSaved { time: now() });
        }
        Some(self.note_found(found.labels, found.undone))
    }
}

fn doubt(dataset: &Dataset, edit: &Edit) -> String {
    format!(
        "{} has `{}` for {}, {}: it was being saved when Tasklens ended, was undone, and another program has \
         written the file since. It stays as the file has it; check it.",
        dataset.table.path.display(),
        edit.after.as_deref().unwrap_or("no label"),
        edit.image,
        edit.task
    )
}

/// The cells of some edits.
struct Cells<'a> {
    dataset: &'a Dataset,
    rows: HashMap<&'a str, usize>,
    tasks: HashMap<&'a str, usize>,
}

impl<'a> Cells<'a> {
    fn of(dataset: &'a Dataset, edits: &'a [Edit]) -> Self {
        let tasks = dataset.tasks.iter().enumerate().map(|(index, task)| (task.name.as_str(), index));
        Self { dataset, rows: dataset.rows_of(edits), tasks: tasks.collect() }
    }

    /// The label in the CSV; the outer `None` if it has no such cell.
    fn label(&self, edit: &Edit) -> Option<Option<String>> {
        let (row, task) = (*self.rows.get(edit.image.as_str())?, *self.tasks.get(edit.task.as_str())?);
        Some(self.dataset.given_label(row, task).map(Cow::into_owned))
    }
}
