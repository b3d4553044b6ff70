//! The heads learn from the labels so far, and the backbone that they need is prepared where there is no run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Learnt, Model, Session};
use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::jobs::{Outcome, take};
use crate::labelling::candidates;
use crate::training::base_network;

/// The model is updated by itself after so many new labels, or after one for so many that it knows.
const ENOUGH_NEW: usize = 20;
const SHARE_NEW: usize = 20;
/// An update that takes longer than this is not made by itself.
const PATIENCE: Duration = Duration::from_secs(20);

impl Session {
    pub(super) fn poll_update(&mut self, context: &ViewContext<'_>) {
        match take(&mut self.updating) {
            Some(Outcome::Done(Some((suggestions, labels)))) => {
                let took = self.update_began.take().map_or(Duration::ZERO, |began| began.elapsed());
                self.learnt = Some(Learnt { labels, at: Instant::now(), took });
                self.current = Some(Arc::new(suggestions));
                self.version += 1;
            }
            Some(Outcome::Failed(message)) => {
                self.updates_itself = false;
                context.commands.toast(Level::Error, message);
            }
            Some(Outcome::Cancelled) => self.updates_itself = false,
            Some(Outcome::Done(None)) | None => {}
        }
    }

    /// Whether enough has changed for an update that nobody asked for.
    fn is_due(&self) -> bool {
        let known = self.learnt.map_or(0, |learnt| learnt.labels);
        let is_quick = self.learnt.is_none_or(|learnt| learnt.took < PATIENCE);
        self.updates_itself && is_quick && self.new_labels >= ENOUGH_NEW.max(known / SHARE_NEW)
    }

    pub(super) fn start_update(&mut self, context: &ViewContext<'_>) {
        let (Some(project), Some(read)) = (context.project, &self.read) else { return };
        if self.updating.is_some() || !(self.wants_update || self.is_due()) {
            return;
        }
        // While the first images are on their way, there is nothing to learn from.
        if read.suggestions.rows().is_empty() {
            return;
        }
        if let Some(edits) = context.edits {
            // A project that was read again counts anew.
            let since = self.wanted_since.map_or(edits.version(), |since| since.min(edits.version()));
            self.wanted_since = Some(since);
            if edits.version_of_rows() < since {
                return;
            }
        }
        (self.wants_update, self.wanted_since, self.new_labels) = (false, None, 0);
        let (network, dataset) = (Arc::clone(&read.suggestions), Arc::clone(&project.dataset));
        let seed = project.config.model.random_seed;
        self.update_began = Some(Instant::now());
        self.updating = Some(context.jobs.start("Updating the model", move |progress| {
            let labels = candidates::labels(&dataset);
            let count = labels.iter().flatten().flatten().count();
            let updated = network.updated(&dataset.tasks, &labels, seed, &mut |done, of| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })?;
            Ok(updated.map(|updated| (updated.mixed_with(&network, &labels), count)))
        }));
    }

    /// Whether there is a model to learn with; without, [`Session::prepare`] makes one.
    pub fn has_model(&self) -> bool {
        self.model.path().is_some()
    }

    /// The backbone with its public weights becomes the model: it needs no run.
    pub fn prepare(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project.filter(|_| self.preparing.is_none()) else { return };
        let config = project.config.clone();
        self.preparing = Some(context.jobs.start("Preparing the ImageNet backbone", move |progress| {
            base_network::prepare(&config, &|done, of| progress.set(done, of), &|| progress.keep_going())
        }));
    }

    pub(super) fn poll_preparing(&mut self, context: &ViewContext<'_>) {
        match take(&mut self.preparing) {
            Some(Outcome::Done(path)) => {
                self.choose(Model::Base(path));
                self.wants_update = true;
            }
            Some(Outcome::Failed(message)) => context.commands.toast(Level::Warning, message),
            Some(Outcome::Cancelled) | None => {}
        }
    }
}
