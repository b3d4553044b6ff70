//! Colours that stand for values: one per category, and a scale from low to high.
//!
//! The categories were chosen by annealing for the greatest least distance (Oklab; Ottosson 2020) of any two,
//! as seen with full colour vision and with each of three colour blindnesses (Machado, Oliveira and Fernandes
//! 2009), among moderate colours that stand out from the canvas. They are in such an order that the first few
//! differ most.

use egui::{Color32, Theme};

use super::{Tokens, rgb};

/// Number of categories with a colour of their own.
pub const CATEGORIES: usize = 12;

const DARK: [Color32; CATEGORIES] = [
    rgb(0x22_77_e8),
    rgb(0xff_ce_07),
    rgb(0xc5_2d_62),
    rgb(0x04_fa_ff),
    rgb(0xb7_a9_00),
    rgb(0xf3_62_94),
    rgb(0x73_c4_e2),
    rgb(0x8a_5a_a6),
    rgb(0x92_96_ff),
    rgb(0xff_9f_93),
    rgb(0xbc_6e_00),
    rgb(0xbc_f8_aa),
];

const LIGHT: [Color32; CATEGORIES] = [
    rgb(0x60_7f_fd),
    rgb(0x78_07_00),
    rgb(0xbc_ad_00),
    rgb(0x15_29_9f),
    rgb(0x90_44_77),
    rgb(0xc1_70_35),
    rgb(0xee_90_9d),
    rgb(0x50_2c_5c),
    rgb(0xb7_1e_00),
    rgb(0xa7_76_b3),
    rgb(0x03_61_c1),
    rgb(0x04_b6_fd),
];

/// From low to high: away from the canvas, so that high is what stands out.
const DARK_SCALE: [Color32; 5] =
    [rgb(0x74_48_a8), rgb(0x4c_76_c4), rgb(0x2f_a8_ae), rgb(0x7c_d0_74), rgb(0xf6_ee_6c)];
/// See [`DARK_SCALE`].
const LIGHT_SCALE: [Color32; 5] =
    [rgb(0xe6_a8_2c), rgb(0xdc_6e_46), rgb(0xb0_3c_72), rgb(0x6a_22_86), rgb(0x22_12_66)];

impl Tokens {
    /// The colour of a category, of [`CATEGORIES`].
    pub fn category(&self, index: usize) -> Color32 {
        let colors = if self.theme == Theme::Dark { &DARK } else { &LIGHT };
        colors[index % CATEGORIES]
    }

    /// The colour of a value from 0 (low) to 1 (high).
    pub fn scale(&self, value: f32) -> Color32 {
        let colors = if self.theme == Theme::Dark { &DARK_SCALE } else { &LIGHT_SCALE };
        let at = value.clamp(0.0, 1.0) * (colors.len() - 1) as f32;
        let below = (at as usize).min(colors.len() - 2);
        colors[below].lerp_to_gamma(colors[below + 1], at - below as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::theme;

    type Matrix = [[f64; 3]; 3];

    const FULL: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    /// Machado, Oliveira and Fernandes 2009, severity 1.
    const PROTANOPIA: Matrix = [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ];
    const DEUTERANOPIA: Matrix = [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_820, 0.042_940, 0.968_881],
    ];

    fn linear(color: Color32) -> [f64; 3] {
        [color.r(), color.g(), color.b()].map(|channel| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn turned(matrix: &Matrix, v: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
    }

    /// Oklab of a colour as seen through `vision`.
    fn seen(color: Color32, vision: &Matrix) -> [f64; 3] {
        let rgb = turned(vision, linear(color)).map(|channel| channel.clamp(0.0, 1.0));
        let lms = turned(
            &[
                [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
                [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
                [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
            ],
            rgb,
        );
        turned(
            &[
                [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
                [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
                [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
            ],
            lms.map(f64::cbrt),
        )
    }

    fn distance(a: Color32, b: Color32, vision: &Matrix) -> f64 {
        let (a, b) = (seen(a, vision), seen(b, vision));
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    fn luminance(color: Color32) -> f64 {
        let [r, g, b] = linear(color);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn no_two_categories_are_mistaken_for_each_other_nor_lost_on_the_canvas() {
        for tokens in [&theme::DARK, &theme::LIGHT] {
            for a in 0..CATEGORIES {
                for b in 0..a {
                    for vision in [&FULL, &PROTANOPIA, &DEUTERANOPIA] {
                        let apart = distance(tokens.category(a), tokens.category(b), vision);
                        assert!(apart > 0.1, "{:?}: {a} and {b} are {apart:.3} apart", tokens.theme);
                    }
                }
                let ratio = contrast(tokens.category(a), tokens.canvas);
                assert!(ratio >= 2.1, "{:?}: {a} has a contrast of {ratio:.2}", tokens.theme);
            }
        }
    }

    #[test]
    fn the_scale_leads_steadily_away_from_the_canvas() {
        for tokens in [&theme::DARK, &theme::LIGHT] {
            let ratios: Vec<f64> =
                (0..=20).map(|step| contrast(tokens.scale(step as f32 / 20.0), tokens.canvas)).collect();
            assert!(ratios.is_sorted_by(|a, b| a < b), "{:?}: {ratios:.2?}", tokens.theme);
            assert!(ratios[0] >= 2.0 && ratios[20] >= 10.0, "{:?}: {ratios:.2?}", tokens.theme);
        }
    }
}
