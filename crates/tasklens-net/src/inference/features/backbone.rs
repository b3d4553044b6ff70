//! Identifies what determines the features of an image besides its pixels: the network and its preprocessing.

use std::path::Path;

use anyhow::{Context as _, ensure};
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest as _, Sha256};
use tasklens_data::download::hex;
use tasklens_data::files;
use tch::Device;

use crate::model::checkpoint::Description;
use crate::model::conventions::Conventions;
use crate::model::network::{Network, is_backbone};

/// Digits of a key, which is used as a folder name.
pub(super) const DIGITS: usize = 16;

/// The preprocessing of a backbone.
#[derive(Clone, Copy, Debug)]
pub struct BackboneFeed<'a> {
    /// The network's name.
    pub backbone: &'a str,
    /// Whose rules it computes by.
    pub conventions: Conventions,
    /// Height and width of its input, pixels.
    pub size: (u32, u32),
    /// Mean to subtract from pixel values in 0..1, per channel.
    pub mean: [f32; 3],
    /// Standard deviation to divide by afterwards, per channel.
    pub std: [f32; 3],
    /// `fp32` or `bf16`. Whether libtorch or OpenVINO computed is not in the key: in float32 they agree to 1e-3, beyond the
    /// rounding of stored features, and in bf16 they are nearer to each other than to float32.
    pub precision: &'a str,
}

impl<'a> BackboneFeed<'a> {
    /// For the network of a checkpoint.
    pub fn of(description: &'a Description) -> Self {
        let Description { backbone, conventions, height, width, mean, std, precision, .. } = description;
        Self {
            backbone,
            conventions: *conventions,
            size: (*height, *width),
            mean: *mean,
            std: *std,
            precision,
        }
    }

    fn hash(&self) -> anyhow::Result<Sha256> {
        let mut hash = Sha256::new();
        let Self { backbone, conventions, size, mean, std, precision } = self;
        hash.update(serde_json::to_vec(&(backbone, size, mean, std, precision))?);
        // The same weights give other features by other conventions; those that go without saying keep their keys.
        if !conventions.is_default() {
            hash.update(conventions.name());
        }
        Ok(hash)
    }
}

/// The key of a network's backbone, independent of its heads.
///
/// # Errors
/// The device failed.
pub fn key(network: &Network, feed: BackboneFeed<'_>) -> anyhow::Result<String> {
    let mut parameters: Vec<_> = network.parameters().iter().filter(|p| is_backbone(&p.name)).collect();
    parameters.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hash = feed.hash()?;
    for parameter in parameters {
        let tensor = parameter.tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
        let mut values = vec![0_f32; tensor.numel()];
        tensor.f_copy_data(&mut values, tensor.numel())?;
        hash.update(parameter.name.as_bytes());
        hash.update(bytemuck::cast_slice(&values));
    }
    Ok(hex(&hash.finalize())[..DIGITS].to_owned())
}

/// The same for a checkpoint file, without building its network.
///
/// # Errors
/// The file cannot be read, or its weights are not float32.
pub fn key_of_checkpoint(file: &Path, description: &Description) -> anyhow::Result<String> {
    let map = files::map(file).with_context(|| format!("cannot read {}", file.display()))?;
    let tensors =
        SafeTensors::deserialize(&map).with_context(|| format!("cannot read {}", file.display()))?;
    let mut parameters: Vec<_> = tensors.iter().filter(|(name, _)| is_backbone(name)).collect();
    parameters.sort_by(|a, b| a.0.cmp(b.0));
    let mut hash = BackboneFeed::of(description).hash()?;
    for (name, tensor) in parameters {
        ensure!(tensor.dtype() == Dtype::F32, "`{name}` in {} is not float32", file.display());
        hash.update(name.as_bytes());
        hash.update(tensor.data());
    }
    Ok(hex(&hash.finalize())[..DIGITS].to_owned())
}
