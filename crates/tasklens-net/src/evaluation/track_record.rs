//! How often a network is right at a certain confidence: counted among the rows with similar confidence, without a
//! model of its probabilities.

use serde::Serialize;

use crate::inference::most_probable;

/// Number of rows to count: enough for an estimate, and few enough to have similar confidence.
const ROWS: usize = 50;
/// Minimum number of rows for a record.
const FEWEST: usize = 20;

/// Rows with similar confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TrackRecord {
    /// Number of them whose label is the most probable one.
    pub right: usize,
    /// Number of predictions with about this confidence.
    pub of: usize,
}

/// Labelled rows by increasing confidence.
pub struct TrackRecords {
    /// (probability of the most probable label, whether the row has it, position of the row), ascending.
    rows: Vec<(f32, bool, usize)>,
}

impl TrackRecords {
    /// From `probabilities` `[N, classes]` and labels; rows without a label or with NaN are skipped.
    pub fn new(labels: &[Option<u32>], probabilities: &[f32], classes: usize) -> Self {
        let all = labels.iter().zip(probabilities.chunks_exact(classes.max(1))).enumerate();
        let mut rows: Vec<_> = all
            .filter(|(_, (_, row))| row.iter().all(|p| p.is_finite()))
            .filter_map(|(place, (label, row))| {
                let top = most_probable(row);
                Some((row[top], top == (*label)? as usize, place))
            })
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { rows }
    }

    /// The record at confidence `sure`, excluding the row at position `asked`; `None` if there are fewer than
    /// [`FEWEST`] rows.
    pub fn at(&self, sure: f32, asked: usize) -> Option<TrackRecord> {
        let mut above = self.rows.partition_point(|row| row.0 < sure);
        let mut below = above;
        let (mut right, mut of) = (0, 0);
        while of < ROWS {
            let up = self.rows.get(above);
            let down = below.checked_sub(1).and_then(|at| self.rows.get(at));
            let is_up = match (up, down) {
                (Some(up), Some(down)) => up.0 - sure <= sure - down.0,
                (up, down) if up.is_some() || down.is_some() => up.is_some(),
                _ => break,
            };
            let Some((_, is_right, place)) = (if is_up { up } else { down }).copied() else { break };
            if is_up {
                above += 1;
            } else {
                below -= 1;
            }
            if place != asked {
                of += 1;
                right += usize::from(is_right);
            }
        }
        (of >= FEWEST).then_some(TrackRecord { right, of })
    }
}

impl TrackRecord {
    /// A sentence about it.
    pub fn sentence(&self) -> String {
        format!("When it is this sure, it agrees with the label of {} of {} images", self.right, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 rows, as sure as their number says, right where that is an odd number below 100 and always above.
    fn records() -> TrackRecords {
        let labels: Vec<_> = (0..200).map(|i| Some(u32::from(i < 100 && i % 2 == 0))).collect();
        let rows = (0..200).flat_map(|i| [0.6 + i as f32 / 1000.0, 0.4 - i as f32 / 1000.0]);
        TrackRecords::new(&labels, &rows.collect::<Vec<_>>(), 2)
    }

    #[test]
    fn the_rows_about_as_sure_are_counted() {
        let records = records();
        assert_eq!(records.at(0.64, 999), Some(TrackRecord { right: 25, of: 50 }));
        assert_eq!(records.at(0.75, 999), Some(TrackRecord { right: 50, of: 50 }));
        // Beyond the ends the nearest rows count.
        assert_eq!(records.at(0.999, 999), Some(TrackRecord { right: 50, of: 50 }));
        assert_eq!(records.at(0.1, 999), Some(TrackRecord { right: 25, of: 50 }));
    }

    #[test]
    fn the_row_itself_does_not_count_and_few_rows_say_nothing() {
        // Row 40 is wrong: without it there is one right answer more.
        assert_eq!(records().at(0.64, 40), Some(TrackRecord { right: 26, of: 50 }));
        let few = |rows| TrackRecords::new(&vec![Some(0); rows], &[0.9, 0.1].repeat(rows), 2).at(0.9, 3);
        assert_eq!(few(20), None);
        assert_eq!(few(21), Some(TrackRecord { right: 20, of: 20 }));
        let without = TrackRecords::new(&[None; 60], &[0.9, 0.1].repeat(60), 2);
        assert_eq!(without.at(0.9, 0), None);
        let nan = TrackRecords::new(&[Some(0); 60], &[f32::NAN; 120], 2);
        assert_eq!(nan.at(0.9, 0), None);
    }
}
