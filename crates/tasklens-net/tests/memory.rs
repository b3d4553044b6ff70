//! What decoding and stored features need of the memory, measured: the most that a process had.
//! A program of its own: what else is in it would count, too.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests make files of their own")]
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgba};
use tasklens_data::images::cache::ImageCache;
use tasklens_net::inference::features::{
    FeatureBuffer, FeatureStore, Identity, MINIATURE_BYTES, SHARD_IMAGES, View,
};

const SIDE: u32 = 2000;
const PIXELS: u32 = SIDE * SIDE;
/// The file that a process of its own is to read.
const FILE: &str = "TASKLENS_TEST_IMAGE";

/// Bytes of memory by a line of `/proc/self/status`.
fn bytes(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Not a test of its own: the process that [`peak`] starts reads and scales one image here.
#[test]
fn one_image() {
    let Ok(file) = std::env::var(FILE) else { return };
    // Resets the high-water mark.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = bytes("VmRSS");
    ImageCache::new(224, 224, 0).get_or_decode(0, Path::new(&file)).unwrap();
    println!("peak={}", bytes("VmHWM").saturating_sub(before));
}

/// A TIFF of RGBA of 16 bits, in one strip that is not packed.
fn tiff(pixels: &[u8]) -> Vec<u8> {
    let strip = 8_u32;
    let mut file = [b"II*\0".as_slice(), &(strip + pixels.len() as u32).to_le_bytes(), pixels].concat();
    let tags = [(256, SIDE), (257, SIDE), (258, 16), (262, 2), (273, strip), (277, 4), (338, 2)];
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, value) in tags {
        let kind = 4_u16;
        file.extend([u16::to_le_bytes(tag), kind.to_le_bytes()].concat());
        file.extend([1_u32.to_le_bytes(), value.to_le_bytes()].concat());
    }
    file.extend([0; 4]);
    file
}

/// Bytes for each pixel that a process needs at most to read and scale an image.
fn peak(folder: &Path, name: &str, image: &DynamicImage, format: ImageFormat) -> f64 {
    let mut bytes = Cursor::new(Vec::new());
    if format == ImageFormat::Tiff {
        bytes = Cursor::new(tiff(image.as_bytes()));
    } else {
        image.write_to(&mut bytes, format).unwrap();
    }
    let file = folder.join(name);
    std::fs::write(&file, bytes.into_inner()).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", "one_image", "--nocapture"]).env(FILE, &file).output().unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let (_, peak) = said.split_once("peak=").unwrap();
    let peak: u64 = peak.lines().next().unwrap().parse().unwrap();
    peak as f64 / f64::from(PIXELS)
}

#[test]
fn an_image_needs_no_more_memory_than_its_share_of_the_budget_has() {
    let folder = tempfile::tempdir().unwrap();
    let grey = DynamicImage::ImageLuma8(GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([(x ^ y) as u8])));
    let deep = ImageBuffer::from_fn(SIDE, SIDE, |x, y| Rgba([x as u16, y as u16, 9, (x + y) as u16]));
    let deep = DynamicImage::ImageRgba16(deep);
    let (rgba, rgb) = (deep.to_rgba8().into(), deep.to_rgb8().into());
    // Scaled to a square, its height first, it would need 672.
    let line = GrayImage::new(PIXELS, 1).into();
    for (name, image, format, most) in [
        ("grey.png", &grey, ImageFormat::Png, 6),
        ("deep.png", &deep, ImageFormat::Png, 8),
        ("rgba.png", &rgba, ImageFormat::Png, 6),
        ("photo.jpg", &rgb, ImageFormat::Jpeg, 6),
        ("rgb.bmp", &rgb, ImageFormat::Bmp, 6),
        ("deep.tif", &deep, ImageFormat::Tiff, 6),
        ("rgba.webp", &rgba, ImageFormat::WebP, 16),
        ("line.png", &line, ImageFormat::Png, 6 + 32),
    ] {
        let peak = peak(folder.path(), name, image, format);
        println!("{name}: {peak:.1} bytes a pixel");
        // A little is for what else a process does.
        assert!(peak < f64::from(most) + 1.5, "{name} takes {peak:.1} bytes a pixel instead of {most}");
    }
}

/// The folder of runs whose features a process of its own is to read.
const RUNS: &str = "TASKLENS_TEST_RUNS";
/// The images there; a measurement may set another number.
const IMAGES: &str = "TASKLENS_TEST_IMAGES";
const DIMENSIONS: usize = 1280;

fn images() -> usize {
    std::env::var(IMAGES).ok().and_then(|images| images.parse().ok()).unwrap_or(12 * SHARD_IMAGES)
}

fn identity(image: usize) -> Identity {
    Identity::new(Path::new(&format!("{image}.jpg")), [1, 1])
}

/// Not a test of its own: the process that the next starts goes through all features, as an epoch does.
#[test]
fn one_epoch() {
    let Ok(runs) = std::env::var(RUNS) else { return };
    let before = bytes("RssAnon");
    let mut most = before;
    let shelf = FeatureStore::of(Path::new(&runs), "0123456789abcdef", DIMENSIONS).read();
    let wanted: Vec<Identity> = (0..images()).map(identity).collect();
    let places: Option<Vec<_>> = shelf.find(&View::Plain, &wanted).into_iter().collect();
    most = most.max(bytes("RssAnon"));
    let features = shelf.features(places.expect("all are there"));
    let mut sum = 0.0;
    for batch in 0..images() / 64 {
        // Far from each other, as shuffled rows are.
        let batch: Vec<usize> = (0..64).map(|i| (batch + i * (images() / 64)) % images()).collect();
        sum += features.gather(&batch).iter().sum::<f32>();
        most = most.max(bytes("RssAnon"));
    }
    assert!(sum > 0.0);
    println!("anonymous={} mapped={}", most - before, bytes("RssFile"));
}

#[test]
fn an_epoch_over_stored_features_needs_little_memory_of_its_own() {
    let runs = tempfile::tempdir().unwrap();
    let store = FeatureStore::of(runs.path(), "0123456789abcdef", DIMENSIONS);
    for first in (0..images()).step_by(SHARD_IMAGES) {
        let count = SHARD_IMAGES.min(images() - first);
        let buffer = FeatureBuffer {
            images: (first..first + count).map(|image| format!("{image}.jpg").into()).collect(),
            stamps: vec![[1, 1]; count],
            features: [0, 0x3c].repeat(count * DIMENSIONS),
            miniatures: vec![0; count * MINIATURE_BYTES],
        };
        store.keep(&View::Plain, &buffer).unwrap();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", "one_epoch", "--nocapture"]).env(RUNS, runs.path()).output().unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let number = |what: &str| -> u64 {
        let (_, rest) = said.split_once(what).unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (anonymous, stored) = (number("anonymous="), (images() * DIMENSIONS * 2) as u64);
    println!("{stored} bytes of features: {anonymous} of memory, {} mapped", number("mapped="));
    assert!(number("mapped=") > stored, "all were read: {said}");
    assert!(anonymous < stored / 8, "{anonymous} bytes of memory for {stored} of features");
}
