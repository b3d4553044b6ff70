//! The current model in the status bar: its name, accuracy and age, and a menu to choose another.

use egui::{Button, RichText, Role, Ui, WidgetInfo};
use tasklens_data::text::percent;

use crate::app::App;
use crate::app::command::AppCommand;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::model_menu::model_menu_ui;

/// Longer names are cut.
const LONGEST_NAME: usize = 28;

/// What the chip says.
pub(super) struct ModelChip {
    /// With its icons; with fewer words each time.
    pub texts: Vec<String>,
    /// The whole of it.
    hint: String,
}

impl App {
    /// What it says, where the project has a run that could be it.
    pub(super) fn model_chip(&self) -> Option<ModelChip> {
        if self.project.is_none() || self.runs.with_model().next().is_none() {
            return None;
        }
        let (texts, hint) = self.model_texts();
        let chip = |text: String| format!("{}  {text}  {}", icons::GRAPH, icons::CARET_UP);
        Some(ModelChip { texts: texts.into_iter().map(chip).collect(), hint })
    }

    /// Shows it with the text of this number, if it has so many.
    pub(super) fn model_chip_ui(&self, ui: &mut Ui, tokens: &Tokens, chip: &ModelChip, form: usize) {
        let ModelChip { texts, hint } = chip;
        let Some(text) = texts.get(form) else { return };
        let button = Button::new(RichText::new(text).size(TEXT_SMALL).color(tokens.text_weak));
        let menu = egui::containers::menu::MenuButton::from_button(button.frame_when_inactive(false));
        let (chip, _) = menu.ui(ui, |ui| self.model_choice_ui(ui, tokens));
        chip.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Current model: {hint}")));
        chip.on_hover_text(format!("Current model: {hint}. Label, Predict and Inspect use it"));
    }

    /// What the chip says, with fewer words each time, and the whole of it.
    fn model_texts(&self) -> (Vec<String>, String) {
        let Some(run) = self.runs.current() else {
            let none = vec!["No current model".to_owned(), "No model".to_owned()];
            return (none, "none, as no run has ended in good order".to_owned());
        };
        let name = &run.record.name;
        let mut short: String = name.chars().take(LONGEST_NAME).collect();
        if short.len() < name.len() {
            short.push('\u{2026}');
        }
        let accuracy = run.accuracy().map_or_else(|| "not measured".to_owned(), percent);
        let by = if self.runs.choice().is_chosen() { "chosen by you" } else { "the best run" };
        let tasks = match run.accuracies_text() {
            tasks if tasks.is_empty() => "not measured".to_owned(),
            tasks => tasks,
        };
        let hint = format!("{name}, {by}, {tasks}, {}", run.age());
        let without_age = format!("{short}  {accuracy}");
        (vec![format!("{without_age}  {}", run.age()), without_age, accuracy], hint)
    }

    fn model_choice_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        ui.label(theme::caption(tokens, "Current model of this project"));
        ui.spacing_mut().button_padding.x = 2.0 * GRID;
        let is_best = !self.runs.choice().is_chosen();
        let best = ui.selectable_label(is_best, "Best run (changes as runs get better)");
        let best = best.on_hover_text(
            "The highest accuracy on the validation images, averaged over the tasks, of the runs that ended in good \
             order and have the project\u{2019}s tasks and labels. Runs on other validation images must differ by more \
             than chance; among equals, the newest",
        );
        if best.clicked() {
            self.commands.send(AppCommand::ChooseModel(None));
            ui.close();
        }
        ui.separator();
        ui.add_space(GRID);
        let here = self.runs.choice().folder();
        if let Some(run) = model_menu_ui(ui, &self.runs, here, None) {
            self.commands.send(AppCommand::ChooseModel(Some(run)));
        }
    }
}
