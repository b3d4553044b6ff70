//! Choosing by drawing: a rectangle, or with Alt, or where the lasso is switched on, a line around what is meant.

use egui::{Painter, Pos2, Rect, Response, Shape, Stroke, Ui, pos2, vec2};

use super::layout::Layout;
use super::{GridState, Selection};
use crate::app::theme::Tokens;
use crate::app::widgets::scatter::polygon::Polygon;

/// A line with more corners than this is as good.
const MOST_CORNERS: usize = 4000;

/// What is being drawn, from the top left corner of the first item: it scrolls with the items.
#[derive(Clone, Debug)]
pub struct Lasso {
    points: Vec<Pos2>,
    is_free: bool,
    /// What was chosen before, where Control adds to it.
    before: Selection,
}

impl Lasso {
    /// The positions within, ascending.
    fn holds(&self, layout: &Layout) -> Vec<usize> {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else { return Vec::new() };
        let bounds = match self.is_free {
            true => Rect::from_points(&self.points),
            false => Rect::from_two_pos(*first, *last),
        };
        let polygon = self.is_free.then(|| {
            let corners: Vec<[f32; 2]> = self.points.iter().map(|point| [point.x, point.y]).collect();
            Polygon::new(&corners)
        });
        let rows = layout.row_at(bounds.top())..layout.row_at(bounds.bottom()) + 1;
        let positions = rows.start * layout.columns..(rows.end * layout.columns).min(layout.count);
        positions
            .filter(|position| {
                let tile = layout.cell(*position, Pos2::ZERO, 0.0);
                match &polygon {
                    Some(polygon) => polygon.contains([tile.center().x, tile.center().y]),
                    None => tile.intersects(bounds),
                }
            })
            .collect()
    }
}

impl GridState {
    /// Takes in what the pointer draws over the grid, which begins at `origin` and is scrolled by `offset`.
    pub(super) fn draw_lasso(
        &mut self,
        ui: &Ui,
        response: &Response,
        layout: &Layout,
        origin: Pos2,
        offset: f32,
    ) {
        let place = |pointer: Pos2| pos2(pointer.x - origin.x, pointer.y - origin.y + offset);
        let modifiers = ui.input(|input| input.modifiers);
        // A press that stays where it is means the cell below it.
        let begins = self.lasso.is_none()
            && response.dragged_by(egui::PointerButton::Primary)
            && ui.input(|input| input.pointer.is_decidedly_dragging());
        if begins {
            let begin = ui.input(|input| input.pointer.press_origin()).map(place);
            let before = if modifiers.command || modifiers.shift || self.toggles {
                self.selection.clone()
            } else {
                Selection::default()
            };
            let is_free = modifiers.alt || self.draws_around;
            self.lasso = begin.map(|begin| Lasso { points: vec![begin], is_free, before });
        }
        let Some(lasso) = &mut self.lasso else { return };
        if let Some(pointer) = response.interact_pointer_pos().map(place) {
            if !lasso.is_free {
                lasso.points.truncate(1);
            }
            let moved = lasso.points.last().is_none_or(|last| last.distance(pointer) > 2.0);
            if moved && lasso.points.len() < MOST_CORNERS {
                lasso.points.push(pointer);
            }
            let mut selection = lasso.before.clone();
            for position in lasso.holds(layout) {
                if self.toggles || !selection.contains(position) {
                    selection.toggle(position);
                }
            }
            self.selection = selection;
        }
        if response.drag_stopped() || !response.dragged() && !ui.input(|input| input.pointer.any_down()) {
            self.lasso = None;
        }
    }

    /// Paints what is being drawn.
    pub(super) fn paint_lasso(&self, painter: &Painter, tokens: &Tokens, origin: Pos2, offset: f32) {
        let Some(lasso) = &self.lasso else { return };
        let to_screen = |point: &Pos2| *point + (origin.to_vec2() - vec2(0.0, offset));
        let stroke = Stroke::new(1.5, tokens.accent_text);
        let points: Vec<Pos2> = lasso.points.iter().map(to_screen).collect();
        match points[..] {
            [first, .., last] if !lasso.is_free => {
                let rect = Rect::from_two_pos(first, last);
                painter.rect_filled(rect, 2.0, tokens.accent.gamma_multiply(0.15));
                painter.rect_stroke(rect, 2.0, stroke, egui::StrokeKind::Inside);
            }
            _ if points.len() > 1 => {
                painter.add(Shape::closed_line(points, stroke));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasso(points: &[[f32; 2]], is_free: bool) -> Lasso {
        let points = points.iter().map(|[x, y]| pos2(*x, *y)).collect();
        Lasso { points, is_free, before: Selection::default() }
    }

    #[test]
    fn a_rectangle_holds_what_it_touches_and_a_line_what_it_goes_around() {
        let layout = Layout::new(10, 88.0, 0.0, vec2(412.0, 600.0));
        assert_eq!(layout.columns, 4);
        let (side, row) = (layout.side, layout.row_height);
        // From the second cell of the first row to the third of the second, in either direction.
        let (a, b) = ([side + 20.0, 10.0], [2.0 * side + 40.0, row + 10.0]);
        assert_eq!(lasso(&[a, b], false).holds(&layout), [1, 2, 5, 6]);
        assert_eq!(lasso(&[b, a], false).holds(&layout), [1, 2, 5, 6]);
        // A triangle around the middle of the first cell, which only grazes the second.
        let around = [[0.0, 0.0], [side + 30.0, 0.0], [0.0, side + 30.0]];
        assert_eq!(lasso(&around, true).holds(&layout), [0]);
        assert_eq!(lasso(&[[5000.0, 9000.0], [5001.0, 9001.0]], false).holds(&layout), [] as [usize; 0]);
    }
}
