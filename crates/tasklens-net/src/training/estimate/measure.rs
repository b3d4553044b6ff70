//! Measures the speed of a network at a size and precision on a device, with a few batches of real images.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::{Augmentation, Backbone, Config, DeviceChoice, ModelConfig, Precision};
use tasklens_data::dataset::{Row, Rows};
use tasklens_data::images::cache::ImageCache;
use tch::{Kind, Tensor, no_grad};

use crate::device::FreeCores;
use crate::inference::loader::{Loader, in_batches};
use crate::inference::samples::{Drawn, SampleSource};
use crate::model::layers::ForwardPass;
use crate::model::network::Network;
use crate::training::events::Stage;
use crate::training::metrics::{Totals, Weights};
use crate::training::setup;

/// What determines a speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    backbone: Backbone,
    size: (u32, u32),
    precision: Precision,
    device: DeviceChoice,
    threads: Option<usize>,
    trains_backbone: bool,
}

impl Subject {
    /// For a run of a config.
    pub fn of(model: &ModelConfig) -> Self {
        Self {
            backbone: model.backbone,
            size: (model.height, model.width),
            precision: model.precision,
            device: model.device,
            threads: model.threads,
            trains_backbone: !model.freeze_convolutional_layers,
        }
    }
}

/// A measured speed, in seconds per image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Decoding and scaling, all workers together.
    pub decode: f64,
    /// Seconds per image of a forward pass.
    pub forward: f64,
    /// Forward, backward and optimizer step of all layers; 0 if the backbone is frozen.
    pub train: f64,
    /// The same for the heads alone, on features.
    pub heads: f64,
}

/// Number of images to read; also the largest batch on the CPU, where larger ones are hardly faster.
const IMAGES: usize = 8;
/// Each measurement is repeated at least twice after a warm-up, and until this much time has passed.
const LONG_ENOUGH: Duration = Duration::from_millis(700);

/// Measures for a few seconds. `keep_going` is called between batches.
///
/// # Errors
/// Cancelled by `keep_going`; the device does not work; or none of the sampled images can be read.
pub fn measure(config: &Config, rows: &Rows, keep_going: &dyn Fn() -> bool) -> anyhow::Result<Speed> {
    let model = &config.model;
    let device = setup::device(config, None)?;
    let kind = setup::precision(config, &device);
    let (decode, pixels) = decode(config, rows, setup::workers(config, &device, None))?;
    let images = match device.tch {
        tch::Device::Cpu => model.batch_size.clamp(2, IMAGES),
        _ => model.batch_size.max(2),
    };
    let mut network = Network::new(model.backbone, &model.tasks, model.random_seed, device.tch)?;
    // As in a run, the threads adapt to other programs.
    let _cores = FreeCores::new(device.tch, model.threads);
    let input = network.normalise(&batch_of(&pixels, images, (model.height, model.width))?, kind)?;
    let train = match model.freeze_convolutional_layers {
        true => 0.0,
        false => timed(
            keep_going,
            images,
            &mut learner(model, &network, Stage::All, images, |network| {
                Ok(network.forward(&input, ForwardPass::train(kind))?)
            })?,
        )?,
    };
    let features = Tensor::f_rand(
        [model.batch_size as i64, model.backbone.facts().features],
        (Kind::Float, device.tch),
    )?;
    let mut learn =
        learner(model, &network, Stage::Heads, model.batch_size, |network| Ok(network.classify(&features)?))?;
    let heads = timed(keep_going, model.batch_size, &mut learn)?;
    drop(learn);
    network.fold(kind)?;
    let forward = timed(keep_going, images, &mut || {
        no_grad(|| Ok(network.features(&input, ForwardPass::evaluate(kind))?.f_sum(Kind::Float)?))
    })?;
    Ok(Speed { decode, forward, train, heads })
}

/// One optimizer step of a stage; returns the loss.
pub(in crate::training) fn learner<'a>(
    model: &ModelConfig,
    network: &'a Network,
    stage: Stage,
    images: usize,
    logits: impl Fn(&Network) -> anyhow::Result<Vec<Tensor>> + 'a,
) -> anyhow::Result<impl FnMut() -> anyhow::Result<Tensor> + 'a> {
    let mut adam = stage.optimizer(model, network, None)?;
    let weights = Weights::without_classes(vec![1.0; model.tasks.len()]);
    let labels = vec![0_i64; model.tasks.len() * images];
    let mut totals = Totals::new(model.tasks.len(), network.device())?;
    Ok(move || {
        let loss = totals.add(&logits(network)?, &labels, &weights)?.context("there is no task")?;
        // With such small rates the weights practically do not change.
        adam.step(&loss, 1e-9)?;
        Ok(loss)
    })
}

/// Seconds per image of `work` on `images`, including the wait for the device.
fn timed(
    keep_going: &dyn Fn() -> bool,
    images: usize,
    work: &mut dyn FnMut() -> anyhow::Result<Tensor>,
) -> anyhow::Result<f64> {
    // The first run selects kernels and allocates memory.
    work()?.f_double_value(&[])?;
    let began = Instant::now();
    let mut times = 0;
    while times < 2 || began.elapsed() < LONG_ENOUGH {
        if !keep_going() {
            bail!("cancelled");
        }
        work()?.f_double_value(&[])?;
        times += 1;
    }
    Ok(began.elapsed().as_secs_f64() / (times * images) as f64)
}

/// Seconds per image for reading a sample spread over all images, and their pixels.
fn decode(config: &Config, rows: &Rows, workers: usize) -> anyhow::Result<(f64, Vec<u8>)> {
    let usable: Vec<&Row> = rows.iter().filter(|row| row.usable).collect();
    let step = usable.len().div_ceil(IMAGES).max(1);
    let some: Rows = usable.into_iter().step_by(step).cloned().collect();
    let (count, model) = (some.len(), &config.model);
    let source = Arc::new(SampleSource {
        rows: some,
        tasks: 0,
        cache: ImageCache::new(model.height, model.width, 0),
        augmentation: Augmentation::none(),
        drawn: Drawn::ByPath,
        seed: 0,
    });
    let began = Instant::now();
    let all: Vec<usize> = (0..count).collect();
    let loader = Loader::start(&source, in_batches(&all, 1), None, workers)
        .context("cannot start the threads that decode images")?;
    let pixels: Vec<u8> = loader.flat_map(|batch| batch.pixels).collect();
    ensure!(!pixels.is_empty(), "none of {count} images could be read");
    Ok((began.elapsed().as_secs_f64() / count as f64, pixels))
}

/// Pixels `[images, H, W, 3]`, repeated as needed.
fn batch_of(pixels: &[u8], images: usize, (height, width): (u32, u32)) -> anyhow::Result<Tensor> {
    let bytes = images * height as usize * width as usize * 3;
    let pixels: Vec<u8> = pixels.iter().copied().cycle().take(bytes).collect();
    Ok(Tensor::f_from_data_size(
        &pixels,
        &[images as i64, i64::from(height), i64::from(width), 3],
        Kind::Uint8,
    )?)
}
