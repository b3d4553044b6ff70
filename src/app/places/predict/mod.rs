//! Predict: images from anywhere and what a network says about them.
//!
//! The view keeps the list and what is selected; fetching, decoding and predicting is its
//! [`worker`]'s.

mod about;
mod answer;
mod check;
mod list;
mod picker;
mod picture;
mod read;
mod tried;
mod view;
pub mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Color32, TextureHandle, TextureOptions};
use tasklens_data::config::{DeviceChoice, Task};
use tasklens_data::files::Output;
use tasklens_data::text::{counted_grouped, told};
use tasklens_net::inference::Prediction;
use tasklens_net::inference::table::{self, Listed};

use crate::app::command::{AppCommand, Level, Notice, Subject};
use crate::app::context::ViewContext;
use crate::app::dialogs::file_dialogs;
use crate::app::services::predictors::Predictors;
use crate::app::services::project::ImageSource;
use check::Truth;
use picker::{ModelAction, ModelState};
use picture::Look;
use tried::{Standings, Tried};
use worker::{OpenModel, Worker, WorkerEvent};

/// A list up to this length is predicted anew by itself when a run finds better weights.
const SHORT: usize = 16;
/// Textures are copied on the UI thread: so many a frame keep it smooth.
const TAKE_IN: usize = 32;

/// An image of the list.
struct ImageEntry {
    id: u64,
    source: ImageSource,
    name: String,
    /// Where it came from, for the export.
    origin: String,
    thumbnail: Option<TextureHandle>,
    size: Option<[u32; 2]>,
    /// What is worth knowing of how it was read.
    note: Option<String>,
    state: EntryState,
    /// Its labels in the project, where it was taken from there to be checked.
    truth: Option<Truth>,
}

impl ImageEntry {
    /// One that waits to be read.
    fn new(id: u64, source: ImageSource, truth: Option<Truth>) -> Self {
        let name = source.name();
        let origin = match &source {
            ImageSource::Path(path) => path.display().to_string(),
            ImageSource::Bytes { .. } | ImageSource::Pixels { .. } | ImageSource::Url(_) => name.clone(),
        };
        let (thumbnail, size, note) = (None, None, None);
        Self { id, name, origin, source, thumbnail, size, note, state: EntryState::Waiting, truth }
    }
}

/// How far an image is.
enum EntryState {
    /// It is being read or predicted, or there is no model.
    Waiting,
    /// The probabilities of each task.
    Predicted(Prediction),
    /// Why there is none.
    Failed(String),
}

/// The Predict place: images from anywhere, and the model that predicts them.
pub struct PredictView {
    open_model: OpenModel,
    worker: Option<Worker>,
    entries: Vec<ImageEntry>,
    next_id: u64,
    selected: usize,
    follows_selection: bool,
    /// The entry that the large picture was asked for, and the picture.
    shown: Option<(u64, Option<TextureHandle>)>,
    look: Look,
    tried: Tried,
    model: ModelState,
    /// Grows with each model: answers of older ones are not taken.
    model_number: u64,
    wanted_model: Option<PathBuf>,
    /// The run that was taken as the project's current model; whoever chooses another one here takes that.
    followed: Option<PathBuf>,
    /// The user chose a model here, whatever the current one is.
    has_own: bool,
    newer_weights: Option<PathBuf>,
    url: String,
    focuses_url: bool,
}

impl PredictView {
    /// A view whose models are those of the app.
    pub fn new(predictors: &Predictors) -> Self {
        let predictors = predictors.clone();
        Self::with_models(Arc::new(move |path, device| worker::open_model(&predictors, path, device)))
    }

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
            look: Look::default(),
            tried: Tried::default(),
            model: ModelState::None,
            model_number: 0,
            wanted_model: None,
            followed: None,
            has_own: false,
            newer_weights: None,
            url: String::new(),
            focuses_url: false,
        }
    }

    /// Puts the cursor into the URL field.
    pub fn type_url(&mut self) {
        self.focuses_url = true;
    }

    /// Images dropped, pasted, chosen, or given as addresses: they join the list.
    pub fn add_images(&mut self, images: Vec<ImageSource>) {
        self.add(images.into_iter().map(|image| (image, None)).collect());
    }

    /// Some validation images of the project join the list, with their labels.
    pub fn try_validation_images(&mut self, context: &ViewContext<'_>) {
        let model = match &self.model {
            ModelState::Ready(info) => Some(info.path.clone()),
            ModelState::Loading(path) => Some(path.clone()),
            ModelState::None | ModelState::Failed(_) => None,
        };
        self.tried.draw(context, model, self.next_id);
    }

    /// Takes in images that were drawn, and looks up how those in the list stand to the network.
    fn follow_tried(&mut self, context: &ViewContext<'_>) {
        match self.tried.drawn() {
            Some(Ok(images)) => self.add(images),
            Some(Err(message)) => context.commands.toast(Level::Warning, message),
            None => {}
        }
        let model = match &self.model {
            ModelState::Ready(info) => Some(info.path.as_path()),
            ModelState::None | ModelState::Loading(_) | ModelState::Failed(_) => None,
        };
        let tried = self.entries.iter().filter(|entry| entry.truth.is_some());
        let images = tried.filter_map(|entry| match &entry.source {
            ImageSource::Path(image) => Some((entry.id, image.as_path())),
            ImageSource::Bytes { .. } | ImageSource::Pixels { .. } | ImageSource::Url(_) => None,
        });
        self.tried.follow(context, model, images);
    }

    /// How the tried images stand to the network that answers; `None` while that is looked up.
    fn standings(&self) -> Option<&Standings> {
        let ModelState::Ready(info) = &self.model else { return None };
        self.tried.standings(&info.path)
    }

    fn add(&mut self, images: Vec<(ImageSource, Option<Truth>)>) {
        let first_new = self.entries.len();
        for (source, truth) in images {
            self.entries.push(ImageEntry::new(self.next_id, source, truth));
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

    /// Predict with this checkpoint or run folder from now on, whatever the current model is.
    pub fn set_model(&mut self, model_or_run: PathBuf) {
        self.has_own = true;
        self.wanted_model = Some(model_or_run);
    }

    /// A run has written better weights: of interest where they are those in use.
    pub fn on_new_weights(&mut self, file: PathBuf) {
        let is_in_use = matches!(&self.model, ModelState::Ready(info) if info.path == file);
        // A run writes better weights again and again: a long list is not predicted anew each time.
        if is_in_use && self.entries.len() > SHORT {
            self.newer_weights = Some(file);
        } else if is_in_use {
            self.wanted_model = Some(file);
        }
    }

    /// Another project was opened: its current model is another one.
    pub fn on_project(&mut self, same_file: bool) {
        if !same_file {
            self.followed = None;
        }
    }

    /// Called once a frame, also when the view is not shown: take in finished jobs.
    pub fn poll(&mut self, context: &mut ViewContext<'_>) {
        if let Some(path) = self.wanted_model.take() {
            self.load_model(context, path);
        }
        self.follow_tried(context);
        if self.worker.is_none() && !self.entries.is_empty() {
            self.start_worker(context);
        }
        if let Some(worker) = &self.worker {
            let events = worker.events(TAKE_IN);
            let is_full = events.len() == TAKE_IN;
            for event in events {
                self.take_in(context, event);
            }
            if is_full {
                context.commands.ctx().request_repaint();
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
        self.look.heat.forget();
        for entry in &mut self.entries {
            entry.state = EntryState::Waiting;
        }
        let device = context.project.map_or(DeviceChoice::Auto, |project| project.config.model.device);
        let worker =
            self.worker.get_or_insert_with(|| Worker::start(context.jobs, Arc::clone(&self.open_model)));
        worker.set_model(self.model_number, path.clone(), device);
        for entry in &self.entries {
            worker.load(entry.id, self.model_number, entry.source.clone());
        }
        self.model = ModelState::Loading(path);
    }

    fn take_in(&mut self, context: &ViewContext<'_>, event: WorkerEvent) {
        let number = self.model_number;
        let texture =
            |name: String, image| context.commands.ctx().load_texture(name, image, TextureOptions::LINEAR);
        match event {
            WorkerEvent::Loaded { id, size, thumbnail, source, note } => {
                if let Some(entry) = self.entry(id) {
                    entry.note = note;
                    entry.size = Some(size);
                    entry.source = source;
                    entry.thumbnail.get_or_insert_with(|| texture(format!("thumbnail {id}"), thumbnail));
                }
            }
            WorkerEvent::Shown { id, image } => {
                if let Some((shown, picture)) = &mut self.shown
                    && *shown == id
                {
                    *picture = Some(texture(format!("picture {id}"), image));
                }
            }
            WorkerEvent::Predicted { id, model, prediction } if model == number => {
                if let Some(entry) = self.entry(id) {
                    entry.state = EntryState::Predicted(prediction);
                }
            }
            WorkerEvent::Failed { id, message } => {
                if let Some(entry) = self.entry(id) {
                    entry.state = EntryState::Failed(message);
                }
            }
            WorkerEvent::ModelReady { model, info } if model == number => {
                self.model = ModelState::Ready(info);
            }
            WorkerEvent::ModelFailed { model, message } if model == number => {
                let notice = Notice::new(Level::Error, message.as_str()).about(Subject::Predicting);
                context.commands.notify(notice);
                self.model = ModelState::Failed(message);
            }
            WorkerEvent::Predicted { .. }
            | WorkerEvent::ModelReady { .. }
            | WorkerEvent::ModelFailed { .. } => {}
        }
    }

    fn entry(&mut self, id: u64) -> Option<&mut ImageEntry> {
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

    /// Where no other was chosen here, the current model of the project predicts.
    fn follow_current(&mut self, context: &ViewContext<'_>) {
        if !self.has_own
            && let Some(run) = context.runs.current()
            && self.followed.as_ref() != Some(&run.record.folder)
        {
            self.followed = Some(run.record.folder.clone());
            self.wanted_model.clone_from(&run.record.best);
        }
        if self.wanted_model.is_some() {
            context.commands.ctx().request_repaint();
        }
    }

    /// What the user wants of the menu.
    fn act_on_model(&mut self, context: &ViewContext<'_>, action: ModelAction) {
        match action {
            ModelAction::Refresh => context.commands.send(AppCommand::ReadRuns),
            ModelAction::Use(path) if context.runs.is_current(&path) => {
                (self.has_own, self.followed) = (false, None);
            }
            ModelAction::Use(path) => self.set_model(path),
            ModelAction::Reload(path) => self.wanted_model = Some(path),
            ModelAction::Current => (self.has_own, self.followed) = (false, None),
        }
    }

    /// Whether a model was chosen here that is not the project's current one.
    fn has_another(&self, context: &ViewContext<'_>) -> bool {
        let Some(current) = context.runs.current() else { return false };
        match &self.model {
            ModelState::Ready(info) => self.has_own && info.path.parent() != Some(&current.record.folder),
            ModelState::None | ModelState::Loading(_) | ModelState::Failed(_) => false,
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
        let rows: Vec<Listed<'_>> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let outcome = match &entry.state {
                    EntryState::Predicted(prediction) => Ok(prediction),
                    EntryState::Failed(message) => Err(message.as_str()),
                    EntryState::Waiting => return None,
                };
                Some(Listed { image: entry.origin.clone(), outcome })
            })
            .collect();
        let count = rows.len();
        match table::list_csv(self.tasks(), &rows) {
            Ok(bytes) => {
                let question = file_dialogs::predictions(move |file| save(&file, &bytes, count));
                context.commands.send(AppCommand::AskFile(Box::new(question)));
            }
            Err(error) => context.commands.toast(Level::Error, told(&error)),
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
    let predictions = counted_grouped(count, "prediction");
    AppCommand::notify(match Output::of(file).and_then(|output| output.write(bytes)) {
        Ok(()) => Notice::written(format!("{predictions} written to {}", file.display()), file.to_path_buf()),
        Err(error) => Notice::new(Level::Error, format!("{} cannot be written: {error}", file.display())),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn predictions_go_into_the_file_behind_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file.csv"), dir.path().join("link.csv"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let AppCommand::Notify(notice) = save(&link, b"new", 1) else { panic!("not saved") };
        assert_eq!(notice.level, Level::Success);
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(file).unwrap(), "new");
    }
}
