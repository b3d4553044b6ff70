//! The threads behind Predict: a few that fetch and decode images, and one that has the network and
//! predicts what they hand it, in batches. Nothing here blocks the window; every error comes back
//! with the image it belongs to.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use crossbeam_channel::{Receiver, Sender, bounded, select_biased, unbounded};
use egui::ColorImage;
use tasklens_data::config::{DeviceChoice, Task};
use tasklens_data::images::Rgb;
use tasklens_data::images::decode::{Decoded, Detail};
use tasklens_data::images::input::of_decoded;
use tasklens_data::images::thumbnail::thumbnail_of;
use tasklens_data::panics;
use tasklens_data::text::{age, told};
use tasklens_net::inference::Prediction;
use tasklens_net::inference::engine::Demand;
use tasklens_net::model::checkpoint;
use tasklens_net::training::events::{EpochMetrics, Started};
use tasklens_net::training::run_folder::{self, RunRecord};

use super::read::{input, read};
use crate::app::services::jobs::{Job, Jobs, Progress};
use crate::app::services::predictors::Predictors;
use crate::app::services::project::ImageSource;
use crate::app::services::thumbnails::color_image;

/// Longer side of a picture in the list, in pixels (twice its size on the screen).
const THUMBNAIL: u32 = 112;
/// Longer side of the picture in the middle, in pixels.
const SHOWN: u32 = 2048;
const LOADERS: usize = 2;
const BATCH: usize = 16;

/// What predicts a batch.
pub type PredictBatch = Box<dyn Fn(&[Rgb]) -> anyhow::Result<Vec<Prediction>>>;

/// A network that is ready.
pub struct OpenedModel {
    /// The checkpoint file.
    pub path: PathBuf,
    /// Its tasks with their labels.
    pub tasks: Vec<Task>,
    /// One [`Prediction`] per image, in order.
    pub predict: PredictBatch,
    /// Height and width of its input, in pixels.
    pub input_size: (u32, u32),
}

/// Opens a checkpoint or run folder; called in the predicting thread.
pub type OpenModel = Arc<dyn Fn(&Path, DeviceChoice) -> anyhow::Result<OpenedModel> + Send + Sync>;

/// The network of the checkpoint.
pub fn open_model(predictors: &Predictors, path: &Path, device: DeviceChoice) -> anyhow::Result<OpenedModel> {
    let predictor = predictors.open(path, device)?;
    let (path, tasks) = (predictor.path().to_path_buf(), predictor.tasks().to_vec());
    let input_size = predictor.input_size();
    let is_answered = Once::new();
    let predict = move |images: &[Rgb]| {
        let predictions = predictor.predict(images);
        // Not before the first answer, which would wait for a share of the cores.
        is_answered.call_once(|| predictor.speed_up_meanwhile(Demand::SingleImages));
        predictions
    };
    Ok(OpenedModel { path, tasks, predict: Box::new(predict), input_size })
}

/// What is known of the model in use.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The checkpoint file.
    pub path: PathBuf,
    /// Its run, or the file's name.
    pub name: String,
    /// Its tasks with their labels.
    pub tasks: Vec<Task>,
    /// The epoch it comes from, where its run says so.
    pub epoch: Option<EpochMetrics>,
    /// When it was written, such as `3 h ago`.
    pub age: String,
    /// The folder of its run, where it lies in one.
    pub run: Option<PathBuf>,
    /// How its run began, where that is recorded.
    pub started: Option<Started>,
}

/// What the threads report.
pub enum WorkerEvent {
    /// An image was decoded.
    Loaded {
        /// The number of the entry in the list.
        id: u64,
        /// Width and height in pixels.
        size: [u32; 2],
        /// For the list, at most 112 pixels on its longer side.
        thumbnail: ColorImage,
        /// What to read it from from now on: a URL is fetched once.
        source: ImageSource,
        /// What is worth knowing of how it was read.
        note: Option<String>,
    },
    /// The picture of the selected entry.
    Shown {
        /// The number of the entry in the list.
        id: u64,
        /// At most 2048 pixels on its longer side.
        image: ColorImage,
    },
    /// An image was predicted.
    Predicted {
        /// The number of the entry in the list.
        id: u64,
        /// The number of the model.
        model: u64,
        prediction: Prediction,
    },
    /// An image could not be read or predicted.
    Failed {
        /// The number of the entry in the list.
        id: u64,
        /// Why, and what to do.
        message: String,
    },
    /// The model is ready.
    ModelReady {
        /// The number of the model.
        model: u64,
        /// What is known of it.
        info: Box<ModelInfo>,
    },
    /// The model cannot be used.
    ModelFailed {
        /// The number of the model.
        model: u64,
        /// Why, and what to do.
        message: String,
    },
}

struct ImageLoad {
    id: u64,
    model: u64,
    source: ImageSource,
}

struct SetModel {
    model: u64,
    path: PathBuf,
    device: DeviceChoice,
}

/// An image that can be read, for the network.
struct ReadImage {
    id: u64,
    model: u64,
    image: Pixels,
}

enum Pixels {
    /// All of them, with their share of the budget.
    Whole(Decoded),
    /// A reduced image was enough for the list; the network's input may need more.
    Reduced(ImageSource),
}

/// The threads; they end when this is dropped.
pub struct Worker {
    models: Sender<SetModel>,
    loads: Sender<ImageLoad>,
    shows: Sender<(u64, ImageSource)>,
    events: Receiver<WorkerEvent>,
    _threads: Vec<Job<()>>,
}

impl Worker {
    /// Starts the threads; `open` opens a model.
    pub fn start(jobs: &Jobs, open: OpenModel) -> Self {
        let (models, model_requests) = unbounded();
        let (loads, load_requests) = unbounded::<ImageLoad>();
        let (shows, show_requests) = unbounded::<(u64, ImageSource)>();
        let (sender, events) = unbounded();
        // Full-size pixels wait here: a short queue, and their shares of the budget, bound the memory.
        let (pixels, pixel_requests) = bounded(BATCH);
        let mut threads: Vec<Job<()>> = (0..LOADERS)
            .map(|_| {
                let (loads, shows) = (load_requests.clone(), show_requests.clone());
                let (sender, pixels) = (sender.clone(), pixels.clone());
                jobs.start_standing("Reading images", move |progress| {
                    load_loop(&loads, &shows, &pixels, &Events { sender, progress });
                    Ok(())
                })
            })
            .collect();
        threads.push(jobs.start_standing("Predicting", move |progress| {
            predict_loop(&open, &model_requests, &pixel_requests, &Events { sender, progress });
            Ok(())
        }));
        Self { models, loads, shows, events, _threads: threads }
    }

    /// Uses another model from now on; images that were asked for with an older number are dropped.
    pub fn set_model(&self, model: u64, path: PathBuf, device: DeviceChoice) {
        // A thread that is gone has reported why; see `WorkerEvent::Failed`.
        let _ = self.models.send(SetModel { model, path, device });
    }

    /// Reads an image and predicts it with the model of that number.
    pub fn load(&self, id: u64, model: u64, source: ImageSource) {
        let _ = self.loads.send(ImageLoad { id, model, source });
    }

    /// Reads the picture of an entry at the size it is shown.
    pub fn show(&self, id: u64, source: ImageSource) {
        let _ = self.shows.send((id, source));
    }

    /// The events since the last call, at most `limit`.
    pub fn events(&self, limit: usize) -> Vec<WorkerEvent> {
        self.events.try_iter().take(limit).collect()
    }
}

/// The way back to the window.
struct Events<'a> {
    sender: Sender<WorkerEvent>,
    progress: &'a Progress,
}

impl Events<'_> {
    fn send(&self, event: WorkerEvent) {
        if self.sender.send(event).is_ok() {
            self.progress.say("");
        }
    }
}

/// What a panic becomes: a message, never the end of the thread.
fn guarded<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> Result<T, String> {
    match panics::guard(work) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(told(&error)),
        Err(what) => Err(format!("{name} failed because of an internal error ({what}). Please report it.")),
    }
}

fn load_loop(
    loads: &Receiver<ImageLoad>,
    shows: &Receiver<(u64, ImageSource)>,
    pixels: &Sender<ReadImage>,
    events: &Events<'_>,
) {
    loop {
        select_biased! {
            recv(shows) -> request => {
                let Ok((id, source)) = request else { return };
                // An image that cannot be read says so when it is loaded.
                let shown = Detail::Within(SHOWN);
                if let Ok((image, _)) = guarded(&source.name(), || read(&source, shown, events.progress)) {
                    let image = color_image(&thumbnail_of(&image, SHOWN));
                    events.send(WorkerEvent::Shown { id, image });
                }
            }
            recv(loads) -> request => {
                let Ok(ImageLoad { id, model, source }) = request else { return };
                let listed = Detail::Within(THUMBNAIL);
                match guarded(&source.name(), || read(&source, listed, events.progress)) {
                    Ok((image, source)) => {
                        let thumbnail = color_image(&thumbnail_of(&image, THUMBNAIL));
                        let (width, height) = image.full_size();
                        let note = image.note().map(str::to_owned);
                        let loaded = source.clone();
                        let image =
                            if image.is_full() { Pixels::Whole(image) } else { Pixels::Reduced(source) };
                        events.send(WorkerEvent::Loaded { id, size: [width, height], thumbnail, source: loaded, note });
                        if pixels.send(ReadImage { id, model, image }).is_err() {
                            return;
                        }
                    }
                    Err(message) => events.send(WorkerEvent::Failed { id, message }),
                }
            }
        }
    }
}

fn predict_loop(
    open: &OpenModel,
    models: &Receiver<SetModel>,
    pixels: &Receiver<ReadImage>,
    events: &Events<'_>,
) {
    let mut current: Option<(u64, OpenedModel)> = None;
    let mut number = 0;
    loop {
        select_biased! {
            recv(models) -> request => {
                let Ok(mut request) = request else { return };
                // Only the latest counts: best checkpoints can come faster than they load.
                while let Ok(newer) = models.try_recv() {
                    request = newer;
                }
                number = request.model;
                // Before the new one is loaded: two networks may not fit.
                current = None;
                match guarded("Opening the model", || open(&request.path, request.device)) {
                    Ok(model) => {
                        let info = Box::new(info(&model));
                        current = Some((number, model));
                        events.send(WorkerEvent::ModelReady { model: number, info });
                    }
                    Err(message) => events.send(WorkerEvent::ModelFailed { model: number, message }),
                }
            }
            recv(pixels) -> first => {
                let Ok(first) = first else { return };
                let batch = std::iter::once(first).chain(pixels.try_iter().take(BATCH - 1));
                let batch: Vec<ReadImage> = batch.filter(|pixels| pixels.model == number).collect();
                if let Some((number, model)) = &current {
                    predict(model, *number, batch, events);
                }
            }
        }
    }
}

fn predict(model: &OpenedModel, number: u64, batch: Vec<ReadImage>, events: &Events<'_>) {
    let (mut ids, mut images) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
    for ReadImage { id, image, .. } in batch {
        let scaled = match image {
            Pixels::Whole(image) => Ok(of_decoded(&image, model.input_size)),
            Pixels::Reduced(source) => {
                guarded(&source.name(), || input(&source, model.input_size, events.progress))
            }
        };
        match scaled {
            Ok(pixels) => {
                ids.push(id);
                images.push(pixels);
            }
            Err(message) => events.send(WorkerEvent::Failed { id, message }),
        }
    }
    answer(model, number, &ids, &images, events);
}

fn answer(model: &OpenedModel, number: u64, ids: &[u64], images: &[Rgb], events: &Events<'_>) {
    if ids.is_empty() {
        return;
    }
    let predictions = guarded("Predicting", || {
        let predictions = (model.predict)(images)?;
        anyhow::ensure!(predictions.len() == images.len(), "the network left out an image");
        Ok(predictions)
    });
    match predictions {
        Ok(predictions) => {
            for (id, prediction) in ids.iter().zip(predictions) {
                events.send(WorkerEvent::Predicted { id: *id, model: number, prediction });
            }
        }
        // One bad image must not take the others with it.
        Err(_) if ids.len() > 1 => {
            for (id, image) in ids.chunks(1).zip(images.chunks(1)) {
                answer(model, number, id, image, events);
            }
        }
        Err(message) => {
            for id in ids {
                events.send(WorkerEvent::Failed { id: *id, message: message.clone() });
            }
        }
    }
}

/// What a checkpoint knows of its epoch.
fn own_metrics(checkpoint: &Path) -> Option<EpochMetrics> {
    let description = checkpoint::read_description(checkpoint).ok()?;
    let extra = &description.extra;
    // That to go on from has all epochs, itself the last.
    let metrics = extra.get("metrics").or_else(|| extra.get("epochs")?.as_array()?.last())?;
    serde_json::from_value(metrics.clone()).ok()
}

fn info(model: &OpenedModel) -> ModelInfo {
    let folder = model.path.parent();
    let record = folder.and_then(|folder| RunRecord::open(folder).ok());
    // It tells of the best weights, and not of those to go on from.
    let is_best = model.path.file_name().is_some_and(|name| name == run_folder::BEST);
    let of_record = || record.as_ref().filter(|_| is_best).and_then(RunRecord::kept_epoch);
    let written = model.path.metadata().and_then(|file| file.modified()).ok();
    let file_name =
        || model.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    ModelInfo {
        name: record.as_ref().map_or_else(file_name, |record| record.name.clone()),
        epoch: own_metrics(&model.path).or_else(|| of_record().cloned()),
        age: written.map(|then| age(then, std::time::SystemTime::now())).unwrap_or_default(),
        path: model.path.clone(),
        tasks: model.tasks.clone(),
        run: record.as_ref().map(|record| record.folder.clone()),
        started: record.and_then(|record| record.started),
    }
}

#[cfg(test)]
mod tests;
