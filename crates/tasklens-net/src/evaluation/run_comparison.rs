//! Compares the predictions of two runs for the images that both predicted, by task and part.

use std::path::PathBuf;

use serde::Serialize;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;

use super::compare::compare;
use super::inspection::Inspection;
use super::intervals::Estimate;

/// Two runs on the same images.
#[derive(Clone, Debug, Serialize)]
pub struct RunComparison {
    /// The run that this one is compared with.
    pub before: PathBuf,
    /// One for each task that both have, and each part with labelled images that both predicted.
    pub tasks: Vec<TaskComparison>,
}

/// Comparison for one task and part.
#[derive(Clone, Debug, Serialize)]
pub struct TaskComparison {
    pub task: String,
    /// The part of the rows in this run.
    pub part: Part,
    /// Whether neither run was trained on these rows. Only then is a difference due to the networks.
    pub new_to_both: bool,
    /// Images that the other run got wrong and this one right.
    pub fixed: Vec<PathBuf>,
    /// Images that the other run got right and this one wrong.
    pub broken: Vec<PathBuf>,
    /// Number of images that both got wrong.
    pub still_wrong: usize,
    /// Number of images that both got right.
    pub still_right: usize,
    /// Accuracy of this run minus that of the other, with the paired interval; `None` for rows that a run was trained
    /// on, and for fewer than [`FEWEST`](super::compare::FEWEST).
    pub difference: Option<Estimate>,
    /// McNemar's p-value: the probability of a result at least as uneven if both were equally good; `None` if there
    /// is no difference.
    pub p_value: Option<f64>,
}

impl TaskComparison {
    /// Number of labelled images that both predicted.
    pub fn rows(&self) -> usize {
        self.fixed.len() + self.broken.len() + self.still_wrong + self.still_right
    }
}

impl RunComparison {
    /// Compares the predictions of two runs for the same dataset, by row; `other_trained` tells for each row whether
    /// the other run was trained on it.
    pub fn new(
        dataset: &Dataset,
        inspection: &Inspection,
        before: PathBuf,
        other: &Inspection,
        other_trained: &[bool],
    ) -> Self {
        let is_new = |item: usize| {
            inspection.parts[item] != Part::Train
                && !other_trained.get(inspection.rows[item]).is_some_and(|is| *is)
        };
        let mut tasks = Vec::new();
        for this in &inspection.tasks {
            let Some(that) = other.tasks.iter().find(|that| that.task == this.task) else { continue };
            for (part, new_to_both) in [
                (Part::Validation, true),
                (Part::Test, true),
                (Part::Validation, false),
                (Part::Test, false),
                (Part::Train, false),
            ] {
                // Both are in the order of the rows.
                let both: Vec<(usize, usize)> = inspection
                    .items_of(Some(part))
                    .into_iter()
                    .filter(|item| is_new(*item) == new_to_both)
                    .filter_map(|item| Some((item, other.rows.binary_search(&inspection.rows[item]).ok()?)))
                    .collect();
                let labels: Vec<_> = both.iter().map(|(item, _)| this.labels[*item]).collect();
                let then: Vec<u32> = both.iter().map(|(_, item)| that.predicted[*item]).collect();
                let now: Vec<u32> = both.iter().map(|(item, _)| this.predicted[*item]).collect();
                let found = compare(&labels, &then, &now);
                let found = if new_to_both { found } else { found.without_conclusion() };
                if found.rows() == 0 {
                    continue;
                }
                let image = |place: &usize| dataset.rows[inspection.rows[both[*place].0]].image.to_path_buf();
                tasks.push(TaskComparison {
                    task: this.task.name.clone(),
                    part,
                    new_to_both,
                    fixed: found.fixed.iter().map(image).collect(),
                    broken: found.broken.iter().map(image).collect(),
                    still_wrong: found.still_wrong.len(),
                    still_right: found.still_right.len(),
                    difference: found.difference,
                    p_value: found.p_value,
                });
            }
        }
        Self { before, tasks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::inspection::tests::{dataset, outputs};

    #[test]
    fn only_rows_that_neither_run_trained_on_tell_a_difference() {
        let row = |n: usize| format!("{n}.jpg,plain,v,{}\n", if n < 10 { "train" } else { "validation" });
        let csv: String = (0..40).map(row).collect();
        let dataset = dataset(&format!("path,print,neck,split\n{csv}"), "plain, dotted");
        let names: Vec<String> = (0..40).map(|n| format!("{n}.jpg")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // The other run is right on what it trained on, rows 0 to 24, and on no other; this one is always right.
        let right = |is: bool| if is { [0.9, 0.1] } else { [0.1, 0.9] };
        let of = |is: &dyn Fn(usize) -> bool| {
            let print: Vec<f32> = (0..40).flat_map(|n| right(is(n))).collect();
            Inspection::new(&dataset, &dataset.parts(), &outputs(&names, print.clone(), print))
        };
        let (this, other) = (of(&|_| true), of(&|n| n < 25));
        let trained: Vec<bool> = (0..40).map(|n| n < 25).collect();
        let comparison = RunComparison::new(&dataset, &this, "old".into(), &other, &trained);
        let told: Vec<_> = comparison.tasks[..3]
            .iter()
            .map(|task| (task.part, task.new_to_both, task.rows(), task.fixed.len(), task.p_value.is_some()))
            .collect();
        assert_eq!(
            told,
            [
                (Part::Validation, true, 15, 15, true),
                (Part::Validation, false, 15, 0, false),
                (Part::Train, false, 10, 0, false)
            ]
        );
        assert_eq!(comparison.tasks[0].difference.unwrap().value, 1.0);
        // Six new rows are too few.
        let trained: Vec<bool> = (0..40).map(|n| n < 34).collect();
        let few = RunComparison::new(&dataset, &this, "old".into(), &other, &trained);
        assert_eq!((few.tasks[0].rows(), few.tasks[0].p_value, few.tasks[0].difference), (6, None, None));
    }
}
