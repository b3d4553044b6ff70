//! The variables of Keras' layers as our tensors: Keras has the channels last, in kernels, too.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use tch::Tensor;

use super::file::SavedModel;
use super::graph::Graph;
use crate::model::network::Network;

/// How Keras lays out what we want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KerasLayout {
    /// `[height, width, in, out]`.
    Convolution,
    /// `[height, width, channels, 1]`.
    Depthwise,
    /// `[in, out]`.
    Dense,
    /// One number a channel.
    Vector,
}

impl KerasLayout {
    /// Where each side of ours stands in Keras' shape.
    fn sides(self) -> &'static [i64] {
        match self {
            Self::Convolution => &[3, 2, 0, 1],
            Self::Depthwise => &[2, 3, 0, 1],
            Self::Dense => &[1, 0],
            Self::Vector => &[0],
        }
    }

    /// Keras' shape of a tensor that has `shape` with us.
    fn of_keras(self, shape: &[i64]) -> Vec<u64> {
        let mut theirs = vec![0; shape.len()];
        for (ours, side) in shape.iter().zip(self.sides()) {
            if let Some(place) = theirs.get_mut(*side as usize) {
                *place = *ours as u64;
            }
        }
        theirs
    }
}

/// A tensor of ours and where it is in the file.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Our name of it.
    pub name: String,
    /// Place of the layer.
    pub layer: usize,
    /// What the layer calls it.
    pub variable: &'static str,
    /// How it is laid out there.
    pub layout: KerasLayout,
}

/// Reads tensors, each with the shape that the network has.
///
/// # Errors
/// One is missing, has another shape, or holds what is no finite number: the message names the layer.
pub fn read(
    saved: &SavedModel,
    graph: &Graph,
    network: &Network,
    wanted: impl Iterator<Item = Wanted>,
) -> anyhow::Result<HashMap<String, Tensor>> {
    let mut values = HashMap::new();
    for Wanted { name, layer, variable, layout } in wanted {
        let layer = &graph.layers[layer];
        let ours = network.parameters().get(&name).with_context(|| format!("there is no tensor `{name}`"))?;
        let shape = layout.of_keras(&ours.size());
        let numbers = saved.read(layer, variable, &shape)?;
        let told = || format!("the layer `{}`: its {variable}", layer.name);
        ensure!(numbers.iter().all(|number| number.is_finite()), "{} holds numbers that are none", told());
        let is_variance = variable == "moving_variance";
        ensure!(!is_variance || numbers.iter().all(|n| *n >= 0.0), "{} is negative", told());
        let sides: Vec<i64> = shape.iter().map(|side| *side as i64).collect();
        let tensor = Tensor::f_from_slice(&numbers)?.f_view(&sides[..])?;
        values.insert(name, tensor.f_permute(layout.sides())?.f_contiguous()?);
    }
    Ok(values)
}
