//! Heat maps that show where the network looks: Grad-CAM.
//!
//! Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra: "Grad-CAM: Visual Explanations from Deep Networks via
//! Gradient-based Localization", ICCV 2017. Works for every task and label, not only the predicted one.

use anyhow::{Context as _, ensure};
use tasklens_data::images::{Rgb, resize};
use tch::{Device, Kind, Tensor};

use super::Predictor;
use crate::model::layers::ForwardPass;
use crate::model::trunk::pool;

/// Minimum cells per side: if there are fewer, the maps before the exit flow are used, with twice the resolution.
const COARSEST: i64 = 7;

/// How much each part of an image contributes to a label.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Cells from left to right.
    pub width: usize,
    /// Cells from top to bottom.
    pub height: usize,
    /// `[height, width]`, 0 to 1; all 0 if nothing contributes to the label.
    pub values: Vec<f32>,
}

impl Predictor {
    /// The heat map of one task and label on an image of any size; it covers the whole image. Takes about as
    /// long as two predictions.
    ///
    /// # Errors
    /// There is no such task or label, or the device ran out of memory or failed.
    pub fn heat_map(&self, image: &Rgb, task: usize, label: usize) -> anyhow::Result<HeatMap> {
        let (height, width) = self.input_size();
        let labels = self.tasks().get(task).context("the model has no such task")?.labels.len();
        ensure!(label < labels, "the model has no such label");
        let pixels = resize::resize(image, width, height);
        let shape = [1, i64::from(height), i64::from(width), 3];
        let pass = ForwardPass::evaluate(self.kind);
        let network = self.network.lock();
        let trunk = network.trunk();
        let start = tch::no_grad(|| -> anyhow::Result<(Tensor, bool)> {
            let bytes = Tensor::f_from_data_size(&pixels, &shape, Kind::Uint8)?;
            let entry = trunk.entry(&network.normalise(&bytes, self.kind)?, pass)?;
            let exit = trunk.exit(&entry, pass)?;
            let fine_enough = exit.size()[2..].iter().all(|cells| *cells >= COARSEST);
            Ok(if fine_enough { (exit, true) } else { (entry, false) })
        })?;
        let (start, is_last) = start;
        let maps = start.f_detach()?.f_set_requires_grad(true)?;
        let last = if is_last { maps.shallow_clone() } else { trunk.exit(&maps, pass)? };
        let logits = network.classify(&pool(&last)?)?;
        let logit = logits[task].f_select(1, label as i64)?.f_sum(Kind::Float)?;
        let gradients = Tensor::f_run_backward(&[logit], &[&maps], false, false)?;
        let gradient = gradients.first().context("the device gave no gradient")?;
        tch::no_grad(|| weigh(&maps, gradient))
    }
}

/// Sums maps `[1, C, h, w]` weighted by their mean gradients; negative contributions are cut off.
fn weigh(maps: &Tensor, gradient: &Tensor) -> anyhow::Result<HeatMap> {
    let weights = gradient.f_mean_dim([2, 3].as_slice(), true, Kind::Float)?;
    let heat =
        maps.f_to_kind(Kind::Float)?.f_mul(&weights)?.f_sum_dim_intlist([1].as_slice(), false, None)?;
    let heat = heat.f_relu()?.f_squeeze_dim(0)?.f_to_device(Device::Cpu)?.f_contiguous()?;
    let (height, width) = heat.size2()?;
    let mut values = vec![0_f32; heat.numel()];
    heat.f_copy_data(&mut values, heat.numel())?;
    let most = values.iter().copied().fold(0.0, f32::max);
    if most > 0.0 {
        values.iter_mut().for_each(|value| *value /= most);
    }
    Ok(HeatMap { width: width as usize, height: height as usize, values })
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::{Backbone, DeviceChoice, Task};

    use super::*;
    use crate::model::checkpoint::{self, Description};
    use crate::model::conventions::Conventions;
    use crate::model::network::Network;

    fn predictor(backbone: Backbone, side: u32) -> (Predictor, Tensor) {
        predictor_by(Conventions::default(), backbone, side)
    }

    fn tasks() -> [Task; 2] {
        ["print", "neck"].map(|name| Task { name: name.into(), labels: vec!["a".into(), "b".into()] })
    }

    fn network(backbone: Backbone, conventions: Conventions) -> Network {
        let mut network = Network::new(backbone, &tasks(), 3, Device::Cpu).unwrap();
        network.follow(conventions);
        network
    }

    fn predictor_by(conventions: Conventions, backbone: Backbone, side: u32) -> (Predictor, Tensor) {
        let dir = tempfile::tempdir().unwrap();
        let description = Description {
            conventions,
            epoch: 1,
            ..Description::new(backbone, tasks().to_vec(), (side, side), "fp32")
        };
        let network = network(backbone, conventions);
        let head = network.parameters().get("heads.neck.weight").unwrap().copy();
        let file = dir.path().join("x.safetensors");
        checkpoint::write(&file, &network, &description, &[]).unwrap();
        (Predictor::open(&file, DeviceChoice::Cpu).unwrap(), head)
    }

    fn image() -> Rgb {
        Rgb::from_fn(90, 70, |x, y| image::Rgb([(x * 2) as u8, (y * 3) as u8, ((x * y) % 251) as u8]))
    }

    /// With pooling and one linear layer behind the last maps, Grad-CAM is CAM (the paper, section 3.1).
    #[test]
    fn on_the_last_maps_it_is_the_class_activation_map() {
        for backbone in [Backbone::XceptionSmall, Backbone::EfficientNetLite0] {
            check_last_maps(&predictor(backbone, 224));
        }
    }

    fn check_last_maps((predictor, head): &(Predictor, Tensor)) {
        let heat = predictor.heat_map(&image(), 1, 1).unwrap();
        assert_eq!((heat.width, heat.height), (7, 7));
        let expected = tch::no_grad(|| {
            let pixels = resize::resize(&image(), 224, 224);
            let bytes = Tensor::from_data_size(&pixels, &[1, 224, 224, 3], Kind::Uint8);
            let network = predictor.network.lock();
            let images = network.normalise(&bytes, Kind::Float).unwrap();
            let pass = ForwardPass::evaluate(Kind::Float);
            let trunk = network.trunk();
            let maps = trunk.exit(&trunk.entry(&images, pass).unwrap(), pass).unwrap();
            let weights = head.select(0, 1).view([1, -1, 1, 1]);
            let sum = (maps * weights).sum_dim_intlist([1].as_slice(), false, None).relu();
            (&sum / sum.max()).view([-1])
        });
        let expected = Vec::<f32>::try_from(expected).unwrap();
        let worst = heat.values.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{worst}");
    }

    #[test]
    fn small_inputs_get_the_finer_maps_and_labels_get_different_ones() {
        for backbone in [Backbone::XceptionSmall, Backbone::EfficientNetLite0] {
            let (predictor, _) = predictor(backbone, 64);
            let of = |label| predictor.heat_map(&image(), 0, label).unwrap();
            let (a, b) = (of(0), of(1));
            assert_eq!((a.width, a.height, a.values.len()), (4, 4, 16));
            assert!(a.values.iter().all(|value| (0.0..=1.0).contains(value)));
            assert_ne!(a, b);
            assert!(
                predictor.heat_map(&image(), 0, 2).is_err() && predictor.heat_map(&image(), 2, 0).is_err()
            );
        }
    }

    /// Grad-CAM step by step, on a network whose layers are not folded, with the maps before the exit flow.
    fn by_hand(network: &Network, side: u32) -> Vec<f32> {
        let pixels = resize::resize(&image(), side, side);
        let bytes = Tensor::from_data_size(&pixels, &[1, side.into(), side.into(), 3], Kind::Uint8);
        let pass = ForwardPass::evaluate(Kind::Float);
        let trunk = network.trunk();
        let entry = || trunk.entry(&network.normalise(&bytes, Kind::Float).unwrap(), pass).unwrap();
        let maps = tch::no_grad(entry).detach().set_requires_grad(true);
        let features = trunk.exit(&maps, pass).unwrap().mean_dim([2, 3].as_slice(), false, Kind::Float);
        network.classify(&features).unwrap()[0].select(1, 0).sum(Kind::Float).backward();
        tch::no_grad(|| {
            let weights = maps.grad().mean_dim([2, 3].as_slice(), true, Kind::Float);
            let sum = (&maps * weights).sum_dim_intlist([1].as_slice(), false, None).relu();
            Vec::try_from((&sum / sum.max()).view([-1])).unwrap()
        })
    }

    #[test]
    fn a_network_of_keras_is_looked_into_by_the_rules_of_keras() {
        let (backbone, side) = (Backbone::XceptionSmall, 64);
        let (predictor, _) = predictor_by(Conventions::Keras, backbone, side);
        let heat = predictor.heat_map(&image(), 0, 0).unwrap().values;
        assert!(heat.contains(&1.0));
        let worst = |conventions| {
            let expected = by_hand(&network(backbone, conventions), side);
            assert_eq!(heat.len(), expected.len());
            heat.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        let (by_keras, by_pytorch) = (worst(Conventions::Keras), worst(Conventions::Published));
        assert!(by_keras < 1e-3 && by_pytorch > 0.02, "{by_keras} {by_pytorch}");
    }
}
