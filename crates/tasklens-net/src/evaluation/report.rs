//! The complete evaluation of a run: what `tasklens evaluate` prints and writes as JSON or HTML, and what Inspect
//! shows.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::Serialize;
use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::text::{counted, plural};
use tasklens_data::work::KeepGoing;

use super::agreement::Disagreement;
use super::browse::{BrowseOrder, Query, Verdict};
use super::compare::compare;
use super::inspection::Inspection;
use super::intervals::Estimate;
use super::scores::{TaskScores, score};
use super::suspects::Memorised;
use super::track_record::TrackRecord;
use super::wrong_labels::WrongLabels;
use crate::inference::duplicates::{SAME_PHOTOGRAPH, across};

/// The evaluation of a network on labelled rows.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
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
                let image = |place: &usize| dataset.rows[inspection.rows[both[*place].0]].image.clone();
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
    /// On validation rows.
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

/// Label errors of a task.
#[derive(Clone, Debug, Serialize)]
pub struct LabelErrors {
    /// Number of labels that were checked.
    pub labels: usize,
    /// The estimated share of wrong labels.
    pub wrong: WrongLabels,
    /// Set if the network has memorised its training rows, of which the list then misses many.
    pub memorised: Option<Memorised>,
    /// The rows to look at, worst first.
    pub rows: Vec<LabelError>,
}

impl LabelErrors {
    /// A sentence about the share of wrong labels, and what it means for the list, without a full stop.
    pub fn sentence(&self) -> String {
        self.wrong.beside_list(self.labels, self.rows.len())
    }

    /// The number of suspects, in words.
    pub fn headline(&self) -> String {
        match self.rows.len() {
            0 => "No label looks wrong".to_owned(),
            count => format!("{} {} wrong", counted(count, "label"), plural(count, "looks", "look")),
        }
    }
}

/// A label that is probably wrong.
#[derive(Clone, Debug, Serialize)]
pub struct LabelError {
    pub image: PathBuf,
    /// Its line in the CSV.
    pub line: u64,
    /// The part of the row.
    pub part: Part,
    /// Its given label.
    pub label: String,
    /// The label that it should probably have.
    pub proposed: String,
    /// 0 probably wrong, 1 probably right.
    pub quality: f64,
    /// How often the network is right at this confidence.
    pub record: Option<TrackRecord>,
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
