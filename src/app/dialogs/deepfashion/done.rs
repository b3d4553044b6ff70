//! What an import made, and what it left out.

use egui::{Button, Grid, Label, RichText, ScrollArea, Ui};
use tasklens_data::dataset::import::deepfashion::Imported;
use tasklens_data::text::{capitalised, counted_grouped, grouped};

use super::ImportAnswer;
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::accent_button;

pub(super) fn ui(ui: &mut Ui, context: &ViewContext<'_>, imported: &Imported) -> ImportAnswer {
    let tokens = context.tokens;
    ui.label(theme::heading("DeepFashion is imported"));
    ui.add_space(GRID);
    let height = (ui.ctx().content_rect().height() - 48.0 * GRID).max(30.0 * GRID);
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        ui.label(theme::strong(imported.images())).on_hover_text(imported.table.display().to_string());
        ui.add(Label::new(theme::caption(tokens, capitalised(imported.origin()))).wrap());
        ui.add_space(2.0 * GRID);
        ui.scope(|ui| left_out_ui(ui, tokens, imported));
        ui.add_space(2.0 * GRID);
        ui.scope(|ui| tasks_ui(ui, tokens, imported));
        ui.add_space(2.0 * GRID);
        ui.add(Label::new(theme::caption(tokens, imported.training_line())).wrap());
        for note in imported.training.lacks.iter().chain(&imported.notices) {
            ui.add(Label::new(theme::caption(tokens, format!("{}  {note}", icons::INFO))).wrap());
        }
    });
    ui.add_space(2.0 * GRID);
    let mut answer = ImportAnswer::Stay;
    ui.horizontal(|ui| {
        if accent_button(ui, icons::FOLDER_OPEN, "Open project", true).clicked() {
            context.commands.send(AppCommand::OpenPath(imported.config.clone()));
            answer = ImportAnswer::Leave;
        }
        if ui.add(Button::new("Import again")).clicked() {
            answer = ImportAnswer::Again;
        }
        if ui.add(Button::new("Close")).clicked() {
            answer = ImportAnswer::Leave;
        }
    });
    answer
}

/// The problems by kind, and where all of them are.
fn left_out_ui(ui: &mut Ui, tokens: &Tokens, imported: &Imported) {
    if imported.problems.is_empty() {
        let text = format!("{}  Nothing was left out.", icons::CHECK_CIRCLE);
        ui.label(RichText::new(text).color(tokens.success));
        return;
    }
    let count = counted_grouped(imported.problems.len(), "problem");
    let text = format!("{}  {count}: what cannot be used was left out", icons::WARNING);
    ui.label(RichText::new(text).color(tokens.warning));
    ui.spacing_mut().interact_size.y = 5.0 * GRID;
    let grid = Grid::new("what was left out").num_columns(2).spacing([4.0 * GRID, 0.0]);
    grid.show(ui, |ui| {
        for (kind, found) in imported.problems_by_kind(1) {
            ui.label(grouped(found.count as u64));
            let first = found.first.first().and_then(|place| imported.problems.get(*place));
            let label = ui.add(Label::new(kind).truncate());
            if let Some(first) = first {
                label.on_hover_text(first.to_string());
            }
            ui.end_row();
        }
    });
    if let Some(report) = &imported.report {
        let name = report.file_name().unwrap_or(report.as_os_str()).to_string_lossy();
        let text = format!("{name} beside the CSV has all of them, with file and line.");
        ui.label(theme::caption(tokens, text)).on_hover_text(report.display().to_string());
    }
}

fn tasks_ui(ui: &mut Ui, tokens: &Tokens, imported: &Imported) {
    ui.label(theme::strong("Tasks"));
    ui.spacing_mut().interact_size.y = 5.0 * GRID;
    Grid::new("tasks").num_columns(2).spacing([4.0 * GRID, 0.0]).show(ui, |ui| {
        for (task, labels) in &imported.tasks {
            ui.label(task);
            ui.add(Label::new(theme::caption(tokens, labels.join(", "))).truncate());
            ui.end_row();
        }
    });
}
