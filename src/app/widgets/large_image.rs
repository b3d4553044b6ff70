//! The image of a file in its own shape, as large as there is room; decoded off the UI thread.

use std::path::Path;

use egui::{RichText, Role, Sense, Ui, Vec2, WidgetInfo};

use super::fit;
use crate::app::context::ViewContext;
use crate::app::services::thumbnails::Thumbnail;
use crate::app::theme::GRID;
use crate::app::theme::icons;

/// Side of the decoded picture.
const PIXELS: u32 = 1024;

/// Shows the image of a file as wide as there is room and at most `height` high, or why there is none.
pub fn large_image_ui(ui: &mut Ui, path: &Path, height: f32, context: &mut ViewContext<'_>) {
    let tokens = context.tokens;
    let width = ui.available_width();
    let space = Vec2::new(width, height);
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
