//! What an image costs on its way to the network: decoding, scaling, changing at random, finding it decoded, and all of it
//! in batches by one thread and by two: `cargo bench -p tasklens-net --bench images`.
//!
//! The pictures are drawn, as JPEG of three sizes; times are medians.

#![allow(clippy::print_stdout, reason = "a bench prints, and makes files of its own")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use image::{Rgb as Pixel, RgbImage};
use tasklens_data::config::Augmentation;
use tasklens_data::dataset::{Row, RowLabel};
use tasklens_data::images::augment::augment;
use tasklens_data::images::cache::{ImageCache, Spill};
use tasklens_data::images::decode::decode_file;
use tasklens_data::images::input;
use tasklens_data::images::resize::resize;
use tasklens_net::inference::loader::{Loader, in_batches};
use tasklens_net::inference::samples::{Drawn, SampleSource};

/// Pixels of the network's input, each side.
const SIDE: u32 = 224;
const IMAGES: usize = 320;
const BATCH: usize = 16;
const ROUNDS: usize = 31;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (width, height) in [(320, 240), (1280, 960), (4000, 3000)] {
        let file = picture(folder.path(), width, height);
        let decoded = decode_file(&file).expect("a picture");
        let decoding = median(|| drop(decode_file(&file)));
        let scaling = median(|| drop(resize(&decoded, SIDE, SIDE)));
        let both = median(|| drop(input::of_file(&file, (SIDE, SIDE))));
        let part = both / (decoding + scaling);
        println!(
            "{width} x {height}: decoding {decoding:.2} ms, scaling {scaling:.2} ms; both for a network {both:.2} ms, {part:.2} of the sum"
        );
    }
    let file = picture(folder.path(), 320, 240);
    let scaled = resize(&decode_file(&file).expect("a picture"), SIDE, SIDE);
    let mut seed = 0;
    let augmenting = median(|| {
        seed += 1;
        drop(augment(&scaled, &Augmentation::default(), seed));
    });
    println!("augmentation at {SIDE} x {SIDE}: {augmenting:.2} ms");
    let bytes_each = scaled.as_raw().len();
    for (name, memory) in [("in memory", usize::MAX), ("in a file", 0)] {
        let spill = Spill::new(folder.path().to_path_buf(), bytes_each, 1 << 30);
        let cache = ImageCache::new(SIDE, SIDE, memory).with(Some(spill));
        let find = || drop(cache.get_or_decode(0, &file).expect("a picture"));
        find();
        println!("found decoded {name}: {:.3} ms", median(find));
    }
    for workers in [1, 2] {
        let source = source(&file);
        for epoch in ["first", "second"] {
            let began = Instant::now();
            let batches = in_batches(&(0..IMAGES).collect::<Vec<_>>(), BATCH);
            let loader = Loader::start(&source, batches, Some(1), workers).expect("threads");
            let images: usize = loader.map(|batch| batch.rows.len()).sum();
            let rate = images as f64 / began.elapsed().as_secs_f64();
            println!("batches of {BATCH}, {workers} threads, {epoch} epoch: {rate:.0} images/s");
        }
    }
}

/// A drawn JPEG with detail.
fn picture(folder: &Path, width: u32, height: u32) -> PathBuf {
    let file = folder.join(format!("{width}.jpg"));
    let wave = |x: u32, y: u32| 127.0 + 90.0 * (f64::from(x) / 9.0).sin() * (f64::from(y) / 13.0).cos();
    let pixel = |x, y| {
        let value = wave(x, y) + f64::from((x * 31 + y * 17) % 23);
        Pixel([value as u8, (255.0 - value) as u8, (x % 256) as u8])
    };
    RgbImage::from_fn(width, height, pixel).save(&file).expect("written");
    file
}

/// Rows that all have the same picture.
fn source(file: &Path) -> Arc<SampleSource> {
    let row = || Row { image: file.into(), labels: vec![RowLabel::Class(0)].into(), usable: true };
    let cache = ImageCache::new(SIDE, SIDE, usize::MAX);
    let (augmentation, drawn) = (Augmentation::default(), Drawn::ByRow);
    Arc::new(SampleSource {
        rows: (0..IMAGES).map(|_| row()).collect(),
        tasks: 1,
        cache,
        augmentation,
        drawn,
        seed: 1,
    })
}

/// Milliseconds.
fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}
