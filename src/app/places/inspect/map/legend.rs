//! The legend: what each colour means, how many points have it, and a way to look at one alone.

use egui::{Align2, FontId, Rect, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use tasklens_data::text::grouped;

use super::coloring::LegendEntry;
use crate::app::theme::in_visual_order;
use crate::app::theme::{GRID, RADIUS, TEXT_BODY, TEXT_SMALL, Tokens};
use crate::app::widgets::focus_ring;
use crate::app::widgets::name::shortened;

const ROW: f32 = 7.0 * GRID;
const SWATCH: f32 = 2.5 * GRID;

/// Shows it as a column, or as lines; returns the name of the entry that was clicked.
pub fn ui(ui: &mut Ui, entries: &[LegendEntry], lit: Option<&str>, is_column: bool) -> Option<String> {
    let mut clicked = None;
    let mut all = |ui: &mut Ui, width: Option<f32>| {
        for entry in entries {
            let state = lit.map(|lit| lit == entry.name);
            if entry_ui(ui, entry, state, width) {
                clicked = Some(entry.name.clone());
            }
        }
    };
    if is_column {
        ScrollArea::vertical().id_salt("legend").show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let width = ui.available_width();
            all(ui, Some(width));
        });
    } else {
        ScrollArea::vertical().id_salt("legend").max_height(2.0 * ROW).show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(GRID, 0.0);
                all(ui, None);
            });
        });
    }
    clicked
}

/// One entry, as wide as it needs to be where no width is given; returns whether it was clicked. `is_lit` is
/// `None` while all are.
fn entry_ui(ui: &mut Ui, entry: &LegendEntry, is_lit: Option<bool>, width: Option<f32>) -> bool {
    let tokens = Tokens::of(ui.ctx());
    let dim = if is_lit == Some(false) { 0.45 } else { 1.0 };
    let font = FontId::proportional(TEXT_BODY);
    let text = tokens.text.gamma_multiply(dim);
    let count = grouped(entry.count as u64);
    let weak = tokens.text_weak.gamma_multiply(dim);
    let galley = ui.painter().layout_no_wrap(count.clone(), FontId::proportional(TEXT_SMALL), weak);
    let rest = GRID + SWATCH + 2.0 * GRID + 2.0 * GRID + galley.size().x + GRID;
    let name = shortened(ui, &entry.name, font, text, width.map_or(40.0 * GRID, |width| width - rest));
    let width = width.unwrap_or(rest + name.size().x);
    let (rect, response) = ui.allocate_exact_size(vec2(width, ROW), Sense::click());
    response.widget_info(|| {
        let mut info = WidgetInfo::selected(Role::Button, true, is_lit == Some(true), &entry.name);
        info.current_text_value = Some(count.clone());
        info
    });
    if response.hovered() || is_lit == Some(true) {
        let fill = if response.hovered() { tokens.card } else { tokens.selected };
        ui.painter().rect_filled(rect.shrink2(vec2(0.0, 1.0)), RADIUS, fill);
    }
    focus_ring(ui, &response);
    let left = rect.left() + GRID;
    let swatch = Rect::from_center_size(pos2(left + SWATCH / 2.0, rect.center().y), Vec2::splat(SWATCH));
    ui.painter().circle_filled(swatch.center(), SWATCH / 2.0, entry.color.gamma_multiply(dim));
    let at = pos2(swatch.right() + 2.0 * GRID, rect.center().y - name.size().y / 2.0);
    ui.painter().galley(at, name, text);
    let at = Align2::RIGHT_CENTER.anchor_size(pos2(rect.right() - GRID, rect.center().y), galley.size());
    ui.painter().galley(at.min, galley, weak);
    response
        .on_hover_text(format!("Show only {}; click again to show all", in_visual_order(&entry.name)))
        .clicked()
}
