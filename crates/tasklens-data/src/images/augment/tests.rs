use super::*;
use image::Rgb as Pixel;

fn picture(width: u32, height: u32) -> Rgb {
    Rgb::from_fn(width, height, |x, y| {
        Pixel([(x * 7 % 256) as u8, (y * 11 % 256) as u8, ((x * y) % 256) as u8])
    })
}

/// Only `rotation`, `shift` and so on of this: everything else is off.
fn only(change: impl FnOnce(&mut Augmentation)) -> Augmentation {
    let mut how = Augmentation::none();
    change(&mut how);
    how
}

/// scipy.ndimage.affine_transform(order=1, mode="nearest") as Keras calls it, in plain f64.
fn slow(image: &Rgb, change: &Change) -> Vec<f64> {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let (sin, cos) = f64::from(change.degrees).to_radians().sin_cos();
    let mut out = Vec::new();
    for y in 0..image.height() {
        for x in 0..image.width() {
            let x = if change.flip { image.width() - 1 - x } else { x };
            let row = (f64::from(y) - (height / 2.0 - 0.5)) * f64::from(change.zoom[0])
                + f64::from(change.shift[0]) * height;
            let column = (f64::from(x) - (width / 2.0 - 0.5)) * f64::from(change.zoom[1])
                + f64::from(change.shift[1]) * width;
            let (row, column) = (
                (cos * row - sin * column + height / 2.0 - 0.5).clamp(0.0, height - 1.0),
                (sin * row + cos * column + width / 2.0 - 0.5).clamp(0.0, width - 1.0),
            );
            for channel in 0..3 {
                let at = |row: f64, column: f64| {
                    f64::from(
                        image.get_pixel(column.min(width - 1.0) as u32, row.min(height - 1.0) as u32)
                            [channel],
                    )
                };
                let (r, c) = (row.floor(), column.floor());
                let (dr, dc) = (row - r, column - c);
                let above = at(r, c) * (1.0 - dc) + at(r, c + 1.0) * dc;
                let below = at(r + 1.0, c) * (1.0 - dc) + at(r + 1.0, c + 1.0) * dc;
                out.push(above * (1.0 - dr) + below * dr);
            }
        }
    }
    out
}

#[test]
fn agrees_with_the_definition_for_many_seeds_and_shapes() {
    let how = Augmentation {
        rotation: 40.0,
        shift: 0.3,
        zoom: (0.5, 1.6),
        brightness: (1.0, 1.0),
        horizontal_flip: true,
        crop: None,
    };
    for (width, height) in [(33, 20), (16, 48), (1, 9), (9, 1)] {
        // Smooth, so that a 256th of a pixel does not show.
        let image = Rgb::from_fn(width, height, |x, y| Pixel([(x * 5) as u8, (y * 4) as u8, (x + y) as u8]));
        for seed in 0..40 {
            let fast = augment(&image, &how, seed);
            let slow = slow(&image, &Change::draw(&how, (width, height), seed));
            let worst = fast.iter().zip(&slow).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1.1, "{width}x{height}, seed {seed}: off by {worst}");
        }
    }
}

#[test]
fn same_seed_same_pixels_and_another_seed_others() {
    let image = picture(40, 30);
    let how = Augmentation::default();
    assert_eq!(augment(&image, &how, 5), augment(&image, &how, 5));
    assert_ne!(augment(&image, &how, 5), augment(&image, &how, 6));
}

#[test]
fn none_changes_nothing() {
    let image = picture(40, 30);
    for seed in 0..20 {
        assert_eq!(augment(&image, &Augmentation::none(), seed), image);
    }
}

#[test]
fn the_flip_mirrors_left_and_right_about_half_the_time() {
    let image = picture(31, 17);
    let mirrored = image::imageops::flip_horizontal(&image);
    let how = only(|how| how.horizontal_flip = true);
    let flips = (0..400)
        .filter(|&seed| {
            let changed = augment(&image, &how, seed);
            assert!(changed == image || changed == mirrored);
            changed == mirrored
        })
        .count();
    assert!((150..250).contains(&flips), "{flips} of 400");
}

#[test]
fn a_shift_stays_in_its_range_and_repeats_the_border() {
    let image = Rgb::from_fn(100, 100, |x, _| Pixel([x as u8; 3]));
    let how = only(|how| how.shift = 0.1);
    let mut seen = (255, 0);
    for seed in 0..200 {
        let middle = augment(&image, &how, seed).get_pixel(50, 50)[0];
        assert!((39..=61).contains(&middle), "shifted by {}", i32::from(middle) - 50);
        seen = (seen.0.min(middle), seen.1.max(middle));
    }
    assert!(seen.0 < 43 && seen.1 > 57, "the whole range is used: {seen:?}");
    // The border is a repeat of the outermost column, never black.
    let bright = Rgb::from_pixel(20, 20, Pixel([200; 3]));
    let strong =
        Augmentation { rotation: 90.0, shift: 0.9, brightness: (1.0, 1.0), ..Augmentation::default() };
    for seed in 0..20 {
        assert_eq!(augment(&bright, &strong, seed), bright);
    }
}

#[test]
fn brightness_scales_and_clips() {
    let image = Rgb::from_pixel(2, 2, Pixel([10, 100, 200]));
    let twice = only(|how| how.brightness = (2.0, 2.0));
    assert_eq!(augment(&image, &twice, 0).get_pixel(0, 0), &Pixel([20, 200, 255]));
    let half = only(|how| how.brightness = (0.5, 0.5));
    assert_eq!(augment(&image, &half, 0).get_pixel(1, 1), &Pixel([5, 50, 100]));
}

#[test]
fn zoom_below_one_enlarges_as_in_keras() {
    let mut image = Rgb::from_pixel(101, 101, Pixel([0; 3]));
    for y in 40..=60 {
        for x in 40..=60 {
            image.put_pixel(x, y, Pixel([255; 3]));
        }
    }
    let lit = |image: &Rgb| image.pixels().filter(|pixel| pixel[0] > 127).count();
    let closer = augment(&image, &only(|how| how.zoom = (0.5, 0.5)), 1);
    let farther = augment(&image, &only(|how| how.zoom = (2.0, 2.0)), 1);
    assert!(lit(&closer) > 3 * lit(&image) && 3 * lit(&farther) < lit(&image));
}

/// A part of the image, enlarged to the whole as `torch.nn.functional.interpolate(mode="bilinear")` does, in plain f64.
fn enlarged(image: &Rgb, part: CroppedPart) -> Vec<f64> {
    let (width, height) = image.dimensions();
    let mut out = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let at = |place: u32, side: u32, begin: u32, whole: u32, of: u32| {
                let place =
                    (f64::from(place) + 0.5) * f64::from(side) / f64::from(whole) - 0.5 + f64::from(begin);
                place.clamp(0.0, f64::from(of - 1))
            };
            let row = at(y, part.height, part.top, height, height);
            let column = at(x, part.width, part.left, width, width);
            for channel in 0..3 {
                let pixel = |row: f64, column: f64| {
                    let (row, column) = (row.min(f64::from(height - 1)), column.min(f64::from(width - 1)));
                    f64::from(image.get_pixel(column as u32, row as u32)[channel])
                };
                let (r, c) = (row.floor(), column.floor());
                let above = pixel(r, c) * (1.0 - column + c) + pixel(r, c + 1.0) * (column - c);
                let below = pixel(r + 1.0, c) * (1.0 - column + c) + pixel(r + 1.0, c + 1.0) * (column - c);
                out.push(above * (1.0 - row + r) + below * (row - r));
            }
        }
    }
    out
}

#[test]
fn a_crop_is_a_part_enlarged_to_the_whole() {
    let how = only(|how| how.crop = Some(RandomCrop { scale: (0.1, 0.9), ..RandomCrop::default() }));
    let image = Rgb::from_fn(33, 20, |x, y| Pixel([(x * 5) as u8, (y * 4) as u8, (x + y) as u8]));
    for seed in 0..40 {
        let part = Change::draw(&how, (33, 20), seed).part.unwrap();
        let expected = enlarged(&image, part);
        let fast = augment(&image, &how, seed);
        let worst = fast.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1.1, "seed {seed}, {part:?}: off by {worst}");
    }
}

#[test]
fn parts_have_the_area_and_the_sides_asked_for() {
    let crop = RandomCrop { scale: (0.2, 0.6), ratio: (0.5, 2.0) };
    let how = only(|how| how.crop = Some(crop));
    let parts: Vec<CroppedPart> =
        (0..2000).map(|seed| Change::draw(&how, (200, 100), seed).part.unwrap()).collect();
    let mut corners = [false; 2];
    for part in &parts {
        assert!(part.left + part.width <= 200 && part.top + part.height <= 100);
        let (area, ratio) = (part.width * part.height, part.width as f32 / part.height as f32);
        assert!((0.19..0.61).contains(&(area as f32 / 20_000.0)), "{part:?}");
        assert!((0.49..2.05).contains(&ratio), "{part:?}");
        corners[0] |= part.left == 0;
        corners[1] |= part.left + part.width == 200;
    }
    assert_eq!(corners, [true; 2]);
    let mean = parts.iter().map(|part| f64::from(part.width * part.height)).sum::<f64>() / 2000.0 / 20_000.0;
    // Tall parts that are too large for it are drawn again.
    assert!((0.33..0.42).contains(&mean), "{mean}");
}

#[test]
fn what_never_fits_is_the_largest_in_the_middle_that_does() {
    let tall = RandomCrop { scale: (1.0, 1.0), ratio: (0.5, 0.5) };
    let wide = RandomCrop { scale: (1.0, 1.0), ratio: (4.0, 4.0) };
    let part = |crop: &RandomCrop| Change::draw(&only(|how| how.crop = Some(*crop)), (200, 100), 3).part;
    assert_eq!(part(&tall), Some(CroppedPart { left: 75, top: 0, width: 50, height: 100 }));
    assert_eq!(part(&wide), Some(CroppedPart { left: 0, top: 25, width: 200, height: 50 }));
}

#[test]
fn a_crop_leaves_the_other_draws_as_they_are() {
    let with = Augmentation { crop: Some(RandomCrop::default()), ..Augmentation::default() };
    for seed in 0..20 {
        let without = Change::draw(&Augmentation::default(), (48, 48), seed);
        let change = Change { part: None, ..Change::draw(&with, (48, 48), seed) };
        assert_eq!(format!("{without:?}"), format!("{change:?}"));
    }
}
