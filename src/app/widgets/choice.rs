//! A menu of a few values, one of which is chosen.

use egui::{ComboBox, Role, Ui, WidgetInfo};

/// The menu; `name` is its accessible name. Returns whether another value was chosen.
pub fn choice_ui<T: Clone + PartialEq>(
    ui: &mut Ui,
    name: &str,
    width: f32,
    all: &[(T, &str)],
    chosen: &mut T,
) -> bool {
    let before = chosen.clone();
    let text = all.iter().find(|(value, _)| value == chosen).map_or("", |(_, text)| *text);
    let menu = ComboBox::from_id_salt(name).selected_text(text).width(width).show_ui(ui, |ui| {
        for (value, text) in all {
            ui.selectable_value(chosen, value.clone(), *text);
        }
    });
    menu.response.widget_info(|| combo(name, text));
    *chosen != before
}

/// What a menu is to a screen reader.
pub fn combo(name: &str, value: &str) -> WidgetInfo {
    let mut info = WidgetInfo::labeled(Role::ComboBox, true, name);
    info.current_text_value = Some(value.to_owned());
    info
}
