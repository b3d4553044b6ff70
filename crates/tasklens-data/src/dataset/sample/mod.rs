//! The built-in sample: drawn garments with three independent tasks.
//!
//! [`garment`] is the shapes, [`print`] what is on the fabric, [`scene`] puts one picture together, [`ink`] is
//! colours, random numbers and the pencil, [`place`] decides where a file may be written. This file has the labels,
//! the table and the config.

mod garment;
mod ink;
mod place;
mod print;
mod scene;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, bail};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::config::{Config, Task};
use crate::work::{KeepGoing, cores};
use garment::{Neckline, Sleeves};
use ink::Dice;
use print::Print;

/// What one picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Labels {
    print: Print,
    sleeves: Sleeves,
    neckline: Neckline,
}

/// The CSV, inside the sample's folder.
const TABLE: &str = "garments.csv";
/// The config, inside the sample's folder.
const CONFIG_FILE: &str = "config.yml";
/// Folder of the pictures, inside the sample's folder.
const PICTURES: &str = "garments";
/// JPEG quality of the pictures: noise and edges survive, a file stays near 8 KB.
const QUALITY: u8 = 88;

/// Writes `images` drawn garments, `garments.csv` and `config.yml` into `folder`; returns the path of the config. The
/// same seed gives the same bytes. `progress` gets (done, of) and returns whether to continue.
///
/// # Errors
/// An I/O error, a cancel, or files in the way in `folder` that do not belong to a sample.
pub fn write_sample(
    folder: &Path,
    images: usize,
    seed: u64,
    progress: &mut KeepGoing<'_>,
) -> anyhow::Result<PathBuf> {
    let threads = cores();
    write_with_threads(folder, images, seed, threads, progress)
}

/// Makes anew what of the sample in `folder` is not there, by [`write_sample`] where its table is gone. A table and a
/// config that are there stay as they are, with all labels that were changed. Returns the path of the config.
///
/// # Errors
/// As [`write_sample`].
pub fn restore(
    folder: &Path,
    images: usize,
    seed: u64,
    progress: &mut KeepGoing<'_>,
) -> anyhow::Result<PathBuf> {
    let (config, pictures, table) = (folder.join(CONFIG_FILE), folder.join(PICTURES), folder.join(TABLE));
    if fs::symlink_metadata(&table).is_err() {
        return write_sample(folder, images, seed, progress);
    }
    let Some(images) = drawn_in(&table)? else { return Ok(config) };
    let lacks = |number: usize| fs::symlink_metadata(pictures.join(file_name(number))).is_err();
    if (0..images).any(lacks) {
        place::check(&table, &pictures, true)?;
        fs::create_dir_all(&pictures).with_context(|| format!("cannot make {}", pictures.display()))?;
        let make = |number: usize, labels: Labels| match lacks(number) {
            true => place::put(&pictures.join(file_name(number)), &picture(labels, seed, number)?, true),
            false => Ok(()),
        };
        write_pictures(&make, &draw_labels(images, seed), cores(), progress)?;
    }
    if fs::symlink_metadata(&config).is_err() {
        crate::files::replace(&config, config_text(seed).as_bytes())
            .with_context(|| format!("cannot write {}", config.display()))?;
    }
    Ok(config)
}

/// How many drawn pictures a table names; `None` where those are not the pictures of a whole sample, of which each
/// depends on their number.
fn drawn_in(table: &Path) -> anyhow::Result<Option<usize>> {
    let mut reader =
        csv::Reader::from_path(table).with_context(|| format!("cannot read {}", table.display()))?;
    let mut names = HashSet::new();
    for row in reader.byte_records() {
        let row = row.with_context(|| format!("cannot read {}", table.display()))?;
        let name = row.get(0).and_then(|name| std::str::from_utf8(name).ok());
        names.extend(name.and_then(|name| name.strip_prefix(PICTURES)?.strip_prefix('/').map(str::to_owned)));
    }
    let is_whole = !names.is_empty() && (0..names.len()).all(|number| names.contains(&file_name(number)));
    Ok(is_whole.then_some(names.len()))
}

/// Default number of images.
pub const IMAGES: usize = 2000;
/// The seed of a sample for which none is given.
pub const SEED: u64 = 7;

/// Whether a config is that of the sample (such as the one at the root of the repository) and its pictures do not
/// exist yet.
pub fn is_missing(config: &Config) -> bool {
    let csv = &config.paths.model_dataframe;
    let named = csv.file_name().is_some_and(|name| name == TABLE);
    named && !csv.exists() && config.model.tasks == tasks()
}

/// Draws the sample where `config` expects it; see [`is_missing`] and [`write_sample`].
///
/// # Errors
/// As [`write_sample`].
pub fn draw_for(config: &Config, progress: &mut KeepGoing<'_>) -> anyhow::Result<()> {
    write_sample(config.paths.model_dataframe.parent().unwrap_or(Path::new(".")), IMAGES, SEED, progress)?;
    Ok(())
}

/// The sample's tasks, as its config lists them.
fn tasks() -> Vec<Task> {
    let task = |name: &str, labels: Vec<&str>| Task {
        name: name.to_owned(),
        labels: labels.into_iter().map(str::to_owned).collect(),
    };
    vec![
        task("print", Print::ALL.iter().map(|(_, name)| *name).collect()),
        task("sleeves", Sleeves::ALL.iter().map(|(_, name)| *name).collect()),
        task("neckline", Neckline::ALL.iter().map(|(_, name)| *name).collect()),
    ]
}

fn write_with_threads(
    folder: &Path,
    images: usize,
    seed: u64,
    threads: usize,
    progress: &mut KeepGoing<'_>,
) -> anyhow::Result<PathBuf> {
    let config = folder.join(CONFIG_FILE);
    let existing = fs::read_to_string(&config).ok();
    let is_sample = existing.is_some_and(|text| text.lines().next() == CONFIG.lines().next());
    if !is_sample && fs::symlink_metadata(&config).is_ok() {
        bail!("{} is not the config of a sample: choose another folder for the sample", config.display());
    }
    let (pictures, table) = (folder.join(PICTURES), folder.join(TABLE));
    place::check(&table, &pictures, is_sample)?;
    fs::create_dir_all(&pictures).with_context(|| format!("cannot make {}", pictures.display()))?;

    let labels = draw_labels(images, seed);
    let make = |number: usize, labels: Labels| {
        place::put(&pictures.join(file_name(number)), &picture(labels, seed, number)?, is_sample)
    };
    write_pictures(&make, &labels, threads, progress)?;

    // The table is written last: a folder that has it is complete.
    crate::files::replace(&config, config_text(seed).as_bytes())
        .with_context(|| format!("cannot write {}", config.display()))?;
    crate::files::replace(&table, &csv_of(&labels)?)
        .with_context(|| format!("cannot write {}", table.display()))?;
    Ok(config)
}

/// Labels for every picture: each task is a separately shuffled deck, so that labels are balanced and tasks
/// independent.
fn draw_labels(images: usize, seed: u64) -> Vec<Labels> {
    let deck = |salt: u64, labels: usize| {
        let mut dice = Dice::new(seed, salt);
        let mut deck: Vec<usize> = (0..images).map(|i| i % labels).collect();
        for last in (1..deck.len()).rev() {
            deck.swap(last, dice.below(last + 1));
        }
        deck
    };
    let prints = deck(u64::MAX, Print::ALL.len());
    let sleeves = deck(u64::MAX - 1, Sleeves::ALL.len());
    let necklines = deck(u64::MAX - 2, Neckline::ALL.len());
    (0..images)
        .map(|i| Labels {
            print: Print::ALL[prints[i]].0,
            sleeves: Sleeves::ALL[sleeves[i]].0,
            neckline: Neckline::ALL[necklines[i]].0,
        })
        .collect()
}

/// Draws and writes pictures on `threads` threads, each by `make`; a picture depends only on the seed and its number, so
/// the bytes do not depend on the thread.
fn write_pictures(
    make: &(dyn Fn(usize, Labels) -> anyhow::Result<()> + Sync),
    labels: &[Labels],
    threads: usize,
    progress: &mut KeepGoing<'_>,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let (sender, receiver) = crossbeam_channel::bounded::<anyhow::Result<()>>(256);
    let draw = |sender: crossbeam_channel::Sender<anyhow::Result<()>>| {
        while !stopped.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(&labels) = labels.get(number) else { return };
            if sender.send(make(number, labels)).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let sender = sender.clone();
            scope.spawn(|| draw(sender));
        }
        drop(sender);
        let mut outcome = Ok(());
        for (done, written) in (1..).zip(receiver.iter()) {
            if outcome.is_ok() {
                outcome = written.and_then(|()| {
                    if progress(done, labels.len()) {
                        Ok(())
                    } else {
                        bail!("cancelled while drawing the sample")
                    }
                });
                stopped.store(outcome.is_err(), Ordering::Relaxed);
            }
        }
        outcome
    })
}

/// A picture encoded as JPEG.
fn picture(labels: Labels, seed: u64, number: usize) -> anyhow::Result<Vec<u8>> {
    let picture = scene::draw(labels, Dice::new(seed, number as u64))?;
    let mut jpeg = Vec::with_capacity(16 * 1024);
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode(
        picture.as_raw(),
        picture.width(),
        picture.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(place::commented(&jpeg))
}

/// Draws garments for the tests of importers: `take` gets the number of each, its print, sleeves and neckline, and its
/// JPEG.
///
/// # Errors
/// What `take` says.
pub(in crate::dataset) fn each_garment(
    images: usize,
    seed: u64,
    mut take: impl FnMut(usize, [&'static str; 3], Vec<u8>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for (number, labels) in draw_labels(images, seed).into_iter().enumerate() {
        let names = [labels.print.name(), labels.sleeves.name(), labels.neckline.name()];
        take(number, names, picture(labels, seed, number)?)?;
    }
    Ok(())
}

fn file_name(number: usize) -> String {
    format!("{:05}.jpg", number + 1)
}

fn csv_of(labels: &[Labels]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["image_path", "print", "sleeves", "neckline"])?;
    for (number, labels) in labels.iter().enumerate() {
        csv.write_record([
            &format!("{PICTURES}/{}", file_name(number)),
            labels.print.name(),
            labels.sleeves.name(),
            labels.neckline.name(),
        ])?;
    }
    Ok(csv.into_inner()?)
}

fn config_text(seed: u64) -> String {
    CONFIG.replace("{seed}", &seed.to_string())
}

/// The sample's config; `{seed}` is filled in.
const CONFIG: &str = "\
# The built-in sample of Tasklens: drawn garments with three tasks.
# Copy this file to begin a project of your own. Paths start at this file's folder.
paths:
  model_dataframe: garments.csv          # one row per image: its path and its labels
  model_path: model/garments.safetensors # the best model is copied here when training ends
  training_history_path: model/history.csv

model:
  input_shape: [64, 64]                  # height, width: every image is scaled to it
  paths: image_path                      # the column that holds the path of the image
  target_encoder:                        # each task (a column) with its labels
    print: [embroidered, solid, graphic, floral, striped, lattice, pleated]
    sleeves: [sleeveless, long_sleeve, short_sleeve]
    neckline: [no_neckline, v_neckline, crew_neckline, square_neckline]
  class_mode: multi_output
  backbone: xception_small               # small enough to train from scratch without a GPU
  pretrained: none
  freeze_convolutional_layers: false
  batch_size: 32
  random_seed: {seed}
  learning_rate: .002
  epochs: 16
  early_stopping_patience: 6             # stop after so many epochs without a better val_loss
  lr_reducer_patience: 2                 # after so many, multiply the learning rate ...
  lr_reducer_factor: .3                  # ... by this
  min_lr: .000001
  augmentation:                          # random changes to each training image
    rotation: 5
    shift: 0.05
    zoom: [0.9, 1.1]
    brightness: [0.8, 1.2]
    horizontal_flip: true
";

#[cfg(test)]
mod tests;
