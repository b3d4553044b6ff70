//! What surrounds the places: rail, status bar, palette, shortcuts, drops and pastes.

mod conflicts;
mod glossary;
mod help;
mod model_chip;
pub(in crate::app) mod notices;
mod outside;
pub(super) mod pace;
mod palette;
mod quitting;
mod rail;
mod status_bar;
mod text_cursor;

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Align2, CentralPanel, Event, FontId, Id, LayerId, Order};

use crate::app::App;
use crate::app::command::{AppCommand, AskedOutside, FileQuestion, Level, UiCommand};
use crate::app::dialogs::deepfashion::DeepFashionDialog;
use crate::app::dialogs::export::{ExportAnswer, ExportForm};
use crate::app::dialogs::keras::KerasDialog;
use crate::app::dialogs::new_project::NewProjectAnswer;
use crate::app::dialogs::path_field::{PathAnswer, PathField};
use crate::app::dialogs::proposal;
use crate::app::dialogs::run_note::{RunNoteAnswer, RunNoteForm};
use crate::app::place::Place;
use crate::app::places::welcome;
use crate::app::services::jobs::Job;
use crate::app::services::open::{self, Pasted};
use crate::app::services::project::ImageSource;
use crate::app::theme::icons;
use crate::app::theme::{self, Tokens};
pub(in crate::app) use quitting::Quitting;

pub use palette::Palette;

/// What lies over the places.
#[derive(Default)]
pub struct Overlays {
    pub palette: Palette,
    pub shortcuts: bool,
    /// The words and what they mean.
    pub glossary: glossary::Glossary,
    pub log: bool,
    pub text_cursor: text_cursor::TextCursor,
    /// How to export labels, while it is asked for.
    pub export: Option<ExportForm>,
    /// A path that is asked for in the window.
    pub path_field: Option<PathField>,
    pub deepfashion: DeepFashionDialog,
    pub keras: KerasDialog,
    pub quitting: Quitting,
    /// A run whose name and note are asked for.
    pub run_note: Option<RunNoteForm>,
    /// Places outside of the project's folder, while the user is asked about them.
    pub outside: Option<Box<AskedOutside>>,
    /// The look at where an import writes that is about to begin.
    pub looking: Option<Job<AppCommand>>,
    /// The look at where a run or study writes that is about to begin.
    pub starting: Option<Job<AppCommand>>,
}

impl App {
    /// Shows the whole window.
    ///
    /// `is_cleared` tells that the window has the canvas's colour already; to fill it once more costs a software renderer
    /// time.
    pub(super) fn shell_ui(&mut self, ui: &mut egui::Ui, is_cleared: bool) {
        let ctx = ui.ctx().clone();
        let tokens = Tokens::of(&ctx);
        self.overlays.text_cursor.follow(&ctx);
        self.shortcuts(&ctx);
        self.dropped_and_pasted(&ctx);
        let status_bar = Self::status_bar_space(ui, tokens);
        self.views.label.set_covered(if self.overlays.log { 0.0 } else { self.messages.height() });
        if self.overlays.log
            && let Some(command) = self.messages.log_ui(ui, tokens)
        {
            self.commands.send(command);
        }
        self.rail_ui(ui, tokens);
        let place = CentralPanel::no_frame()
            .frame(if is_cleared { egui::Frame::NONE } else { egui::Frame::new().fill(tokens.canvas) })
            .show(ui, |ui| self.place_ui(ui));
        self.status_bar_ui(ui, tokens, status_bar);
        let is_changing = self.changing.is_some() || self.opening.is_some();
        let (views, mut context) = self.split();
        views.vocabulary.ui(&ctx, &mut context, is_changing);
        self.palette_ui(&ctx);
        help::shortcuts_ui(&ctx, &mut self.overlays.shortcuts);
        self.overlays.glossary.ui(&ctx);
        self.export_ui(&ctx);
        self.imports_ui(&ctx);
        self.path_field_ui(&ctx);
        self.conflicts_ui(&ctx);
        self.quitting_ui(&ctx);
        self.outside_ui(&ctx);
        self.run_note_ui(&ctx);
        // The log that is open has what a notice would say.
        if !self.overlays.log {
            let images = (self.place == Place::Label).then(|| self.views.label.images()).flatten();
            let (within, corner) = match images {
                Some(images) => (images, Align2::LEFT_BOTTOM),
                None => (place.response.rect, Align2::RIGHT_BOTTOM),
            };
            if let Some(command) = self.messages.notice_ui(&ctx, within, corner) {
                self.commands.send(command);
            }
        }
        drop_hint_ui(&ctx, tokens);
    }

    fn place_ui(&mut self, ui: &mut egui::Ui) {
        let tokens = Tokens::of(ui.ctx());
        let place = self.place;
        if place == Place::Data && self.new_project_ui(ui) {
            return;
        }
        if place == Place::Data
            && let Some(proposal) = &mut self.proposal
        {
            let answer =
                tokens.canvas_frame().show(ui, |ui| proposal::ui(ui, proposal, &self.commands)).inner;
            if answer == proposal::ProposalAnswer::Leave {
                self.proposal = None;
            }
            return;
        }
        let shows_runs = place == Place::Train && self.views.train.has_runs();
        if self.project.is_none() && place != Place::Predict && !shows_runs {
            let opening = self.opening.as_ref().map(|job| job.progress().clone());
            welcome::ui(ui, &self.commands, &self.settings.recent, opening.as_ref());
            return;
        }
        let (views, mut context) = self.split();
        match place {
            Place::Data => views.data.ui(ui, &mut context),
            Place::Label => tokens.canvas_frame().show(ui, |ui| views.label.ui(ui, &mut context)).inner,
            Place::Train => tokens.canvas_frame().show(ui, |ui| views.train.ui(ui, &mut context)).inner,
            Place::Inspect => tokens.canvas_frame().show(ui, |ui| views.inspect.ui(ui, &mut context)).inner,
            Place::Predict => tokens.canvas_frame().show(ui, |ui| views.predict.ui(ui, &mut context)).inner,
        }
    }

    /// Asks for a path in the window.
    pub(super) fn type_path(&mut self, question: FileQuestion) {
        let project = self.project.as_ref().map(|project| project.config.folder().to_path_buf());
        let folder = project.or_else(std::env::home_dir).unwrap_or_default();
        self.overlays.path_field = Some(PathField::new(question, &folder));
    }

    fn path_field_ui(&mut self, ctx: &egui::Context) {
        let Some(field) = &mut self.overlays.path_field else { return };
        match field.ui(ctx, &self.jobs) {
            PathAnswer::Stay => return,
            PathAnswer::Leave => {}
            PathAnswer::Chosen(path) => {
                let question = self.overlays.path_field.take().map(PathField::into_question);
                self.command_jobs.extend(question.map(|question| {
                    let title = question.title.clone();
                    self.jobs.start_quietly(&title, move |_| Ok(question.answer(vec![path])))
                }));
            }
        }
        self.overlays.path_field = None;
    }

    /// Asks how to export, while that is open.
    fn export_ui(&mut self, ctx: &egui::Context) {
        let (Some(form), Some(edits)) = (&mut self.overlays.export, &self.edits) else {
            self.overlays.export = None;
            return;
        };
        match form.ask(ctx, edits.state().pending_count()) {
            ExportAnswer::Stay => {}
            ExportAnswer::Leave => self.overlays.export = None,
            ExportAnswer::GoOn(form) => {
                self.overlays.export = None;
                self.commands.send(AppCommand::AskWhereToExport(form));
            }
        }
    }

    /// Shows the imports, while they are open.
    fn imports_ui(&mut self, ctx: &egui::Context) {
        let mut deepfashion = std::mem::take(&mut self.overlays.deepfashion);
        let mut keras = std::mem::take(&mut self.overlays.keras);
        let (_, context) = self.split();
        deepfashion.ui(ctx, &context);
        keras.ui(ctx, &context);
        (self.overlays.deepfashion, self.overlays.keras) = (deepfashion, keras);
    }

    /// Asks for the name and note of a run, while that is open.
    fn run_note_ui(&mut self, ctx: &egui::Context) {
        let Some(form) = &mut self.overlays.run_note else { return };
        match form.ask(ctx) {
            RunNoteAnswer::Stay => {}
            RunNoteAnswer::Leave => self.overlays.run_note = None,
            RunNoteAnswer::Keep(run, said) => {
                self.overlays.run_note = None;
                self.commands.send(AppCommand::DescribeRun(run, said));
            }
        }
    }

    /// Shows the form of a new project, if there is one.
    fn new_project_ui(&mut self, ui: &mut egui::Ui) -> bool {
        let Some(mut form) = self.new_project.take() else { return false };
        let (_, mut context) = self.split();
        let frame = context.tokens.canvas_frame();
        if frame.show(ui, |ui| form.ui(ui, &mut context)).inner == NewProjectAnswer::Stay {
            self.new_project = Some(form);
        }
        true
    }

    /// Sends the command of each shortcut that was pressed.
    fn shortcuts(&mut self, ctx: &egui::Context) {
        let typing = ctx.text_edit_focused();
        // What a dialog covers is not changed behind it.
        let is_covered = ctx.memory(|memory| memory.top_modal_layer().is_some());
        // Shortcuts with more modifiers first: Ctrl+Shift+P must not count as Ctrl+P.
        let mut all: Vec<_> = UiCommand::ALL
            .iter()
            .filter(|command| **command != UiCommand::Paste)
            .flat_map(|command| {
                let both = [command.shortcut(), command.other_shortcut()];
                both.into_iter().flatten().map(|shortcut| (*command, shortcut))
            })
            .collect();
        all.sort_by_key(|(_, shortcut)| !shortcut.modifiers.shift);
        for (command, shortcut) in all {
            if typing && shortcut.conflicts_with_text_editing() || is_covered && !is_about_window(command) {
                continue;
            }
            if ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
                self.commands.ui(command);
            }
        }
    }

    fn dropped_and_pasted(&mut self, ctx: &egui::Context) {
        let dropped: Vec<PathBuf> =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).collect());
        if !dropped.is_empty() {
            self.commands.send(AppCommand::OpenPaths(dropped));
        }
        if ctx.text_edit_focused() {
            return;
        }
        let pasted: Vec<Event> = ctx.input(|input| {
            let is_paste = |event: &&Event| matches!(event, Event::Paste(_) | Event::PasteImage(_));
            input.events.iter().filter(is_paste).cloned().collect()
        });
        for event in pasted {
            match event {
                Event::Paste(text) => self.paste_text(&text),
                Event::PasteImage(image) => self.paste_image(image),
                _ => {}
            }
        }
    }

    fn paste_text(&mut self, text: &str) {
        match open::read_pasted(text) {
            Pasted::Url(url) => self.commands.send(AppCommand::FetchUrl(url)),
            Pasted::Paths(paths) => self.commands.send(AppCommand::OpenPaths(paths)),
            Pasted::Other => self.toast(
                Level::Info,
                "The text on the clipboard is neither a URL nor a file: copy an image, a file or a URL",
            ),
        }
    }

    fn paste_image(&mut self, pixels: Arc<egui::ColorImage>) {
        self.pasted += 1;
        let name = format!("pasted {}", self.pasted);
        self.command_jobs.push(self.jobs.start_quietly("Pasting", move |_| {
            let image = Arc::new(over_white(&pixels)?);
            Ok(Some(AppCommand::OpenImages(vec![ImageSource::Pixels { name, image }])))
        }));
    }
}

/// Whether a command is about the window, not about what is open in it.
fn is_about_window(command: UiCommand) -> bool {
    matches!(
        command,
        UiCommand::EditTasks
            | UiCommand::CommandPalette
            | UiCommand::ShowShortcuts
            | UiCommand::ToggleLog
            | UiCommand::ZoomIn
            | UiCommand::ZoomOut
            | UiCommand::ZoomReset
            | UiCommand::Quit
    )
}

/// Pasted pixels as upright RGB, transparency over white.
fn over_white(pixels: &egui::ColorImage) -> anyhow::Result<tasklens_data::images::Rgb> {
    let [width, height] = pixels.size;
    // Alpha is premultiplied: what it leaves free is white.
    let channel = |value: u8, alpha: u8| value.saturating_add(255 - alpha);
    let bytes = pixels
        .pixels
        .iter()
        .flat_map(|p| [channel(p.r(), p.a()), channel(p.g(), p.a()), channel(p.b(), p.a())])
        .collect();
    tasklens_data::images::Rgb::from_raw(u32::try_from(width)?, u32::try_from(height)?, bytes)
        .ok_or_else(|| anyhow::anyhow!("the image on the clipboard is damaged"))
}

/// While files hover over the window, says what a drop does.
fn drop_hint_ui(ctx: &egui::Context, tokens: &Tokens) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop hint")));
    let rect = ctx.content_rect();
    painter.rect_filled(rect, 0.0, tokens.canvas.gamma_multiply(0.88));
    let font = |size| FontId::new(size, theme::semibold());
    let above = rect.center() - egui::vec2(0.0, 32.0);
    painter.text(above, Align2::CENTER_CENTER, icons::TRAY, font(48.0), tokens.accent_text);
    let lines = [
        "Drop a CSV, config or run to open it,",
        "a folder of images to label it,",
        "or images to predict them",
    ];
    for (line, y) in lines.into_iter().zip([16.0, 44.0, 72.0]) {
        let at = rect.center() + egui::vec2(0.0, y);
        painter.text(at, Align2::CENTER_CENTER, line, font(theme::TEXT_HEADING), tokens.text);
    }
}
