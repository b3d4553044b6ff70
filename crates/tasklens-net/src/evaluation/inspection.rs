//! A network's outputs joined with the labels of the rows: the basis of every number and list of Inspect.

use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;

use crate::inference::most_probable;
use crate::inference::outputs::{Features, Outputs};

/// Items (images that have outputs and a part in the split), in the order of the dataset's rows. Items are
/// numbered from 0; lists of items are `Vec<usize>` of these numbers.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// Per item the row of the dataset, ascending.
    pub rows: Vec<usize>,
    /// Per item the part of the row when the network was trained.
    pub parts: Vec<Part>,
    /// One per task of the network.
    pub tasks: Vec<TaskItems>,
    /// `[items, D]` pooled features.
    pub features: Features,
}

/// One task: labels and predictions of the items.
#[derive(Clone, Debug)]
pub struct TaskItems {
    /// The task, as the network knows it.
    pub task: Task,
    /// Position of the task in the dataset; `None` if the dataset has no such task.
    pub in_dataset: Option<usize>,
    /// Per item the class index of its label; `None` without a label, or if the network does not know it.
    pub labels: Vec<Option<u32>>,
    /// `[items, labels]` probabilities.
    pub probabilities: Vec<f32>,
    /// Per item the most probable class.
    pub predicted: Vec<u32>,
    /// Number of rows whose label the network does not know, because it was added after the training.
    pub unknown_labels: usize,
}

impl TaskItems {
    /// The probabilities of an item, one per label.
    pub fn of(&self, item: usize) -> &[f32] {
        let labels = self.task.labels.len();
        &self.probabilities[item * labels..(item + 1) * labels]
    }

    /// Probability of the most probable label.
    pub fn confidence(&self, item: usize) -> f32 {
        self.of(item)[self.predicted[item] as usize]
    }

    /// Difference of the probabilities of the two most probable labels: 0 is a coin toss.
    pub fn margin(&self, item: usize) -> f32 {
        let top = self.predicted[item] as usize;
        let others = self.of(item).iter().enumerate().filter(|(label, _)| *label != top);
        self.confidence(item) - others.map(|(_, p)| *p).fold(0.0, f32::max)
    }

    /// Negative log probability of the given label, at most that of the smallest positive float; `None` without a
    /// label.
    pub fn loss(&self, item: usize) -> Option<f32> {
        self.labels[item].map(|label| -self.of(item)[label as usize].max(f32::MIN_POSITIVE).ln())
    }

    /// Whether the most probable label is the label; `None` without a label.
    pub fn is_right(&self, item: usize) -> Option<bool> {
        self.labels[item].map(|label| label == self.predicted[item])
    }
}

impl Inspection {
    /// Joins outputs with rows by image path. `parts` has one entry per row, as [`Dataset::parts`] gives it; rows
    /// without a part become no items.
    pub fn new(dataset: &Dataset, parts: &[Option<Part>], outputs: &Outputs) -> Self {
        let places = outputs.places();
        let mut inspection = Self::default();
        let mut picked = Vec::new();
        for (row, part) in parts.iter().enumerate() {
            let image = dataset.rows.get(row).map(|row| &*row.image);
            if let (Some(part), Some(place)) = (part, image.and_then(|image| places.get(image))) {
                inspection.rows.push(row);
                inspection.parts.push(*part);
                picked.push(*place);
            }
        }
        // Outputs made by tests may lack features.
        if !outputs.features.is_empty() {
            inspection.features = outputs.features.pick(&picked);
        }
        for (task, all) in outputs.tasks.iter().zip(&outputs.probabilities) {
            inspection.tasks.push(join(dataset, &inspection.rows, task, all, &picked));
        }
        inspection
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The items of a part, or of all.
    pub fn items_of(&self, part: Option<Part>) -> Vec<usize> {
        (0..self.len()).filter(|item| part.is_none_or(|part| self.parts[*item] == part)).collect()
    }

    /// Labels and probabilities `[items, labels]` of some items, for the scores.
    pub fn gather(&self, task: usize, items: &[usize]) -> (Vec<Option<u32>>, Vec<f32>) {
        let task = &self.tasks[task];
        let labels = items.iter().map(|item| task.labels[*item]).collect();
        let probabilities = items.iter().flat_map(|item| task.of(*item)).copied().collect();
        (labels, probabilities)
    }
}

fn join(dataset: &Dataset, rows: &[usize], task: &Task, all: &[f32], picked: &[usize]) -> TaskItems {
    let in_dataset = dataset.tasks.iter().position(|other| other.name == task.name);
    // The config may have changed since the training: labels are matched by text.
    let classes: Vec<Option<u32>> = in_dataset.map_or_else(Vec::new, |index| {
        let known = |label: &String| task.labels.iter().position(|other| other == label);
        dataset.tasks[index].labels.iter().map(|label| known(label).map(|class| class as u32)).collect()
    });
    let mut unknown_labels = 0;
    let labels = rows
        .iter()
        .map(|row| {
            let label = dataset.rows[*row].labels[in_dataset?].class()?;
            let class = classes.get(label as usize).copied().flatten();
            unknown_labels += usize::from(class.is_none());
            class
        })
        .collect();
    let count = task.labels.len();
    let mut probabilities = Vec::with_capacity(picked.len() * count);
    for place in picked {
        probabilities.extend_from_slice(&all[place * count..(place + 1) * count]);
    }
    let predicted = probabilities.chunks_exact(count.max(1)).map(|row| most_probable(row) as u32).collect();
    TaskItems { task: task.clone(), in_dataset, labels, probabilities, predicted, unknown_labels }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use tasklens_data::config::Config;
    use tasklens_data::dataset::table::Table;

    use super::*;

    pub fn dataset(csv: &str, print: &str) -> Dataset {
        let config = format!(
            "{{paths: {{model_dataframe: x.csv}}, model: {{split_column: split, target_encoder: {{print: [{print}], neck: [v, round]}}}}}}"
        );
        let config = Config::parse(&config, Path::new("/config.yml")).unwrap();
        let table = Table::from_bytes(csv.into(), Path::new("/x.csv")).unwrap();
        Dataset::from_table(table, &config).unwrap()
    }

    pub fn outputs(images: &[&str], print: Vec<f32>, neck: Vec<f32>) -> Outputs {
        let task = |name: &str, labels: &[&str]| Task {
            name: name.into(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        };
        Outputs {
            tasks: vec![task("print", &["plain", "dotted"]), task("neck", &["v", "round"])],
            images: images.iter().map(|image| Path::new("/").join(image)).collect(),
            probabilities: vec![print, neck],
            features: Features::default(),
        }
    }

    #[test]
    fn rows_meet_their_outputs_by_path_and_labels_by_text() {
        let csv = "path,print,neck,split\na.jpg,plain,v,train\nb.jpg,dotted,,validation\nc.jpg,plain,v,train\nd.jpg,striped,round,validation\n";
        // The config has learnt a label since the training, in front of the others.
        let dataset = dataset(csv, "striped, plain, dotted");
        let outputs = outputs(&["d.jpg", "b.jpg", "a.jpg"], vec![0.6, 0.4, 0.3, 0.7, 0.1, 0.9], vec![0.5; 6]);
        let mut parts = dataset.parts();
        parts[2] = None;
        let inspection = Inspection::new(&dataset, &parts, &outputs);
        assert_eq!(inspection.rows, [0, 1, 3]);
        assert_eq!(inspection.parts, [Part::Train, Part::Validation, Part::Validation]);
        let print = &inspection.tasks[0];
        assert_eq!(print.labels, [Some(0), Some(1), None]);
        assert_eq!(print.unknown_labels, 1);
        assert_eq!(print.predicted, [1, 1, 0]);
        assert_eq!(
            (0..3).map(|item| print.is_right(item)).collect::<Vec<_>>(),
            [Some(false), Some(true), None]
        );
        assert!(
            (print.margin(0) - 0.8).abs() < 1e-6
                && (print.loss(0).unwrap() - std::f32::consts::LN_10).abs() < 1e-4
        );
        assert_eq!(inspection.tasks[1].labels, [Some(0), None, Some(1)]);
        assert_eq!(inspection.gather(0, &[1]), (vec![Some(1)], vec![0.3, 0.7]));
    }
}
