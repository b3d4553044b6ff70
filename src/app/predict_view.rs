//! Predict: images from anywhere and what a network says about them.

use std::path::PathBuf;

use super::command::UiCommand;
use super::context::ViewContext;
use super::project::ImageSource;

/// The Predict place.
#[derive(Default)]
pub struct PredictView {}

impl PredictView {
    /// Shows it.
    pub fn ui(&mut self, ui: &mut egui::Ui, context: &mut ViewContext<'_>) {
        let _ = context;
        ui.label("Predict");
    }

    /// An action that is about prediction, such as typing a URL.
    pub fn on_command(&mut self, command: UiCommand, context: &mut ViewContext<'_>) {
        let _ = (command, context);
    }

    /// Images dropped, pasted, chosen, or given as addresses: they join the list.
    pub fn add_images(&mut self, images: Vec<ImageSource>) {
        drop(images);
    }

    /// Predict with this checkpoint or run folder from now on.
    pub fn set_model(&mut self, model_or_run: PathBuf) {
        drop(model_or_run);
    }

    /// Called once a frame, also when the view is not shown: take in finished jobs.
    pub fn poll(&mut self, context: &mut ViewContext<'_>) {
        let _ = context;
    }
}
