//! The earlier runs of the project: read from disk in a job, listed, laid over the charts, used, resumed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tasklens_data::config::Config;
use tasklens_data::text::counted;
use tasklens_net::training::events::StopReason;
use tasklens_net::training::run_folder::{self, RunRecord};
use tasklens_net::training::{self, Unsaved};

use super::curves::Curves;
use crate::app::command::{AppCommand, CommandSender, Level};
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Jobs, Outcome};
use crate::app::theme::Tokens;
use crate::app::widgets::run_list::RunRow;

/// A run on disk.
pub struct Earlier {
    /// What its files say.
    pub record: RunRecord,
    /// Its curves.
    pub curves: Curves,
    written: Option<SystemTime>,
    has_last: bool,
}

impl Earlier {
    /// Looks at the disk; not for the UI thread.
    fn new(record: RunRecord) -> Self {
        let written = |name: &str| record.folder.join(name).metadata().and_then(|file| file.modified()).ok();
        Self {
            written: written(run_folder::EVENTS).or_else(|| written(run_folder::BEST)),
            has_last: record.folder.join(run_folder::LAST).is_file(),
            curves: Curves::of(&record),
            record,
        }
    }

    fn state(&self) -> String {
        let epochs = self.record.epochs.len();
        let of = self.record.started.as_ref().map_or(epochs, |started| started.epochs);
        match self.record.stopped.as_ref().map(|stopped| stopped.why) {
            Some(StopReason::Finished) => counted(epochs, "epoch"),
            Some(StopReason::EarlyStopping) => format!("early stop at {epochs}"),
            Some(StopReason::Asked) => format!("stopped at {epochs} of {of}"),
            None if self.record.failed.is_some() => format!("failed at {epochs} of {of}"),
            None => format!("unfinished: {epochs} of {of}"),
        }
    }

    fn can_resume(&self) -> bool {
        let is_over = matches!(
            self.record.stopped.as_ref().map(|stopped| stopped.why),
            Some(StopReason::Finished | StopReason::EarlyStopping)
        );
        self.has_last && !is_over
    }
}

/// All of them.
#[derive(Default)]
pub struct EarlierRuns {
    /// The folder that [`Self::follow`] has read.
    read_of: Option<PathBuf>,
    job: Option<Job<Vec<Earlier>>>,
    runs: Vec<Earlier>,
    shown: HashSet<PathBuf>,
}

impl EarlierRuns {
    /// Reads `folder` again in the background.
    pub fn refresh(&mut self, jobs: &Jobs, folder: &Path) {
        let folder = folder.to_path_buf();
        self.job = Some(jobs.start_quietly("Reading earlier runs", move |progress| {
            let folders = run_folder::list_runs(&folder).into_iter().take_while(|_| progress.keep_going());
            // A folder that is no run any more (it is being deleted) is passed over.
            Ok(folders.filter_map(|folder| RunRecord::open(&folder).ok()).map(Earlier::new).collect())
        }));
    }

    /// Reads `folder` once, and again after [`Self::read_again`], and takes in what was read; once a frame.
    pub fn follow(&mut self, folder: &Path, context: &ViewContext<'_>) {
        if self.read_of.as_deref() != Some(folder) {
            self.read_of = Some(folder.to_path_buf());
            self.refresh(context.jobs, folder);
        }
        if let Some(message) = self.poll() {
            context.commands.toast(Level::Warning, message);
        }
    }

    /// Whether [`Self::follow`] has read what is there.
    pub fn is_read(&self) -> bool {
        self.read_of.is_some() && self.job.is_none()
    }

    /// There is one run more, or one has changed: [`Self::follow`] reads again.
    pub fn read_again(&mut self) {
        self.read_of = None;
    }

    /// Takes in what was read; returns an error to show.
    pub fn poll(&mut self) -> Option<String> {
        let outcome = self.job.as_mut().and_then(Job::poll)?;
        self.job = None;
        match outcome {
            Outcome::Done(runs) => self.replace(runs),
            Outcome::Failed(message) => return Some(message),
            Outcome::Cancelled => {}
        }
        None
    }

    fn replace(&mut self, mut runs: Vec<Earlier>) {
        // A run that was opened from elsewhere stays.
        let is_listed = |folder: &Path| runs.iter().any(|run| run.record.folder == folder);
        let elsewhere: Vec<Earlier> = std::mem::take(&mut self.runs)
            .into_iter()
            .filter(|run| self.shown.contains(&run.record.folder) && !is_listed(&run.record.folder))
            .filter(|run| run.record.folder.is_dir())
            .collect();
        runs.extend(elsewhere);
        self.runs = runs;
    }

    /// Adds a run and lays it over the charts.
    pub fn add(&mut self, record: RunRecord) {
        self.shown.insert(record.folder.clone());
        self.runs.retain(|run| run.record.folder != record.folder);
        self.runs.insert(0, Earlier::new(record));
    }

    /// Forgets all, such as when another project is opened.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The runs, newest first, without the one in `current`.
    pub fn others<'a>(&'a self, current: Option<&'a PathBuf>) -> impl Iterator<Item = &'a Earlier> {
        self.runs.iter().filter(move |run| Some(&run.record.folder) != current)
    }

    /// Those of [`Self::others`] that are laid over the charts.
    pub fn overlays<'a>(&'a self, current: Option<&'a PathBuf>) -> impl Iterator<Item = &'a Earlier> {
        self.others(current).filter(|run| self.shown.contains(&run.record.folder))
    }

    /// The run in a folder.
    pub fn find(&self, folder: &Path) -> Option<&RunRecord> {
        self.runs.iter().map(|run| &run.record).find(|record| record.folder == folder)
    }

    /// Lays a run over the charts or takes it away.
    pub fn show(&mut self, folder: &Path, on: bool) {
        if on {
            self.shown.insert(folder.to_path_buf());
        } else {
            self.shown.remove(folder);
        }
    }

    /// A run as the list shows it; `task_index` has the position (for the colour) of a task.
    pub fn row(&self, run: &Earlier, tokens: &Tokens, task_index: impl Fn(&str) -> usize) -> RunRow {
        let best = run.record.kept_epoch();
        let accuracy = |index: usize| {
            best.and_then(|best| best.validation.task_accuracy.get(index)).copied().filter(|a| a.is_finite())
        };
        let tasks = run.curves.tasks.iter().enumerate();
        RunRow {
            name: run.record.name.clone(),
            age: run.written.map(|written| age(written, SystemTime::now())).unwrap_or_default(),
            state: run.state(),
            best_loss: best.map(|best| best.validation.loss),
            accuracies: tasks
                .map(|(index, task)| (task.clone(), tokens.task(task_index(task)), accuracy(index)))
                .collect(),
            is_shown: self.shown.contains(&run.record.folder),
            has_model: run.record.best.is_some(),
            can_resume: run.can_resume(),
        }
    }
}

/// Starts a run again from its last checkpoint: reads its config in a job, then asks the app.
pub fn resume(jobs: &Jobs, commands: &CommandSender, folder: PathBuf) -> Job<()> {
    let commands = commands.clone();
    jobs.start_quietly("Resuming", move |_| {
        let config = Config::open(&folder.join(run_folder::CONFIG))
            .with_context(|| format!("{} cannot be resumed", folder.display()));
        match config {
            Ok(config) => {
                let request = training::Request {
                    config,
                    run: Some(folder),
                    resume: true,
                    allow_outside: false,
                    edits: Unsaved::default(),
                };
                commands.send(AppCommand::StartTraining(Box::new(request)));
            }
            Err(error) => commands.toast(Level::Error, format!("{error:#}")),
        }
        Ok(())
    })
}

/// How long ago, in one unit.
pub fn age(then: SystemTime, now: SystemTime) -> String {
    age_of(now.duration_since(then).unwrap_or(Duration::ZERO))
}

/// A time that has passed, in one unit.
pub fn age_of(since: Duration) -> String {
    match since.as_secs() {
        0..60 => "just now".to_owned(),
        since @ 60..3600 => format!("{} min ago", since / 60),
        since @ 3600..86_400 => format!("{} h ago", since / 3600),
        86_400..172_800 => "yesterday".to_owned(),
        since => format!("{} days ago", since / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_one_unit() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000_000);
        let told = |secs| age(now - Duration::from_secs(secs), now);
        assert_eq!(told(5), "just now");
        assert_eq!(told(125), "2 min ago");
        assert_eq!(told(7300), "2 h ago");
        assert_eq!(told(100_000), "yesterday");
        assert_eq!(told(300_000), "3 days ago");
        assert_eq!(age(now + Duration::from_secs(9), now), "just now", "a clock that was set back");
    }
}
