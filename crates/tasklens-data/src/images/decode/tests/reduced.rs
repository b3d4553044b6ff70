//! JPEGs at a part of their size.

use super::*;
use crate::images::thumbnail::thumbnail_of;
use crate::images::{input, resize};

/// 3 times this is a quarter of the fixtures, which have 32 x 24 pixels.
const SMALL: Detail = Detail::Stretched(2, 2);

/// A picture with shapes of all sizes, as a JPEG.
fn drawn(width: u32, height: u32) -> Vec<u8> {
    let picture = Rgb::from_fn(width, height, |x, y| {
        let wave = |of: u32, every: f32| (120.0 + 100.0 * (of as f32 / every).sin()) as u8;
        Pixel([wave(x, 40.0), wave(y, 90.0), wave(x + y, 7.0)])
    });
    encoded(&picture.into(), ImageFormat::Jpeg)
}

#[test]
fn ordinary_jpegs_come_upright_at_a_part_of_their_size() {
    let names = ["progressive.jpg", "subsampled_optimised.jpg"].map(String::from);
    for name in names.into_iter().chain((1..=8).map(|orientation| format!("exif_{orientation}.jpg"))) {
        let image = decode_file_for(&fixture(&name), SMALL).unwrap();
        assert_eq!((image.dimensions(), image.full_size()), ((8, 6), (32, 24)), "{name}");
        assert!(!image.is_full() && image.note().is_none(), "{name}");
        assert_near(quadrants(&image), QUADRANTS, 12, &name);
    }
    let grey = decode_file_for(&fixture("grey.jpg"), SMALL).unwrap();
    assert_eq!(grey.dimensions(), (8, 6));
    assert!(grey.pixels().all(|Pixel([r, g, b])| r == g && g == b));
}

#[test]
fn what_a_network_sees_is_the_same_but_for_rounding() {
    let bytes = drawn(1600, 1201);
    for (height, width) in [(60, 60), (120, 100), (200, 200)] {
        let whole = resize::resize(&decode_bytes(&bytes, "drawn").unwrap(), width, height);
        let detail = Detail::Stretched(width, height);
        assert!(!decode_bytes_for(&bytes, "drawn", detail).unwrap().is_full(), "{width} x {height}");
        let seen = input::of_bytes(&bytes, "drawn", (height, width)).unwrap().pixels;
        assert_eq!(seen.dimensions(), (width, height));
        let apart = |(a, b): (&u8, &u8)| u32::from(a.abs_diff(*b));
        let worst = seen.iter().zip(whole.iter()).map(apart).max().unwrap();
        let sum: u32 = seen.iter().zip(whole.iter()).map(apart).sum();
        let mean = f64::from(sum) / whole.len() as f64;
        assert!(worst <= 6 && mean < 0.6, "{width} x {height}: {worst}, {mean:.2} in the mean");
    }
}

/// The file with an EXIF orientation.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = [
        &b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..],
        &[orientation, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
fn no_edge_moves_where_the_size_is_no_multiple() {
    // The last column holds a seventh of a pixel of the image, the last row a half.
    let picture = Rgb::from_fn(1025, 900, |x, y| Pixel([(x / 5) as u8, (y / 5) as u8, 90]));
    let jpeg = encoded(&picture.into(), ImageFormat::Jpeg);
    for orientation in 1..=8 {
        let bytes = turned(&jpeg, orientation);
        let whole = decode_bytes(&bytes, "turned").unwrap();
        let reduced = decode_bytes_for(&bytes, "turned", Detail::Stretched(30, 30)).unwrap();
        let sideways = orientation > 4;
        let (full, size) = if sideways { ((900, 1025), (113, 129)) } else { ((1025, 900), (129, 113)) };
        assert_eq!((reduced.full_size(), reduced.dimensions()), (full, size), "{orientation}");
        let whole = resize::resize(&whole, 30, 30);
        let small = resize::resize_area(&reduced, reduced.area(), 30, 30);
        let worst = whole.iter().zip(small.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 1, "orientation {orientation}: {worst}");
    }
}

#[test]
fn the_thumbnail_of_a_line_has_its_colour() {
    let line = Rgb::from_pixel(3000, 3, Pixel([200, 60, 20]));
    let jpeg = encoded(&line.into(), ImageFormat::Jpeg);
    for (orientation, size) in [(1, (100, 1)), (3, (100, 1)), (6, (1, 100)), (8, (1, 100))] {
        let image = decode_bytes_for(&turned(&jpeg, orientation), "line", Detail::Within(100)).unwrap();
        assert!(!image.is_full());
        let small = thumbnail_of(&image, 100);
        assert_eq!(small.dimensions(), size, "orientation {orientation}");
        for Pixel([r, g, b]) in small.pixels() {
            assert!(
                r.abs_diff(200) < 4 && g.abs_diff(60) < 4 && b.abs_diff(20) < 4,
                "{orientation}: {r} {g} {b}"
            );
        }
    }
}

#[test]
fn what_is_unusual_is_decoded_whole_and_told_as_ever() {
    for name in ["cmyk.jpg", "ycck.jpg"] {
        let image = decode_file_for(&fixture(name), SMALL).unwrap();
        assert!(image.is_full(), "{name}");
        assert_near(quadrants(&image), QUADRANTS, 6, name);
    }
    let bytes = drawn(320, 240);
    let scan = bytes.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    let mut damaged = bytes.clone();
    // Ones alone are no code.
    damaged[scan + 2000..scan + 2040].as_chunks_mut().0.fill([0xFF, 0x00]);
    let said =
        |detail| decode_bytes_for(&damaged, "photo", detail).map(|image| image.note().map(str::to_owned));
    let whole = said(Detail::Full).unwrap().unwrap();
    assert!(whole.contains("photo") && whole.contains("damaged"), "{whole}");
    assert_eq!(said(SMALL).unwrap().unwrap(), whole);
    // What is missing ahead of the end marker, zune-jpeg fills without a word.
    let short = [&bytes[..bytes.len() - 2000], &bytes[bytes.len() - 2..]].concat();
    let note = decode_bytes_for(&short, "photo", SMALL).unwrap().note().map(str::to_owned);
    assert_eq!(note.unwrap(), whole);
    assert!(said(Detail::Checked).unwrap().is_some());
    let checked = decode_bytes_for(&short, "photo", Detail::Checked).unwrap();
    assert_eq!((checked.is_full(), checked.note()), (true, Some(&*whole)));
    assert_eq!(decode_bytes_for(&bytes, "photo", Detail::Checked).unwrap().note(), None);
    let cut = decode_bytes_for(&bytes[..bytes.len() - 2], "photo", SMALL).unwrap_err();
    assert!(cut.to_string().contains("was cut off"), "{cut}");
}

#[test]
fn a_reduced_image_takes_its_part_of_the_budget_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drawn.jpg");
    let bytes = drawn(1600, 1200);
    std::fs::write(&file, &bytes).unwrap();
    let needed = MAX_HEADER_BYTES + bytes.len() as u64 + held_bytes((200, 150));
    let budget: &'static Budget = Box::leak(Box::new(Budget::new(2 * needed)));
    let detail = Detail::Stretched(60, 50);
    let images = [0, 1].map(|_| decode_file_within(&file, detail, budget).unwrap());
    assert_eq!(images[0].dimensions(), (200, 150));
    assert_eq!(budget.free(), 2 * (needed - held_bytes((200, 150))), "what is held is the reduced image");
}
