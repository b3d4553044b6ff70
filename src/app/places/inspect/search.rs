//! A search over all items that a tab starts by itself, once: it waits for the predictions, can be cancelled, and
//! is started again only when the user asks.

use egui::Ui;

use super::inspected_run::InspectedRun;
use crate::app::services::jobs::{Job, Outcome, take};
use crate::app::theme::icons;
use crate::app::widgets::empty_place;

/// What the user reads while there is nothing found yet.
pub struct Words {
    /// The tab's icon.
    pub icon: &'static str,
    /// While it is searched: what for, and how.
    pub searching: (&'static str, &'static str),
    /// What happens when the predictions are there.
    pub waiting: &'static str,
    /// On the button that starts it again.
    pub again: &'static str,
}

/// The search and what it found last.
pub struct Search<T> {
    job: Option<Job<Option<T>>>,
    /// What the last search found.
    pub found: Option<T>,
    was_started: bool,
    failure: Option<String>,
}

impl<T> Default for Search<T> {
    fn default() -> Self {
        Self { job: None, found: None, was_started: false, failure: None }
    }
}

impl<T> Search<T> {
    /// Takes in what was found; whether the search has just ended.
    pub fn poll(&mut self) -> bool {
        let Some(outcome) = take(&mut self.job) else { return false };
        match outcome {
            Outcome::Done(found) => self.found = found,
            Outcome::Failed(message) => self.failure = Some(message),
            Outcome::Cancelled => {}
        }
        true
    }

    /// Whether it is to be started unasked. Half of the outputs would make a poor list: it waits for the rest.
    pub fn is_due(&self, inspected: &InspectedRun) -> bool {
        !self.was_started && inspected.is_settled()
    }

    /// Whether it goes on.
    pub fn is_running(&self) -> bool {
        self.job.is_some()
    }

    /// Starts a new search; what was found before is dropped.
    pub fn start(&mut self, job: Job<Option<T>>) {
        *self = Self { job: Some(job), was_started: true, ..Self::default() };
    }

    /// Says what goes on while nothing is found; whether the user wants it started again.
    pub fn waiting_ui(&self, ui: &mut Ui, inspected: &InspectedRun, words: &Words) -> bool {
        let mut again = false;
        if let Some(message) = &self.failure {
            empty_place(ui, icons::WARNING, "The search failed", message, |_| {});
        } else if self.job.is_some() {
            let (title, text) = words.searching;
            empty_place(ui, words.icon, title, text, |_| {});
        } else if !inspected.is_settled() {
            empty_place(ui, words.icon, "Waiting for the predictions", words.waiting, |_| {});
        } else {
            empty_place(ui, words.icon, "The search was cancelled", "", |ui| {
                again = ui.button(words.again).clicked();
            });
        }
        again
    }
}
