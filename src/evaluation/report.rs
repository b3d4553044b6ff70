//! Everything that is known of a run in one value: what `tasklens evaluate` prints, writes as JSON and as a
//! page, and what Inspect shows.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::Serialize;

use super::browse::{Order, Query, Verdict};
use super::compare::compare;
use super::inspection::Inspection;
use super::intervals::Estimate;
use super::scores::{TaskScores, score};
use crate::config::Task;
use crate::dataset::Dataset;
use crate::dataset::split::Part;
use crate::inference::duplicates::{SAME_PHOTOGRAPH, across};

/// The evaluation of a network on labelled rows.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The run folder or checkpoint.
    pub model: PathBuf,
    /// Images predicted.
    pub images: usize,
    /// Images that could not be read, with the message.
    pub failures: Vec<String>,
    /// One per task of the network that the rows have labels for.
    pub tasks: Vec<TaskReport>,
    /// The other tasks of the network: the CSV has no column of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_evaluated: Vec<String>,
    /// The same picture on both sides of the split; `None` where it was not looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Vec<DuplicatePair>>,
    /// Beside another run; `None` where there is none to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<RunComparison>,
}

/// Two runs on the same images.
#[derive(Clone, Debug, Serialize)]
pub struct RunComparison {
    /// The run that this one is compared with.
    pub before: PathBuf,
    /// One per task that both have and part with labelled images that both predicted.
    pub tasks: Vec<TaskComparison>,
}

/// One task and part of it.
#[derive(Clone, Debug, Serialize)]
pub struct TaskComparison {
    /// The task.
    pub task: String,
    /// What the rows are for, in this run.
    pub part: Part,
    /// Images that the other run got wrong and this one right.
    pub fixed: Vec<PathBuf>,
    /// Images that the other run got right and this one wrong.
    pub broken: Vec<PathBuf>,
    /// How many both got wrong.
    pub still_wrong: usize,
    /// How many both got right.
    pub still_right: usize,
    /// Accuracy of this run less that of the other, with the paired interval.
    pub difference: Option<Estimate>,
    /// McNemar's: how probable at least so uneven a result is, were both equally good.
    pub p_value: Option<f64>,
}

impl RunComparison {
    /// Compares the predictions of two runs for the same dataset, by row.
    pub fn new(dataset: &Dataset, before: PathBuf, other: &Inspection, inspection: &Inspection) -> Self {
        let mut tasks = Vec::new();
        for this in &inspection.tasks {
            let Some(that) = other.tasks.iter().find(|that| that.task == this.task) else { continue };
            for part in [Part::Validation, Part::Test, Part::Train] {
                // Both are in the order of the rows.
                let both: Vec<(usize, usize)> = inspection
                    .items_of(Some(part))
                    .into_iter()
                    .filter_map(|item| Some((item, other.rows.binary_search(&inspection.rows[item]).ok()?)))
                    .collect();
                let labels: Vec<_> = both.iter().map(|(item, _)| this.labels[*item]).collect();
                let then: Vec<u32> = both.iter().map(|(_, item)| that.predicted[*item]).collect();
                let now: Vec<u32> = both.iter().map(|(item, _)| this.predicted[*item]).collect();
                let found = compare(&labels, &then, &now);
                if found.rows() == 0 {
                    continue;
                }
                let image = |place: &usize| dataset.rows[inspection.rows[both[*place].0]].image.clone();
                tasks.push(TaskComparison {
                    task: this.task.name.clone(),
                    part,
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

/// The evaluation of one task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskReport {
    /// The task with its labels.
    #[serde(flatten)]
    pub task: Task,
    /// The scores, apart for each part.
    #[serde(flatten)]
    pub scores: PartScores,
    /// Rows whose label the network does not know.
    pub unknown_labels: usize,
    /// What the network got wrong, the greatest loss first.
    pub mistakes: Vec<Mistake>,
    /// Labels that are probably wrong; `None` where they were not looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_errors: Option<LabelErrors>,
}

/// The scores of one task, apart for each part; `None` where the part has no item.
#[derive(Clone, Debug, Serialize)]
pub struct PartScores {
    /// On rows that the network learnt from.
    pub train: Option<TaskScores>,
    /// On rows that it never saw.
    pub validation: Option<TaskScores>,
    /// On rows kept for a test.
    pub test: Option<TaskScores>,
}

/// An image whose most probable label is not its label.
#[derive(Clone, Debug, Serialize)]
pub struct Mistake {
    /// The image.
    pub image: PathBuf,
    /// Its line in the CSV.
    pub line: u64,
    /// What the row is for.
    pub part: Part,
    /// Its label.
    pub label: String,
    /// The most probable label.
    pub predicted: String,
    /// The probability of that one.
    pub confidence: f32,
    /// Negative log of the label's probability.
    pub loss: Option<f32>,
}

/// What confident learning says of a task's labels.
#[derive(Clone, Debug, Serialize)]
pub struct LabelErrors {
    /// How many labels are estimated to be wrong.
    pub estimated: usize,
    /// The rows to look at, worst first.
    pub rows: Vec<LabelError>,
}

/// A label that is probably wrong.
#[derive(Clone, Debug, Serialize)]
pub struct LabelError {
    /// The image.
    pub image: PathBuf,
    /// Its line in the CSV.
    pub line: u64,
    /// What the row is for.
    pub part: Part,
    /// Its label.
    pub label: String,
    /// What it should probably be.
    pub proposed: String,
    /// 0 probably wrong, 1 probably right.
    pub quality: f64,
}

/// An image that validates and one that trains, and that look the same.
#[derive(Clone, Debug, Serialize)]
pub struct DuplicatePair {
    /// The one that validates.
    pub validation: PathBuf,
    /// The one that trains.
    pub train: PathBuf,
    /// Up to 1, the same.
    pub similarity: f32,
}

/// The images that validate (or test) and look like one that trains, the most alike first; `None` where
/// `keep_going`, which gets (done, of), said no.
///
/// # Errors
/// The memory does not suffice.
pub fn duplicates(
    dataset: &Dataset,
    inspection: &Inspection,
    keep_going: &mut dyn FnMut(usize, usize) -> bool,
) -> anyhow::Result<Option<Vec<DuplicatePair>>> {
    let (train, held_out): (Vec<usize>, Vec<usize>) =
        (0..inspection.len()).partition(|item| inspection.parts[*item] == Part::Train);
    let pairs = across(&inspection.features, &held_out, &train, SAME_PHOTOGRAPH, keep_going)?;
    let image = |item: usize| dataset.rows[inspection.rows[item]].image.clone();
    let mut seen = HashSet::new();
    Ok(pairs.map(|pairs| {
        let first = pairs.into_iter().filter(|pair| seen.insert(pair.a));
        first
            .map(|pair| DuplicatePair {
                validation: image(pair.a),
                train: image(pair.b),
                similarity: pair.similarity,
            })
            .collect()
    }))
}

impl PartScores {
    /// Scores a task of an inspection.
    pub fn new(inspection: &Inspection, task: usize) -> Self {
        let of = |part| {
            let items = inspection.items_of(Some(part));
            let (labels, probabilities) = inspection.gather(task, &items);
            let classes = inspection.tasks[task].task.labels.len();
            (!items.is_empty()).then(|| score(&labels, &probabilities, classes))
        };
        Self { train: of(Part::Train), validation: of(Part::Validation), test: of(Part::Test) }
    }

    /// Of one part.
    pub fn of(&self, part: Part) -> Option<&TaskScores> {
        match part {
            Part::Train => self.train.as_ref(),
            Part::Validation => self.validation.as_ref(),
            Part::Test => self.test.as_ref(),
        }
    }

    /// Those that there are, what the network did not learn from first.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &TaskScores)> {
        [Part::Validation, Part::Test, Part::Train]
            .into_iter()
            .filter_map(|part| Some((part, self.of(part)?)))
    }
}

impl TaskReport {
    /// The scores and mistakes of a task.
    pub fn new(dataset: &Dataset, inspection: &Inspection, task: usize) -> Self {
        let items = &inspection.tasks[task];
        let wrong =
            Query { task, verdict: Verdict::Wrong, order: Order::Loss, descending: true, ..Query::default() };
        let mistake = |item: usize| {
            let label = items.labels[item]?;
            Some(Mistake {
                image: dataset.rows[inspection.rows[item]].image.clone(),
                line: dataset.table.line_of_row(inspection.rows[item]),
                part: inspection.parts[item],
                label: items.task.labels[label as usize].clone(),
                predicted: items.task.labels[items.predicted[item] as usize].clone(),
                confidence: items.confidence(item),
                loss: items.loss(item),
            })
        };
        Self {
            task: items.task.clone(),
            scores: PartScores::new(inspection, task),
            unknown_labels: items.unknown_labels,
            mistakes: inspection.select(&wrong).into_iter().filter_map(mistake).collect(),
            label_errors: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::inspection::tests::{dataset, outputs};

    #[test]
    fn mistakes_are_listed_the_worst_first_with_their_line() {
        let csv =
            "path,print,neck,split\na.jpg,plain,v,train\nb.jpg,plain,v,validation\nc.jpg,dotted,v,train\n";
        let dataset = dataset(csv, "plain, dotted");
        let outputs = outputs(
            &["a.jpg", "b.jpg", "c.jpg"],
            vec![0.9, 0.1, 0.4, 0.6, 0.8, 0.2],
            vec![0.9, 0.1, 0.9, 0.1, 0.9, 0.1],
        );
        let inspection = Inspection::new(&dataset, &dataset.parts(), &outputs);
        let report = TaskReport::new(&dataset, &inspection, 0);
        let lines: Vec<_> =
            report.mistakes.iter().map(|m| (m.line, m.label.as_str(), m.predicted.as_str())).collect();
        assert_eq!(lines, [(4, "dotted", "plain"), (3, "plain", "dotted")]);
        assert_eq!(report.scores.of(Part::Train).unwrap().rows, 2);
        assert_eq!(report.scores.validation.as_ref().unwrap().accuracy.unwrap().value, 0.0);
        assert!(report.scores.test.is_none());
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["name"], "print");
        assert_eq!(json["train"]["accuracy"]["value"], 0.5);
    }
}
