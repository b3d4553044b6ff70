//! The run in progress: starting it, telling it, and what it says.

use std::time::Duration;

use tasklens_net::training::events::{Command, Event, Phase, StopReason, Stopped};
use tasklens_net::training::{self, Training, Unsaved};

use crate::app::App;
use crate::app::command::{Level, Place};
use crate::app::context::TrainingState;
use crate::app::services::label_edits::LabelEdits;

/// While a run goes on and nobody touches the window, it is drawn this often.
const FRAME_INTERVAL: Duration = Duration::from_millis(200);

impl App {
    /// Watches a run as if it had been started here.
    pub fn attach(&mut self, request: &training::Request, training: Training) {
        self.train.on_start(request);
        self.training = Some(training);
        self.training_state = TrainingState::Running;
        self.run_progress = Some(("Preparing".to_owned(), 0.0));
    }

    pub(in crate::app) fn start_training(&mut self, request: &training::Request) {
        if self.training.is_some() {
            self.toast(Level::Info, "A run goes on already: stop it first");
            return;
        }
        let ctx = self.ctx.clone();
        // Where no GPU draws the window, each frame takes time from the training: five a second will do.
        // What the user sees is what is trained with, whether the CSV has it already or not. The run may be one of
        // another project.
        let unsaved = |edits: &LabelEdits| Unsaved::new(&edits.base().table.path, edits.state().values());
        let edits = self.edits.as_ref().map(unsaved).unwrap_or_default();
        let request = &training::Request { edits, ..request.clone() };
        let training = training::start(request.clone(), move || ctx.request_repaint_after(FRAME_INTERVAL));
        self.place = Place::Train;
        self.attach(request, training);
    }

    pub(in crate::app) fn tell_training(&mut self, command: Command) {
        let Some(training) = &self.training else { return };
        // A run that has just ended says so itself with its last event.
        if training.commands.send(command).is_ok() && command == Command::Stop {
            self.training_state = TrainingState::Stopping;
        }
    }

    pub(in crate::app) fn take_in_events(&mut self) {
        let Some(training) = &self.training else { return };
        let receiver = training.events.clone();
        for event in receiver.try_iter() {
            self.train.on_event(&event);
            self.on_event(event);
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Preparing { what, done, of } => {
                let share = if of > 0 { done as f32 / of as f32 } else { 0.0 };
                self.run_progress = Some((what, share));
            }
            Event::Batch(batch) => {
                let phase = match batch.phase {
                    Phase::Train => "training",
                    Phase::Validation => "validation",
                };
                let share = batch.done as f32 / batch.of.max(1) as f32;
                self.run_progress = Some((format!("Epoch {}, {phase}", batch.epoch), share));
            }
            Event::Paused => self.training_state = TrainingState::Paused,
            Event::Resumed => self.training_state = TrainingState::Running,
            Event::Warning { message } => self.toast(Level::Warning, message),
            Event::Checkpoint { best: true, path, .. } => self.predict.set_model(path),
            Event::Stopped(stopped) => self.on_stopped(stopped),
            Event::Failed { error } => {
                self.end_training();
                self.toast(Level::Error, error);
            }
            Event::Started(_)
            | Event::StageBegan { .. }
            | Event::Epoch(_)
            | Event::LearningRateReduced { .. }
            | Event::Checkpoint { .. } => {}
        }
    }

    fn on_stopped(&mut self, stopped: Stopped) {
        self.end_training();
        let why = match stopped.why {
            StopReason::Finished => "All epochs are done",
            StopReason::EarlyStopping => "Training stopped early: it got no better",
            StopReason::Asked => "Training stopped as you asked",
        };
        let message = match stopped.best_epoch {
            Some(epoch) => format!("{why}. The weights of epoch {epoch} were kept."),
            None => format!("{why}. No epoch was completed."),
        };
        // It has other weights now, if it is the one under inspection.
        let run = self.train.run_folder().cloned();
        self.inspect.on_run_ended(run.as_deref());
        self.label.on_run_ended();
        if let Some(model) = stopped.model {
            self.predict.set_model(model);
        }
        self.toast(Level::Success, message);
    }

    fn end_training(&mut self) {
        self.training = None;
        self.training_state = TrainingState::Idle;
        self.run_progress = None;
    }
}
