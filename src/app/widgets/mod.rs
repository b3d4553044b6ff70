//! Small parts that several places share. A widget is a value with builder methods and one `ui()`.

pub mod chart;
pub mod probability_bars;
pub mod run_list;

use egui::{Response, RichText, Role, Stroke, Ui, Vec2, WidgetInfo};

use super::command::{CommandSender, UiCommand};
use super::theme::{self, GRID, Tokens};

/// A button that sends a command: icon, text, tooltip with the shortcut.
pub fn command_button(ui: &mut Ui, commands: &CommandSender, command: UiCommand) -> Response {
    let button = egui::Button::new(format!("{}  {}", command.icon(), command.text()));
    finish(ui, button, commands, command)
}

/// As [`command_button`], in the accent's colour: the next step. One per place.
pub fn primary_button(ui: &mut Ui, commands: &CommandSender, command: UiCommand) -> Response {
    let tokens = Tokens::of(ui.ctx());
    let text = format!("{}  {}", command.icon(), command.text());
    let button = egui::Button::new(RichText::new(text).color(tokens.on_accent))
        .fill(tokens.accent)
        .stroke(Stroke::new(1.0, tokens.accent));
    finish(ui, button, commands, command)
}

/// As [`command_button`], with the icon alone.
pub fn icon_button(ui: &mut Ui, commands: &CommandSender, command: UiCommand) -> Response {
    let button = egui::Button::new(RichText::new(command.icon()).size(16.0)).frame_when_inactive(false);
    finish(ui, button, commands, command)
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
