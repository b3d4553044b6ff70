//! `tasklens predict`: images, folders, CSVs and URLs through a trained model.

mod inputs;
mod output;
mod table;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::arguments::Predict;
use super::interrupt::{self, Flag};
use super::progress::Bar;
use super::stdout;
use crate::dataset::propose::{Role, propose_config};
use crate::dataset::table::Table;
use crate::dataset::{Row, images_of_column};
use crate::images::{decode, fetch};
use crate::inference::Predictor;
use crate::inference::stream::{Answer, predict_rows};
use inputs::{Inputs, Source};
use output::{Answers, csv_output};

pub fn run(arguments: &Predict) -> anyhow::Result<bool> {
    let stop = interrupt::flag()?;
    if let Some(csv) = &arguments.csv {
        let is_input = arguments.inputs.iter().any(|input| is_same(Path::new(input), csv));
        ensure!(!is_input, "--csv {}: that is an input; name another file", csv.display());
    }
    let csv = csv_output(arguments)?;
    let predictor = Predictor::open(&arguments.model, arguments.device)?;
    let mut inputs = Inputs::default();
    for input in &arguments.inputs {
        collect(input, &predictor, &mut inputs);
    }
    if let Some(file) = inputs.no_text().filter(|_| csv.is_some() || arguments.json) {
        say!("note: a name that is not UTF-8 is written with \u{fffd} in it, such as {}", file.display());
    }
    let mut answers = Answers::new(&predictor, &inputs, csv, arguments.json);
    let done = predict_files(&predictor, &inputs, arguments, &stop, &mut answers)
        .and_then(|()| predict_addresses(&predictor, &inputs, &stop, &mut answers));
    // What was predicted is not lost with the rest.
    let written = answers.finish();
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
fn collect(argument: &OsStr, predictor: &Predictor, inputs: &mut Inputs) {
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
            let mut files = Vec::new();
            let looked = images_below(path, &mut files);
            let is_empty = files.is_empty();
            files.into_iter().for_each(|file| inputs.add_file(file));
            looked?;
            ensure!(!is_empty, "{} holds no images ({})", path.display(), decode::ENDINGS.join(", "));
            Ok(())
        }
        Ok(_) if is_table(path) => add_rows(path, predictor, inputs),
        Ok(_) => {
            inputs.add_file(path.to_path_buf());
            Ok(())
        }
    });
}

fn is_table(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ["csv", "tsv"].iter().any(|table| ending.eq_ignore_ascii_case(table)))
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

/// The rows of a CSV, each with its image: from the column that the model was trained with, else from the one that
/// looks like image paths.
fn add_rows(csv: &Path, predictor: &Predictor, inputs: &mut Inputs) -> anyhow::Result<()> {
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
    let images = images_of_column(&table, column, trained_with.map(|config| config.paths.images));
    inputs.add_table(table, column, images);
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
        .filter_map(|(item, of)| match &of.source {
            Source::File(file) => Some((item, Row { image: file.clone(), labels: Vec::new(), usable: true })),
            _ => None,
        })
        .unzip();
    let which: Vec<usize> = (0..rows.len()).collect();
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut bar = Bar::new("predicting");
    let mut done = 0_u64;
    predict_rows(predictor, rows, &which, (usize::from(arguments.batch_size), workers), &mut |answer| {
        let Answer { row, result } = answer;
        done += 1;
        answers.add(&bar, items[row], result);
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
    for (item, of) in inputs.items.iter().enumerate() {
        if !matches!(of.source, Source::Address) || stop.is_set() {
            continue;
        }
        let bar = Bar::new("fetching");
        let image = fetch::fetch(&of.name, &|| !stop.is_set())
            .and_then(|bytes| decode::decode_bytes(&bytes, &of.name).map_err(anyhow::Error::from));
        let result = match image {
            Err(error) => Err(format!("{error:#}")),
            Ok(image) => Ok(predictor.predict(&[image.into_rgb()])?.remove(0)),
        };
        bar.finish();
        answers.add(&bar, item, result);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
