//! What the layers of a backbone mean: tensors that are computed at once, or the operations of a [`Sketch`] for another
//! engine. A backbone says once, over an [`Interpreter`], which layer follows which.
//!
//! [`Sketch`]: super::sketch::Sketch

use tasklens_torch::normalisation::Activation;
use tasklens_torch::pooling;
use tch::{TchError, Tensor};

use super::conventions::Conventions;
use super::layers::{ConvNorm, ForwardPass};

/// Gives the layers a meaning. Every map is `[N, C, h, w]`.
pub(super) trait Interpreter {
    /// The maps between the layers.
    type Maps;

    /// The same maps again.
    fn share(&self, x: &Self::Maps) -> Self::Maps;

    /// Convolutions with their normalisation.
    ///
    /// # Errors
    /// The device is out of memory; so for all others.
    fn layer(&mut self, layer: &ConvNorm, x: &Self::Maps) -> Result<Self::Maps, TchError>;

    /// A layer, then ReLU.
    fn layer_relu(&mut self, layer: &ConvNorm, x: &Self::Maps) -> Result<Self::Maps, TchError> {
        let y = self.layer(layer, x)?;
        self.relu(y)
    }

    /// A layer, then ReLU that ends at 6.
    fn layer_relu6(&mut self, layer: &ConvNorm, x: &Self::Maps) -> Result<Self::Maps, TchError> {
        let y = self.layer(layer, x)?;
        self.relu6(y)
    }

    /// A layer, to whose maps others are added.
    fn layer_add(
        &mut self,
        layer: &ConvNorm,
        x: &Self::Maps,
        beside: &Self::Maps,
    ) -> Result<Self::Maps, TchError> {
        let y = self.layer(layer, x)?;
        self.add(y, beside)
    }

    /// [`Interpreter::layer_add`], and ReLU of the sum.
    fn layer_add_relu(
        &mut self,
        layer: &ConvNorm,
        x: &Self::Maps,
        beside: &Self::Maps,
    ) -> Result<(Self::Maps, Self::Maps), TchError> {
        let sum = self.layer_add(layer, x, beside)?;
        let relu = self.relu_of(&sum)?;
        Ok((sum, relu))
    }

    /// ReLU, in place where there is a place.
    fn relu(&mut self, x: Self::Maps) -> Result<Self::Maps, TchError>;

    /// ReLU of maps that are needed as they are, too.
    fn relu_of(&mut self, x: &Self::Maps) -> Result<Self::Maps, TchError>;

    /// ReLU that ends at 6, in place where there is a place.
    fn relu6(&mut self, x: Self::Maps) -> Result<Self::Maps, TchError>;

    /// The sum, in place of the first where there is a place.
    fn add(&mut self, x: Self::Maps, y: &Self::Maps) -> Result<Self::Maps, TchError>;

    /// The greatest of 3x3 cells, in steps of two, padded by `conventions`.
    fn halve(&mut self, x: &Self::Maps, conventions: Conventions) -> Result<Self::Maps, TchError>;
}

impl Interpreter for ForwardPass {
    type Maps = Tensor;

    fn share(&self, x: &Tensor) -> Tensor {
        x.shallow_clone()
    }

    fn layer(&mut self, layer: &ConvNorm, x: &Tensor) -> Result<Tensor, TchError> {
        layer.forward(x, *self, None, Activation::None)
    }

    fn layer_relu(&mut self, layer: &ConvNorm, x: &Tensor) -> Result<Tensor, TchError> {
        layer.forward(x, *self, None, Activation::Relu)
    }

    fn layer_relu6(&mut self, layer: &ConvNorm, x: &Tensor) -> Result<Tensor, TchError> {
        layer.forward(x, *self, None, Activation::Relu6)
    }

    fn layer_add(&mut self, layer: &ConvNorm, x: &Tensor, beside: &Tensor) -> Result<Tensor, TchError> {
        layer.forward(x, *self, Some(beside), Activation::None)
    }

    fn layer_add_relu(
        &mut self,
        layer: &ConvNorm,
        x: &Tensor,
        beside: &Tensor,
    ) -> Result<(Tensor, Tensor), TchError> {
        layer.forward_with_relu(x, *self, beside)
    }

    fn relu(&mut self, mut x: Tensor) -> Result<Tensor, TchError> {
        x.f_relu_()
    }

    fn relu_of(&mut self, x: &Tensor) -> Result<Tensor, TchError> {
        x.f_relu()
    }

    fn relu6(&mut self, mut x: Tensor) -> Result<Tensor, TchError> {
        x.f_relu6_()
    }

    fn add(&mut self, mut x: Tensor, y: &Tensor) -> Result<Tensor, TchError> {
        x.f_add_(y)
    }

    fn halve(&mut self, x: &Tensor, conventions: Conventions) -> Result<Tensor, TchError> {
        if self.train && self.fuse && pooling::can(x) {
            // As `Sketch::halve` has it.
            let front = |size: i64| match conventions {
                Conventions::Published => 1,
                Conventions::Keras => size % 2,
            };
            return pooling::halve(x, [front(x.size()[2]), front(x.size()[3]), 1, 1]);
        }
        let (padding, overhangs) = match conventions {
            Conventions::Published => ([1, 1], false),
            // `same`: an even side has nothing in front and one cell behind, over which the last window hangs.
            Conventions::Keras => ([x.size()[2] % 2, x.size()[3] % 2], true),
        };
        x.f_max_pool2d([3, 3], [2, 2], padding, [1, 1], overhangs)
    }
}
