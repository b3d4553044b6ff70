//! What came of a study.

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tasklens_data::text::counted;

use super::{PlannedRun, Scope, StudyPlan};
use crate::evaluation::intervals::{Estimate, Z};
use crate::training::events::{LabelledImages, nan_as_null};
use crate::training::run_folder::{self, RunRecord};

/// The 97.5 % points of Student's t distribution with 1, 2, .. degrees of freedom.
const T: [f64; 15] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
];

/// What a study found: accuracies, times and neighbours, by task and network.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// What makes the comparison less fair than it should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// A task in both kinds of networks: accuracies on the rows that validate, 0 to 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskResult {
    /// The name of the task.
    pub task: String,
    /// Of the network for all tasks, by seed.
    #[serde(with = "nan_as_null")]
    pub all: Vec<f64>,
    /// Of the network for this task alone, by seed.
    #[serde(with = "nan_as_null")]
    pub single: Vec<f64>,
}

/// Seconds per image, decoding left out: the median of some rounds in turn.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
        let mut labels = Labels::default();
        for run in runs {
            let record = RunRecord::open(&run.folder)?;
            let accuracies = kept_accuracies(run, &record)?;
            labels.follow(run, &record);
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
            notices: labels.notices,
        })
    }
}

/// Per task of a run, of the epoch whose weights it keeps.
fn kept_accuracies(run: &PlannedRun, record: &RunRecord) -> anyhow::Result<Vec<f64>> {
    let kept = record.kept_epoch().with_context(|| format!("{} kept no epoch", record.name))?;
    let accuracies = kept.validation.task_accuracy.clone();
    ensure!(accuracies.len() == run.config.model.tasks.len(), "{} has other tasks", record.name);
    Ok(accuracies)
}

impl StudyReport {
    /// What the differences in accuracy allow to say, in words.
    pub fn verdict(&self) -> String {
        if self.seeds.len() < 2 {
            return "One seed tells nothing of the spread: each of these differences may be chance."
                .to_owned();
        }
        let (mut better, mut worse, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for task in &self.tasks {
            let interval = over_seeds(&task.differences()).and_then(|(_, interval)| interval);
            match interval {
                Some(found) if found.low > 0.0 => better.push(task.task.as_str()),
                Some(found) if found.high < 0.0 => worse.push(task.task.as_str()),
                _ => open.push(task.task.as_str()),
            }
        }
        let about = |tasks: &[&str], what: &str| {
            (!tasks.is_empty()).then(|| format!("{what} in {}", tasks.join(", ")))
        };
        let clear: Vec<String> =
            about(&better, "more accurate").into_iter().chain(about(&worse, "less accurate")).collect();
        match (clear.is_empty(), open.is_empty()) {
            (true, _) => "The interval of each difference includes 0: all of them may be chance.".to_owned(),
            (false, true) => format!("The network for all tasks is {}.", clear.join(", and ")),
            (false, false) => format!(
                "The network for all tasks is {}. The difference in {} may be chance: its interval includes 0.",
                clear.join(", and "),
                open.join(", ")
            ),
        }
    }
}

/// Whether the networks of a seed were validated on the same labels: they may have been changed in between.
#[derive(Default)]
struct Labels {
    /// Of the network for all tasks of the seed in hand.
    of_all: Vec<LabelledImages>,
    notices: Vec<String>,
}

impl Labels {
    /// Compares a run for one task with that for all tasks before it.
    fn follow(&mut self, run: &PlannedRun, record: &RunRecord) {
        let own = record.started.as_ref().map_or(&[][..], |started| &started.validation_labels);
        match run.scope {
            Scope::All => self.of_all = own.to_vec(),
            Scope::One(task) => {
                let (Some(all), Some(own)) = (self.of_all.get(task), own.first()) else { return };
                if all != own {
                    let name = run.config.model.tasks.first().map_or("", |task| &task.name);
                    self.notices.push(format!(
                        "The labels of {name} were changed during the study: the network for all tasks was validated on \
                         {}, that for {name} alone on {} (seed {}). Make the study again to compare them fairly.",
                        counted(all.images, "image"),
                        counted(own.images, "image"),
                        run.seed
                    ));
                }
            }
        }
    }
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
pub fn over_seeds(values: &[f64]) -> Option<(f64, Option<Estimate>)> {
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
    use tasklens_data::config::Config;

    use super::*;
    use crate::training::events::Started;

    #[test]
    fn labels_that_changed_between_two_networks_of_a_seed_are_told() {
        let text =
            "{paths: {model_dataframe: a.csv}, model: {target_encoder: {print: [a, b], neck: [v, o]}}}";
        let config = Config::parse(text, std::path::Path::new("/p/config.yml")).unwrap();
        let runs = StudyPlan::new(config, None, 1, "study").unwrap().runs();
        let record = |images: &[usize]| {
            let validation_labels =
                images.iter().map(|images| LabelledImages { images: *images, most_common: 3 }).collect();
            let line = r#"{"run": "r", "device": "CPU", "precision": "fp32", "parameters": 1, "n_train": 8,
                "n_validation": 2, "tasks": [], "epochs": 1, "epochs_done": 0, "weights": ""}"#;
            let started = Started { validation_labels, ..serde_json::from_str(line).unwrap() };
            RunRecord { started: Some(started), ..RunRecord::default() }
        };
        let mut labels = Labels::default();
        labels.follow(&runs[0], &record(&[10, 9]));
        labels.follow(&runs[1], &record(&[10]));
        assert!(labels.notices.is_empty(), "{:?}", labels.notices);
        labels.follow(&runs[2], &record(&[8]));
        let [notice] = &labels.notices[..] else { panic!("{:?}", labels.notices) };
        assert!(
            notice.contains("The labels of neck were changed") && notice.contains("9 images"),
            "{notice}"
        );
    }

    #[test]
    fn a_difference_is_told_where_its_interval_is_clear_of_zero() {
        let task = |name: &str, all: [f64; 3], single: [f64; 3]| TaskResult {
            task: name.to_owned(),
            all: all.to_vec(),
            single: single.to_vec(),
        };
        let better = task("print", [0.90, 0.91, 0.92], [0.80, 0.80, 0.82]);
        let worse = task("neck", [0.70, 0.71, 0.72], [0.80, 0.80, 0.82]);
        let open = task("fit", [0.70, 0.81, 0.72], [0.71, 0.70, 0.82]);
        let verdict = |tasks: &[&TaskResult], seeds: usize| {
            let times =
                Times { batch: 1, all: 1.0, single: 1.0, all_one_by_one: 1.0, single_one_by_one: 1.0 };
            let tasks = tasks.iter().map(|task| (*task).clone()).collect();
            let (seeds, neighbours, runs, notices) =
                ((0..seeds as u64).collect(), Vec::new(), Vec::new(), Vec::new());
            StudyReport { epochs: 1, seeds, tasks, times, neighbours, runs, notices }.verdict()
        };
        assert!(verdict(&[&better], 1).contains("One seed tells nothing"));
        assert_eq!(
            verdict(&[&better, &worse, &open], 3),
            "The network for all tasks is more accurate in print, and less accurate in neck. The difference in fit may \
             be chance: its interval includes 0."
        );
        assert_eq!(verdict(&[&better], 3), "The network for all tasks is more accurate in print.");
        assert!(verdict(&[&open], 3).contains("all of them may be chance"));
    }

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
