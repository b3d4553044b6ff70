//! Composes a picture: background, the posed garment, light, noise.

use anyhow::Context as _;
use image::{Rgb, RgbImage};
use tiny_skia::{Color, PathBuilder, Rect, Transform};

use super::Labels;
use super::garment::{Cut, Neckline};
use super::ink::{Dice, Ink, Palette, Pencil, gradient};

/// Pixels along each side of a picture.
pub const SIDE: u32 = 160;

/// Draws one picture with these labels.
pub fn draw(labels: Labels, mut dice: Dice) -> anyhow::Result<RgbImage> {
    let mut pencil = Pencil::new(SIDE).context("a picture needs pixels")?;
    let dice = &mut dice;
    let palette = Palette::draw(dice);
    let cut = Cut::draw(labels.sleeves, labels.neckline, dice);

    pencil.to_pixels = Transform::from_scale(SIDE as f32 / 100.0, SIDE as f32 / 100.0);
    background(&mut pencil, &palette, dice);

    pencil.to_pixels = pose(&cut, dice);
    shadow(&mut pencil, &cut, dice);
    garment(&mut pencil, labels, &cut, &palette, dice);

    pencil.to_pixels = Transform::from_scale(SIDE as f32 / 100.0, SIDE as f32 / 100.0);
    light(&mut pencil, dice);
    Ok(with_noise(&pencil, dice))
}

/// Transform from the garment's units to pixels: position, size and rotation.
fn pose(cut: &Cut, dice: &mut Dice) -> Transform {
    let side = SIDE as f32;
    let (half_width, half_height) = cut.reach();
    let unit = side * dice.range(0.4, 0.465) / half_width.max(half_height).max(36.0);
    let (x, y) = (side * (0.5 + dice.around(0.03)), side * (0.5 + dice.around(0.025)));
    Transform::from_translate(0.0, -(cut.top + half_height))
        .post_concat(Transform::from_row(1.0, 0.0, dice.around(0.06), 1.0, 0.0, 0.0))
        .post_rotate(dice.around(10.0))
        .post_scale(unit * dice.range(0.96, 1.04), unit)
        .post_translate(x, y)
}

fn everything(b: &mut PathBuilder) {
    if let Some(rect) = Rect::from_ltrb(-1.0, -1.0, 101.0, 101.0) {
        b.push_rect(rect);
    }
}

fn background(pencil: &mut Pencil, palette: &Palette, dice: &mut Dice) {
    let ink = palette.background;
    let lighter = ink.mix(Ink::WHITE, dice.range(0.08, 0.3));
    let darker = ink.mix(Ink::BLACK, dice.range(0.05, 0.15));
    pencil.fill(ink.alpha(1.0), everything);
    match dice.below(4) {
        0 => {}
        1 => {
            let (x, y) = (dice.range(0.0, 100.0), dice.range(0.0, 100.0));
            let stops = [(0.0, lighter.alpha(1.0)), (1.0, darker.alpha(1.0))];
            pencil.fill_with(gradient((x, y), (100.0 - x, 100.0 - y), &stops), everything);
        }
        2 => {
            for i in 0..14 {
                let ink = if i % 2 == 0 { lighter } else { darker };
                let (x, y, r) = (dice.range(0.0, 100.0), dice.range(0.0, 100.0), dice.range(8.0, 24.0));
                pencil.fill(ink.alpha(0.35), |b| b.push_circle(x, y, r));
            }
        }
        _ => {
            // Floor boards or a wall of planks: faint, never as bold as a print.
            let (period, slope) = (dice.range(9.0, 20.0), dice.around(12.0));
            let mut x = -20.0;
            while x < 120.0 {
                let board = [lighter, darker][dice.below(2)].alpha(dice.range(0.1, 0.4));
                pencil.line(board, period, |b| {
                    b.move_to(x, -20.0);
                    b.line_to(x + slope, 120.0);
                });
                x += period;
            }
        }
    }
}

/// A soft shadow, made of wider and wider see-through outlines.
fn shadow(pencil: &mut Pencil, cut: &Cut, dice: &mut Dice) {
    let upright = pencil.to_pixels;
    pencil.to_pixels = upright.pre_translate(dice.around(1.5), dice.range(0.8, 2.2));
    for width in [0.5, 2.5, 4.5, 6.5] {
        let ink = Ink::BLACK.alpha(0.05);
        pencil.line(ink, width, |b| cut.body(b));
        for sleeve in &cut.sleeves {
            pencil.line(ink, width, |b| sleeve.outline(b));
        }
    }
    pencil.to_pixels = upright;
}

fn garment(pencil: &mut Pencil, labels: Labels, cut: &Cut, palette: &Palette, dice: &mut Dice) {
    let fabric = palette.fabric;
    let seam = fabric.mix(Ink::BLACK, 0.5);
    let inside = fabric.mix(Ink::BLACK, 0.58);

    pencil.fill(inside.alpha(1.0), |b| cut.back(b));
    if labels.neckline != Neckline::None {
        pencil.line(palette.trim.mix(Ink::BLACK, 0.35).alpha(1.0), 1.8, |b| {
            b.move_to(-cut.neck, cut.top);
            cut.back_edge(b);
        });
    }
    // Sleeves lie under the body. The print uses the same random numbers for each part, so that all match.
    for sleeve in &cut.sleeves {
        pencil.fill(fabric.mix(Ink::BLACK, 0.06).alpha(1.0), |b| sleeve.outline(b));
        pencil.clip_to(|b| sleeve.outline(b));
        labels.print.on_sleeve(pencil, sleeve, palette, &mut dice.clone());
        for (above, alpha) in [(9.0, 0.05), (11.0, 0.05), (30.0, 0.05), (32.0, 0.04)] {
            pencil.line(Ink::BLACK.alpha(alpha), 1.6, |b| sleeve.across(b, above));
        }
        pencil.unclip();
        pencil.line(palette.trim.alpha(1.0), 1.8, |b| sleeve.across(b, 0.9));
        pencil.line(seam.alpha(0.75), 0.7, |b| sleeve.outline(b));
    }

    pencil.fill(fabric.alpha(1.0), |b| cut.body(b));
    pencil.clip_to(|b| cut.body(b));
    labels.print.on_body(pencil, cut, palette, dice);
    folds(pencil, cut, dice);
    pencil.unclip();
    // The body's edge shows on the sleeves as the armhole's seam.
    pencil.line(seam.alpha(0.8), 0.8, |b| cut.body(b));
    pencil.line(palette.trim.alpha(0.9), 1.1, |b| cut.hem_line(b, 0.7));
    pencil.line(palette.trim.alpha(1.0), 2.4, |b| cut.collar(b));
    pencil.line(seam.alpha(0.7), 0.6, |b| cut.collar(b));
}

/// Soft shading: darker towards the sides, a few creases, shade under the sleeves.
fn folds(pencil: &mut Pencil, cut: &Cut, dice: &mut Dice) {
    let reach = cut.hem.0.max(cut.armpit.0);
    let bright = dice.range(0.3, 0.6);
    let stops = [
        (0.0, Ink::BLACK.alpha(0.2)),
        (0.2, Ink::BLACK.alpha(0.04)),
        (bright, Ink::WHITE.alpha(0.1)),
        (0.8, Ink::BLACK.alpha(0.05)),
        (1.0, Ink::BLACK.alpha(0.24)),
    ];
    pencil.fill_with(gradient((-reach, 0.0), (reach, 0.0), &stops), |b| cut.body(b));
    for side in [-1.0, 1.0] {
        let (x, y) = (cut.armpit.0 * side, cut.armpit.1);
        let (to_x, to_y) = (side * dice.range(4.0, 10.0), y + dice.range(4.0, 10.0));
        for width in [3.0, 1.4] {
            pencil.line(Ink::BLACK.alpha(0.07), width, |b| {
                b.move_to(x, y + 1.0);
                b.quad_to((x + to_x) / 2.0, y + 1.0, to_x, to_y);
            });
        }
        let (from_x, from_y) = (side * dice.range(5.0, 11.0), cut.hem.1 - dice.range(12.0, 24.0));
        for width in [3.4, 1.6] {
            pencil.line(Ink::BLACK.alpha(0.06), width, |b| {
                b.move_to(from_x, from_y);
                b.quad_to(from_x * 1.1, from_y + 8.0, from_x * 1.3, cut.hem.1 + 1.0);
            });
        }
    }
}

/// Light from one side over everything, and how bright the room is.
fn light(pencil: &mut Pencil, dice: &mut Dice) {
    let (sin, cos) = dice.range(0.0, std::f32::consts::TAU).sin_cos();
    let (from, to) = ((50.0 - cos * 60.0, 50.0 - sin * 60.0), (50.0 + cos * 60.0, 50.0 + sin * 60.0));
    let strength = dice.range(0.04, 0.2);
    let stops = [
        (0.0, Ink::WHITE.alpha(strength)),
        (0.5, Color::from_rgba8(128, 128, 128, 0)),
        (1.0, Ink::BLACK.alpha(strength)),
    ];
    pencil.fill_with(gradient(from, to, &stops), everything);
    let room = if dice.chance(0.5) { Ink::WHITE } else { Ink::BLACK };
    pencil.fill(room.alpha(dice.range(0.0, 0.14)), everything);
}

/// The pixels with a little noise, as from a camera.
fn with_noise(pencil: &Pencil, dice: &mut Dice) -> RgbImage {
    let grain = dice.range(1.0, 5.0);
    let pixels = pencil.pixmap.pixels();
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let pixel = pixels[(y * SIDE + x) as usize];
        // Four bytes summed are close to a bell curve; the three channels share most of it.
        let [a, b, c, d, e, f, g, h] = dice.bits().to_le_bytes().map(f32::from);
        let shared = (a + b + c + d - 510.0) / 148.0 * grain;
        let own = [e, f, (g + h) / 2.0].map(|byte| (byte - 127.5) / 74.0 * grain * 0.3);
        let channel = |value: u8, own: f32| (f32::from(value) + shared + own).round().clamp(0.0, 255.0) as u8;
        Rgb([channel(pixel.red(), own[0]), channel(pixel.green(), own[1]), channel(pixel.blue(), own[2])])
    })
}
