//! A few values, one of which is chosen: as a menu, or as segments side by side.

use egui::{Button, CornerRadius, Frame, Margin, RichText, Role, Stroke, Ui, WidgetInfo};

use super::name::{combo as combo_of_names, entry_ui};
use crate::app::theme::{self, GRID, RADIUS, Tokens};

/// A value to choose, as the user reads it.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a, T> {
    /// What is chosen with it.
    pub value: T,
    /// One or two words.
    pub name: &'a str,
    /// What it means, in a tooltip or below the name.
    pub meaning: &'a str,
}

impl<'a, T> Choice<'a, T> {
    /// A choice of `value`.
    pub const fn new(value: T, name: &'a str, meaning: &'a str) -> Self {
        Self { value, name, meaning }
    }
}

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
    let menu = combo_of_names(ui, name, text, width).show_ui(ui, |ui| {
        for (value, text) in all {
            if entry_ui(ui, chosen == value, text).clicked() {
                *chosen = value.clone();
            }
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

/// A segmented control: a few choices side by side, all of them in sight. `about` names the group for screen readers.
#[must_use = "segments show themselves with `ui()`"]
pub struct Segments<'a, T> {
    about: &'a str,
    choices: &'a [Choice<'a, T>],
}

impl<'a, T: Copy + PartialEq> Segments<'a, T> {
    /// The choices, from left to right.
    pub fn new(about: &'a str, choices: &'a [Choice<'a, T>]) -> Self {
        Self { about, choices }
    }

    /// Shows them; returns whether another one was chosen.
    pub fn ui(self, ui: &mut Ui, chosen: &mut T) -> bool {
        let tokens = Tokens::of(ui.ctx());
        let before = *chosen;
        let frame = Frame::new().fill(tokens.card).corner_radius(RADIUS).inner_margin(Margin::same(2));
        frame.show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.spacing_mut().button_padding = egui::vec2(2.5 * GRID, GRID);
            ui.spacing_mut().interact_size.y = 6.0 * GRID;
            ui.horizontal(|ui| {
                for Choice { value, name, meaning } in self.choices {
                    let here = before == *value;
                    let text = RichText::new(*name).size(theme::TEXT_SMALL).family(theme::medium());
                    let text = text.color(if here { tokens.accent_text } else { tokens.text_weak });
                    let fill = if here { tokens.canvas } else { tokens.card };
                    let button = Button::new(text).fill(fill).stroke(Stroke::NONE);
                    let segment = ui.add(button.corner_radius(CornerRadius::same(RADIUS - 2)));
                    segment.widget_info(|| {
                        let name = format!("{}: {name}", self.about);
                        WidgetInfo::selected(Role::RadioButton, true, here, name)
                    });
                    super::focus_ring(ui, &segment);
                    if segment.on_hover_text(*meaning).clicked() {
                        *chosen = *value;
                    }
                }
            });
        });
        *chosen != before
    }
}
