//! What the user is told: in the quiet place above the status bar, and in the log.

use std::path::PathBuf;

use super::{AppCommand, Level};

/// Something to tell the user.
#[derive(Debug)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// What happened, and what to do.
    pub message: String,
    /// What it is about: a newer notice about the same takes its place.
    pub subject: Option<Subject>,
    /// What can be done about it.
    pub remedy: Option<Remedy>,
}

/// What can be done about a notice, at once.
#[derive(Debug)]
pub struct Remedy {
    /// The text of the button.
    pub button: &'static str,
    /// What it sends.
    pub does: AppCommand,
}

/// What notices are about that can be overtaken by events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A project that could not be opened; settled when one is.
    Opening,
    /// Rows and images that cannot be used; Data shows them.
    Rows,
    /// Label edits that the CSV lacks, or that are not safe.
    Labels,
    /// A run or study that could not be started; settled when one is.
    Starting,
    /// The run in progress, or the last one; Train shows what it says, and the next run settles it.
    Training,
    /// The study in progress, or the last one; Train shows what it says, and the next one settles it.
    Study,
    /// Which run is the current model.
    CurrentModel,
    /// That there is nothing to suggest labels with; settled when there is, or when something trains.
    Suggestions,
    /// The model of Predict, which says itself what is wrong with it.
    Predicting,
    /// A run that another process trains; settled when it has ended.
    Elsewhere,
}

impl Notice {
    /// A notice about nothing in particular.
    pub fn new(level: Level, message: impl Into<String>) -> Self {
        Self { level, message: message.into(), subject: None, remedy: None }
    }

    /// That a file was written, with a button that shows it.
    pub fn written(message: impl Into<String>, file: PathBuf) -> Self {
        Self::new(Level::Success, message).offering("Show in folder", AppCommand::ShowInFolder(file))
    }

    /// What it is about.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// With a button that does something about it.
    #[must_use]
    pub fn offering(self, button: &'static str, does: AppCommand) -> Self {
        Self { remedy: Some(Remedy { button, does }), ..self }
    }
}

impl AppCommand {
    /// Tells the user this.
    pub fn notify(notice: Notice) -> Self {
        Self::Notify(Box::new(notice))
    }

    /// Whether doing one makes the other superfluous, of those that notices offer.
    pub fn does_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ui(one), Self::Ui(other)) => one == other,
            (Self::ChooseModel(one), Self::ChooseModel(other)) => one == other,
            (Self::InspectRun(one), Self::InspectRun(other))
            | (Self::ShowInFolder(one), Self::ShowInFolder(other))
            | (Self::RestoreRun { run: one, .. }, Self::RestoreRun { run: other, .. }) => one == other,
            (Self::ShowProblems, Self::ShowProblems) => true,
            _ => false,
        }
    }
}
