//! Runs to choose from: name, age, how it ended, best validation results, and what can be done with
//! each. The list shows and reports; reading runs from disk is the view's.

use egui::{Color32, RichText, Role, Ui, WidgetInfo, vec2};

use super::image_menu::entry_ui;
use super::name::Name;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};

/// One run as the list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// The run's name.
    pub name: String,
    /// What the user noted of it; may be empty.
    pub note: String,
    /// Whether it is the project's current model.
    pub is_current: bool,
    /// When it was written last, such as `3 h ago`.
    pub age: String,
    /// How it ended, such as `stopped early after 31 of 100`.
    pub state: String,
    /// The `val_loss` of the epoch whose weights are kept, where an epoch was completed.
    pub best_loss: Option<f64>,
    /// Per task how well it does.
    pub accuracies: Vec<TaskAccuracy>,
    /// Whether its curves are laid over the charts.
    pub is_shown: bool,
    /// Whether there is a checkpoint to predict with.
    pub has_model: bool,
    /// Whether it can go on.
    pub can_resume: bool,
}

/// How well a run does in a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskAccuracy {
    /// The task's name.
    pub task: String,
    /// The task's colour.
    pub color: Color32,
    /// On the validation images (0 to 1), at the epoch whose weights are kept.
    pub accuracy: Option<f64>,
}

/// What the user wants with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunAction {
    /// Lay its curves over the charts, or take them away.
    Show(bool),
    /// Open it in Predict.
    Use,
    /// See where it is wrong.
    Inspect,
    /// Go on with it.
    Resume,
    /// Make it the current model of the project.
    MakeCurrent,
    /// Write it for other programs.
    Export,
    /// Give it a name and a note.
    Describe,
    /// Delete it.
    Delete,
}

/// The list. See the module's docs.
#[must_use = "a list shows itself with `ui()`"]
pub struct RunList<'a> {
    rows: &'a [RunRow],
    max_height: f32,
}

const ROW: f32 = 13.0 * GRID;

impl<'a> RunList<'a> {
    /// A list of `rows`, in their order.
    pub fn new(rows: &'a [RunRow]) -> Self {
        Self { rows, max_height: f32::INFINITY }
    }

    /// Scrolls within this height.
    pub fn max_height(mut self, height: f32) -> Self {
        self.max_height = height;
        self
    }

    /// Shows it; returns the row that was acted on and how.
    pub fn ui(self, ui: &mut Ui) -> Option<(usize, RunAction)> {
        let tokens = Tokens::of(ui.ctx());
        let mut action = None;
        egui::ScrollArea::vertical().id_salt("runs").max_height(self.max_height).show_rows(
            ui,
            ROW,
            self.rows.len(),
            |ui, shown| {
                for index in shown {
                    if let Some(row) = self.rows.get(index)
                        && let Some(wanted) = row_ui(ui, tokens, row)
                    {
                        action = Some((index, wanted));
                    }
                }
            },
        );
        action
    }
}

fn row_ui(ui: &mut Ui, tokens: &Tokens, row: &RunRow) -> Option<RunAction> {
    let mut action = None;
    let size = vec2(ui.available_width(), ROW);
    let whole = egui::Rect::from_min_size(ui.cursor().min, size);
    let ground = ui.interact(whole, ui.scope_id().with(("run", &row.name, &row.age)), egui::Sense::click());
    ground.context_menu(|ui| action = menu_ui(ui, row));
    ui.allocate_ui_with_layout(size, egui::Layout::left_to_right(egui::Align::Center), |ui| {
        ui.set_min_size(size);
        let mut is_shown = row.is_shown;
        let check = ui
            .scope(|ui| {
                // An empty box must be seen on a card.
                let line = tokens.text_weak.gamma_multiply(0.6);
                ui.visuals_mut().widgets.inactive.bg_stroke = egui::Stroke::new(1.0, line);
                ui.checkbox(&mut is_shown, "")
            })
            .inner;
        check.widget_info(|| {
            let name = format!("Show {} in the charts", row.name);
            WidgetInfo::selected(Role::CheckBox, true, is_shown, name)
        });
        if check.on_hover_text("Lay its curves over the charts").changed() {
            action = Some(RunAction::Show(is_shown));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            action = buttons_ui(ui, row).or(action);
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| facts_ui(ui, tokens, row));
        });
    });
    action
}

/// What can be done with a run: icon, text, hint and the action, as buttons stand from right to left.
fn offers(row: &RunRow) -> Vec<(&'static str, &'static str, &'static str, RunAction)> {
    let mut offers = vec![
        (icons::TRASH, "Delete", "Delete it; this can be undone", RunAction::Delete),
        (icons::PENCIL_SIMPLE, "Describe", "Give it a name and a note", RunAction::Describe),
    ];
    if row.has_model && !row.is_current {
        let hint = "Make it the current model, which Label, Predict and Inspect use";
        offers.push((icons::CHECK_CIRCLE, "Make current", hint, RunAction::MakeCurrent));
    }
    if row.has_model {
        offers.push((icons::CROSSHAIR, "Predict with", "Use it for prediction", RunAction::Use));
        offers.push((icons::MICROSCOPE, "Inspect", "See where it is wrong", RunAction::Inspect));
    }
    if row.can_resume {
        offers.push((icons::PLAY, "Resume", "Continue from its last checkpoint", RunAction::Resume));
    }
    offers
}

/// The buttons of a run, from right to left.
fn buttons_ui(ui: &mut Ui, row: &RunRow) -> Option<RunAction> {
    let mut action = None;
    ui.spacing_mut().button_padding.x = GRID;
    ui.spacing_mut().item_spacing.x = 0.0;
    for (icon, text, hint, wanted) in offers(row) {
        let button = egui::Button::new(RichText::new(icon).size(16.0)).frame_when_inactive(false);
        let response = ui.add(button);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{text} {}", row.name)));
        if response.on_hover_text(hint).clicked() {
            action = Some(wanted);
        }
    }
    action
}

/// The same as a menu, what is wanted most at the top, and what is wanted seldom.
fn menu_ui(ui: &mut Ui, row: &RunRow) -> Option<RunAction> {
    let mut offers = offers(row);
    if row.has_model {
        let hint = "Write it for other programs";
        offers.insert(2, (icons::EXPORT, "Export model\u{2026}", hint, RunAction::Export));
    }
    let wanted = |(icon, text, _, wanted)| entry_ui(ui, icon, text).then_some(wanted);
    offers.into_iter().rev().map(wanted).fold(None, Option::or)
}

fn facts_ui(ui: &mut Ui, tokens: &Tokens, row: &RunRow) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.5 * GRID;
        ui.add_space(1.5 * GRID);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0 * GRID;
            Name::new(&row.name).ui(ui);
            ui.add(egui::Label::new(theme::caption(tokens, &row.age)).truncate());
            if row.is_current {
                let text = RichText::new(format!("{} current", icons::CHECK)).size(TEXT_SMALL);
                ui.label(text.color(tokens.accent_text));
            }
            if !row.note.is_empty() {
                let first = row.note.lines().next().unwrap_or_default();
                ui.add(egui::Label::new(theme::caption(tokens, first)).truncate()).on_hover_text(&row.note);
            }
        });
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            if let Some(loss) = row.best_loss {
                ui.label(theme::caption(tokens, format!("loss {loss:.3}")))
                    .on_hover_text("Validation loss of the epoch whose weights are kept");
            }
            for TaskAccuracy { task, color, accuracy } in &row.accuracies {
                let Some(accuracy) = accuracy else { continue };
                let text = RichText::new(format!("{:.1} %", accuracy * 100.0)).size(TEXT_SMALL).color(*color);
                ui.label(text).on_hover_text(format!(
                    "{task}: validation accuracy of the epoch whose weights are kept"
                ));
            }
            ui.add(egui::Label::new(theme::caption(tokens, &row.state)).truncate());
        });
    });
}
