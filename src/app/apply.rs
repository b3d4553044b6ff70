//! What happens between frames: commands of the views, results of jobs, events of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::App;
use super::command::{AppCommand, Level, Place, UiCommand};
use super::context::TrainingState;
use super::jobs::Outcome;
use super::project::{ImageSource, Project};
use crate::config::Config;
use crate::dataset::Dataset;
use crate::training::{self, events::Event};

/// What a path turned out to be.
pub enum Opening {
    /// A config with its rows.
    Project(Box<(Config, Dataset)>),
}

impl App {
    /// Applies everything that arrived since the last frame.
    pub(super) fn take_in(&mut self) {
        while let Ok(command) = self.inbox.try_recv() {
            self.apply(command);
        }
        self.take_in_jobs();
        self.take_in_events();
        let (views, mut context) = self.split();
        views.predict.poll(&mut context);
    }

    fn take_in_jobs(&mut self) {
        match self.opening.as_mut().and_then(super::jobs::Job::poll) {
            Some(Outcome::Done(opening)) => {
                self.opening = None;
                self.on_opened(opening);
            }
            Some(Outcome::Failed(message)) => {
                self.opening = None;
                self.toast(Level::Error, message);
            }
            Some(Outcome::Cancelled) => self.opening = None,
            None => {}
        }
        if let Some(outcome) = self.asking.as_mut().and_then(super::jobs::Job::poll) {
            self.asking = None;
            match outcome {
                Outcome::Done(Some(command)) => self.apply(command),
                Outcome::Failed(message) => self.toast(Level::Error, message),
                Outcome::Done(None) | Outcome::Cancelled => {}
            }
        }
        if let Some(outcome) = self.device_job.as_mut().and_then(super::jobs::Job::poll) {
            self.device_job = None;
            match outcome {
                Outcome::Done(device) => self.device = Some(device),
                Outcome::Failed(message) => self.toast(Level::Warning, message),
                Outcome::Cancelled => {}
            }
        }
    }

    fn take_in_events(&mut self) {
        let Some(training) = &self.training else { return };
        let events: Vec<Event> = training.events.try_iter().collect();
        for event in events {
            self.train.on_event(&event);
            self.on_event(event);
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Paused => self.training_state = TrainingState::Paused,
            Event::Resumed => self.training_state = TrainingState::Running,
            Event::Warning { message } => self.toast(Level::Warning, message),
            Event::Checkpoint { best: true, path, .. } => self.predict.set_model(path),
            Event::Stopped(stopped) => {
                self.end_training();
                if let Some(model) = stopped.model {
                    self.predict.set_model(model);
                }
                self.toast(Level::Success, "Training is over: the best weights are in place");
            }
            Event::Failed { error } => {
                self.end_training();
                self.toast(Level::Error, error);
            }
            _ => {}
        }
    }

    fn end_training(&mut self) {
        self.training = None;
        self.training_state = TrainingState::Idle;
    }

    fn apply(&mut self, command: AppCommand) {
        match command {
            AppCommand::Ui(command) => self.apply_ui(command),
            AppCommand::OpenPath(path) => self.open_path(path),
            AppCommand::OpenImages(images) => {
                self.place = Place::Predict;
                self.predict.add_images(images);
            }
            AppCommand::FetchUrl(url) => self.apply(AppCommand::OpenImages(vec![ImageSource::Url(url)])),
            AppCommand::StartTraining(request) => self.start_training(&request),
            AppCommand::TellTraining(command) => self.tell_training(command),
            AppCommand::UseModel(path) => {
                self.place = Place::Predict;
                self.predict.set_model(path);
            }
            AppCommand::SaveConfig { file, text } => match crate::files::replace(&file, text.as_bytes()) {
                Ok(()) => self.open_path(file),
                Err(error) => {
                    self.toast(Level::Error, format!("{} cannot be written: {error}", file.display()))
                }
            },
            AppCommand::Toast { level, message } => self.toast(level, message),
            AppCommand::SelectPlace(place) => self.place = place,
            AppCommand::SelectRow(row) => {
                self.place = Place::Data;
                self.data.select(row);
            }
        }
    }

    fn apply_ui(&mut self, command: UiCommand) {
        match command {
            UiCommand::ShowData => self.place = Place::Data,
            UiCommand::ShowTrain => self.place = Place::Train,
            UiCommand::ShowPredict => self.place = Place::Predict,
            UiCommand::PauseTraining => self.tell_training(match self.training_state {
                TrainingState::Paused => training::events::Command::Resume,
                _ => training::events::Command::Pause,
            }),
            UiCommand::StopTraining => self.tell_training(training::events::Command::Stop),
            UiCommand::StartTraining => {
                self.place = Place::Train;
                let (views, mut context) = self.split();
                views.train.on_command(command, &mut context);
            }
            UiCommand::TypeUrl => {
                self.place = Place::Predict;
                let (views, mut context) = self.split();
                views.predict.on_command(command, &mut context);
            }
            UiCommand::Quit => self.ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            _ => {}
        }
    }

    fn start_training(&mut self, request: &training::Request) {
        if self.training.is_some() {
            self.toast(Level::Info, "A run goes on already: stop it first");
            return;
        }
        let ctx = self.ctx.clone();
        let training = training::start(request.clone(), move || ctx.request_repaint());
        self.place = Place::Train;
        self.attach(request, training);
    }

    fn tell_training(&mut self, command: training::events::Command) {
        let Some(training) = &self.training else { return };
        // A run that has just ended says so itself with its last event.
        if training.commands.send(command).is_ok() && command == training::events::Command::Stop {
            self.training_state = TrainingState::Stopping;
        }
    }

    fn open_path(&mut self, path: PathBuf) {
        let title = format!("Opening {}", path.display());
        self.opening = Some(self.jobs.start(title, move |_| open(&path)));
    }

    fn on_opened(&mut self, opening: Opening) {
        match opening {
            Opening::Project(opened) => {
                let (config, dataset) = *opened;
                self.settings.remember(&config.file);
                self.generation += 1;
                let choice = config.model.device;
                self.project =
                    Some(Project { config, dataset: Arc::new(dataset), generation: self.generation });
                self.device_job =
                    Some(self.jobs.start_quietly("Looking for a GPU", move |_| crate::device::pick(choice)));
            }
        }
        let (views, mut context) = self.split();
        views.train.on_project(&mut context);
        self.save_settings();
    }

    /// Tells the user something, now and in the log.
    pub(super) fn toast(&mut self, level: Level, message: impl Into<String>) {
        let message = message.into();
        let toast = match level {
            Level::Success => self.toasts.success(message.as_str()),
            Level::Info => self.toasts.info(message.as_str()),
            Level::Warning => self.toasts.warning(message.as_str()),
            Level::Error => self.toasts.error(message.as_str()),
        };
        toast.duration(Some(std::time::Duration::from_secs(6)));
        self.log.push(level, message);
    }

    pub(super) fn save_settings(&mut self) {
        self.settings.place = self.place;
        if let Err(error) = self.settings.write(&self.folders.settings()) {
            log::warn!("{error:#}");
        }
    }
}

/// Reads what a path is. In a job's thread.
fn open(path: &Path) -> anyhow::Result<Opening> {
    let config = Config::open(path)?;
    let dataset = Dataset::open(&config)?;
    Ok(Opening::Project(Box::new((config, dataset))))
}
