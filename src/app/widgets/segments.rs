//! A segmented control: one of a few choices, all of them in sight.

use egui::{Button, CornerRadius, Frame, Margin, RichText, Role, Stroke, Ui, WidgetInfo};

use crate::app::theme::{self, GRID, RADIUS, Tokens};

/// Choices side by side; `choices` has the value, its name and what it means. `about` names the group for
/// screen readers.
#[must_use = "segments show themselves with `ui()`"]
pub struct Segments<'a, T> {
    about: &'a str,
    choices: &'a [(T, &'a str, &'a str)],
}

impl<'a, T: Copy + PartialEq> Segments<'a, T> {
    /// The choices, from left to right.
    pub fn new(about: &'a str, choices: &'a [(T, &'a str, &'a str)]) -> Self {
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
                for (value, name, meaning) in self.choices {
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
                    if segment.on_hover_text(*meaning).clicked() {
                        *chosen = *value;
                    }
                }
            });
        });
        *chosen != before
    }
}
