//! The selected row: its image large, its labels, its problems.

use egui::{Grid, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo};

use super::table::dot_ui;
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::icons;
use crate::app::project::{ImageSource, Project};
use crate::app::theme::{self, GRID};
use crate::app::thumbnails::Thumbnail;
use crate::app::widgets::{empty_place, fit};

/// Side of the decoded picture.
const PIXELS: u32 = 1024;

/// Shows it, or how to select one.
pub fn ui(ui: &mut Ui, project: &Project, selected: Option<usize>, context: &mut ViewContext<'_>) {
    let dataset = &project.dataset;
    let Some((index, row)) = selected.and_then(|index| Some((index, dataset.rows.get(index)?))) else {
        let text = "Choose a row, or go from row to row with the arrow keys.";
        empty_place(ui, icons::IMAGE, "No row chosen", text, |_| {});
        return;
    };
    let tokens = context.tokens;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        image_ui(ui, &row.image, context);
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

fn image_ui(ui: &mut Ui, path: &std::path::Path, context: &mut ViewContext<'_>) {
    let tokens = context.tokens;
    let width = ui.available_width();
    let space = Vec2::new(width, (ui.clip_rect().height() * 0.55).clamp(40.0 * GRID, 140.0 * GRID));
    let frame_rect =
        |ui: &mut Ui, height: f32| ui.allocate_exact_size(Vec2::new(width, height), Sense::hover());
    match context.thumbnails.get(path, PIXELS) {
        Thumbnail::Ready(texture) => {
            // A small image may grow, but not until it is all blocks.
            let size = fit(texture.size_vec2(), space, 3.0);
            let (rect, response) = frame_rect(ui, size.y);
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, path.display().to_string()));
            let rect = egui::Rect::from_center_size(rect.center(), size);
            egui::Image::new((texture.id(), size)).corner_radius(4).paint_at(ui, rect);
        }
        Thumbnail::Loading => {
            let (rect, _) = frame_rect(ui, space.y);
            ui.painter().rect_filled(rect, 4.0, tokens.card);
        }
        Thumbnail::Failed(message) => {
            let (rect, _) = frame_rect(ui, 40.0 * GRID);
            ui.painter().rect_filled(rect, 4.0, tokens.card);
            let font = egui::FontId::proportional(32.0);
            ui.painter().text(
                rect.center(),
                egui::Align2::CENTER_CENTER,
                icons::WARNING,
                font,
                tokens.warning,
            );
            ui.add(egui::Label::new(RichText::new(message).color(tokens.warning)).wrap());
        }
    }
}
