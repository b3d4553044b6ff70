//! The edges of a matrix: labels, heads and sums, which stay while the cells scroll.

use egui::epaint::TextShape;
use egui::{
    Align2, Color32, FontFamily, FontId, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use tasklens_data::text::grouped;

use super::geometry::Geometry;
use super::{ConfusionMatrix, MatrixWish, Pick};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::focus_ring;
use crate::app::widgets::label_menu::label_menu;
use crate::app::widgets::name::shortened;

impl ConfusionMatrix<'_> {
    pub(super) fn row_labels_ui(&self, ui: &Ui, frame: &Frame<'_>) -> Option<MatrixWish> {
        let area = frame.geometry.labels(frame.all);
        let cell = frame.geometry.cell.y;
        let painter = ui.painter().with_clip_rect(area.intersect(ui.clip_rect()));
        let mut wish = None;
        for place in frame.rows() {
            let label = self.at(place);
            let top = area.top() + place as f32 * cell - frame.offset.y;
            let rect = Rect::from_x_y_ranges(area.x_range(), top..=top + cell).intersect(area);
            let (right, of) = (self.margins.right[label], self.margins.actual[label]);
            let name = format!("All {}: {}", self.labels[label], grouped(of as u64));
            let fact = format!("{}: {} of {} right", self.labels[label], right, grouped(of as u64));
            let Head { response, color, family } = head_ui(
                ui,
                frame,
                rect,
                ("row", label),
                &name,
                frame.hovered.is_some_and(|at| at[0] == place),
            );
            let width = rect.width() - 2.0 * GRID;
            let galley = shortened(ui, &self.labels[label], FontId::new(TEXT_SMALL, family), color, width);
            let at = pos2(rect.right() - 2.0 * GRID - galley.size().x, top + (cell - galley.size().y) / 2.0);
            painter.galley(at.round(), galley, color);
            let pick = Pick { actual: Some(label), predicted: None };
            wish = self.respond_at_edge(response, fact, label, pick).or(wish);
        }
        wish
    }

    pub(super) fn column_heads_ui(&self, ui: &Ui, frame: &Frame<'_>) -> Option<MatrixWish> {
        let area = frame.geometry.heads(frame.all);
        let cell = frame.geometry.cell.x;
        let painter = ui.painter().with_clip_rect(area.intersect(ui.clip_rect()));
        let mut wish = None;
        for place in frame.columns() {
            let label = self.at(place);
            let left = area.left() + place as f32 * cell - frame.offset.x;
            let rect = Rect::from_x_y_ranges(left..=left + cell, area.y_range()).intersect(area);
            let (right, of) = (self.margins.right[label], self.margins.predicted[label]);
            let name = format!("All predicted as {}: {}", self.labels[label], grouped(of as u64));
            let fact =
                format!("Predicted as {}: {} of {} right", self.labels[label], right, grouped(of as u64));
            let Head { response, color, family } = head_ui(
                ui,
                frame,
                rect,
                ("column", label),
                &name,
                frame.hovered.is_some_and(|at| at[1] == place),
            );
            let font = FontId::new(TEXT_SMALL, family);
            let room = if frame.geometry.upright { area.height() - 2.0 * GRID } else { cell - GRID };
            let galley = shortened(ui, &self.labels[label], font, color, room);
            let size = galley.size();
            let middle = left + cell / 2.0;
            if frame.geometry.upright {
                let at = pos2((middle - size.y / 2.0).round(), area.bottom() - GRID);
                painter.add(TextShape::new(at, galley, color).with_angle(-std::f32::consts::FRAC_PI_2));
            } else {
                painter.galley(
                    pos2((middle - size.x / 2.0).round(), area.bottom() - size.y - GRID),
                    galley,
                    color,
                );
            }
            let pick = Pick { actual: None, predicted: Some(label) };
            wish = self.respond_at_edge(response, fact, label, pick).or(wish);
        }
        wish
    }

    /// What is wanted of a label or a head.
    fn respond_at_edge(
        &self,
        response: Response,
        fact: String,
        label: usize,
        pick: Pick,
    ) -> Option<MatrixWish> {
        let chosen = self.offers.and_then(|offers| label_menu(&response, || offers(label)));
        let is_clicked = response.on_hover_text(fact).clicked();
        let of_label = chosen.map(|action| MatrixWish::OfLabel(label, action, pick));
        of_label.or(is_clicked.then_some(MatrixWish::Images(pick)))
    }

    pub(super) fn paint_captions(&self, ui: &Ui, frame: &Frame<'_>) {
        let color = frame.tokens.text_weak;
        let font = FontId::proportional(TEXT_SMALL);
        let (heads, labels) = (frame.geometry.heads(frame.all), frame.geometry.labels(frame.all));
        let predicted = format!("Predicted {}", icons::ARROW_RIGHT);
        let at = pos2(heads.left(), frame.all.top());
        ui.painter().text(at, Align2::LEFT_TOP, predicted, font.clone(), color);
        let at = labels.right_top() - vec2(2.0 * GRID, GRID);
        ui.painter().text(at, Align2::RIGHT_BOTTOM, "True", font.clone(), color);
        let at = frame.geometry.row_sums(frame.all).right_top() - vec2(0.0, GRID);
        ui.painter().text(at, Align2::RIGHT_BOTTOM, "Sum", font.clone(), color);
        let at = labels.right_bottom() + vec2(-2.0 * GRID, 3.0);
        ui.painter().text(at, Align2::RIGHT_TOP, "Sum", font, color);
    }

    pub(super) fn paint_sums(&self, ui: &Ui, frame: &Frame<'_>) {
        let color = frame.tokens.text_weak;
        let font = FontId::proportional(TEXT_SMALL);
        let (rows, columns) = (frame.geometry.row_sums(frame.all), frame.geometry.column_sums(frame.all));
        let painter = ui.painter().with_clip_rect(rows.intersect(ui.clip_rect()));
        for place in frame.rows() {
            let y = rows.top() + (place as f32 + 0.5) * frame.geometry.cell.y - frame.offset.y;
            let text = grouped(self.margins.actual[self.at(place)] as u64);
            painter.text(pos2(rows.right(), y), Align2::RIGHT_CENTER, text, font.clone(), color);
        }
        let painter = ui.painter().with_clip_rect(columns.intersect(ui.clip_rect()));
        let most = self.margins.predicted.iter().max().copied().unwrap_or(0);
        let widest = painter.layout_no_wrap(grouped(most as u64), font.clone(), color).size().x;
        // A few sums among gaps would mislead: all of them or none.
        for place in frame.columns().filter(|_| widest <= frame.geometry.cell.x) {
            let x = columns.left() + (place as f32 + 0.5) * frame.geometry.cell.x - frame.offset.x;
            let text = grouped(self.margins.predicted[self.at(place)] as u64);
            painter.text(pos2(x, columns.top() + 3.0), Align2::CENTER_TOP, text, font.clone(), color);
        }
        let total = grouped(self.margins.actual.iter().sum::<usize>() as u64);
        let at = pos2(rows.right(), columns.top() + 3.0);
        ui.painter().text(at, Align2::RIGHT_TOP, total, font, frame.tokens.text);
    }
}

/// What the edges of a matrix are drawn by.
pub(super) struct Frame<'a> {
    pub tokens: &'a Tokens,
    pub geometry: Geometry,
    /// How many labels there are.
    pub labels: usize,
    /// Of the whole widget.
    pub all: Rect,
    /// How far the cells are scrolled.
    pub offset: Vec2,
    /// Row and column under the pointer.
    pub hovered: Option<[usize; 2]>,
}

impl Frame<'_> {
    /// Places of the rows in sight.
    fn rows(&self) -> std::ops::Range<usize> {
        self.places(self.geometry.body(self.all).height(), self.offset.y, self.geometry.cell.y)
    }

    /// Places of the columns in sight.
    fn columns(&self) -> std::ops::Range<usize> {
        self.places(self.geometry.body(self.all).width(), self.offset.x, self.geometry.cell.x)
    }

    fn places(&self, length: f32, offset: f32, cell: f32) -> std::ops::Range<usize> {
        Geometry::in_sight(egui::Rangef::new(offset, offset + length), cell, self.labels)
    }
}

/// A label at the edge, and how its text is to be drawn.
struct Head {
    response: Response,
    color: Color32,
    family: FontFamily,
}

/// A label at the edge: pressed, it means its whole row or column.
fn head_ui(ui: &Ui, frame: &Frame<'_>, rect: Rect, id: (&str, usize), name: &str, lit: bool) -> Head {
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    focus_ring(ui, &response);
    let lit = lit || response.hovered() || response.has_focus();
    let color = if lit { frame.tokens.accent_text } else { frame.tokens.text };
    let family = if lit { theme::medium() } else { FontFamily::Proportional };
    Head { response, color, family }
}
