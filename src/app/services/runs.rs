//! The runs of the open project: read from disk in a job, one list for all places.
//!
//! The app has them read again where they may have changed: a project is opened, a place entered, a run begins, ends
//! or is saved. A place that wants to know better sends [`AppCommand::ReadRuns`](crate::app::command::AppCommand).

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tasklens_data::text::age;
use tasklens_data::text::counted;
use tasklens_net::training::events::StopReason;
use tasklens_net::training::run_folder::{self, RunRecord};

use crate::app::services::jobs::{Job, Jobs, Outcome, take};

/// A run on disk.
pub struct Run {
    /// What its files say.
    pub record: RunRecord,
    written: Option<SystemTime>,
    has_last: bool,
}

impl Run {
    /// Looks at the disk; not for the UI thread.
    pub fn new(record: RunRecord) -> Self {
        let written = |name: &str| record.folder.join(name).metadata().and_then(|file| file.modified()).ok();
        Self {
            written: written(run_folder::EVENTS).or_else(|| written(run_folder::BEST)),
            has_last: record.folder.join(run_folder::LAST).is_file(),
            record,
        }
    }

    /// When it was written last, such as `3 h ago`; empty where that is not known.
    pub fn age(&self) -> String {
        self.written.map(|written| age(written, SystemTime::now())).unwrap_or_default()
    }

    /// How it ended, such as `early stop at 31`.
    pub fn state(&self) -> String {
        let epochs = self.record.epochs.len();
        let of = self.record.started.as_ref().map_or(epochs, |started| started.epochs);
        match self.record.stopped.as_ref().map(|stopped| stopped.why) {
            Some(StopReason::Finished) => counted(epochs, "epoch"),
            Some(StopReason::EarlyStopping) => format!("early stop at {epochs}"),
            Some(StopReason::Asked) => format!("stopped at {epochs} of {of}"),
            None if self.is_imported() => "imported".to_owned(),
            None if self.record.failed.is_some() => format!("failed at {epochs} of {of}"),
            None => format!("unfinished: {epochs} of {of}"),
        }
    }

    /// Whether its network was trained elsewhere, and not here yet.
    fn is_imported(&self) -> bool {
        let RunRecord { started, failed, best, .. } = &self.record;
        started.is_none() && failed.is_none() && best.is_some() && self.has_last
    }

    /// Whether it has come to its end, which it was not asked for.
    pub fn is_over(&self) -> bool {
        let why = self.record.stopped.as_ref().map(|stopped| stopped.why);
        matches!(why, Some(StopReason::Finished | StopReason::EarlyStopping))
    }

    /// Whether it can go on.
    pub fn can_resume(&self) -> bool {
        self.has_last && !self.is_over()
    }

    /// Its tasks, each with the accuracy (0 to 1) on the validation images at the kept epoch, where it has one.
    pub fn accuracies(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        let kept = self.record.kept_epoch();
        let tasks = self.record.started.iter().flat_map(|started| &started.tasks);
        tasks.enumerate().map(move |(index, task)| {
            let accuracy = kept.and_then(|kept| kept.validation.task_accuracy.get(index)).copied();
            (task.as_str(), accuracy.filter(|accuracy| accuracy.is_finite()))
        })
    }
}

/// All of them, newest first.
#[derive(Default)]
pub struct Runs {
    folder: Option<PathBuf>,
    is_stale: bool,
    job: Option<Job<Vec<Run>>>,
    runs: Vec<Run>,
    version: u64,
}

impl Runs {
    /// They may have changed: [`Self::follow`] reads them again.
    pub fn read_again(&mut self) {
        self.is_stale = true;
    }

    /// Reads the runs under `folder` where they are not known, and takes in what was read; once a frame. Returns an
    /// error to show.
    pub fn follow(&mut self, folder: Option<&Path>, jobs: &Jobs) -> Option<String> {
        if self.folder.as_deref() != folder {
            let version = self.version + 1;
            *self =
                Self { folder: folder.map(Path::to_path_buf), is_stale: true, version, ..Self::default() };
        }
        if self.is_stale {
            self.is_stale = false;
            self.job = folder.map(|folder| read(folder.to_path_buf(), jobs));
        }
        match take(&mut self.job) {
            Some(Outcome::Done(runs)) => (self.runs, self.version) = (runs, self.version + 1),
            Some(Outcome::Failed(message)) => return Some(message),
            Some(Outcome::Cancelled) | None => {}
        }
        None
    }

    /// Whether what is known is what is there, as far as the app knows.
    pub fn is_read(&self) -> bool {
        self.folder.is_some() && !self.is_stale && self.job.is_none()
    }

    /// Grows whenever the list is replaced: what was derived from an older one is stale.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every run, the newest first.
    pub fn all(&self) -> &[Run] {
        &self.runs
    }

    /// The run in a folder.
    pub fn find(&self, folder: &Path) -> Option<&Run> {
        self.runs.iter().find(|run| run.record.folder == folder)
    }

    /// Those that can predict: their best checkpoint is there.
    pub fn with_model(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| run.record.best.is_some())
    }

    /// The run that a place takes where the user has chosen none: the newest of [`Self::with_model`] that has not
    /// failed. Where all have failed, the newest of them is better than none. `None` until all are read.
    pub fn newest(&self) -> Option<&Run> {
        self.newest_but(None)
    }

    /// As [`Self::newest`], passing over the run in a folder.
    pub fn newest_but(&self, folder: Option<&Path>) -> Option<&Run> {
        let mut usable = self.with_model().filter(|run| Some(run.record.folder.as_path()) != folder);
        let first = usable.next().filter(|_| self.is_read())?;
        let has_failed = |run: &&Run| run.record.failed.is_some();
        Some(first)
            .filter(|run| !has_failed(run))
            .or_else(|| usable.find(|run| !has_failed(run)))
            .or(Some(first))
    }
}

fn read(folder: PathBuf, jobs: &Jobs) -> Job<Vec<Run>> {
    jobs.start_quietly("Reading earlier runs", move |progress| {
        let folders = run_folder::list_runs(&folder).into_iter().take_while(|_| progress.keep_going());
        // A folder that is no run any more (it is being deleted) is passed over.
        Ok(folders.filter_map(|folder| RunRecord::open(&folder).ok()).map(Run::new).collect())
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Writes a run of that name.
    fn write(runs: &Path, name: &str, has_model: bool, has_failed: bool) -> PathBuf {
        let folder = runs.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let failed = "{\"event\":\"failed\",\"error\":\"out of memory\"}\n";
        std::fs::write(folder.join(run_folder::EVENTS), if has_failed { failed } else { "" }).unwrap();
        if has_model {
            std::fs::write(folder.join(run_folder::BEST), "weights").unwrap();
        }
        folder
    }

    fn read_all(runs: &mut Runs, folder: &Path) {
        let jobs = Jobs::new(&egui::Context::default());
        let begin = Instant::now();
        loop {
            assert_eq!(runs.follow(Some(folder), &jobs), None);
            if runs.is_read() {
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(10), "the runs were never read");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn the_newest_run_is_one_with_a_model_that_has_not_failed() {
        let folder = tempfile::tempdir().unwrap();
        let (mut runs, newest) = (Runs::default(), |runs: &Runs| Some(runs.newest()?.record.name.clone()));
        write(folder.path(), "1-failed", true, true);
        read_all(&mut runs, folder.path());
        assert_eq!(newest(&runs).as_deref(), Some("1-failed"), "better than none");
        for (name, has_model, has_failed) in [
            ("2-good", true, false),
            ("3-better", true, false),
            ("4-failed", true, true),
            ("5-begun", false, false),
        ] {
            write(folder.path(), name, has_model, has_failed);
        }
        runs.read_again();
        assert_eq!(newest(&runs), None, "what is known may be old");
        read_all(&mut runs, folder.path());
        assert_eq!(newest(&runs).as_deref(), Some("3-better"));
        let beside = runs.newest_but(Some(&folder.path().join("3-better")));
        assert_eq!(beside.map(|run| run.record.name.as_str()), Some("2-good"));
    }

    #[test]
    fn the_runs_of_another_folder_are_forgotten_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = Runs::default();
        write(folder.path(), "1", true, false);
        read_all(&mut runs, folder.path());
        let version = runs.version();
        let jobs = Jobs::new(&egui::Context::default());
        assert_eq!(runs.follow(None, &jobs), None);
        assert!(runs.all().is_empty() && !runs.is_read() && runs.version() > version);
    }
}
