//! Saving the fitted heads as a run, which every other place and the command line can open.

use std::path::Path;
use std::sync::Arc;

use tasklens_net::training::learnt_run;

use super::ModelSession;
use crate::app::command::{AppCommand, Level, Notice};
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Outcome, take};

impl ModelSession {
    /// Whether there is something to save, and it is not being saved.
    pub fn can_save(&self) -> bool {
        self.learnt.is_some() && self.saving.is_none() && !self.wants_save
    }

    /// Saves the heads, fitted to the current labels, as a run.
    pub fn save(&mut self) {
        self.wants_save = self.can_save();
    }

    pub(super) fn start_saving(&mut self, context: &ViewContext<'_>) {
        let (Some(project), Some(base)) = (context.project, self.model.path().map(Path::to_path_buf)) else {
            return;
        };
        if !self.wants_save || self.saving.is_some() {
            return;
        }
        self.wants_save = false;
        let (config, dataset) = (project.config.clone(), Arc::clone(&project.dataset));
        self.saving = Some(context.jobs.start("Saving the model as a run", move |progress| {
            learnt_run::save(&config, &dataset.settled(), &base, &mut |done, of| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })
        }));
    }

    pub(super) fn poll_saving(&mut self, context: &ViewContext<'_>) {
        match take(&mut self.saving) {
            Some(Outcome::Done(Some(saved))) => {
                let inspect = AppCommand::InspectRun(saved.run.clone());
                let notice = Notice::new(Level::Success, saved.told());
                context.commands.notify(notice.offering("Inspect it", inspect));
                context.commands.send(AppCommand::RunSaved(saved.run));
            }
            Some(Outcome::Failed(message)) => context.commands.toast(Level::Error, message),
            Some(Outcome::Done(None) | Outcome::Cancelled) | None => {}
        }
    }
}
