//! Runs to choose a model from, in any menu: name, accuracies and age, with a search where there are many.

use std::path::{Path, PathBuf};

use egui::{Id, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

use crate::app::services::runs::{Run, Runs};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::{field_info, name};

/// More runs than these are searched.
const FEW: usize = 6;
const WIDTH: f32 = 84.0 * GRID;
const ROW: f32 = 11.5 * GRID;

/// The runs that can predict, without the one in `but`; `here` is the one that is in use. Returns the folder of the one
/// that was pressed.
pub fn model_menu_ui(ui: &mut Ui, runs: &Runs, here: Option<&Path>, but: Option<&Path>) -> Option<PathBuf> {
    let tokens = Tokens::of(ui.ctx());
    ui.set_min_width(WIDTH);
    let all: Vec<&Run> = runs.with_model().filter(|run| Some(run.record.folder.as_path()) != but).collect();
    let search = if all.len() > FEW { search_ui(ui) } else { String::new() };
    let found: Vec<&Run> = all.iter().copied().filter(|run| run.is_found_by(&search)).collect();
    if found.is_empty() {
        let text =
            if all.is_empty() { "No run has a model yet" } else { "No run has this in its name or note" };
        ui.label(theme::caption(tokens, text));
    }
    let mut chosen = None;
    ui.spacing_mut().item_spacing.y = 0.5 * GRID;
    let height = name::menu_height(ui).min(320.0);
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show_rows(
        ui,
        ROW,
        found.len(),
        |ui, shown| {
            for run in shown.filter_map(|at| found.get(at)) {
                let is_here = here == Some(run.record.folder.as_path());
                if row_ui(ui, tokens, run, is_here, runs.is_current(&run.record.folder)) {
                    chosen = Some(run.record.folder.clone());
                }
            }
        },
    );
    if chosen.is_some() {
        ui.data_mut(|data| data.remove::<String>(search_id()));
        ui.close();
    }
    chosen
}

fn search_id() -> Id {
    Id::unique("search in models")
}

/// A field whose text stays until a run was chosen.
fn search_ui(ui: &mut Ui) -> String {
    let id = search_id();
    let mut text: String = ui.data(|data| data.get_temp(id).unwrap_or_default());
    let field =
        TextEdit::singleline(&mut text).hint_text("Find by name or note").desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| field_info(&text, "Find a model by name or note"));
    if field.changed() {
        ui.data_mut(|data| data.insert_temp(id, text.clone()));
    }
    ui.add_space(GRID);
    text.trim().to_lowercase()
}

/// One run in two lines; returns whether it was pressed.
fn row_ui(ui: &mut Ui, tokens: &Tokens, run: &Run, is_here: bool, is_current: bool) -> bool {
    let size = vec2(ui.available_width(), ROW);
    let button = ui.add_sized(size, egui::Button::selectable(is_here, ""));
    let facts = facts(run);
    let name = &run.record.name;
    button.widget_info(|| WidgetInfo::selected(Role::Button, true, is_here, format!("{name}, {facts}")));
    let inner = button.rect.shrink2(vec2(2.0 * GRID, GRID));
    let mut lines = ui.new_child(egui::UiBuilder::new().max_rect(inner));
    lines.spacing_mut().item_spacing.y = 0.5 * GRID;
    lines.spacing_mut().interact_size.y = 0.0;
    lines.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0 * GRID;
        ui.add(egui::Label::new(theme::strong(name)).truncate().selectable(false));
        if is_current {
            let text = RichText::new(format!("{} current", icons::CHECK)).size(TEXT_SMALL);
            ui.add(egui::Label::new(text.color(tokens.accent_text)).selectable(false));
        }
    });
    lines.add(egui::Label::new(theme::caption(tokens, facts)).truncate().selectable(false));
    let is_pressed = button.clicked();
    if !run.record.note.is_empty() {
        button.on_hover_text(&run.record.note);
    }
    is_pressed
}

/// Accuracies, age, and how it ended where that is not as it should be.
fn facts(run: &Run) -> String {
    use tasklens_net::training::run_folder::Standing;
    let accuracies = run.accuracies_text();
    let accuracies = if accuracies.is_empty() { "not measured".to_owned() } else { accuracies };
    let state = match run.record.standing() {
        _ if run.is_training => ", training".to_owned(),
        Standing::Finished => String::new(),
        Standing::Brought => ", from elsewhere".to_owned(),
        Standing::Unfinished | Standing::Failed => format!(", {}", run.state()),
    };
    format!("{accuracies}, {}{state}", run.age())
}
