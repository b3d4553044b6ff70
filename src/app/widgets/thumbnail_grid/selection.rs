//! Which positions of a grid are chosen. Kept as ranges: all of a million items is one of them.

use std::ops::Range;

/// A set of positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Ascending, neither empty nor touching.
    ranges: Vec<Range<usize>>,
}

impl Selection {
    /// A selection of one position.
    pub fn of(position: usize) -> Self {
        Self::range(position..position + 1)
    }

    /// A run of positions.
    pub fn range(range: Range<usize>) -> Self {
        Self { ranges: if range.is_empty() { Vec::new() } else { vec![range] } }
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many are chosen.
    pub fn len(&self) -> usize {
        self.ranges.iter().map(Range::len).sum()
    }

    /// Whether a position is chosen.
    pub fn contains(&self, position: usize) -> bool {
        let next = self.ranges.partition_point(|range| range.end <= position);
        self.ranges.get(next).is_some_and(|range| range.start <= position)
    }

    /// The positions, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranges.iter().cloned().flatten()
    }

    /// Adds the position, or takes it out.
    pub fn toggle(&mut self, position: usize) {
        let at = self.ranges.partition_point(|range| range.end <= position);
        match self.ranges.get(at).cloned() {
            Some(range) if range.start <= position => {
                let parts = [range.start..position, position + 1..range.end];
                self.ranges.splice(at..=at, parts.into_iter().filter(|part| !part.is_empty()));
            }
            _ => {
                let joins_left = at > 0 && self.ranges[at - 1].end == position;
                let joins_right = self.ranges.get(at).is_some_and(|right| right.start == position + 1);
                let first = at - usize::from(joins_left);
                let last = at + usize::from(joins_right);
                let start = if joins_left { self.ranges[first].start } else { position };
                let end = if joins_right { self.ranges[at].end } else { position + 1 };
                self.ranges.splice(first..last, std::iter::once(start..end));
            }
        }
    }

    /// Forgets what is not below `count`.
    pub fn truncate(&mut self, count: usize) {
        self.ranges.retain(|range| range.start < count);
        if let Some(last) = self.ranges.last_mut() {
            last.end = last.end.min(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_of_toggles_leaves_what_was_toggled_an_odd_number_of_times() {
        let mut selection = Selection::default();
        let mut expected = std::collections::BTreeSet::new();
        let mut state = 7_usize;
        for _ in 0..2000 {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let position = state >> 16 & 31;
            selection.toggle(position);
            if !expected.remove(&position) {
                expected.insert(position);
            }
            assert_eq!(selection.iter().collect::<Vec<_>>(), expected.iter().copied().collect::<Vec<_>>());
            assert_eq!(selection.len(), expected.len());
            assert!((0..33).all(|p| selection.contains(p) == expected.contains(&p)));
            assert!(selection.ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{selection:?}");
        }
    }

    #[test]
    fn a_shorter_list_keeps_what_is_still_there() {
        let mut selection = Selection::range(2..1_000_000);
        selection.toggle(4);
        assert_eq!(selection.len(), 999_997);
        selection.truncate(6);
        assert_eq!(selection.iter().collect::<Vec<_>>(), [2, 3, 5]);
        selection.truncate(0);
        assert!(selection.is_empty());
    }
}
