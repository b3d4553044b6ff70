//! How many copies of real photographs are found, by what was done to them, and what else is:
//! `TASKLENS_PHOTOGRAPHS=FOLDER cargo bench -p tasklens-net --bench copies`.

#![allow(clippy::print_stdout, reason = "a bench prints, and makes files of its own")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "scale/features.rs"]
mod features;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use image::imageops;
use tasklens_data::images::decode::{decode_file, has_image_ending};
use tasklens_data::images::{Rgb, resize};
use tasklens_net::inference::duplicates::{Pair, across, within};
use tasklens_net::inference::features::Features;

/// Makes a copy that is not quite the same.
type Copying = fn(&Rgb) -> Rgb;

const COPIES: [(&str, Copying); 8] = [
    ("JPEG at 40 %", |image| recompressed(image, 40)),
    ("half the size, JPEG at 75 %", |image| recompressed(&smaller(image, 2), 75)),
    ("a quarter of the size", |image| smaller(image, 4)),
    ("1 % cut off each side", |image| cropped(image, 0.01)),
    ("2 % cut off each side", |image| cropped(image, 0.02)),
    ("4 % cut off each side", |image| cropped(image, 0.04)),
    ("brightened by a tenth", |image| imageops::brighten(image, 25)),
    ("mirrored", |image| imageops::flip_horizontal(image)),
];
/// So many of the photographs are copied.
const COPIED: usize = 400;
const LEAST: f32 = 0.98;

fn main() -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("TASKLENS_PHOTOGRAPHS").map(PathBuf::from) else {
        bail!("TASKLENS_PHOTOGRAPHS must name a folder of photographs");
    };
    let images = read(&folder)?;
    let originals: Vec<usize> = (0..images.len()).step_by((images.len() / COPIED).max(1)).collect();
    let mut miniatures: Vec<u8> = images.iter().flat_map(miniature).collect();
    for (_, copy) in COPIES {
        miniatures.extend(originals.iter().flat_map(|original| miniature(&copy(&images[*original]))));
    }
    let features = features::of_miniatures(&miniatures, 1, |_, _| 0.0)?;
    for (index, (name, _)) in COPIES.iter().enumerate() {
        let first = images.len() + index * originals.len();
        let [a, b, c] = shares(&features, &originals, first)?;
        println!("{name}: {a:.1} % at 0.98, {b:.1} % at 0.99, {c:.1} % at 0.995");
    }
    let all: Vec<usize> = (0..images.len()).collect();
    for threshold in [LEAST, 0.985, 0.99, 0.995] {
        let pairs = within(&features, &all, threshold, &mut |_, _| true)?.context("it went on")?;
        println!("among {} originals, {} pairs from {threshold}", images.len(), pairs.len());
        if threshold == LEAST {
            sheet(&pairs, &images, &std::env::temp_dir().join("duplicates.png"))?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<Vec<Rgb>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| has_image_ending(file));
    files.sort();
    files
        .iter()
        .map(|file| Ok(decode_file(file).with_context(|| file.display().to_string())?.into_rgb()))
        .collect()
}

fn miniature(image: &Rgb) -> Vec<u8> {
    let input = resize::resize(image, 64, 64);
    resize::resize(&input, 12, 12).into_raw()
}

/// Percentages of the originals whose copies, from the item `first` on, are as like as 0.98, 0.99 and 0.995.
fn shares(features: &Features, originals: &[usize], first: usize) -> anyhow::Result<[f64; 3]> {
    let copies: Vec<usize> = (first..first + originals.len()).collect();
    let pairs = across(features, originals, &copies, LEAST, &mut |_, _| true)?.context("it went on")?;
    let own = |pair: &&Pair| originals.get(pair.b - first) == Some(&pair.a);
    let own: Vec<f32> = pairs.iter().filter(own).map(|pair| pair.similarity).collect();
    let share = |threshold: f32| {
        100.0 * own.iter().filter(|similarity| **similarity >= threshold).count() as f64
            / originals.len() as f64
    };
    Ok([LEAST, 0.99, 0.995].map(share))
}

fn smaller(image: &Rgb, times: u32) -> Rgb {
    resize::resize(image, image.width() / times, image.height() / times)
}

fn recompressed(image: &Rgb, quality: u8) -> Rgb {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
    let written = encoder.encode_image(image).and_then(|()| image::load_from_memory(&bytes));
    written.expect("an image in memory is written and read").to_rgb8()
}

fn cropped(image: &Rgb, share: f32) -> Rgb {
    let cut = |size: u32| (size as f32 * share).round() as u32;
    let (x, y) = (cut(image.width()), cut(image.height()));
    imageops::crop_imm(image, x, y, image.width() - 2 * x, image.height() - 2 * y).to_image()
}

/// A picture of the pairs that are most alike.
fn sheet(pairs: &[Pair], images: &[Rgb], file: &Path) -> anyhow::Result<()> {
    let mut sheet = Rgb::new(8 * 210, 1000);
    for (place, pair) in pairs.iter().take(80).enumerate() {
        for (side, item) in [pair.a, pair.b].into_iter().enumerate() {
            let small = resize::resize(&images[item], 100, 100);
            let (x, y) = (place % 8 * 210 + side * 100, place / 8 * 100);
            imageops::replace(&mut sheet, &small, x as i64, y as i64);
        }
        println!("{place}: {:.4}", pair.similarity);
    }
    sheet.save(file)?;
    println!("the first of them are in {}", file.display());
    Ok(())
}
