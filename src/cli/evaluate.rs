//! `tasklens evaluate`: accuracy, per-label scores and confusion on labelled images.

use anyhow::{Context as _, ensure};

use super::arguments::Evaluate;
use super::progress::Bar;
use super::{interrupt, open_config};
use crate::config::Config;
use crate::dataset::{Dataset, problems};
use crate::evaluation::{Report, TaskReport, evaluate};
use crate::inference::Predictor;
use crate::training::run_folder::CONFIG;
use crate::training::split_file;

/// How many problems of a kind are listed.
const MOST_OF_KIND: usize = 5;

pub fn run(arguments: &Evaluate) -> anyhow::Result<bool> {
    let predictor = Predictor::open(&arguments.run, arguments.device)?;
    let config = config_of(arguments, &predictor)?;
    let dataset = Dataset::open(&config)?;
    ensure!(
        dataset.tasks == predictor.tasks(),
        "the tasks of {} are not those of the model {}",
        config.file.display(),
        predictor.path().display()
    );
    // A CSV that is named is measured whole; the run's own on the rows that it did not train with.
    let which: Vec<usize> = match arguments.csv {
        Some(_) => (0..dataset.rows.len()).filter(|&row| has_labels(&dataset, row)).collect(),
        // As they were when the run began, whatever the CSV holds by now.
        None => match split_file::read(&arguments.run, &dataset.rows)? {
            Some(split) => split.validation,
            None => dataset.split.validation.clone(),
        },
    };
    for line in problems::lines(&dataset.problems, MOST_OF_KIND) {
        eprintln!("{line}");
    }
    ensure!(!which.is_empty(), "{} has no labelled row", config.paths.model_dataframe.display());

    let stop = interrupt::flag()?;
    let mut bar = Bar::new("predicting");
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = (config.model.batch_size, workers);
    let report = evaluate(&predictor, dataset.rows, &which, threads, &mut |done, of| {
        bar.set(done as u64, of as u64);
        !stop.is_set()
    })?;
    bar.finish();
    for failure in &report.failures {
        eprintln!("warning: {failure}");
    }
    if arguments.json {
        out!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(report.failures.is_empty() && !stop.is_set())
}

fn has_labels(dataset: &Dataset, row: usize) -> bool {
    let row = &dataset.rows[row];
    !row.image.as_os_str().is_empty() && row.labels.iter().any(Option::is_some)
}

/// The config that the model was trained with, reading the CSV that is to be measured.
fn config_of(arguments: &Evaluate, predictor: &Predictor) -> anyhow::Result<Config> {
    let mut changes = Vec::new();
    if let Some(csv) = &arguments.csv {
        let csv = std::path::absolute(csv).with_context(|| format!("cannot find {}", csv.display()))?;
        let csv = csv.to_str().context("the path of the CSV is not UTF-8: rename it")?;
        changes.push(("paths.model_dataframe".to_owned(), serde_json::to_string(csv)?));
        // Its rows need not say train or validation.
        changes.push(("model.split_column".to_owned(), "null".to_owned()));
    }
    let file = arguments.run.join(CONFIG);
    if file.is_file() {
        return open_config(&file, &changes);
    }
    // A checkpoint by itself holds the config as used.
    let text = &predictor.description().config;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let file = folder.path().join(CONFIG);
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    open_config(&file, &changes)
}

fn print(report: &Report) {
    out!("{} images", report.images);
    for task in &report.tasks {
        out!(
            "\n{}  accuracy {}  loss {}  ({} rows)",
            task.task.name,
            score(task.accuracy),
            score(task.loss),
            task.rows
        );
        print_labels(task);
        print_confusion(task);
    }
}

fn score(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.3}") }
}

fn print_labels(task: &TaskReport) {
    let width = task.labels.iter().map(|l| l.label.chars().count()).max().unwrap_or(0).max(5);
    out!("  {:width$}  precision  recall     f1   rows", "label");
    for label in &task.labels {
        out!(
            "  {:width$}  {:>9}  {:>6}  {:>5}  {:>5}",
            label.label,
            score(label.precision),
            score(label.recall),
            score(label.f1),
            label.rows
        );
    }
}

/// The most frequent mistakes in words: a matrix does not fit a terminal.
fn print_confusion(task: &TaskReport) {
    let labels = &task.task.labels;
    let mut mistakes: Vec<(usize, &str, &str)> = Vec::new();
    for (actual, actual_label) in labels.iter().enumerate() {
        for (predicted, predicted_label) in labels.iter().enumerate() {
            let count = task.confusion.count(actual, predicted);
            if actual != predicted && count > 0 {
                mistakes.push((count, actual_label, predicted_label));
            }
        }
    }
    mistakes.sort_by(|a, b| b.cmp(a));
    for (count, actual, predicted) in mistakes.iter().take(5) {
        out!("  {count} x {actual} taken for {predicted}");
    }
}
