//! The list of confused labels, the most frequent first.

use egui::{Align2, Color32, FontId, Rect, Response, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use tasklens_data::text::{grouped, whole_percent};

use super::counts::{ConfusedPair, ConfusionCounts};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, TEXT_BODY, TEXT_SMALL, Tokens};
use crate::app::widgets::confusion_matrix::Pick;
use crate::app::widgets::glossary::{Word, term_ui};
use crate::app::widgets::name::shortened;
use crate::app::widgets::{focus_ring, width_of};

const ROW: f32 = 12.0 * GRID;
/// Room for the count and the share.
const FIGURES: f32 = 21.0 * GRID;

/// The list, within the height there is; returns the pair that was pressed.
pub fn pairs_ui(ui: &mut Ui, labels: &[String], counts: &ConfusionCounts, color: Color32) -> Option<Pick> {
    let tokens = Tokens::of(ui.ctx());
    term_ui(ui, theme::strong("Most frequent confusions"), Word::ConfusionMatrix);
    if counts.pairs.is_empty() {
        ui.label(theme::caption(tokens, "None: every image is predicted correctly."));
        return None;
    }
    ui.add_space(GRID);
    ui.spacing_mut().item_spacing.y = 0.0;
    let most = counts.pairs.first().map_or(1, |pair| pair.count);
    let mut pick = None;
    let area = ScrollArea::vertical().id_salt("pairs").auto_shrink([false, true]);
    area.show_rows(ui, ROW, counts.pairs.len(), |ui, shown| {
        for pair in counts.pairs.get(shown).unwrap_or_default() {
            let (Some(from), Some(to)) = (labels.get(pair.actual), labels.get(pair.predicted)) else {
                continue;
            };
            let response = pair_ui(ui, tokens, (from, to), pair, pair.count as f32 / most as f32, color);
            if response.clicked() {
                pick = Some(Pick { actual: Some(pair.actual), predicted: Some(pair.predicted) });
            }
        }
    });
    pick
}

fn pair_ui(
    ui: &mut Ui,
    tokens: &Tokens,
    (from, to): (&str, &str),
    pair: &ConfusedPair,
    length: f32,
    color: Color32,
) -> Response {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let share = whole_percent(pair.share);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Button, true, format!("{from} taken for {to}"));
        info.current_text_value = Some(format!("{} times, {share}", pair.count));
        info
    });
    if ui.is_rect_visible(row) {
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(row.expand2(vec2(2.0 * GRID, 0.0)), RADIUS, tokens.card);
        }
        focus_ring(ui, &response);
        let line = row.with_max_y(row.top() + 8.0 * GRID);
        paint_names(ui, tokens, line.with_max_x(line.right() - FIGURES), from, to);
        let (font, small) = (FontId::new(TEXT_BODY, theme::medium()), FontId::proportional(TEXT_SMALL));
        let figures = pos2(row.right() - 10.0 * GRID, line.center().y);
        ui.painter().text(figures, Align2::RIGHT_CENTER, grouped(pair.count as u64), font, tokens.text);
        ui.painter().text(line.right_center(), Align2::RIGHT_CENTER, &share, small, tokens.text_weak);
        let track = Rect::from_min_size(pos2(row.left(), line.bottom() + 1.0), vec2(row.width(), GRID));
        ui.painter().rect_filled(track, 2.0, tokens.track);
        ui.painter().rect_filled(track.with_max_x(track.left() + track.width() * length), 2.0, color);
    }
    let (from, to) = (theme::in_visual_order(from), theme::in_visual_order(to));
    response.on_hover_text(format!("{} {from} taken for {to}, {share} of all {from}", pair.count))
}

/// `from → to`, each with half of the room where both are long.
fn paint_names(ui: &Ui, tokens: &Tokens, area: Rect, from: &str, to: &str) {
    let font = FontId::proportional(TEXT_BODY);
    let arrow = 6.0 * GRID;
    let room = area.width() - arrow;
    let (wide, other) = (width_of(ui, from, font.clone()), width_of(ui, to, font.clone()));
    let for_from = if wide + other <= room { wide } else { wide.min((room - other).max(room / 2.0)) };
    let from = shortened(ui, from, font.clone(), tokens.text, for_from);
    let to = shortened(ui, to, font, tokens.text, room - for_from);
    let top = |galley: &egui::Galley| (area.center().y - galley.size().y / 2.0).round();
    let at = pos2(area.left() + from.size().x + arrow / 2.0, area.center().y);
    let after = pos2(area.left() + from.size().x + arrow, top(&to));
    ui.painter().galley(pos2(area.left(), top(&from)), from, tokens.text);
    let small = FontId::proportional(TEXT_SMALL);
    ui.painter().text(at, Align2::CENTER_CENTER, icons::ARROW_RIGHT, small, tokens.text_weak);
    ui.painter().galley(after, to, tokens.text);
}
