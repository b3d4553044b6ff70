//! Where the keyboard is.

use egui::{Response, Stroke, StrokeKind, Ui};

use crate::app::theme::{RADIUS, Tokens};

/// Draws a frame around what has the keyboard, over what is painted by hand: egui's own widgets have theirs. What the
/// keyboard comes to is scrolled into sight.
pub fn focus_ring(ui: &Ui, response: &Response) {
    if response.gained_focus() {
        ui.scroll_to_rect(response.rect, None);
    }
    if response.has_focus() {
        let stroke = Stroke::new(2.0, Tokens::of(ui.ctx()).accent_text);
        ui.painter().rect_stroke(response.rect.shrink(1.0), RADIUS, stroke, StrokeKind::Inside);
    }
}

/// The same around what has the colour of the frame itself.
pub fn ring_around(ui: &Ui, response: &Response) {
    if response.has_focus() {
        let stroke = Stroke::new(2.0, Tokens::of(ui.ctx()).text);
        ui.painter().rect_stroke(response.rect.expand(1.0), RADIUS, stroke, StrokeKind::Outside);
    }
}
