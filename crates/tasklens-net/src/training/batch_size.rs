//! `batch_size: auto`: the largest batch that fits, found by steps of training before a run begins.

use std::path::Path;

use anyhow::Context as _;
use tasklens_data::config::{Config, ModelConfig};
use tasklens_torch::memory::{Keeping, in_keeping};
use tch::{Kind, Tensor};

use super::estimate::measure::learner;
use super::events::Stage;
use super::is_out_of_memory;
use super::reporter::Reporter;
use super::run_folder::CONFIG;
use super::setup::{StoppedEarly, free_memory};
use crate::device::Device;
use crate::model::layers::ForwardPass;
use crate::model::network::Network;

/// Larger batches learn less from the same images and are no faster.
const MOST_ON_GPU: usize = 256;
/// On a processor, batches are hardly faster from 8 images on.
const MOST_ON_CPU: usize = 32;
/// An epoch should have this many steps at least.
const STEPS: usize = 20;
/// Share of a GPU's memory that stays free, for what a run needs besides its steps.
const RESERVE: u64 = 16;

/// Replaces `batch_size: auto` by the largest power of two that fits: in `config`, and for who listens to `reporter`. A
/// resumed run keeps the size in `folder`.
///
/// # Errors
/// Stopped meanwhile, the device does not work, or not even two images fit.
pub(super) fn settle(
    config: &mut Config,
    resumed: Option<&Path>,
    images: usize,
    (device, kind): (&Device, Kind),
    reporter: &mut Reporter,
) -> anyhow::Result<()> {
    let before = resumed.and_then(|folder| Config::open(&folder.join(CONFIG)).ok()).map(|run| run.model);
    let size = match before.filter(|model| !model.auto_batch_size) {
        Some(model) => model.batch_size,
        None => find(&config.model, most(images, device.is_gpu()), (device, kind), reporter)?,
    };
    config.model.auto_batch_size = false;
    config.model.batch_size = size;
    reporter.found_batch_size = Some(size);
    Ok(())
}

/// The size beyond which a larger one does no good.
fn most(images: usize, is_gpu: bool) -> usize {
    let most = if is_gpu { MOST_ON_GPU } else { MOST_ON_CPU };
    1 << (images / STEPS).clamp(2, most).ilog2()
}

fn find(
    model: &ModelConfig,
    most: usize,
    (device, kind): (&Device, Kind),
    reporter: &mut Reporter,
) -> anyhow::Result<usize> {
    // What the heads need does not count.
    if model.freeze_convolutional_layers {
        return Ok(most);
    }
    let network = Network::new(model.backbone, &model.tasks, model.random_seed, device.tch)?;
    let _keeping = Keeping::begin();
    let fits = |size: usize| {
        if reporter.should_stop() {
            return Err(StoppedEarly.into());
        }
        reporter.preparing("finding the batch size", size.ilog2().into(), most.ilog2().into());
        // A processor's memory ends with a killed process, so that the next step is foretold: it takes as much again.
        if !device.is_gpu() && in_keeping() > free_memory() / 2 {
            return Ok(false);
        }
        match step(model, &network, size, (device, kind)) {
            Err(error) if !is_out_of_memory(&error) => Err(error),
            tried => Ok(tried.is_ok()),
        }
    };
    largest(most, fits)?.context("out of memory: not even 2 images fit; set a smaller `input_shape`")
}

/// The largest power of two from 2 to `most` up to which all `fit`.
fn largest(
    most: usize,
    mut fits: impl FnMut(usize) -> anyhow::Result<bool>,
) -> anyhow::Result<Option<usize>> {
    let mut found = None;
    let mut size = 2;
    while size <= most && fits(size)? {
        found = Some(size);
        size *= 2;
    }
    Ok(found)
}

/// Two steps of all layers: from the second on, the optimizer's moments are there beside the activations.
fn step(
    model: &ModelConfig,
    network: &Network,
    images: usize,
    (device, kind): (&Device, Kind),
) -> anyhow::Result<()> {
    let reserve = if device.is_gpu() { device.memory_bytes / RESERVE } else { 0 };
    let _reserve = Tensor::f_empty([i64::try_from(reserve)?], (Kind::Uint8, device.tch))?;
    let shape = [images as i64, i64::from(model.height), i64::from(model.width), 3];
    let pixels = Tensor::f_zeros(shape, (Kind::Uint8, tch::Device::Cpu))?;
    let input = network.normalise(&pixels, kind)?;
    let forward = |network: &Network| Ok(network.forward(&input, ForwardPass::train(kind))?);
    let mut learn = learner(model, network, Stage::All, images, forward)?;
    for _ in 0..2 {
        // Waits for the device.
        learn()?.f_double_value(&[])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_that_fits_is_the_last_before_the_first_that_does_not() {
        let found = |most: usize, memory: usize| {
            let mut tried = Vec::new();
            let found = largest(most, |size| {
                tried.push(size);
                Ok(size <= memory)
            });
            (found.unwrap(), tried)
        };
        assert_eq!(found(256, 50), (Some(32), vec![2, 4, 8, 16, 32, 64]));
        assert_eq!(found(8, 50), (Some(8), vec![2, 4, 8]), "no more than does good");
        assert_eq!(found(8, 1), (None, vec![2]));
        assert!(largest(8, |_| anyhow::bail!("no driver")).is_err());
    }

    #[test]
    fn an_epoch_has_enough_steps() {
        assert_eq!([0, 40, 199, 640, 1_000_000].map(|images| most(images, false)), [2, 2, 8, 32, 32]);
        assert_eq!([199, 3_000, 1_000_000].map(|images| most(images, true)), [8, 128, 256]);
    }
}
