//! Combines rows and edits: the current labels of a row, and a dataset with the edits applied.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{AnnotationChange, Edit, Field, SmolStr, State, merge};
use crate::config::Task;
use crate::dataset::{Dataset, RowLabel};

impl State {
    /// The current label of a row and a task (index into [`Dataset::tasks`]), as text.
    pub fn label_text<'a>(&'a self, dataset: &'a Dataset, row: usize, task: usize) -> Option<Cow<'a, str>> {
        match self.label_of_row(dataset, row, task) {
            Some(edited) => edited.map(Cow::Borrowed),
            None => dataset.given_label(row, task),
        }
    }

    /// The current label of a row and a task.
    pub fn row_label(&self, dataset: &Dataset, row: usize, task: usize) -> RowLabel {
        match self.label_of_row(dataset, row, task) {
            Some(edited) => edited.map_or(RowLabel::Missing, |text| dataset.label_of_text(task, text)),
            None => dataset.rows[row].labels[task],
        }
    }

    /// Its class index; `None` without a label.
    pub fn class(&self, dataset: &Dataset, row: usize, task: usize) -> Option<u32> {
        self.row_label(dataset, row, task).class()
    }

    /// The change that gives a row a label, or removes it. A row without a path has no identity: [`State::edit`]
    /// drops its change. That also corrects `before` where the rows lack an edit, so that nothing is looked up here.
    pub fn label_change(
        &self,
        dataset: &Dataset,
        row: usize,
        task: usize,
        label: Option<&str>,
    ) -> AnnotationChange {
        AnnotationChange {
            image: dataset.image_key(row).into(),
            field: Field::Label(dataset.tasks[task].name.as_str().into()),
            before: dataset.given_label(row, task).map(SmolStr::from),
            after: label.map(SmolStr::from),
        }
    }

    /// The change that confirms the label of a row against a proposed correction.
    pub fn keep_change(&self, dataset: &Dataset, row: usize, task: usize) -> AnnotationChange {
        let label = self.label_text(dataset, row, task).unwrap_or_default();
        AnnotationChange {
            image: dataset.image_key(row).into(),
            field: Field::Kept(dataset.tasks[task].name.as_str().into()),
            before: None,
            after: Some(label.into()),
        }
    }

    /// The change that flags a row with a note, or removes the flag.
    pub fn flag_change(&self, dataset: &Dataset, row: usize, note: Option<&str>) -> AnnotationChange {
        AnnotationChange {
            image: dataset.image_key(row).into(),
            field: Field::Flag,
            before: None,
            after: note.map(SmolStr::from),
        }
    }

    fn label_of_row(&self, dataset: &Dataset, row: usize, task: usize) -> Option<Option<&str>> {
        if self.is_empty() {
            return None;
        }
        self.label(&dataset.image_key(row), &dataset.tasks[task].name)
    }
}

impl Dataset {
    /// The key by which edits identify a row's image: the trimmed text of its path cell.
    pub fn image_key(&self, row: usize) -> Cow<'_, str> {
        trimmed(self.table.cell(row, self.columns.path))
    }

    /// Whether each row is about the same image as in `other`, so that row numbers stay valid.
    pub fn has_rows_of(&self, other: &Self) -> bool {
        self.rows.len() == other.rows.len()
            && (0..self.rows.len()).all(|row| self.image_key(row) == other.image_key(row))
    }

    /// A copy with edits (of [`State::overlay`]) applied: cells, labels, usable rows, the split and the problems. The same
    /// edits may be in its rows already. Looks at all rows: not for the UI thread. Reads no image: earlier findings about
    /// them stay.
    #[must_use]
    pub fn with_edits(&self, edits: &[Edit]) -> Self {
        let mut dataset = self.clone();
        let labels = edits.iter().map(|edit| (&*edit.image, &*edit.task, edit.after.as_deref()));
        dataset.set_labels(labels);
        dataset.settle_rows();
        dataset
    }

    /// The label in the CSV, as text.
    pub(in crate::dataset) fn given_label(&self, row: usize, task: usize) -> Option<Cow<'_, str>> {
        Some(trimmed(self.table.cell(row, self.columns.tasks[task]))).filter(|label| !label.is_empty())
    }

    /// Whether a row has any text for a task, also one that the config does not list.
    pub fn has_text(&self, row: usize, task: usize) -> bool {
        !self.rows[row].labels[task].is_missing() || self.given_label(row, task).is_some()
    }

    pub(super) fn rows_of<'a>(&self, edits: &'a [Edit]) -> HashMap<&'a str, usize> {
        let tasks: Vec<(usize, &Task)> = self.columns.tasks.iter().copied().zip(&self.tasks).collect();
        merge::rows_of(&self.table, self.columns.path, &tasks, edits)
    }
}

/// A cell without spaces around it.
pub(in crate::dataset) fn trimmed(cell: Cow<'_, str>) -> Cow<'_, str> {
    match cell {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() < text.len() => Cow::Owned(text.trim().to_owned()),
        text => text,
    }
}
