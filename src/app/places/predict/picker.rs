//! Which model predicts: the one in use with its accuracies, and a menu of recent runs and files.

use std::path::PathBuf;

use egui::{Color32, RichText, Ui};
use tasklens_data::text::percent;

use super::worker::ModelInfo;
use crate::app::command::UiCommand;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL};
use crate::app::widgets::glossary::{Word, term_ui};
use crate::app::widgets::model_menu::model_menu_ui;
use crate::app::widgets::name::Name;

/// The model as the view knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ModelState {
    /// No model was chosen.
    #[default]
    None,
    /// It is being loaded.
    Loading(PathBuf),
    /// The model is loaded and predicts.
    Ready(Box<ModelInfo>),
    /// It cannot be used.
    Failed(String),
}

/// What the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelAction {
    /// Use this checkpoint or run folder.
    Use(PathBuf),
    /// Read the weights in use again.
    Reload(PathBuf),
    /// Use the project's current model.
    Current,
    /// Read the runs of the project again: the menu was opened.
    Refresh,
}

/// How the model stands to what is on the disk.
pub struct Shown<'a> {
    /// Its file, where that has changed since it was loaded.
    pub newer: Option<&'a PathBuf>,
    /// It was chosen, and is not the project's current model.
    pub is_another: bool,
}

/// Shows the model and the menu.
pub fn model_ui(
    ui: &mut Ui,
    context: &ViewContext<'_>,
    model: &ModelState,
    colors: &[Color32],
    shown: &Shown<'_>,
) -> Option<ModelAction> {
    let tokens = context.tokens;
    let mut action = None;
    ui.spacing_mut().item_spacing.y = GRID;
    ui.horizontal(|ui| {
        term_ui(ui, theme::caption(tokens, "Model"), Word::Checkpoint);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            action = menu_ui(ui, context, model);
        });
    });
    match model {
        ModelState::None => {
            ui.label("None chosen");
        }
        ModelState::Loading(path) => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            ui.add(egui::Label::new(format!("Loading {name}\u{2026}")).truncate());
        }
        ModelState::Ready(info) => info_ui(ui, context, info, colors),
        ModelState::Failed(message) => {
            ui.add(egui::Label::new(RichText::new(message).color(tokens.error)).wrap());
        }
    }
    if shown.is_another {
        let text = RichText::new("Not the current model").size(TEXT_SMALL).color(tokens.warning);
        let button = ui.button(text);
        button.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Button, true, "Predict with the current model")
        });
        if button.on_hover_text("Predict with the current model instead").clicked() {
            action = Some(ModelAction::Current);
        }
    }
    if let Some(path) = shown.newer {
        let button = ui.button(format!("{}  Use the newer weights", icons::ARROW_COUNTER_CLOCKWISE));
        if button.on_hover_text("The run has saved better weights since this model was loaded").clicked() {
            action = Some(ModelAction::Reload(path.clone()));
        }
    }
    action
}

fn info_ui(ui: &mut Ui, context: &ViewContext<'_>, info: &ModelInfo, colors: &[Color32]) {
    let tokens = context.tokens;
    ui.horizontal(|ui| {
        let room = ui.available_width() - 20.0 * GRID;
        Name::strong(&info.name).hint(info.path.display().to_string()).at_most(room).ui(ui);
        ui.label(theme::caption(tokens, &info.age));
    });
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0 * GRID;
        let Some(epoch) = &info.epoch else {
            ui.label(theme::caption(tokens, "Its accuracy is unknown: there is no record of its training"));
            return;
        };
        ui.label(theme::caption(tokens, format!("epoch {}", epoch.epoch)));
        for ((task, color), accuracy) in info.tasks.iter().zip(colors).zip(&epoch.validation.task_accuracy) {
            if accuracy.is_finite() {
                let text = format!("{} {}", task.name, percent(*accuracy));
                Name::caption(tokens, &text).color(*color).hint("Accuracy on the validation images").ui(ui);
            }
        }
    });
}

fn menu_ui(ui: &mut Ui, context: &ViewContext<'_>, model: &ModelState) -> Option<ModelAction> {
    let mut action = None;
    let here = match model {
        ModelState::Ready(info) => info.path.parent(),
        ModelState::None | ModelState::Loading(_) | ModelState::Failed(_) => None,
    };
    let text = format!("Change  {}", icons::CARET_DOWN);
    let menu = ui.menu_button(text, |ui| {
        if let Some(run) = model_menu_ui(ui, context.runs, here, None) {
            action = Some(ModelAction::Use(run));
        }
        ui.separator();
        if ui.button("Choose file\u{2026}").clicked() {
            context.commands.ui(UiCommand::OpenModel);
            ui.close();
        }
        if context.project.is_some() && ui.button(UiCommand::ImportKeras.text()).clicked() {
            context.commands.ui(UiCommand::ImportKeras);
            ui.close();
        }
    });
    menu.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Change model"));
    if menu.response.clicked() {
        action = Some(ModelAction::Refresh);
    }
    action
}
