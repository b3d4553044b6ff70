//! One backbone, one head per task.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use safetensors::tensor::Metadata;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::layers::{Linear, Pass};
use super::parameters::{Builder, Parameters};
use super::tensor_file;
use super::xception::{Architecture, Xception};
use crate::config::{Backbone, Task};

/// The multitask network.
#[derive(Debug)]
pub struct Network {
    parameters: Parameters,
    backbone: Xception,
    heads: Vec<Linear>,
    tasks: Vec<Task>,
    architecture: Backbone,
    device: Device,
}

impl Network {
    /// A network with new weights, drawn from `seed` alone.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn new(backbone: Backbone, tasks: &[Task], seed: u64, device: Device) -> Result<Self, TchError> {
        let plan = Architecture::of(backbone);
        let mut parameters = Parameters::default();
        let mut builder = Builder::new(&mut parameters, seed, device);
        let xception = Xception::new(&mut builder, &plan)?;
        let heads = tasks
            .iter()
            .map(|task| {
                let labels = task.labels.len() as i64;
                Linear::new(&mut builder, &format!("heads.{}", task.name), plan.features(), labels)
            })
            .collect::<Result<_, _>>()?;
        let tasks = tasks.to_vec();
        Ok(Self { parameters, backbone: xception, heads, tasks, architecture: backbone, device })
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
        self.architecture
    }

    /// Where its tensors are.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Pooled features `[N, features]` (float32) of images `[N, 3, H, W]` as [`normalise`] gives them.
    ///
    /// # Errors
    /// The device is out of memory, or the images are under 32 pixels.
    pub fn features(&self, images: &Tensor, pass: Pass) -> Result<Tensor, TchError> {
        self.backbone.forward(images, pass)
    }

    /// The backbone, for what needs its inner maps.
    pub fn xception(&self) -> &Xception {
        &self.backbone
    }

    /// Logits per task, `[N, labels]` each (float32), of features `[N, features]`.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn classify(&self, features: &Tensor) -> Result<Vec<Tensor>, TchError> {
        self.heads.iter().map(|head| head.forward(features)).collect()
    }

    /// [`Network::features`], then [`Network::classify`].
    ///
    /// # Errors
    /// As these.
    pub fn forward(&self, images: &Tensor, pass: Pass) -> Result<Vec<Tensor>, TchError> {
        self.classify(&self.features(images, pass)?)
    }

    /// Merges each normalisation into its convolution: faster evaluation in `kind`, the same result to
    /// rounding. Only for a network that is not trained any more.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn fold(&mut self, kind: Kind) -> Result<(), TchError> {
        no_grad(|| self.backbone.fold(kind))
    }

    /// Takes values by name. Every tensor whose name passes `wanted` must be there with its shape.
    ///
    /// # Errors
    /// A tensor is missing or has another shape; nothing is changed then.
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

    /// Whether a tensor of a file is one of this network's; others need not be read.
    pub fn has(&self, name: &str, shape: &[usize]) -> bool {
        self.parameters.get(name).is_some_and(|tensor| {
            let sides = tensor.size();
            sides.len() == shape.len() && sides.iter().zip(shape).all(|(a, b)| *a as usize == *b)
        })
    }

    /// Takes the backbone's weights from a safetensors file with the public names.
    ///
    /// # Errors
    /// The file cannot be read, or is not of this backbone; nothing is changed then.
    pub fn load_backbone(&mut self, file: &Path) -> anyhow::Result<()> {
        let header = tensor_file::header(file)?;
        self.fits(&header, is_backbone).with_context(|| {
            format!(
                "{} does not hold weights of this backbone; expected the names and shapes of timm's \
                 `legacy_xception`",
                file.display()
            )
        })?;
        let values = tensor_file::read(file, |name, shape| is_backbone(name) && self.has(name, shape))?;
        self.load(&values.tensors, is_backbone)
    }

    /// Checks by its header whether a file has every tensor whose name passes `wanted`, so that none is read in
    /// vain.
    ///
    /// # Errors
    /// A tensor is missing, has another shape, or is none of floating-point numbers.
    pub fn fits(&self, header: &Metadata, wanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        for parameter in self.parameters.iter().filter(|p| wanted(&p.name)) {
            let name = &parameter.name;
            let info = header.info(name).with_context(|| format!("the tensor `{name}` is missing"))?;
            ensure!(
                self.has(name, &info.shape),
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

/// Whether a parameter belongs to the backbone rather than to a head.
pub fn is_backbone(name: &str) -> bool {
    !name.starts_with("heads.")
}

/// Bytes `[N, H, W, 3]`, 0..255 -> images `[N, 3, H, W]` in `kind` on `device`, -1..1 (mean 0.5, std 0.5
/// of the pretrained weights), with channels-last strides that come for free from the bytes' order.
///
/// # Errors
/// The device is out of memory.
pub fn normalise(bytes: &Tensor, device: Device, kind: Kind) -> Result<Tensor, TchError> {
    bytes
        .f_to_device(device)?
        .f_permute([0, 3, 1, 2])?
        .f_to_kind(Kind::Float)?
        .f_div_scalar_(127.5)?
        .f_sub_scalar_(1.0)?
        .f_to_kind(kind)
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

/// Index of the most probable label, the first of equals.
pub fn most_probable(probabilities: &[f32]) -> usize {
    let mut best = 0;
    for (i, p) in probabilities.iter().enumerate() {
        if *p > probabilities[best] {
            best = i;
        }
    }
    best
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
        let images = normalise(&noise(), Device::Cpu, Kind::Float).unwrap();
        assert_eq!(images.size(), [2, 3, 64, 64]);
        assert_eq!(images.stride(), [64 * 64 * 3, 1, 64 * 3, 3]);
        assert!((images.double_value(&[0, 1, 0, 0]) - (7919.0 % 251.0 / 127.5 - 1.0)).abs() < 1e-6);
    }

    #[test]
    fn one_pass_answers_every_task() {
        let network = Network::new(Backbone::XceptionSmall, &tasks(), 1, Device::Cpu).unwrap();
        let images = normalise(&noise(), Device::Cpu, Kind::Float).unwrap();
        let logits = network.forward(&images, Pass::evaluate(Kind::Float)).unwrap();
        assert_eq!(logits.iter().map(Tensor::size).collect::<Vec<_>>(), [[2, 3], [2, 4]]);
    }

    #[test]
    fn folding_the_normalisation_changes_nothing_but_rounding() {
        let mut network = Network::new(Backbone::XceptionSmall, &tasks(), 1, Device::Cpu).unwrap();
        let images = normalise(&noise(), Device::Cpu, Kind::Float).unwrap();
        no_grad(|| {
            // A training pass moves the running statistics away from 0 and 1.
            network.forward(&images, Pass::train(Kind::Float)).unwrap();
            let before = network.features(&images, Pass::evaluate(Kind::Float)).unwrap();
            network.fold(Kind::Float).unwrap();
            let after = network.features(&images, Pass::evaluate(Kind::Float)).unwrap();
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
