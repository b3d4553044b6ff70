//! Named tensors: trainable parameters and statistics, with their initialisation.

use std::collections::HashMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use tch::{Device, Kind, TchError, Tensor};

/// One named tensor, float32 on the network's device.
#[derive(Debug)]
pub struct Parameter {
    /// The name in state dicts and files.
    pub name: String,
    /// The values; layers hold shallow clones of it.
    pub tensor: Tensor,
    /// Whether the optimizer trains it; `false` for batch-norm statistics.
    pub trainable: bool,
}

/// All tensors of a network, in the order of construction.
#[derive(Debug, Default)]
pub struct Parameters {
    all: Vec<Parameter>,
    index: HashMap<String, usize>,
}

impl Parameters {
    /// Every parameter, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.all.iter()
    }

    /// The tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.index.get(name).map(|&i| &self.all[i].tensor)
    }

    /// The trainable parameters whose name passes `filter`, as (name, tensor).
    pub fn trainable(&self, filter: impl Fn(&str) -> bool) -> Vec<(String, Tensor)> {
        self.all
            .iter()
            .filter(|p| p.trainable && filter(&p.name))
            .map(|p| (p.name.clone(), p.tensor.shallow_clone()))
            .collect()
    }

    /// Total number of values.
    pub fn count(&self) -> u64 {
        self.all.iter().map(|p| p.tensor.numel() as u64).sum()
    }

    fn insert(&mut self, name: String, tensor: &Tensor, trainable: bool) {
        self.index.insert(name.clone(), self.all.len());
        self.all.push(Parameter { name, tensor: tensor.shallow_clone(), trainable });
    }
}

/// Creates the tensors of a new network, with names that follow its structure.
pub struct Builder<'a> {
    parameters: &'a mut Parameters,
    random: Pcg64Mcg,
    device: Device,
}

impl<'a> Builder<'a> {
    /// Initial weights depend only on `seed`, so that runs are reproducible whatever else the process does.
    pub fn new(parameters: &'a mut Parameters, seed: u64, device: Device) -> Self {
        Self { parameters, random: Pcg64Mcg::seed_from_u64(seed), device }
    }

    /// A trainable weight, initialised uniformly in `-bound..bound`.
    pub(super) fn uniform(&mut self, name: String, shape: &[i64], bound: f32) -> Result<Tensor, TchError> {
        let count = shape.iter().product::<i64>() as usize;
        let values: Vec<f32> =
            (0..count).map(|_| (self.random.random::<f32>() * 2.0 - 1.0) * bound).collect();
        let tensor = Tensor::f_from_slice(&values)?.f_view(shape)?.f_to_device(self.device)?;
        self.add(name, tensor, true)
    }

    /// A parameter whose elements all begin with one value.
    pub(super) fn constant(
        &mut self,
        name: String,
        shape: &[i64],
        value: f64,
        trainable: bool,
    ) -> Result<Tensor, TchError> {
        let tensor = Tensor::f_full(shape, value, (Kind::Float, self.device))?;
        self.add(name, tensor, trainable)
    }

    fn add(&mut self, name: String, tensor: Tensor, trainable: bool) -> Result<Tensor, TchError> {
        let tensor = if trainable { tensor.f_set_requires_grad(true)? } else { tensor };
        self.parameters.insert(name, &tensor, trainable);
        Ok(tensor)
    }
}
