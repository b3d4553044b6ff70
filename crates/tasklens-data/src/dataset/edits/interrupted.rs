//! What a save that was cut short left in the CSV: the journal tells that it began, and not how it ended.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Edit, Entry, Field, State, now};
use crate::dataset::Dataset;

/// A save that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saving {
    /// SHA-256 of the CSV before.
    pub from: String,
    /// SHA-256 of the CSV after.
    pub to: String,
    /// What was to be written.
    pub labels: Vec<Edit>,
}

/// What the CSV has that no [`Entry::Saved`] told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FoundInTable {
    /// Labels that were edited to what the CSV has, or further.
    labels: Vec<Edit>,
    /// Labels that were taken back after the save took them, so that the CSV must be written again.
    undone: Vec<Edit>,
    /// What cannot be known, as sentences.
    pub doubts: Vec<String>,
}

impl State {
    /// Looks at a dataset, just read from a CSV with this SHA-256, for labels that it has and the journal does
    /// not know to be there. Only a save that began and has no end in the journal can have left any that are
    /// not pending as they are: all else in the file is another program's, and stays.
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
            // What has another label by now was changed by another program since.
            let Some(label) = cells.label(edit).filter(|label| *label == edit.after) else { continue };
            let slot = self.slot(&edit.image, &Field::Label(edit.task.clone()));
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

    /// Takes in what was found. The entry to keep, if there is anything to tell.
    pub(super) fn take_found(&mut self, found: FoundInTable) -> Option<Entry> {
        if found.labels.is_empty() && found.undone.is_empty() {
            return self.saving.take().map(|_| Entry::NotSaved { time: now() });
        }
        Some(self.note_found(found.labels, found.undone))
    }
}

fn doubt(dataset: &Dataset, edit: &Edit) -> String {
    format!(
        "{} has `{}` for {}, {}: it was being saved when Tasklens ended, was taken back, and another program has \
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

    /// The label in the CSV; the outer `None` where it has no such cell.
    fn label(&self, edit: &Edit) -> Option<Option<String>> {
        let (row, task) = (*self.rows.get(edit.image.as_str())?, *self.tasks.get(edit.task.as_str())?);
        Some(self.dataset.given_label(row, task).map(Cow::into_owned))
    }
}
