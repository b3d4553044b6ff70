//! The drawn split. Each row has a lot that depends only on its image name and the seed, and is for validation if
//! that is below the requested share. So a row keeps its part while others come and go and labels are corrected. Only
//! where chance would distribute a label too unevenly do rows change sides, starting with lots closest to the share;
//! the fewer do, the more the splits of successive runs have in common.

use std::cmp::Ordering;

use super::Split;
use crate::dataset::{Row, Rows};

/// Relative deviation from the requested share of validation rows that is tolerated before some change sides.
const TOLERANCE: f64 = 0.05;

/// See the module's docs.
pub struct Draw<'a> {
    rows: &'a Rows,
    lots: &'a [f64],
    validation_share: f64,
    /// One per label of each task; the last one contains all rows.
    groups: Vec<Group>,
    /// Per task the index of the group of its first label.
    first_of_task: Vec<usize>,
    validates: Vec<bool>,
}

/// The group of rows with a label.
struct Group {
    rows: Vec<usize>,
    validating: usize,
    wanted: Bounds,
    /// Wider bounds, tolerated for the sake of another group.
    allowed: Bounds,
    is_settled: bool,
}

/// Allowed range of validation rows.
#[derive(Clone, Copy)]
struct Bounds {
    low: usize,
    high: usize,
}

impl Bounds {
    fn holds(self, count: usize) -> bool {
        (self.low..=self.high).contains(&count)
    }
}

/// How strictly a change of sides respects groups that are already settled.
#[derive(Clone, Copy)]
enum Heed {
    Wanted,
    Allowed,
}

impl<'a> Draw<'a> {
    /// Draws the split; `lots` has one entry per row.
    pub fn new(rows: &'a Rows, labels_per_task: &[usize], validation_share: f64, lots: &'a [f64]) -> Self {
        let first_of_task: Vec<usize> = labels_per_task
            .iter()
            .scan(0, |next, labels| Some(std::mem::replace(next, *next + labels)))
            .collect();
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); labels_per_task.iter().sum::<usize>() + 1];
        let all = members.len() - 1;
        for (row, data) in rows.iter().enumerate().filter(|(_, data)| data.usable) {
            members[all].push(row);
            groups_of_labels(data, &first_of_task).for_each(|group| members[group].push(row));
        }
        let validates: Vec<bool> = lots.iter().map(|lot| *lot < validation_share).collect();
        let groups = members.into_iter().enumerate().map(|(group, rows)| {
            let validating = rows.iter().filter(|row| validates[**row]).count();
            let (wanted, allowed) = if group == all {
                (bounds_of_all(rows.len(), validation_share), Bounds { low: 0, high: rows.len() })
            } else {
                bounds_of_label(rows.len(), validation_share)
            };
            Group { rows, validating, wanted, allowed, is_settled: false }
        });
        let groups = groups.collect();
        Self { rows, lots, validation_share, groups, first_of_task, validates }
    }

    /// Draws the split from the rows collected so far.
    pub fn split(mut self) -> Split {
        let all = self.groups.len() - 1;
        // Common labels have more rows to choose from, so rare ones come first, and the group of all rows last.
        let mut order: Vec<usize> = (0..all).collect();
        order.sort_by_key(|group| self.groups[*group].rows.len());
        for group in order.into_iter().chain([all]) {
            self.settle(group, Heed::Wanted);
            self.settle(group, Heed::Allowed);
            self.groups[group].is_settled = true;
        }
        self.let_each_label_train(all);
        self.leave_no_side_empty(all);
        let (validation, train) = self.groups[all].rows.iter().partition(|row| self.validates[**row]);
        Split { train, validation }
    }

    /// Lets rows of a group change sides until it is within its bounds, or no row is left that may.
    fn settle(&mut self, group: usize, heed: Heed) {
        let Group { validating, wanted, .. } = self.groups[group];
        let is_short = match validating.cmp(&wanted.low) {
            Ordering::Less => true,
            _ if validating > wanted.high => false,
            _ => return,
        };
        let mut candidates: Vec<usize> = self.groups[group].rows.clone();
        candidates.retain(|row| self.validates[*row] != is_short);
        candidates.sort_by(|a, b| self.distance(*a).total_cmp(&self.distance(*b)));
        for row in candidates {
            if self.groups[group].wanted.holds(self.groups[group].validating) {
                return;
            }
            if self.may_change(row, heed) {
                self.change(row);
            }
        }
    }

    /// Moves a row to training for labels whose rows are all in validation because of the bounds of other groups.
    fn let_each_label_train(&mut self, all: usize) {
        for group in 0..all {
            let Group { rows, validating, .. } = &self.groups[group];
            if *validating > 0
                && *validating == rows.len()
                && let Some(row) = self.nearest(group)
            {
                self.change(row);
            }
        }
    }

    /// Ensures that neither part is empty, for example when so many labels have a single row that none may be in
    /// validation.
    fn leave_no_side_empty(&mut self, all: usize) {
        let Group { rows, validating, .. } = &self.groups[all];
        if rows.len() > 1
            && (*validating == 0 || *validating == rows.len())
            && let Some(row) = self.nearest(all)
        {
            self.change(row);
        }
    }

    /// The row of a group that should change sides first.
    fn nearest(&self, group: usize) -> Option<usize> {
        let rows = self.groups[group].rows.iter().copied();
        rows.min_by(|a, b| self.distance(*a).total_cmp(&self.distance(*b)))
    }

    fn distance(&self, row: usize) -> f64 {
        (self.lots[row] - self.validation_share).abs()
    }

    fn groups_of(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        groups_of_labels(&self.rows[row], &self.first_of_task).chain([self.groups.len() - 1])
    }

    /// Whether the settled groups of a row allow its change.
    fn may_change(&self, row: usize, heed: Heed) -> bool {
        self.groups_of(row).map(|group| &self.groups[group]).filter(|group| group.is_settled).all(|group| {
            let bounds = match heed {
                Heed::Wanted => group.wanted,
                Heed::Allowed => group.allowed,
            };
            // A group that could not be settled may get closer.
            if self.validates[row] { group.validating > bounds.low } else { group.validating < bounds.high }
        })
    }

    fn change(&mut self, row: usize) {
        let validates = !self.validates[row];
        self.validates[row] = validates;
        let groups: Vec<usize> = self.groups_of(row).collect();
        for group in groups {
            let validating = &mut self.groups[group].validating;
            *validating = if validates { *validating + 1 } else { *validating - 1 };
        }
    }
}

fn groups_of_labels<'a>(row: &'a Row, first_of_task: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let labels = row.labels.iter().zip(first_of_task);
    labels.filter_map(|(label, first)| label.class().map(|label| first + label as usize))
}

/// The target and the allowed range of validation rows of a label. By chance alone, a label is within the square root
/// of its share two times in three; much tighter bounds would make many rows change sides with each new row.
fn bounds_of_label(rows: usize, validation_share: f64) -> (Bounds, Bounds) {
    let share = rows as f64 * validation_share;
    let low = ((share - share.sqrt()).ceil() as usize).max(share.round().min(1.0) as usize);
    let high = ((share + share.sqrt()).floor()).max(share.ceil()) as usize;
    // The network has to learn a label before it can be evaluated on it.
    let most = rows.saturating_sub(1);
    let wanted = Bounds { low: low.min(most), high: high.min(most) };
    (wanted, Bounds { low: wanted.low.min(share.floor() as usize), ..wanted })
}

/// Target and allowed range of validation rows among all rows.
fn bounds_of_all(rows: usize, validation_share: f64) -> Bounds {
    let share = rows as f64 * validation_share;
    let low = (share * (1.0 - TOLERANCE)).ceil().min(share.round()) as usize;
    let high = (share * (1.0 + TOLERANCE)).floor().max(share.round()) as usize;
    let (least, most) = (usize::from(rows > 1), rows.saturating_sub(1));
    Bounds { low: low.max(least).min(most), high: high.max(least).min(most) }
}
