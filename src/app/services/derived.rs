//! A value that is computed in the background whenever what it follows from has changed.
//!
//! The one before stays until the next is there, so that nothing flickers; a failure is reported once and not tried
//! again before something else is wanted.

use super::jobs::{Job, Outcome};

/// See the module's documentation. `K` is what the value follows from.
pub struct Derived<K, T> {
    /// The last value, and what it follows from.
    value: Option<(K, T)>,
    /// What the computation was of that ended last, whatever came of it.
    ended: Option<K>,
    failure: Option<String>,
    job: Option<(K, Job<T>)>,
}

/// How a computation ended.
#[derive(Debug, PartialEq, Eq)]
pub enum DerivedNews<T> {
    /// With a value, which took the place of this one.
    Value(Option<T>),
    /// With a message for the user.
    Failed(String),
    /// The user cancelled it.
    Cancelled,
}

impl<K, T> Default for Derived<K, T> {
    fn default() -> Self {
        Self { value: None, ended: None, failure: None, job: None }
    }
}

impl<K: PartialEq + Clone, T> Derived<K, T> {
    /// Once a frame: takes in what was computed, and has `start` compute the value of `key` where it is neither
    /// there nor being computed. A computation of anything else is cancelled.
    pub fn want(&mut self, key: &K, start: impl FnOnce() -> Job<T>) -> Option<DerivedNews<T>> {
        let news = self.take_in();
        if self.latest() != Some(key) {
            self.job = Some((key.clone(), start()));
        }
        news
    }

    /// Takes in what was computed; for a frame in which nothing is wanted.
    pub fn take_in(&mut self) -> Option<DerivedNews<T>> {
        let outcome = self.job.as_mut()?.1.poll()?;
        let (key, _) = self.job.take()?;
        self.ended = Some(key.clone());
        self.failure = None;
        Some(match outcome {
            Outcome::Done(value) => {
                let before = self.value.replace((key, value));
                DerivedNews::Value(before.map(|(_, value)| value))
            }
            Outcome::Failed(message) => {
                self.failure = Some(message.clone());
                DerivedNews::Failed(message)
            }
            Outcome::Cancelled => DerivedNews::Cancelled,
        })
    }

    /// What was wanted last: it is being computed, or its computation has ended.
    pub fn latest(&self) -> Option<&K> {
        self.job.as_ref().map(|(key, _)| key).or(self.ended.as_ref())
    }

    /// The last value, which may be older than what is wanted.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref().map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut().map(|(_, value)| value)
    }

    /// What the last value follows from.
    pub fn key(&self) -> Option<&K> {
        self.value.as_ref().map(|(key, _)| key)
    }

    /// Hands over the last value. It is not computed again before something else is wanted.
    pub fn take(&mut self) -> Option<T> {
        self.value.take().map(|(_, value)| value)
    }

    /// What is being computed.
    pub fn asked(&self) -> Option<&K> {
        self.job.as_ref().map(|(key, _)| key)
    }

    /// Whether something is being computed.
    pub fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Why the last computation failed.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::jobs::Jobs;
    use super::*;

    fn jobs() -> Jobs {
        Jobs::new(&egui::Context::default())
    }

    /// Wants `key` until the computation has ended.
    fn settle(derived: &mut Derived<u32, u32>, key: u32, start: &dyn Fn() -> Job<u32>) -> DerivedNews<u32> {
        let began = Instant::now();
        loop {
            if let Some(news) = derived.want(&key, start) {
                return news;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it never ended");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn the_value_before_stays_until_the_next_is_there() {
        let jobs = jobs();
        let mut derived = Derived::default();
        let value = |value: u32| {
            let jobs = jobs.clone();
            move || jobs.start_quietly("Counting", move |_| Ok(value))
        };
        assert_eq!(settle(&mut derived, 1, &value(10)), DerivedNews::Value(None));
        assert_eq!(derived.want(&2, value(20)), None);
        assert_eq!((derived.get(), derived.key(), derived.asked()), (Some(&10), Some(&1), Some(&2)));
        assert_eq!(settle(&mut derived, 2, &value(20)), DerivedNews::Value(Some(10)));
        assert_eq!((derived.get(), derived.is_busy()), (Some(&20), false));
    }

    #[test]
    fn what_is_there_or_failed_is_not_computed_again_before_something_else_is_wanted() {
        let jobs = jobs();
        let mut derived = Derived::default();
        let never = || -> Job<u32> { panic!("computed again") };
        settle(&mut derived, 1, &|| jobs.start_quietly("Counting", |_| Ok(10)));
        assert_eq!(derived.want(&1, never), None);
        let failed =
            settle(&mut derived, 2, &|| jobs.start_quietly("Counting", |_| anyhow::bail!("no rows")));
        assert_eq!((failed, derived.is_busy()), (DerivedNews::Failed("no rows".to_owned()), false));
        assert_eq!(derived.want(&2, never), None);
        assert_eq!((derived.get(), derived.failure()), (Some(&10), Some("no rows")));
        settle(&mut derived, 1, &|| jobs.start_quietly("Counting", |_| Ok(11)));
        assert_eq!((derived.get(), derived.failure()), (Some(&11), None));
        assert_eq!(derived.take(), Some(11));
        assert_eq!(derived.want(&1, never), None);
    }

    #[test]
    fn wanting_something_else_cancels_what_is_being_computed() {
        let jobs = jobs();
        let mut derived = Derived::default();
        let (sender, cancelled) = crossbeam_channel::bounded(1);
        derived.want(&1, || {
            jobs.start_quietly("Counting", move |progress| {
                while progress.keep_going() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                sender.send(())?;
                Ok(10)
            })
        });
        assert_eq!(
            settle(&mut derived, 2, &|| jobs.start_quietly("Counting", |_| Ok(20))),
            DerivedNews::Value(None)
        );
        cancelled.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(derived.get(), Some(&20));
    }
}
