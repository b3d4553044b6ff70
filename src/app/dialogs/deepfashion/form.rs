//! Where DeepFashion is and where the project goes, with what was found there.

use std::path::{Path, PathBuf};

use egui::{Button, Checkbox, Label, RichText, Role, ScrollArea, TextEdit, Ui, Vec2, WidgetInfo};
use tasklens_data::dataset::import::deepfashion::{EarlierImport, Survey, TYPES};
use tasklens_data::text::{counted, grouped, is};

use super::{ImportAnswer, Source};
use crate::app::command::{AppCommand, CommandSender, ImportCommand, ImportField};
use crate::app::context::ViewContext;
use crate::app::services::derived::Derived;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::{accent_button, show_focused};

/// Missing files that are named.
const NAMED: usize = 4;

/// What was typed and chosen.
pub(super) struct ImportForm {
    data: String,
    config: String,
    out: String,
    /// Which of [`TYPES`] are kept.
    kept: [bool; TYPES.len()],
    /// What was typed to its end, and is looked at.
    source: Source,
    /// The keyboard goes to the first field when the form appears.
    is_new: bool,
}

impl Default for ImportForm {
    fn default() -> Self {
        Self {
            data: String::new(),
            config: String::new(),
            out: String::new(),
            kept: [true; TYPES.len()],
            source: Source::default(),
            is_new: false,
        }
    }
}

impl ImportForm {
    /// The form appears.
    pub fn begin(&mut self) {
        self.is_new = true;
    }

    /// Takes a place that was chosen.
    pub fn choose(&mut self, field: ImportField, path: &Path) {
        *self.text(field) = path.display().to_string();
        self.source = self.typed();
    }

    /// What is to be looked at and imported.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Which of [`TYPES`] are kept.
    pub fn kept_types(&self) -> [bool; TYPES.len()] {
        self.kept
    }

    fn text(&mut self, field: ImportField) -> &mut String {
        match field {
            ImportField::Data => &mut self.data,
            ImportField::Config => &mut self.config,
            ImportField::Out => &mut self.out,
        }
    }

    fn typed(&self) -> Source {
        let path = |text: &String| Some(text.trim()).filter(|text| !text.is_empty()).map(PathBuf::from);
        Source { data: path(&self.data), config: path(&self.config), out: path(&self.out) }
    }

    /// Shows it; `told` is how the last import ended.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        context: &ViewContext<'_>,
        survey: &Derived<Source, Survey>,
        told: Option<Result<&str, &str>>,
    ) -> ImportAnswer {
        let (tokens, commands) = (context.tokens, context.commands);
        // What was found may be of another source, which is being looked at.
        let found = survey.get().filter(|_| survey.key() == Some(&self.source) && survey.failure().is_none());
        ui.label(theme::heading("Import DeepFashion"));
        ui.add_space(GRID);
        let height = (ui.ctx().content_rect().height() - 48.0 * GRID).max(30.0 * GRID);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            let text = "Crops the images of the Category and Attribute Prediction Benchmark to their boxes and makes a \
                        project of them: a CSV, its split and a config.";
            ui.add(Label::new(RichText::new(text).color(tokens.text_weak)).wrap());
            ui.add_space(2.0 * GRID);
            self.field_ui(ui, tokens, commands, ImportField::Data, "The folder with img and Anno_fine");
            self.field_ui(ui, tokens, commands, ImportField::Config, "config/dataset_config.yml, unchanged");
            self.field_ui(ui, tokens, commands, ImportField::Out, "The data folder, or that of the dataset config");
            self.groups_ui(ui, tokens, found);
            ui.add_space(GRID);
            if self.source.is_named() {
                tokens.card_frame().fill(tokens.canvas).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    match (survey.failure(), found) {
                        _ if survey.is_busy() => drop(ui.label("Looking at the files\u{2026}")),
                        (Some(failure), _) => told_ui(ui, tokens.error, icons::X_CIRCLE, failure),
                        (None, Some(found)) => survey_ui(ui, tokens, found),
                        (None, None) => {}
                    }
                });
            }
        });
        ui.add_space(2.0 * GRID);
        self.footer_ui(ui, tokens, found, told)
    }

    /// A place: typed, or chosen in the system's dialog.
    fn field_ui(
        &mut self,
        ui: &mut Ui,
        tokens: &Tokens,
        commands: &CommandSender,
        field: ImportField,
        hint: &str,
    ) {
        let (name, choose) = match field {
            ImportField::Data => ("Data folder", "Choose the data folder"),
            ImportField::Config => {
                ("Dataset config of the Python project (optional)", "Choose the dataset config")
            }
            ImportField::Out => ("Output folder (optional)", "Choose the output folder"),
        };
        let is_new = field == ImportField::Data && std::mem::take(&mut self.is_new);
        ui.label(theme::caption(tokens, name));
        let is_typed = ui.horizontal(|ui| {
            let text = self.text(field);
            // The button, and the margins of the field.
            let width = (ui.available_width() - 29.0 * GRID).max(30.0 * GRID);
            let line = TextEdit::singleline(text).hint_text(hint).margin(Vec2::new(8.0, 6.0));
            let typed = ui.add(line.desired_width(width));
            typed.widget_info(|| {
                let mut info = WidgetInfo::labeled(Role::TextInput, true, name);
                info.current_text_value = Some(text.clone());
                info
            });
            show_focused(ui, &typed);
            if is_new {
                typed.request_focus();
            }
            let button = ui.add(Button::new(format!("{}  Choose\u{2026}", icons::FOLDER_OPEN)));
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, choose));
            show_focused(ui, &button);
            if button.clicked() {
                commands.send(AppCommand::Import(ImportCommand::Ask(field)));
            }
            typed.lost_focus()
        });
        if is_typed.inner {
            self.source = self.typed();
        }
        ui.add_space(GRID);
    }

    /// The groups to keep, or those that the dataset config keeps.
    fn groups_ui(&mut self, ui: &mut Ui, tokens: &Tokens, found: Option<&Survey>) {
        ui.label(theme::caption(tokens, "Categories to keep"));
        if let Some(groups) = found.and_then(|found| found.groups.as_ref()) {
            ui.add(Label::new(format!("{}, as the dataset config says", groups.join(", "))).wrap());
            return;
        }
        ui.horizontal_wrapped(|ui| {
            for (name, is_kept) in TYPES.iter().zip(&mut self.kept) {
                let name = spoken(name);
                let kept = ui.add(Checkbox::new(is_kept, name.as_str()));
                kept.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, *is_kept, name.as_str()));
                show_focused(ui, &kept);
            }
        });
    }

    /// What stands in the way, how the last import ended, and the ways to go on.
    fn footer_ui(
        &self,
        ui: &mut Ui,
        tokens: &Tokens,
        found: Option<&Survey>,
        told: Option<Result<&str, &str>>,
    ) -> ImportAnswer {
        let obstacle = found.and_then(|found| found.obstacle().or_else(|| self.nothing_kept(found)));
        match (told, &obstacle) {
            (_, Some(obstacle)) => told_ui(ui, tokens.warning, icons::WARNING, obstacle),
            (Some(Err(failure)), None) => told_ui(ui, tokens.error, icons::X_CIRCLE, failure),
            (Some(Ok(told)), None) => told_ui(ui, tokens.text_weak, icons::INFO, told),
            (None, None) => {}
        }
        let mut answer = ImportAnswer::Stay;
        ui.horizontal(|ui| {
            let is_ready = found.is_some() && obstacle.is_none() && self.typed() == self.source;
            let earlier = found.map_or(EarlierImport::None, |found| found.earlier);
            let next = if earlier == EarlierImport::Stopped { "Go on importing" } else { "Import" };
            if accent_button(ui, icons::TRAY, next, is_ready).clicked() {
                answer = ImportAnswer::Start;
            }
            if ui.add(Button::new("Cancel")).clicked() {
                answer = ImportAnswer::Leave;
            }
        });
        answer
    }

    fn nothing_kept(&self, found: &Survey) -> Option<String> {
        let is_nothing = found.groups.is_none() && self.kept == [false; TYPES.len()];
        is_nothing.then(|| "Keep at least one kind of category.".to_owned())
    }
}

/// What was found.
fn survey_ui(ui: &mut Ui, tokens: &Tokens, found: &Survey) {
    if found.missing.is_empty() {
        let parts = found.images.iter().filter_map(|(part, count)| {
            Some(format!("{} {}", grouped(count.unwrap_or_default() as u64), part.adjective()))
                .filter(|_| count.is_some())
        });
        let counts = parts.collect::<Vec<_>>().join(", ");
        let text = format!("All files of the annotation are there. Images: {counts}.");
        told_ui(ui, tokens.success, icons::CHECK_CIRCLE, &text);
    } else {
        missing_ui(ui, tokens, found);
    }
    for image in &found.missing_images {
        let text = format!("{} is missing, the first image of its list", found.named(image));
        told_ui(ui, tokens.warning, icons::WARNING, &text);
    }
    let earlier = match found.earlier {
        EarlierImport::None => None,
        EarlierImport::Stopped => {
            Some("An import was stopped here: it goes on, and the crops that are there are kept.")
        }
        EarlierImport::Whole => Some(
            "It was imported here before: crops that are there are kept, and so is a CSV that has changed, as a dated copy.",
        ),
    };
    for note in earlier.into_iter().chain(found.notices.iter().map(String::as_str)) {
        ui.add(Label::new(theme::caption(tokens, format!("{}  {note}", icons::INFO))).wrap());
    }
    if found.obstacle().is_none() {
        let name = found.root.file_name().unwrap_or(found.root.as_os_str()).to_string_lossy();
        ui.label(theme::caption(tokens, format!("The project goes into the folder {name}.")))
            .on_hover_text(found.root.display().to_string());
    }
}

fn missing_ui(ui: &mut Ui, tokens: &Tokens, found: &Survey) {
    let missing = &found.missing;
    let count = missing.len();
    let are = is(count);
    let count = counted(count, "file");
    told_ui(ui, tokens.warning, icons::WARNING, &format!("{count} of the annotation {are} missing:"));
    for file in missing.iter().take(NAMED) {
        ui.label(theme::caption(tokens, found.named(file))).on_hover_text(file.display().to_string());
    }
    if missing.len() > NAMED {
        ui.label(theme::caption(tokens, format!("and {} more", missing.len() - NAMED)));
    }
}

fn told_ui(ui: &mut Ui, color: egui::Color32, icon: &str, text: &str) {
    ui.add(Label::new(RichText::new(format!("{icon}  {text}")).color(color)).wrap());
}

/// A name of the annotation as people write it: `upper_body` is `Upper body`.
fn spoken(name: &str) -> String {
    tasklens_data::text::capitalised(name.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_source_and_blanks_are_nothing() {
        let mut form = ImportForm::default();
        assert!(!form.source().is_named());
        form.choose(ImportField::Config, Path::new("c.yml"));
        form.out = "  ".to_owned();
        let config = Some(PathBuf::from("c.yml"));
        assert_eq!(form.source(), &Source { config, ..Source::default() });
        assert!(form.source().is_named());
    }
}
