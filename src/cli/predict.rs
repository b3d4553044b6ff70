//! `tasklens predict`: images, folders, CSVs and URLs through a trained model.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::arguments::Predict;
use super::interrupt::{self, Flag};
use super::progress::Bar;
use crate::config::Task;
use crate::dataset::create::find_images;
use crate::dataset::propose::{Role, propose_config};
use crate::dataset::table::Table;
use crate::dataset::{Row, TableImages};
use crate::files;
use crate::images::{decode, fetch};
use crate::inference::stream::{Answer, predict_rows};
use crate::inference::{Prediction, Predictor};

pub fn run(arguments: &Predict) -> anyhow::Result<bool> {
    let stop = interrupt::flag()?;
    let predictor = Predictor::open(&arguments.model, arguments.device)?;
    let (urls, local): (Vec<_>, Vec<_>) = arguments.inputs.iter().partition(|input| is_url(input));
    let mut files = Files::default();
    for input in local {
        collect(Path::new(input), &predictor, &stop, &mut files)?;
    }
    if let Some(csv) = &arguments.csv {
        ensure!(!csv.is_dir(), "--csv {}: that is a folder; name a file", csv.display());
        let input = arguments.inputs.iter().any(|input| Path::new(input) == csv);
        ensure!(!input, "--csv {}: that is an input; name another file", csv.display());
    }
    let mut output = Output::new(arguments, &predictor);
    predict_files(&predictor, &files, arguments, &stop, &mut output)?;
    for url in urls {
        if !stop.is_set() {
            predict_url(&predictor, url, &stop, &mut output)?;
        }
    }
    let complete = output.finish()?;
    if stop.is_set() {
        eprintln!("stopped: not all images were predicted");
    }
    Ok(complete && !stop.is_set())
}

fn is_url(input: &str) -> bool {
    input.starts_with("http://") || input.starts_with("https://")
}

/// The files to predict, in order.
#[derive(Default)]
struct Files {
    paths: Vec<PathBuf>,
    /// The CSVs that some of them are from, each with the place of its first.
    tables: Vec<(usize, TableImages)>,
}

impl Files {
    /// What to tell of a file that cannot be read.
    fn explain(&self, file: usize, message: String) -> String {
        let table =
            self.tables.iter().rfind(|(first, table)| (*first..first + table.paths.len()).contains(&file));
        table.map(|(first, table)| table.explain(file - first, &message)).unwrap_or(message)
    }
}

/// The image files that an input means.
fn collect(input: &Path, predictor: &Predictor, stop: &Flag, files: &mut Files) -> anyhow::Result<()> {
    ensure!(input.exists(), "{} does not exist", input.display());
    if input.is_dir() {
        let found = find_images(input, &mut |_| !stop.is_set())?;
        for notice in &found.notices {
            eprintln!("note: {}: {notice}", input.display());
        }
        ensure!(
            !found.images.is_empty(),
            "{} holds no images ({})",
            input.display(),
            decode::ENDINGS.join(", ")
        );
        files.paths.extend(found.images.iter().map(|image| input.join(image)));
    } else if input.extension().is_some_and(|e| ["csv", "tsv"].iter().any(|csv| e.eq_ignore_ascii_case(csv)))
    {
        let images = images_of_csv(input, predictor)?;
        for note in &images.notes {
            eprintln!("note: {note}");
        }
        files.paths.extend_from_slice(&images.paths);
        files.tables.push((files.paths.len() - images.paths.len(), images));
    } else {
        files.paths.push(input.to_path_buf());
    }
    Ok(())
}

/// The images of a CSV: from the column that the model was trained with, else from the one that looks
/// like image paths.
fn images_of_csv(csv: &Path, predictor: &Predictor) -> anyhow::Result<TableImages> {
    let table = Table::open(csv)?;
    let config = &predictor.description().config;
    let trained_with = crate::config::Config::parse(config, csv).ok();
    let column = match trained_with.as_ref().and_then(|config| table.column(&config.model.path_column)) {
        Some(column) => column,
        None => {
            let guess = propose_config(csv)?;
            let place = guess.columns.iter().position(|column| column.role == Role::Path);
            place.with_context(|| format!("{} has no column of image paths", csv.display()))?
        }
    };
    Ok(TableImages::of(&table, column, trained_with.as_ref()))
}

fn predict_files(
    predictor: &Predictor,
    files: &Files,
    arguments: &Predict,
    stop: &Flag,
    output: &mut Output,
) -> anyhow::Result<()> {
    let names: Vec<String> = files.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let row = |image: &PathBuf| Row { image: image.clone(), labels: Vec::new(), usable: true };
    let rows: Vec<Row> = files.paths.iter().map(row).collect();
    let which: Vec<usize> = (0..rows.len()).collect();
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut bar = Bar::new("predicting");
    let mut failed = None;
    let mut done = 0_u64;
    predict_rows(predictor, rows, &which, (usize::from(arguments.batch_size), workers), &mut |answer| {
        let Answer { row, result, note } = answer;
        done += 1;
        let result = result.map_err(|message| files.explain(row, message));
        warn(&bar, note.as_deref());
        if let Err(error) = output.add(&bar, &names[row], result) {
            failed = Some(error);
            return false;
        }
        bar.set(done, which.len() as u64);
        !stop.is_set()
    })?;
    bar.finish();
    failed.map_or(Ok(()), Err)
}

fn predict_url(predictor: &Predictor, url: &str, stop: &Flag, output: &mut Output) -> anyhow::Result<()> {
    let bar = Bar::new("fetching");
    let image = fetch::fetch(url, &|| !stop.is_set())
        .and_then(|bytes| decode::decode_bytes(&bytes, url).map_err(anyhow::Error::from));
    let result = match image {
        Err(error) => Err(format!("{error:#}")),
        Ok(image) => {
            warn(&bar, image.note());
            Ok(predictor.predict(&[image.into_rgb()])?.remove(0))
        }
    };
    bar.finish();
    output.add(&bar, url, result)
}

/// Tells what is worth knowing of how an image was read.
fn warn(bar: &Bar, note: Option<&str>) {
    if let Some(note) = note {
        bar.line(&format!("warning: {note}"));
    }
}

/// Where predictions go.
struct Output {
    tasks: Vec<Task>,
    form: Form,
    images: usize,
    failures: usize,
}

enum Form {
    Lines,
    Json,
    Csv { file: PathBuf, writer: Box<csv::Writer<Vec<u8>>> },
}

impl Output {
    fn new(arguments: &Predict, predictor: &Predictor) -> Self {
        let form = match (&arguments.csv, arguments.json) {
            (Some(file), _) => {
                Form::Csv { file: file.clone(), writer: Box::new(csv::Writer::from_writer(Vec::new())) }
            }
            (None, true) => Form::Json,
            (None, false) => Form::Lines,
        };
        Self { tasks: predictor.tasks().to_vec(), form, images: 0, failures: 0 }
    }

    /// Takes one image's prediction, or why there is none.
    fn add(&mut self, bar: &Bar, name: &str, result: Result<Prediction, String>) -> anyhow::Result<()> {
        self.images += 1;
        let prediction = match result {
            Ok(prediction) => prediction,
            Err(message) => {
                self.failures += 1;
                if matches!(self.form, Form::Json) {
                    bar.result(&serde_json::json!({ "image": name, "error": message }).to_string());
                } else {
                    bar.line(&format!("warning: {message}"));
                }
                return Ok(());
            }
        };
        match &mut self.form {
            Form::Lines => bar.result(&line(name, &self.tasks, &prediction)),
            Form::Json => bar.result(&json(name, &self.tasks, &prediction).to_string()),
            Form::Csv { writer, .. } => {
                if self.images - self.failures == 1 {
                    writer.write_record(header(&self.tasks))?;
                }
                writer.write_record(record(name, &self.tasks, &prediction))?;
            }
        }
        Ok(())
    }

    /// Writes the CSV, if one was asked for; `false` where an image failed.
    fn finish(self) -> anyhow::Result<bool> {
        if self.images > 0 && self.failures == self.images {
            bail!("no image could be read");
        }
        if let Form::Csv { file, writer } = self.form {
            let bytes = writer.into_inner().map_err(|error| error.into_error())?;
            files::replace(&file, &bytes).with_context(|| format!("cannot write {}", file.display()))?;
            out!("{} of {} images in {}", self.images - self.failures, self.images, file.display());
        }
        Ok(self.failures == 0)
    }
}

/// `dress.jpg  print striped 0.93  sleeves long_sleeve 0.98`
fn line(name: &str, tasks: &[Task], prediction: &Prediction) -> String {
    let mut line = name.to_owned();
    for (i, task) in tasks.iter().enumerate() {
        let (label, probability) = prediction.top(i);
        line += &format!("  {} {} {probability:.2}", task.name, task.labels[label]);
    }
    line
}

/// `{"image": …, "tasks": {"print": {"label": …, "probability": …, "probabilities": {…}}}}`
fn json(name: &str, tasks: &[Task], prediction: &Prediction) -> serde_json::Value {
    let mut answers = serde_json::Map::new();
    for (i, task) in tasks.iter().enumerate() {
        let (label, probability) = prediction.top(i);
        let all: serde_json::Map<_, _> = task
            .labels
            .iter()
            .cloned()
            .zip(prediction.probabilities[i].iter().map(|p| (*p).into()))
            .collect();
        let answer = serde_json::json!({
            "label": task.labels[label], "probability": probability, "probabilities": all
        });
        answers.insert(task.name.clone(), answer);
    }
    serde_json::json!({ "image": name, "tasks": answers })
}

/// `image_path`, then per task its label and every label's probability.
fn header(tasks: &[Task]) -> Vec<String> {
    let mut header = vec!["image_path".to_owned()];
    for task in tasks {
        header.push(task.name.clone());
        header.extend(task.labels.iter().map(|label| format!("{}:{label}", task.name)));
    }
    header
}

fn record(name: &str, tasks: &[Task], prediction: &Prediction) -> Vec<String> {
    let mut record = vec![name.to_owned()];
    for (i, task) in tasks.iter().enumerate() {
        record.push(task.labels[prediction.top(i).0].clone());
        record.extend(prediction.probabilities[i].iter().map(|p| format!("{p:.6}")));
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks() -> Vec<Task> {
        vec![Task { name: "print".into(), labels: vec!["solid".into(), "striped".into()] }]
    }

    #[test]
    fn every_form_tells_the_same() {
        let prediction = Prediction { probabilities: vec![vec![0.25, 0.75]] };
        assert_eq!(line("a.jpg", &tasks(), &prediction), "a.jpg  print striped 0.75");
        assert_eq!(header(&tasks()), ["image_path", "print", "print:solid", "print:striped"]);
        assert_eq!(record("a.jpg", &tasks(), &prediction), ["a.jpg", "striped", "0.250000", "0.750000"]);
        let json = json("a.jpg", &tasks(), &prediction);
        assert_eq!(json["tasks"]["print"]["label"], "striped");
        assert_eq!(json["tasks"]["print"]["probabilities"]["solid"], 0.25);
    }
}
