//! What the network says of the selected image.

use egui::{Color32, RichText, Ui};

use super::picker::ModelState;
use super::{EntryState, ImageEntry, about, tasks_of};
use crate::app::command::UiCommand;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::command_button;
use crate::app::widgets::name::Name;
use crate::app::widgets::probability_bars::ProbabilityBars;

/// Shows name and size of the image, and the bars of every task; above them what has to be known about them.
pub fn bars_ui(
    ui: &mut Ui,
    context: &ViewContext<'_>,
    entry: &ImageEntry,
    caveat: Option<&str>,
    model: &ModelState,
    colors: &[Color32],
) {
    let (tokens, tasks) = (context.tokens, tasks_of(model));
    Name::strong(&entry.name).path().ui(ui);
    if let Some([width, height]) = entry.size {
        ui.label(theme::caption(tokens, format!("{width} \u{d7} {height} pixels")));
    }
    if let Some(note) = &entry.note {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icons::WARNING_CIRCLE).color(tokens.warning));
            ui.add(egui::Label::new(theme::caption(tokens, note.as_str())).wrap().selectable(true));
        });
    }
    ui.add_space(2.0 * GRID);
    match (&entry.state, model) {
        (EntryState::Failed(message), _) => {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(icons::WARNING_CIRCLE).size(16.0).color(tokens.error));
                ui.add(egui::Label::new(message.as_str()).wrap().selectable(true));
            });
        }
        (EntryState::Predicted(prediction), _) => {
            if let Some(caveat) = caveat {
                caveat_ui(ui, tokens, caveat);
                ui.add_space(GRID);
            }
            for ((task, color), probabilities) in tasks.iter().zip(colors).zip(&prediction.probabilities) {
                let bars = ProbabilityBars::new(&task.name, &task.labels, probabilities, *color);
                let bars = match entry.truth.as_ref().and_then(|truth| truth.of(task)) {
                    Some(truth) => bars.truth(truth),
                    None => bars,
                };
                bars.ui(ui);
                ui.add_space(4.0 * GRID);
            }
            if let ModelState::Ready(info) = model {
                about::about_ui(ui, context, info, colors);
            }
        }
        (EntryState::Waiting, ModelState::None) => no_model_ui(ui, context),
        (EntryState::Waiting, ModelState::Failed(_)) => {
            ui.label(RichText::new("The model cannot be used; choose another.").color(tokens.text_weak));
            ui.add_space(GRID);
            command_button(ui, context.commands, UiCommand::OpenModel);
        }
        (EntryState::Waiting, ModelState::Loading(_)) => {
            ui.label(RichText::new("The model is being loaded\u{2026}").color(tokens.text_weak));
        }
        (EntryState::Waiting, ModelState::Ready(_)) => {
            ui.label(RichText::new("Predicting\u{2026}").color(tokens.text_weak));
        }
    }
}

/// What has to be known about an answer or a count of answers.
pub fn caveat_ui(ui: &mut Ui, tokens: &Tokens, caveat: &str) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = GRID;
        ui.label(RichText::new(icons::WARNING).color(tokens.warning));
        ui.add(egui::Label::new(theme::caption(tokens, caveat)).wrap());
    });
}

/// What to do where there is no model.
fn no_model_ui(ui: &mut Ui, context: &ViewContext<'_>) {
    let text = "There is no network yet. Train one on your labelled images, or open a checkpoint from an \
                earlier run.";
    ui.add(egui::Label::new(RichText::new(text).color(context.tokens.text_weak)).wrap());
    ui.add_space(GRID);
    next_steps_ui(ui, context);
}

/// The two ways to a model, one below the other.
pub fn next_steps_ui(ui: &mut Ui, context: &ViewContext<'_>) {
    let text = RichText::new(format!("{}  Train a model", icons::CHART_LINE)).color(context.tokens.on_accent);
    let train = ui.add(egui::Button::new(text).fill(context.tokens.accent));
    train.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Train a model"));
    if train.clicked() {
        context.commands.ui(UiCommand::ShowTrain);
    }
    let open = ui.button(format!("{}  Open a checkpoint\u{2026}", icons::GRAPH));
    open.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Open a checkpoint\u{2026}"));
    if open.on_hover_text(UiCommand::OpenModel.tooltip()).clicked() {
        context.commands.ui(UiCommand::OpenModel);
    }
}
