//! The images in the order in which they are labelled, and where one is. No drawing.

use std::collections::HashSet;

/// Rows in order. What was visited keeps its place when the rest is arranged anew, so that going back always
/// leads where one came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    rows: Vec<usize>,
    at: usize,
}

impl Queue {
    /// The first of `rows`.
    pub fn new(rows: Vec<usize>) -> Self {
        Self { rows, at: 0 }
    }

    /// The same rows in a new order behind those visited, which are not in `rows` again.
    pub fn continued(visited: &[usize], rows: Vec<usize>) -> Self {
        let at = visited.len().saturating_sub(1);
        let mut all = visited.to_vec();
        all.extend(rows);
        Self { rows: all, at }
    }

    /// Another order of what was not among the first `known` when it was asked for. The user went on meanwhile:
    /// what was visited since does not come again.
    pub fn rearranged(&self, known: usize, mut rows: Vec<usize>) -> Self {
        let since: HashSet<usize> = self.visited().iter().skip(known).copied().collect();
        if !since.is_empty() {
            rows.retain(|row| !since.contains(row));
        }
        Self::continued(self.visited(), rows)
    }

    /// All rows, in the order of labelling.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Those up to the current one.
    pub fn visited(&self) -> &[usize] {
        &self.rows[..self.rows.len().min(self.at + 1)]
    }

    /// The position of the current one.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The current row; `None` where there is none.
    pub fn current(&self) -> Option<usize> {
        self.rows.get(self.at).copied()
    }

    /// The row so many positions on, or back.
    pub fn peek(&self, step: isize) -> Option<usize> {
        self.rows.get(self.at.checked_add_signed(step)?).copied()
    }

    /// Goes so many positions on, or back; stays where there is nothing. Whether it moved.
    pub fn step(&mut self, step: isize) -> bool {
        let Some(at) = self.at.checked_add_signed(step).filter(|at| *at < self.rows.len()) else {
            return false;
        };
        self.at = at;
        true
    }

    /// Goes to a position.
    pub fn go_to(&mut self, at: usize) {
        self.at = at.min(self.rows.len().saturating_sub(1));
    }

    /// Goes to the next row that `is_wanted`, or else to the very next. Looks no further than so many, as a
    /// frame must not wait for a million. Whether it moved.
    pub fn next_that(&mut self, mut is_wanted: impl FnMut(usize) -> bool) -> bool {
        const FAR: usize = 2000;
        let next = (self.at + 1..self.rows.len()).take(FAR).find(|at| is_wanted(self.rows[*at]));
        match next {
            Some(at) => {
                self.at = at;
                true
            }
            None => self.step(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_leads_where_one_came_from_also_after_a_new_order() {
        let mut queue = Queue::new(vec![0, 1, 2, 3, 4]);
        assert!(queue.step(1) && queue.step(1));
        let mut queue = Queue::continued(queue.visited(), vec![4, 3]);
        assert_eq!((queue.current(), queue.rows()), (Some(2), &[0, 1, 2, 4, 3][..]));
        assert_eq!((queue.peek(-1), queue.peek(1)), (Some(1), Some(4)));
        assert!(queue.step(-1) && queue.step(-1) && !queue.step(-1));
        assert_eq!(queue.current(), Some(0));
    }

    #[test]
    fn a_jump_to_the_end_of_a_million_while_they_are_arranged_takes_no_time() {
        let mut queue = Queue::new((0..1_000_000).collect());
        queue.go_to(999_000);
        let began = std::time::Instant::now();
        let queue = queue.rearranged(1, (1..1_000_000).rev().collect());
        assert_eq!((queue.rows().len(), queue.peek(1)), (1_000_000, Some(999_999)));
        assert!(began.elapsed().as_secs() < 10);
    }

    #[test]
    fn rows_that_are_done_are_passed_over_unless_all_are() {
        let mut queue = Queue::new(vec![5, 6, 7, 8]);
        assert!(queue.next_that(|row| row > 6));
        assert_eq!(queue.current(), Some(7));
        assert!(queue.next_that(|_| false) && !queue.next_that(|_| false));
        assert_eq!(queue.current(), Some(8));
        assert!(!Queue::default().next_that(|_| true) && Queue::default().current().is_none());
    }
}
