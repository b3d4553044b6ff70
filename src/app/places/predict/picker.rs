//! Which model predicts: the one in use with its accuracies, and a menu of recent runs and files.

use std::path::PathBuf;

use egui::{Color32, RichText, Ui};

use super::worker::ModelInfo;
use crate::app::command::UiCommand;
use crate::app::context::ViewContext;
use crate::app::services::runs::Run;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::name::{self, Name};

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
    /// Read the runs of the project again: the menu was opened.
    Refresh,
}

/// Shows the model and the menu. `newer` says that its file has changed since it was loaded.
pub fn model_ui(
    ui: &mut Ui,
    context: &ViewContext<'_>,
    model: &ModelState,
    colors: &[Color32],
    newer: Option<&PathBuf>,
) -> Option<ModelAction> {
    let tokens = context.tokens;
    let mut action = None;
    ui.spacing_mut().item_spacing.y = GRID;
    ui.horizontal(|ui| {
        ui.label(theme::caption(tokens, "Model"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            action = menu_ui(ui, context);
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
    if let Some(path) = newer {
        let button = ui.button(format!("{}  Use the newer weights", icons::ARROW_COUNTER_CLOCKWISE));
        if button.on_hover_text("The run has saved better weights since this model was loaded").clicked() {
            action = Some(ModelAction::Use(path.clone()));
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
            ui.label(theme::caption(tokens, "Its run folder is missing, so its accuracy is unknown"));
            return;
        };
        ui.label(theme::caption(tokens, format!("epoch {}", epoch.epoch)));
        for ((task, color), accuracy) in info.tasks.iter().zip(colors).zip(&epoch.validation.task_accuracy) {
            if accuracy.is_finite() {
                let text = format!("{} {:.1} %", task.name, accuracy * 100.0);
                Name::caption(tokens, &text).color(*color).hint("Accuracy on the validation images").ui(ui);
            }
        }
    });
}

fn menu_ui(ui: &mut Ui, context: &ViewContext<'_>) -> Option<ModelAction> {
    let mut action = None;
    let text = format!("Change  {}", icons::CARET_DOWN);
    let menu = ui.menu_button(text, |ui| {
        ui.set_min_width(80.0 * GRID);
        let usable: Vec<_> = context.runs.with_model().collect();
        ui.label(theme::caption(
            context.tokens,
            if usable.is_empty() { "No runs yet" } else { "Recent runs" },
        ));
        let height = name::menu_height(ui) - 14.0 * GRID;
        egui::ScrollArea::vertical().max_height(height).show(ui, |ui| {
            for run in usable {
                if name::entry_ui(ui, false, &run_text(run)).clicked() {
                    action = Some(ModelAction::Use(run.record.folder.clone()));
                    ui.close();
                }
            }
        });
        ui.separator();
        if ui.button("Choose file\u{2026}").clicked() {
            context.commands.ui(UiCommand::OpenModel);
            ui.close();
        }
    });
    menu.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Change model"));
    if menu.response.clicked() {
        action = Some(ModelAction::Refresh);
    }
    action
}

fn run_text(run: &Run) -> String {
    let told = |(task, accuracy): (&str, Option<f64>)| Some(format!("{task} {:.1} %", accuracy? * 100.0));
    let accuracies: Vec<String> = run.accuracies().filter_map(told).collect();
    format!("{}   {}   {}", run.record.name, run.age(), accuracies.join("  "))
}
