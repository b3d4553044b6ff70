//! How large the cells of a matrix are, how much of it is in sight, and where.

use egui::{FontId, Rangef, Rect, Ui, Vec2, pos2, vec2};

use crate::app::theme::{GRID, TEXT_SMALL};
use crate::app::widgets::width_of;

/// The word above the heads.
const CAPTION: f32 = 5.0 * GRID;
/// A line of text.
const LINE: f32 = 5.0 * GRID;
/// Cells are never smaller: more labels scroll.
const LEAST: Vec2 = vec2(18.0, 15.0);
/// Cells are never larger: two labels need no poster.
const MOST: Vec2 = vec2(136.0, 68.0);
/// Over columns of this width, heads are level, though it cut them off.
const LEVEL: f32 = 20.0 * GRID;
/// Heads that stand upright are cut off at this height.
const HEAD: f32 = 24.0 * GRID;
/// The sums at the right.
const SUMS: f32 = 14.0 * GRID;

/// See the module's docs.
pub(super) struct Geometry {
    /// Size of the whole widget.
    pub size: Vec2,
    /// Size of a cell.
    pub cell: Vec2,
    /// Whether the heads of the columns are written bottom to top.
    pub upright: bool,
    /// Width of the labels at the left.
    labels: f32,
    /// Height of the heads at the top.
    heads: f32,
    /// What is in sight of the cells.
    body: Vec2,
}

impl Geometry {
    pub fn new(ui: &Ui, labels: &[String], height: f32) -> Self {
        let font = FontId::proportional(TEXT_SMALL);
        let widths = labels.iter().map(|label| width_of(ui, label, font.clone()));
        let widest = widths.fold(0.0, f32::max).ceil();
        let n = labels.len().max(1) as f32;
        let width = ui.available_width();
        let names = (widest + 3.0 * GRID).clamp(10.0 * GRID, (0.28 * width).max(10.0 * GRID)).round();
        let across = (width - names - SUMS).max(LEAST.x);
        let cell_width = (across / n).clamp(LEAST.x, MOST.x).floor();
        let upright = widest + GRID > cell_width && cell_width < LEVEL;
        let heads = if upright { (widest + 2.0 * GRID).min(HEAD) } else { LINE };
        let down = (height - CAPTION - heads - LINE).max(4.0 * LEAST.y);
        let cell = vec2(cell_width, (down / n).clamp(LEAST.y, MOST.y).floor());
        let body = vec2((cell.x * n).min(across), (cell.y * n).min(down)).floor();
        let size = vec2(names + body.x + SUMS, CAPTION + heads + body.y + LINE);
        Self { size, cell, upright, labels: names, heads, body }
    }

    /// The cells in sight.
    pub fn body(&self, all: Rect) -> Rect {
        Rect::from_min_size(all.min + vec2(self.labels, CAPTION + self.heads), self.body)
    }

    /// Where the labels of the columns are.
    pub fn heads(&self, all: Rect) -> Rect {
        let body = self.body(all);
        Rect::from_min_max(pos2(body.left(), body.top() - self.heads), body.right_top())
    }

    /// Left of the cells.
    pub fn labels(&self, all: Rect) -> Rect {
        let body = self.body(all);
        Rect::from_min_max(pos2(all.left(), body.top()), body.left_bottom())
    }

    /// Right of the cells.
    pub fn row_sums(&self, all: Rect) -> Rect {
        let body = self.body(all);
        Rect::from_min_size(body.right_top(), vec2(SUMS, body.height()))
    }

    /// Where the sums of the columns are.
    pub fn column_sums(&self, all: Rect) -> Rect {
        let body = self.body(all);
        Rect::from_min_size(body.left_bottom(), vec2(body.width(), LINE))
    }

    /// The places of cells that are in sight in one direction, of `n`.
    pub fn in_sight(seen: Rangef, cell: f32, n: usize) -> std::ops::Range<usize> {
        let first = (seen.min / cell).floor().max(0.0) as usize;
        let last = (seen.max / cell).ceil().max(0.0) as usize;
        first.min(n)..last.min(n)
    }
}
