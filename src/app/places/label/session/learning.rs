//! Fitting the heads to the labels, and preparing the backbone that they need.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tasklens_net::labelling::candidates;
use tasklens_net::labelling::suggestions::Score;
use tasklens_net::training::base_network;

use super::{HeadUpdate, LabelModel, LearntHeads, ModelSession};
use crate::app::command::{AppCommand, Level, Notice, Subject, UiCommand};
use crate::app::context::{TrainingState, ViewContext};
use crate::app::services::jobs::{Outcome, take};

/// The model updates itself after this many new labels, or after one new label per `SHARE_NEW` known ones if that is
/// more.
const ENOUGH_NEW: usize = 20;
const SHARE_NEW: usize = 20;
/// A backbone without heads tries after this many labels whether they are enough.
const FIRST_NEW: usize = 5;
/// The model does not update itself where the last update took longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

impl ModelSession {
    pub(super) fn poll_update(&mut self, context: &ViewContext<'_>) {
        match take(&mut self.updating) {
            Some(Outcome::Done(Some(update))) => self.take_in_update(update),
            Some(Outcome::Failed(message)) => {
                self.updates_itself = false;
                context.commands.toast(Level::Error, message);
            }
            Some(Outcome::Cancelled) => self.updates_itself = false,
            Some(Outcome::Done(None)) | None => {}
        }
    }

    fn take_in_update(&mut self, update: HeadUpdate) {
        let HeadUpdate { suggestions, labels, scores } = update;
        let took = self.update_began.take().map_or(Duration::ZERO, |began| began.elapsed());
        // A backbone without fitted heads suggests nothing.
        if self.is_base() && scores.iter().all(Option::is_none) {
            return;
        }
        self.learnt = Some(LearntHeads { labels, scores, at: Instant::now(), took });
        self.current = Some(Arc::new(suggestions));
        self.version += 1;
    }

    /// Whether the model is a backbone without heads of its own.
    pub(super) fn is_base(&self) -> bool {
        matches!(self.model, LabelModel::Base(_))
    }

    /// Whether there is a model that waits for its first labels.
    pub fn waits_for_labels(&self) -> bool {
        self.is_base() && self.learnt.is_none()
    }

    /// How often the heads are right about labels of a task that they have not seen.
    pub fn score(&self, task: usize) -> Option<Score> {
        self.learnt.as_ref()?.scores.get(task).copied().flatten()
    }

    /// Whether enough has changed for an update that nobody asked for.
    fn is_due(&self) -> bool {
        let Some(learnt) = &self.learnt else {
            let enough = if self.is_base() { FIRST_NEW } else { ENOUGH_NEW };
            return self.updates_itself && self.new_labels >= enough;
        };
        let is_quick = learnt.took < PATIENCE;
        self.updates_itself && is_quick && self.new_labels >= ENOUGH_NEW.max(learnt.labels / SHARE_NEW)
    }

    pub(super) fn start_update(&mut self, context: &ViewContext<'_>) {
        let (Some(project), Some(read)) = (context.project, &self.read) else { return };
        let network = Arc::clone(&read.suggestions);
        if self.updating.is_some() || !(self.wants_update || self.is_due()) {
            return;
        }
        // While the first images are on their way, there is nothing to learn from.
        if network.rows().is_empty() {
            return;
        }
        (self.wants_update, self.new_labels) = (false, 0);
        let dataset = Arc::clone(&project.dataset);
        let seed = project.config.model.random_seed;
        self.update_began = Some(Instant::now());
        self.updating = Some(context.jobs.start("Updating the model", move |progress| {
            let labels = candidates::classes(&dataset);
            let count = labels.iter().flatten().flatten().count();
            let updated = network.updated(&dataset.tasks, &labels, seed, &mut |done, of| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })?;
            Ok(updated.map(|updated| {
                let suggestions = updated.mixed_with(&network, &labels);
                HeadUpdate { scores: suggestions.scores(&labels), suggestions, labels: count }
            }))
        }));
    }

    /// Whether there is a model to learn with; without, [`ModelSession::prepare`] makes one.
    pub fn has_model(&self) -> bool {
        self.model.path().is_some()
    }

    /// The backbone with its public weights becomes the model: it needs no run.
    pub fn prepare(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project.filter(|_| self.preparing.is_none()) else { return };
        let (config, images, cached) =
            (project.config.clone(), project.dataset.rows.len(), self.ahead.cached);
        self.preparing = Some(context.jobs.start("Preparing the ImageNet backbone", move |progress| {
            let (set, keep_going) = (|done, of| progress.set(done, of), || progress.keep_going());
            base_network::prepare(&config, images, &cached, &set, &keep_going)
        }));
    }

    pub(super) fn poll_preparing(&mut self, context: &ViewContext<'_>) {
        match take(&mut self.preparing) {
            Some(Outcome::Done(path)) => {
                self.switch(LabelModel::Base(path));
                self.wants_update = true;
            }
            Some(Outcome::Failed(message)) => offer_training(message, context),
            Some(Outcome::Cancelled) | None => {}
        }
    }
}

/// There is nothing to learn with: what helps at once is a network of one's own.
fn offer_training(message: String, context: &ViewContext<'_>) {
    if context.training != TrainingState::Idle {
        context.commands.toast(Level::Warning, message);
        return;
    }
    let notice = Notice::new(Level::Warning, message).about(Subject::Suggestions);
    let train = AppCommand::Ui(UiCommand::TrainFirst);
    context.commands.notify(notice.offering(UiCommand::TrainFirst.text(), train));
}
