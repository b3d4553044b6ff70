//! What follows from the labels of all rows: usable rows, split, problems and counts. Labels themselves change at once;
//! these follow in the background, with a rest after each time, so that a core is not busy all the time while somebody
//! labels many rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::problems::Checked;

use crate::app::services::jobs::{Job, Jobs, Outcome, take};
use crate::app::services::project::{Project, Summary};

/// The rest is so many times as long as the work took.
const REST: u32 = 4;
const LEAST_REST: Duration = Duration::from_millis(20);
/// Rows whose newer labels are put into settled ones between two frames, each of which may copy a page of rows. Where
/// there are more, as after one key for many images, all is done again.
const MOST_NEWER: usize = 50;

/// Rows in which everything follows from the labels.
struct Settled {
    rows: Arc<Dataset>,
    summary: Summary,
    took: Duration,
}

/// The job that works it out, and what it does not know yet.
#[derive(Default)]
pub struct Settling {
    /// What the check of the images found and is not in the rows.
    checked: Option<Arc<Checked>>,
    checked_in_job: Option<Arc<Checked>>,
    /// Rows that were labelled since the job began; without one, since the last.
    newer: Vec<usize>,
    job: Option<Job<Settled>>,
    rests_until: Option<Instant>,
}

impl Settling {
    /// Rows were given other labels.
    pub fn on_labelled(&mut self, rows: Vec<usize>) {
        self.newer.extend(rows);
    }

    /// The images were looked at.
    pub fn on_checked(&mut self, checked: Checked) {
        self.checked = Some(Arc::new(checked));
    }

    /// Takes in what the job has done, and begins the next when it may. Whether the rows are settled anew, or what
    /// went wrong; `generation` is then the project's.
    pub fn poll(
        &mut self,
        jobs: &Jobs,
        project: &mut Project,
        generation: u64,
    ) -> Option<Result<(), String>> {
        let news = match take(&mut self.job) {
            Some(Outcome::Done(settled)) => {
                self.take_in(settled, jobs, project, generation).then_some(Ok(()))
            }
            Some(Outcome::Failed(message)) => Some(Err(message)),
            Some(Outcome::Cancelled) | None => None,
        };
        if self.job.is_none() && (self.checked.is_some() || !self.newer.is_empty()) {
            let rest =
                self.rests_until.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
            match rest.is_zero() {
                true => self.start(jobs, &project.dataset),
                // Nothing else may wake the window until then.
                false => jobs.wake_after(rest),
            }
        }
        news
    }

    fn start(&mut self, jobs: &Jobs, rows: &Arc<Dataset>) {
        let (rows, checked) = (Arc::clone(rows), self.checked.take());
        self.checked_in_job.clone_from(&checked);
        self.newer.clear();
        self.job = Some(jobs.start_quietly("Counting labels", move |_| {
            let begin = Instant::now();
            let rows = match checked {
                Some(checked) => rows.with_images_checked(Checked::clone(&checked)),
                None => rows.settled(),
            };
            let summary = Summary::of(&rows);
            Ok(Settled { rows: Arc::new(rows), summary, took: begin.elapsed() })
        }));
    }

    /// Whether it could be used: labels that were given meanwhile must not be lost.
    fn take_in(&mut self, settled: Settled, jobs: &Jobs, project: &mut Project, generation: u64) -> bool {
        let Settled { mut rows, summary, took } = settled;
        self.rests_until = Some(Instant::now() + rest_after(took));
        let checked = self.checked_in_job.take();
        if self.newer.len() > MOST_NEWER {
            // A check that has ended since knows all of this one.
            self.checked = self.checked.take().or(checked);
            return false;
        }
        if !self.newer.is_empty() {
            Arc::make_mut(&mut rows).take_labels(&project.dataset, &self.newer);
        }
        jobs.let_go(std::mem::replace(&mut project.dataset, rows));
        project.summary = Arc::new(summary);
        project.generation = generation;
        true
    }
}

fn rest_after(took: Duration) -> Duration {
    (took * REST).max(LEAST_REST)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tasklens_data::config::Config;
    use tasklens_data::dataset::problems::{Look, check_images};
    use tasklens_data::dataset::table::Table;

    use super::*;

    /// A project whose images do not exist.
    fn project(rows: usize) -> Project {
        let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [plain, dotted]}}}";
        let config = Config::parse(config, Path::new("/nowhere/config.yml")).unwrap();
        let rows: String =
            (0..rows).map(|row| format!("{row}.jpg,{}\n", ["plain", "dotted"][row % 2])).collect();
        let table =
            Table::from_bytes(format!("path,print\n{rows}").into(), Path::new("/nowhere/x.csv")).unwrap();
        let dataset = Dataset::from_table(table, &config).unwrap();
        let summary = Arc::new(Summary::of(&dataset));
        Project { config, dataset: Arc::new(dataset), summary, generation: 1 }
    }

    fn give(
        settling: &mut Settling,
        project: &mut Project,
        rows: std::ops::Range<usize>,
        label: Option<&str>,
    ) {
        let images: Vec<String> = rows.map(|row| format!("{row}.jpg")).collect();
        let labels = images.iter().map(|image| (image.as_str(), "print", label));
        settling.on_labelled(Arc::make_mut(&mut project.dataset).set_labels(labels));
    }

    #[test]
    fn few_rows_follow_at_once_and_many_leave_the_core_alone_most_of_the_time() {
        assert_eq!(rest_after(Duration::from_millis(1)), LEAST_REST);
        assert_eq!(rest_after(Duration::from_millis(500)), Duration::from_secs(2));
    }

    /// Polls until nothing is left to do; returns how often the rows were settled anew.
    fn settle(settling: &mut Settling, project: &mut Project, jobs: &Jobs) -> usize {
        let (began, mut times) = (Instant::now(), 0);
        loop {
            let generation = project.generation + 1;
            times += usize::from(settling.poll(jobs, project, generation) == Some(Ok(())));
            if settling.job.is_none() && settling.newer.is_empty() && settling.checked.is_none() {
                return times;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it never ends");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_label_given_while_the_others_are_counted_stays_and_is_counted_next() {
        let jobs = Jobs::new(&egui::Context::default());
        let (mut settling, mut project) = (Settling::default(), project(20));
        give(&mut settling, &mut project, 0..2, None);
        assert_eq!(settling.poll(&jobs, &mut project, 2), None);
        give(&mut settling, &mut project, 1..3, Some("dotted"));
        assert_eq!([0, 1, 2].map(|row| project.dataset.class(row, 0)), [None, Some(1), Some(1)]);
        assert_eq!(settle(&mut settling, &mut project, &jobs), 2);
        assert_eq!([0, 1, 2].map(|row| project.dataset.class(row, 0)), [None, Some(1), Some(1)]);
        assert_eq!((project.generation, project.dataset.usable_count()), (3, 19));
        assert_eq!((project.summary.missing[0], project.dataset.answered(0)), (1, 19));
    }

    #[test]
    fn what_a_check_found_is_not_lost_where_all_is_counted_again() {
        let jobs = Jobs::new(&egui::Context::default());
        let (mut settling, mut project) = (Settling::default(), project(2 * MOST_NEWER));
        settling.on_checked(check_images(&project.dataset, Look::Header, &|_, _| true));
        assert_eq!(settling.poll(&jobs, &mut project, 2), None);
        give(&mut settling, &mut project, 0..MOST_NEWER + 1, Some("dotted"));
        assert_eq!(settle(&mut settling, &mut project, &jobs), 1, "the first result came too late");
        assert_eq!((project.dataset.usable_count(), project.dataset.class(0, 0)), (0, Some(1)));
        assert_eq!(project.dataset.answered(0), 2 * MOST_NEWER);
    }
}
