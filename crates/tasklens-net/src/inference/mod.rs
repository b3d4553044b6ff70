//! Batched prediction with a [`Predictor`], and the stores for features and outputs.

pub mod diverse;
pub mod duplicates;
pub mod engine;
pub mod features;
pub mod heat_map;
pub mod loader;
pub mod neighbours;
pub mod outputs;
pub mod projection;
pub mod samples;
pub mod stream;
pub mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use parking_lot::Mutex;
use tasklens_data::config::{DeviceChoice, Task};
use tasklens_data::images::{Rgb, resize};
use tasklens_data::panics;
use tch::{Kind, Tensor, no_grad};

use crate::device::{self, Device, gate};
use crate::model::checkpoint::{self, BEST, Description};
use crate::model::layers::ForwardPass;
use crate::model::network::{Network, probabilities};
use crate::onnx::engine_model;
use engine::{Demand, Engine};

/// A network that is ready to predict, loaded from a checkpoint.
#[derive(Debug)]
pub struct Predictor {
    /// Tensors may go from thread to thread, and not be used by two at once. A lock that is handed on in turn: who
    /// predicts a million images must not keep out who asks for one.
    network: Mutex<Network>,
    /// Predicts in place of the network once it is prepared.
    engine: Engine,
    description: Description,
    device: Device,
    kind: Kind,
    path: PathBuf,
}

/// Per task (order of [`Predictor::tasks`]), the probability of each label; each sums to 1.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Prediction {
    /// `[task][label]`, 0 to 1.
    pub probabilities: Vec<Vec<f32>>,
}

impl Prediction {
    /// Index and probability of the most probable label of a task; the first on ties.
    pub fn top(&self, task: usize) -> (usize, f32) {
        let probabilities = &self.probabilities[task];
        let label = most_probable(probabilities);
        (label, probabilities[label])
    }
}

/// Index of the most probable label, the first on ties.
pub(crate) fn most_probable(probabilities: &[f32]) -> usize {
    let mut best = 0;
    for (i, p) in probabilities.iter().enumerate() {
        if *p > probabilities[best] {
            best = i;
        }
    }
    best
}

/// Resolves a path to a checkpoint: itself, or the best one of a run folder.
pub fn checkpoint_of(model_or_run: &Path) -> PathBuf {
    if model_or_run.is_dir() { model_or_run.join(BEST) } else { model_or_run.to_path_buf() }
}

/// The precision for prediction: that of the training if this processor supports it, so that predictions equal those
/// of validation.
fn kind_on(description: &Description, device: &Device) -> Kind {
    let bf16 = description.precision == "bf16" && device.supports_bf16();
    if bf16 { Kind::BFloat16 } else { Kind::Float }
}

/// `fp32` or `bf16`: the precision that [`Predictor::open`] would use.
///
/// # Errors
/// As [`Predictor::open`].
pub fn precision_of(model_or_run: &Path, device: DeviceChoice) -> anyhow::Result<&'static str> {
    let description = checkpoint::read_description(&checkpoint_of(model_or_run))?;
    Ok(precision_name(kind_on(&description, &device::pick(device)?)))
}

/// Name of the precision: `fp32` or `bf16`.
pub(crate) fn precision_name(kind: Kind) -> &'static str {
    if kind == Kind::BFloat16 { "bf16" } else { "fp32" }
}

impl Predictor {
    /// Loads a checkpoint, or the best one of a run folder. Blocks (hundreds of ms).
    ///
    /// # Errors
    /// The file is not a checkpoint of Tasklens, or is damaged; the message says which and what to do.
    pub fn open(model_or_run: &Path, device: DeviceChoice) -> anyhow::Result<Self> {
        let _inside = gate::enter();
        let device = device::pick(device)?;
        let path = checkpoint_of(model_or_run);
        ensure!(
            path.exists(),
            "{} is not a model: give a run folder, which contains {BEST}, or a .safetensors file written by Tasklens",
            model_or_run.display()
        );
        let checkpoint::Loaded { mut network, description, .. } = checkpoint::load(&path, device.tch)?;
        let kind = kind_on(&description, &device);
        network.fold(kind).with_context(|| format!("cannot prepare {} for prediction", path.display()))?;
        let size = (description.height, description.width);
        let engine = Engine::new(device.tch, description.tasks.len(), size, kind);
        Ok(Self { network: Mutex::new(network), engine, description, device, kind, path })
    }

    /// Makes predictions on a processor faster, if OpenVINO is installed; answers stay the same up to rounding. Blocks
    /// for some tenths of a second the first time; others may predict meanwhile.
    pub fn speed_up(&self, demand: Demand) {
        let size = self.input_size();
        self.engine.prepare(demand, || engine_model(&self.network.lock(), size));
    }

    /// As [`Predictor::speed_up`], in a thread of its own.
    pub fn speed_up_meanwhile(self: &Arc<Self>, demand: Demand) {
        let predictor = Arc::clone(self);
        let work = move || panics::guard(|| predictor.speed_up(demand));
        if let Err(error) = std::thread::Builder::new().name("engine".to_owned()).spawn(work) {
            log::warn!("predictions are not sped up: {error}");
        }
    }

    /// Whether it was [sped up](Predictor::speed_up) for this.
    pub fn is_sped_up(&self, demand: Demand) -> bool {
        self.engine.is_ready(demand)
    }

    /// The tasks with their labels.
    pub fn tasks(&self) -> &[Task] {
        &self.description.tasks
    }

    /// The description in the checkpoint.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Height and width of its input, in pixels.
    pub fn input_size(&self) -> (u32, u32) {
        (self.description.height, self.description.width)
    }

    /// The device it runs on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Its precision: `fp32` or `bf16`.
    pub fn precision(&self) -> &'static str {
        precision_name(self.kind)
    }

    /// The checkpoint it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Predicts a batch of images of any size.
    ///
    /// # Errors
    /// The device ran out of memory or failed.
    pub fn predict(&self, images: &[Rgb]) -> anyhow::Result<Vec<Prediction>> {
        let (height, width) = self.input_size();
        let mut pixels = Vec::with_capacity(images.len() * height as usize * width as usize * 3);
        for image in images {
            pixels.extend_from_slice(&resize::resize(image, width, height));
        }
        self.predict_pixels(&pixels, images.len())
    }

    /// Predicts images that have the network's input size: bytes `[N, H, W, 3]`, 0..255.
    ///
    /// # Errors
    /// The device ran out of memory or failed.
    pub fn predict_pixels(&self, pixels: &[u8], images: usize) -> anyhow::Result<Vec<Prediction>> {
        Ok(self.by_image(&self.look_at(pixels, images)?.probabilities, images))
    }

    /// Per image what `per_task` (each `[N, labels]`) has of it.
    fn by_image(&self, per_task: &[Vec<f32>], images: usize) -> Vec<Prediction> {
        let prediction = |i: usize| Prediction {
            probabilities: per_task
                .iter()
                .zip(self.tasks())
                .map(|(values, task)| values[i * task.labels.len()..(i + 1) * task.labels.len()].to_vec())
                .collect(),
        };
        (0..images).map(prediction).collect()
    }

    /// Applies the heads to stored features `[N, features]` (float16, little-endian): probabilities `[N, labels]` per
    /// task.
    ///
    /// # Errors
    /// The features have another length, or the device failed.
    pub fn classify(&self, features: &[u8]) -> anyhow::Result<Vec<Vec<f32>>> {
        let _inside = gate::enter();
        let network = self.network.lock();
        let dimensions = network.backbone().facts().features as usize;
        ensure!(
            features.len().is_multiple_of(2 * dimensions),
            "there are {} bytes of features, which is not a multiple of {}",
            features.len(),
            2 * dimensions
        );
        if features.is_empty() {
            return Ok(vec![Vec::new(); self.tasks().len()]);
        }
        no_grad(|| {
            let shape = [(features.len() / 2 / dimensions) as i64, dimensions as i64];
            let features = Tensor::f_from_data_size(features, &shape, Kind::Half)?;
            let features = features.f_to_device(network.device())?.f_to_kind(Kind::Float)?;
            network.classify(&features)?.iter().map(probabilities).collect()
        })
    }

    /// As [`Predictor::predict_pixels`], also returning the features.
    ///
    /// # Errors
    /// The device ran out of memory or failed.
    pub fn look_at(&self, pixels: &[u8], images: usize) -> anyhow::Result<Look> {
        if images == 0 {
            return Ok(Look { probabilities: vec![Vec::new(); self.tasks().len()], features: Vec::new() });
        }
        let Description { height, width, .. } = self.description;
        let shape = [images as i64, i64::from(height), i64::from(width), 3];
        let expected: i64 = shape.iter().product();
        // libtorch copies as much as the shape says, without checking the length.
        ensure!(
            pixels.len() as i64 == expected,
            "there are {} bytes of pixels, not {expected}",
            pixels.len()
        );
        let _inside = gate::enter();
        if let Some(look) = self.engine.look_at(pixels, images) {
            return Ok(look);
        }
        let network = self.network.lock();
        no_grad(|| {
            let bytes = Tensor::f_from_data_size(pixels, &shape, Kind::Uint8)?;
            let input = network.normalise(&bytes, self.kind)?;
            let features = network.features(&input, ForwardPass::evaluate(self.kind))?;
            let logits = network.classify(&features)?;
            let half = features.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Half)?.f_contiguous()?;
            let mut features = vec![0; 2 * half.numel()];
            half.f_copy_data_u8(&mut features, half.numel())?;
            Ok(Look {
                probabilities: logits.iter().map(probabilities).collect::<anyhow::Result<_>>()?,
                features,
            })
        })
    }
}

/// The network's output for a batch of N images.
#[derive(Clone, Debug)]
pub struct Look {
    /// Probabilities: `[task]`, each `[N, labels]`.
    pub probabilities: Vec<Vec<f32>>,
    /// Pooled features `[N, features]`, float16, little-endian.
    pub features: Vec<u8>,
}
