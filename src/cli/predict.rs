//! `tasklens predict`: images, folders, CSVs and URLs through a trained model.

mod inputs;
mod output;
mod shard;
mod table;
mod watch;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::dataset::create::find_images;
use tasklens_data::dataset::propose::{Role, propose_config};
use tasklens_data::dataset::table::Table;
use tasklens_data::dataset::{Row, RowLabels, TableImages};
use tasklens_data::images::input::{self, Input};
use tasklens_data::images::{decode, fetch};
use tasklens_data::work::cores;
use tasklens_net::inference::Predictor;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::stream::{PredictedRow, predict_rows};

use super::arguments::Predict;
use super::interrupt::{self, Flag};
use super::progress::Bar;
use super::{is_table, stdout};
use inputs::{Inputs, Source};
pub use output::tasks_json;
use output::{Answers, Target};
pub use shard::Shard;

pub fn run(arguments: &Predict) -> anyhow::Result<bool> {
    let stop = interrupt::flag()?;
    if let (Some(folder), Some(csv)) = (&arguments.watch, &arguments.csv) {
        return watch::run(arguments, folder, csv, &stop);
    }
    for (option, file) in [("--csv", &arguments.csv), ("--out", &arguments.out)] {
        let Some(file) = file else { continue };
        let is_input = arguments.inputs.iter().any(|input| is_same(Path::new(input), file));
        ensure!(!is_input, "{option} {}: that is an input; name another file", file.display());
    }
    let target = Target::of(arguments)?;
    let predictor = Predictor::open(&arguments.model, arguments.device)?;
    let mut inputs = Inputs::default();
    for input in &arguments.inputs {
        collect(input, &predictor, &stop, &mut inputs);
    }
    if let Some(file) = inputs.no_text().filter(|_| !matches!(target, Target::Lines)) {
        say!("note: a name that is not UTF-8 is written with \u{fffd} in it, such as {}", file.display());
    }
    let part = arguments.shard.unwrap_or(Shard::WHOLE);
    let Some(mut answers) = Answers::new(&predictor, &inputs, target, part)? else { return Ok(true) };
    let done = predict_files(&predictor, &inputs, arguments, &stop, &mut answers)
        .and_then(|()| predict_addresses(&predictor, &inputs, &stop, &mut answers));
    // What was predicted is not lost with the rest.
    let written = answers.finish(!stop.is_set() && done.is_ok());
    done?;
    let is_complete = written?;
    if stop.is_set() {
        say!("stopped: not all images were predicted");
    }
    Ok(is_complete && !stop.is_set())
}

fn is_same(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// Takes in the images that an argument means, or why it means none.
fn collect(argument: &OsStr, predictor: &Predictor, stop: &Flag, inputs: &mut Inputs) {
    let path = Path::new(argument);
    let found = std::fs::metadata(path);
    if let Some(address) = argument.to_str().filter(|text| found.is_err() && fetch::is_address(text)) {
        inputs.add_address(address);
        return;
    }
    inputs.add(path, |inputs| match found {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match argument.to_str().and_then(fetch::lacks_scheme) {
                Some(why) => bail!(why),
                None => bail!("{} does not exist", path.display()),
            }
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be opened", path.display())),
        Ok(found) if found.is_dir() => {
            let found = find_images(path, &mut |_| !stop.is_set())?;
            for notice in &found.notices {
                say!("note: {}: {notice}", path.display());
            }
            let is_empty = found.images.is_empty();
            ensure!(!is_empty, "{} holds no images ({})", path.display(), decode::ENDINGS.join(", "));
            found.images.iter().for_each(|image| inputs.add_file(path.join(image)));
            Ok(())
        }
        Ok(_) if is_table(path) => add_rows(path, predictor, inputs),
        Ok(_) => {
            inputs.add_file(path.to_path_buf());
            Ok(())
        }
    });
}

/// The rows of a CSV, each with its image: from the column that the model was trained with, else from the one that
/// looks like image paths.
fn add_rows(csv: &Path, predictor: &Predictor, inputs: &mut Inputs) -> anyhow::Result<()> {
    let table = Table::open(csv)?;
    let config = &predictor.description().config;
    let trained_with = tasklens_data::config::Config::parse(config, csv).ok();
    let column = match trained_with.as_ref().and_then(|config| table.column(&config.model.path_column)) {
        Some(column) => column,
        None => {
            let guess = propose_config(csv)?;
            let place = guess.columns.iter().position(|column| column.role == Role::Path);
            place.with_context(|| format!("{} has no column of image paths", csv.display()))?
        }
    };
    let images = TableImages::of(&table, column, trained_with.as_ref());
    for note in &images.notes {
        say!("note: {note}");
    }
    inputs.add_table(table, images);
    Ok(())
}

fn predict_files(
    predictor: &Predictor,
    inputs: &Inputs,
    arguments: &Predict,
    stop: &Flag,
    answers: &mut Answers<'_>,
) -> anyhow::Result<()> {
    let (items, rows): (Vec<usize>, Vec<Row>) = inputs
        .items
        .iter()
        .enumerate()
        .filter(|(item, _)| answers.has(*item))
        .filter_map(|(item, of)| match &of.source {
            Source::File(file) => {
                Some((item, Row { image: file.as_path().into(), labels: RowLabels::new(), usable: true }))
            }
            _ => None,
        })
        .unzip();
    let which: Vec<usize> = (0..rows.len()).collect();
    let batching = Batching { size: arguments.batch_size.into(), workers: cores() };
    let mut bar = Bar::new("predicting");
    let mut done = 0_u64;
    predict_rows(predictor, rows.into(), &which, batching, &mut |answer| {
        let PredictedRow { row, result, note } = answer;
        done += 1;
        answers.tell(&bar, note.as_deref());
        answers.add(&bar, items[row], result.map_err(|message| inputs.explain(items[row], message)));
        bar.set(done, which.len() as u64);
        if done.is_multiple_of(u64::from(arguments.batch_size)) {
            stdout::flush();
        }
        // What nobody can get need not be predicted.
        let is_in_vain = answers.are_printed() && stdout::has_failed();
        !stop.is_set() && !is_in_vain
    })?;
    bar.finish();
    Ok(())
}

fn predict_addresses(
    predictor: &Predictor,
    inputs: &Inputs,
    stop: &Flag,
    answers: &mut Answers<'_>,
) -> anyhow::Result<()> {
    let size = predictor.input_size();
    for (item, of) in inputs.items.iter().enumerate() {
        if !matches!(of.source, Source::Address) || !answers.has(item) || stop.is_set() {
            continue;
        }
        let bar = Bar::new("fetching");
        let image = fetch::fetch(&of.name, &|| !stop.is_set())
            .and_then(|bytes| input::of_bytes(&bytes, &of.name, size).map_err(anyhow::Error::from));
        let result = match image {
            Err(error) => Err(format!("{error:#}")),
            Ok(Input { pixels, note }) => {
                answers.tell(&bar, note.as_deref());
                Ok(predictor.predict(&[pixels])?.remove(0))
            }
        };
        bar.finish();
        answers.add(&bar, item, result);
    }
    Ok(())
}
