//! Train: settings, charts and earlier runs.

use super::command::UiCommand;
use super::context::ViewContext;
use crate::training::{self, events::Event, run_folder::RunRecord};

/// The Train place.
#[derive(Default)]
pub struct TrainView {}

impl TrainView {
    /// Shows it.
    pub fn ui(&mut self, ui: &mut egui::Ui, context: &mut ViewContext<'_>) {
        let _ = context;
        ui.label("Train");
    }

    /// Another project was opened (or read again), or closed.
    pub fn on_project(&mut self, context: &mut ViewContext<'_>) {
        let _ = context;
    }

    /// An action that is about training: start with the settings shown.
    pub fn on_command(&mut self, command: UiCommand, context: &mut ViewContext<'_>) {
        let _ = (command, context);
    }

    /// A run begins; its events follow.
    pub fn on_start(&mut self, request: &training::Request) {
        let _ = request;
    }

    /// The run in progress says something.
    pub fn on_event(&mut self, event: &Event) {
        let _ = event;
    }

    /// Lays the curves of a run over the charts.
    pub fn open_run(&mut self, run: RunRecord) {
        drop(run);
    }
}
