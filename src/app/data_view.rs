//! Data: the rows, their labels, and what is wrong with them.

use super::context::ViewContext;

/// The Data place.
#[derive(Default)]
pub struct DataView {
    selected: Option<usize>,
}

impl DataView {
    /// Shows it.
    pub fn ui(&mut self, ui: &mut egui::Ui, context: &mut ViewContext<'_>) {
        let _ = context;
        ui.label("Data");
    }

    /// Selects a row and scrolls to it.
    pub fn select(&mut self, row: usize) {
        self.selected = Some(row);
    }
}
