//! Heat maps over an image: computed one at a time in the background, the last few kept as textures.
//!
//! What they mean and how they come about is [`tasklens_net::inference::heat_map`]'s.

mod controls;

use std::path::PathBuf;

use egui::{ColorImage, TextureHandle, TextureOptions};
use tasklens_data::config::{DeviceChoice, Task};
use tasklens_data::images::Rgb;
use tasklens_net::inference::heat_map::HeatMap;

use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Outcome, Progress};
use crate::app::theme;

pub use controls::{LEGEND, legend_ui};

/// So many textures are kept.
const KEEP: usize = 24;
/// Pixels of a texture for each cell of the map: the colours follow the values between cells.
const FINER: usize = 12;

/// What a heat map is of. `I` tells images apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeatKey<I> {
    /// The image.
    pub image: I,
    /// The task's position in the network.
    pub task: usize,
    /// The label's position in the task.
    pub label: u32,
}

/// What the network says of the image that is shown.
pub struct HeatSubject<'a> {
    /// Its tasks.
    pub tasks: Vec<&'a Task>,
    /// The predicted label of each.
    pub predicted: Vec<u32>,
    /// The task whose prediction is of interest.
    pub focus: usize,
}

impl HeatSubject<'_> {
    /// A label with its task, in words.
    pub fn name(&self, task: usize, label: u32) -> String {
        let Some(task) = self.tasks.get(task) else { return String::new() };
        format!("{}: {}", task.name, task.labels.get(label as usize).map_or("", String::as_str))
    }
}

/// What there is to show.
pub enum Heat {
    /// The map.
    Ready(TextureHandle),
    /// Nothing in the image speaks for the label.
    Nothing,
    /// It is being computed.
    Loading,
    /// There will be none; the message says why.
    Failed(String),
}

/// Of which network a map is computed, and where.
pub struct HeatModel {
    /// A checkpoint or run folder.
    pub model_or_run: PathBuf,
    /// Where the network is.
    pub device: DeviceChoice,
}

/// A drawn map; none where the label has none, or why it could not be made.
type HeatTexture = Result<Option<TextureHandle>, String>;

/// What of a label is shown, and what was computed.
pub struct HeatMaps<I> {
    /// Whether they are shown.
    pub is_on: bool,
    /// Opacity over the image, 0 to 1.
    pub opacity: f32,
    /// The label that the user chose, with its task; else the predicted one of the task in focus.
    chosen: Option<(usize, Option<u32>)>,
    /// The newest last; `None` where nothing speaks for the label.
    cache: Vec<(HeatKey<I>, HeatTexture)>,
    job: Option<(HeatKey<I>, Job<HeatMap>)>,
}

impl<I> Default for HeatMaps<I> {
    fn default() -> Self {
        Self { is_on: false, opacity: 0.7, chosen: None, cache: Vec::new(), job: None }
    }
}

impl<I: Clone + PartialEq> HeatMaps<I> {
    /// Another network answers: its maps and labels are other ones.
    pub fn forget(&mut self) {
        *self = Self { is_on: self.is_on, opacity: self.opacity, ..Self::default() };
    }

    /// Chooses a label of a task; without one, the predicted label of whatever image is shown.
    pub fn choose(&mut self, task: usize, label: Option<u32>) {
        self.chosen = Some((task, label));
        self.is_on = true;
    }

    /// Whether the map follows the prediction of this task.
    fn follows(&self, task: usize, focus: usize) -> bool {
        self.chosen.map_or(task == focus, |(chosen, label)| chosen == task && label.is_none())
    }

    /// Task and label of the map.
    pub fn target(&self, subject: &HeatSubject<'_>) -> Option<(usize, u32)> {
        let (task, label) = self.chosen.unwrap_or((subject.focus, None));
        let predicted = *subject.predicted.get(task)?;
        Some((task, label.unwrap_or(predicted)))
    }

    /// The map, as far as it is there; `read` has the pixels, given height and width of the
    /// network's input, and runs in a job. Asking again in each frame keeps the
    /// request alive; the latest wins.
    pub fn get(
        &mut self,
        key: &HeatKey<I>,
        model: HeatModel,
        context: &ViewContext<'_>,
        read: impl FnOnce(&Progress, (u32, u32)) -> anyhow::Result<Rgb> + Send + 'static,
    ) -> Heat {
        self.poll(context);
        if let Some(at) = self.cache.iter().position(|(known, _)| known == key) {
            let entry = self.cache.remove(at);
            self.cache.push(entry);
            return match &self.cache[self.cache.len() - 1].1 {
                Ok(Some(texture)) => Heat::Ready(texture.clone()),
                Ok(None) => Heat::Nothing,
                Err(message) => Heat::Failed(message.clone()),
            };
        }
        match &self.job {
            // One at a time: a network that is busy would else collect threads that wait for it.
            Some((other, job)) if other != key => job.cancel(),
            Some(_) => {}
            None => {
                let target = (key.task, key.label as usize);
                self.job = Some((key.clone(), start(target, model, context, read)));
            }
        }
        Heat::Loading
    }

    fn poll(&mut self, context: &ViewContext<'_>) {
        let Some((key, outcome)) = self.job.as_mut().and_then(|(key, job)| Some((key.clone(), job.poll()?)))
        else {
            return;
        };
        self.job = None;
        let result = match outcome {
            Outcome::Done(map) if map.values.iter().all(|value| *value <= 0.0) => Ok(None),
            Outcome::Done(map) => {
                let options = TextureOptions::LINEAR;
                Ok(Some(context.commands.ctx().load_texture("heat map", picture(&map), options)))
            }
            Outcome::Failed(message) => Err(message),
            Outcome::Cancelled => return,
        };
        self.cache.push((key, result));
        let excess = self.cache.len().saturating_sub(KEEP);
        self.cache.drain(..excess);
    }
}

fn start(
    (task, label): (usize, usize),
    HeatModel { model_or_run, device }: HeatModel,
    context: &ViewContext<'_>,
    read: impl FnOnce(&Progress, (u32, u32)) -> anyhow::Result<Rgb> + Send + 'static,
) -> Job<HeatMap> {
    let predictors = context.predictors.clone();
    context.jobs.start_quietly("Heat map", move |progress| {
        let predictor = predictors.open(&model_or_run, device)?;
        anyhow::ensure!(progress.keep_going(), "another heat map was requested");
        let image = read(progress, predictor.input_size())?;
        predictor.heat_map(&image, task, label)
    })
}

/// The map in colours, finer than its cells.
fn picture(map: &HeatMap) -> ColorImage {
    let size = [map.width * FINER, map.height * FINER];
    let mut pixels = Vec::with_capacity(size[0] * size[1]);
    for y in 0..size[1] {
        for x in 0..size[0] {
            pixels.push(theme::heat_overlay(between(map, x, y)));
        }
    }
    ColorImage::new(size, pixels)
}

/// The value at a pixel, bilinear between the centres of the cells.
fn between(map: &HeatMap, x: usize, y: usize) -> f32 {
    let place = |pixel: usize, cells: usize| {
        let at = ((pixel as f32 + 0.5) / FINER as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
        let low = at as usize;
        (low, (low + 1).min(cells - 1), at - low as f32)
    };
    let ((left, right, across), (top, bottom, down)) = (place(x, map.width), place(y, map.height));
    let row = |row: usize| {
        let value = |column: usize| map.values[row * map.width + column];
        value(left) + (value(right) - value(left)) * across
    };
    row(top) + (row(bottom) - row(top)) * down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_values_between_the_centres_of_cells() {
        let map = HeatMap { width: 2, height: 3, values: vec![0.0, 1.0, 0.5, 0.5, 1.0, 0.0] };
        let image = picture(&map);
        assert_eq!(image.size, [2 * FINER, 3 * FINER]);
        let (last_x, last_y) = (2 * FINER - 1, 3 * FINER - 1);
        let corners = [(0, 0, 0.0), (last_x, 0, 1.0), (0, last_y, 1.0), (last_x, last_y, 0.0)];
        for (x, y, value) in corners {
            assert_eq!(between(&map, x, y), value);
            assert_eq!(image.pixels[y * 2 * FINER + x], theme::heat_overlay(value));
        }
        let top_row: Vec<f32> = (0..2 * FINER).map(|x| between(&map, x, 0)).collect();
        assert!(top_row.is_sorted() && (top_row[FINER] - 0.5).abs() < 0.05, "{top_row:?}");
    }
}
