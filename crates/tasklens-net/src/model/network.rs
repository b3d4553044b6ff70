//! The network: one backbone with one linear head per task.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use safetensors::tensor::Metadata;
use tasklens_data::config::networks::{NetworkFacts, NetworkPlan};
use tasklens_data::config::{Backbone, Task};
use tasklens_torch::staging;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::conventions::Conventions;
use super::efficientnet_lite::EfficientNetLite;
use super::layers::{ForwardPass, LinearLayer};
use super::parameters::{Builder, Parameters};
use super::sketch::Sketch;
use super::tensor_file;
use super::trunk::{self, Trunk};
use super::xception::Xception;

/// The multi-task network: a backbone, and a linear head per task on its pooled features.
#[derive(Debug)]
pub struct Network {
    parameters: Parameters,
    trunk: Box<dyn Trunk>,
    heads: Vec<LinearLayer>,
    tasks: Vec<Task>,
    backbone: Backbone,
    conventions: Conventions,
    device: Device,
}

impl Network {
    /// A network with random weights that depend only on `seed`.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn new(backbone: Backbone, tasks: &[Task], seed: u64, device: Device) -> Result<Self, TchError> {
        let facts = backbone.facts();
        let mut parameters = Parameters::default();
        let mut builder = Builder::new(&mut parameters, seed, device);
        let trunk = new_trunk(&mut builder, &facts.plan)?;
        let heads = tasks
            .iter()
            .map(|task| {
                let labels = task.labels.len() as i64;
                LinearLayer::new(&mut builder, &format!("heads.{}", task.name), facts.features, labels)
            })
            .collect::<Result<_, _>>()?;
        let tasks = tasks.to_vec();
        let conventions = Conventions::default();
        Ok(Self { parameters, trunk, heads, tasks, backbone, conventions, device })
    }

    /// Its tensors by name.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Its tasks, in the order of the heads.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Which backbone it has.
    pub fn backbone(&self) -> Backbone {
        self.backbone
    }

    /// Whose rules it computes by: those of a new network go without saying.
    pub fn conventions(&self) -> Conventions {
        self.conventions
    }

    /// Computes by the rules that its weights were trained under; forgets what was folded.
    pub fn follow(&mut self, conventions: Conventions) {
        self.conventions = conventions;
        self.trunk.follow(conventions);
    }

    /// Where its tensors are.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Bytes `[N, H, W, 3]`, 0..255 -> normalised images `[N, 3, H, W]` in `kind` on the network's device. The
    /// channels-last strides come for free from the order of the bytes.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn normalise(&self, bytes: &Tensor, kind: Kind) -> Result<Tensor, TchError> {
        let NetworkFacts { mean, std, .. } = self.backbone.facts();
        let bytes =
            staging::to_device(bytes, self.device)?.f_permute([0, 3, 1, 2])?.f_to_kind(Kind::Float)?;
        scale(bytes, *mean, *std)?.f_to_kind(kind)
    }

    /// Pooled features `[N, features]` (float32) of images `[N, 3, H, W]` as [`Network::normalise`] gives them.
    ///
    /// # Errors
    /// The device is out of memory, or the images are under 32 pixels.
    pub fn features(&self, images: &Tensor, pass: ForwardPass) -> Result<Tensor, TchError> {
        trunk::pool(&self.trunk.exit(&self.trunk.entry(images, pass)?, pass)?)
    }

    /// The backbone, for access to its inner maps.
    pub(crate) fn trunk(&self) -> &dyn Trunk {
        &*self.trunk
    }

    /// Its backbone's operations on normalised images of `height` x `width` pixels, for another engine.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn sketch(&self, height: u32, width: u32) -> Result<Sketch, TchError> {
        no_grad(|| self.trunk.sketch(height.into(), width.into()))
    }

    /// Logits per task, `[N, labels]` each (float32), from features `[N, features]`.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn classify(&self, features: &Tensor) -> Result<Vec<Tensor>, TchError> {
        self.heads.iter().map(|head| head.forward(features)).collect()
    }

    /// The weights of the heads, `[labels, features]` each.
    pub(crate) fn head_weights(&self) -> impl Iterator<Item = &Tensor> {
        self.heads.iter().map(LinearLayer::weight)
    }

    /// [`Network::features`], then [`Network::classify`].
    ///
    /// # Errors
    /// As for these.
    pub fn forward(&self, images: &Tensor, pass: ForwardPass) -> Result<Vec<Tensor>, TchError> {
        self.classify(&self.features(images, pass)?)
    }

    /// Folds each normalisation into its convolution: faster evaluation in `kind`, with the same result up to
    /// rounding. Only for a network that is not trained any further.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn fold(&mut self, kind: Kind) -> Result<(), TchError> {
        no_grad(|| self.trunk.fold(kind))
    }

    /// Loads values by name. Every tensor whose name passes `wanted` must exist with its shape.
    ///
    /// # Errors
    /// A tensor is missing or has another shape; then nothing is changed.
    pub fn load(
        &mut self,
        values: &HashMap<String, Tensor>,
        wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<()> {
        let mut copies = Vec::new();
        for parameter in self.parameters.iter().filter(|p| wanted(&p.name)) {
            let value = values
                .get(&parameter.name)
                .with_context(|| format!("the tensor `{}` is missing", parameter.name))?;
            ensure!(
                value.size() == parameter.tensor.size(),
                "the tensor `{}` has shape {:?}, expected {:?}",
                parameter.name,
                value.size(),
                parameter.tensor.size()
            );
            copies.push((parameter.tensor.shallow_clone(), value));
        }
        no_grad(|| copies.iter_mut().try_for_each(|(to, from)| to.f_copy_(from)))?;
        Ok(())
    }

    /// Whether a tensor of a file belongs to this network; others need not be read.
    pub fn has(&self, name: &str, shape: &[usize]) -> bool {
        self.parameters.get(name).is_some_and(|tensor| {
            let sides = tensor.size();
            sides.len() == shape.len() && sides.iter().zip(shape).all(|(a, b)| *a as usize == *b)
        })
    }

    /// Checks by its header whether a file has every tensor that `name_in_file` maps to, before reading any.
    ///
    /// # Errors
    /// A tensor is missing, has another shape, or is not of floating-point type.
    pub fn fits(
        &self,
        header: &Metadata,
        name_in_file: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<()> {
        for parameter in self.parameters.iter() {
            let Some(name) = name_in_file(&parameter.name) else { continue };
            let info = header.info(&name).with_context(|| format!("the tensor `{name}` is missing"))?;
            ensure!(
                self.has(&parameter.name, &info.shape),
                "the tensor `{name}` has shape {:?}, expected {:?}",
                info.shape,
                parameter.tensor.size()
            );
            ensure!(
                tensor_file::kind_of(info.dtype).is_some(),
                "the tensor `{name}` holds {:?}, expected floating-point numbers",
                info.dtype
            );
        }
        Ok(())
    }
}

/// Builds a backbone with randomly initialised weights.
fn new_trunk(builder: &mut Builder<'_>, plan: &NetworkPlan) -> Result<Box<dyn Trunk>, TchError> {
    Ok(match plan {
        NetworkPlan::Xception(widths) => Box::new(Xception::new(builder, widths)?),
        NetworkPlan::EfficientNetLite(scale) => Box::new(EfficientNetLite::new(builder, scale)?),
    })
}

/// Whether a parameter belongs to the backbone, not to a head.
pub(crate) fn is_backbone(name: &str) -> bool {
    !name.starts_with("heads.")
}

/// Pixels 0..255 `[N, 3, H, W]` -> (pixel / 255 - mean) / deviation, in place.
fn scale(mut pixels: Tensor, mean: [f32; 3], std: [f32; 3]) -> Result<Tensor, TchError> {
    let factor = std.map(|std| 255.0 * f64::from(std));
    let shift = [0, 1, 2].map(|i| f64::from(mean[i]) / f64::from(std[i]));
    if factor == [factor[0]; 3] && shift == [shift[0]; 3] {
        return pixels.f_div_scalar_(factor[0])?.f_sub_scalar_(shift[0]);
    }
    let per_channel = |values: [f64; 3]| {
        let values = Tensor::f_from_slice(&values.map(|value| value as f32))?.f_view([1, 3, 1, 1])?;
        staging::to_device(&values, pixels.device())
    };
    let (factor, shift) = (per_channel(factor)?, per_channel(shift)?);
    pixels.f_div_(&factor)?.f_sub_(&shift)
}

/// Logits `[N, labels]` -> probabilities on the host, row by row.
///
/// # Errors
/// The device failed.
pub fn probabilities(logits: &Tensor) -> anyhow::Result<Vec<f32>> {
    let tensor = logits.f_softmax(-1, Kind::Float)?.f_to_device(Device::Cpu)?.f_contiguous()?;
    let mut values = vec![0_f32; tensor.numel()];
    tensor.f_copy_data(&mut values, tensor.numel())?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks() -> Vec<Task> {
        let task = |name: &str, n: usize| Task {
            name: name.to_owned(),
            labels: (0..n).map(|i| format!("label{i}")).collect(),
        };
        vec![task("print", 3), task("neckline", 4)]
    }

    fn noise() -> Tensor {
        let bytes: Vec<u8> = (0..2 * 64 * 64 * 3).map(|i: usize| (i * 7919 % 251) as u8).collect();
        Tensor::from_slice(&bytes).view([2, 64, 64, 3])
    }

    #[test]
    fn bytes_become_channels_last_images_between_minus_one_and_one() {
        let network = Network::new(Backbone::XceptionSmall, &[], 1, Device::Cpu).unwrap();
        let images = network.normalise(&noise(), Kind::Float).unwrap();
        assert_eq!(images.size(), [2, 3, 64, 64]);
        assert_eq!(images.stride(), [64 * 64 * 3, 1, 64 * 3, 3]);
        assert!((images.double_value(&[0, 1, 0, 0]) - (7919.0 % 251.0 / 127.5 - 1.0)).abs() < 1e-6);
    }

    #[test]
    fn every_network_scales_pixels_as_its_weights_want_them_and_has_the_features_of_its_row() {
        for backbone in Backbone::ALL.iter().copied() {
            let network = Network::new(backbone, &[], 1, Device::Cpu).unwrap();
            let images = network.normalise(&noise(), Kind::Float).unwrap();
            let facts = backbone.facts();
            let expected = (7919.0 % 251.0 / 255.0 - f64::from(facts.mean[0])) / f64::from(facts.std[0]);
            assert!((images.double_value(&[0, 1, 0, 0]) - expected).abs() < 1e-6, "{}", facts.name);
            let features = no_grad(|| network.features(&images, ForwardPass::evaluate(Kind::Float)).unwrap());
            assert_eq!(features.size(), [2, facts.features], "{}", facts.name);
        }
        let lite = Network::new(Backbone::EfficientNetLite0, &[], 1, Device::Cpu).unwrap();
        let bytes = Tensor::from_slice(&[0_u8, 127, 255]).view([1, 1, 1, 3]);
        let scaled = lite.normalise(&bytes, Kind::Float).unwrap().view([3]);
        let scaled = Vec::<f32>::try_from(scaled).unwrap();
        let expected = [-127.0 / 128.0, 0.0, 1.0];
        assert!(
            scaled.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
            "(byte - 127) / 128: {scaled:?}"
        );
    }

    #[test]
    fn channels_can_be_scaled_each_in_its_own_way() {
        let pixels = Tensor::from_slice(&[51_f32, 102.0, 255.0]).view([1, 3, 1, 1]);
        let scaled = scale(pixels, [0.1, 0.2, 0.5], [0.5, 0.25, 0.125]).unwrap();
        let scaled = Vec::<f32>::try_from(scaled.view([3])).unwrap();
        assert!(scaled.iter().zip([0.2, 0.8, 4.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{scaled:?}");
    }

    #[test]
    fn one_pass_answers_every_task() {
        let network = Network::new(Backbone::XceptionSmall, &tasks(), 1, Device::Cpu).unwrap();
        let images = network.normalise(&noise(), Kind::Float).unwrap();
        let logits = network.forward(&images, ForwardPass::evaluate(Kind::Float)).unwrap();
        assert_eq!(logits.iter().map(Tensor::size).collect::<Vec<_>>(), [[2, 3], [2, 4]]);
    }

    #[test]
    fn folding_the_normalisation_changes_nothing_but_rounding() {
        for backbone in [Backbone::XceptionSmall, Backbone::EfficientNetLite0] {
            check_folding(Network::new(backbone, &tasks(), 1, Device::Cpu).unwrap());
        }
    }

    fn check_folding(mut network: Network) {
        let images = network.normalise(&noise(), Kind::Float).unwrap();
        no_grad(|| {
            // A training pass moves the running statistics away from 0 and 1.
            network.forward(&images, ForwardPass::train(Kind::Float)).unwrap();
            let before = network.features(&images, ForwardPass::evaluate(Kind::Float)).unwrap();
            network.fold(Kind::Float).unwrap();
            let after = network.features(&images, ForwardPass::evaluate(Kind::Float)).unwrap();
            let error = (&before - &after).norm().double_value(&[]) / before.norm().double_value(&[]);
            assert!(error < 1e-5, "relative error {error}");
        });
    }

    #[test]
    fn loading_a_wrong_shape_names_the_tensor_and_changes_nothing() {
        let mut network = Network::new(Backbone::XceptionSmall, &tasks(), 1, Device::Cpu).unwrap();
        let before = network.parameters().get("conv1.weight").unwrap().copy();
        let mut values: HashMap<String, Tensor> =
            network.parameters().iter().map(|p| (p.name.clone(), p.tensor.ones_like())).collect();
        values.insert("bn4.bias".to_owned(), Tensor::zeros([3], (Kind::Float, Device::Cpu)));
        let error = network.load(&values, is_backbone).unwrap_err();
        assert_eq!(error.to_string(), "the tensor `bn4.bias` has shape [3], expected [512]");
        assert!(network.parameters().get("conv1.weight").unwrap().equal(&before));
    }
}
