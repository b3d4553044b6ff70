//! Which point is nearest to a place: the points in a grid of cells.

use super::Cloud;

/// Points per cell, on average.
const PER_CELL: usize = 2;

/// The points that can be pointed at, by cell.
pub struct Grid {
    corner: [f32; 2],
    cell: f32,
    columns: usize,
    rows: usize,
    /// Where each cell begins in `dots`, and the end.
    starts: Vec<u32>,
    /// Positions in [`Cloud::dots`].
    dots: Vec<u32>,
}

impl Grid {
    /// Sorts the points into cells.
    pub fn new(cloud: &Cloud<'_>) -> Self {
        let place = |dot: u32| cloud.places[cloud.dots[dot as usize].item as usize];
        let lit: Vec<u32> =
            (0..cloud.dots.len() as u32).filter(|dot| !cloud.dots[*dot as usize].is_dim).collect();
        let mut low = [f32::INFINITY; 2];
        let mut high = [f32::NEG_INFINITY; 2];
        for dot in &lit {
            for (axis, value) in place(*dot).into_iter().enumerate() {
                low[axis] = low[axis].min(value);
                high[axis] = high[axis].max(value);
            }
        }
        if lit.is_empty() {
            (low, high) = ([0.0; 2], [0.0; 2]);
        }
        let size = [high[0] - low[0], high[1] - low[1]].map(|side| side.max(1e-6));
        let cell = (size[0] * size[1] * PER_CELL as f32 / lit.len().max(1) as f32).sqrt();
        // A line of points would make more cells than points.
        let cell = cell.max(size[0].max(size[1]) / (lit.len() as f32 + 1.0));
        let [columns, rows] = size.map(|side| (side / cell) as usize + 1);
        let mut grid = Self { corner: low, cell, columns, rows, starts: Vec::new(), dots: Vec::new() };
        let cells: Vec<usize> = lit.iter().map(|dot| grid.cell_of(place(*dot))).collect();
        grid.starts = vec![0; columns * rows + 1];
        for cell in &cells {
            grid.starts[cell + 1] += 1;
        }
        for cell in 0..columns * rows {
            grid.starts[cell + 1] += grid.starts[cell];
        }
        let mut next = grid.starts.clone();
        grid.dots = vec![0; lit.len()];
        for (dot, cell) in lit.into_iter().zip(cells) {
            grid.dots[next[cell] as usize] = dot;
            next[cell] += 1;
        }
        grid
    }

    fn column_and_row(&self, [x, y]: [f32; 2]) -> [usize; 2] {
        // A float below 0 becomes 0.
        let column = ((x - self.corner[0]) / self.cell) as usize;
        let row = ((y - self.corner[1]) / self.cell) as usize;
        [column.min(self.columns - 1), row.min(self.rows - 1)]
    }

    fn cell_of(&self, place: [f32; 2]) -> usize {
        let [column, row] = self.column_and_row(place);
        row * self.columns + column
    }

    /// The item of the point nearest to a place and at most `reach` away; of equals, the one on top.
    pub fn nearest(&self, cloud: &Cloud<'_>, [x, y]: [f32; 2], reach: f32) -> Option<usize> {
        let [left, bottom] = self.column_and_row([x - reach, y - reach]);
        let [right, top] = self.column_and_row([x + reach, y + reach]);
        let mut best: Option<(f32, u32)> = None;
        for row in bottom..=top {
            let first = row * self.columns;
            let range = self.starts[first + left] as usize..self.starts[first + right + 1] as usize;
            for &dot in &self.dots[range] {
                let place = cloud.places[cloud.dots[dot as usize].item as usize];
                let distance = (place[0] - x).hypot(place[1] - y);
                let is_better = best.is_none_or(|(least, on)| (distance, on) < (least, dot));
                if distance <= reach && is_better {
                    best = Some((distance, dot));
                }
            }
        }
        best.map(|(_, dot)| cloud.dots[dot as usize].item as usize)
    }
}
