//! Rows of a form: a name at the left and its control at the right, which bears the name for screen readers.

use std::ops::RangeInclusive;

use egui::emath::{self, Numeric};
use egui::{Align, ComboBox, DragValue, Layout, Response, Ui};

use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::chart::short_rate;
use crate::app::widgets::choice::Choice;
use crate::app::widgets::glossary::{Word, explain, term_ui};

/// What the tooltip of a row says, and the word of the glossary that its name is, where it is one.
#[derive(Clone, Copy)]
pub(super) struct Hint<'a> {
    text: &'a str,
    word: Option<Word>,
}

impl<'a> From<&'a str> for Hint<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, word: None }
    }
}

impl<'a> From<(&'a str, Word)> for Hint<'a> {
    fn from((text, word): (&'a str, Word)) -> Self {
        Self { text, word: Some(word) }
    }
}

pub(super) fn group(ui: &mut Ui, tokens: &Tokens, title: &str) {
    ui.add_space(GRID);
    ui.label(theme::caption(tokens, title));
}

/// As [`group`], with a title that is a word of the glossary.
pub(super) fn term_group(ui: &mut Ui, tokens: &Tokens, title: &str, word: Word) {
    ui.add_space(GRID);
    term_ui(ui, theme::caption(tokens, title), word);
}

/// A name at the left, its control at the right.
pub(super) fn row<'a>(
    ui: &mut Ui,
    name: &str,
    hint: impl Into<Hint<'a>>,
    control: impl FnOnce(&mut Ui) -> Response,
) -> Response {
    let Hint { text, word } = hint.into();
    ui.horizontal(|ui| {
        let label = egui::Label::new(name).truncate();
        let label = match word {
            Some(word) => {
                let label = ui.add(label.selectable(false).sense(egui::Sense::click()));
                let place = label.rect;
                explain(ui, label, place, name, (word, text))
            }
            None => ui.add(label).on_hover_text(text),
        };
        let inner =
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| control(ui).labelled_by(label.id));
        inner.inner.on_hover_text(text)
    })
    .inner
}

/// A number to drag or type. One that a config has beyond `range` stays as it is until the user changes it: being
/// looked at must change nothing.
fn drag<N: Numeric>(value: &mut N, range: RangeInclusive<N>, speed: f64) -> DragValue<'_> {
    DragValue::new(value).range(range).speed(speed).clamp_existing_to_range(false)
}

/// A number with as many decimals as it needs; what is smaller than the last of them is not shown as 0.
fn decimal_text(value: f64, decimals: RangeInclusive<usize>) -> String {
    let text = emath::format_with_decimals_in_range(value, decimals);
    let reads_as_zero = text.parse() == Ok(0.0_f64);
    if reads_as_zero && value != 0.0 { format!("{value:e}") } else { text }
}

pub(super) fn number<'a, N: Numeric>(
    ui: &mut Ui,
    name: &str,
    hint: impl Into<Hint<'a>>,
    value: &mut N,
    range: RangeInclusive<N>,
    speed: f64,
) {
    row(ui, name, hint, |ui| ui.add(drag(value, range, speed)));
}

pub(super) fn decimal<'a, N: Numeric>(
    ui: &mut Ui,
    name: &str,
    hint: impl Into<Hint<'a>>,
    value: &mut N,
    range: RangeInclusive<N>,
) {
    row(ui, name, hint, |ui| {
        ui.add(drag(value, range, 0.005).max_decimals(6).custom_formatter(decimal_text))
    });
}

pub(super) fn rate<'a>(
    ui: &mut Ui,
    name: &str,
    hint: impl Into<Hint<'a>>,
    value: &mut f64,
    range: RangeInclusive<f64>,
) {
    let speed = *value * 0.01;
    row(ui, name, hint, |ui| {
        let control = drag(value, range, speed);
        ui.add(
            control
                .custom_formatter(|value, _| short_rate(value))
                .custom_parser(|text| text.trim().parse().ok()),
        )
    });
}

/// The two ends of a range within `all`.
pub(super) fn range(
    ui: &mut Ui,
    name: &str,
    hint: &str,
    (low, high): &mut (f32, f32),
    all: RangeInclusive<f32>,
) {
    let (least, most) = all.into_inner();
    row(ui, &format!("{name} from"), format!("The lower end. {hint}").as_str(), |ui| {
        ui.add(drag(low, least..=*high, 0.005).max_decimals(3).custom_formatter(decimal_text))
    });
    row(ui, &format!("{name} to"), format!("The upper end. {hint}").as_str(), |ui| {
        ui.add(drag(high, *low..=most, 0.005).max_decimals(3).custom_formatter(decimal_text))
    });
}

/// A rate that can be left out, each part with its name and hint; `first` is what it begins with.
pub(super) fn optional(
    ui: &mut Ui,
    (name, hint): (&str, &str),
    (switch_name, switch_hint): (&str, &str),
    value: &mut Option<f64>,
    first: f64,
    range: RangeInclusive<f64>,
) {
    let mut is_given = value.is_some();
    if switch(ui, switch_name, switch_hint, &mut is_given).changed() {
        *value = is_given.then_some(first);
    }
    if let Some(value) = value {
        rate(ui, name, hint, value, range);
    }
}

/// With a capital at its start.
fn sentence(half: &str) -> String {
    let mut letters = half.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// A menu whose entries say below their name what they are good for.
pub(super) fn described<'a, T: PartialEq + Copy>(
    ui: &mut Ui,
    name: &str,
    hint: impl Into<Hint<'a>>,
    value: &mut T,
    options: &[Choice<'_, T>],
) {
    let chosen = options.iter().find(|option| option.value == *value);
    let (text, about) = chosen.map_or(("as in the file", ""), |chosen| (chosen.name, chosen.meaning));
    let tokens = Tokens::of(ui.ctx());
    row(ui, name, hint, |ui| {
        let combo = ComboBox::from_id_salt(name).selected_text(text).width(33.0 * GRID);
        let shown = combo.show_ui(ui, |ui| {
            ui.set_min_width(70.0 * GRID);
            for option in options {
                ui.selectable_value(value, option.value, option.name);
                let about = egui::Label::new(theme::caption(tokens, sentence(option.meaning)))
                    .selectable(false)
                    .wrap();
                ui.add(about);
            }
        });
        shown.response
    });
    if !about.is_empty() {
        ui.label(theme::caption(tokens, sentence(about)));
    }
}

pub(super) fn switch<'a>(ui: &mut Ui, name: &str, hint: impl Into<Hint<'a>>, on: &mut bool) -> Response {
    row(ui, name, hint, |ui| {
        let line = ui.visuals().weak_text_color();
        // An empty box must be seen on a card.
        ui.visuals_mut().widgets.inactive.bg_stroke = egui::Stroke::new(1.0, line.gamma_multiply(0.6));
        ui.checkbox(on, "")
    })
}

pub(super) fn choice<'a, T: PartialEq + Clone>(
    ui: &mut Ui,
    name: &str,
    hint: impl Into<Hint<'a>>,
    value: &mut T,
    options: &[(T, &str)],
) {
    let text = options.iter().find(|(option, _)| option == value).map_or("as in the file", |(_, text)| text);
    row(ui, name, hint, |ui| {
        let combo = ComboBox::from_id_salt(name).selected_text(text).width(33.0 * GRID);
        combo
            .show_ui(ui, |ui| {
                for (option, text) in options {
                    ui.selectable_value(value, option.clone(), *text);
                }
            })
            .response
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_number_is_not_shown_as_none() {
        let text = |value: f64| decimal_text(value, 2..=6);
        assert_eq!(text(0.0), "0.00");
        assert_eq!([text(0.2), text(0.0004), text(0.000_000_3)], ["0.20", "0.0004", "3e-7"]);
    }
}
