//! The inputs of heads: features, optionally transformed.

use tch::{Kind, Tensor};

use crate::inference::outputs::Features;

/// Transformation of the features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Plain features, as for the last layer of a network.
    Plain,
    /// Signed square roots. Features are means of rectified activations: many small, few large. Their square roots
    /// are distributed more evenly, which gives better results with few labels (Perronnin, Sánchez and Mensink 2010;
    /// Yang, Liu and Xu 2021). Not for heads that will become a network's last layer.
    Roots,
}

/// Features of rows, `[N, D]`, with a transformation.
#[derive(Clone, Debug)]
pub struct Inputs {
    features: Features,
    reading: Reading,
}

impl Inputs {
    /// Features with a transformation.
    pub fn new(features: &Features, reading: Reading) -> Self {
        Self { features: features.clone(), reading }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// Length of a feature vector.
    pub fn dimensions(&self) -> usize {
        self.features.dimensions()
    }

    /// A selection of the rows.
    pub fn pick(&self, rows: &[usize]) -> Self {
        Self { features: self.features.pick(rows), reading: self.reading }
    }

    /// Rows `from..to` as `[B, D]` in float32.
    pub fn chunk(&self, from: usize, to: usize) -> anyhow::Result<Tensor> {
        let dimensions = self.dimensions();
        let mut bytes = Vec::with_capacity(2 * dimensions * (to - from));
        for item in from..to {
            bytes.extend_from_slice(bytemuck::cast_slice(self.features.half(item)));
        }
        let shape = [(to - from) as i64, dimensions as i64];
        let values = Tensor::f_from_data_size(&bytes, &shape, Kind::Half)?.f_to_kind(Kind::Float)?;
        Ok(match self.reading {
            Reading::Plain => values,
            Reading::Roots => values.f_abs()?.f_sqrt()?.f_copysign(&values)?,
        })
    }
}
