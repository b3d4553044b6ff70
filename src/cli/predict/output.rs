//! Where predictions go: a line or a JSON object for each image as it is done, or a CSV or Parquet file at the end.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tasklens_data::config::Task;
use tasklens_data::files;
use tasklens_net::inference::{Prediction, Predictor};

use super::inputs::{Inputs, Source};
use super::shard::{self, Shard};
use super::table;
use crate::cli::arguments::Predict;
use crate::cli::output;
use crate::cli::progress::Bar;

/// Takes the answers in their order, and writes each where it was asked for.
pub struct Answers<'a> {
    tasks: Vec<Task>,
    inputs: &'a Inputs,
    form: Form,
    /// The items that are asked for.
    items: std::ops::Range<usize>,
    images: usize,
    failures: usize,
}

enum Form {
    Lines,
    Json,
    /// With the answer to each item so far.
    Csv(files::Output, AllAnswers),
    /// With what the file is made of, and the answer to each item so far.
    Parquet(PathBuf, (&'static str, String), AllAnswers),
}

/// Per item its answer, once there is one.
type AllAnswers = Vec<Option<Result<Prediction, String>>>;

/// Where answers are to go.
pub enum Target {
    Lines,
    Json,
    Csv(files::Output),
    Parquet(PathBuf),
}

impl Target {
    /// What was asked for.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub fn of(arguments: &Predict) -> anyhow::Result<Self> {
        match (&arguments.csv, &arguments.out) {
            (Some(file), _) => Ok(Self::Csv(output("--csv", file)?)),
            (_, Some(file)) => match output("--out", file)? {
                files::Output::File(path) => Ok(Self::Parquet(path)),
                _ => bail!("--out {}: Parquet needs a file; name one", file.display()),
            },
            _ if arguments.json => Ok(Self::Json),
            _ => Ok(Self::Lines),
        }
    }
}

impl<'a> Answers<'a> {
    /// For a part of these inputs; those that there is no image for are answered at once. `None` where the answers are
    /// there already.
    ///
    /// # Errors
    /// There is another file in the place of the answers, or the weights cannot be read.
    pub fn new(
        predictor: &Predictor,
        inputs: &'a Inputs,
        target: Target,
        part: Shard,
    ) -> anyhow::Result<Option<Self>> {
        let none_yet = || (0..inputs.items.len()).map(|_| None).collect();
        let form = match target {
            Target::Lines => Form::Lines,
            Target::Json => Form::Json,
            Target::Csv(output) => Form::Csv(output, none_yet()),
            Target::Parquet(path) => {
                let origin = shard::origin(predictor, inputs, part)?;
                if shard::is_there(&path, &origin)? {
                    out!("{} has these answers already", path.display());
                    tell_misfit(&path, &origin);
                    return Ok(None);
                }
                Form::Parquet(path, origin, none_yet())
            }
        };
        let (tasks, items) = (predictor.tasks().to_vec(), part.range(inputs.items.len()));
        let mut answers = Self { tasks, inputs, form, items, images: 0, failures: 0 };
        let bar = Bar::new("");
        for (item, of) in inputs.items.iter().enumerate() {
            if let Source::Nothing(why) = &of.source
                && answers.has(item)
            {
                answers.add(&bar, item, Err(why.clone()));
            }
        }
        Ok(Some(answers))
    }

    /// Whether an item is asked for.
    pub fn has(&self, item: usize) -> bool {
        self.items.contains(&item)
    }

    /// Whether each answer is printed.
    pub fn are_printed(&self) -> bool {
        matches!(self.form, Form::Lines | Form::Json)
    }

    /// Tells what is worth knowing of how an image was read.
    pub fn tell(&self, bar: &Bar, note: Option<&str>) {
        if let Some(note) = note {
            bar.line(&format!("warning: {note}"));
        }
    }

    /// Takes one image's prediction, or why there is none.
    pub fn add(&mut self, bar: &Bar, item: usize, result: Result<Prediction, String>) {
        self.images += 1;
        let name = &self.inputs.items[item].name;
        if let Err(message) = &result {
            self.failures += 1;
            if !matches!(self.form, Form::Json) {
                bar.line(&format!("warning: {message}"));
            }
        }
        match &mut self.form {
            Form::Csv(_, answers) | Form::Parquet(_, _, answers) => answers[item] = Some(result),
            Form::Json => bar.result(&self.json(item, &result).to_string()),
            Form::Lines => {
                if let Ok(prediction) = &result {
                    bar.result(&line(name, &self.tasks, prediction));
                }
            }
        }
    }

    /// Writes the file, if one was asked for; `false` where an image failed. `is_whole`: nothing was left out.
    ///
    /// # Errors
    /// It cannot be written, or there is not one prediction.
    pub fn finish(self, is_whole: bool) -> anyhow::Result<bool> {
        if let Form::Parquet(path, origin, answers) = &self.form {
            if !is_whole {
                say!("note: {} is not written, as it would not be whole", path.display());
                return Ok(false);
            }
            let items = self.items.clone();
            files::replace_with(path, |sink| {
                table::parquet(sink, &self.tasks, self.inputs, answers, items, origin)
            })
            .with_context(|| format!("cannot write to {}", path.display()))?;
            if let Some(note) = table::renamed(&self.tasks, self.inputs) {
                say!("note: {note}");
            }
            tell_misfit(path, origin);
            out!("{} of {} images in {}", self.images - self.failures, self.images, path.display());
            // Others of the parts may have images that can be read.
            return Ok(self.failures == 0);
        }
        if let Form::Csv(output, answers) = &self.form {
            let (bytes, notes) = table::csv(&self.tasks, self.inputs, answers)?;
            for note in notes {
                say!("note: {note}");
            }
            output.write(&bytes).with_context(|| format!("cannot write to {output}"))?;
            out!("{} of {} images in {output}", self.images - self.failures, self.images);
        }
        if self.images > 0 && self.failures == self.images {
            bail!("no image could be read");
        }
        Ok(self.failures == 0)
    }

    /// `{"image": …, "row": {…}, "tasks": {"print": {"label": …, "probability": …, "probabilities": {…}}}}`, where
    /// `row` is that of the CSV, if the image comes from one; with `error` in the place of `tasks` where it failed.
    fn json(&self, item: usize, result: &Result<Prediction, String>) -> serde_json::Value {
        let of = &self.inputs.items[item];
        let mut object = serde_json::Map::new();
        object.insert("image".to_owned(), of.name.as_str().into());
        if let Some((table, row)) = of.row {
            let (table, _) = &self.inputs.tables[table];
            let cells = table.headers.iter().enumerate();
            let cells = cells.map(|(column, header)| (header.clone(), (*table.cell(row, column)).into()));
            object.insert("row".to_owned(), serde_json::Value::Object(cells.collect()));
        }
        match result {
            Ok(prediction) => object.insert("tasks".to_owned(), tasks_json(&self.tasks, prediction)),
            Err(message) => object.insert("error".to_owned(), message.as_str().into()),
        };
        serde_json::Value::Object(object)
    }
}

/// Says so where a part of another list is beside this one.
fn tell_misfit(path: &Path, origin: &(&'static str, String)) {
    if let Some(other) = shard::misfit(path, origin) {
        say!(
            "warning: {} is a part of another list of images, or by other weights: together they lack images, or have some \
             twice; run all parts again",
            other.display()
        );
    }
}

/// `dress.jpg  print striped 0.93  sleeves long_sleeve 0.98`
pub fn line(name: &str, tasks: &[Task], prediction: &Prediction) -> String {
    let mut line = name.to_owned();
    for (i, task) in tasks.iter().enumerate() {
        let (label, probability) = prediction.top(i);
        line += &format!("  {} {} {probability:.2}", task.name, task.labels[label]);
    }
    line
}

/// `{"print": {"label": ..., "probability": ..., "probabilities": {...}}}`
pub fn tasks_json(tasks: &[Task], prediction: &Prediction) -> serde_json::Value {
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
    serde_json::Value::Object(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_tell_the_same() {
        let tasks = [Task { name: "print".into(), labels: vec!["solid".into(), "striped".into()] }];
        let prediction = Prediction { probabilities: vec![vec![0.25, 0.75]] };
        assert_eq!(line("a.jpg", &tasks, &prediction), "a.jpg  print striped 0.75");
        let json = tasks_json(&tasks, &prediction);
        assert_eq!(json["print"]["label"], "striped");
        assert_eq!(json["print"]["probabilities"]["solid"], 0.25);
    }
}
