use std::path::{Path, PathBuf};

use image::imageops;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use tasklens_data::images::decode::decode_file;
use tasklens_data::images::{Rgb, resize};

use super::*;

/// Makes a copy that is not quite the same.
type Copying<'a> = &'a dyn Fn(&Rgb) -> Rgb;

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// Pictures with soft colours here and there, as photographs have.
fn drawn(count: usize, random: &mut Pcg64Mcg) -> Vec<u8> {
    (0..count)
        .flat_map(|_| {
            let coarse = Rgb::from_fn(4, 4, |_, _| image::Rgb(random.random::<[u8; 3]>()));
            resize::resize(&coarse, 12, 12).into_raw()
        })
        .collect()
}

/// The picture darker, and a little noisy.
fn copied(miniature: &[u8], random: &mut Pcg64Mcg) -> Vec<u8> {
    miniature.iter().map(|value| (f32::from(*value) * 0.9) as u8 + random.random_range(0..4_u8)).collect()
}

#[test]
fn copies_are_found_and_nothing_else() {
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let mut miniatures = drawn(BLOCK + 600, &mut random);
    let originals = [5, 17, BLOCK + 3];
    for original in originals {
        let copy = copied(&miniatures[original * MINIATURE_BYTES..][..MINIATURE_BYTES], &mut random);
        miniatures.extend(copy);
    }
    let count = miniatures.len() / MINIATURE_BYTES;
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..count).collect();
    let places = |pairs: &[Pair]| {
        let mut places: Vec<(usize, usize)> = pairs.iter().map(|pair| (pair.a, pair.b)).collect();
        places.sort_unstable();
        places
    };
    let found = within(&features, &all, SAME_PHOTOGRAPH, &mut go_on).unwrap().unwrap();
    assert_eq!(places(&found), [(5, count - 3), (17, count - 2), (BLOCK + 3, count - 1)]);
    assert!(found.iter().all(|pair| pair.similarity > 0.995 && pair.similarity < 1.0), "{found:?}");
    // The copies on the other side, in an order of their own; one of them is on the first side.
    let (first, second) = all.split_at(count - 2);
    let second: Vec<usize> = second.iter().rev().copied().collect();
    let found = across(&features, first, &second, SAME_PHOTOGRAPH, &mut go_on).unwrap().unwrap();
    assert_eq!(places(&found), [(17, count - 2), (BLOCK + 3, count - 1)]);
}

#[test]
fn the_quick_comparison_misses_no_pair() {
    let mut random = Pcg64Mcg::seed_from_u64(4);
    let miniatures = drawn(300, &mut random);
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..300).collect();
    for threshold in [0.2, 0.4] {
        let found = within(&features, &all, threshold, &mut go_on).unwrap().unwrap();
        let each = |a: usize| (a + 1..300).map(move |b| (a, b));
        let expected = (0..300)
            .flat_map(each)
            .filter(|(a, b)| correlation(features.miniature(*a), features.miniature(*b)) >= threshold)
            .count();
        assert!(expected > 10, "{expected}");
        assert_eq!(found.len(), expected);
        assert!(found.windows(2).all(|two| two[0].similarity >= two[1].similarity));
    }
}

#[test]
fn an_image_of_one_colour_is_like_no_other() {
    let mut random = Pcg64Mcg::seed_from_u64(5);
    let mut miniatures = vec![200; 4 * MINIATURE_BYTES];
    // Compression leaves a trace in such images, too: the same one in two of them.
    miniatures[7] = 201;
    miniatures[MINIATURE_BYTES + 7] = 201;
    miniatures.extend(drawn(1, &mut random));
    miniatures.extend(copied(&miniatures[4 * MINIATURE_BYTES..], &mut random));
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..6).collect();
    let found = within(&features, &all, 0.9, &mut go_on).unwrap().unwrap();
    assert_eq!(found.iter().map(|pair| (pair.a, pair.b)).collect::<Vec<_>>(), [(4, 5)]);
    assert_eq!(within(&features, &all[..4], 0.9, &mut go_on).unwrap(), Some(Vec::new()));
    assert_eq!(across(&features, &[], &[4], 0.9, &mut go_on).unwrap(), Some(Vec::new()));
    assert_eq!(within(&features, &all, 0.9, &mut |_, _| false).unwrap(), None);
}

#[test]
fn identical_images_have_a_pair_each_and_not_one_with_every_other() {
    let mut random = Pcg64Mcg::seed_from_u64(7);
    // 5,000 times the first picture, a darker copy of it, and another picture.
    let mut miniatures = drawn(1, &mut random).repeat(5000);
    miniatures.extend(copied(&miniatures[..MINIATURE_BYTES], &mut random));
    miniatures.extend(drawn(1, &mut random));
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..5002).collect();
    let began = std::time::Instant::now();
    let found = within(&features, &all, SAME_PHOTOGRAPH, &mut go_on).unwrap().unwrap();
    assert_eq!(found.len(), 4999 + 1);
    assert!(found[..4999].iter().enumerate().all(|(i, pair)| (pair.a, pair.b) == (0, i + 1)));
    assert!(found[..4999].iter().all(|pair| pair.similarity == 1.0));
    assert_eq!((found[4999].a, found[4999].b), (0, 5000));
    // Both sides: each image has its pair all the same.
    let (first, second) = all.split_at(2000);
    let found = across(&features, first, second, SAME_PHOTOGRAPH, &mut go_on).unwrap().unwrap();
    let once = |side: fn(&Pair) -> usize| found.iter().map(side).collect::<HashSet<_>>().len();
    assert_eq!((once(|pair| pair.a), once(|pair| pair.b)), (2000, 3001));
    // (0, 2000) and (0, 5000), then the others of both sides.
    assert_eq!(found.len(), 2 + 1999 + 2999);
    assert!(found.is_sorted_by(|x, y| x.similarity >= y.similarity));
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

/// `cargo test --lib -- --ignored --nocapture duplicates_among_a_hundred_thousand`.
#[test]
#[ignore = "a measurement"]
fn duplicates_among_a_hundred_thousand() {
    let miniatures = drawn(100_000, &mut Pcg64Mcg::seed_from_u64(6));
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..100_000).collect();
    let began = std::time::Instant::now();
    let found = across(&features, &all[..20_000], &all[20_000..], SAME_PHOTOGRAPH, &mut go_on).unwrap();
    println!("{} pairs in {:.1} s", found.map_or(0, |found| found.len()), began.elapsed().as_secs_f64());
}

/// How many copies of real photographs are found, and what else is:
/// `PHOTOGRAPHS=folder cargo test --lib -- --ignored --nocapture copies_of_real_photographs`.
#[test]
#[ignore = "a measurement, on a folder of photographs"]
fn copies_of_real_photographs() {
    let folder = PathBuf::from(std::env::var_os("PHOTOGRAPHS").unwrap());
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let images: Vec<Rgb> = files.iter().map(|file| decode_file(file).unwrap().into_rgb()).collect();
    let miniature = |image: &Rgb| {
        let input = resize::resize(image, 64, 64);
        resize::resize(&input, 12, 12).into_raw()
    };
    let mut miniatures: Vec<u8> = images.iter().flat_map(miniature).collect();
    let copies: [(&str, Copying<'_>); 8] = [
        ("JPEG at 40 %", &|image| recompressed(image, 40)),
        ("half the size, JPEG at 75 %", &|image| {
            recompressed(&resize::resize(image, image.width() / 2, image.height() / 2), 75)
        }),
        ("a quarter of the size", &|image| resize::resize(image, image.width() / 4, image.height() / 4)),
        ("1 % cut off each side", &|image| cropped(image, 0.01)),
        ("2 % cut off each side", &|image| cropped(image, 0.02)),
        ("4 % cut off each side", &|image| cropped(image, 0.04)),
        ("brightened by a tenth", &|image| imageops::brighten(image, 25)),
        ("mirrored", &|image| imageops::flip_horizontal(image)),
    ];
    let every = (images.len() / 400).max(1);
    let originals: Vec<usize> = (0..images.len()).step_by(every).collect();
    for (_, copy) in &copies {
        miniatures.extend(originals.iter().flat_map(|original| miniature(&copy(&images[*original]))));
    }
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    for (index, (name, _)) in copies.iter().enumerate() {
        let copy = |place: usize| images.len() + index * originals.len() + place;
        let found = |threshold: f32| {
            let places = originals.iter().enumerate();
            let alike = places.filter(|(place, original)| {
                correlation(features.miniature(**original), features.miniature(copy(*place))) >= threshold
            });
            100.0 * alike.count() as f64 / originals.len() as f64
        };
        println!(
            "{name}: {:.1} % at 0.98, {:.1} % at 0.99, {:.1} % at 0.995",
            found(0.98),
            found(0.99),
            found(0.995)
        );
    }
    let all: Vec<usize> = (0..images.len()).collect();
    for threshold in [0.98, 0.985, 0.99, 0.995] {
        let pairs = within(&features, &all, threshold, &mut go_on).unwrap().unwrap();
        println!("among {} originals, {} pairs from {threshold}", images.len(), pairs.len());
        if threshold == 0.98 {
            sheet(&pairs, &images, &std::env::temp_dir().join("duplicates.png"));
        }
    }
}

fn recompressed(image: &Rgb, quality: u8) -> Rgb {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
    image::load_from_memory(&bytes).unwrap().to_rgb8()
}

fn cropped(image: &Rgb, share: f32) -> Rgb {
    let cut = |size: u32| (size as f32 * share).round() as u32;
    let (x, y) = (cut(image.width()), cut(image.height()));
    imageops::crop_imm(image, x, y, image.width() - 2 * x, image.height() - 2 * y).to_image()
}

fn sheet(pairs: &[Pair], images: &[Rgb], file: &Path) {
    let mut sheet = Rgb::new(8 * 210, 1000);
    for (place, pair) in pairs.iter().take(80).enumerate() {
        for (side, item) in [pair.a, pair.b].into_iter().enumerate() {
            let small = resize::resize(&images[item], 100, 100);
            let (x, y) = (place % 8 * 210 + side * 100, place / 8 * 100);
            imageops::replace(&mut sheet, &small, x as i64, y as i64);
        }
        println!("{place}: {:.4}", pair.similarity);
    }
    sheet.save(file).unwrap();
    println!("the first of them are in {}", file.display());
}
