//! A model that Keras saved as a run of the project: reading it, and what came of it.

use std::path::PathBuf;

use egui::{Button, Context, Id, Label, Modal, RichText, ScrollArea, Ui};
use tasklens_data::config::Config;
use tasklens_net::training::imported_run::{self, ImportedModel, Target};
use tasklens_net::training::run_folder;

use crate::app::command::{AppCommand, CommandSender, UiCommand};
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Jobs, Outcome, take};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::accent_button;

/// See the module's documentation. Closed while there is nothing to show.
#[derive(Default)]
pub struct KerasDialog {
    /// The name of the file.
    name: String,
    importing: Option<Job<ImportedModel>>,
    end: Option<Result<ImportedModel, String>>,
}

impl KerasDialog {
    /// Reads a file and writes the run, in the background.
    pub fn start(&mut self, file: PathBuf, config: Config, jobs: &Jobs) {
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        self.end = None;
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
        if self.importing.is_none() && self.end.is_none() {
            return;
        }
        let tokens = context.tokens;
        let frame = tokens.card_frame().inner_margin(20).corner_radius(theme::RADIUS + 4);
        let modal = Modal::new(Id::unique("import a Keras model")).frame(frame).show(ctx, |ui| {
            ui.set_width((130.0 * GRID).min(ctx.content_rect().width() - 16.0 * GRID));
            match &self.end {
                None => self.running_ui(ui, tokens),
                Some(Ok(imported)) => done_ui(ui, context, imported),
                Some(Err(message)) => self.failed_ui(ui, context, message),
            }
        });
        let is_left = modal.inner || modal.should_close();
        if is_left {
            // A job that is dropped is cancelled.
            *self = Self::default();
        }
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
