//! Runs to choose from: name, age, how it ended, best validation results, and what can be done with
//! each. The list shows and reports; reading runs from disk is the view's.

use egui::{Color32, Key, Popup, RichText, Role, Ui, WidgetInfo, vec2};
use tasklens_data::text::percent;

use super::image_menu::entry_response_ui;
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
/// What has less room than an accuracy needs is left out.
const LEAST_FACT: f32 = 12.0 * GRID;

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
    let ground = ui.interact(whole, ui.scope_id().with(("run", &row.name, &row.age)), egui::Sense::CLICK);
    ground.context_menu(|ui| action = menu_ui(ui, row, false));
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

/// Something that can be done with a run.
struct Offer {
    icon: &'static str,
    text: &'static str,
    hint: &'static str,
    action: RunAction,
}

/// What can be done with a run, what is wanted most first.
fn offers(row: &RunRow) -> Vec<Offer> {
    let offer = |icon, text, hint, action| Offer { icon, text, hint, action };
    let mut offers = Vec::new();
    if row.has_model {
        offers.push(offer(icons::MICROSCOPE, "Inspect", "See where it is wrong", RunAction::Inspect));
        offers.push(offer(icons::CROSSHAIR, "Predict with", "Use it for prediction", RunAction::Use));
    }
    if row.can_resume {
        offers.push(offer(icons::PLAY, "Resume", "Continue from its last checkpoint", RunAction::Resume));
    }
    if row.has_model && !row.is_current {
        let hint = "Make it the current model, which Label, Predict and Inspect use";
        offers.push(offer(icons::CHECK_CIRCLE, "Make current", hint, RunAction::MakeCurrent));
    }
    if row.has_model {
        let hint = "Write it for other programs";
        offers.push(offer(icons::EXPORT, "Export model\u{2026}", hint, RunAction::Export));
    }
    offers.push(offer(icons::PENCIL_SIMPLE, "Describe", "Give it a name and a note", RunAction::Describe));
    offers.push(offer(icons::TRASH, "Delete", "Delete it; this can be undone", RunAction::Delete));
    offers
}

/// How many of the offers have a button of their own: a model is looked into and used, a run without one goes on.
fn count_of_buttons(row: &RunRow) -> usize {
    match (row.has_model, row.can_resume) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    }
}

/// The buttons of a run, from right to left: the menu of all that can be done with it, and the first offers.
fn buttons_ui(ui: &mut Ui, row: &RunRow) -> Option<RunAction> {
    ui.spacing_mut().button_padding.x = GRID;
    ui.spacing_mut().item_spacing.x = 0.0;
    let mut action = more_ui(ui, row);
    for offer in offers(row).iter().take(count_of_buttons(row)).rev() {
        let response = glyph_ui(ui, offer.icon, &format!("{} {}", offer.text, row.name));
        if response.on_hover_text(offer.hint).clicked() {
            action = Some(offer.action);
        }
    }
    action
}

fn glyph_ui(ui: &mut Ui, icon: &str, name: &str) -> egui::Response {
    let response = ui.add(egui::Button::new(RichText::new(icon).size(16.0)).frame_when_inactive(false));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response
}

/// The button that opens the menu; one that a key opens begins at its first entry, and gives the focus back.
fn more_ui(ui: &mut Ui, row: &RunRow) -> Option<RunAction> {
    let button = glyph_ui(ui, icons::DOTS_THREE, &format!("More: {}", row.name));
    let by_key = button.clicked() && button.has_focus();
    let menu = Popup::menu(&button).show(|ui| menu_ui(ui, row, by_key));
    let is_escaped = menu.is_some() && ui.input(|input| input.key_pressed(Key::Escape));
    if is_escaped {
        button.request_focus();
    }
    button.on_hover_text("More that can be done with this run");
    menu.and_then(|menu| menu.inner)
}

/// The menu of all that can be done with a run; `takes_focus` puts the keyboard on its first entry.
fn menu_ui(ui: &mut Ui, row: &RunRow, takes_focus: bool) -> Option<RunAction> {
    let mut action = None;
    for (index, offer) in offers(row).iter().enumerate() {
        let entry = entry_response_ui(ui, offer.icon, offer.text);
        if takes_focus && index == 0 {
            entry.request_focus();
        }
        if entry.clicked() {
            action = Some(offer.action);
        }
    }
    action
}

fn facts_ui(ui: &mut Ui, tokens: &Tokens, row: &RunRow) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.5 * GRID;
        ui.add_space(1.5 * GRID);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0 * GRID;
            let current = if row.is_current { format!("{} current", icons::CHECK) } else { String::new() };
            // A long name leaves room for what stands behind it.
            let font = egui::FontId::proportional(TEXT_SMALL);
            let width = |text: &str| {
                let galley = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), tokens.text);
                galley.size().x + 2.0 * GRID
            };
            let behind = width(&row.age) + if row.is_current { width(&current) } else { 0.0 };
            Name::new(&row.name).at_most((ui.available_width() - behind).max(20.0 * GRID)).ui(ui);
            ui.add(egui::Label::new(theme::caption(tokens, &row.age)).truncate());
            if row.is_current {
                let text = RichText::new(current).size(TEXT_SMALL).color(tokens.accent_text);
                ui.add(egui::Label::new(text).truncate());
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
                let Some(accuracy) = accuracy.filter(|_| ui.available_width() > LEAST_FACT) else { continue };
                let text = RichText::new(percent(accuracy)).size(TEXT_SMALL).color(*color);
                ui.label(text).on_hover_text(format!(
                    "{task}: validation accuracy of the epoch whose weights are kept"
                ));
            }
            ui.add(egui::Label::new(theme::caption(tokens, &row.state)).truncate());
        });
    });
}
