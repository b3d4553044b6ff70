//! A network without its heads as a list of operations with their weights, for engines other than libtorch. Batch
//! normalisation is merged into the convolutions, and all padding is in numbers: a sketch is for images of one size.

use tch::{TchError, Tensor};

use super::conventions::Conventions;
use super::interpreter::Interpreter;
use super::layers::ConvNorm;

/// Maps in a sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maps {
    /// 0 are the images; n is what the nth operation (from 1) gives.
    pub place: usize,
    /// Height, cells.
    pub height: i64,
    /// Width, cells.
    pub width: i64,
}

/// One operation; the numbers are places of its inputs.
#[derive(Debug)]
pub enum Operation {
    /// See [`Convolution`].
    Convolution(usize, Convolution),
    /// max(x, 0).
    Relu(usize),
    /// min(max(x, 0), 6).
    Relu6(usize),
    /// The sum of two.
    Add(usize, usize),
    /// The greatest of 3x3 cells, in steps of two; cells of the padding do not count.
    MaxPool(usize, Pads),
}

/// Cells beyond the sides: top, left, bottom, right.
pub type Pads = [i64; 4];

/// A convolution over maps padded with zeros.
#[derive(Debug)]
pub struct Convolution {
    /// `[O, C / groups, k, k]`, float32.
    pub weight: Tensor,
    /// `[O]`, float32.
    pub bias: Option<Tensor>,
    /// Groups of channels that do not mix.
    pub groups: i64,
    /// Stride in both directions.
    pub stride: i64,
    /// The padding.
    pub pads: Pads,
}

impl Convolution {
    /// Height and width of what it gives.
    fn size(&self, height: i64, width: i64) -> (i64, i64) {
        let kernel = self.weight.size();
        let [top, left, bottom, right] = self.pads;
        let cells = |size: i64, pads: i64, kernel: i64| (size + pads - kernel) / self.stride + 1;
        (cells(height, top + bottom, kernel[2]), cells(width, left + right, kernel[3]))
    }
}

/// The operations, in an order in which they can be computed.
#[derive(Debug)]
pub struct Sketch {
    operations: Vec<Operation>,
}

impl Sketch {
    /// Of what `apply` does to normalised images `[N, 3, H, W]` of this height and width, pixels.
    ///
    /// # Errors
    /// Those of `apply`.
    pub(super) fn of(
        height: i64,
        width: i64,
        apply: impl FnOnce(&mut Self, Maps) -> Result<Maps, TchError>,
    ) -> Result<Self, TchError> {
        let mut sketch = Self { operations: Vec::new() };
        apply(&mut sketch, Maps { place: 0, height, width })?;
        Ok(sketch)
    }

    /// The operations; the last one gives the maps to pool, `[N, features, h, w]`.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    fn push(&mut self, operation: Operation, (height, width): (i64, i64)) -> Maps {
        self.operations.push(operation);
        Maps { place: self.operations.len(), height, width }
    }
}

impl Interpreter for Sketch {
    type Maps = Maps;

    fn share(&self, x: &Maps) -> Maps {
        *x
    }

    fn layer(&mut self, layer: &ConvNorm, x: &Maps) -> Result<Maps, TchError> {
        let mut x = *x;
        for convolution in layer.convolutions(x.height, x.width)? {
            let size = convolution.size(x.height, x.width);
            x = self.push(Operation::Convolution(x.place, convolution), size);
        }
        Ok(x)
    }

    fn relu(&mut self, x: Maps) -> Result<Maps, TchError> {
        Ok(self.push(Operation::Relu(x.place), (x.height, x.width)))
    }

    fn relu_of(&mut self, x: &Maps) -> Result<Maps, TchError> {
        self.relu(*x)
    }

    fn relu6(&mut self, x: Maps) -> Result<Maps, TchError> {
        Ok(self.push(Operation::Relu6(x.place), (x.height, x.width)))
    }

    fn add(&mut self, x: Maps, y: &Maps) -> Result<Maps, TchError> {
        Ok(self.push(Operation::Add(x.place, y.place), (x.height, x.width)))
    }

    fn halve(&mut self, x: &Maps, conventions: Conventions) -> Result<Maps, TchError> {
        // `same` in front of an odd side, and nothing in front of an even one.
        let front = |size: i64| match conventions {
            Conventions::Published => 1,
            Conventions::Keras => size % 2,
        };
        let pads = [front(x.height), front(x.width), 1, 1];
        let cells = |size: i64, front: i64| (size + front + 1 - 3) / 2 + 1;
        let size = (cells(x.height, pads[0]), cells(x.width, pads[1]));
        Ok(self.push(Operation::MaxPool(x.place, pads), size))
    }
}
