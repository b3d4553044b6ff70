//! The runs of the project: which of them is the current model, their names and notes, deleting them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tasklens_data::text::percent;
use tasklens_net::export::{self, Options};
use tasklens_net::training::run_note::RunNote;
use tasklens_net::training::{run_bin, run_folder};

use crate::app::App;
use crate::app::command::{AppCommand, Level, Notice, Subject};
use crate::app::dialogs::run_note::RunNoteForm;
use crate::app::places::train::live::LiveRun;
use crate::app::services::current_model::{Decision, RememberedModel};
use crate::app::services::runs::Run;

/// How often a run of another process is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// A run that another process trains, as far as the user was told of it.
#[derive(Default)]
pub struct Elsewhere {
    told: Option<PathBuf>,
    looked: Option<Instant>,
}

impl App {
    /// The run of the project that another process trains.
    pub(in crate::app) fn trained_elsewhere(&self) -> Option<&Run> {
        let own = self.views.train.run().filter(|_| self.training.is_some()).and_then(LiveRun::folder);
        // One that has just begun here is not known by its folder yet.
        let may_be_own = self.training.is_some() && own.is_none();
        self.runs.trained_elsewhere(own.map(PathBuf::as_path)).filter(|_| !may_be_own)
    }

    /// Keeps an eye on a run of another process, and says when there is one.
    fn follow_elsewhere(&mut self) {
        let Some(run) = self.trained_elsewhere() else {
            if self.runs.is_read() {
                self.elsewhere = Elsewhere::default();
                self.messages.settle(Subject::Elsewhere);
            }
            return;
        };
        let folder = run.record.folder.clone();
        let message = format!(
            "{} goes on in the background, in a Tasklens without a window or in a terminal ({}). Stop in the status bar \
             ends it, keeping what it has learnt",
            run.record.name,
            run.state()
        );
        self.ctx.request_repaint_after(LOOK_INTERVAL);
        if self.elsewhere.told.as_ref() != Some(&folder) {
            self.elsewhere = Elsewhere { told: Some(folder), looked: Some(Instant::now()) };
            self.tell(Notice::new(Level::Info, message).about(Subject::Elsewhere));
        } else if self.elsewhere.looked.is_none_or(|looked| looked.elapsed() >= LOOK_INTERVAL) {
            self.elsewhere.looked = Some(Instant::now());
            self.runs.read_again();
        }
    }

    /// Reads the runs where they may have changed, and decides which is the current model; once a frame.
    pub(super) fn follow_runs(&mut self) {
        let folder = self.project.as_ref().map(|project| project.config.paths.runs.as_path());
        if let Some(message) = self.runs.follow(folder, &self.jobs) {
            self.toast(Level::Warning, message);
        }
        self.follow_elsewhere();
        let Some(project) = &self.project else { return };
        let (file, before) = (project.config.file.clone(), self.runs.choice().remembered().clone());
        let decision = self.runs.decide(&project.dataset.tasks);
        if let Some(decision) = decision {
            self.tell_decision(decision);
        }
        self.remember_model(file, &before);
    }

    fn remember_model(&mut self, file: PathBuf, before: &RememberedModel) {
        let now = self.runs.choice().remembered();
        if now != before {
            self.settings.models.insert(file, now.clone());
            self.save_settings();
        }
    }

    /// Says what has become of the current model without the user, with a way back.
    fn tell_decision(&mut self, decision: Decision) {
        let named = |app: &Self, folder: &Path| {
            let accuracy = app.runs.find(folder).and_then(|run| run.accuracy());
            let name = app.runs.name_of(folder);
            let measured = accuracy.map(|accuracy| format!("{name} ({})", percent(accuracy)));
            (name.clone(), measured.unwrap_or(name))
        };
        let about = |message: String| Notice::new(Level::Info, message).about(Subject::CurrentModel);
        match decision {
            Decision::Changed { from, to, lost_choice } => {
                let (new, old) = (named(self, &to).1, named(self, &from));
                if self.runs.find(&from).is_none_or(|run| run.record.best.is_none()) {
                    let was = if lost_choice { ", which you had chosen," } else { "" };
                    let message = format!("{}{was} is gone. The current model is now {new}", old.0);
                    self.tell(about(message));
                } else {
                    let message = format!("The current model is now {new}. Before, it was {}", old.1);
                    let undo = AppCommand::ChooseModel(Some(from));
                    self.tell(about(message).offering("Undo the change", undo));
                }
            }
            Decision::Lost { from } => {
                let message = format!(
                    "{} can no longer be the current model, and no other run can",
                    named(self, &from).0
                );
                self.tell(about(message));
            }
            Decision::Stayed { newcomer } => {
                let Some(current) = self.runs.current().map(|run| run.record.folder.clone()) else { return };
                let why = match self.runs.choice().is_chosen() {
                    true => "as you chose it",
                    false => "as it is the best",
                };
                let (current, new) = (named(self, &current).1, named(self, &newcomer).1);
                let message = format!("{current} stays the current model, {why}. The new run is {new}");
                let choose = AppCommand::ChooseModel(Some(newcomer));
                self.tell(about(message).offering("Use the new one", choose));
            }
        }
    }

    pub(super) fn choose_model(&mut self, run: Option<PathBuf>) {
        let Some(file) = self.project.as_ref().map(|project| project.config.file.clone()) else { return };
        let before = self.runs.choice().remembered().clone();
        let is_chosen = run.is_some();
        self.runs.choose(run);
        self.messages.settle(Subject::CurrentModel);
        let name = self.runs.current().map(|run| run.record.name.clone());
        if let Some(name) = name.filter(|_| is_chosen) {
            self.note(format!("The current model is now {name}, chosen by you"));
        }
        self.remember_model(file, &before);
    }

    pub(super) fn ask_about_run(&mut self, run: &Path) {
        let known = self.runs.find(run).map(|run| &run.record);
        let said = known.map_or_else(RunNote::default, |record| {
            let is_named = record.name != run_folder::name(run);
            let name = if is_named { record.name.clone() } else { String::new() };
            RunNote { name, note: record.note.clone() }
        });
        self.overlays.run_note = Some(RunNoteForm::new(run.to_path_buf(), said));
    }

    pub(super) fn describe_run(&mut self, run: PathBuf, said: RunNote) {
        self.command_jobs.push(self.jobs.start_whole("Saving the name", move |_| {
            said.write(&run)?;
            Ok(Some(AppCommand::ReadRuns))
        }));
    }

    pub(super) fn delete_run(&mut self, run: PathBuf) {
        let (name, commands) = (self.runs.name_of(&run), self.commands.clone());
        self.command_jobs.push(self.jobs.start_whole("Deleting a run", move |_| {
            let thrown = run_bin::throw_away(&run)?;
            commands.send(AppCommand::ReadRuns);
            let message = format!("{name} was moved to {}", thrown.display());
            let undo = AppCommand::RestoreRun { thrown, run };
            Ok(Some(AppCommand::notify(Notice::new(Level::Info, message).offering("Undo deleting", undo))))
        }));
    }

    /// Writes a model for other programs, with its card; whoever chose the file has agreed to replace it.
    pub(super) fn export_model(&mut self, model: PathBuf, file: PathBuf) {
        self.command_jobs.push(self.jobs.start("Exporting the model", move |progress| {
            let options = Options { replace: true, ..Options::default() };
            let exported = export::export(&model, &file, options, &mut |done, of| {
                progress.say("comparing precisions");
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })?;
            let mut message =
                format!("The model is in {}, its card in {}", file.display(), exported.card.display());
            for note in &exported.notes {
                message.push_str(". ");
                message.push_str(note.trim_end_matches('.'));
            }
            Ok(Some(AppCommand::notify(Notice::written(message, file))))
        }));
    }

    pub(super) fn restore_run(&mut self, thrown: PathBuf, run: PathBuf) {
        self.command_jobs.push(self.jobs.start_whole("Taking a run back", move |_| {
            run_bin::take_back(&thrown, &run)?;
            Ok(Some(AppCommand::ReadRuns))
        }));
    }

    pub(super) fn stop_elsewhere(&mut self, run: PathBuf) {
        self.command_jobs.push(self.jobs.start_quietly("Stopping a run", move |_| {
            run_folder::ask_to_stop(&run)?;
            let message = "The other process was asked to stop after its batch".to_owned();
            Ok(Some(AppCommand::notify(Notice::new(Level::Info, message))))
        }));
    }
}
