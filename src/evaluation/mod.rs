//! How good a model is: per task accuracy, per label precision and recall, and what is taken for what.

pub mod confusion;

use serde::Serialize;

use crate::config::Task;
use crate::dataset::Row;
use crate::inference::Predictor;
use crate::inference::stream::{Answer, predict_rows};
use confusion::Confusion;

/// The evaluation of a model on labelled rows.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One per task.
    pub tasks: Vec<TaskReport>,
    /// Images predicted.
    pub images: usize,
    /// Images that could not be read, with the message.
    pub failures: Vec<String>,
}

/// The evaluation of one task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskReport {
    /// The task with its labels.
    #[serde(flatten)]
    pub task: Task,
    /// Rows that have a label for it.
    pub rows: usize,
    /// Share of these that are right; NaN (`null`) without rows.
    pub accuracy: f64,
    /// Mean negative log of the probability of the right label.
    pub loss: f64,
    /// Per label, in their order.
    pub labels: Vec<LabelReport>,
    /// `[true][predicted]`: how many.
    pub confusion: Confusion,
}

/// The evaluation of one label.
#[derive(Clone, Debug, Serialize)]
pub struct LabelReport {
    /// The label.
    pub label: String,
    /// Rows that have it.
    pub rows: usize,
    /// Of the rows predicted as it, the share that have it; NaN where none is.
    pub precision: f64,
    /// Of the rows that have it, the share predicted as it; NaN where none has.
    pub recall: f64,
    /// Harmonic mean of both; 0 where both are.
    pub f1: f64,
}

/// Predicts `which` of `rows` and compares with their labels. `keep_going` gets (done, of).
///
/// # Errors
/// The device ran out of memory or failed. Images that cannot be read are in the report instead.
pub fn evaluate(
    predictor: &Predictor,
    rows: Vec<Row>,
    which: &[usize],
    threads: (usize, usize),
    keep_going: &mut dyn FnMut(usize, usize) -> bool,
) -> anyhow::Result<Report> {
    let tasks = predictor.tasks();
    let mut confusions: Vec<Confusion> = tasks.iter().map(|task| Confusion::new(task.labels.len())).collect();
    let mut losses = vec![0.0; tasks.len()];
    let mut failures = Vec::new();
    let mut done = 0;
    let labels: Vec<Vec<Option<u32>>> = rows.iter().map(|row| row.labels.clone()).collect();
    predict_rows(predictor, rows, which, threads, &mut |Answer { row, result }| {
        done += 1;
        match result {
            Err(message) => failures.push(message),
            Ok(prediction) => {
                for (task, label) in labels[row].iter().enumerate() {
                    let Some(label) = label.map(|label| label as usize) else { continue };
                    confusions[task].add(label, prediction.top(task).0);
                    // As Keras does, so that one certain mistake is not infinite.
                    let probability = f64::from(prediction.probabilities[task][label]).max(1e-7);
                    losses[task] -= probability.ln();
                }
            }
        }
        keep_going(done, which.len())
    })?;
    let images = done - failures.len();
    let reports = tasks.iter().zip(confusions).zip(losses);
    let tasks = reports.map(|((task, confusion), loss)| report(task, confusion, loss)).collect();
    Ok(Report { tasks, images, failures })
}

fn report(task: &Task, confusion: Confusion, loss: f64) -> TaskReport {
    let labels = task
        .labels
        .iter()
        .enumerate()
        .map(|(i, label)| LabelReport {
            label: label.clone(),
            rows: confusion.actual(i),
            precision: confusion.precision(i),
            recall: confusion.recall(i),
            f1: confusion.f1(i),
        })
        .collect();
    let rows = confusion.total();
    TaskReport {
        task: task.clone(),
        rows,
        accuracy: confusion.accuracy(),
        loss: if rows == 0 { f64::NAN } else { loss / rows as f64 },
        labels,
        confusion,
    }
}
