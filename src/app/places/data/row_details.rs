//! The selected row: its image large, its labels, its problems.

use egui::{Grid, RichText, ScrollArea, Ui};

use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::services::project::{ImageSource, Project};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::large_image::large_image_ui;
use crate::app::widgets::{dot_ui, empty_place};

/// Shows it, or how to select one.
pub fn ui(ui: &mut Ui, project: &Project, selected: Option<usize>, context: &mut ViewContext<'_>) {
    let dataset = &project.dataset;
    let Some((index, row)) = selected.and_then(|index| Some((index, dataset.rows.get(index)?))) else {
        let text = "Select a row, or move through the rows with the arrow keys.";
        empty_place(ui, icons::IMAGE, "No row selected", text, |_| {});
        return;
    };
    let tokens = context.tokens;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let height = (ui.clip_rect().height() * 0.55).clamp(40.0 * GRID, 140.0 * GRID);
        large_image_ui(ui, &row.image, height, context);
        ui.add_space(2.0 * GRID);
        let path = dataset.table.cell(index, dataset.columns.path);
        ui.add(egui::Label::new(theme::strong(path)).wrap().selectable(true));
        ui.label(theme::caption(tokens, format!("line {} of the CSV", dataset.table.line_of_row(index))));
        ui.add_space(2.0 * GRID);
        Grid::new("labels of row").num_columns(2).spacing([6.0 * GRID, 2.0 * GRID]).show(ui, |ui| {
            for (position, (task, label)) in dataset.tasks.iter().zip(&row.labels).enumerate() {
                ui.horizontal(|ui| {
                    dot_ui(ui, tokens, position);
                    ui.label(RichText::new(&task.name).color(tokens.text_weak));
                });
                match label.and_then(|class| task.labels.get(class as usize)) {
                    Some(label) => ui.label(theme::strong(label)),
                    None => ui.label(RichText::new("no label").color(tokens.text_weak)),
                };
                ui.end_row();
            }
        });
        for problem in dataset.problems.iter().filter(|problem| problem.row == Some(index)) {
            ui.add_space(GRID);
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(icons::WARNING).color(tokens.warning));
                ui.add(egui::Label::new(RichText::new(&problem.message).size(theme::TEXT_SMALL)).wrap());
            });
        }
        ui.add_space(3.0 * GRID);
        if ui.button(format!("{}  Predict this image", icons::CROSSHAIR)).clicked() {
            context.commands.send(AppCommand::OpenImages(vec![ImageSource::Path(row.image.clone())]));
        }
    });
}
