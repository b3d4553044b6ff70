//! What surrounds the places: rail, status bar, toasts, log.

use egui::{CentralPanel, Panel};

use super::App;
use super::command::{Level, Place};
use super::theme::Tokens;

/// What happened so far.
#[derive(Default)]
pub struct Log {
    lines: Vec<(Level, String)>,
}

impl Log {
    /// Adds a line.
    pub fn push(&mut self, level: Level, message: String) {
        self.lines.push((level, message));
    }
}

impl App {
    pub(super) fn shell_ui(&mut self, ui: &mut egui::Ui) {
        let tokens = Tokens::of(ui.ctx());
        Panel::left("rail").exact_size(72.0).frame(tokens.panel_frame()).show(ui, |ui| {
            for place in Place::ALL {
                if ui.selectable_label(self.place == place, place.name()).clicked() {
                    self.commands.ui(place.command());
                }
            }
        });
        CentralPanel::no_frame().frame(tokens.canvas_frame()).show(ui, |ui| {
            let place = self.place;
            let (views, mut context) = self.split();
            match place {
                Place::Data => views.data.ui(ui, &mut context),
                Place::Train => views.train.ui(ui, &mut context),
                Place::Predict => views.predict.ui(ui, &mut context),
            }
        });
        self.toasts.show(ui.ctx());
    }
}
