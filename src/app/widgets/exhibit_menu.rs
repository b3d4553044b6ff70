//! The menu of a chart or a table of numbers: copy it, or save it.

use egui::{Button, Response, RichText, Role, Ui, WidgetInfo};

use super::image_menu::entry_ui;
use crate::app::services::figure::{FigureAction, FigureForm};
use crate::app::theme::{TEXT_BODY, icons};

/// The button of the menu; returns what was chosen. `has_picture`: there is more than values.
pub fn button_ui(ui: &mut Ui, title: &str, has_picture: bool) -> Option<FigureAction> {
    let mut chosen = None;
    let dots =
        Button::new(RichText::new(icons::DOTS_THREE).size(TEXT_BODY)).frame_when_inactive(false).small();
    let menu = egui::containers::menu::MenuButton::from_button(dots);
    let (button, _) = menu.ui(ui, |ui| chosen = entries_ui(ui, has_picture));
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Chart actions: {title}")));
    button.on_hover_text("Copy or save");
    chosen
}

/// The same under a right click or the menu key.
pub fn context_menu(response: &Response, has_picture: bool) -> Option<FigureAction> {
    super::context_menu::context_menu(response, |ui| entries_ui(ui, has_picture)).flatten()
}

fn entries_ui(ui: &mut Ui, has_picture: bool) -> Option<FigureAction> {
    let all = [
        (icons::IMAGE, "Copy as picture", FigureAction::CopyPicture),
        (icons::CLIPBOARD, "Copy values", FigureAction::CopyValues),
        (icons::FLOPPY_DISK, "Save as PNG\u{2026}", FigureAction::Save(FigureForm::Png)),
        (icons::FLOPPY_DISK, "Save as SVG\u{2026}", FigureAction::Save(FigureForm::Svg)),
        (icons::FLOPPY_DISK, "Save as CSV\u{2026}", FigureAction::Save(FigureForm::Csv)),
    ];
    let is_of_values =
        |action| matches!(action, FigureAction::CopyValues | FigureAction::Save(FigureForm::Csv));
    let mut chosen = None;
    for (icon, text, action) in all.into_iter().filter(|(_, _, action)| has_picture || is_of_values(*action))
    {
        if entry_ui(ui, icon, text) {
            chosen = Some(action);
        }
    }
    chosen
}
