//! What decoding needs of the memory, measured: the most that the process had while one image was read.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageFormat};
use tasklens::images::cache::ImageCache;
use tasklens::images::decode::decode_file;
use tasklens::images::thumbnail::thumbnail;

const SIDE: u32 = 2000;
const PIXELS: u64 = SIDE as u64 * SIDE as u64;

/// Bytes of memory by a line of `/proc/self/status`.
fn bytes(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// The most that `work` has at once beyond what there was before it, per pixel.
fn peak_per_pixel(work: impl FnOnce()) -> f64 {
    // Resets the high-water mark.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = bytes("VmRSS");
    work();
    bytes("VmHWM").saturating_sub(before) as f64 / PIXELS as f64
}

fn write(folder: &Path, name: &str, image: &DynamicImage, format: ImageFormat) {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    std::fs::write(folder.join(name), bytes.into_inner()).unwrap();
}

/// One test, as the measure is of the whole process.
#[test]
fn an_image_needs_no_more_memory_than_its_share_of_the_budget_has() {
    let folder = tempfile::tempdir().unwrap();
    let grey =
        DynamicImage::ImageLuma8(image::GrayImage::from_fn(SIDE, SIDE, |x, y| image::Luma([(x ^ y) as u8])));
    let deep = DynamicImage::ImageRgba16(image::ImageBuffer::from_fn(SIDE, SIDE, |x, y| {
        image::Rgba([x as u16, y as u16, 9, (x + y) as u16])
    }));
    write(folder.path(), "grey.png", &grey, ImageFormat::Png);
    write(folder.path(), "deep.png", &deep, ImageFormat::Png);
    write(folder.path(), "rgba.png", &deep.to_rgba8().into(), ImageFormat::Png);
    write(folder.path(), "rgb.bmp", &deep.to_rgb8().into(), ImageFormat::Bmp);
    write(folder.path(), "deep.tif", &deep, ImageFormat::Tiff);
    write(folder.path(), "rgba.webp", &deep.to_rgba8().into(), ImageFormat::WebP);
    write(folder.path(), "photo.jpg", &deep.to_rgb8().into(), ImageFormat::Jpeg);
    let line = DynamicImage::ImageLuma8(image::GrayImage::new(1, PIXELS as u32));
    write(folder.path(), "line.png", &line, ImageFormat::Png);
    drop((grey, deep, line));
    // As a decoder's share has it, and one byte for what else the process does.
    for (name, most) in [
        ("grey.png", 3.0),
        ("photo.jpg", 6.0),
        ("deep.png", 8.0),
        ("rgba.png", 4.0),
        ("rgb.bmp", 3.0),
        ("deep.tif", 24.0),
        ("rgba.webp", 16.0),
    ] {
        let path = folder.path().join(name);
        let peak = peak_per_pixel(|| drop(decode_file(&path).unwrap()));
        let scaled = peak_per_pixel(|| drop(thumbnail(&path, 1024).unwrap()));
        println!("{name}: {peak:.1} bytes a pixel, {scaled:.1} with a thumbnail");
        assert!(peak < most + 1.0, "{name} takes {peak:.1} bytes a pixel instead of {most}");
        assert!(scaled < most.max(6.0) + 1.0, "{name} takes {scaled:.1} bytes a pixel to be scaled");
    }
    // Scaled to a square, its width first, a line would need 672 bytes a pixel.
    let path = folder.path().join("line.png");
    let peak = peak_per_pixel(|| drop(ImageCache::new(224, 224, 0).get_or_decode(0, &path).unwrap()));
    println!("line.png: {peak:.1} bytes a pixel");
    assert!(peak < 7.0, "a line takes {peak:.1} bytes a pixel");
}
