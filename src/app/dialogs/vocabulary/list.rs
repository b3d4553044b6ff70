//! The tasks with their labels and how many images have each; what to do with them is one press away.

use egui::text_selection::CCursorRange;
use egui::{Align, Key, Label, Layout, Response, Role, ScrollArea, TextEdit, Ui, Vec2, WidgetInfo};
use tasklens_data::config::Task;
use tasklens_data::dataset::label_stats::{LabelStats, TaskStats};
use tasklens_data::dataset::vocabulary::VocabularyChange;
use tasklens_data::text::grouped;

use super::VocabularyAnswer;
use crate::app::command::LabelName;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::name::{self, Name};
use crate::app::widgets::{dot_ui, glyph_button, show_focused};

/// So many texts that are no labels are listed of a task.
const MOST_UNKNOWN: usize = 20;
/// Three glyphs and a count.
const BUTTONS: f32 = 27.0 * GRID;

/// The page that lists tasks and labels: what is typed in it.
#[derive(Default)]
pub(super) struct List {
    editing: Option<Editing>,
    /// What is typed for a new label of each task.
    new_labels: Vec<String>,
    new_task: String,
    new_task_labels: String,
}

/// The one row in which something is typed or chosen.
struct Editing {
    task: String,
    /// `None`: the task itself.
    label: Option<String>,
    kind: EditKind,
    text: String,
    was_focused: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EditKind {
    Rename,
    Merge,
}

impl List {
    /// Another name for this label is typed.
    pub fn renaming(name: &LabelName) -> Self {
        let editing = Editing {
            task: name.task.clone(),
            label: Some(name.label.clone()),
            kind: EditKind::Rename,
            text: name.label.clone(),
            was_focused: false,
        };
        Self { editing: Some(editing), ..Self::default() }
    }

    pub fn is_editing(&self) -> bool {
        self.editing.is_some()
    }

    pub fn stop_editing(&mut self) {
        self.editing = None;
    }

    pub fn ui(
        &mut self,
        ui: &mut Ui,
        context: &ViewContext<'_>,
        stats: Option<&LabelStats>,
        error: Option<&str>,
    ) -> VocabularyAnswer {
        let tokens = Tokens::of(ui.ctx());
        let Some(project) = context.project else { return VocabularyAnswer::None };
        let tasks = &project.dataset.tasks;
        self.new_labels.resize(tasks.len(), String::new());
        let mut answer = VocabularyAnswer::None;
        ui.label(theme::heading("Tasks and labels"));
        let about =
            "Each change is shown before it is made. It applies to the CSV, the config and all label edits.";
        ui.add(Label::new(theme::caption(tokens, error.unwrap_or(about))).wrap());
        ui.add_space(2.0 * GRID);
        let height = (ui.ctx().content_rect().height() - 50.0 * GRID).max(20.0 * GRID);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = GRID;
            for (index, task) in tasks.iter().enumerate() {
                let stats = stats.and_then(|stats| stats.tasks.iter().find(|of| of.task == task.name));
                tokens.card_frame().show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    self.task_ui(ui, tokens, index, task, stats, &mut answer);
                });
                ui.add_space(GRID);
            }
            tokens.card_frame().show(ui, |ui| {
                ui.set_width(ui.available_width());
                self.new_task_ui(ui, &mut answer);
            });
        });
        ui.add_space(3.0 * GRID);
        if ui.button("Close").clicked() {
            answer = VocabularyAnswer::Close;
        }
        answer
    }

    fn task_ui(
        &mut self,
        ui: &mut Ui,
        tokens: &Tokens,
        index: usize,
        task: &Task,
        stats: Option<&TaskStats>,
        answer: &mut VocabularyAnswer,
    ) {
        let row =
            VocabularyRow { task, label: None, images: stats.map(|stats| stats.labelled), is_listed: true };
        self.row_ui(ui, tokens, &row, Some(index), answer);
        for label in &task.labels {
            let count = stats.and_then(|stats| stats.labels.iter().find(|count| count.label == *label));
            let images = count.map(|count| count.images);
            self.row_ui(
                ui,
                tokens,
                &VocabularyRow { task, label: Some(label), images, is_listed: true },
                None,
                answer,
            );
        }
        for count in stats.iter().flat_map(|stats| stats.unknown.iter().take(MOST_UNKNOWN)) {
            let row = VocabularyRow {
                task,
                label: Some(&count.label),
                images: Some(count.images),
                is_listed: false,
            };
            self.row_ui(ui, tokens, &row, None, answer);
        }
        ui.horizontal(|ui| {
            ui.add_space(4.0 * GRID);
            let text = &mut self.new_labels[index];
            let width = (ui.available_width() - 30.0 * GRID).min(60.0 * GRID);
            let field = text_field(ui, text, "New label", &format!("New label of {}", task.name), width);
            let name = format!("Add label to {}", task.name);
            let label = text.trim().to_owned();
            let is_asked = add_button(ui, "Add label", &name, !label.is_empty()) || is_entered(ui, &field);
            if is_asked && !label.is_empty() {
                *answer =
                    VocabularyAnswer::Ask(VocabularyChange::AddLabel { task: task.name.clone(), label });
            }
        });
    }

    /// A task (with its place, for its colour) or a label.
    fn row_ui(
        &mut self,
        ui: &mut Ui,
        tokens: &Tokens,
        row: &VocabularyRow<'_>,
        dot: Option<usize>,
        answer: &mut VocabularyAnswer,
    ) {
        let here = |editing: &Editing| editing.task == row.task.name && editing.label.as_deref() == row.label;
        ui.horizontal(|ui| {
            if let Some(editing) = self.editing.as_mut().filter(|editing| here(editing)) {
                let is_over = editing.ui(ui, row, answer);
                if is_over {
                    self.editing = None;
                }
                return;
            }
            match dot {
                Some(index) => dot_ui(ui, tokens, index),
                None => ui.add_space(4.0 * GRID),
            }
            let width = (ui.available_width() - BUTTONS - 18.0 * GRID).max(10.0 * GRID);
            ui.allocate_ui_with_layout(
                Vec2::new(width, 7.0 * GRID),
                Layout::left_to_right(Align::Center),
                |ui| {
                    ui.set_min_width(width);
                    match row.label {
                        None => Name::strong(&row.task.name).ui(ui),
                        Some(label) if row.is_listed => Name::new(label).ui(ui),
                        Some(label) => Name::caption(tokens, &format!("{label} (not in the config)")).ui(ui),
                    };
                },
            );
            ui.allocate_ui_with_layout(
                Vec2::new(16.0 * GRID, 7.0 * GRID),
                Layout::right_to_left(Align::Center),
                |ui| {
                    ui.set_min_width(16.0 * GRID);
                    let images = row.images.map_or("\u{2013}".to_owned(), |images| grouped(images as u64));
                    ui.label(theme::caption(tokens, images));
                },
            );
            if let Some(kind) = row.buttons_ui(ui, answer) {
                self.editing = Some(Editing::new(row, kind));
            }
        });
    }

    fn new_task_ui(&mut self, ui: &mut Ui, answer: &mut VocabularyAnswer) {
        ui.label(theme::strong("New task"));
        ui.horizontal(|ui| {
            let field = text_field(ui, &mut self.new_task, "Name", "Name of the new task", 36.0 * GRID);
            if is_entered(ui, &field) {
                ui.memory_mut(|memory| memory.move_focus(egui::FocusDirection::Next));
            }
            let width = (ui.available_width() - 24.0 * GRID).max(40.0 * GRID);
            let hint = "Labels, such as short, long";
            let field = text_field(ui, &mut self.new_task_labels, hint, "Labels of the new task", width);
            let labels = self.new_task_labels.split([',', ';', '\n']).map(str::trim);
            let labels: Vec<String> = labels.filter(|label| !label.is_empty()).map(str::to_owned).collect();
            let name = self.new_task.trim().to_owned();
            let can_add = !name.is_empty() && labels.len() > 1;
            if (add_button(ui, "Add task", "Add task", can_add) || is_entered(ui, &field)) && can_add {
                *answer = VocabularyAnswer::Ask(VocabularyChange::AddTask { name, labels });
            }
        });
    }
}

/// A task or one of its labels.
struct VocabularyRow<'a> {
    task: &'a Task,
    label: Option<&'a str>,
    images: Option<usize>,
    /// Whether the config knows it.
    is_listed: bool,
}

impl VocabularyRow<'_> {
    fn name(&self) -> String {
        match self.label {
            Some(label) => format!("{label} of {}", self.task.name),
            None => self.task.name.clone(),
        }
    }

    /// Returns what is to be edited.
    fn buttons_ui(&self, ui: &mut Ui, answer: &mut VocabularyAnswer) -> Option<EditKind> {
        let mut kind = None;
        let (name, task) = (self.name(), self.task.name.clone());
        match self.label {
            Some(label) if !self.is_listed => {
                if is_pressed(ui, icons::PLUS, &format!("Add {name} to the config")) {
                    *answer = VocabularyAnswer::Ask(VocabularyChange::AddLabel {
                        task: task.clone(),
                        label: label.to_owned(),
                    });
                }
            }
            _ => {
                if is_pressed(ui, icons::PENCIL_SIMPLE, &format!("Rename {name}")) {
                    kind = Some(EditKind::Rename);
                }
            }
        }
        match self.label {
            Some(_) => {
                if is_pressed(ui, icons::ARROWS_MERGE, &format!("Merge {name}")) {
                    kind = Some(EditKind::Merge);
                }
            }
            None => ui.add_space(7.0 * GRID + ui.spacing().item_spacing.x),
        }
        if is_pressed(ui, icons::TRASH, &format!("Remove {name}")) {
            *answer = VocabularyAnswer::Ask(match self.label {
                Some(label) => VocabularyChange::RemoveLabel { task, label: label.to_owned() },
                None => VocabularyChange::RemoveTask { task },
            });
        }
        kind
    }
}

impl Editing {
    fn new(row: &VocabularyRow<'_>, kind: EditKind) -> Self {
        let text = match kind {
            EditKind::Rename => row.label.unwrap_or(&row.task.name).to_owned(),
            EditKind::Merge => String::new(),
        };
        let label = row.label.map(str::to_owned);
        Self { task: row.task.name.clone(), label, kind, text, was_focused: false }
    }

    /// Whether it is over.
    fn ui(&mut self, ui: &mut Ui, row: &VocabularyRow<'_>, answer: &mut VocabularyAnswer) -> bool {
        ui.add_space(4.0 * GRID);
        let width = (ui.available_width() - 50.0 * GRID).clamp(24.0 * GRID, 70.0 * GRID);
        let is_asked = match self.kind {
            EditKind::Rename => {
                let name = format!("New name of {}", row.name());
                let field = text_field(ui, &mut self.text, "New name", &name, width);
                if !self.was_focused {
                    select_all(ui, &field, &self.text);
                }
                self.focus(&field);
                let is_other = self.text.trim() != row.label.unwrap_or(&row.task.name);
                let can_rename = is_other && !self.text.trim().is_empty();
                (add_button(ui, "Rename", "Rename", can_rename) || is_entered(ui, &field)) && can_rename
            }
            EditKind::Merge => {
                let label = row.label.unwrap_or_default();
                let room = (ui.available_width() - width * 0.6 - 44.0 * GRID).max(10.0 * GRID);
                Name::new(&format!("{label}  {}", icons::ARROW_RIGHT)).at_most(room).ui(ui);
                let chosen = if self.text.is_empty() { "Into\u{2026}" } else { &self.text };
                let menu = name::combo(ui, "merge into", chosen, width * 0.6);
                let others = row.task.labels.iter().filter(|other| *other != label);
                let shown = menu.show_ui(ui, |ui| {
                    for other in others {
                        if name::entry_ui(ui, self.text == *other, other).clicked() {
                            self.text.clone_from(other);
                        }
                    }
                });
                let name = format!("Merge {} into", row.name());
                shown.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, &name));
                self.focus(&shown.response);
                add_button(ui, "Merge", "Merge", !self.text.is_empty())
            }
        };
        if is_asked {
            *answer = VocabularyAnswer::Ask(self.change(self.text.trim().to_owned()));
        }
        ui.button("Cancel").clicked() || is_asked
    }

    fn focus(&mut self, response: &Response) {
        if !self.was_focused {
            self.was_focused = true;
            response.request_focus();
        }
    }

    fn change(&self, text: String) -> VocabularyChange {
        let task = self.task.clone();
        match (&self.label, self.kind) {
            (None, _) => VocabularyChange::RenameTask { task, to: text },
            (Some(label), EditKind::Rename) => {
                VocabularyChange::RenameLabel { task, from: label.clone(), to: text }
            }
            (Some(label), EditKind::Merge) => {
                VocabularyChange::MergeLabels { task, from: label.clone(), into: text }
            }
        }
    }
}

fn text_field(ui: &mut Ui, text: &mut String, hint: &str, name: &str, width: f32) -> Response {
    let field = TextEdit::singleline(text).hint_text(hint).margin(Vec2::new(8.0, 6.0)).desired_width(width);
    let field = ui.add(field);
    show_focused(ui, &field);
    let value = text.clone();
    field.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::TextInput, true, name);
        info.current_text_value = Some(value.clone());
        info
    });
    field
}

fn add_button(ui: &mut Ui, text: &str, name: &str, is_enabled: bool) -> bool {
    let button = ui.add_enabled(is_enabled, egui::Button::new(text));
    button.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, name));
    show_focused(ui, &button);
    button.clicked()
}

/// What is typed next replaces all.
fn select_all(ui: &Ui, field: &Response, text: &str) {
    let mut state = TextEdit::load_state(ui.ctx(), field.id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::select_all_str(text)));
    state.store(ui.ctx(), field.id);
}

fn is_pressed(ui: &mut Ui, glyph: &str, name: &str) -> bool {
    let button = glyph_button(ui, glyph, name, true);
    show_focused(ui, &button);
    button.clicked()
}

/// Whether Enter ended the typing.
fn is_entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}
