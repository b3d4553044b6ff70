//! The menu of an image, and the same as buttons for several at once.

use egui::{Response, Ui};

use super::context_menu::{context_menu, lead_keyboard_to};
use crate::app::command::ImageAction;

/// The menu of a right click, or of the menu key, on so many images; returns what was chosen.
pub fn image_menu(response: &Response, count: usize, offers: &[ImageAction]) -> Option<ImageAction> {
    let mut chosen = None;
    context_menu(response, |ui| {
        for action in offers.iter().filter(|action| count == 1 || action.is_for_many()) {
            if entry_ui(ui, action.icon(), action.text(count)) {
                chosen = Some(*action);
            }
        }
    });
    chosen
}

/// A button for each of the offers that is for several images.
pub fn image_buttons_ui(ui: &mut Ui, count: usize, offers: &[ImageAction]) -> Option<ImageAction> {
    let offers = offers.iter().filter(|action| action.is_for_many());
    let mut pressed = offers.filter(|action| named(ui, action.icon(), action.text(count)).clicked());
    pressed.next().copied()
}

/// An entry of a menu; returns whether it was chosen, which closes the menu.
pub fn entry_ui(ui: &mut Ui, icon: &str, text: &str) -> bool {
    entry_response_ui(ui, icon, text).clicked()
}

/// As [`entry_ui`], for what the keyboard is led to.
pub fn entry_response_ui(ui: &mut Ui, icon: &str, text: &str) -> Response {
    let response = named(ui, icon, text);
    lead_keyboard_to(&response);
    if response.clicked() {
        ui.close();
    }
    response
}

fn named(ui: &mut Ui, icon: &str, text: &str) -> Response {
    let button = ui.button(format!("{icon}  {text}"));
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, text));
    button
}
