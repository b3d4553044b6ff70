//! The labelling rate: labels per minute of work, over the last minutes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Length of the sliding window, in time of work.
const WINDOW: Duration = Duration::from_secs(3 * 60);
/// A longer time between two labels counts as a pause.
const PAUSE: Duration = Duration::from_secs(30);
/// With less work than this the rate would be too unsteady.
const ENOUGH: Duration = Duration::from_secs(10);

/// Labels per minute over a sliding window. Pauses stop its clock: the rate before them stays.
#[derive(Clone, Debug, Default)]
pub struct LabelRate {
    last: Option<Instant>,
    /// Per event: the time of work since the previous one, and the number of labels.
    given: VecDeque<(Duration, usize)>,
    /// Total time of work in `given`.
    worked: Duration,
}

impl LabelRate {
    /// Records that this many labels were given at once. The first ones, and the first after a pause, only start the
    /// clock: how long they took is unknown.
    pub fn add(&mut self, labels: usize, at: Instant) {
        let since = self.last.replace(at).map(|last| at.saturating_duration_since(last));
        let Some(took) = since.filter(|took| *took <= PAUSE) else { return };
        self.given.push_back((took, labels));
        self.worked += took;
        while let Some((oldest, _)) = self.given.front()
            && self.worked - *oldest >= WINDOW
        {
            self.worked -= *oldest;
            self.given.pop_front();
        }
    }

    /// Labels per minute of work; `None` within the first seconds.
    pub fn per_minute(&self) -> Option<f64> {
        let labels: usize = self.given.iter().map(|(_, labels)| labels).sum();
        (self.worked >= ENOUGH).then(|| labels as f64 * 60.0 / self.worked.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rate, and the time after so many labels, one every `every` seconds.
    fn label(rate: &mut LabelRate, mut at: Instant, labels: usize, every: f64) -> Instant {
        for _ in 0..labels {
            at += Duration::from_secs_f64(every);
            rate.add(1, at);
        }
        at
    }

    #[test]
    fn a_label_every_two_seconds_is_thirty_a_minute_also_with_a_pause() {
        let (mut rate, start) = (LabelRate::default(), Instant::now());
        assert_eq!(rate.per_minute(), None);
        let at = label(&mut rate, start, 5, 2.0);
        assert_eq!(rate.per_minute(), None, "eight seconds tell too little");
        let at = label(&mut rate, at, 20, 2.0);
        assert_eq!(rate.per_minute(), Some(30.0));
        // Lunch.
        let at = at + Duration::from_secs(3600);
        rate.add(1, at);
        assert_eq!(rate.per_minute(), Some(30.0));
        label(&mut rate, at, 10, 2.0);
        assert_eq!(rate.per_minute(), Some(30.0));
    }

    #[test]
    fn what_was_minutes_ago_does_not_count() {
        let (mut rate, start) = (LabelRate::default(), Instant::now());
        let at = label(&mut rate, start, 30, 20.0);
        assert_eq!(rate.per_minute(), Some(3.0));
        label(&mut rate, at, 400, 1.0);
        assert_eq!(rate.per_minute(), Some(60.0));
        assert!(rate.given.len() <= 181);
    }

    #[test]
    fn many_at_once_count_each_and_a_clock_that_goes_back_does_no_harm() {
        let (mut rate, start) = (LabelRate::default(), Instant::now());
        rate.add(50, start);
        rate.add(20, start + Duration::from_secs(20));
        assert_eq!(rate.per_minute(), Some(60.0));
        rate.add(1, start);
        assert_eq!(rate.per_minute(), Some(63.0));
    }
}
