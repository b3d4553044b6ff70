//! A model's suggestions for every row of a dataset: at first those of a run's network, then of heads that are
//! refitted on its features when enough labels have changed.

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

/// Minimum number of occurring labels of a task for fitting a head.
const LABELS: usize = 2;
/// How often each of them must occur: most cross-validation heads then see three of each.
const OF_EACH: usize = 4;
/// From this many labelled images of a task on, twice is enough, because the user sees how good the result is.
const FIRST: usize = 10;
const OF_EACH_OF_FIRST: usize = 2;

/// Out-of-sample accuracy of heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Number of correctly predicted images.
    pub right: usize,
    /// Number of labelled images.
    pub of: usize,
}

/// Suggestions for the rows of a dataset. Items are the rows that have outputs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Suggestions {
    /// Per item the row, ascending.
    rows: Arc<Vec<usize>>,
    /// Per row the item.
    items: Arc<Vec<Option<u32>>>,
    /// One per task, in the order of the dataset.
    tasks: Vec<Answers>,
    features: Features,
    /// Per item whether the network may have been trained on it; empty if on none.
    trained: Arc<Vec<bool>>,
}

/// Suggestions for one task.
#[derive(Clone, Debug)]
struct Answers {
    task: Task,
    /// Probabilities `[items, labels]`; empty if the model does not know the task.
    probabilities: Arc<Vec<f32>>,
    /// Whether these come from the network itself instead of out-of-sample heads.
    is_network: bool,
}

impl Suggestions {
    /// From the network of a run. Rows are matched with outputs by image path, tasks by name and labels by text: a
    /// label that the network does not know gets 0, and a task without known labels gets no suggestions.
    pub fn of_outputs(dataset: &Dataset, outputs: &Outputs) -> Self {
        let places = outputs.places();
        let mut items = vec![None; dataset.rows.len()];
        let mut rows = Vec::new();
        let mut picked = Vec::new();
        for (row, item) in items.iter_mut().enumerate() {
            if let Some(place) = places.get(&*dataset.rows[row].image) {
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
        // Outputs made by tests may lack features.
        let features =
            if outputs.features.is_empty() { Features::default() } else { outputs.features.pick(&picked) };
        let trained = Arc::default();
        Self { rows: Arc::new(rows), items: Arc::new(items), tasks, features, trained }
    }

    /// Sets the rows that the network was trained on, whose labels it may have memorised. If the run does not tell
    /// (`None`), that may be any row.
    pub fn knowing(self, seen: Option<&Seen>) -> Self {
        let has_trained = |row: &usize| {
            seen.is_none_or(|seen| seen.parts.get(*row).copied().flatten() == Some(Part::Train))
        };
        let trained: Vec<bool> = self.rows.iter().map(has_trained).collect();
        let trained = if trained.contains(&true) { trained } else { Vec::new() };
        Self { trained: Arc::new(trained), ..self }
    }

    /// Refits heads on the features from the current labels (`labels[task][row]`, in the order of `tasks`), and
    /// returns out-of-sample probabilities: a labelled row is predicted by heads that did not see its label, any
    /// other by heads that saw all. A task is fitted once two of its labels occur four times each, or twice if ten
    /// images have any; otherwise its previous suggestions stay. `keep_going` gets (done, of); `None` if it
    /// cancelled.
    ///
    /// # Errors
    /// `labels` does not fit the tasks or the rows, or out of memory.
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

    /// The previous suggestions for a task, whose labels may have changed.
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

    /// Probabilities of the labels of a task; `None` without output.
    pub fn probabilities(&self, task: usize, row: usize) -> Option<&[f32]> {
        let Answers { task, probabilities, .. } = self.tasks.get(task)?;
        let (item, labels) = (self.item_of(row)?, task.labels.len());
        probabilities.get(item * labels..(item + 1) * labels)
    }

    /// Whether the network may have memorised a row's label for a task.
    pub(crate) fn is_by_heart(&self, task: usize, row: usize) -> bool {
        self.tasks.get(task).is_some_and(|answers| answers.is_network)
            && self.item_of(row).is_some_and(|item| self.trained.get(item) == Some(&true))
    }

    /// Whether [`Suggestions::is_by_heart`] can be true for any row.
    pub fn knows_by_heart(&self) -> bool {
        let has_answers = |answers: &Answers| answers.is_network && !answers.probabilities.is_empty();
        !self.trained.is_empty() && self.tasks.iter().any(has_answers)
    }

    /// Out-of-sample accuracy per task of heads that were [refitted](Self::updated) to these labels; `None` without
    /// such heads. `labels` as there.
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

    /// Whether there are suggestions for a task.
    pub fn has_task(&self, task: usize) -> bool {
        self.tasks.get(task).is_some_and(|answers| !answers.probabilities.is_empty())
    }

    /// Per item the row, ascending; items are indices into [`Suggestions::features`].
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The item of a row; `None` without output.
    pub fn item_of(&self, row: usize) -> Option<usize> {
        self.items.get(row).copied().flatten().map(|item| item as usize)
    }

    /// `[items, D]`; empty if the outputs have no features.
    pub fn features(&self) -> &Features {
        &self.features
    }
}

/// Whether the labels of one task suffice to fit a head.
fn is_enough(labels: &[Option<u32>], count: usize) -> bool {
    let mut occur = vec![0; count];
    for label in labels.iter().flatten() {
        // An invalid label is reported by the fit.
        occur.resize(occur.len().max(*label as usize + 1), 0);
        occur[*label as usize] += 1;
    }
    let of_each = if occur.iter().sum::<usize>() >= FIRST { OF_EACH_OF_FIRST } else { OF_EACH };
    occur.into_iter().filter(|count| *count >= of_each).count() >= LABELS
}

/// `[picked, labels of task]` from the probabilities for `known`; empty if there is no common label.
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
