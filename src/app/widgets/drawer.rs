//! A side panel for small windows: it lies over the content while it is wanted, and takes no room otherwise.

use egui::{
    Area, Frame, Id, Key, Layout, Margin, Modifiers, Order, Rect, Response, Sense, Ui, UiBuilder, pos2, vec2,
};

use super::glyph_button;
use crate::app::theme::icons;
use crate::app::theme::{GRID, Tokens};

/// What remains in sight of the content.
const LEAST_BESIDE: f32 = 12.0 * GRID;

/// Whether the panel is open. See the module's docs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawer {
    is_open: bool,
}

impl Drawer {
    /// Opens it.
    pub fn open(&mut self) {
        self.is_open = true;
    }

    /// The button that opens it; `what` is what the panel has, such as `the tasks`.
    pub fn button_ui(&mut self, ui: &mut Ui, what: &str) -> Response {
        let verb = if self.is_open { "Hide" } else { "Show" };
        let button = glyph_button(ui, icons::SIDEBAR, &format!("{verb} {what}"), true);
        if button.clicked() {
            self.is_open = !self.is_open;
        }
        button
    }

    /// Escape closes it: to be called before anything else takes that key.
    pub fn keys(&mut self, ui: &Ui) {
        if self.is_open && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            self.is_open = false;
        }
    }

    /// While it is open, shows `content` over the right of `area`, up to `width` wide.
    pub fn ui(&mut self, ui: &Ui, what: &str, area: Rect, width: f32, content: impl FnOnce(&mut Ui)) {
        if !self.is_open {
            return;
        }
        let tokens = Tokens::of(ui.ctx());
        let width = width.min(area.width() - LEAST_BESIDE);
        let place = Rect::from_min_max(pos2(area.right() - width, area.top()), area.max);
        let frame = Frame::new()
            .fill(tokens.panel)
            .stroke(egui::Stroke::new(1.0, tokens.line))
            .shadow(ui.visuals().popup_shadow)
            .inner_margin(Margin::same(12));
        let drawer = Area::new(Id::unique(("drawer", what))).order(Order::Middle).fixed_pos(place.min);
        drawer.constrain(false).sense(Sense::hover()).show(ui.ctx(), |ui| {
            frame.show(ui, |ui| {
                let inner = place.size() - vec2(24.0, 24.0);
                ui.set_min_size(inner);
                ui.set_max_size(inner);
                ui.horizontal_top(|ui| {
                    if glyph_button(ui, icons::X, &format!("Close {what}"), true).clicked() {
                        self.is_open = false;
                    }
                    let rest = ui.available_rect_before_wrap();
                    content(&mut ui.new_child(UiBuilder::new().max_rect(rest).layout(Layout::default())));
                });
            });
        });
    }
}
