//! Progress and speed of a pass, and the time that is left at that speed.

use std::time::Duration;

use super::events::{BatchProgress, Event, LatestBatches, Phase};

/// What a new measurement counts in the smoothed rate: about the last ten count.
const SHARE: f64 = 0.1;

/// Seconds that are left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Left {
    /// Of the pass.
    pub phase: f64,
    /// Of the stage.
    pub all: f64,
}

/// The progress of a pass. Times are those of [`Reporter::worked`](super::reporter::Reporter::worked).
pub struct Meter {
    pub epoch: usize,
    pub phase: Phase,
    /// Images done, those of an earlier process included.
    pub done: usize,
    pub of: usize,
    began: Duration,
    /// Images that were done when it began.
    before: usize,
    last: (Duration, usize),
    /// Seconds per image in the pass before it.
    known: Option<f64>,
    rate: Option<f64>,
    measurements: usize,
}

impl Meter {
    /// For a pass over `of` images that begins now, `done` of them done before. `known` are the seconds per image of
    /// the last pass of its kind.
    pub fn new(
        epoch: usize,
        phase: Phase,
        (done, of): (usize, usize),
        known: Option<f64>,
        now: Duration,
    ) -> Self {
        let (began, last) = (now, (now, done));
        Self { epoch, phase, done, of, began, before: done, last, known, rate: None, measurements: 0 }
    }

    pub fn is_complete(&self) -> bool {
        self.done >= self.of
    }

    /// Seconds since it began.
    pub fn secs(&self, now: Duration) -> f64 {
        now.saturating_sub(self.began).as_secs_f64()
    }

    /// Seconds per image since it began; `None` before the first.
    pub fn secs_per_image(&self, now: Duration) -> Option<f64> {
        let done = self.done.checked_sub(self.before).filter(|done| *done > 0)?;
        Some(self.secs(now) / done as f64)
    }

    /// Takes in what was done since the last time.
    pub fn measure(&mut self, now: Duration) {
        let secs = now.saturating_sub(self.last.0).as_secs_f64();
        if secs <= 0.0 || self.done <= self.last.1 {
            return;
        }
        let rate = (self.done - self.last.1) as f64 / secs;
        // The first batch waits for its images, for memory and for kernels to be chosen: it says nothing of the others.
        if self.measurements > 0 {
            self.rate = Some(self.rate.map_or(rate, |old| old + SHARE * (rate - old)));
        }
        (self.last, self.measurements) = ((now, self.done), self.measurements + 1);
    }

    /// Images per second: before two measurements, that of the last pass of its kind; `None` in the first of them.
    pub fn rate(&self) -> Option<f64> {
        self.rate.or_else(|| Some(self.known?.recip()).filter(|rate| rate.is_finite()))
    }

    /// What it has come to.
    pub fn event(&self, loss: f64, left: Option<Left>, latest: Option<LatestBatches>) -> Event {
        Event::Batch(BatchProgress {
            epoch: self.epoch,
            phase: self.phase,
            done: self.done,
            of: self.of,
            images_per_sec: left.and(self.rate()).unwrap_or(0.0),
            loss,
            phase_secs_left: left.map_or(0.0, |left| left.phase),
            secs_left: left.map_or(0.0, |left| left.all),
            latest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_batch_says_nothing_of_the_rate() {
        for known in [None, Some(0.25)] {
            let mut meter = Meter::new(1, Phase::Train, (0, 1000), known, Duration::ZERO);
            meter.done = 10;
            meter.measure(Duration::from_secs(20));
            assert_eq!(meter.rate(), known.map(f64::recip), "that of the epoch before, if there was one");
            meter.done = 20;
            meter.measure(Duration::from_secs(21));
            assert_eq!(meter.rate(), Some(10.0));
            meter.done = 40;
            meter.measure(Duration::from_secs(22));
            assert_eq!(meter.rate(), Some(11.0), "smoothed from then on");
        }
    }

    #[test]
    fn images_of_an_earlier_process_were_not_done_in_this_one() {
        let mut meter = Meter::new(1, Phase::Train, (500, 1000), None, Duration::from_secs(3));
        assert_eq!(meter.secs_per_image(Duration::from_secs(4)), None);
        meter.done = 510;
        assert_eq!(meter.secs_per_image(Duration::from_secs(5)), Some(0.2));
    }
}
