//! Colours, random numbers and the pencil for drawing the sample.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng as _, SeedableRng as _};
use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Mask, Paint, PathBuilder, Pixmap,
    Point, Shader, SpreadMode, Stroke, Transform,
};

/// Random numbers that do not depend on how a crate samples ranges.
#[derive(Clone)]
pub struct Dice(Pcg64Mcg);

impl Dice {
    /// Random numbers for one purpose (`salt`) under one seed.
    pub fn new(seed: u64, salt: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed ^ salt.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// Uniform between `low` and `high`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32;
        low + (high - low) * unit
    }

    /// Uniform from -`reach` to `reach`.
    pub fn around(&mut self, reach: f32) -> f32 {
        self.range(-reach, reach)
    }

    /// A uniform integer from 0 to below `end`, which is above 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((u64::from(self.0.next_u32()) * end as u64) >> 32) as usize
    }

    /// True with probability `share`.
    pub fn chance(&mut self, share: f32) -> bool {
        self.range(0.0, 1.0) < share
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// A colour, each part 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Ink(pub [f32; 3]);

impl Ink {
    pub const BLACK: Self = Self([0.0; 3]);
    pub const WHITE: Self = Self([1.0; 3]);

    /// From hue in turns, saturation and lightness 0 to 1.
    pub fn hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let reach = saturation * lightness.min(1.0 - lightness);
        Self([0.0, 8.0, 4.0].map(|offset: f32| {
            let k = (offset + hue.rem_euclid(1.0) * 12.0) % 12.0;
            lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
        }))
    }

    /// This colour mixed with `share` of `other`.
    pub fn mix(self, other: Self, share: f32) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + (other.0[i] - self.0[i]) * share))
    }

    /// Perceived brightness, 0 to 1.
    pub fn brightness(self) -> f32 {
        0.299 * self.0[0] + 0.587 * self.0[1] + 0.114 * self.0[2]
    }

    /// The paint for the pencil, with an opacity from 0 to 1.
    pub fn alpha(self, alpha: f32) -> Color {
        let [r, g, b] = self.0.map(|part| part.clamp(0.0, 1.0));
        Color::from_rgba(r, g, b, alpha.clamp(0.0, 1.0)).unwrap_or(Color::BLACK)
    }
}

/// The colours of one picture; fabric, print and background can be told apart.
pub struct Palette {
    pub fabric: Ink,
    /// Colour of what is printed on it.
    pub print: Ink,
    /// A second colour of the print.
    pub accent: Ink,
    /// Collar, cuffs and hem.
    pub trim: Ink,
    pub background: Ink,
}

impl Palette {
    pub fn draw(dice: &mut Dice) -> Self {
        let hue = dice.range(0.0, 1.0);
        let fabric = Ink::hsl(hue, dice.range(0.12, 0.72), dice.range(0.3, 0.84));
        let print = apart_from(dice, &[(fabric, 0.33)], (0.2, 0.85), (0.1, 0.95));
        let accent = apart_from(dice, &[(fabric, 0.22), (print, 0.12)], (0.4, 0.9), (0.2, 0.9));
        let background = apart_from(dice, &[(fabric, 0.18)], (0.04, 0.3), (0.35, 0.95));
        let trim = if dice.chance(0.4) {
            accent
        } else {
            fabric.mix(if fabric.brightness() > 0.5 { Ink::BLACK } else { Ink::WHITE }, 0.45)
        };
        Self { fabric, print, accent, trim, background }
    }
}

/// A random colour whose brightness differs from that of each of `others` by the amount beside it.
fn apart_from(dice: &mut Dice, others: &[(Ink, f32)], saturation: (f32, f32), lightness: (f32, f32)) -> Ink {
    for _ in 0..64 {
        let ink = Ink::hsl(
            dice.range(0.0, 1.0),
            dice.range(saturation.0, saturation.1),
            dice.range(lightness.0, lightness.1),
        );
        if others.iter().all(|(other, gap)| (ink.brightness() - other.brightness()).abs() >= *gap) {
            return ink;
        }
    }
    if others[0].0.brightness() > 0.5 { Ink::BLACK } else { Ink::WHITE }
}

/// Draws paths built by closures, in units of the picture or of the garment.
pub struct Pencil {
    pub pixmap: Pixmap,
    /// Transform from drawing units to pixels.
    pub to_pixels: Transform,
    clip: Option<Mask>,
}

impl Pencil {
    /// A square picture with sides of `side` pixels; `None` if that is 0.
    pub fn new(side: u32) -> Option<Self> {
        Some(Self { pixmap: Pixmap::new(side, side)?, to_pixels: Transform::identity(), clip: None })
    }

    /// Draws inside this shape only, until [`Self::unclip`].
    pub fn clip_to(&mut self, shape: impl Fn(&mut PathBuilder)) {
        self.clip = Mask::new(self.pixmap.width(), self.pixmap.height());
        if let (Some(mask), Some(path)) = (&mut self.clip, build(shape)) {
            mask.fill_path(&path, FillRule::Winding, true, self.to_pixels);
        }
    }

    pub fn unclip(&mut self) {
        self.clip = None;
    }

    pub fn fill(&mut self, color: Color, shape: impl Fn(&mut PathBuilder)) {
        self.fill_with(Shader::SolidColor(color), shape);
    }

    pub fn fill_with(&mut self, shader: Shader<'_>, shape: impl Fn(&mut PathBuilder)) {
        if let Some(path) = build(shape) {
            let paint = Paint { shader, ..Paint::default() };
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, self.to_pixels, self.clip.as_ref());
        }
    }

    /// A line of `width` units with round ends.
    pub fn line(&mut self, color: Color, width: f32, shape: impl Fn(&mut PathBuilder)) {
        if let Some(path) = build(shape) {
            let paint = Paint { shader: Shader::SolidColor(color), ..Paint::default() };
            let stroke =
                Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
            self.pixmap.stroke_path(&path, &paint, &stroke, self.to_pixels, self.clip.as_ref());
        }
    }
}

fn build(shape: impl Fn(&mut PathBuilder)) -> Option<tiny_skia::Path> {
    let mut builder = PathBuilder::new();
    shape(&mut builder);
    builder.finish()
}

/// A linear gradient through `stops` of (position, colour).
pub fn gradient(from: (f32, f32), to: (f32, f32), stops: &[(f32, Color)]) -> Shader<'static> {
    let last = stops.last().map_or(Color::TRANSPARENT, |stop| stop.1);
    LinearGradient::new(
        Point::from_xy(from.0, from.1),
        Point::from_xy(to.0, to.1),
        stops.iter().map(|&(position, color)| GradientStop::new(position, color)).collect(),
        SpreadMode::Pad,
        Transform::identity(),
    )
    .unwrap_or(Shader::SolidColor(last))
}

/// Adds a closed polygon.
pub fn polygon(builder: &mut PathBuilder, points: impl IntoIterator<Item = (f32, f32)>) {
    let mut points = points.into_iter();
    if let Some((x, y)) = points.next() {
        builder.move_to(x, y);
        points.for_each(|(x, y)| builder.line_to(x, y));
        builder.close();
    }
}
