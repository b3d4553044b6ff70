//! The menu of a label.

use egui::{Response, Ui};

use super::context_menu::context_menu;
use super::image_menu::entry_ui;
use crate::app::command::LabelAction;

/// The menu under a right click or the menu key, where `offers` is asked once it is open; returns what was chosen.
pub fn label_menu(response: &Response, offers: impl FnOnce() -> Vec<LabelAction>) -> Option<LabelAction> {
    context_menu(response, |ui| label_entries_ui(ui, &offers())).flatten()
}

/// Its entries; returns the one that was chosen.
pub fn label_entries_ui(ui: &mut Ui, offers: &[LabelAction]) -> Option<LabelAction> {
    let mut chosen = None;
    for action in offers {
        if entry_ui(ui, action.icon(), action.text()) {
            chosen = Some(*action);
        }
    }
    chosen
}
