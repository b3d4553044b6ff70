//! How to train, in words: three ways with how long each takes here, and the user's own.

use egui::{RichText, Role, Sense, Ui, UiBuilder, WidgetInfo};
use tasklens_data::config::presets::{Keys, PresetFacts};
use tasklens_data::config::{Backbone, Recipe, Schedule};
use tasklens_data::text::clock;

use super::draft::Draft;
use super::estimates::{Estimates, KnownEstimate};
use crate::app::context::{TrainingState, ViewContext};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, Tokens};
use crate::app::widgets::weights::without_weights;
use crate::app::widgets::{focus_ring, show_focused};

/// A way as it is shown.
struct Way<'a> {
    title: &'static str,
    about: String,
    /// What must be there first, and how to get it.
    lacks: Option<String>,
    time: String,
    /// Why there is no time.
    why: Option<&'a str>,
}

/// Shows the ways and lets one be chosen.
pub fn ways_ui(ui: &mut Ui, context: &ViewContext<'_>, draft: &mut Draft, estimates: &mut Estimates) {
    let facts = facts(context, estimates);
    let chosen = draft.recipe();
    let ways = ways(draft, &facts);
    let lacks = |recipe: Option<Recipe>| recipe.and_then(|recipe| recipe.lacks(&facts));
    let can_run = |recipe: Option<Recipe>| facts.labelled > 0 && lacks(recipe).is_none();
    let mut wanted: Vec<_> = ways.iter().filter(|(recipe, _)| can_run(*recipe)).collect();
    // The one that is looked at first.
    wanted.sort_by_key(|(recipe, _)| *recipe != chosen);
    let wanted: Vec<Keys> = wanted.into_iter().map(|(_, keys)| keys.clone()).collect();
    let is_busy = ui.input(|input| input.pointer.any_down()) || ui.ctx().egui_wants_keyboard_input();
    estimates.update(context, draft, &wanted, is_busy);
    let suggested = estimates.weights().map(|_| Recipe::proposed(&facts).recipe);
    let mut wish = None;
    for (recipe, keys) in &ways {
        let lacks = lacks(*recipe);
        let (time, why) = match lacks {
            None if facts.labelled > 0 => time_of(estimates.of(keys), keys, context.training),
            _ => (String::new(), None),
        };
        let title = recipe.map_or("Custom", Recipe::title);
        let about = recipe.map_or("Your own settings, under Advanced.", Recipe::about);
        let is_suggested = recipe.is_some() && *recipe == suggested;
        let about = if is_suggested { format!("Suggested. {about}") } else { about.to_owned() };
        let way = Way { title, about, lacks, time, why };
        if way_ui(ui, context.tokens, &way, *recipe == chosen) && *recipe != chosen {
            wish = Some(*recipe);
        }
    }
    if ways.iter().any(|(recipe, _)| lacks(*recipe).is_some()) {
        ui.label(theme::caption(context.tokens, without_weights()));
    }
    if facts.labelled == 0 {
        ui.label(theme::caption(context.tokens, "No image has a label yet: label some in Label first."));
    }
    if let Some(recipe) = wish {
        draft.choose(recipe, &facts);
    }
}

/// The recipes, and the user's own settings where there are any, each with its keys.
fn ways(draft: &Draft, facts: &PresetFacts) -> Vec<(Option<Recipe>, Keys)> {
    let mut ways: Vec<_> = Recipe::ALL.map(|recipe| (Some(recipe), recipe.keys(facts))).into();
    ways.extend(draft.own().map(|own| (None, own)));
    let chosen = draft.recipe();
    if let Some((_, keys)) = ways.iter_mut().find(|(recipe, _)| *recipe == chosen) {
        // A recipe that was chosen for other images or another device stays what it is.
        *keys = Keys::of(&draft.config.model);
    }
    ways
}

fn facts(context: &ViewContext<'_>, estimates: &Estimates) -> PresetFacts {
    let dataset = context.project.map(|project| &project.dataset);
    let has_gpu = context.device.is_some_and(|device| device.is_gpu());
    PresetFacts {
        images: dataset.map_or(0, |dataset| dataset.rows.len()),
        labelled: dataset.map_or(0, |dataset| dataset.split.train.len() + dataset.split.validation.len()),
        has_gpu,
        weights: estimates.weights().map_or_else(|| Backbone::ALL.to_vec(), <[Backbone]>::to_vec),
        aspect: estimates.aspect(),
    }
}

/// How long it takes, and why that is not known.
fn time_of<'a>(
    known: Option<&'a KnownEstimate>,
    keys: &Keys,
    training: TrainingState,
) -> (String, Option<&'a str>) {
    let can_end_early = keys.schedule == Schedule::Plateau || keys.early_stopping_patience < keys.epochs;
    match known {
        Some(KnownEstimate::Seconds(seconds)) => {
            let at_most = if can_end_early { "up to" } else { "about" };
            (format!("{at_most} {}", rounded(*seconds)), None)
        }
        Some(KnownEstimate::Failed(why)) => ("no estimate".to_owned(), Some(why)),
        None if training != TrainingState::Idle => (String::new(), None),
        None => ("Measuring\u{2026}".to_owned(), None),
    }
}

/// As exact as an estimate can be.
pub(super) fn rounded(seconds: f64) -> String {
    let step = match seconds {
        ..60.0 => 5.0,
        60.0..600.0 => 10.0,
        600.0..3600.0 => 60.0,
        _ => 300.0,
    };
    let seconds = ((seconds / step).ceil() * step).max(step);
    clock(seconds)
}

/// One way: a radio button with its time, and what it is below. Returns whether it was pressed.
fn way_ui(ui: &mut Ui, tokens: &Tokens, way: &Way<'_>, is_chosen: bool) -> bool {
    let can_choose = way.lacks.is_none();
    let builder = UiBuilder::new().id_salt(("way", way.title)).sense(if can_choose {
        Sense::click()
    } else {
        Sense::hover()
    });
    let response = ui
        .scope_builder(builder, |ui| {
            let hovered = can_choose && ui.response().hovered();
            let fill = match (is_chosen, hovered) {
                (true, _) => tokens.selected,
                (false, true) => tokens.card_hovered,
                (false, false) => tokens.card,
            };
            let frame =
                egui::Frame::new().fill(fill).corner_radius(RADIUS).inner_margin(egui::Margin::same(8));
            frame.show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 0.5 * GRID;
                // Nothing in it is pressed by itself.
                ui.spacing_mut().interact_size.y = 0.0;
                title_ui(ui, tokens, way, can_choose);
                plain_label(ui, theme::caption(tokens, &way.about));
                if let Some(lacks) = &way.lacks {
                    let text = format!("{}  {lacks}", icons::WARNING);
                    plain_label(ui, RichText::new(text).size(theme::TEXT_SMALL).color(tokens.warning));
                }
            });
        })
        .response;
    response.widget_info(|| {
        let name = format!("How to train: {}", way.title);
        WidgetInfo::selected(Role::RadioButton, can_choose, is_chosen, name)
    });
    show_focused(ui, &response);
    focus_ring(ui, &response);
    response.clicked()
}

fn title_ui(ui: &mut Ui, tokens: &Tokens, way: &Way<'_>, can_choose: bool) {
    ui.horizontal(|ui| {
        let color = if can_choose { tokens.text } else { tokens.text_weak };
        plain_label(ui, theme::strong(way.title).color(color));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let label = ui.add(egui::Label::new(theme::caption(tokens, &way.time)).selectable(false));
            if let Some(why) = way.why {
                label.on_hover_text(why);
            }
        });
    });
}

/// Text that a press goes through.
fn plain_label(ui: &mut Ui, text: RichText) {
    ui.add(egui::Label::new(text).selectable(false).wrap());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_told_no_more_exactly_than_it_is() {
        let told = [0.4, 42.0, 83.0, 1_000.0, 9_000.0].map(rounded);
        assert_eq!(told, ["0:05", "0:45", "1:30", "17:00", "2:30:00"]);
    }
}
