//! Telling the user what happened: as a notice, unless the open place shows it already, and in the log.

use crate::app::App;
use crate::app::command::{Level, Notice, Subject};
use crate::app::place::Place;

impl App {
    /// Tells the user something, now and in the log.
    pub(in crate::app) fn toast(&mut self, level: Level, message: impl Into<String>) {
        self.tell(Notice::new(level, message));
    }

    /// The same, with what it is about and what can be done. What the open place shows already goes into the log
    /// alone.
    pub(in crate::app) fn tell(&mut self, notice: Notice) {
        log::info!(target: "tasklens::window", "{:?}: {}", notice.level, notice.message);
        let is_told = notice.subject.is_some_and(|subject| self.shows(subject));
        self.messages.push(notice, is_told);
    }

    /// Writes into the log that something happens as it should.
    pub(in crate::app) fn note(&mut self, message: impl Into<String>) {
        let message = message.into();
        log::info!(target: "tasklens::window", "{message}");
        self.messages.note(message);
    }

    /// Whether the open place shows what there is to say about this.
    pub(super) fn shows(&self, subject: Subject) -> bool {
        match subject {
            Subject::Training => self.place == Place::Train && self.views.train.shows_run(),
            Subject::Study => self.place == Place::Train && self.views.train.shows_study(),
            Subject::Rows => {
                let is_covered = self.proposal.is_some() || self.new_project.is_some();
                self.place == Place::Data && self.project.is_some() && !is_covered
            }
            Subject::Predicting => self.place == Place::Predict,
            Subject::Opening
            | Subject::Starting
            | Subject::Labels
            | Subject::CurrentModel
            | Subject::Suggestions
            | Subject::Elsewhere => false,
        }
    }

    /// What the open place shows needs no notice any more.
    pub(super) fn settle_shown(&mut self) {
        for subject in [Subject::Training, Subject::Study, Subject::Rows, Subject::Predicting] {
            if self.shows(subject) {
                self.messages.settle(subject);
            }
        }
    }

    /// Writes into the log which jobs of the status bar began and ended.
    pub(super) fn note_jobs(&mut self) {
        let news: Vec<String> = self.jobs.news().map(|news| news.told()).collect();
        news.into_iter().for_each(|told| self.note(told));
    }
}
