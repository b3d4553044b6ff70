//! Compares the accuracy that a run measured when it kept its weights (shown in Train) with that of Inspect and
//! `tasklens evaluate`, and explains differences.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;
use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::text::{counted, is, plural};

use super::inspection::Inspection;
use crate::training::predictions::{self, Recorded};
use crate::training::run_folder::{PREDICTIONS, RunRecord};

/// A run's record of its validation rows.
#[derive(Clone, Debug, Default)]
pub struct Record {
    rows: Vec<Recorded>,
    tasks: Vec<Task>,
    /// `fp32` or `bf16`.
    precision: Option<String>,
}

impl Record {
    /// Reads the record of a run folder whose network has `tasks`; a checkpoint alone has none.
    ///
    /// # Errors
    /// The record is damaged.
    pub fn open(run: &Path, tasks: &[Task]) -> anyhow::Result<Self> {
        let rows = predictions::read(&run.join(PREDICTIONS), tasks)?;
        let started = RunRecord::open(run).ok().and_then(|record| record.started);
        Ok(Self { rows, tasks: tasks.to_vec(), precision: started.map(|started| started.precision) })
    }
}

/// A count of correctly predicted images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Images whose prediction is their label.
    pub right: usize,
    /// Images with a label.
    pub of: usize,
}

impl Tally {
    fn add(&mut self, is_right: bool) {
        self.of += 1;
        self.right += usize::from(is_right);
    }

    /// `92.4 % (924 of 1000 images)`.
    fn text(self) -> String {
        let percent = 100.0 * self.right as f64 / self.of.max(1) as f64;
        format!("{percent:.1} % ({} of {})", self.right, counted(self.of, "image"))
    }
}

/// Two accuracies of one task on the validation rows, and why they differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    pub task: String,
    /// As measured by the run.
    pub then: Tally,
    /// Right and counted as measured now.
    pub now: Tally,
    /// Number of images whose label has changed.
    pub relabelled: usize,
    /// Number of images that no longer count: their label, row or file is gone.
    pub gone: usize,
    /// Number of images that did not count then.
    pub new: usize,
    /// Number of images with a different prediction now.
    pub answered_otherwise: usize,
    /// The precision then and now, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precisions: Option<(String, String)>,
}

impl Disagreement {
    /// A sentence with both numbers and the reasons for the difference.
    pub fn sentence(&self) -> String {
        let why = match &self.precisions {
            Some((then, now)) => format!("in {now} instead of {then}"),
            None => "by rounding, or the file is another".to_owned(),
        };
        let others = |count: usize, of: &str| format!("{} {} another", counted(count, of), is(count));
        let counts = |count: usize| plural(count, "counts", "count");
        let causes = [
            (self.relabelled, others(self.relabelled, "label")),
            (self.gone, format!("{} no longer {}", counted(self.gone, "image"), counts(self.gone))),
            (self.new, format!("{} {} new", counted(self.new, "image"), is(self.new))),
            (self.answered_otherwise, format!("{} ({why})", others(self.answered_otherwise, "answer"))),
        ];
        let causes: Vec<String> =
            causes.into_iter().filter(|(count, _)| *count > 0).map(|(_, cause)| cause).collect();
        format!(
            "When the run kept these weights it measured {}, which Train shows; this is {}. Since then {}",
            self.then.text(),
            self.now.text(),
            causes.join(", ")
        )
    }
}

/// The tasks of the network whose accuracy on the validation rows differs from the record; `precision` is the current
/// one. Empty if there is no record, or if it is about other images altogether.
pub fn disagreements(
    record: &Record,
    dataset: &Dataset,
    inspection: &Inspection,
    precision: &str,
) -> Vec<Disagreement> {
    let items = inspection.items_of(Some(Part::Validation));
    let then_of = record.places(dataset, inspection, &items);
    if then_of.iter().all(Option::is_none) {
        return Vec::new();
    }
    let precisions = record.precision.clone().filter(|then| then != precision);
    let precisions = precisions.map(|then| (then, precision.to_owned()));
    let tasks = record.tasks.iter().enumerate().filter_map(|(place, task)| {
        let here = inspection.tasks.iter().position(|other| other.task == *task)?;
        // A dataset without the task cannot be compared.
        inspection.tasks[here].in_dataset?;
        let found = record.compare(place, task, inspection, here, &items, &then_of);
        Some(Disagreement { precisions: precisions.clone(), ..found })
    });
    tasks.filter(|found| found.then != found.now).collect()
}

impl Record {
    /// Per item the row of the record. A moved project has its images elsewhere, but under the same names.
    fn places(&self, dataset: &Dataset, inspection: &Inspection, items: &[usize]) -> Vec<Option<usize>> {
        let by_path: HashMap<&Path, usize> =
            self.rows.iter().enumerate().map(|(place, row)| (row.image.as_path(), place)).collect();
        let mut by_name: HashMap<&OsStr, Vec<usize>> = HashMap::new();
        for (place, row) in self.rows.iter().enumerate() {
            by_name.entry(row.image.file_name().unwrap_or_default()).or_default().push(place);
        }
        let of_item = |item: &usize| {
            let row = inspection.rows[*item];
            if let Some(place) = by_path.get(&*dataset.rows[row].image) {
                return Some(*place);
            }
            let key = dataset.image_key(row);
            let key = Path::new(&*key);
            let named = by_name.get(key.file_name()?)?;
            named.iter().copied().find(|place| self.rows[*place].image.ends_with(key))
        };
        items.iter().map(of_item).collect()
    }

    fn compare(
        &self,
        place: usize,
        task: &Task,
        inspection: &Inspection,
        here: usize,
        items: &[usize],
        then_of: &[Option<usize>],
    ) -> Disagreement {
        let now = &inspection.tasks[here];
        let text = |class: u32| task.labels.get(class as usize).map(String::as_str);
        let mut found = Disagreement { task: task.name.clone(), ..Disagreement::default() };
        for row in &self.rows {
            let (label, predicted) = &row.tasks[place];
            if let Some(label) = label {
                found.then.add(label == predicted);
            }
        }
        let mut both = 0;
        for (item, then) in items.iter().zip(then_of) {
            let Some(label) = now.labels[*item] else { continue };
            found.now.add(label == now.predicted[*item]);
            let then = then.map(|row| &self.rows[row].tasks[place]);
            let Some((Some(label_then), predicted_then)) = then else {
                found.new += 1;
                continue;
            };
            both += 1;
            found.relabelled += usize::from(text(label) != Some(label_then));
            found.answered_otherwise += usize::from(text(now.predicted[*item]) != Some(predicted_then));
        }
        found.gone = found.then.of - both;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::inspection::tests::{dataset, outputs};
    use super::*;

    const CSV: &str = "path,print,neck,split\na.jpg,plain,v,validation\nb.jpg,dotted,,validation\nc.jpg,plain,v,train\nd.jpg,dotted,round,validation\n";

    fn recorded(image: &str, print: [&str; 2], neck: [&str; 2]) -> Recorded {
        let of = |[label, predicted]: [&str; 2]| {
            (Some(label.to_owned()).filter(|label| !label.is_empty()), predicted.to_owned())
        };
        Recorded { image: image.into(), tasks: vec![of(print), of(neck)] }
    }

    fn found(rows: Vec<Recorded>, precision: &str) -> Vec<Disagreement> {
        let dataset = dataset(CSV, "plain, dotted");
        let images = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"];
        let print = vec![0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.3, 0.7];
        let outputs = outputs(&images, print, vec![0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1]);
        let inspection = Inspection::new(&dataset, &dataset.parts(), &outputs);
        let record = Record { rows, tasks: outputs.tasks, precision: Some("bf16".to_owned()) };
        disagreements(&record, &dataset, &inspection, precision)
    }

    #[test]
    fn the_same_images_labels_and_answers_agree() {
        let a = recorded("/a.jpg", ["plain", "plain"], ["v", "v"]);
        let b = recorded("/b.jpg", ["dotted", "dotted"], ["", "v"]);
        let d = recorded("/d.jpg", ["dotted", "dotted"], ["round", "v"]);
        assert_eq!(found(vec![a, b, d], "bf16"), []);
        assert_eq!(found(Vec::new(), "bf16"), [], "a run that recorded nothing");
        let elsewhere = recorded("/x/y.jpg", ["plain", "dotted"], ["v", "round"]);
        assert_eq!(found(vec![elsewhere], "bf16"), [], "of other images altogether");
    }

    #[test]
    fn whatever_makes_the_numbers_differ_is_told_with_both() {
        // One label was corrected, one image is gone, one is new, one is answered otherwise; the project was moved.
        let a = recorded("/old/a.jpg", ["plain", "dotted"], ["v", "v"]);
        let d = recorded("/old/d.jpg", ["plain", "dotted"], ["round", "v"]);
        let gone = recorded("/old/e.jpg", ["plain", "plain"], ["", "v"]);
        let all = found(vec![a, d, gone], "fp32");
        let [print] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(
            print.sentence(),
            "When the run kept these weights it measured 33.3 % (1 of 3 images), which Train shows; this is 100.0 % (3 of 3 \
             images). Since then 1 label is another, 1 image no longer counts, 1 image is new, 1 answer is another (in fp32 \
             instead of bf16)"
        );
    }
}
