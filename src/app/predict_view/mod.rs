//! Predict: images from anywhere and what a network says about them.
//!
//! The view keeps the list and what is selected; fetching, decoding and predicting is its
//! [`worker`]'s.

mod answer;
mod export;
mod list;
mod picker;
pub mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Color32, Key, Modifiers, ScrollArea, TextureHandle, TextureOptions, Ui, vec2};

use super::command::{AppCommand, Level, UiCommand};
use super::context::ViewContext;
use super::icons;
use super::jobs::{Job, Outcome};
use super::project::ImageSource;
use super::theme::{self, GRID};
use super::train_view::earlier::EarlierRuns;
use super::widgets::{command_button, empty_place};
use super::{dialogs, predict_view::list::ListAction};
use crate::config::{DeviceChoice, Task};
use crate::inference::Prediction;
use picker::{ModelAction, ModelState};
use worker::{OpenModel, Said, Worker};

/// Below this width, list, image and answers stand one below the other.
const WIDE: f32 = 720.0;
const LIST_WIDTH: f32 = 280.0;
const ANSWERS_WIDTH: f32 = 340.0;
/// A list up to this length is predicted anew by itself when a run finds better weights.
const SHORT: usize = 16;
/// Textures are copied on the UI thread: so many a frame keep it smooth.
const TAKE_IN: usize = 32;

/// An image of the list.
struct Entry {
    id: u64,
    source: ImageSource,
    name: String,
    /// Where it came from, for the export.
    origin: String,
    thumbnail: Option<TextureHandle>,
    size: Option<[u32; 2]>,
    state: State,
}

/// How far an image is.
enum State {
    /// It is being read or predicted, or there is no model.
    Waiting,
    /// The network's answer.
    Predicted(Prediction),
    /// Why there is none.
    Failed(String),
}

/// The Predict place.
pub struct PredictView {
    open_model: OpenModel,
    worker: Option<Worker>,
    entries: Vec<Entry>,
    next_id: u64,
    selected: usize,
    follows_selection: bool,
    /// The entry that the large picture was asked for, and the picture.
    shown: Option<(u64, Option<TextureHandle>)>,
    model: ModelState,
    /// Grows with each model: answers of older ones are not taken.
    model_number: u64,
    wanted_model: Option<PathBuf>,
    newer_weights: Option<PathBuf>,
    runs: EarlierRuns,
    runs_of: Option<PathBuf>,
    url: String,
    focuses_url: bool,
    saving: Option<Job<Option<AppCommand>>>,
}

impl Default for PredictView {
    fn default() -> Self {
        Self::with_models(Arc::new(worker::open_model))
    }
}

impl PredictView {
    /// A view whose models come from `open_model`.
    pub fn with_models(open_model: OpenModel) -> Self {
        Self {
            open_model,
            worker: None,
            entries: Vec::new(),
            next_id: 0,
            selected: 0,
            follows_selection: false,
            shown: None,
            model: ModelState::None,
            model_number: 0,
            wanted_model: None,
            newer_weights: None,
            runs: EarlierRuns::default(),
            runs_of: None,
            url: String::new(),
            focuses_url: false,
            saving: None,
        }
    }

    /// Shows it.
    pub fn ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        self.choose_newest_run(context);
        self.keys(ui);
        self.ask_for_picture();
        let colors = self.colors(context);
        if ui.available_width() < WIDE {
            ScrollArea::vertical().id_salt("predict").show(ui, |ui| self.narrow_ui(ui, context, &colors));
            return;
        }
        let panel = |side: egui::Panel, width: f32| {
            side.exact_size(width).resizable(false).show_separator_line(false).frame(context.tokens.card_frame())
        };
        panel(egui::Panel::left("predict list"), LIST_WIDTH).show(ui, |ui| {
            let model_height = 24.0 * GRID;
            self.add_ui(ui, context);
            let list_height = (ui.available_height() - model_height).max(20.0 * GRID);
            ui.allocate_ui(vec2(ui.available_width(), list_height), |ui| {
                ui.set_min_height(list_height);
                self.list_ui(ui, context, &colors);
            });
            ui.separator();
            self.model_ui(ui, context, &colors);
        });
        if let Some(entry) = self.entries.get(self.selected) {
            panel(egui::Panel::right("predict answers"), ANSWERS_WIDTH).show(ui, |ui| {
                ScrollArea::vertical().id_salt("answers").auto_shrink(false).show(ui, |ui| {
                    ui.set_max_width(ui.available_width() - 2.0 * GRID);
                    answer::bars_ui(ui, context, entry, &self.model, self.tasks(), &colors);
                });
            });
        }
        let frame = egui::Frame::new().inner_margin(egui::Margin::symmetric(16, 0));
        egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| self.picture_ui(ui, context, ui.available_size()));
    }

    fn narrow_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, colors: &[Color32]) {
        self.model_ui(ui, context, colors);
        ui.separator();
        self.add_ui(ui, context);
        let width = ui.available_width();
        self.picture_ui(ui, context, vec2(width, 260.0));
        if let Some(entry) = self.entries.get(self.selected) {
            answer::bars_ui(ui, context, entry, &self.model, self.tasks(), colors);
        }
        if self.entries.len() > 1 {
            ui.allocate_ui(vec2(width, 240.0), |ui| self.list_ui(ui, context, colors));
        }
    }

    fn picture_ui(&self, ui: &mut Ui, context: &ViewContext<'_>, space: egui::Vec2) {
        match self.entries.get(self.selected) {
            Some(entry) => {
                let picture = self.shown.as_ref().filter(|(id, _)| *id == entry.id).and_then(|(_, p)| p.as_ref());
                answer::picture_ui(ui, context.tokens, entry, picture, space);
            }
            None if self.model == ModelState::None => empty_place(
                ui,
                icons::CROSSHAIR,
                "Ask a network about any image",
                "There is no network yet. Train one on your labelled images, or open a checkpoint from an earlier run; then drop images here.",
                |ui| answer::next_steps_ui(ui, context),
            ),
            None => empty_place(
                ui,
                icons::IMAGES,
                "Drop images here",
                "Or paste an image or its address with Ctrl+V, open files, or type a URL.",
                |ui| {
                    command_button(ui, context.commands, UiCommand::OpenImages);
                },
            ),
        }
    }

    /// The ways to add images.
    fn add_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        ui.horizontal_wrapped(|ui| {
            command_button(ui, context.commands, UiCommand::OpenImages);
            let paste = ui.button(format!("{}  Paste", icons::CLIPBOARD));
            paste.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, UiCommand::Paste.text()));
            if paste.on_hover_text("Predict the image, file or address in the clipboard (Ctrl+V)").clicked() {
                context.commands.ui(UiCommand::Paste);
            }
        });
        let field = egui::TextEdit::singleline(&mut self.url)
            .hint_text("https:// address of an image")
            .desired_width(f32::INFINITY)
            .margin(egui::Margin::symmetric(8, 6));
        let response = ui.add(field);
        response.widget_info(|| {
            egui::WidgetInfo { label: Some("Image address".to_owned()), ..egui::WidgetInfo::text_edit(true, "", &self.url, "") }
        });
        if std::mem::take(&mut self.focuses_url) {
            response.request_focus();
        }
        let url = self.url.trim();
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) && !url.is_empty() {
            context.commands.send(AppCommand::FetchUrl(url.to_owned()));
            self.url.clear();
        }
    }

    fn list_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, colors: &[Color32]) {
        if self.entries.is_empty() {
            return;
        }
        ui.horizontal(|ui| {
            let count = self.entries.len();
            let text = if count == 1 { "1 image".to_owned() } else { format!("{count} images") };
            ui.label(theme::caption(context.tokens, text));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if ui.small_button("Clear").on_hover_text("Empty the list; no file is touched").clicked() {
                    self.clear();
                }
                let has_answers = self.entries.iter().any(|entry| matches!(entry.state, State::Predicted(_)));
                let export = ui.add_enabled(has_answers, egui::Button::new("Export CSV\u{2026}").small());
                if export.on_hover_text("Write all answers and probabilities to a file").clicked() {
                    self.export(context);
                }
            });
        });
        let follow = std::mem::take(&mut self.follows_selection);
        let answers = list::Answers { tasks: tasks_of(&self.model), colors };
        match list::list_ui(ui, context.tokens, &self.entries, &answers, self.selected, follow) {
            Some(ListAction::Select(index)) => self.selected = index,
            Some(ListAction::Remove(index)) => self.remove(index),
            None => {}
        }
    }

    fn model_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, colors: &[Color32]) {
        let newer = self.newer_weights.as_ref();
        match picker::model_ui(ui, context, &self.model, colors, &self.runs, newer) {
            Some(ModelAction::Use(path)) => self.wanted_model = Some(path),
            Some(ModelAction::Refresh) => self.runs_of = None,
            None => {}
        }
        if self.wanted_model.is_some() {
            ui.ctx().request_repaint();
        }
    }

    /// Up, down and delete, unless something is being typed.
    fn keys(&mut self, ui: &Ui) {
        if self.entries.is_empty() || ui.ctx().text_edit_focused() {
            return;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let before = self.selected;
        if pressed(Key::ArrowDown) {
            self.selected = (self.selected + 1).min(self.entries.len() - 1);
        }
        if pressed(Key::ArrowUp) {
            self.selected = self.selected.saturating_sub(1);
        }
        self.follows_selection |= self.selected != before;
        if pressed(Key::Delete) {
            self.remove(self.selected);
        }
    }

    /// An action that is about prediction, such as typing a URL.
    pub fn on_command(&mut self, command: UiCommand, context: &mut ViewContext<'_>) {
        if command == UiCommand::TypeUrl {
            self.focuses_url = true;
            context.commands.send(AppCommand::SelectPlace(super::command::Place::Predict));
        }
    }

    /// Images dropped, pasted, chosen, or given as addresses: they join the list.
    pub fn add_images(&mut self, images: Vec<ImageSource>) {
        let first_new = self.entries.len();
        for source in images {
            let origin = match &source {
                ImageSource::Path(path) => path.display().to_string(),
                other => other.name(),
            };
            self.entries.push(Entry {
                id: self.next_id,
                name: source.name(),
                origin,
                source,
                thumbnail: None,
                size: None,
                state: State::Waiting,
            });
            self.next_id += 1;
        }
        if first_new < self.entries.len() {
            self.selected = first_new;
            self.follows_selection = true;
            if let Some(worker) = &self.worker {
                for entry in &self.entries[first_new..] {
                    worker.load(entry.id, self.model_number, entry.source.clone());
                }
            }
        }
    }

    /// Predict with this checkpoint or run folder from now on.
    pub fn set_model(&mut self, model_or_run: PathBuf) {
        let is_in_use = match &self.model {
            ModelState::Ready(info) => info.path == model_or_run || info.path.parent() == Some(&model_or_run),
            _ => false,
        };
        // A run writes better weights again and again: a long list is not predicted anew each time.
        if is_in_use && self.entries.len() > SHORT {
            self.newer_weights = Some(model_or_run);
        } else {
            self.wanted_model = Some(model_or_run);
        }
    }

    /// Called once a frame, also when the view is not shown: take in finished jobs.
    pub fn poll(&mut self, context: &mut ViewContext<'_>) {
        if let Some(path) = self.wanted_model.take() {
            self.load_model(context, path);
        }
        if self.worker.is_none() && !self.entries.is_empty() {
            self.start_worker(context);
        }
        if let Some(worker) = &self.worker {
            let said = worker.said(TAKE_IN);
            let is_full = said.len() == TAKE_IN;
            for said in said {
                self.take_in(context, said);
            }
            if is_full {
                context.commands.wake();
            }
        }
        if let Some(message) = self.runs.poll() {
            context.commands.toast(Level::Warning, message);
        }
        if let Some(outcome) = self.saving.as_mut().and_then(Job::poll) {
            self.saving = None;
            match outcome {
                Outcome::Done(Some(command)) => context.commands.send(command),
                Outcome::Failed(message) => context.commands.toast(Level::Error, message),
                Outcome::Done(None) | Outcome::Cancelled => {}
            }
        }
    }

    fn start_worker(&mut self, context: &ViewContext<'_>) {
        let worker = Worker::start(context.jobs, Arc::clone(&self.open_model));
        for entry in &self.entries {
            worker.load(entry.id, self.model_number, entry.source.clone());
        }
        self.worker = Some(worker);
    }

    fn load_model(&mut self, context: &ViewContext<'_>, path: PathBuf) {
        self.model_number += 1;
        self.newer_weights = None;
        for entry in &mut self.entries {
            entry.state = State::Waiting;
        }
        let device = context.project.map_or(DeviceChoice::Auto, |project| project.config.model.device);
        let worker = match self.worker.take() {
            Some(worker) => {
                worker.set_model(self.model_number, path.clone(), device);
                for entry in &self.entries {
                    worker.load(entry.id, self.model_number, entry.source.clone());
                }
                worker
            }
            None => {
                let worker = Worker::start(context.jobs, Arc::clone(&self.open_model));
                worker.set_model(self.model_number, path.clone(), device);
                for entry in &self.entries {
                    worker.load(entry.id, self.model_number, entry.source.clone());
                }
                worker
            }
        };
        self.worker = Some(worker);
        self.model = ModelState::Loading(path);
    }

    fn take_in(&mut self, context: &ViewContext<'_>, said: Said) {
        let number = self.model_number;
        let texture = |name: String, image| context.commands.ctx().load_texture(name, image, TextureOptions::LINEAR);
        match said {
            Said::Loaded { id, size, thumbnail, source } => {
                if let Some(entry) = self.entry(id) {
                    entry.size = Some(size);
                    entry.source = source;
                    entry.thumbnail.get_or_insert_with(|| texture(format!("thumbnail {id}"), thumbnail));
                }
            }
            Said::Shown { id, image } => {
                if let Some((shown, picture)) = &mut self.shown
                    && *shown == id
                {
                    *picture = Some(texture(format!("picture {id}"), image));
                }
            }
            Said::Predicted { id, model, prediction } if model == number => {
                if let Some(entry) = self.entry(id) {
                    entry.state = State::Predicted(prediction);
                }
            }
            Said::Failed { id, message } => {
                if let Some(entry) = self.entry(id) {
                    entry.state = State::Failed(message);
                }
            }
            Said::ModelReady { model, info } if model == number => self.model = ModelState::Ready(info),
            Said::ModelFailed { model, message } if model == number => {
                context.commands.toast(Level::Error, message.as_str());
                self.model = ModelState::Failed(message);
            }
            Said::Predicted { .. } | Said::ModelReady { .. } | Said::ModelFailed { .. } => {}
        }
    }

    fn entry(&mut self, id: u64) -> Option<&mut Entry> {
        // Ids grow along the list.
        let index = self.entries.binary_search_by_key(&id, |entry| entry.id).ok()?;
        self.entries.get_mut(index)
    }

    fn ask_for_picture(&mut self) {
        let (Some(entry), Some(worker)) = (self.entries.get(self.selected), &self.worker) else { return };
        let is_local = !matches!(entry.source, ImageSource::Url(_));
        if is_local && self.shown.as_ref().is_none_or(|(id, _)| *id != entry.id) {
            worker.show(entry.id, entry.source.clone());
            self.shown = Some((entry.id, None));
        }
    }

    /// Where nothing was chosen yet, the newest run of the project predicts.
    fn choose_newest_run(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        let folder = &project.config.paths.runs;
        if self.runs_of.as_ref() != Some(folder) {
            self.runs_of = Some(folder.clone());
            self.runs.refresh(context.jobs, folder);
        }
        if self.model == ModelState::None && self.wanted_model.is_none() {
            let mut with_model = self.runs.others(None).filter_map(|run| run.record.best.clone());
            self.wanted_model = with_model.next();
        }
        if self.wanted_model.is_some() {
            context.commands.wake();
        }
    }

    fn tasks(&self) -> &[Task] {
        tasks_of(&self.model)
    }

    /// One colour per task of the model: that of the project's task of the same name.
    fn colors(&self, context: &ViewContext<'_>) -> Vec<Color32> {
        let of_project = context.project.map_or(&[][..], |project| &project.config.model.tasks);
        let tasks = self.tasks().iter().enumerate();
        tasks
            .map(|(index, task)| {
                let place = of_project.iter().position(|other| other.name == task.name);
                context.tokens.task(place.unwrap_or(index))
            })
            .collect()
    }

    fn remove(&mut self, index: usize) {
        if index >= self.entries.len() {
            return;
        }
        self.entries.remove(index);
        if self.selected > index || self.selected >= self.entries.len() {
            self.selected = self.selected.saturating_sub(1);
        }
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.selected = 0;
        self.shown = None;
        // What is still being read belongs to nobody now.
        self.worker = None;
        if let ModelState::Ready(info) = &self.model {
            self.wanted_model = Some(info.path.clone());
        }
    }

    fn export(&mut self, context: &ViewContext<'_>) {
        let rows: Vec<export::Row<'_>> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let outcome = match &entry.state {
                    State::Predicted(prediction) => Ok(prediction),
                    State::Failed(message) => Err(message.as_str()),
                    State::Waiting => return None,
                };
                Some(export::Row { image: entry.origin.clone(), outcome })
            })
            .collect();
        let count = rows.len();
        match export::csv(self.tasks(), &rows) {
            Ok(bytes) => {
                self.saving = Some(dialogs::ask_csv(context.jobs, move |file| save(&file, &bytes, count)));
            }
            Err(error) => context.commands.toast(Level::Error, format!("{error:#}")),
        }
    }
}

fn tasks_of(model: &ModelState) -> &[Task] {
    match model {
        ModelState::Ready(info) => &info.tasks,
        _ => &[],
    }
}

fn save(file: &Path, bytes: &[u8], count: usize) -> AppCommand {
    let (level, message) = match crate::files::replace(file, bytes) {
        Ok(()) => (Level::Success, format!("{count} predictions were written to {}", file.display())),
        Err(error) => (Level::Error, format!("{} cannot be written: {error}", file.display())),
    };
    AppCommand::Toast { level, message }
}
