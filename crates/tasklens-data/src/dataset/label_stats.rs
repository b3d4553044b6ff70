//! Labelling progress: counts per task and label.

use std::collections::BTreeMap;

use serde::Serialize;

use super::edits::State;
use super::{Dataset, RowLabel};

/// Counts over all rows that name an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelStats {
    /// Number of rows that name an image.
    pub images: usize,
    /// Number of them with a label for every task that applies to them.
    pub complete: usize,
    /// Number of flagged images.
    pub flagged: usize,
    /// Number of edited labels that are not in the CSV yet; they are included in the counts.
    pub pending_edits: usize,
    /// In the order of the config.
    pub tasks: Vec<TaskStats>,
}

/// Counts of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskStats {
    pub task: String,
    /// Images with one of its labels.
    pub labelled: usize,
    /// Images to which the task does not apply.
    pub not_applicable: usize,
    /// The other images.
    pub unlabelled: usize,
    /// Images per label, in the order of the config.
    pub labels: Vec<Count>,
    /// Texts that the config does not list, with their counts in the column, most frequent first.
    pub unknown: Vec<Count>,
}

/// A label and its images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    pub label: String,
    /// Number of images that have it.
    pub images: usize,
}

impl LabelStats {
    /// Counts a dataset as it was read from its CSV, with the edits in `state`.
    pub fn of(dataset: &Dataset, state: &State) -> Self {
        let rows: Vec<usize> =
            (0..dataset.rows.len()).filter(|row| !dataset.image_key(*row).is_empty()).collect();
        let labels: Vec<Vec<RowLabel>> = (0..dataset.tasks.len())
            .map(|task| rows.iter().map(|row| state.row_label(dataset, *row, task)).collect())
            .collect();
        let is_complete = |row: &usize| labels.iter().all(|task| !task[*row].is_missing());
        Self {
            images: rows.len(),
            complete: (0..rows.len()).filter(is_complete).count(),
            flagged: rows.iter().filter(|row| state.flag(&dataset.image_key(**row)).is_some()).count(),
            pending_edits: state.pending_count(),
            tasks: labels
                .iter()
                .enumerate()
                .map(|(task, labels)| TaskStats::of(dataset, state, task, &rows, labels))
                .collect(),
        }
    }
}

impl TaskStats {
    /// `labels` holds the label of each of `rows`.
    fn of(dataset: &Dataset, state: &State, task: usize, rows: &[usize], labels: &[RowLabel]) -> Self {
        let mut counts = vec![0; dataset.tasks[task].labels.len()];
        let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
        let mut not_applicable = 0;
        for (row, label) in rows.iter().zip(labels) {
            match label {
                RowLabel::Class(class) => counts[*class as usize] += 1,
                RowLabel::DoesNotApply => not_applicable += 1,
                RowLabel::Missing => {
                    if let Some(text) = state.label_text(dataset, *row, task) {
                        *unknown.entry(text.into_owned()).or_default() += 1;
                    }
                }
            }
        }
        let labelled: usize = counts.iter().sum();
        let count = |(label, images): (String, usize)| Count { label, images };
        let mut unknown: Vec<Count> = unknown.into_iter().map(count).collect();
        // Stable: ties are ordered by name.
        unknown.sort_by_key(|count| std::cmp::Reverse(count.images));
        Self {
            task: dataset.tasks[task].name.clone(),
            labelled,
            not_applicable,
            unlabelled: rows.len() - labelled - not_applicable,
            labels: dataset.tasks[task].labels.iter().cloned().zip(counts).map(count).collect(),
            unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::dataset::edits::{AnnotationSource, Step};

    const CONFIG: &str = "{paths: {model_dataframe: garments.csv}, model: {paths: image, target_encoder: {print: [solid, floral], sleeves: [short, long]}}}";

    fn stats(csv: &str, edit: impl FnOnce(&Dataset, &State) -> Step) -> LabelStats {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("garments.csv"), csv).unwrap();
        let dataset =
            Dataset::open(&Config::parse(CONFIG, &folder.path().join("config.yml")).unwrap()).unwrap();
        let mut state = State::default();
        state.edit(edit(&dataset, &state));
        LabelStats::of(&dataset, &state)
    }

    fn images(counts: &[Count]) -> Vec<(&str, usize)> {
        counts.iter().map(|count| (count.label.as_str(), count.images)).collect()
    }

    #[test]
    fn rows_edits_flags_and_unknown_texts_are_counted() {
        let csv = "image,print,sleeves\na.jpg,solid,short\nb.jpg,,long\nc.jpg,plaid,\nd.jpg,plaid,\ne.jpg,silk,long\n,solid,short\n";
        let stats = stats(csv, |dataset, state| {
            let changes = vec![
                state.label_change(dataset, 1, 0, Some("floral")),
                state.label_change(dataset, 0, 1, None),
                state.flag_change(dataset, 3, Some("blurred")),
            ];
            Step::now(AnnotationSource::Hand, changes)
        });
        assert_eq!((stats.images, stats.complete, stats.flagged, stats.pending_edits), (5, 1, 1, 2));
        let [print, sleeves] = &stats.tasks[..] else { panic!("two tasks") };
        assert_eq!((print.labelled, print.unlabelled), (2, 3));
        assert_eq!(images(&print.labels), [("solid", 1), ("floral", 1)]);
        assert_eq!(images(&print.unknown), [("plaid", 2), ("silk", 1)]);
        assert_eq!((sleeves.labelled, sleeves.unlabelled), (2, 3));
        assert_eq!(images(&sleeves.labels), [("short", 0), ("long", 2)]);
        assert_eq!(sleeves.unknown, []);
    }

    #[test]
    fn a_task_that_does_not_apply_is_neither_labelled_nor_missing() {
        let stats =
            stats("image,print,sleeves\na.jpg,solid,n/a\nb.jpg,n/a,\nc.jpg,solid,\n", |dataset, state| {
                Step::now(AnnotationSource::Hand, vec![state.label_change(dataset, 1, 1, Some("n/a"))])
            });
        let counts = |task: &TaskStats| (task.labelled, task.not_applicable, task.unlabelled);
        assert_eq!((counts(&stats.tasks[0]), counts(&stats.tasks[1])), ((2, 1, 0), (0, 2, 1)));
        assert_eq!((stats.complete, &stats.tasks[1].unknown[..]), (2, &[][..]));
    }

    #[test]
    fn without_any_row_all_is_zero() {
        let stats = stats("image,print,sleeves\n", |_, _| Step::now(AnnotationSource::Hand, Vec::new()));
        assert_eq!((stats.images, stats.complete), (0, 0));
        assert_eq!(images(&stats.tasks[0].labels), [("solid", 0), ("floral", 0)]);
    }
}
