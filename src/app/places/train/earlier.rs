//! The runs beside the one that is watched: which of them lie over the charts, how the list shows them, and going on
//! with one.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tasklens_data::config::Config;
use tasklens_net::training::run_folder::{self, RunRecord};
use tasklens_net::training::{self, Unsaved};

use super::curves::Curves;
use crate::app::command::{AppCommand, CommandSender, Level};
use crate::app::services::jobs::{Job, Jobs};
use crate::app::services::runs::{Run, Runs};
use crate::app::theme::Tokens;
use crate::app::widgets::run_list::{RunRow, TaskAccuracy};

/// A run that is laid over the charts.
pub struct Overlay {
    folder: PathBuf,
    pub name: String,
    pub curves: Curves,
}

/// See the module's docs.
#[derive(Default)]
pub struct Earlier {
    /// Runs that were opened, and are none of the project's.
    elsewhere: Vec<Run>,
    shown: HashSet<PathBuf>,
    overlays: Vec<Overlay>,
    /// The version of the runs that `overlays` are of.
    version: Option<u64>,
}

impl Earlier {
    /// Takes in what was read of the project's runs; once a frame.
    pub fn follow(&mut self, runs: &Runs) {
        if self.version == Some(runs.version()) {
            return;
        }
        if self.version.is_some() {
            let stays =
                |folder: &Path| self.shown.contains(folder) && runs.find(folder).is_none() && folder.is_dir();
            self.elsewhere.retain(|run| stays(&run.record.folder));
        }
        let shown = self.others(runs, None).filter(|run| self.shown.contains(&run.record.folder));
        let overlay = |Run { record, .. }: &Run| Overlay {
            folder: record.folder.clone(),
            name: record.name.clone(),
            curves: Curves::of(record),
        };
        self.overlays = shown.map(overlay).collect();
        self.version = Some(runs.version());
    }

    /// Adds a run from anywhere and lays it over the charts.
    pub fn add(&mut self, run: Run) {
        self.shown.insert(run.record.folder.clone());
        self.elsewhere.retain(|other| other.record.folder != run.record.folder);
        self.elsewhere.insert(0, run);
        self.version = None;
    }

    /// Whether runs were opened that are none of the project's.
    pub fn has_elsewhere(&self) -> bool {
        !self.elsewhere.is_empty()
    }

    /// All runs without the one in `current`: those from elsewhere, then the project's, newest first.
    pub fn others<'a>(
        &'a self,
        runs: &'a Runs,
        current: Option<&'a PathBuf>,
    ) -> impl Iterator<Item = &'a Run> {
        let elsewhere = self.elsewhere.iter().filter(|run| runs.find(&run.record.folder).is_none());
        elsewhere.chain(runs.all()).filter(move |run| Some(&run.record.folder) != current)
    }

    /// What is laid over the charts, but the run in `current`.
    pub fn overlays<'a>(&'a self, current: Option<&'a PathBuf>) -> impl Iterator<Item = &'a Overlay> {
        self.overlays.iter().filter(move |overlay| Some(&overlay.folder) != current)
    }

    /// What is known of the run in a folder.
    pub fn find<'a>(&'a self, runs: &'a Runs, folder: &Path) -> Option<&'a RunRecord> {
        self.others(runs, None).map(|run| &run.record).find(|record| record.folder == folder)
    }

    /// Lays a run over the charts or takes it away.
    pub fn show(&mut self, folder: &Path, on: bool) {
        if on {
            self.shown.insert(folder.to_path_buf());
        } else {
            self.shown.remove(folder);
        }
        self.version = None;
    }

    /// A run as the list shows it; `task_index` has the position (for the colour) of a task.
    pub fn row(
        &self,
        run: &Run,
        is_current: bool,
        tokens: &Tokens,
        task_index: impl Fn(&str) -> usize,
    ) -> RunRow {
        let accuracy = |(task, accuracy): (&str, _)| TaskAccuracy {
            task: task.to_owned(),
            color: tokens.task(task_index(task)),
            accuracy,
        };
        RunRow {
            name: run.record.name.clone(),
            note: run.record.note.clone(),
            is_current,
            age: run.age(),
            state: run.state(),
            best_loss: run.record.kept_epoch().map(|kept| kept.validation.loss),
            accuracies: run.accuracies().map(accuracy).collect(),
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
            Err(error) => commands.toast(Level::Error, tasklens_data::text::told(&error)),
        }
        Ok(())
    })
}
