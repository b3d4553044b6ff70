//! How long a job takes to its end, by its pace of late: what was there already goes by in no time, and says nothing of
//! the rest.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The pace is that of so long before now.
const WINDOW: Duration = Duration::from_secs(20);
/// Two marks are so far apart at least.
const SPACING: Duration = Duration::from_millis(200);
/// A pace of less time than this is not told.
const SHORTEST: Duration = Duration::from_secs(1);

/// How much was done when.
#[derive(Debug, Default)]
pub(super) struct Pace {
    marks: VecDeque<(Instant, u64)>,
    of: u64,
}

impl Pace {
    /// So much is done of so much. Another total, or less than before, is another task.
    pub fn mark(&mut self, now: Instant, done: u64, of: u64) {
        let last = self.marks.back().copied();
        if of != self.of || last.is_some_and(|(_, before)| done < before) {
            self.marks.clear();
            self.of = of;
        } else if last.is_some_and(|(then, _)| now - then < SPACING) {
            return;
        }
        self.marks.push_back((now, done));
        while self.marks.len() > 2 && self.marks.get(1).is_some_and(|(then, _)| now - *then >= WINDOW) {
            self.marks.pop_front();
        }
    }

    /// Another task begins.
    pub fn forget(&mut self) {
        self.marks.clear();
    }

    /// Time to the end, where the pace is known.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let ((first, before), (_, done)) = (self.marks.front()?, self.marks.back()?);
        let elapsed = now - *first;
        let gained = done.checked_sub(*before).filter(|gained| *gained > 0 && elapsed >= SHORTEST)?;
        Some(elapsed.mul_f64(self.of.saturating_sub(*done) as f64 / gained as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second-by-second account, from a first moment.
    fn told(start: Instant, pace: &mut Pace, from_secs: u64, done: impl IntoIterator<Item = u64>) -> Instant {
        let mut now = start;
        for (second, done) in (from_secs..).zip(done) {
            now = start + Duration::from_secs(second);
            pace.mark(now, done, 1000);
        }
        now
    }

    #[test]
    fn what_went_by_in_no_time_is_soon_no_part_of_the_pace() {
        let (start, mut pace) = (Instant::now(), Pace::default());
        pace.mark(start, 0, 1000);
        assert_eq!(pace.left(start), None, "nothing is known yet");
        // Half is there already; the rest takes a second each ten.
        let now = told(start, &mut pace, 1, [500]);
        assert_eq!(pace.left(now), Some(Duration::from_secs(1)));
        let now = told(start, &mut pace, 2, (1..=30).map(|second| 500 + 10 * second));
        assert_eq!(pace.left(now), Some(Duration::from_secs(20)));
    }

    #[test]
    fn a_standstill_makes_the_rest_longer_and_another_task_begins_anew() {
        let (start, mut pace) = (Instant::now(), Pace::default());
        let now = told(start, &mut pace, 0, [0, 100, 200]);
        assert_eq!(pace.left(now), Some(Duration::from_secs(8)));
        assert_eq!(pace.left(now + Duration::from_secs(2)), Some(Duration::from_secs(16)));
        pace.mark(now + Duration::from_secs(3), 0, 1000);
        assert_eq!(pace.left(now + Duration::from_secs(9)), None);
    }
}
