//! Labels that are probably wrong, for rows of every part.
//!
//! Confident learning needs probabilities from a network that did not train with the row. Of rows that validate
//! or test the network's own are. For those that it trained with, heads are fitted anew to the features of its
//! backbone, five times, each time without a fifth of the rows. The backbone has seen these rows, so this is
//! less strict than training five networks, and some hundred times faster; heads do not learn a wrong label by
//! heart as a whole network does.

use std::collections::HashSet;
use std::path::Path;

use super::inspection::Inspection;
use super::label_issues::{self, Issue, LabelIssues, Quality};
use super::report::{LabelError, LabelErrors};
use crate::config::Task;
use crate::dataset::split::Part;
use crate::dataset::{Dataset, ImageRow};
use crate::model::network::most_probable;
use crate::training::out_of_sample::{Settings, cross_validate_kept};

/// So much more probable than the given label another one must be.
const MARGIN: f64 = 0.25;

/// A label to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// The image, with its row of the dataset.
    pub of: ImageRow,
    /// What the row is for.
    pub part: Part,
    /// The label it has: a class index of the network's task.
    pub given: u32,
    /// What it should probably be.
    pub proposed: u32,
    /// 0 probably wrong, 1 probably right.
    pub quality: f64,
    /// The out-of-sample probabilities that say so, one per label.
    pub probabilities: Vec<f32>,
}

/// The suspects of one task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskSuspects {
    /// Labelled rows that were looked at.
    pub rows: usize,
    /// How many labels are estimated to be wrong.
    pub estimated: usize,
    /// The rows to look at, worst first.
    pub suspects: Vec<Suspect>,
}

/// Finds the suspects of every task; `inspection` is of `dataset`. What takes long is kept in `folder` (that of the
/// outputs) until labels change. `keep_going` gets (done, of); `None` where it said no.
///
/// # Errors
/// The memory does not suffice.
pub fn find(
    dataset: &Dataset,
    inspection: &Inspection,
    folder: &Path,
    keep_going: &mut dyn FnMut(usize, usize) -> bool,
) -> anyhow::Result<Option<Vec<TaskSuspects>>> {
    let Some(probabilities) = out_of_sample(inspection, folder, keep_going)? else { return Ok(None) };
    let tasks = inspection.tasks.iter().zip(&probabilities);
    let found = tasks.map(|(task, probabilities)| {
        let classes = task.task.labels.len();
        let (issues, estimated) = issues(&task.labels, probabilities, classes);
        let suspect = |issue: &Issue| Suspect {
            of: ImageRow::of(dataset, inspection.rows[issue.item]),
            part: inspection.parts[issue.item],
            given: issue.given,
            proposed: issue.proposed,
            quality: issue.quality,
            probabilities: probabilities[issue.item * classes..(issue.item + 1) * classes].to_vec(),
        };
        TaskSuspects {
            rows: task.labels.iter().flatten().count(),
            estimated,
            suspects: issues.iter().map(suspect).collect(),
        }
    });
    Ok(Some(found.collect()))
}

/// The labels to look at, worst first, and how many are wrong by estimate.
///
/// Confident learning counts a row as wrong where another label is as probable as that label is among the rows
/// that have it. Features that have seen a wrong label make that too strict: of 5 % of the sample's labels
/// flipped at random it found half, all of them rightly. So rows join whose given label is less probable than
/// another by [`MARGIN`]; the order is the same, and the estimate stays that of confident learning.
fn issues(labels: &[Option<u32>], probabilities: &[f32], classes: usize) -> (Vec<Issue>, usize) {
    let LabelIssues { mut issues, estimated_errors, .. } = label_issues::find(labels, probabilities, classes);
    let known: HashSet<usize> = issues.iter().map(|issue| issue.item).collect();
    let qualities = label_issues::qualities(labels, probabilities, classes, Quality::NormalizedMargin);
    for (item, (label, quality)) in labels.iter().zip(qualities).enumerate() {
        let (Some(given), Some(quality)) = (*label, quality) else { continue };
        if quality <= (1.0 - MARGIN) / 2.0 && !known.contains(&item) {
            let row = &probabilities[item * classes..(item + 1) * classes];
            issues.push(Issue { item, given, proposed: most_probable(row) as u32, quality });
        }
    }
    issues.sort_by(|a, b| a.quality.total_cmp(&b.quality).then(a.item.cmp(&b.item)));
    (issues, estimated_errors)
}

/// `[task]`, each `[items, labels]`: of every item what a network says that did not train with it.
fn out_of_sample(
    inspection: &Inspection,
    folder: &Path,
    keep_going: &mut dyn FnMut(usize, usize) -> bool,
) -> anyhow::Result<Option<Vec<Vec<f32>>>> {
    let mut all: Vec<Vec<f32>> = inspection.tasks.iter().map(|task| task.probabilities.clone()).collect();
    let trained = inspection.items_of(Some(Part::Train));
    if trained.is_empty() || inspection.features.is_empty() {
        return Ok(Some(all));
    }
    let labels: Vec<Vec<Option<u32>>> =
        inspection.tasks.iter().map(|task| trained.iter().map(|item| task.labels[*item]).collect()).collect();
    let tasks: Vec<Task> = inspection.tasks.iter().map(|task| task.task.clone()).collect();
    let features = inspection.features.pick(&trained);
    let held_out = cross_validate_kept(folder, &features, &labels, &tasks, Settings::default(), keep_going)?;
    let Some(held_out) = held_out else { return Ok(None) };
    for ((task, all), held_out) in tasks.iter().zip(&mut all).zip(held_out) {
        let classes = task.labels.len();
        for (item, probabilities) in trained.iter().zip(held_out.chunks_exact(classes.max(1))) {
            all[item * classes..(item + 1) * classes].copy_from_slice(probabilities);
        }
    }
    Ok(Some(all))
}

impl TaskSuspects {
    /// As a report lists them; `task` is the network's.
    pub fn listed(&self, dataset: &Dataset, task: &Task) -> LabelErrors {
        let label = |class: u32| task.labels[class as usize].clone();
        let rows = self.suspects.iter().map(|suspect| LabelError {
            image: dataset.rows[suspect.of.row].image.clone(),
            line: dataset.table.line_of_row(suspect.of.row),
            part: suspect.part,
            label: label(suspect.given),
            proposed: label(suspect.proposed),
            quality: suspect.quality,
        });
        LabelErrors { estimated: self.estimated, rows: rows.collect() }
    }

    /// The same suspects in a dataset that may have been read anew: each keeps its image and gets the row that is
    /// about it now; one without is left out.
    #[must_use]
    pub fn renumbered(&self, dataset: &Dataset) -> Self {
        let rows = ImageRow::find_all(self.suspects.iter().map(|suspect| &suspect.of), dataset);
        let found = self.suspects.iter().zip(rows).filter_map(|(suspect, row)| {
            let of = ImageRow { row: row?, ..suspect.of.clone() };
            Some(Suspect { of, ..suspect.clone() })
        });
        Self { suspects: found.collect(), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_another_one_clearly_beats_is_looked_at_the_worst_first() {
        // Ten rows of each label that are sure of it: confident learning wants as much of the others.
        let mut labels = [Some(0), Some(1)].repeat(10);
        let mut probabilities = [0.99, 0.01, 0.01, 0.99].repeat(10);
        for (label, given) in [(Some(0), 0.3), (Some(0), 0.45), (Some(0), 0.2), (None, 0.1), (Some(1), 0.9)] {
            labels.push(label);
            probabilities.extend([given, 1.0 - given]);
        }
        let (issues, _) = issues(&labels, &probabilities, 2);
        let found: Vec<_> = issues.iter().map(|issue| (issue.item, issue.given, issue.proposed)).collect();
        assert_eq!(found, [(24, 1, 0), (22, 0, 1), (20, 0, 1)], "21 is a toss-up, 23 has no label");
    }

    #[test]
    fn a_suspect_stays_with_its_image_when_rows_move_and_goes_with_it() {
        use crate::evaluation::inspection::tests::dataset;
        let csv = |images: &[&str]| images.iter().map(|image| format!("{image},plain,v,train\n")).collect();
        let rows = |images: &[&str]| {
            let rows: String = csv(images);
            dataset(&format!("path,print,neck,split\n{rows}"), "plain, dotted")
        };
        let before = rows(&["a.jpg", "b.jpg", "c.jpg"]);
        let suspect = |row| Suspect {
            of: ImageRow::of(&before, row),
            part: Part::Train,
            given: 0,
            proposed: 1,
            quality: 0.1,
            probabilities: vec![0.1, 0.9],
        };
        let found = TaskSuspects { rows: 3, estimated: 1, suspects: vec![suspect(2), suspect(0)] };
        assert_eq!(found.renumbered(&before), found);
        let moved = found.renumbered(&rows(&["new.jpg", "c.jpg", "b.jpg"]));
        let of: Vec<_> =
            moved.suspects.iter().map(|suspect| (suspect.of.image.as_str(), suspect.of.row)).collect();
        assert_eq!(of, [("c.jpg", 1)]);
        assert_eq!((moved.rows, moved.estimated), (3, 1));
    }
}
