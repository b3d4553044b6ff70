//! What must not be cut off: label edits on their way to the disk, saves, changes of tasks and labels, training.
//!
//! A project that is left goes on here until its edits are safe; opening one again waits for that, and so does
//! closing the window, which asks first where something would be lost.

use crate::app::App;
use crate::app::actions::annotations::OpenedEdits;
use crate::app::actions::vocabulary::Changing;
use crate::app::command::Level;
use crate::app::context::TrainingState;
use crate::app::services::jobs::{Job, Outcome, take};
use crate::app::services::label_edits::LabelEdits;

/// What still has, or is about to take, the lock on label edits.
#[derive(Default)]
pub struct Leaving {
    edits: Option<LabelEdits>,
    opening: Option<Job<OpenedEdits>>,
    earlier: Option<Job<Vec<String>>>,
}

impl Leaving {
    /// Waits until all of it is on the disk and the lock is free; returns what the user should know. Not for the
    /// UI thread, but when the window closes.
    pub fn finish(self) -> Vec<String> {
        let mut said = match self.earlier.map(Job::wait) {
            Some(Outcome::Done(said)) => said,
            Some(Outcome::Failed(message)) => vec![message],
            Some(Outcome::Cancelled) | None => Vec::new(),
        };
        // What was opened goes unused, and its lock with it.
        if let Some(Outcome::Done(opened)) = self.opening.map(Job::wait) {
            said.extend(opened.said());
        }
        said.extend(self.edits.and_then(LabelEdits::finish));
        said
    }
}

/// What closing the window would cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::app) enum Unfinished {
    /// It ends by itself, soon: what it is, in words.
    Soon(&'static str),
    /// The disk refuses so many label edits, and why.
    Refused(usize, String),
    /// So many label edits are safe, and not in the CSV.
    Labels(usize),
    /// A run goes on; how far it is, in words.
    Training(String),
}

/// What the user has answered since the window was asked to close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::app) struct Answers {
    /// What becomes of label edits that the CSV lacks.
    pub labels: bool,
    /// Whether the run goes on without the window; it stops otherwise.
    pub keeps_training: Option<bool>,
}

impl App {
    /// Takes whatever has a lock on label edits out of the app, to be waited for.
    pub(in crate::app) fn leave_edits(&mut self) -> Leaving {
        Leaving { edits: self.edits.take(), opening: self.opening_edits.take(), earlier: self.leaving.take() }
    }

    /// The project is left: what waits for the disk is written, off the UI thread.
    pub(in crate::app) fn close_edits(&mut self) {
        let leaving = self.leave_edits();
        self.leaving = Some(self.jobs.start_whole("Closing label edits", move |_| Ok(leaving.finish())));
    }

    /// Says what a project that was left had to say.
    pub(in crate::app) fn take_in_left(&mut self) {
        match take(&mut self.leaving) {
            Some(Outcome::Done(said)) => said.into_iter().for_each(|said| self.toast(Level::Error, said)),
            Some(Outcome::Failed(message)) => self.toast(Level::Error, message),
            Some(Outcome::Cancelled) | None => {}
        }
    }

    /// What closing the window now would cut off, worst first.
    pub(in crate::app) fn unfinished(&self, answers: Answers) -> Option<Unfinished> {
        self.unwritten().or_else(|| self.unsaved(answers)).or_else(|| self.untrained(answers))
    }

    /// Label edits that the CSV lacks, where nobody has said yet what becomes of them.
    fn unsaved(&self, answers: Answers) -> Option<Unfinished> {
        let pending = self.edits.as_ref().map_or(0, |edits| edits.state().pending_count());
        let is_denied = self.edits.as_ref().is_some_and(|edits| edits.denied().is_some());
        (pending > 0 && !answers.labels && !is_denied).then_some(Unfinished::Labels(pending))
    }

    fn untrained(&self, answers: Answers) -> Option<Unfinished> {
        self.training.as_ref()?;
        match answers.keeps_training {
            None if self.training_state() != TrainingState::Stopping => {
                let said = self.views.train.run().map(|run| run.doing().0);
                Some(Unfinished::Training(said.unwrap_or_else(|| "Preparing".to_owned())))
            }
            None | Some(false) => {
                Some(Unfinished::Soon("The run stops after its batch and keeps what it has learnt."))
            }
            Some(true) => None,
        }
    }

    /// What is on its way to the disk.
    fn unwritten(&self) -> Option<Unfinished> {
        if let Some(edits) = &self.edits
            && let Some(error) = edits.error()
        {
            return Some(Unfinished::Refused(edits.waiting(), error.to_owned()));
        }
        if self.changing.is_some() {
            return Some(Unfinished::Soon("Tasks and labels are being changed."));
        }
        if self.edits.as_ref().is_some_and(LabelEdits::is_saving) {
            return Some(Unfinished::Soon("Labels are being saved into the CSV."));
        }
        let is_on_its_way =
            self.edits.as_ref().is_some_and(|edits| !edits.is_kept() && edits.denied().is_none());
        if is_on_its_way || self.leaving.is_some() || self.opening_edits.is_some() {
            return Some(Unfinished::Soon("Label edits are being written to disk."));
        }
        let is_whole = self.command_jobs.iter().any(|job| job.progress().is_whole());
        is_whole.then_some(Unfinished::Soon("A file is being written."))
    }

    /// Waits for all of it, as the window closes whether it is asked or not; what is lost is said where it can be.
    pub(in crate::app) fn finish_all(&mut self) {
        if let Some(Outcome::Failed(message)) = self.changing.take().map(Changing::wait) {
            say!("tasklens: {message}");
        }
        for job in self.command_jobs.drain(..).filter(|job| job.progress().is_whole()) {
            if let Outcome::Failed(message) = job.wait() {
                say!("tasklens: {message}");
            }
        }
        for said in self.leave_edits().finish() {
            say!("tasklens: {said}");
        }
    }
}
