//! What egui itself draws by: fonts, and a style for each theme.

#![expect(clippy::disallowed_methods, reason = "colours are made here")]

use std::sync::Arc;

use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, FontTweak, Margin, Shadow, Stroke,
    Style, TextStyle, Theme, Vec2, Visuals,
};

use super::{GRID, RADIUS, TEXT_BODY, TEXT_HEADING, TEXT_SMALL, Tokens, medium, scripts, semibold};

static INTER: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.ttf");
static INTER_SEMIBOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.ttf");

/// The bundled fonts for text, as files: for pictures that are drawn without egui.
pub fn bundled_fonts() -> impl Iterator<Item = &'static [u8]> {
    [INTER, INTER_SEMIBOLD].into_iter().chain(scripts::BUNDLED.map(|(_, bytes)| bytes))
}

/// Inter with the icons of Phosphor, in three weights, and the bundled fonts of other scripts.
pub(super) fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let mut add = |name: &str, data: FontData| fonts.font_data.insert(name.to_owned(), Arc::new(data));
    add("inter", FontData::from_static(INTER));
    add("inter-medium", FontData::from_static(include_bytes!("../../../assets/fonts/Inter-Medium.ttf")));
    add("inter-semibold", FontData::from_static(INTER_SEMIBOLD));
    // Phosphor's glyphs are a little small beside Inter, and stand level with its capitals like this.
    let tweak = FontTweak { scale: 1.15, y_offset_factor: -0.02, ..FontTweak::default() };
    add("phosphor", FontData::from_static(include_bytes!("../../../assets/fonts/Phosphor.ttf")).tweak(tweak));
    for (name, bytes) in scripts::BUNDLED {
        add(name, FontData::from_static(bytes));
    }
    let fallbacks = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let family = |first: &str| -> Vec<String> {
        let ours = [first, "phosphor"].into_iter().chain(scripts::BUNDLED.map(|(name, _)| name));
        ours.map(str::to_owned).chain(fallbacks.iter().cloned()).collect()
    };
    fonts.families.insert(FontFamily::Proportional, family("inter"));
    fonts.families.insert(medium(), family("inter-medium"));
    fonts.families.insert(semibold(), family("inter-semibold"));
    fonts.families.entry(FontFamily::Monospace).or_default().push("phosphor".to_owned());
    fonts
}

/// Sizes, distances and colours of egui's own widgets.
pub(super) fn style(tokens: &Tokens) -> Style {
    let mut style = Style {
        text_styles: [
            (TextStyle::Small, FontId::new(TEXT_SMALL, FontFamily::Proportional)),
            (TextStyle::Body, FontId::new(TEXT_BODY, FontFamily::Proportional)),
            (TextStyle::Button, FontId::new(TEXT_BODY, medium())),
            (TextStyle::Heading, FontId::new(TEXT_HEADING, semibold())),
            (TextStyle::Monospace, FontId::new(TEXT_SMALL, FontFamily::Monospace)),
        ]
        .into(),
        visuals: visuals(tokens),
        ..Style::default()
    };
    style.spacing.item_spacing = Vec2::new(2.0 * GRID, 2.0 * GRID);
    style.spacing.button_padding = Vec2::new(3.0 * GRID, 1.5 * GRID);
    style.spacing.interact_size = Vec2::new(7.0 * GRID, 7.0 * GRID);
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.window_margin = Margin::same(16);
    style.spacing.icon_width = 4.0 * GRID;
    style.spacing.combo_width = 24.0 * GRID;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style
}

fn visuals(tokens: &Tokens) -> Visuals {
    let mut visuals = match tokens.theme {
        Theme::Dark => Visuals::dark(),
        Theme::Light => Visuals::light(),
    };
    let radius = CornerRadius::same(RADIUS);
    visuals.panel_fill = tokens.canvas;
    visuals.window_fill = tokens.panel;
    visuals.window_stroke = Stroke::new(1.0, tokens.line);
    visuals.window_corner_radius = CornerRadius::same(RADIUS + 4);
    visuals.menu_corner_radius = radius;
    visuals.extreme_bg_color = tokens.field;
    visuals.text_edit_bg_color = Some(tokens.field);
    visuals.faint_bg_color = tokens.panel;
    visuals.code_bg_color = tokens.card;
    visuals.hyperlink_color = tokens.accent_text;
    visuals.warn_fg_color = tokens.warning;
    visuals.error_fg_color = tokens.error;
    visuals.weak_text_color = Some(tokens.text_weak);
    visuals.selection.bg_fill = tokens.selected;
    visuals.selection.stroke = Stroke::new(1.0, tokens.accent_text);
    visuals.popup_shadow = Shadow { offset: [0, 4], blur: 16, spread: 0, color: shadow(tokens.theme) };
    visuals.window_shadow = Shadow { offset: [0, 8], blur: 32, spread: 0, color: shadow(tokens.theme) };
    visuals.slider_trailing_fill = true;
    let widgets = &mut visuals.widgets;
    let all = [
        (&mut widgets.noninteractive, tokens.panel, tokens.line),
        (&mut widgets.inactive, tokens.card, tokens.card),
        (&mut widgets.hovered, tokens.card_hovered, tokens.card_hovered),
        (&mut widgets.active, tokens.card_hovered, tokens.accent),
        (&mut widgets.open, tokens.card_hovered, tokens.card_hovered),
    ];
    for (widget, fill, line) in all {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, line);
        widget.fg_stroke = Stroke::new(1.0, tokens.text);
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    visuals
}

fn shadow(theme: Theme) -> Color32 {
    Color32::from_black_alpha(if theme == Theme::Dark { 110 } else { 40 })
}
