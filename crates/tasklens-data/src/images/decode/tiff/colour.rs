//! Converts the values of a TIFF's pixels to 8-bit RGB over white.

/// The colour model of a pixel.
#[derive(Clone, Debug)]
pub(super) enum ColourModel {
    Grey { white_is_zero: bool },
    Rgb,
    Palette(Vec<[u8; 3]>),
    Cmyk,
    YCbCr(YCbCr),
    Lab { is_icc: bool },
}

impl ColourModel {
    /// Number of colour values, without transparency.
    pub(super) fn samples(&self) -> usize {
        match self {
            Self::Grey { .. } | Self::Palette(_) => 1,
            Self::Rgb | Self::YCbCr(_) | Self::Lab { .. } => 3,
            Self::Cmyk => 4,
        }
    }

    /// Whether all values are intensities, which may not use the full range of their bits.
    pub(super) fn has_range(&self) -> bool {
        matches!(self, Self::Grey { .. } | Self::Rgb | Self::Cmyk)
    }
}

/// How YCbCr becomes RGB: its coefficients and ranges.
#[derive(Clone, Debug)]
pub(super) struct YCbCr {
    /// Weights of red, green and blue in the luma.
    pub(super) luma: [f32; 3],
    /// Lowest and highest of each value, from 0 to 255.
    pub(super) reference: [f32; 6],
}

/// The meaning of an extra sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    None,
    Unassociated,
    /// Alpha that is premultiplied into the colours.
    Associated,
}

/// Statistics of the values of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) least: f32,
    pub(super) most: f32,
    /// Whether any was NaN.
    pub(super) strange: bool,
}

impl Seen {
    pub(super) const NOTHING: Self = Self { least: f32::INFINITY, most: f32::NEG_INFINITY, strange: false };

    fn add(&mut self, value: f32) {
        if value.is_finite() {
            self.least = self.least.min(value);
            self.most = self.most.max(value);
        } else {
            self.strange = true;
        }
    }
}

/// Everything needed to convert values to colours.
#[derive(Clone, Debug)]
pub(super) struct Colours {
    pub(super) model: ColourModel,
    pub(super) alpha: Alpha,
    /// The value of white, or of full ink.
    pub(super) high: f32,
}

impl Colours {
    /// Fills a row of RGB; `value(x, i)` is value `i` of the pixel at `x`.
    pub(super) fn fill_row(&self, row: &mut [u8], value: impl Fn(usize, usize) -> f32, seen: &mut Seen) {
        let (samples, has_range) = (self.model.samples(), self.model.has_range());
        let part = |value: f32| if value.is_finite() { (value / self.high).clamp(0.0, 1.0) } else { 1.0 };
        for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let mut stored = [0.0; 4];
            for (place, stored) in stored[..samples].iter_mut().enumerate() {
                *stored = value(x, place);
                if has_range {
                    seen.add(*stored);
                }
            }
            let [first, second, third, fourth] = stored;
            let rgb = match &self.model {
                ColourModel::Grey { white_is_zero: false } => [part(first); 3],
                ColourModel::Grey { white_is_zero: true } => [1.0 - part(first); 3],
                ColourModel::Rgb => [part(first), part(second), part(third)],
                ColourModel::Cmyk => {
                    [first, second, third].map(|ink| (1.0 - part(ink)) * (1.0 - part(fourth)))
                }
                ColourModel::Palette(colours) => colours
                    .get(first as usize)
                    .copied()
                    .unwrap_or_default()
                    .map(|byte| f32::from(byte) / 255.0),
                ColourModel::YCbCr(how) => how.rgb([first, second, third].map(|value| part(value) * 255.0)),
                ColourModel::Lab { is_icc } => lab(*is_icc, self.high, [first, second, third]),
            };
            let rgb = match self.alpha {
                Alpha::None => rgb,
                how => {
                    let stored = value(x, samples);
                    if has_range {
                        seen.add(stored);
                    }
                    let alpha = part(stored);
                    let own = if how == Alpha::Associated { 1.0 } else { alpha };
                    rgb.map(|value| (value * own + 1.0 - alpha).min(1.0))
                }
            };
            *pixel = rgb.map(|value| (value * 255.0).round() as u8);
        }
    }
}

impl YCbCr {
    fn rgb(&self, values: [f32; 3]) -> [f32; 3] {
        let [low, high, blue_zero, blue_high, red_zero, red_high] = self.reference;
        let y = (values[0] - low) * 255.0 / (high - low);
        let cb = (values[1] - blue_zero) * 127.0 / (blue_high - blue_zero);
        let cr = (values[2] - red_zero) * 127.0 / (red_high - red_zero);
        let [of_red, of_green, of_blue] = self.luma;
        let red = y + cr * (2.0 - 2.0 * of_red);
        let blue = y + cb * (2.0 - 2.0 * of_blue);
        let green = (y - of_blue * blue - of_red * red) / of_green;
        [red, green, blue].map(|value| (value / 255.0).clamp(0.0, 1.0))
    }
}

/// CIE L*a*b* under D50 -> sRGB. `high` distinguishes 8-bit from 16-bit values.
fn lab(is_icc: bool, high: f32, [light, a, b]: [f32; 3]) -> [f32; 3] {
    let is_deep = high > 255.0;
    let unit = if is_deep { 256.0 } else { 1.0 };
    let signed = |value: f32| {
        let value = value / unit;
        match is_icc {
            true => value - 128.0,
            false if value >= 128.0 => value - 256.0,
            false => value,
        }
    };
    let white = if is_icc && is_deep { 65280.0 } else { high };
    let y = (light / white * 100.0 + 16.0) / 116.0;
    let (x, z) = (y + signed(a) / 500.0, y - signed(b) / 200.0);
    let linear = |part: f32| {
        if part > 6.0 / 29.0 { part.powi(3) } else { (part - 4.0 / 29.0) * 3.0 * (6.0_f32 / 29.0).powi(2) }
    };
    let xyz = [linear(x) * 0.964_22, linear(y), linear(z) * 0.825_21];
    // To the primaries of sRGB, with Bradford adaptation to D65.
    let rows = [
        [3.133_856, -1.616_866_7, -0.490_614_6],
        [-0.978_768_4, 1.916_141_5, 0.033_454],
        [0.071_945_3, -0.228_991_4, 1.405_242_7],
    ];
    rows.map(|row: [f32; 3]| {
        let value: f32 = row.iter().zip(xyz).map(|(factor, value)| factor * value).sum();
        let value = value.clamp(0.0, 1.0);
        if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 }
    })
}
