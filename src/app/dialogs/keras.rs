//! A model that Keras saved as a run of the project: whether to import a file that was dropped, reading it, and what came
//! of it.

use std::path::{Path, PathBuf};

use egui::{Button, Context, Id, Label, Modal, RichText, ScrollArea, Ui};
use tasklens_data::config::Config;
use tasklens_net::training::imported_run::{self, ImportedModel, Target};
use tasklens_net::training::run_folder;

use crate::app::command::{AppCommand, CommandSender, ImportCommand, UiCommand};
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Jobs, Outcome, take};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::accent_button;
use crate::app::widgets::name::Name;

/// See the module's documentation. Closed while there is nothing to show.
#[derive(Default)]
pub struct KerasDialog {
    /// The name of the file.
    name: String,
    /// A file that nobody chose for an import: it is asked about first.
    asked: Option<PathBuf>,
    importing: Option<Job<ImportedModel>>,
    end: Option<Result<ImportedModel, String>>,
}

impl KerasDialog {
    /// Asks whether to import a file that was dropped or named. An import that goes on is not disturbed.
    pub fn ask(&mut self, file: PathBuf) {
        if self.importing.is_none() {
            *self = Self { name: name_of(&file), asked: Some(file), ..Self::default() };
        }
    }

    /// Reads a file and writes the run, in the background.
    pub fn start(&mut self, file: PathBuf, config: Config, jobs: &Jobs) {
        let name = name_of(&file);
        (self.end, self.asked) = (None, None);
        self.importing = Some(jobs.start(format!("Importing {name}"), move |progress| {
            imported_run::import_keras(&file, &config, &Target::NewRun, || progress.keep_going())
        }));
        self.name = name;
    }

    /// Takes in that it is done: there is one run more.
    pub fn poll(&mut self, commands: &CommandSender) {
        self.end = match take(&mut self.importing) {
            Some(Outcome::Done(imported)) => {
                commands.send(AppCommand::RunSaved(imported.written.clone()));
                Some(Ok(imported))
            }
            Some(Outcome::Failed(message)) => Some(Err(message)),
            Some(Outcome::Cancelled) => None,
            None => return,
        };
    }

    /// Shows it while there is something to show.
    pub fn ui(&mut self, ctx: &Context, context: &ViewContext<'_>) {
        if self.importing.is_none() && self.end.is_none() && self.asked.is_none() {
            return;
        }
        let tokens = context.tokens;
        let frame = tokens.card_frame().inner_margin(20).corner_radius(theme::RADIUS + 4);
        let modal = Modal::new(Id::unique("import a Keras model")).frame(frame).show(ctx, |ui| {
            ui.set_width((130.0 * GRID).min(ctx.content_rect().width() - 16.0 * GRID));
            match (&self.end, &self.asked) {
                (None, Some(file)) => self.asked_ui(ui, context, file),
                (None, None) => self.running_ui(ui, tokens),
                (Some(Ok(imported)), _) => done_ui(ui, context, imported),
                (Some(Err(message)), _) => self.failed_ui(ui, context, message),
            }
        });
        let is_left = modal.inner || modal.should_close();
        if is_left {
            // A job that is dropped is cancelled.
            *self = Self::default();
        }
    }

    /// What the file is and becomes; or what there has to be first.
    fn asked_ui(&self, ui: &mut Ui, context: &ViewContext<'_>, file: &Path) -> bool {
        let tokens = context.tokens;
        ui.label(theme::heading("Import a Keras model"));
        ui.add_space(GRID);
        Name::caption(tokens, &file.display().to_string()).path().ui(ui);
        ui.add_space(2.0 * GRID);
        let newer = imported_run::newer_format(file);
        let text = match (&newer, context.project) {
            (Some(told), _) => format!("{told}."),
            (None, Some(project)) => format!(
                "It becomes a run of {}, which predicts, is inspected and can be trained on. Its tasks must be those of \
                 the project. The file stays as it is.",
                project.name()
            ),
            (None, None) => {
                "Open the project first whose tasks the model answers, then drop the file again.".to_owned()
            }
        };
        ui.add(Label::new(text).wrap().selectable(true));
        ui.add_space(2.0 * GRID);
        let mut is_left = false;
        ui.horizontal_wrapped(|ui| {
            if newer.is_some() {
                if context.project.is_some() && ui.add(Button::new("Choose another file\u{2026}")).clicked() {
                    context.commands.ui(UiCommand::ImportKeras);
                    is_left = true;
                }
            } else if context.project.is_none() {
                if accent_button(ui, icons::FOLDER_OPEN, UiCommand::OpenProject.text(), true).clicked() {
                    context.commands.ui(UiCommand::OpenProject);
                    is_left = true;
                }
            } else if accent_button(ui, icons::GRAPH, "Import", true).clicked() {
                context.commands.send(AppCommand::Import(ImportCommand::Keras(file.to_path_buf())));
                is_left = true;
            }
            is_left |= ui.add(Button::new("Close")).clicked();
        });
        is_left
    }

    /// The pages return whether to close the dialog.
    fn running_ui(&self, ui: &mut Ui, tokens: &Tokens) -> bool {
        ui.label(theme::heading(format!("Importing {}", self.name)));
        ui.add_space(2.0 * GRID);
        ui.add(egui::Spinner::new().color(tokens.accent_text));
        ui.add_space(2.0 * GRID);
        ui.add(Button::new("Cancel")).clicked()
    }

    fn failed_ui(&self, ui: &mut Ui, context: &ViewContext<'_>, message: &str) -> bool {
        ui.label(theme::heading(format!("{} was not imported", self.name)));
        ui.add_space(2.0 * GRID);
        let height = (ui.ctx().content_rect().height() - 50.0 * GRID).max(20.0 * GRID);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            let text = RichText::new(format!("{}  {message}", icons::X_CIRCLE)).color(context.tokens.error);
            ui.add(Label::new(text).wrap());
        });
        ui.add_space(2.0 * GRID);
        let mut is_left = false;
        ui.horizontal(|ui| {
            if accent_button(ui, icons::FOLDER_OPEN, "Choose another file\u{2026}", true).clicked() {
                context.commands.ui(UiCommand::ImportKeras);
                is_left = true;
            }
            is_left |= ui.add(Button::new("Close")).clicked();
        });
        is_left
    }
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

fn done_ui(ui: &mut Ui, context: &ViewContext<'_>, imported: &ImportedModel) -> bool {
    let (tokens, run) = (context.tokens, &imported.written);
    ui.label(theme::heading("The Keras model is a run now"));
    ui.add_space(GRID);
    ui.add(Label::new(theme::strong(run_folder::name(run))).truncate())
        .on_hover_text(run.display().to_string());
    ui.add(Label::new(&imported.summary).wrap());
    ui.add_space(GRID);
    for note in imported.notices.iter().map(String::as_str).chain([imported_run::CAVEAT]) {
        ui.add(Label::new(theme::caption(tokens, format!("{}  {note}.", icons::INFO))).wrap());
    }
    let text = "It is in the list of runs in Train, where Resume trains it on.";
    ui.add(Label::new(theme::caption(tokens, text)).wrap());
    ui.add_space(2.0 * GRID);
    let mut next = None;
    ui.horizontal_wrapped(|ui| {
        if accent_button(ui, icons::CROSSHAIR, "Predict with it", true).clicked() {
            next = Some(AppCommand::UseModel(run.clone()));
        }
        if ui.add(Button::new("Inspect it")).clicked() {
            next = Some(AppCommand::InspectRun(run.clone()));
        }
        if ui.add(Button::new("Show it in Train")).clicked() {
            next = Some(AppCommand::Ui(UiCommand::ShowTrain));
        }
        let is_closed = ui.add(Button::new("Close")).clicked();
        let is_left = is_closed || next.is_some();
        if let Some(next) = next.take() {
            context.commands.send(next);
        }
        is_left
    })
    .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_does_not_disturb_an_import_that_goes_on() {
        let jobs = Jobs::new(&Context::default());
        let (end, ended) = crossbeam_channel::bounded::<()>(1);
        let importing = jobs.start("Importing a.h5", move |_| {
            // It ends when the test does.
            let _ = ended.recv();
            anyhow::bail!("ended")
        });
        let mut dialog =
            KerasDialog { name: "a.h5".to_owned(), importing: Some(importing), ..KerasDialog::default() };
        dialog.ask(PathBuf::from("b.h5"));
        assert!(dialog.asked.is_none() && dialog.importing.is_some() && dialog.name == "a.h5");
        drop(end);
        dialog = KerasDialog::default();
        dialog.ask(PathBuf::from("shop/b.h5"));
        assert_eq!((dialog.name.as_str(), dialog.asked.is_some()), ("b.h5", true));
    }
}
