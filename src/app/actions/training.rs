//! The run or study in progress: starting it, telling it, and what it says.

use std::path::Path;
use std::time::{Duration, Instant};

use tasklens_data::text::{grouped, percent};
use tasklens_net::study::{self, Study, StudyEvent, StudyRequest};
use tasklens_net::training::events::{
    Command, Concern, EpochMetrics, Event, RunWarning, Started, StopReason, Stopped,
};
use tasklens_net::training::{self, Training, Unsaved, run_folder};

use crate::app::App;
use crate::app::command::{AppCommand, Level, Notice, Subject, UiCommand};
use crate::app::context::TrainingState;
use crate::app::place::Place;
use crate::app::places::train::live::LiveRun;

/// While a run goes on and nobody touches the window, it is drawn this often.
const FRAME_INTERVAL: Duration = Duration::from_millis(200);

/// The run or study in progress.
pub(in crate::app) struct InProgress {
    work: Work,
    /// It was asked to stop.
    is_stopping: bool,
    /// It was asked to pause, and has not yet.
    is_pausing: bool,
}

/// What trains.
enum Work {
    /// One run.
    Run(Training),
    /// The runs of a study, one after the other.
    Study(Study),
}

impl InProgress {
    /// Asks it to stop after the batch in hand and waits until it has, or for so long.
    pub fn finish(mut self, patience: Duration) {
        self.tell(Command::Stop);
        let end = Instant::now() + patience;
        match &self.work {
            Work::Run(training) => while training.events.recv_deadline(end).is_ok() {},
            Work::Study(study) => while study.events.recv_deadline(end).is_ok() {},
        }
    }

    /// A study knows no other command than to stop.
    fn tell(&mut self, command: Command) {
        match &self.work {
            // A run that has just ended says so itself with its last event.
            Work::Run(training) => {
                let is_sent = training.commands.send(command).is_ok();
                self.is_stopping |= is_sent && command == Command::Stop;
                self.is_pausing = is_sent && command == Command::Pause;
            }
            Work::Study(study) if command == Command::Stop => {
                study.stopper.stop();
                self.is_stopping = true;
            }
            Work::Study(_) => {}
        }
    }
}

impl App {
    /// Watches a run as if it had been started here.
    fn attach(&mut self, request: &training::Request, training: Training) {
        self.views.train.on_start(request, &self.runs);
        self.runs.read_again();
        self.begin(Work::Run(training));
    }

    /// What was said of earlier work, and of having no network, is settled.
    fn begin(&mut self, work: Work) {
        for subject in [Subject::Starting, Subject::Training, Subject::Study, Subject::Suggestions] {
            self.messages.settle(subject);
        }
        self.training = Some(InProgress { work, is_stopping: false, is_pausing: false });
    }

    /// Whether a run goes on.
    pub(in crate::app) fn training_state(&self) -> TrainingState {
        match &self.training {
            None if self.overlays.starting.is_some() => TrainingState::Starting,
            None => TrainingState::Idle,
            Some(run) if run.is_stopping => TrainingState::Stopping,
            Some(InProgress { work: Work::Run(_), .. })
                if self.views.train.run().is_some_and(|run| run.is_paused) =>
            {
                TrainingState::Paused
            }
            Some(run) if run.is_pausing => TrainingState::Pausing,
            Some(_) => TrainingState::Running,
        }
    }

    /// Says so where something trains already.
    pub(in crate::app) fn is_training_refused(&mut self) -> bool {
        let message = match &self.training {
            None => return false,
            Some(InProgress { work: Work::Run(_), .. }) => "A run is already in progress: stop it first",
            Some(InProgress { work: Work::Study(_), .. }) => "A study is already in progress: stop it first",
        };
        self.tell(Notice::new(Level::Info, message).about(Subject::Starting));
        true
    }

    /// What the user sees is what is trained with, whether the CSV has it already or not. The run may be one of another
    /// project.
    fn labels_for_training(&self) -> Unsaved {
        match (&self.edits, &self.project) {
            (Some(edits), Some(project)) => Unsaved::new(&project.dataset.table.path, edits.state().values()),
            _ => Unsaved::default(),
        }
    }

    /// Wakes the window for what trains. Where no GPU draws the window, each frame takes time from the training: five
    /// a second will do.
    fn waker(&self) -> impl Fn() + Send + 'static {
        let ctx = self.ctx.clone();
        move || ctx.request_repaint_after(FRAME_INTERVAL)
    }

    pub(in crate::app) fn start_training(&mut self, request: &training::Request) {
        if self.is_training_refused() {
            return;
        }
        let request = &training::Request { edits: self.labels_for_training(), ..request.clone() };
        let training = training::start(request.clone(), self.waker());
        // Who had it begin from Label goes on labelling.
        if self.place != Place::Label {
            self.go_to(Place::Train);
        }
        self.attach(request, training);
    }

    pub(in crate::app) fn start_study(&mut self, request: StudyRequest) {
        if self.is_training_refused() {
            return;
        }
        self.views.train.on_study_start(&request.plan);
        let request = StudyRequest { edits: self.labels_for_training(), ..request };
        let study = study::start(request, self.waker());
        self.go_to(Place::Train);
        self.runs.read_again();
        self.begin(Work::Study(study));
    }

    pub(in crate::app) fn tell_training(&mut self, command: Command) {
        if let Some(run) = &mut self.training {
            run.tell(command);
        }
    }

    pub(in crate::app) fn take_in_events(&mut self) {
        match self.training.as_ref().map(|run| &run.work) {
            Some(Work::Run(training)) => {
                let receiver = training.events.clone();
                for event in receiver.try_iter() {
                    self.views.train.on_event(&event);
                    self.on_event(event);
                }
            }
            Some(Work::Study(study)) => {
                let receiver = study.events.clone();
                for event in receiver.try_iter() {
                    self.on_study_event(&event);
                }
            }
            None => {}
        }
    }

    fn on_study_event(&mut self, event: &StudyEvent) {
        match self.views.train.on_study_event(event) {
            Some(RunWarning { message, about: Concern::Run }) => {
                let notice = self.shown_in_train(Level::Warning, message, Subject::Study);
                self.tell(notice);
            }
            Some(RunWarning { message, about: Concern::Data }) => self.tell_of_rows(message, Subject::Study),
            None => {}
        }
        match event {
            StudyEvent::Training(Event::Started(started)) => self.note_start(started),
            StudyEvent::Training(Event::Stopped(stopped)) => {
                // It has other weights now, if it is the one under inspection.
                let run = stopped.model.as_deref().and_then(Path::parent);
                self.views.inspect.on_run_ended(run);
                self.runs.read_again();
            }
            StudyEvent::Run { .. } => {
                self.runs.read_again();
                if let Some(study) = self.views.train.running_study() {
                    let headline = study.headline();
                    self.note(format!("Study: {headline}"));
                }
            }
            StudyEvent::Finished(_) => self.end_study(Level::Success, "The study is done"),
            StudyEvent::Stopped => {
                self.end_study(Level::Success, "The study was stopped: what is trained is kept");
            }
            StudyEvent::Failed { error } => {
                self.end_study(Level::Error, &format!("The study failed: {error}"));
            }
            StudyEvent::Training(_) | StudyEvent::Measuring { .. } => {}
        }
    }

    fn end_study(&mut self, level: Level, message: &str) {
        self.training = None;
        self.runs.read_again();
        self.views.label.on_run_ended();
        let notice = self.shown_in_train(level, message, Subject::Study);
        self.tell(notice);
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Warning { message, about: Concern::Run } => {
                let notice = self.shown_in_train(Level::Warning, message, Subject::Training);
                self.tell(notice);
            }
            Event::Warning { message, about: Concern::Data } => {
                self.tell_of_rows(message, Subject::Training);
            }
            Event::Started(started) => self.note_start(&started),
            Event::Epoch(metrics) if metrics.best => self.note_best(&metrics),
            Event::LearningRateReduced { epoch, learning_rate } => {
                self.note(format!("The learning rate is {learning_rate:.2e} after epoch {epoch}"));
            }
            Event::Paused => {
                if let Some(run) = &mut self.training {
                    run.is_pausing = false;
                }
                self.note("Training is paused");
            }
            Event::Resumed => self.note("Training goes on"),
            Event::Checkpoint { best: true, path, .. } => self.views.predict.on_new_weights(path),
            Event::Stopped(stopped) => self.on_stopped(&stopped),
            Event::Failed { error } => {
                self.training = None;
                self.runs.read_again();
                let notice = self.shown_in_train(Level::Error, error, Subject::Training);
                self.tell(notice);
            }
            // What the record of the run keeps, or the bar over the charts shows.
            Event::Preparing { .. }
            | Event::StageBegan { .. }
            | Event::Batch(_)
            | Event::Epoch(_)
            | Event::Checkpoint { best: false, .. } => {}
        }
    }

    /// Tells of rows that are not used, unless what is trained (`by`) says so beside its charts.
    fn tell_of_rows(&mut self, message: String, by: Subject) {
        let subject = if self.shows(by) { by } else { Subject::Rows };
        let notice = Notice::new(Level::Warning, message).about(subject);
        self.tell(notice.offering("Show rows", AppCommand::ShowProblems));
    }

    fn note_start(&mut self, started: &Started) {
        self.note(format!(
            "{} trains on {} images{} and validates on {}, for up to {} epochs on {}: {}",
            run_folder::name(&started.run),
            grouped(started.n_train as u64),
            started.found_batch_size.map_or(String::new(), |size| format!(" in batches of {size}")),
            grouped(started.n_validation as u64),
            started.epochs,
            started.device,
            started.weights
        ));
    }

    fn note_best(&mut self, metrics: &EpochMetrics) {
        let tasks = self.views.train.run().map_or(&[][..], |run| &run.curves.tasks);
        let accuracies = tasks.iter().zip(&metrics.validation.task_accuracy);
        let accuracies = accuracies.filter(|(_, accuracy)| accuracy.is_finite());
        let accuracies: String =
            accuracies.map(|(task, accuracy)| format!(", {task} {}", percent(*accuracy))).collect();
        let loss = metrics.validation.loss;
        self.note(format!(
            "Epoch {} is the best so far: validation loss {loss:.4}{accuracies}",
            metrics.epoch
        ));
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
        let notice = self.shown_in_train(Level::Success, message, Subject::Training);
        self.tell(notice);
    }

    /// A notice about what Train shows in full, and the way there.
    fn shown_in_train(&self, level: Level, message: impl Into<String>, subject: Subject) -> Notice {
        let notice = Notice::new(level, message).about(subject);
        match self.place {
            Place::Train => notice,
            _ => notice.offering("Show training", AppCommand::Ui(UiCommand::ShowTrain)),
        }
    }
}
