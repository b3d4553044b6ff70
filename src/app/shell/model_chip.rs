//! The current model in the status bar: its name, accuracy and age, and a menu to choose another.

use egui::{Button, RichText, Role, Ui, WidgetInfo};
use tasklens_data::text::percent;

use crate::app::App;
use crate::app::command::AppCommand;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::model_menu::model_menu_ui;

/// In a narrower window only the accuracy is shown, in points.
const NARROW: f32 = 800.0;
/// Longer names are cut.
const LONGEST_NAME: usize = 28;

impl App {
    /// Shows it, where the project has a run that could be it.
    pub(super) fn model_chip_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        if self.project.is_none() || self.runs.with_model().next().is_none() {
            return;
        }
        let (text, hint) = self.model_text();
        let text = format!("{}  {text}  {}", icons::GRAPH, icons::CARET_UP);
        let button = Button::new(RichText::new(text).size(TEXT_SMALL).color(tokens.text_weak));
        let menu = egui::containers::menu::MenuButton::from_button(button.frame_when_inactive(false));
        let (chip, _) = menu.ui(ui, |ui| self.model_choice_ui(ui, tokens));
        chip.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Current model: {hint}")));
        chip.on_hover_text(format!("Current model: {hint}. Label, Predict and Inspect use it"));
    }

    /// What the chip says, and the whole of it.
    fn model_text(&self) -> (String, String) {
        let Some(run) = self.runs.current() else {
            return ("No current model".to_owned(), "none, as no run has ended in good order".to_owned());
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
        let is_narrow = self.ctx.content_rect().width() < NARROW;
        let shown = if is_narrow { accuracy } else { format!("{short}  {accuracy}  {}", run.age()) };
        (shown, format!("{name}, {by}, {tasks}, {}", run.age()))
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
