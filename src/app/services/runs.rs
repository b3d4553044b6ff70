//! The runs of the open project: read from disk in a job, one list for all places.
//!
//! The app has them read again where they may have changed: a project is opened, a place entered, a run begins, ends
//! or is saved. A place that wants to know better sends [`AppCommand::ReadRuns`](crate::app::command::AppCommand).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tasklens_data::config::Task;
use tasklens_data::text::{age, counted, percent};
use tasklens_net::model::checkpoint;
use tasklens_net::training::events::StopReason;
use tasklens_net::training::run_folder::{self, RunRecord, Standing};

use super::current_model::{CurrentModel, Decision, RememberedModel};
use crate::app::services::jobs::{Job, Jobs, Outcome, take};

/// A run on disk.
pub struct Run {
    /// What its files say.
    pub record: RunRecord,
    /// Whether a process, this one or another, is training in its folder.
    pub is_training: bool,
    /// What its network answers, where its checkpoint says so.
    tasks: Option<Vec<Task>>,
    written: Option<SystemTime>,
    can_go_on: bool,
}

impl Run {
    /// Looks at the disk; not for the UI thread.
    pub fn new(record: RunRecord) -> Self {
        let written = |name: &str| record.folder.join(name).metadata().and_then(|file| file.modified()).ok();
        Self {
            written: written(run_folder::EVENTS).or_else(|| written(run_folder::BEST)),
            can_go_on: run_folder::can_go_on(&record.folder),
            is_training: run_folder::is_in_use(&record.folder),
            tasks: record
                .best
                .as_ref()
                .and_then(|best| checkpoint::read_description(best).ok())
                .map(|description| description.tasks),
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
            Some(StopReason::Asked) if epochs == 0 => "stopped before epoch 1 was done".to_owned(),
            Some(StopReason::Asked) => format!("stopped at {epochs} of {of}"),
            None if self.is_imported() => "imported".to_owned(),
            None if self.is_training => format!("training: {epochs} of {of}"),
            None if self.record.failed.is_some() => format!("failed at {epochs} of {of}"),
            None => format!("unfinished: {epochs} of {of}"),
        }
    }

    /// Whether its network was trained elsewhere, and not here yet.
    fn is_imported(&self) -> bool {
        let RunRecord { started, failed, best, .. } = &self.record;
        started.is_none() && failed.is_none() && best.is_some() && self.can_go_on
    }

    /// Whether it has come to its end, which it was not asked for.
    pub fn is_over(&self) -> bool {
        let why = self.record.stopped.as_ref().map(|stopped| stopped.why);
        matches!(why, Some(StopReason::Finished | StopReason::EarlyStopping))
    }

    /// Whether it can go on.
    pub fn can_resume(&self) -> bool {
        self.can_go_on && !self.is_over() && !self.is_training
    }

    /// Its accuracy (0 to 1) on the validation images at the kept epoch, averaged over its tasks; `None` where none was
    /// measured.
    pub fn accuracy(&self) -> Option<f64> {
        let known: Vec<f64> = self.accuracies().filter_map(|(_, accuracy)| accuracy).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// How many images it was validated on; 0 where that is not known.
    pub fn validation_images(&self) -> usize {
        self.record.started.as_ref().map_or(0, |started| started.n_validation)
    }

    /// Whether it answers these questions: the same tasks with the same labels, in any order.
    pub fn fits(&self, tasks: &[Task]) -> bool {
        let of = |task: &Task| (task.name.clone(), task.labels.iter().cloned().collect::<BTreeSet<_>>());
        let named = || self.record.started.iter().flat_map(|started| started.tasks.iter());
        match &self.tasks {
            Some(own) => {
                own.iter().map(of).collect::<BTreeSet<_>>() == tasks.iter().map(of).collect::<BTreeSet<_>>()
            }
            None => {
                named().collect::<BTreeSet<_>>()
                    == tasks.iter().map(|task| &task.name).collect::<BTreeSet<_>>()
            }
        }
    }

    /// Whether its name or note has a text in it, whatever the case; it is in lower case.
    pub fn is_found_by(&self, text: &str) -> bool {
        let record = &self.record;
        let folder = run_folder::name(&record.folder);
        [&record.name, &record.note, &folder].iter().any(|said| said.to_lowercase().contains(text))
    }

    /// Its accuracies in words, such as `print 93.1 %  sleeves 99.0 %`; empty where none was measured.
    pub fn accuracies_text(&self) -> String {
        let told = |(task, accuracy): (&str, Option<f64>)| Some(format!("{task} {}", percent(accuracy?)));
        self.accuracies().filter_map(told).collect::<Vec<_>>().join("  ")
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
    current: CurrentModel,
    /// What the current model was decided for: the version of the list, and the project's tasks.
    decided_for: Option<(u64, Vec<Task>)>,
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
            *self = Self {
                folder: folder.map(Path::to_path_buf),
                is_stale: true,
                version,
                current: std::mem::take(&mut self.current),
                ..Self::default()
            };
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

    /// The name of the run in a folder, as the user gave it.
    pub fn name_of(&self, folder: &Path) -> String {
        self.find(folder).map_or_else(|| run_folder::name(folder), |run| run.record.name.clone())
    }

    /// The current model; `None` until it is decided, and where there is none.
    pub fn current(&self) -> Option<&Run> {
        self.find(self.current.folder()?)
    }

    /// Whether the run in a folder is the current model.
    pub fn is_current(&self, folder: &Path) -> bool {
        self.current.folder() == Some(folder)
    }

    /// The choice of the current model.
    pub fn choice(&self) -> &CurrentModel {
        &self.current
    }

    /// Another project is open: this is remembered of its model.
    pub fn remember(&mut self, remembered: RememberedModel) {
        self.current = CurrentModel::new(remembered);
        self.decided_for = None;
    }

    /// The user wants this run to be the current model from now on, or the best one.
    pub fn choose(&mut self, run: Option<PathBuf>) {
        self.current.choose(run);
        self.decided_for = None;
    }

    /// Decides which run is the current model of a project with these tasks, where the runs are others than when it was
    /// decided last; once a frame. Returns what the user should know.
    pub fn decide(&mut self, tasks: &[Task]) -> Option<Decision> {
        if !self.is_read()
            || self.decided_for.as_ref().is_some_and(|(version, of)| *version == self.version && of == tasks)
        {
            return None;
        }
        self.decided_for = Some((self.version, tasks.to_vec()));
        self.current.decide(&self.runs, tasks)
    }

    /// A run to compare with the one in a folder: the current model, or the newest other one that has ended.
    pub fn beside(&self, folder: &Path) -> Option<&Run> {
        let others = || self.with_model().filter(|run| run.record.folder != folder);
        let current = self.current().filter(|run| run.record.folder != folder);
        current
            .or_else(|| others().find(|run| run.record.standing() == Standing::Finished))
            .or_else(|| others().next())
    }

    /// The run that another process trains, if any; `own` is the one that this one does.
    pub fn trained_elsewhere(&self, own: Option<&Path>) -> Option<&Run> {
        self.runs.iter().find(|run| run.is_training && Some(run.record.folder.as_path()) != own)
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
    fn write(runs: &Path, name: &str) {
        let folder = runs.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(run_folder::BEST), "weights").unwrap();
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
    fn the_runs_of_another_folder_are_forgotten_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = Runs::default();
        write(folder.path(), "1");
        read_all(&mut runs, folder.path());
        let version = runs.version();
        let jobs = Jobs::new(&egui::Context::default());
        assert_eq!(runs.follow(None, &jobs), None);
        assert!(runs.all().is_empty() && !runs.is_read() && runs.version() > version);
    }
}
