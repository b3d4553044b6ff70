//! A glyph that stays pressed.

use egui::{Button, Response, RichText, Role, Ui, Vec2, WidgetInfo};

use super::padded;
use crate::app::theme::{GRID, Tokens};

/// A button with a glyph alone that is pressed or not; `name` is its accessible name. As high as a button with text.
pub fn toggle_glyph(ui: &mut Ui, glyph: &str, name: &str, is_on: bool) -> Response {
    let tokens = Tokens::of(ui.ctx());
    let color = if is_on { tokens.accent_text } else { tokens.text };
    let button = Button::new(RichText::new(glyph).size(16.0).color(color)).selected(is_on);
    let button = button.frame_when_inactive(is_on).min_size(Vec2::splat(7.0 * GRID));
    let response = padded(ui, Vec2::ZERO, |ui| ui.add(button));
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_on, name));
    response
}
