//! What a lasso holds.

use super::Cloud;

/// Bands that the edges are sorted into, so that a point is compared with few of them.
const BANDS: usize = 128;

type Corner = [f32; 2];

/// A closed polygon; where it crosses itself, what it goes around an even number of times is outside.
pub struct Polygon {
    low: Corner,
    high: Corner,
    /// The edges by height: each in all bands that it reaches into.
    bands: Vec<Vec<[Corner; 2]>>,
}

impl Polygon {
    /// From its corners; the last is joined with the first.
    pub fn new(corners: &[Corner]) -> Self {
        let mut low = [f32::INFINITY; 2];
        let mut high = [f32::NEG_INFINITY; 2];
        for corner in corners {
            for axis in 0..2 {
                low[axis] = low[axis].min(corner[axis]);
                high[axis] = high[axis].max(corner[axis]);
            }
        }
        let mut polygon = Self { low, high, bands: vec![Vec::new(); BANDS] };
        for (index, a) in corners.iter().enumerate() {
            let b = corners[(index + 1) % corners.len()];
            let (from, to) = (polygon.band(a[1].min(b[1])), polygon.band(a[1].max(b[1])));
            for band in &mut polygon.bands[from..=to] {
                band.push([*a, b]);
            }
        }
        polygon
    }

    fn band(&self, y: f32) -> usize {
        let height = (self.high[1] - self.low[1]).max(f32::MIN_POSITIVE);
        (((y - self.low[1]) / height * BANDS as f32) as usize).min(BANDS - 1)
    }

    /// Whether a place is inside: a ray to the right crosses an odd number of edges.
    pub fn contains(&self, [x, y]: Corner) -> bool {
        if x < self.low[0] || x > self.high[0] || y < self.low[1] || y > self.high[1] {
            return false;
        }
        let crossings = self.bands[self.band(y)].iter().filter(|[a, b]| {
            (a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        });
        crossings.count() % 2 == 1
    }

    /// The items inside, ascending; not those that are dim.
    pub fn holds(&self, cloud: &Cloud<'_>) -> Vec<usize> {
        let lit = cloud.dots.iter().filter(|dot| !dot.is_dim).map(|dot| dot.item as usize);
        let mut items: Vec<usize> = lit.filter(|item| self.contains(cloud.places[*item])).collect();
        items.sort_unstable();
        items
    }
}
