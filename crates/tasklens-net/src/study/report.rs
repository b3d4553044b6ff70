//! What came of a study.

use anyhow::{Context as _, ensure};
use serde::Serialize;

use super::{PlannedRun, Scope, StudyPlan};
use crate::evaluation::intervals::{Estimate, Z};
use crate::training::run_folder::{self, RunRecord};

/// The 97.5 % points of Student's t distribution with 1, 2, .. degrees of freedom.
const T: [f64; 15] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
];

/// What a study found: accuracies, times and neighbours, by task and network.
#[derive(Clone, Debug, Serialize)]
pub struct StudyReport {
    /// Epochs that each network was trained for at most.
    pub epochs: usize,
    /// The seeds of the runs, one per repetition.
    pub seeds: Vec<u64>,
    /// Per task, in the order of the config.
    pub tasks: Vec<TaskResult>,
    /// How long predictions take.
    pub times: Times,
    /// What the features of each network are good for.
    pub neighbours: Vec<NeighbourRow>,
    /// The names of the run folders, in the order of training.
    pub runs: Vec<String>,
}

/// A task in both kinds of networks: accuracies on the rows that validate, 0 to 1.
#[derive(Clone, Debug, Serialize)]
pub struct TaskResult {
    /// The name of the task.
    pub task: String,
    /// Of the network for all tasks, by seed.
    pub all: Vec<f64>,
    /// Of the network for this task alone, by seed.
    pub single: Vec<f64>,
}

/// Seconds per image, decoding left out: the median of some rounds in turn.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Times {
    /// Images in a batch.
    pub batch: usize,
    /// Of the network for all tasks, in batches.
    pub all: f64,
    /// Of the networks for one task each, together, in batches.
    pub single: f64,
    /// As `all`, one image at a time.
    pub all_one_by_one: f64,
    /// As `single`, one image at a time.
    pub single_one_by_one: f64,
}

/// How often the nearest training image has the label of a validation image.
#[derive(Clone, Debug, Serialize)]
pub struct NeighbourRow {
    /// Whose features they are: `all tasks`, or the name of a task.
    pub network: String,
    /// Per task (right, asked).
    pub accuracies: Vec<(usize, usize)>,
}

impl StudyReport {
    /// Reads the accuracies of the runs, which are over.
    pub(super) fn new(
        plan: &StudyPlan,
        runs: &[PlannedRun],
        times: Times,
        neighbours: Vec<NeighbourRow>,
    ) -> anyhow::Result<Self> {
        let mut tasks: Vec<TaskResult> = plan
            .tasks()
            .map(|task| TaskResult { task: task.to_owned(), all: Vec::new(), single: Vec::new() })
            .collect();
        for run in runs {
            let accuracies = kept_accuracies(run)?;
            match run.scope {
                Scope::All => {
                    tasks.iter_mut().zip(accuracies).for_each(|(task, value)| task.all.push(value));
                }
                Scope::One(task) => tasks[task].single.extend(accuracies),
            }
        }
        Ok(Self {
            epochs: plan.config.model.epochs,
            seeds: plan.seeds.clone(),
            tasks,
            times,
            neighbours,
            runs: runs.iter().map(|run| run_folder::name(&run.folder)).collect(),
        })
    }
}

/// Per task of a run, of the epoch whose weights it keeps.
fn kept_accuracies(run: &PlannedRun) -> anyhow::Result<Vec<f64>> {
    let record = RunRecord::open(&run.folder)?;
    let kept = record.kept_epoch().with_context(|| format!("{} kept no epoch", record.name))?;
    let accuracies = kept.validation.task_accuracy.clone();
    ensure!(accuracies.len() == run.config.model.tasks.len(), "{} has other tasks", record.name);
    Ok(accuracies)
}

impl TaskResult {
    /// How much better the network for all tasks is, by seed: 0.01 is one percentage point.
    pub fn differences(&self) -> Vec<f64> {
        self.all.iter().zip(&self.single).map(|(all, single)| all - single).collect()
    }
}

impl Times {
    /// How many times faster one network is than one for each task, in batches.
    pub fn ratio(&self) -> f64 {
        self.single / self.all
    }

    /// The same, one image at a time.
    pub fn ratio_one_by_one(&self) -> f64 {
        self.single_one_by_one / self.all_one_by_one
    }
}

/// The mean over seeds with its 95 % interval by Student's t distribution; without an interval where there is one
/// seed, which tells nothing of the spread. `None` of no values, or where one is no number (no row has a label).
pub(crate) fn over_seeds(values: &[f64]) -> Option<(f64, Option<Estimate>)> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let n = values.len() as f64;
    let value = values.iter().sum::<f64>() / n;
    if values.len() == 1 {
        return Some((value, None));
    }
    let variance = values.iter().map(|x| (x - value).powi(2)).sum::<f64>() / (n - 1.0);
    let half = T.get(values.len() - 2).copied().unwrap_or(Z) * (variance / n).sqrt();
    Some((value, Some(Estimate { value, low: value - half, high: value + half })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_over_seeds_is_students_and_one_seed_has_none() {
        assert_eq!(over_seeds(&[]), None);
        assert_eq!(over_seeds(&[0.9, f64::NAN]), None);
        assert_eq!(over_seeds(&[0.9]), Some((0.9, None)));
        // R: t.test(c(0.90, 0.92, 0.94)) gives 0.8703172 to 0.9696828.
        let (value, interval) = over_seeds(&[0.90, 0.92, 0.94]).unwrap();
        let interval = interval.unwrap();
        assert!((value - 0.92).abs() < 1e-12);
        assert!((interval.low - 0.870_317).abs() < 1e-5 && (interval.high - 0.969_683).abs() < 1e-5);
    }
}
