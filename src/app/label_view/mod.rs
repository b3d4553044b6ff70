//! Label: each image gets a label for every task, from the keyboard.

use egui::Ui;

use super::context::ViewContext;

/// The Label place.
#[derive(Default)]
pub struct LabelView {}

impl LabelView {
    /// Shows it.
    pub fn ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        let _ = (ui, context);
    }

    /// Another project was opened: what belonged to the old one goes.
    pub fn on_project(&mut self, same_file: bool) {
        if !same_file {
            *self = Self::default();
        }
    }
}
