//! What is known of the point under the pointer.

use egui::{Pos2, Response, RichText, Ui, Vec2};

use super::super::inspected_run::Loaded;
use crate::app::context::ViewContext;
use crate::app::services::thumbnails::Thumbnail;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::fit;
use crate::app::widgets::name::Name;

const PIXELS: u32 = 256;
const PICTURE: f32 = 36.0 * GRID;

/// A longer name is shortened.
const WIDEST: f32 = 40.0 * GRID;

/// Shows it beside the point.
pub fn ui(
    ui: &Ui,
    canvas: &Response,
    at: Pos2,
    loaded: &Loaded,
    item: usize,
    in_focus: usize,
    context: &mut ViewContext<'_>,
) {
    let (layer, id) = (ui.layer_id(), canvas.id.with("point"));
    let tooltip = egui::Tooltip::always_open(ui.ctx().clone(), layer, id, at).gap(14.0);
    tooltip.show(|ui| {
        ui.set_max_width(PICTURE + 20.0 * GRID);
        if let Some(path) = loaded.image_of(item) {
            picture_ui(ui, path, context);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Name::strong(&name).path().ui(ui);
        }
        let part = loaded.inspection.parts[item].adjective();
        ui.label(theme::caption(context.tokens, format!("{part} image")));
        for (index, task) in loaded.inspection.tasks.iter().enumerate() {
            let color = context.tokens.task(task.in_dataset.unwrap_or(index));
            let label = |class: u32| task.task.labels.get(class as usize).map_or("", String::as_str);
            let name = &task.task.name;
            let name = if index == in_focus { Name::strong(name) } else { Name::new(name) };
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = GRID;
                name.color(color).at_most(WIDEST).ui(ui);
                Name::new(task.labels[item].map_or("\u{2013}", label)).at_most(WIDEST).ui(ui);
                if task.is_right(item) == Some(true) {
                    ui.label(RichText::new(icons::CHECK).color(context.tokens.success));
                } else {
                    let color =
                        task.is_right(item).map_or(context.tokens.text_weak, |_| context.tokens.error);
                    let said = format!("{} {}", icons::ARROW_RIGHT, label(task.predicted[item]));
                    Name::new(&said).color(color).at_most(WIDEST).ui(ui);
                }
                let confidence = format!("{:.0} %", 100.0 * task.confidence(item));
                ui.label(theme::caption(context.tokens, confidence));
            });
        }
    });
}

fn picture_ui(ui: &mut Ui, path: &std::path::Path, context: &mut ViewContext<'_>) {
    match context.thumbnails.get(path, PIXELS) {
        Thumbnail::Ready(texture) => {
            let size = fit(texture.size_vec2(), Vec2::splat(PICTURE), 3.0);
            ui.add(egui::Image::new((texture.id(), size)).corner_radius(4));
        }
        Thumbnail::Loading => {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(PICTURE), egui::Sense::hover());
            ui.painter().rect_filled(rect, 4.0, context.tokens.card);
        }
        Thumbnail::Failed(message) => {
            ui.label(RichText::new(message).color(context.tokens.warning));
        }
    }
}
