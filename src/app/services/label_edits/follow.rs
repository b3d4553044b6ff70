//! The project's rows follow the label edits: in the background, and with a rest after each time, so that a
//! core is not busy all the time while somebody labels many rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::{ChangeView, Field, State};

use crate::app::services::jobs::{Job, Jobs, Outcome, take};
use crate::app::services::project::Summary;

/// The rest is so many times as long as the work took.
const REST: u32 = 4;
const LEAST_REST: Duration = Duration::from_millis(20);

/// Rows with edits in them.
struct Followed {
    version: u64,
    rows: Arc<Dataset>,
    summary: Summary,
    took: Duration,
}

/// How far the rows are behind, and the job that brings them up.
#[derive(Default)]
pub struct Follow {
    /// The version of the edits that the rows have.
    version: u64,
    job: Option<Job<Followed>>,
    rests_until: Option<Instant>,
    /// Per task the labels given (less those taken away) since the job began, and those that it takes in.
    given: Vec<i64>,
    given_in_job: Vec<i64>,
}

impl Follow {
    /// The version of the edits that the rows have.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many more labels of a task there are than the rows have; fewer, where it is negative.
    pub fn ahead(&self, task: usize) -> i64 {
        let of = |given: &[i64]| given.get(task).copied().unwrap_or(0);
        of(&self.given) + of(&self.given_in_job)
    }

    /// Counts the [`gains`] of a step that was made (`sign` 1) or undone (-1).
    pub fn add(&mut self, gains: &[i64], sign: i64) {
        add(&mut self.given, gains, sign);
    }

    /// Takes in what the job has done, and begins the next when it may. New rows, or what went wrong.
    pub fn poll(
        &mut self,
        jobs: &Jobs,
        (base, state, version): (&Arc<Dataset>, &State, u64),
    ) -> Option<Result<(Arc<Dataset>, Summary), String>> {
        let mut news = None;
        match take(&mut self.job) {
            Some(Outcome::Done(Followed { version, rows, summary, took })) => {
                self.version = version;
                self.given_in_job.clear();
                self.rests_until = Some(Instant::now() + rest_after(took));
                news = Some(Ok((rows, summary)));
            }
            Some(Outcome::Failed(message)) => {
                self.version = version;
                news = Some(Err(message));
            }
            Some(Outcome::Cancelled) | None => {}
        }
        if self.job.is_none() && self.version != version {
            let rest =
                self.rests_until.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
            match rest.is_zero() {
                true => self.start(jobs, Arc::clone(base), state, version),
                // Nothing else may wake the window until then.
                false => jobs.wake_after(rest),
            }
        }
        news
    }

    fn start(&mut self, jobs: &Jobs, base: Arc<Dataset>, state: &State, version: u64) {
        let values = state.values();
        // Where the last job failed, its labels are still to be taken in.
        let given = std::mem::take(&mut self.given);
        add(&mut self.given_in_job, &given, 1);
        self.job = Some(jobs.start_quietly("Taking in edits", move |_| {
            let begin = Instant::now();
            let edits = values.overlay();
            // Edits that are made meanwhile copy no part on account of this job.
            drop(values);
            let rows = if edits.is_empty() { base } else { Arc::new(base.with_edits(&edits)) };
            let summary = Summary::of(&rows);
            Ok(Followed { version, rows, summary, took: begin.elapsed() })
        }));
    }
}

fn add(sums: &mut Vec<i64>, gains: &[i64], sign: i64) {
    sums.resize(sums.len().max(gains.len()), 0);
    sums.iter_mut().zip(gains).for_each(|(sum, gain)| *sum += sign * gain);
}

fn rest_after(took: Duration) -> Duration {
    (took * REST).max(LEAST_REST)
}

/// Per task how many labels these changes bring, less those they take away.
pub fn gains<'a>(tasks: &[Task], changes: impl IntoIterator<Item = ChangeView<'a>>) -> Vec<i64> {
    let mut gains = vec![0; tasks.len()];
    for change in changes {
        let Field::Label(name) = change.field else { continue };
        let Some(task) = tasks.iter().position(|task| task.name == *name) else { continue };
        let is_label = |text: Option<&str>| {
            text.is_some_and(|text| tasks[task].labels.iter().any(|label| label == text))
        };
        gains[task] += i64::from(is_label(change.after)) - i64::from(is_label(change.before));
    }
    gains
}

#[cfg(test)]
mod tests {
    use tasklens_data::dataset::edits::AnnotationChange;

    use super::*;

    #[test]
    fn few_rows_follow_at_once_and_many_leave_the_core_alone_most_of_the_time() {
        assert_eq!(rest_after(Duration::from_millis(1)), LEAST_REST);
        assert_eq!(rest_after(Duration::from_millis(500)), Duration::from_secs(2));
    }

    #[test]
    fn only_labels_that_the_task_has_are_counted() {
        let task = |name: &str| Task {
            name: name.to_owned(),
            labels: vec!["plain".to_owned(), "dotted".to_owned()],
        };
        let change = |task: &str, before: Option<&str>, after: Option<&str>| AnnotationChange {
            image: "a.jpg".to_owned(),
            field: Field::Label(task.to_owned()),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let tasks = [task("print"), task("back")];
        let given = [
            change("print", None, Some("plain")),
            change("print", Some("plaid"), Some("dotted")),
            change("print", Some("plain"), Some("dotted")),
            change("back", Some("plain"), None),
            change("back", Some("dotted"), Some("plaid")),
            change("sleeves", None, Some("plain")),
        ];
        let gains = |given: &[AnnotationChange]| gains(&tasks, given.iter().map(ChangeView::from));
        assert_eq!(gains(&given), [2, -2]);
        let mut follow = Follow::default();
        follow.add(&gains(&given), 1);
        follow.add(&gains(&given[..1]), -1);
        assert_eq!([0, 1, 2].map(|task| follow.ahead(task)), [1, -2, 0]);
    }
}
