//! The run in progress: starting it, telling it, and what it says.

use std::time::{Duration, Instant};

use tasklens_net::training::events::{Command, Event, StopReason, Stopped};
use tasklens_net::training::{self, Training, Unsaved};

use crate::app::App;
use crate::app::command::Level;
use crate::app::context::TrainingState;
use crate::app::place::Place;
use crate::app::places::train::live::LiveRun;

/// While a run goes on and nobody touches the window, it is drawn this often.
const FRAME_INTERVAL: Duration = Duration::from_millis(200);

/// The run in progress.
pub(in crate::app) struct InProgress {
    training: Training,
    /// It was asked to stop.
    is_stopping: bool,
}

impl InProgress {
    /// Asks it to stop after the batch in hand and waits until it has, or for so long.
    pub fn finish(self, patience: Duration) {
        if self.training.commands.send(Command::Stop).is_ok() {
            let end = Instant::now() + patience;
            while self.training.events.recv_deadline(end).is_ok() {}
        }
    }
}

impl App {
    /// Watches a run as if it had been started here.
    fn attach(&mut self, request: &training::Request, training: Training) {
        self.views.train.on_start(request, &self.runs);
        self.runs.read_again();
        self.training = Some(InProgress { training, is_stopping: false });
    }

    /// Whether a run goes on.
    pub(in crate::app) fn training_state(&self) -> TrainingState {
        match &self.training {
            None => TrainingState::Idle,
            Some(run) if run.is_stopping => TrainingState::Stopping,
            Some(_) if self.views.train.run().is_some_and(|run| run.is_paused) => TrainingState::Paused,
            Some(_) => TrainingState::Running,
        }
    }

    pub(in crate::app) fn start_training(&mut self, request: &training::Request) {
        if self.training.is_some() {
            self.toast(Level::Info, "A run is already in progress: stop it first");
            return;
        }
        let ctx = self.ctx.clone();
        // Where no GPU draws the window, each frame takes time from the training: five a second will do.
        // What the user sees is what is trained with, whether the CSV has it already or not. The run may be one of
        // another project.
        let edits = match (&self.edits, &self.project) {
            (Some(edits), Some(project)) => Unsaved::new(&project.dataset.table.path, edits.state().values()),
            _ => Unsaved::default(),
        };
        let request = &training::Request { edits, ..request.clone() };
        let training = training::start(request.clone(), move || ctx.request_repaint_after(FRAME_INTERVAL));
        self.go_to(Place::Train);
        self.attach(request, training);
    }

    pub(in crate::app) fn tell_training(&mut self, command: Command) {
        let Some(run) = &mut self.training else { return };
        // A run that has just ended says so itself with its last event.
        run.is_stopping |= run.training.commands.send(command).is_ok() && command == Command::Stop;
    }

    pub(in crate::app) fn take_in_events(&mut self) {
        let Some(run) = &self.training else { return };
        let receiver = run.training.events.clone();
        for event in receiver.try_iter() {
            self.views.train.on_event(&event);
            self.on_event(event);
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Warning { message } => self.toast(Level::Warning, message),
            Event::Checkpoint { best: true, path, .. } => self.views.predict.on_new_weights(path),
            Event::Stopped(stopped) => self.on_stopped(&stopped),
            Event::Failed { error } => {
                self.training = None;
                self.runs.read_again();
                self.toast(Level::Error, error);
            }
            // What the record of the run keeps, or the bar over the charts shows.
            Event::Preparing { .. }
            | Event::Started(_)
            | Event::StageBegan { .. }
            | Event::Batch(_)
            | Event::Epoch(_)
            | Event::LearningRateReduced { .. }
            | Event::Checkpoint { best: false, .. }
            | Event::Paused
            | Event::Resumed => {}
        }
    }

    fn on_stopped(&mut self, stopped: &Stopped) {
        self.training = None;
        self.runs.read_again();
        let why = match stopped.why {
            StopReason::Finished => "All epochs are done",
            StopReason::EarlyStopping => "Training stopped early: the validation loss no longer improved",
            StopReason::Asked => "Training stopped at your request",
        };
        let message = match stopped.best_epoch {
            Some(epoch) => format!("{why}. The weights of epoch {epoch} were kept."),
            None if stopped.model.is_some() => {
                format!("{why}. No epoch was completed; the run can be resumed where it stopped.")
            }
            None => format!("{why}. No epoch was completed."),
        };
        // It has other weights now, if it is the one under inspection.
        let run = self.views.train.run().and_then(LiveRun::folder).cloned();
        self.views.inspect.on_run_ended(run.as_deref());
        self.views.label.on_run_ended();
        self.toast(Level::Success, message);
    }
}
