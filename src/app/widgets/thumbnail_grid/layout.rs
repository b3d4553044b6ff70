//! Where the cells of a grid are, from a few numbers: nothing here is as long as the list.

use std::ops::Range;

use egui::{Pos2, Rect, Vec2, vec2};

use crate::app::theme::GRID;

const GAP: f32 = 3.0 * GRID;
/// Room for the scroll bar, which lies over the content.
const SCROLL_BAR: f32 = 3.0 * GRID;

/// Where the cells are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Number of items.
    pub count: usize,
    /// Cells in a row.
    pub columns: usize,
    /// Of the square that holds the picture.
    pub side: f32,
    /// From the top of a row to that of the next.
    pub row_height: f32,
    /// Of what is in sight.
    height: f32,
}

impl Layout {
    /// As many columns as fit, at least one.
    pub fn new(count: usize, least_side: f32, caption: f32, space: Vec2) -> Self {
        let width = (space.x - SCROLL_BAR).max(least_side);
        let columns = ((width + GAP) / (least_side + GAP)).floor().max(1.0);
        // Both edges are flush: the cells share what is left.
        let side = ((width - (columns - 1.0) * GAP) / columns).floor();
        Self { count, columns: columns as usize, side, row_height: side + caption + GAP, height: space.y }
    }

    /// Whether each position has the same place in both.
    pub fn has_places_of(&self, other: &Self) -> bool {
        self.columns == other.columns && self.row_height == other.row_height
    }

    fn rows(&self) -> usize {
        self.count.div_ceil(self.columns)
    }

    /// Height of all rows, in points.
    pub fn total_height(&self) -> f32 {
        (self.rows() as f32 * self.row_height - GAP).max(0.0)
    }

    /// How many whole rows are in sight.
    pub fn rows_in_sight(&self) -> usize {
        (self.height / self.row_height) as usize
    }

    /// The row at the top when scrolled this far.
    pub fn row_at(&self, offset: f32) -> usize {
        (offset.max(0.0) / self.row_height) as usize
    }

    /// How far below the first row an item's row begins.
    pub fn top_of(&self, position: usize) -> f32 {
        (position / self.columns) as f32 * self.row_height
    }

    /// Whether some of an item's row is in sight when scrolled this far.
    pub fn shows(&self, position: usize, offset: f32) -> bool {
        let top = self.top_of(position) - offset;
        top > -self.row_height && top < self.height
    }

    /// How far to scroll, no further than needed, to have all of an item's row in sight.
    pub fn offset_that_shows(&self, position: usize, offset: f32) -> f32 {
        let top = self.top_of(position);
        let bottom = top + self.row_height;
        if top < offset {
            top
        } else if bottom > offset + self.height {
            (bottom - self.height).min(top)
        } else {
            offset
        }
    }

    /// Positions of which some part is in sight.
    pub fn in_sight(&self, offset: f32) -> Range<usize> {
        let first = self.row_at(offset);
        let last = self.row_at(offset + self.height) + 1;
        (first * self.columns).min(self.count)..(last * self.columns).min(self.count)
    }

    /// The place of an item, its caption included.
    pub fn cell(&self, position: usize, origin: Pos2, offset: f32) -> Rect {
        let (row, column) = (position / self.columns, position % self.columns);
        // Far down a long list a float has no room for fractions: the difference is taken first.
        let y = (row as f64 * f64::from(self.row_height) - f64::from(offset)) as f32;
        let at = origin + vec2(column as f32 * (self.side + GAP), y);
        Rect::from_min_size(at, vec2(self.side, self.row_height - GAP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(count: usize) -> Layout {
        Layout::new(count, 88.0, 36.0, vec2(1208.0, 600.0))
    }

    #[test]
    fn cells_are_flush_with_both_edges_and_never_overlap() {
        for width in [60.0, 200.0, 568.0, 1208.0, 3000.0] {
            let layout = Layout::new(1000, 88.0, 36.0, vec2(width, 600.0));
            let place = |position| layout.cell(position, Pos2::ZERO, 0.0);
            let right = place(layout.columns - 1).right();
            assert!(right <= (width - SCROLL_BAR).max(88.0), "{width}: {right}");
            assert!(right > width - SCROLL_BAR - layout.columns as f32, "{width}: {right}");
            assert_eq!(place(layout.columns).left(), 0.0);
            assert!(place(layout.columns).top() >= place(0).bottom() + GAP);
        }
    }

    #[test]
    fn a_million_items_have_cells_at_whole_distances_down_to_the_last() {
        let layout = layout(1_000_000);
        let offset = layout.top_of(999_999) - 300.0;
        let shown = layout.in_sight(offset);
        assert!(shown.contains(&999_999) && shown.len() < 12 * 7, "{shown:?}");
        let cells: Vec<Rect> = shown.map(|at| layout.cell(at, Pos2::ZERO, offset)).collect();
        for pair in cells.chunks_exact(layout.columns).collect::<Vec<_>>().windows(2) {
            assert_eq!(pair[1][0].top() - pair[0][0].top(), layout.row_height);
        }
    }

    #[test]
    fn scrolling_follows_the_cursor_no_further_than_needed() {
        let layout = layout(1000);
        let row = layout.row_height;
        assert_eq!(layout.offset_that_shows(0, 0.0), 0.0);
        assert_eq!(layout.offset_that_shows(layout.columns * 2, row * 5.0), row * 2.0);
        let bottom = layout.offset_that_shows(layout.columns * 9, 0.0);
        assert_eq!(bottom, row * 10.0 - 600.0);
    }
}
