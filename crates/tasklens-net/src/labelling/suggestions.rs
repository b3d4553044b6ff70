//! What a model says of every row of a dataset: the network of a run at first, then heads that are fitted
//! anew on its features whenever enough labels have changed.

use std::sync::Arc;

use anyhow::ensure;
use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::work::KeepGoing;

use crate::inference::most_probable;
use crate::inference::outputs::{Features, Outputs};
use crate::training::out_of_sample::{self, Settings};
use crate::training::seen::Seen;

mod mix;

/// Labels of a task that must occur before heads are fitted to it.
const LABELS: usize = 2;
/// How often each of them must: most heads of the cross-validation then see three of each.
const OF_EACH: usize = 4;
/// Of a task with so many labelled images, twice is enough: how good that is, the user is told.
const FIRST: usize = 10;
const OF_EACH_OF_FIRST: usize = 2;

/// How often heads are right about labelled images whose labels they have not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Images of which the most probable label is the one that they have.
    pub right: usize,
    /// Labelled images.
    pub of: usize,
}

/// What a model says of the rows of a dataset. Items are the rows that have outputs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Suggestions {
    /// Per item the row, ascending.
    rows: Arc<Vec<usize>>,
    /// Per row the item.
    items: Arc<Vec<Option<u32>>>,
    /// In the order of the dataset's tasks.
    tasks: Vec<Answers>,
    features: Features,
    /// Per item whether the network may have trained on it; empty where it has on none.
    trained: Arc<Vec<bool>>,
}

/// What is said of one task.
#[derive(Clone, Debug)]
struct Answers {
    task: Task,
    /// `[items, labels]`; empty where the model does not know the task.
    probabilities: Arc<Vec<f32>>,
    /// Whether it is the network's own word, and not that of heads which have not seen an item's label.
    is_network: bool,
}

impl Suggestions {
    /// As the network of a run says. Rows meet their outputs by image path, tasks by name and labels by text:
    /// a label that the network does not know gets 0, and a task of which it knows no label has no answers.
    pub fn of_outputs(dataset: &Dataset, outputs: &Outputs) -> Self {
        let places = outputs.places();
        let mut items = vec![None; dataset.rows.len()];
        let mut rows = Vec::new();
        let mut picked = Vec::new();
        for (row, item) in items.iter_mut().enumerate() {
            if let Some(place) = places.get(dataset.rows[row].image.as_path()) {
                *item = Some(rows.len() as u32);
                rows.push(row);
                picked.push(*place);
            }
        }
        let tasks = dataset.tasks.iter().map(|task| {
            let known = outputs.tasks.iter().position(|other| other.name == task.name);
            let probabilities = known.map_or_else(Vec::new, |known| {
                in_terms_of(task, &outputs.tasks[known], &outputs.probabilities[known], &picked)
            });
            Answers { task: task.clone(), probabilities: Arc::new(probabilities), is_network: true }
        });
        let tasks = tasks.collect();
        // Outputs made by hand may come without features.
        let features =
            if outputs.features.is_empty() { Features::default() } else { outputs.features.pick(&picked) };
        let trained = Arc::default();
        Self { rows: Arc::new(rows), items: Arc::new(items), tasks, features, trained }
    }

    /// Remembers on which rows the network has trained: what it says of their labels, it has learnt by heart.
    /// Where the run does not tell (`None`), that may be any row.
    pub fn knowing(self, seen: Option<&Seen>) -> Self {
        let has_trained = |row: &usize| {
            seen.is_none_or(|seen| seen.parts.get(*row).copied().flatten() == Some(Part::Train))
        };
        let trained: Vec<bool> = self.rows.iter().map(has_trained).collect();
        let trained = if trained.contains(&true) { trained } else { Vec::new() };
        Self { trained: Arc::new(trained), ..self }
    }

    /// Heads learnt anew on the features, from the labels that hold now (`labels[task][row]`, in the order of
    /// `tasks`), as out-of-sample probabilities: a labelled row is predicted by heads that did not see its
    /// label, any other by heads that saw all. A task takes part once two of its labels occur four times each, or
    /// twice where ten images have any; otherwise what was said of it before stays. `keep_going` gets (done, of);
    /// `None` where it said no.
    ///
    /// # Errors
    /// `labels` does not fit the tasks or the rows, or the memory does not suffice.
    pub fn updated(
        &self,
        tasks: &[Task],
        labels: &[Vec<Option<u32>>],
        seed: u64,
        keep_going: &mut KeepGoing<'_>,
    ) -> anyhow::Result<Option<Self>> {
        ensure!(labels.len() == tasks.len(), "labels of {} tasks, expected {}", labels.len(), tasks.len());
        for (labels, task) in labels.iter().zip(tasks) {
            let (count, rows) = (labels.len(), self.items.len());
            ensure!(count == rows, "`{}`: {count} labels for {rows} rows", task.name);
        }
        let of_items =
            |task: usize| -> Vec<Option<u32>> { self.rows.iter().map(|row| labels[task][*row]).collect() };
        let (mut fitted, mut fitted_tasks, mut fitted_labels) = (Vec::new(), Vec::new(), Vec::new());
        for (index, task) in tasks.iter().enumerate() {
            let labels = of_items(index);
            if !self.features.is_empty() && is_enough(&labels, task.labels.len()) {
                fitted.push(index);
                fitted_tasks.push(task.clone());
                fitted_labels.push(labels);
            }
        }
        let mut answers: Vec<Answers> = tasks.iter().map(|task| self.kept(task)).collect();
        if !fitted.is_empty() {
            let settings = Settings { seed, ..Settings::default() };
            let (labels, tasks) = (&fitted_labels, &fitted_tasks);
            let said = out_of_sample::cross_validate(&self.features, labels, tasks, settings, keep_going)?;
            let Some(said) = said else { return Ok(None) };
            for (index, said) in fitted.into_iter().zip(said) {
                answers[index].probabilities = Arc::new(said);
                answers[index].is_network = false;
            }
        }
        Ok(Some(Self { tasks: answers, ..self.clone() }))
    }

    /// What was said of a task before; its labels may be others now.
    fn kept(&self, task: &Task) -> Answers {
        let old = self.tasks.iter().find(|old| old.task.name == task.name);
        let probabilities = match old {
            Some(old) if old.task == *task => Arc::clone(&old.probabilities),
            Some(old) if !old.probabilities.is_empty() => {
                let all: Vec<usize> = (0..self.rows.len()).collect();
                Arc::new(in_terms_of(task, &old.task, &old.probabilities, &all))
            }
            _ => Arc::default(),
        };
        Answers { task: task.clone(), probabilities, is_network: old.is_none_or(|old| old.is_network) }
    }

    /// Class index (of the dataset's task) and probability of the most probable label.
    pub fn top(&self, task: usize, row: usize) -> Option<(u32, f32)> {
        let probabilities = self.probabilities(task, row)?;
        let label = most_probable(probabilities);
        Some((label as u32, *probabilities.get(label)?))
    }

    /// Probabilities of the labels of the dataset's task; `None` without output.
    pub fn probabilities(&self, task: usize, row: usize) -> Option<&[f32]> {
        let Answers { task, probabilities, .. } = self.tasks.get(task)?;
        let (item, labels) = (self.item_of(row)?, task.labels.len());
        probabilities.get(item * labels..(item + 1) * labels)
    }

    /// Whether what is said of a row's label for a task is what the network has learnt from that label.
    pub fn is_by_heart(&self, task: usize, row: usize) -> bool {
        self.tasks.get(task).is_some_and(|answers| answers.is_network)
            && self.item_of(row).is_some_and(|item| self.trained.get(item) == Some(&true))
    }

    /// Whether there may be rows that [`Suggestions::is_by_heart`] holds for.
    pub fn knows_by_heart(&self) -> bool {
        let has_answers = |answers: &Answers| answers.is_network && !answers.probabilities.is_empty();
        !self.trained.is_empty() && self.tasks.iter().any(has_answers)
    }

    /// Per task how often heads that were [learnt anew](Self::updated) from these labels are right about them;
    /// `None` where there are no such heads. `labels` is as there.
    pub fn scores(&self, labels: &[Vec<Option<u32>>]) -> Vec<Option<Score>> {
        let score = |(task, labels): (usize, &Vec<Option<u32>>)| {
            if self.tasks.get(task)?.is_network {
                return None;
            }
            let mut score = Score { right: 0, of: 0 };
            for row in self.rows.iter() {
                let (Some(label), Some((top, _))) =
                    (labels.get(*row).copied().flatten(), self.top(task, *row))
                else {
                    continue;
                };
                score.of += 1;
                score.right += usize::from(top == label);
            }
            Some(score)
        };
        labels.iter().enumerate().map(score).collect()
    }

    /// Whether something is said of a task.
    pub fn has_task(&self, task: usize) -> bool {
        self.tasks.get(task).is_some_and(|answers| !answers.probabilities.is_empty())
    }

    /// Per item the row, ascending; items are positions in [`Suggestions::features`].
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The item of a row; `None` without output.
    pub fn item_of(&self, row: usize) -> Option<usize> {
        self.items.get(row).copied().flatten().map(|item| item as usize)
    }

    /// `[items, D]`; empty where outputs came without features.
    pub fn features(&self) -> &Features {
        &self.features
    }
}

/// Whether labels of one task suffice to fit heads.
fn is_enough(labels: &[Option<u32>], count: usize) -> bool {
    let mut occur = vec![0; count];
    for label in labels.iter().flatten() {
        // A label that the task does not have is named by the fit.
        occur.resize(occur.len().max(*label as usize + 1), 0);
        occur[*label as usize] += 1;
    }
    let of_each = if occur.iter().sum::<usize>() >= FIRST { OF_EACH_OF_FIRST } else { OF_EACH };
    occur.into_iter().filter(|count| *count >= of_each).count() >= LABELS
}

/// `[picked, labels of task]` of the probabilities for `known`; empty where no label is common to both.
fn in_terms_of(task: &Task, known: &Task, all: &[f32], picked: &[usize]) -> Vec<f32> {
    let place = |label: &String| known.labels.iter().position(|other| other == label);
    let places: Vec<Option<usize>> = task.labels.iter().map(place).collect();
    if places.iter().all(Option::is_none) {
        return Vec::new();
    }
    let count = known.labels.len();
    let mut probabilities = Vec::with_capacity(picked.len() * places.len());
    for item in picked {
        let said = &all[item * count..(item + 1) * count];
        probabilities.extend(places.iter().map(|place| place.map_or(0.0, |place| said[place])));
    }
    probabilities
}

#[cfg(test)]
mod tests;
