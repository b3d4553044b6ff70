//! Colours, sizes and fonts in one place. Nothing else in the window names a colour.
//!
//! Neutral greys and one accent, so that the photographs are what has colour; one fixed colour per
//! task, derived from Okabe and Ito's palette for the colour-blind, per theme. Everything sits on a
//! 4-pixel grid. The bundled Inter has tabular figures as its default digits.

#![expect(clippy::disallowed_methods, reason = "colours are made here")]

mod bidi;
pub mod icons;
mod palettes;
mod scripts;
mod style;

use egui::{Color32, FontFamily, Margin, RichText, Stroke, Theme};

pub use bidi::{has_right_to_left, in_visual_order, lines_in_visual_order};
pub use palettes::CATEGORIES;
pub use scripts::use_system_fonts;
pub use style::bundled_fonts;

/// One step of the grid; distances are multiples of it.
pub const GRID: f32 = 4.0;
/// Small text: captions, table headings, the status bar.
pub const TEXT_SMALL: f32 = 12.0;
/// Text and buttons.
pub const TEXT_BODY: f32 = 13.5;
/// Headings of places and dialogs.
pub const TEXT_HEADING: f32 = 20.0;
/// Corners of cards and buttons.
pub const RADIUS: u8 = 6;

/// The colours of one theme.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// Dark or light.
    pub theme: Theme,
    /// Behind photographs and the main area.
    pub canvas: Color32,
    /// Rail, side panels, status bar.
    pub panel: Color32,
    /// Cards and buttons.
    pub card: Color32,
    /// Cards and buttons under the pointer.
    pub card_hovered: Color32,
    /// Fields to type into.
    pub field: Color32,
    /// Thin lines between areas.
    pub line: Color32,
    /// Text that matters; readable (4.5:1) on all surfaces.
    pub text: Color32,
    /// Captions and what matters less; still readable (4.5:1).
    pub text_weak: Color32,
    /// The one accent: primary button, progress, selection.
    pub accent: Color32,
    /// Text on [`Self::accent`].
    pub on_accent: Color32,
    /// Text and icons in the accent's colour, on panel or canvas.
    pub accent_text: Color32,
    /// A selected row or place.
    pub selected: Color32,
    /// For what went well.
    pub success: Color32,
    /// Something needs a look.
    pub warning: Color32,
    /// For what is wrong.
    pub error: Color32,
    /// The empty part of a bar.
    pub track: Color32,
    tasks: [Color32; 8],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Light text on dark grey.
pub static DARK: Tokens = Tokens {
    theme: Theme::Dark,
    canvas: rgb(0x17_17_18),
    panel: rgb(0x1e_1e_20),
    card: rgb(0x2b_2b_2e),
    card_hovered: rgb(0x38_38_3c),
    field: rgb(0x12_12_13),
    line: rgb(0x33_33_37),
    text: rgb(0xe8_e8_ea),
    text_weak: rgb(0xa0_a0_a8),
    accent: rgb(0x4f_63_d9),
    on_accent: rgb(0xff_ff_ff),
    accent_text: rgb(0x9d_ab_ff),
    selected: rgb(0x2c_31_4f),
    success: rgb(0x4f_c0_8d),
    warning: rgb(0xe0_a8_3c),
    error: rgb(0xf0_7c_6c),
    track: rgb(0x2b_2b_2e),
    tasks: [
        rgb(0xe6_9f_00),
        rgb(0x56_b4_e9),
        rgb(0x2d_be_94),
        rgb(0xd9_8f_ba),
        rgb(0xf0_e4_42),
        rgb(0xe8_70_3a),
        rgb(0x5a_96_e0),
        rgb(0xb0_b0_b6),
    ],
};

/// Dark text on light grey.
static LIGHT: Tokens = Tokens {
    theme: Theme::Light,
    canvas: rgb(0xfa_fa_fa),
    panel: rgb(0xf0_f0_f1),
    card: rgb(0xe3_e3_e6),
    card_hovered: rgb(0xd6_d6_da),
    field: rgb(0xff_ff_ff),
    line: rgb(0xd8_d8_dc),
    text: rgb(0x1c_1c_1f),
    text_weak: rgb(0x5f_5f_67),
    accent: rgb(0x43_55_c9),
    on_accent: rgb(0xff_ff_ff),
    accent_text: rgb(0x3a_4a_b8),
    selected: rgb(0xdd_e1_fa),
    success: rgb(0x1a_7d_50),
    warning: rgb(0x8f_61_00),
    error: rgb(0xb8_36_28),
    track: rgb(0xe3_e3_e6),
    tasks: [
        rgb(0xb8_75_00),
        rgb(0x23_85_bd),
        rgb(0x00_80_5e),
        rgb(0xae_52_88),
        rgb(0x85_79_00),
        rgb(0xbf_4c_00),
        rgb(0x00_5a_a6),
        rgb(0x6b_6b_72),
    ],
};

/// Matplotlib's inferno (van der Walt and Smith, CC0) at even steps: perceptually uniform, and its lightness
/// alone says as much as its colours.
const HEAT: [Color32; 9] = [
    rgb(0x000004),
    rgb(0x1f0c48),
    rgb(0x550f6d),
    rgb(0x88226a),
    rgb(0xba3655),
    rgb(0xe35933),
    rgb(0xf98c0a),
    rgb(0xf9c932),
    rgb(0xfcffa4),
];

/// The colour of a value from 0 to 1 in a heat map, the same in both themes.
pub fn heat(value: f32) -> Color32 {
    let at = value.clamp(0.0, 1.0) * (HEAT.len() - 1) as f32;
    let below = (at as usize).min(HEAT.len() - 2);
    HEAT[below].lerp_to_gamma(HEAT[below + 1], at - below as f32)
}

/// As [`heat`], for laying over a photograph: the less heat, the more of the photograph.
pub fn heat_overlay(value: f32) -> Color32 {
    heat(value).gamma_multiply(0.15 + 0.85 * value.clamp(0.0, 1.0))
}

/// Shows a texture in its own colours with this opacity, 0 to 1.
pub fn opacity(opacity: f32) -> Color32 {
    Color32::WHITE.gamma_multiply(opacity)
}

impl Tokens {
    /// The tokens of the theme in use.
    pub fn of(ctx: &egui::Context) -> &'static Self {
        match ctx.theme() {
            Theme::Dark => &DARK,
            Theme::Light => &LIGHT,
        }
    }

    /// The colour of a task by its position in the config, the same in every chart, bar and matrix.
    pub fn task(&self, index: usize) -> Color32 {
        self.tasks[index % self.tasks.len()]
    }

    /// The fill for a share (0 to 1) of something in `color`: the panel's own at 0.
    pub fn shade(&self, color: Color32, share: f32) -> Color32 {
        self.panel.lerp_to_gamma(color, share.clamp(0.0, 1.0))
    }

    /// A card: a quiet box around things that belong together.
    pub fn card_frame(&self) -> egui::Frame {
        egui::Frame::new()
            .fill(self.panel)
            .stroke(Stroke::new(1.0, self.line))
            .corner_radius(RADIUS)
            .inner_margin(Margin::same(12))
    }

    /// A side panel or bar.
    pub fn panel_frame(&self) -> egui::Frame {
        egui::Frame::new().fill(self.panel).inner_margin(Margin::same(12))
    }

    /// The main area, with a margin around it; the window has its colour already.
    pub fn canvas_frame(&self) -> egui::Frame {
        egui::Frame::new().inner_margin(Margin::same(16))
    }
}

/// The tokens of what leaves the window as a file: it is printed, and put beside text.
pub fn on_paper() -> &'static Tokens {
    &LIGHT
}

/// The same token's colour on paper, for a colour of a task, of text or of a mark.
pub fn color_on_paper(color: Color32) -> Color32 {
    let same = |tokens: &Tokens| {
        let others = [tokens.text, tokens.text_weak, tokens.accent_text];
        tokens.tasks.into_iter().chain(others).collect::<Vec<_>>()
    };
    let index = same(&DARK).iter().position(|other| *other == color);
    index.and_then(|index| same(&LIGHT).get(index).copied()).unwrap_or(color)
}

/// Black or white, whichever can be read on `fill`: of no other pair does one always reach 4.5:1.
pub fn text_on(fill: Color32) -> Color32 {
    // Where both have the same contrast: (l + 0.05) / 0.05 = 1.05 / (l + 0.05).
    if luminance(fill) > 0.179 { Color32::BLACK } else { Color32::WHITE }
}

/// Relative luminance of WCAG 2, 0 to 1.
fn luminance(color: Color32) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
}

/// The heading of a place or dialog.
pub fn heading(text: impl Into<String>) -> RichText {
    RichText::new(text).size(TEXT_HEADING).family(semibold())
}

/// Body text with weight.
pub fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).size(TEXT_BODY).family(semibold())
}

/// Small text for what matters less.
pub fn caption(tokens: &Tokens, text: impl Into<String>) -> RichText {
    RichText::new(text).size(TEXT_SMALL).color(tokens.text_weak)
}

/// The font family of headings.
pub fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

/// The font family of buttons.
pub fn medium() -> FontFamily {
    FontFamily::Name("medium".into())
}

/// Installs fonts and both themes; call once per context.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(style::fonts());
    ctx.set_style_of(Theme::Dark, style::style(&DARK));
    ctx.set_style_of(Theme::Light, style::style(&LIGHT));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_has_a_contrast_of_4_5_and_task_colours_of_3_on_every_surface() {
        for tokens in [&DARK, &LIGHT] {
            for surface in [tokens.canvas, tokens.panel] {
                for text in [tokens.text, tokens.text_weak, tokens.accent_text, tokens.error, tokens.warning]
                {
                    let ratio = contrast(text, surface);
                    assert!(ratio >= 4.5, "{:?}: {text:?} on {surface:?}: {ratio:.2}", tokens.theme);
                }
                for (index, task) in tokens.tasks.iter().enumerate() {
                    let ratio = contrast(*task, surface);
                    assert!(ratio >= 3.0, "{:?}: task {index} on {surface:?}: {ratio:.2}", tokens.theme);
                }
            }
            assert!(contrast(tokens.on_accent, tokens.accent) >= 4.5);
        }
    }

    #[test]
    fn a_number_can_be_read_on_every_shade_of_every_task() {
        for tokens in [&DARK, &LIGHT] {
            for (task, share) in (0..8).flat_map(|task| (0..=100).map(move |share| (task, share))) {
                let fill = tokens.shade(tokens.task(task), share as f32 / 100.0);
                let ratio = contrast(text_on(fill), fill);
                assert!(ratio >= 4.5, "{:?}: task {task} at {share} %: {ratio:.2}", tokens.theme);
            }
        }
    }

    #[test]
    fn heat_grows_lighter_at_an_even_pace() {
        // CIE L*.
        let lightness = |value: f32| match luminance(heat(value)) {
            dark if dark <= 0.008_856 => 903.3 * dark,
            y => 116.0 * y.cbrt() - 16.0,
        };
        let steps: Vec<f64> =
            (0..8).map(|i| lightness((i + 1) as f32 / 8.0) - lightness(i as f32 / 8.0)).collect();
        assert!(steps.iter().all(|step| (6.0..18.0).contains(step)), "{steps:?}");
        assert_eq!((heat(-1.0), heat(2.0)), (HEAT[0], HEAT[8]));
    }

    #[test]
    fn no_other_file_of_the_window_names_a_colour() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app");
        let theme = folder.join("theme");
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path == theme {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    for forbidden in ["Color32::from_", "Color32::RED", "Color32::WHITE", "Color32::BLACK"] {
                        assert!(!text.contains(forbidden), "{}: {forbidden}", path.display());
                    }
                }
            }
        }
    }
}
