//! Suggestions before anything was trained: a backbone whose weights are on this computer becomes the model without
//! being asked for, and its features are computed while the user begins to label.

use std::path::PathBuf;

use tasklens_data::config::{Backbone, Pretrained};
use tasklens_net::model::pretrained;
use tasklens_net::training::base_network::{self, AtHand};

use super::{LabelModel, ModelSession};
use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Outcome, take};

/// The search for such a backbone.
pub(super) struct Ahead {
    /// Where public weights are.
    pub(super) cached: fn(Backbone) -> Option<PathBuf>,
    /// The settings of the last search.
    looked_with: Option<(Backbone, Pretrained)>,
    looking: Option<Job<AtHand>>,
    /// What the user can do where none was found.
    advice: Option<String>,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { cached: pretrained::cached, looked_with: None, looking: None, advice: None }
    }
}

impl Ahead {
    /// Searches again: what was found may be in use no more.
    pub(super) fn look_again(&mut self) {
        self.looked_with = None;
    }
}

impl ModelSession {
    /// A session that takes public weights from there.
    pub fn with_weights(cached: fn(Backbone) -> Option<PathBuf>) -> Self {
        Self { ahead: Ahead { cached, ..Ahead::default() }, ..Self::default() }
    }

    /// Where public weights are.
    pub fn weights(&self) -> fn(Backbone) -> Option<PathBuf> {
        self.ahead.cached
    }

    /// What the user can do to get suggestions, where no model gives any.
    pub fn advice(&self) -> Option<&str> {
        self.ahead.advice.as_deref().filter(|_| self.model == LabelModel::None)
    }

    /// Searches once for a backbone that is on this computer.
    pub(super) fn look_ahead(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        let model = &project.config.model;
        let with = (model.backbone, model.pretrained.clone());
        if self.ahead.looking.is_some()
            || self.preparing.is_some()
            || self.ahead.looked_with.as_ref() == Some(&with)
        {
            return;
        }
        (self.ahead.looked_with, self.ahead.advice) = (Some(with), None);
        let (config, images, cached) =
            (project.config.clone(), project.dataset.rows.len(), self.ahead.cached);
        let look = move |_: &_| base_network::prepare_at_hand(&config, images, &cached);
        self.ahead.looking =
            Some(context.jobs.start_quietly("Looking for a network to suggest labels", look));
    }

    pub(super) fn poll_ahead(&mut self, context: &ViewContext<'_>) {
        match take(&mut self.ahead.looking) {
            // Meanwhile the user may have chosen, or a run have come.
            Some(Outcome::Done(AtHand::Network(path))) if self.model == LabelModel::None => {
                self.switch(LabelModel::Base(path));
                self.wants_update = true;
            }
            Some(Outcome::Done(AtHand::None(line))) => self.ahead.advice = Some(line),
            Some(Outcome::Failed(message)) => context.commands.toast(Level::Warning, message),
            Some(Outcome::Done(AtHand::Network(_)) | Outcome::Cancelled) | None => {}
        }
    }
}
