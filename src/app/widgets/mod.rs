//! Small parts that several places share. A widget is a value with builder methods and one `ui()`.

pub mod chart;
pub mod choice;
pub mod columns;
pub mod confusion_matrix;
pub mod context_menu;
pub mod drawer;
pub mod exhibit_menu;
mod focus;
pub mod glossary;
pub mod heat_map;
pub mod image_menu;
pub mod label_filter;
pub mod label_menu;
pub mod large_image;
pub mod model_menu;
pub mod name;
pub mod probability_bars;
pub mod reliability;
pub mod run_list;
pub mod scatter;
pub mod sentence;
pub mod thumbnail_grid;
mod toggle;
pub mod weights;
pub mod zoom_image;

use std::path::Path;
use std::sync::Arc;

use egui::{Align2, Color32, FontId, Galley, Rect, Response, RichText, Role, Stroke, Ui, Vec2, WidgetInfo};

use crate::app::command::{CommandSender, UiCommand};
use crate::app::context::ViewContext;
use crate::app::services::thumbnails::Thumbnail;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
pub use focus::{focus_ring, ring_around};
pub use toggle::toggle_glyph;

/// What an image is called in a task that makes no sense for it.
pub const DOES_NOT_APPLY: &str = "does not apply";

/// A longer name of a tab is shortened.
const WIDEST_TAB: f32 = 50.0 * GRID;

/// A button that sends a command: icon, text, tooltip with the shortcut.
pub fn command_button(ui: &mut Ui, commands: &CommandSender, command: UiCommand) -> Response {
    let button = egui::Button::new(format!("{}  {}", command.icon(), command.text()));
    finish(ui, button, commands, command)
}

/// As [`command_button`], in the accent's colour: the next step. One per place.
pub fn primary_button(ui: &mut Ui, commands: &CommandSender, command: UiCommand) -> Response {
    let button = accented(ui, command.icon(), command.text());
    let response = finish(ui, button, commands, command);
    ring_around(ui, &response);
    response
}

/// As [`primary_button`], for what is no command of the app.
pub fn accent_button(ui: &mut Ui, icon: &str, name: &str, is_enabled: bool) -> Response {
    let button = accented(ui, icon, name);
    let response = ui.add_enabled(is_enabled, button);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, name));
    ring_around(ui, &response);
    response
}

fn accented(ui: &Ui, icon: &str, text: &str) -> egui::Button<'static> {
    let tokens = Tokens::of(ui.ctx());
    egui::Button::new(RichText::new(format!("{icon}  {text}")).color(tokens.on_accent))
        .fill(tokens.accent)
        .stroke(Stroke::new(1.0, tokens.accent))
}

/// As [`command_button`], with the icon alone.
pub fn icon_button(ui: &mut Ui, commands: &CommandSender, command: UiCommand) -> Response {
    let button = egui::Button::new(RichText::new(command.icon()).size(16.0)).frame_when_inactive(false);
    finish(ui, button, commands, command)
}

/// What a field with this text is to a screen reader.
pub fn field_info(text: &str, name: &str) -> WidgetInfo {
    WidgetInfo { label: Some(name.to_owned()), ..WidgetInfo::text_edit(true, "", text, "") }
}

/// A glyph to press that is no command of the app; `name` is also its tooltip.
pub fn glyph_button(ui: &mut Ui, glyph: &str, name: &str, is_enabled: bool) -> Response {
    let button = egui::Button::new(RichText::new(glyph).size(16.0)).frame_when_inactive(false);
    // As high as a button with text.
    let response =
        padded(ui, Vec2::ZERO, |ui| ui.add_enabled(is_enabled, button.min_size(Vec2::splat(7.0 * GRID))));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, name));
    response.on_hover_text(name)
}

/// How wide a text is in one line, in points.
pub fn width_of(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font, ui.visuals().text_color()).size().x
}

/// Adds buttons with this padding. Not in a scope, in which a row that wraps would not see what comes: it would go over the
/// edge instead.
pub fn padded<R>(ui: &mut Ui, padding: Vec2, add: impl FnOnce(&mut Ui) -> R) -> R {
    let before = std::mem::replace(&mut ui.spacing_mut().button_padding, padding);
    let added = add(ui);
    ui.spacing_mut().button_padding = before;
    added
}

fn finish(ui: &mut Ui, button: egui::Button<'_>, commands: &CommandSender, command: UiCommand) -> Response {
    let shortcut = command.shortcut_text(ui.ctx());
    let enabled = ui.is_enabled();
    let response = ui.add(button);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, command.text()));
    let tooltip = if shortcut.is_empty() {
        command.tooltip().to_owned()
    } else {
        format!("{} ({shortcut})", command.tooltip())
    };
    let response = response.on_hover_text(tooltip);
    if response.clicked() {
        commands.ui(command);
    }
    response
}

/// What an empty place shows: what will be here, and the next step.
pub fn empty_place(ui: &mut Ui, icon: &str, title: &str, text: &str, next_steps: impl FnOnce(&mut Ui)) {
    let tokens = Tokens::of(ui.ctx());
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.28).max(4.0 * GRID));
        ui.label(RichText::new(icon).size(44.0).color(tokens.text_weak));
        ui.add_space(GRID);
        ui.label(theme::heading(title));
        ui.scope(|ui| {
            ui.set_max_width(110.0 * GRID);
            ui.label(RichText::new(text).color(tokens.text_weak));
        });
        ui.add_space(2.0 * GRID);
        next_steps(ui);
    });
}

/// The largest size of `image`'s shape that fits in `space`, at most `scale` times its own size.
pub fn fit(image: Vec2, space: Vec2, scale: f32) -> Vec2 {
    if image.x <= 0.0 || image.y <= 0.0 {
        return Vec2::ZERO;
    }
    image * (space.x / image.x).min(space.y / image.y).min(scale).max(0.0)
}

/// The image of a file in the middle of `space`, decoded to `pixels` on its longer side.
pub fn picture_ui(ui: &Ui, space: Rect, path: &Path, pixels: u32, context: &mut ViewContext<'_>) {
    match context.thumbnails.get(path, pixels) {
        Thumbnail::Ready(texture) => {
            // A small image may grow, but not until it is all blocks.
            let size = fit(texture.size_vec2(), space.size(), 3.0);
            let rect = Rect::from_center_size(space.center(), size);
            egui::Image::new((texture.id(), size)).corner_radius(4).paint_at(ui, rect);
        }
        Thumbnail::Loading => {
            ui.painter().rect_filled(space, 4.0, context.tokens.card);
        }
        Thumbnail::Failed(_) => {
            let font = FontId::proportional(20.0);
            let color = context.tokens.warning;
            ui.painter().text(space.center(), Align2::CENTER_CENTER, icons::WARNING, font, color);
        }
    }
}

/// One of several pages of a place; returns whether it was pressed.
pub fn tab_ui(ui: &mut Ui, tokens: &Tokens, name: &str, here: bool) -> bool {
    let text = tab_text(ui, name, if here { tokens.accent_text } else { tokens.text_weak });
    let is_shortened = text.elided;
    let fill = if here { tokens.selected } else { tokens.panel };
    let tab = ui.add(egui::Button::new(text).fill(fill).stroke(Stroke::NONE));
    tab.widget_info(|| WidgetInfo::selected(Role::Tab, true, here, name));
    focus_ring(ui, &tab);
    let tab = if is_shortened { tab.on_hover_text(theme::in_visual_order(name)) } else { tab };
    tab.clicked()
}

/// How wide a tab is, in points.
pub fn tab_width(ui: &Ui, name: &str) -> f32 {
    tab_text(ui, name, Color32::PLACEHOLDER).size().x + 2.0 * ui.spacing().button_padding.x
}

fn tab_text(ui: &Ui, name: &str, color: Color32) -> Arc<Galley> {
    name::shortened(ui, name, FontId::new(theme::TEXT_BODY, theme::medium()), color, WIDEST_TAB)
}

/// What the keyboard comes to is scrolled into sight, with some of what is around it.
pub fn show_focused(ui: &Ui, response: &Response) {
    if response.gained_focus() {
        ui.scroll_to_rect(response.rect.expand2(Vec2::new(0.0, 10.0 * GRID)), None);
    }
}

/// A dot in the colour of a task.
pub fn dot_ui(ui: &mut Ui, tokens: &Tokens, task: usize) {
    ui.label(RichText::new("\u{25cf}").size(10.0).color(tokens.task(task)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_keeps_its_shape_in_any_space() {
        for (image, space, fitted) in [
            ((200.0, 100.0), (100.0, 100.0), (100.0, 50.0)),
            ((100.0, 200.0), (100.0, 100.0), (50.0, 100.0)),
            ((10.0, 10.0), (100.0, 100.0), (20.0, 20.0)),
        ] {
            assert_eq!(fit(image.into(), space.into(), 2.0), fitted.into());
        }
    }
}
