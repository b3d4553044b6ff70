//! Labels that the user and another program changed differently: the user decides, nothing is lost meanwhile.

use egui::{Grid, Label, ScrollArea};
use tasklens_data::dataset::edits::merge::OnConflict;

use crate::app::App;
use crate::app::command::AppCommand;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::name::Name;

/// So many are listed.
const MOST: usize = 200;

impl App {
    /// Asks, where the CSV has other labels by now than those that were edited.
    pub(super) fn conflicts_ui(&mut self, ctx: &egui::Context) {
        let Some(edits) = self.edits.as_ref().filter(|edits| !edits.conflicts().is_empty()) else { return };
        let tokens = Tokens::of(ctx);
        let conflicts = edits.conflicts();
        let mut answer = None;
        egui::Modal::new(egui::Id::unique("label conflicts")).show(ctx, |ui| {
            ui.set_max_width(150.0 * GRID);
            ui.label(theme::heading("The CSV was changed by another program"));
            let text = format!(
                "{} of your labels differ from those now in the file. The others are saved.",
                conflicts.len()
            );
            ui.add(Label::new(theme::caption(tokens, text)).wrap());
            ui.add_space(2.0 * GRID);
            ScrollArea::vertical().max_height(75.0 * GRID).show(ui, |ui| {
                Grid::new("conflicts").num_columns(4).spacing([6.0 * GRID, 1.5 * GRID]).show(ui, |ui| {
                    for heading in ["Image", "Task", "Yours", "In the file"] {
                        ui.label(theme::caption(tokens, heading));
                    }
                    ui.end_row();
                    for conflict in conflicts.iter().take(MOST) {
                        let (after, cell) = (conflict.edit.after.as_deref(), conflict.cell.as_deref());
                        Name::new(&conflict.edit.image).path().at_most(50.0 * GRID).ui(ui);
                        Name::new(&conflict.edit.task).at_most(25.0 * GRID).ui(ui);
                        Name::new(after.unwrap_or("\u{2013}")).at_most(25.0 * GRID).ui(ui);
                        Name::new(cell.unwrap_or("\u{2013}")).at_most(25.0 * GRID).ui(ui);
                        ui.end_row();
                    }
                });
            });
            ui.add_space(3.0 * GRID);
            ui.horizontal(|ui| {
                if ui.button("Use mine").clicked() {
                    answer = Some(OnConflict::Overwrite);
                }
                if ui.button("Use the file\u{2019}s").clicked() {
                    answer = Some(OnConflict::GiveUp);
                }
                if ui.button("Decide later").on_hover_text("They stay as edits beside the CSV").clicked() {
                    answer = Some(OnConflict::Ask);
                }
            });
        });
        if let Some(answer) = answer {
            self.commands.send(AppCommand::SettleConflicts(answer));
        }
    }
}
