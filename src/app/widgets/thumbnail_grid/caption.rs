//! What stands below a picture.

use egui::{Align2, Color32, FontId, Rect, Ui, pos2};

use crate::app::theme::{GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::name::shortened;

const ICON: f32 = 4.5 * GRID;

/// One line below a picture: an icon, a text that gives way, and a number at the right.
pub struct CaptionLine<'a> {
    /// Glyph and colour.
    pub icon: (&'a str, Color32),
    /// Text and colour.
    pub text: (&'a str, Color32),
    /// The text's font.
    pub font: FontId,
    /// At the right; may be empty.
    pub value: &'a str,
}

impl CaptionLine<'_> {
    /// Paints it in `area`.
    pub fn ui(&self, ui: &Ui, tokens: &Tokens, area: Rect) {
        let painter = ui.painter();
        let middle = area.center().y;
        let font = FontId::proportional(TEXT_SMALL);
        painter.text(area.left_center(), Align2::LEFT_CENTER, self.icon.0, font.clone(), self.icon.1);
        let value = area.right_center();
        let value = painter.text(value, Align2::RIGHT_CENTER, self.value, font, tokens.text_weak);
        let left = area.left() + ICON;
        let gap = if self.value.is_empty() { 0.0 } else { GRID };
        let text = shortened(ui, self.text.0, self.font.clone(), self.text.1, value.left() - gap - left);
        painter.galley(pos2(left, middle - text.size().y / 2.0), text, self.text.1);
    }
}
