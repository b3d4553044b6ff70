//! Augments a training image: one random affine map, a brightness factor, and optionally a random crop.
//!
//! Follows Keras' `ImageDataGenerator` (`fill_mode="nearest"`, bilinear): shifts are shares of the
//! size, zoom is drawn for rows and columns separately and scales *coordinates* (0.8 enlarges, 1.2
//! shrinks), the map is rotation * shift * zoom about the centre, then the flip, then brightness.
//!
//! With `crop`, this is applied to a part of the image, chosen as by torchvision's `RandomResizedCrop` (share of the
//! area, aspect ratio on a logarithmic scale, position; after ten parts that do not fit, the largest centred one that
//! does), at the network's input size. Rotation and shift bring in pixels of the image from beyond the part.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng as _, SeedableRng as _};

use super::Rgb;
use crate::config::{Augmentation, RandomCrop};

/// Fractional bits of a fixed-point coordinate.
const FRACTION: u32 = 16;
/// 1.0 as a coordinate.
const ONE: i64 = 1 << FRACTION;

/// Draws one random change from `how` with `seed` and applies it; the size stays the same. The same seed gives the
/// same pixels. Options that are off do not affect the other random draws.
pub fn augment(image: &Rgb, how: &Augmentation, seed: u64) -> Rgb {
    let change = Change::draw(how, image.dimensions(), seed);
    let mut changed = if change.moves() { warp(image, &change) } else { image.clone() };
    if change.brightness != 1.0 {
        let table: [u8; 256] =
            std::array::from_fn(|value| (value as f32 * change.brightness).clamp(0.0, 255.0) as u8);
        for value in changed.iter_mut() {
            *value = table[usize::from(*value)];
        }
    }
    changed
}

/// A drawn change. Shifts are shares of height and width.
#[derive(Clone, Copy, Debug)]
struct Change {
    degrees: f32,
    shift: [f32; 2],
    zoom: [f32; 2],
    brightness: f32,
    flip: bool,
    part: Option<CroppedPart>,
}

/// A rectangle of the image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CroppedPart {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl CroppedPart {
    /// Draws with `between`, which returns uniform numbers from its first to below its second argument.
    fn draw(
        crop: &RandomCrop,
        (width, height): (u32, u32),
        between: &mut impl FnMut(f32, f32) -> f32,
    ) -> Self {
        let area = width as f32 * height as f32;
        for _ in 0..10 {
            let target = area * between(crop.scale.0, crop.scale.1);
            let ratio = between(crop.ratio.0.ln(), crop.ratio.1.ln()).exp();
            let sides = [(target * ratio).sqrt(), (target / ratio).sqrt()].map(|side| side.round() as u32);
            let [part_width, part_height] = sides;
            if (1..=width).contains(&part_width) && (1..=height).contains(&part_height) {
                let mut place = |room: u32| (between(0.0, (room + 1) as f32) as u32).min(room);
                let (top, left) = (place(height - part_height), place(width - part_width));
                return Self { left, top, width: part_width, height: part_height };
            }
        }
        Self::in_the_middle(crop, (width, height))
    }

    fn in_the_middle(crop: &RandomCrop, (width, height): (u32, u32)) -> Self {
        let ratio = width as f32 / height as f32;
        let (mut part_width, mut part_height) = (width, height);
        if ratio < crop.ratio.0 {
            part_height = ((width as f32 / crop.ratio.0).round() as u32).clamp(1, height);
        } else if ratio > crop.ratio.1 {
            part_width = ((height as f32 * crop.ratio.1).round() as u32).clamp(1, width);
        }
        let (left, top) = ((width - part_width) / 2, (height - part_height) / 2);
        Self { left, top, width: part_width, height: part_height }
    }
}

impl Change {
    fn draw(how: &Augmentation, size: (u32, u32), seed: u64) -> Self {
        let mut generator = Pcg64Mcg::seed_from_u64(seed);
        let mut between = |low: f32, high: f32| {
            let unit = (generator.next_u32() >> 8) as f32 / (1 << 24) as f32;
            low + (high - low) * unit
        };
        Self {
            degrees: between(-how.rotation, how.rotation),
            shift: [between(-how.shift, how.shift), between(-how.shift, how.shift)],
            zoom: [between(how.zoom.0, how.zoom.1), between(how.zoom.0, how.zoom.1)],
            brightness: between(how.brightness.0, how.brightness.1),
            flip: between(0.0, 1.0) < 0.5 && how.horizontal_flip,
            // Last, so that it does not affect the other draws.
            part: how.crop.map(|crop| CroppedPart::draw(&crop, size, &mut between)),
        }
    }

    /// Whether any pixel moves.
    fn moves(&self) -> bool {
        let is_still = self.degrees == 0.0 && self.shift == [0.0; 2] && self.zoom == [1.0; 2] && !self.flip;
        !is_still || self.part.is_some()
    }
}

/// A point of the source, fixed-point.
#[derive(Clone, Copy)]
struct Position {
    row: i64,
    column: i64,
}

/// Output pixel -> source position, linear: `origin + row * per_row + column * per_column`.
struct Map {
    origin: Position,
    per_row: Position,
    per_column: Position,
}

impl Map {
    fn new(change: &Change, width: u32, height: u32) -> Self {
        let (sin, cos) = f64::from(change.degrees).to_radians().sin_cos();
        let [zoom_rows, zoom_columns] = change.zoom.map(f64::from);
        let [down, across] = change.shift.map(f64::from);
        let (height, width) = (f64::from(height), f64::from(width));
        let (middle_row, middle_column) = (height / 2.0 - 0.5, width / 2.0 - 0.5);

        let mut per_row = (cos * zoom_rows, sin * zoom_rows);
        let mut per_column = (-sin * zoom_columns, cos * zoom_columns);
        let (shift_row, shift_column) = (down * height, across * width);
        let mut origin = (
            cos * shift_row - sin * shift_column + middle_row
                - per_row.0 * middle_row
                - per_column.0 * middle_column,
            sin * shift_row + cos * shift_column + middle_column
                - per_row.1 * middle_row
                - per_column.1 * middle_column,
        );
        if change.flip {
            origin = (origin.0 + per_column.0 * (width - 1.0), origin.1 + per_column.1 * (width - 1.0));
            per_column = (-per_column.0, -per_column.1);
        }
        if let Some(part) = change.part {
            // Pixel centres lie at halves: the part's edges map to the image's edges.
            let (down, across) = (f64::from(part.height) / height, f64::from(part.width) / width);
            origin = (
                (origin.0 + 0.5) * down - 0.5 + f64::from(part.top),
                (origin.1 + 0.5) * across - 0.5 + f64::from(part.left),
            );
            per_row = (per_row.0 * down, per_row.1 * across);
            per_column = (per_column.0 * down, per_column.1 * across);
        }
        let fixed = |(row, column): (f64, f64)| Position {
            row: (row * ONE as f64).round() as i64,
            column: (column * ONE as f64).round() as i64,
        };
        Self { origin: fixed(origin), per_row: fixed(per_row), per_column: fixed(per_column) }
    }
}

fn warp(image: &Rgb, change: &Change) -> Rgb {
    let (width, height) = image.dimensions();
    if width == 0 || height == 0 {
        return image.clone();
    }
    let map = Map::new(change, width, height);
    let mut out = Rgb::new(width, height);
    for (y, row) in (0..).zip(out.chunks_exact_mut(width as usize * 3)) {
        let start = Position {
            row: map.origin.row + map.per_row.row * y,
            column: map.origin.column + map.per_row.column * y,
        };
        warp_row(image, start, map.per_column, row);
    }
    out
}

/// Fills one output row: without clamping where source windows lie inside, with clamping elsewhere.
fn warp_row(image: &Rgb, start: Position, step: Position, out: &mut [u8]) {
    let (last_row, last_column) = (i64::from(image.height()) - 1, i64::from(image.width()) - 1);
    let count = (out.len() / 3) as i64;
    let (from, to) = overlap(
        inside(start.row, step.row, last_row * ONE, count),
        inside(start.column, step.column, last_column * ONE, count),
    );
    let stride = image.width() as usize * 3;
    let source = image.as_raw().as_slice();
    for (x, pixel) in (0..).zip(out.as_chunks_mut::<3>().0) {
        let (row, column) = (start.row + step.row * x, start.column + step.column * x);
        let weights = ((row & (ONE - 1)) as u32 >> 8, (column & (ONE - 1)) as u32 >> 8);
        if from <= x && x < to {
            let at = (row >> FRACTION) as usize * stride + (column >> FRACTION) as usize * 3;
            *pixel = blend(&source[at..at + 6], &source[at + stride..at + stride + 6], weights);
        } else {
            let rows = [row >> FRACTION, (row >> FRACTION) + 1].map(|row| row.clamp(0, last_row) as usize);
            let columns = [column >> FRACTION, (column >> FRACTION) + 1]
                .map(|column| column.clamp(0, last_column) as usize * 3);
            let pair = |row: usize| {
                let [left, right] = columns.map(|column| row * stride + column);
                let at = |i: usize| source[i];
                [at(left), at(left + 1), at(left + 2), at(right), at(right + 1), at(right + 2)]
            };
            *pixel = blend(&pair(rows[0]), &pair(rows[1]), weights);
        }
    }
}

/// The mean of a 2x2 window of RGB pixels, with weights of 0 to 255 256ths for the lower and right.
#[inline]
fn blend(upper: &[u8], lower: &[u8], (down, right): (u32, u32)) -> [u8; 3] {
    let (upper, lower) = (&upper[..6], &lower[..6]);
    std::array::from_fn(|i| {
        let above = u32::from(upper[i]) * (256 - right) + u32::from(upper[i + 3]) * right;
        let below = u32::from(lower[i]) * (256 - right) + u32::from(lower[i + 3]) * right;
        ((above * (256 - down) + below * down + (1 << 15)) >> 16) as u8
    })
}

/// The steps `from..to` of `count` at which `start + step * i` lies in `0..end`.
fn inside(start: i64, step: i64, end: i64, count: i64) -> (i64, i64) {
    let ceil_div = |a: i64, b: i64| -(-a).div_euclid(b);
    let (from, to) = match step {
        0 if (0..end).contains(&start) => (0, count),
        0 => (0, 0),
        1.. => (ceil_div(-start, step), ceil_div(end - start, step)),
        // start + step * i < end and >= 0, with a falling line.
        _ => ((start - end).div_euclid(-step) + 1, start.div_euclid(-step) + 1),
    };
    (from.clamp(0, count), to.clamp(0, count))
}

fn overlap(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.max(b.0), a.1.min(b.1))
}

#[cfg(test)]
mod tests;
