//! Bars in pairs, one network beside several: the first filled, the second hollow, each with its number and, where
//! there is one, its interval.

use egui::{Align2, FontId, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::app::theme::{GRID, TEXT_SMALL, Tokens};

const ROW: f32 = 5.0 * GRID;
const BAR: f32 = 3.0 * GRID;
/// For what a bar stands for, and for its number.
const NAME_WIDTH: f32 = 19.0 * GRID;
const TEXT_WIDTH: f32 = 36.0 * GRID;
/// Half the height of the ends of an interval.
const CAP: f32 = GRID;

/// A bar: its length and interval as shares (0 to 1) of the full width.
pub struct PairedBar {
    pub name: String,
    pub share: f64,
    pub interval: Option<(f64, f64)>,
    pub text: String,
}

/// A pair with its title.
pub struct Pair {
    pub title: String,
    pub color: egui::Color32,
    pub filled: PairedBar,
    pub hollow: PairedBar,
}

/// Shows pairs over the full width.
pub fn pairs_ui(ui: &mut Ui, tokens: &Tokens, pairs: &[Pair]) {
    ui.spacing_mut().item_spacing.y = 0.5 * GRID;
    for pair in pairs {
        ui.horizontal(|ui| {
            crate::app::widgets::chart::swatch(ui, pair.color);
            ui.add(egui::Label::new(&pair.title).truncate());
        });
        bar_ui(ui, tokens, pair, &pair.filled, true);
        bar_ui(ui, tokens, pair, &pair.hollow, false);
        ui.add_space(1.5 * GRID);
    }
}

fn bar_ui(ui: &mut Ui, tokens: &Tokens, pair: &Pair, bar: &PairedBar, is_filled: bool) {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    response.widget_info(|| {
        let name = format!("{}, {}: {}", pair.title, bar.name, bar.text);
        WidgetInfo::labeled(Role::Image, true, name)
    });
    let font = FontId::proportional(TEXT_SMALL);
    let painter = ui.painter();
    painter.text(row.left_center(), Align2::LEFT_CENTER, &bar.name, font.clone(), tokens.text_weak);
    painter.text(row.right_center(), Align2::RIGHT_CENTER, &bar.text, font, tokens.text);
    let space = Rect::from_min_max(
        pos2(row.left() + NAME_WIDTH, row.center().y - BAR / 2.0),
        pos2((row.right() - TEXT_WIDTH).max(row.left() + NAME_WIDTH), row.center().y + BAR / 2.0),
    );
    painter.rect_filled(space, 2.0, tokens.track);
    let at = |share: f64| space.left() + space.width() * share.clamp(0.0, 1.0) as f32;
    let filled = Rect::from_min_max(space.min, pos2(at(bar.share), space.bottom()));
    if is_filled {
        painter.rect_filled(filled, 2.0, pair.color);
    } else {
        painter.rect_filled(filled, 2.0, tokens.panel);
        painter.rect_stroke(filled, 2.0, Stroke::new(1.5, pair.color), StrokeKind::Inside);
    }
    if let Some((low, high)) = bar.interval {
        let (low, high, y) = (at(low), at(high), space.center().y);
        let stroke = Stroke::new(1.5, tokens.text);
        painter.hline(low..=high, y, stroke);
        for x in [low, high] {
            painter.vline(x, y - CAP..=y + CAP, stroke);
        }
    }
}
