//! `tasklens predict`: images, folders, CSVs and URLs through a trained model.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::arguments::Predict;
use super::interrupt::{self, Flag};
use super::progress::Bar;
use super::stdout;
use crate::config::Task;
use crate::dataset::Row;
use crate::dataset::propose::{Role, propose_config};
use crate::dataset::table::Table;
use crate::files;
use crate::images::{decode, fetch};
use crate::inference::stream::{Answer, predict_rows};
use crate::inference::{Prediction, Predictor};

pub fn run(arguments: &Predict) -> anyhow::Result<bool> {
    let stop = interrupt::flag()?;
    let predictor = Predictor::open(&arguments.model, arguments.device)?;
    let (urls, local): (Vec<_>, Vec<_>) = arguments.inputs.iter().partition(|input| is_url(input));
    let mut files = Vec::new();
    for input in local {
        collect(Path::new(input), &predictor, &mut files)?;
    }
    if let Some(csv) = &arguments.csv {
        let input = arguments.inputs.iter().any(|input| Path::new(input) == csv);
        ensure!(!input, "--csv {}: that is an input; name another file", csv.display());
    }
    let mut output = Output::new(arguments, &predictor)?;
    predict_files(&predictor, files, arguments, &stop, &mut output)?;
    for url in urls {
        if !stop.is_set() {
            predict_url(&predictor, url, &stop, &mut output)?;
        }
    }
    let complete = output.finish()?;
    if stop.is_set() {
        say!("stopped: not all images were predicted");
    }
    Ok(complete && !stop.is_set())
}

fn is_url(input: &str) -> bool {
    input.starts_with("http://") || input.starts_with("https://")
}

/// The image files that an input means.
fn collect(input: &Path, predictor: &Predictor, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    ensure!(input.exists(), "{} does not exist", input.display());
    if input.is_dir() {
        let before = files.len();
        images_below(input, files)?;
        ensure!(files.len() > before, "{} holds no images ({})", input.display(), decode::ENDINGS.join(", "));
    } else if input.extension().is_some_and(|e| ["csv", "tsv"].iter().any(|csv| e.eq_ignore_ascii_case(csv)))
    {
        files.extend(images_of_csv(input, predictor)?);
    } else {
        files.push(input.to_path_buf());
    }
    Ok(())
}

fn images_below(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let read = || -> std::io::Result<Vec<_>> {
        let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        Ok(entries)
    };
    for entry in read().with_context(|| format!("cannot read the folder {}", folder.display()))? {
        let path = entry.path();
        // Not through links: they can lead in circles.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            images_below(&path, files)?;
        } else if decode::has_image_ending(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// The images of a CSV: from the column that the model was trained with, else from the one that looks
/// like image paths.
fn images_of_csv(csv: &Path, predictor: &Predictor) -> anyhow::Result<Vec<PathBuf>> {
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
    // Beside the CSV, else where the images were that the model was trained with.
    let beside = csv.parent().unwrap_or(Path::new("."));
    let images = trained_with.map(|config| config.paths.images);
    let find = |cell: String| {
        let own = beside.join(&cell);
        let other = images.as_ref().map(|folder| folder.join(&cell)).filter(|path| path.exists());
        if own.exists() { own } else { other.unwrap_or(own) }
    };
    let cells = (0..table.row_count()).map(|row| table.cell(row, column).trim().to_owned());
    Ok(cells.filter(|cell| !cell.is_empty()).map(find).collect())
}

fn predict_files(
    predictor: &Predictor,
    files: Vec<PathBuf>,
    arguments: &Predict,
    stop: &Flag,
    output: &mut Output,
) -> anyhow::Result<()> {
    let names: Vec<String> = files.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let rows: Vec<Row> =
        files.into_iter().map(|image| Row { image, labels: Vec::new(), usable: true }).collect();
    let which: Vec<usize> = (0..rows.len()).collect();
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut bar = Bar::new("predicting");
    let mut failed = None;
    let mut done = 0_u64;
    predict_rows(predictor, rows, &which, (usize::from(arguments.batch_size), workers), &mut |answer| {
        let Answer { row, result } = answer;
        done += 1;
        if let Err(error) = output.add(&bar, &names[row], result) {
            failed = Some(error);
            return false;
        }
        bar.set(done, which.len() as u64);
        if done.is_multiple_of(u64::from(arguments.batch_size)) {
            stdout::flush();
        }
        // To go on would be for nobody.
        !stop.is_set() && !stdout::has_failed()
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
        Ok(image) => Ok(predictor.predict(&[image.into_rgb()])?.remove(0)),
    };
    bar.finish();
    output.add(&bar, url, result)
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
    Csv { output: files::Output, writer: Box<csv::Writer<Vec<u8>>> },
}

impl Output {
    fn new(arguments: &Predict, predictor: &Predictor) -> anyhow::Result<Self> {
        let form = match (&arguments.csv, arguments.json) {
            (Some(file), _) => Form::Csv {
                output: super::output("--csv", file)?,
                writer: Box::new(csv::Writer::from_writer(Vec::new())),
            },
            (None, true) => Form::Json,
            (None, false) => Form::Lines,
        };
        Ok(Self { tasks: predictor.tasks().to_vec(), form, images: 0, failures: 0 })
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
        if let Form::Csv { output, writer } = self.form {
            let bytes = writer.into_inner().map_err(|error| error.into_error())?;
            output.write(&bytes).with_context(|| format!("cannot write to {output}"))?;
            out!("{} of {} images in {output}", self.images - self.failures, self.images);
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

    #[test]
    fn a_folder_gives_its_images_in_order_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("b")).unwrap();
        for name in ["c.PNG", "a.jpg", "notes.txt", "b/d.webp"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let mut files = Vec::new();
        images_below(dir.path(), &mut files).unwrap();
        let expected = ["a.jpg", "b/d.webp", "c.PNG"].map(|name| dir.path().join(name));
        assert_eq!(files, expected);
    }
}
