//! The prints on the fabric (the task `print`). Each function draws inside the pencil's clip.

use std::f32::consts::TAU;

use tiny_skia::PathBuilder;

use super::garment::{Cut, Sleeve};
use super::ink::{Dice, Ink, Palette, Pencil, gradient, polygon};

/// Labels of the task `print`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Print {
    Embroidered,
    Solid,
    Graphic,
    Floral,
    Striped,
    Lattice,
    Pleated,
}

impl Print {
    /// All labels, in the order of the classes.
    pub const ALL: [(Self, &str); 7] = [
        (Self::Embroidered, "embroidered"),
        (Self::Solid, "solid"),
        (Self::Graphic, "graphic"),
        (Self::Floral, "floral"),
        (Self::Striped, "striped"),
        (Self::Lattice, "lattice"),
        (Self::Pleated, "pleated"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Draws it on the body.
    pub fn on_body(self, pencil: &mut Pencil, cut: &Cut, palette: &Palette, dice: &mut Dice) {
        match self {
            Self::Solid => {}
            Self::Embroidered => embroidered(pencil, cut, palette, dice),
            Self::Graphic => graphic(pencil, cut, palette, dice),
            Self::Floral => floral(pencil, palette, dice),
            Self::Striped => striped(pencil, palette, dice),
            Self::Lattice => lattice(pencil, palette, dice),
            Self::Pleated => pleated(pencil, cut, palette, dice),
        }
    }

    /// Draws it on a sleeve; what covers the body runs along the sleeve, as fabric is cut.
    pub fn on_sleeve(self, pencil: &mut Pencil, sleeve: &Sleeve, palette: &Palette, dice: &mut Dice) {
        let upright = pencil.to_pixels;
        let (x, y) = sleeve.shoulder;
        pencil.to_pixels = upright.pre_rotate_at(sleeve.turn, x, y);
        match self {
            Self::Solid | Self::Graphic | Self::Pleated => {}
            Self::Floral => floral(pencil, palette, dice),
            Self::Striped => striped(pencil, palette, dice),
            Self::Lattice => lattice(pencil, palette, dice),
            Self::Embroidered => {
                pencil.to_pixels = upright;
                for (above, ink) in [(2.8, palette.print), (5.4, palette.accent)] {
                    pencil.line(ink.alpha(1.0), 1.4, |b| sleeve.across(b, above));
                }
            }
        }
        pencil.to_pixels = upright;
    }
}

/// Straight bands all over, at `degrees` from level, `period` apart and `width` wide.
fn bands(pencil: &mut Pencil, ink: Ink, alpha: f32, degrees: f32, period: f32, width: f32, phase: f32) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let at = |along: f32, across: f32| (along * cos - across * sin, along * sin + across * cos);
    let count = (80.0 / period) as i32;
    for band in -count..=count {
        let across = (band as f32 + phase) * period;
        let edges = [across, across + width];
        pencil.fill(ink.alpha(alpha), |b| {
            polygon(b, [at(-90.0, edges[0]), at(90.0, edges[0]), at(90.0, edges[1]), at(-90.0, edges[1])]);
        });
    }
}

fn striped(pencil: &mut Pencil, palette: &Palette, dice: &mut Dice) {
    let degrees = if dice.chance(0.65) { dice.around(8.0) } else { 35.0 * sign(dice) + dice.around(8.0) };
    let period = dice.range(9.0, 13.0);
    let width = period * dice.range(0.4, 0.55);
    let phase = dice.range(0.0, 1.0);
    bands(pencil, palette.print, 1.0, degrees, period, width, phase);
    if dice.chance(0.4) {
        let gap = (period - width) / 2.0;
        bands(pencil, palette.accent, 1.0, degrees, period, 1.2, phase + (width + gap - 0.6) / period);
    }
}

fn lattice(pencil: &mut Pencil, palette: &Palette, dice: &mut Dice) {
    let tilt = if dice.chance(0.5) { dice.around(6.0) } else { 45.0 + dice.around(6.0) };
    let period = dice.range(10.0, 14.0);
    let wide = dice.chance(0.5);
    for degrees in [tilt, tilt + 90.0] {
        let phase = dice.range(0.0, 1.0);
        if wide {
            // Gingham: see-through bands, darker where they cross, with a thin line between.
            bands(pencil, palette.print, 0.6, degrees, period, period * 0.42, phase);
            bands(pencil, palette.print, 0.9, degrees, period, 0.9, phase + 0.7);
        } else {
            bands(pencil, palette.print, 1.0, degrees, period, dice.range(2.2, 3.0), phase);
        }
    }
}

/// Folds that fan out from the top to the hem, each lit from one side.
fn pleated(pencil: &mut Pencil, cut: &Cut, palette: &Palette, dice: &mut Dice) {
    let pleats = 6 + dice.below(3) as i32 * 2;
    let dark = palette.fabric.mix(Ink::BLACK, dice.range(0.5, 0.62));
    let light = palette.fabric.mix(Ink::WHITE, dice.range(0.3, 0.5));
    let lean = sign(dice);
    let (top, bottom) = (cut.top, cut.hem.1 + cut.sag + 1.0);
    let (upper, lower) = (2.0 * cut.armpit.0 / pleats as f32, 2.0 * (cut.hem.0 + 0.5) / pleats as f32);
    for pleat in -pleats..pleats {
        let edge = |i: i32| [(i as f32 * upper, top), (i as f32 * lower, bottom)];
        let (left, right) = (edge(pleat), edge(pleat + 1));
        // Across the pleat, square to its middle line.
        let (along, middle) = (right[1].0 + left[1].0 - right[0].0 - left[0].0, (top + bottom) / 2.0);
        let slope = along / 2.0 / (bottom - top);
        let (x, half) =
            ((left[0].0 + left[1].0 + right[0].0 + right[1].0) / 4.0, (upper + lower) / 4.0 * lean);
        let (from, to) = ((x - half, middle + half * slope), (x + half, middle - half * slope));
        let stops = [
            (0.0, light.alpha(0.95)),
            (0.5, palette.fabric.alpha(0.2)),
            (0.92, dark.alpha(0.95)),
            (1.0, dark.alpha(1.0)),
        ];
        pencil.fill_with(gradient(from, to, &stops), |b| {
            polygon(b, [left[0], right[0], right[1], left[1]]);
        });
        let crease = if lean > 0.0 { right } else { left };
        pencil.line(dark.mix(Ink::BLACK, 0.3).alpha(0.8), 0.7, |b| {
            b.move_to(crease[0].0, crease[0].1);
            b.line_to(crease[1].0, crease[1].1);
        });
    }
}

/// Flowers scattered evenly over everything, with leaves between them.
fn floral(pencil: &mut Pencil, palette: &Palette, dice: &mut Dice) {
    let size = dice.range(4.6, 6.0);
    let petals = 5 + dice.below(2);
    let leaf =
        Ink::hsl(dice.range(0.25, 0.42), 0.45, if palette.fabric.brightness() > 0.5 { 0.28 } else { 0.68 });
    let mut placed: Vec<(f32, f32)> = Vec::new();
    for _ in 0..400 {
        let at = (dice.around(48.0), dice.around(46.0));
        if placed.iter().any(|other| (at.0 - other.0).hypot(at.1 - other.1) < size * 2.5) {
            continue;
        }
        placed.push(at);
        let size = size * dice.range(0.8, 1.1);
        let turn = dice.range(0.0, TAU);
        let side = dice.range(0.0, TAU);
        for angle in [side, side + 2.4] {
            let (sin, cos) = angle.sin_cos();
            let along = |r: f32, w: f32| (at.0 + cos * r - sin * w, at.1 + sin * r + cos * w);
            pencil.fill(leaf.alpha(1.0), |b| {
                lens(b, along(0.6 * size, 0.0), along(1.7 * size, 0.0), 0.35 * size);
            });
        }
        let (petal, eye) =
            if dice.chance(0.7) { (palette.print, palette.accent) } else { (palette.accent, palette.print) };
        for i in 0..petals {
            let (sin, cos) = (turn + TAU * i as f32 / petals as f32).sin_cos();
            pencil.fill(petal.alpha(1.0), |b| {
                b.push_circle(at.0 + cos * size * 0.55, at.1 + sin * size * 0.55, size * 0.42);
            });
        }
        pencil.fill(eye.alpha(1.0), |b| b.push_circle(at.0, at.1, size * 0.3));
    }
}

/// One big emblem on the chest.
fn graphic(pencil: &mut Pencil, cut: &Cut, palette: &Palette, dice: &mut Dice) {
    let size = dice.range(12.0, 14.5);
    let (x, y) = (dice.around(1.5), cut.top + cut.depth.max(10.0) + size + dice.range(2.0, 5.0));
    let (back, front) = (palette.print, palette.accent);
    let at = |dx: f32, dy: f32| (x + dx * size, y + dy * size);
    let star = |points: usize, inner: f32, outer: f32| {
        (0..points * 2).map(move |i| {
            let radius = if i % 2 == 0 { outer } else { inner };
            let (sin, cos) = (TAU * i as f32 / (points * 2) as f32).sin_cos();
            at(sin * radius, -cos * radius)
        })
    };
    match dice.below(6) {
        0 => {
            pencil.fill(back.alpha(1.0), |b| b.push_circle(x, y, size));
            pencil.fill(front.alpha(1.0), |b| polygon(b, star(5, 0.34, 0.8)));
        }
        1 => {
            pencil.fill(back.alpha(1.0), |b| heart(b, (x, y), size));
            pencil.line(front.alpha(1.0), 1.6, |b| heart(b, (x, y), size * 0.62));
        }
        2 => {
            // Mountains before a sun.
            pencil.fill(front.alpha(1.0), |b| b.push_circle(x + size * 0.25, y - size * 0.35, size * 0.6));
            pencil.fill(back.alpha(1.0), |b| {
                polygon(b, [at(-1.1, 0.8), at(-0.45, -0.5), at(-0.05, 0.1), at(0.3, -0.25), at(1.1, 0.8)]);
            });
        }
        3 => {
            pencil.fill(back.alpha(1.0), |b| polygon(b, star(12, 0.72, 1.0)));
            pencil.fill(front.alpha(1.0), |b| {
                polygon(
                    b,
                    [
                        at(0.2, -0.7),
                        at(-0.4, 0.1),
                        at(-0.05, 0.1),
                        at(-0.2, 0.7),
                        at(0.4, -0.15),
                        at(0.05, -0.15),
                    ],
                );
            });
        }
        4 => {
            for (radius, ink) in [(1.0, back), (0.72, front), (0.42, back)] {
                pencil.fill(ink.alpha(1.0), |b| b.push_circle(x, y, size * radius));
            }
        }
        _ => {
            // A shield with a stripe across.
            pencil.fill(back.alpha(1.0), |b| {
                let (left, right) = (at(-0.85, -0.9), at(0.85, -0.9));
                b.move_to(left.0, left.1);
                b.line_to(right.0, right.1);
                b.quad_to(right.0, y + size * 0.6, x, y + size * 1.05);
                b.quad_to(left.0, y + size * 0.6, left.0, left.1);
                b.close();
            });
            pencil.fill(front.alpha(1.0), |b| {
                polygon(b, [at(-0.85, -0.4), at(0.85, -0.4), at(0.8, 0.1), at(-0.8, 0.1)]);
            });
        }
    }
}

/// Stitched borders: a row of motifs at the hem, one down the middle, dots around the neckline.
fn embroidered(pencil: &mut Pencil, cut: &Cut, palette: &Palette, dice: &mut Dice) {
    let (one, two) = (palette.print, palette.accent);
    let motif = dice.below(3);
    let band = dice.range(3.4, 4.2);
    let draw = |pencil: &mut Pencil, at: (f32, f32), odd: bool| {
        let ink = if odd { two } else { one };
        stitch(pencil, motif, at, band * 0.72, ink);
    };
    // Hem: motifs between two running lines.
    for above in [2.2, 2.2 + 2.6 * band] {
        pencil.line(one.alpha(1.0), 1.1, |b| cut.hem_line(b, above));
    }
    let step = band * 1.9;
    let count = (cut.hem.0 / step) as i32 + 1;
    for i in -count..=count {
        let x = i as f32 * step;
        draw(pencil, (x, cut.hem_at(x) - 2.2 - 1.3 * band), i % 2 != 0);
    }
    // Down the middle, from the neckline to the hem's border.
    let mut y = cut.top + cut.depth + 4.5;
    let mut odd = false;
    while y < cut.hem_at(0.0) - 4.5 - 3.4 * band {
        draw(pencil, (0.0, y), odd);
        for x in [-1.0, 1.0] {
            stitch(pencil, 2, (x * band * 1.35, y + band * 0.95), band * 0.3, one);
        }
        y += band * 1.9;
        odd = !odd;
    }
    // Yoke: two arcs of dots below the shoulders.
    for (drop, ink) in [(3.2, one), (6.2, two)] {
        for i in -6..=6 {
            let share = i as f32 / 6.0;
            let x = share * (cut.neck.min(cut.armpit.0 - 4.0) + drop);
            let y = cut.top + (cut.depth + drop) * (1.0 - share * share).max(0.0).sqrt() + 1.0;
            pencil.fill(ink.alpha(1.0), |b| b.push_circle(x, y, 0.95));
        }
    }
}

/// One small stitched motif: a cross, a diamond or a dot flower.
fn stitch(pencil: &mut Pencil, motif: usize, (x, y): (f32, f32), size: f32, ink: Ink) {
    match motif {
        0 => pencil.line(ink.alpha(1.0), size * 0.5, |b| {
            b.move_to(x - size, y - size);
            b.line_to(x + size, y + size);
            b.move_to(x - size, y + size);
            b.line_to(x + size, y - size);
        }),
        1 => {
            pencil.line(ink.alpha(1.0), size * 0.45, |b| {
                polygon(b, [(x - size, y), (x, y - size), (x + size, y), (x, y + size)]);
            });
            pencil.fill(ink.alpha(1.0), |b| b.push_circle(x, y, size * 0.3));
        }
        _ => {
            for (dx, dy) in [(0.7, 0.0), (-0.7, 0.0), (0.0, 0.7), (0.0, -0.7)] {
                pencil.fill(ink.alpha(1.0), |b| b.push_circle(x + dx * size, y + dy * size, size * 0.42));
            }
        }
    }
}

fn heart(b: &mut PathBuilder, (x, y): (f32, f32), size: f32) {
    b.move_to(x, y + size);
    b.cubic_to(x - size * 1.7, y - size * 0.1, x - size * 0.8, y - size * 1.4, x, y - size * 0.45);
    b.cubic_to(x + size * 0.8, y - size * 1.4, x + size * 1.7, y - size * 0.1, x, y + size);
    b.close();
}

/// A leaf between two points.
fn lens(b: &mut PathBuilder, from: (f32, f32), to: (f32, f32), width: f32) {
    let (mx, my) = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(0.1);
    let (nx, ny) = (-dy / length * width * 2.0, dx / length * width * 2.0);
    b.move_to(from.0, from.1);
    b.quad_to(mx + nx, my + ny, to.0, to.1);
    b.quad_to(mx - nx, my - ny, from.0, from.1);
    b.close();
}

fn sign(dice: &mut Dice) -> f32 {
    if dice.chance(0.5) { 1.0 } else { -1.0 }
}
