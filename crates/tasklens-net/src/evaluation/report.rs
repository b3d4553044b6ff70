//! The complete evaluation of a run: what `tasklens evaluate` prints and writes as JSON or HTML, and what Inspect
//! shows.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::Serialize;
use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::work::KeepGoing;

use super::agreement::Disagreement;
use super::browse::{BrowseOrder, Query, Verdict};
use super::inspection::Inspection;
use super::label_errors::LabelErrors;
use super::run_comparison::RunComparison;
use super::scores::{TaskScores, score};
use crate::inference::duplicates::{SAME_PHOTOGRAPH, across};

/// The evaluation of a network on labelled rows.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationReport {
    /// The run folder or checkpoint.
    pub model: PathBuf,
    /// Number of predicted images.
    pub images: usize,
    /// Images that could not be read, with the message.
    pub failures: Vec<String>,
    /// One per task of the network that the rows have labels for.
    pub tasks: Vec<TaskReport>,
    /// The other tasks of the network, for which the CSV has no column.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_evaluated: Vec<String>,
    /// Tasks whose accuracy on the validation rows differs from the run's record, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disagreements: Vec<Disagreement>,
    /// The same picture in both parts of the split; `None` if not searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Vec<DuplicatePair>>,
    /// Comparison with another run, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<RunComparison>,
}

/// The evaluation of one task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskReport {
    /// The task with its labels.
    #[serde(flatten)]
    pub task: Task,
    /// The scores, separately for each part.
    #[serde(flatten)]
    pub scores: PartScores,
    /// Number of rows whose label the network does not know.
    pub unknown_labels: usize,
    /// Mistakes of the network, largest loss first.
    pub mistakes: Vec<Mistake>,
    /// Labels that are probably wrong; `None` if not searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_errors: Option<LabelErrors>,
}

/// The scores of one task, separately for each part; `None` if the part has no items.
#[derive(Clone, Debug, Serialize)]
pub struct PartScores {
    /// On rows that the network was trained on.
    pub train: Option<TaskScores>,
    /// On rows that chose the weights which the run kept.
    pub validation: Option<TaskScores>,
    /// On rows kept for a test.
    pub test: Option<TaskScores>,
}

/// An image whose most probable label is not its label.
#[derive(Clone, Debug, Serialize)]
pub struct Mistake {
    pub image: PathBuf,
    /// Its line in the CSV.
    pub line: u64,
    /// The part of the row.
    pub part: Part,
    /// Its given label.
    pub label: String,
    /// The most probable label.
    pub predicted: String,
    /// The probability of that one.
    pub confidence: f32,
    /// Negative log probability of the given label.
    pub loss: Option<f32>,
}

/// A validation image and a training image that look the same.
#[derive(Clone, Debug, Serialize)]
pub struct DuplicatePair {
    /// The validation image.
    pub validation: PathBuf,
    /// The training image.
    pub train: PathBuf,
    /// Similarity, up to 1 for identical images.
    pub similarity: f32,
}

/// The validation (or test) images that look like a training image, most similar first; `None` if cancelled by
/// `keep_going`, which gets (done, of).
///
/// # Errors
/// Out of memory.
pub fn duplicates(
    dataset: &Dataset,
    inspection: &Inspection,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Vec<DuplicatePair>>> {
    let (train, held_out): (Vec<usize>, Vec<usize>) =
        (0..inspection.len()).partition(|item| inspection.parts[*item] == Part::Train);
    let pairs = across(&inspection.features, &held_out, &train, SAME_PHOTOGRAPH, keep_going)?;
    let image = |item: usize| dataset.rows[inspection.rows[item]].image.to_path_buf();
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

    /// The scores of one part.
    pub fn of(&self, part: Part) -> Option<&TaskScores> {
        match part {
            Part::Train => self.train.as_ref(),
            Part::Validation => self.validation.as_ref(),
            Part::Test => self.test.as_ref(),
        }
    }

    /// The existing parts, those that the network was not trained on first.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &TaskScores)> {
        [Part::Validation, Part::Test, Part::Train]
            .into_iter()
            .filter_map(|part| Some((part, self.of(part)?)))
    }

    /// The scores that tell how good the network is: on the larger labelled part that it was not trained on, if there
    /// is one.
    pub fn main(&self) -> Option<(Part, &TaskScores)> {
        let held_out =
            [Part::Test, Part::Validation].into_iter().filter_map(|part| Some((part, self.of(part)?)));
        let held_out = held_out.filter(|(_, scores)| scores.rows > 0).max_by_key(|(_, scores)| scores.rows);
        held_out.or_else(|| self.parts().next())
    }
}

impl TaskReport {
    /// The scores and mistakes of a task.
    pub fn new(dataset: &Dataset, inspection: &Inspection, task: usize) -> Self {
        let items = &inspection.tasks[task];
        let wrong = Query {
            task,
            verdict: Verdict::Wrong,
            order: BrowseOrder::Loss,
            descending: true,
            ..Query::default()
        };
        let mistake = |item: usize| {
            let label = items.labels[item]?;
            Some(Mistake {
                image: dataset.rows[inspection.rows[item]].image.to_path_buf(),
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

    #[test]
    fn the_main_scores_are_of_the_larger_part_that_did_not_train() {
        let csv = "path,print,neck,split\na.jpg,plain,v,train\nb.jpg,plain,v,validation\nc.jpg,dotted,v,test\nd.jpg,dotted,v,test\n";
        let dataset = dataset(csv, "plain, dotted");
        let outputs = outputs(&["a.jpg", "b.jpg", "c.jpg", "d.jpg"], vec![0.5; 8], vec![0.5; 8]);
        let main = |parts: &[Option<Part>]| {
            PartScores::new(&Inspection::new(&dataset, parts, &outputs), 0).main().map(|(part, _)| part)
        };
        assert_eq!(main(&dataset.parts()), Some(Part::Test));
        assert_eq!(main(&dataset.parts()[..2]), Some(Part::Validation));
        assert_eq!(main(&dataset.parts()[..1]), Some(Part::Train));
    }
}
