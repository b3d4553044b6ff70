//! The interface of backbones: the convolutions below the heads.

use std::fmt::Debug;

use tch::{Kind, TchError, Tensor};

use super::conventions::Conventions;
use super::layers::ForwardPass;
use super::sketch::Sketch;

/// The convolutions of a network, in two parts: heat maps use the maps between them.
pub trait Trunk: Debug + Send {
    /// Normalised images `[N, 3, H, W]` in `pass.kind` -> maps `[N, C, h, w]` of about H / 16 by W / 16 cells.
    ///
    /// # Errors
    /// The device is out of memory, or the images are under 32 pixels.
    fn entry(&self, images: &Tensor, pass: ForwardPass) -> Result<Tensor, TchError>;

    /// Maps from [`Trunk::entry`] -> `[N, features, h, w]` of about H / 32 by W / 32 cells.
    ///
    /// # Errors
    /// The device is out of memory.
    fn exit(&self, maps: &Tensor, pass: ForwardPass) -> Result<Tensor, TchError>;

    /// The same operations on images of `height` x `width` pixels, for another engine.
    ///
    /// # Errors
    /// The device is out of memory.
    fn sketch(&self, height: i64, width: i64) -> Result<Sketch, TchError>;

    /// Folds each normalisation into its convolution, for evaluation in `kind`.
    ///
    /// # Errors
    /// The device is out of memory.
    fn fold(&mut self, kind: Kind) -> Result<(), TchError>;

    /// Computes by other conventions from now on; forgets what was folded. A network that knows one kind only stays
    /// as it is.
    fn follow(&mut self, conventions: Conventions) {
        let _ = conventions;
    }

    /// What another publisher of the same weights calls the tensor that we call `name`; `None` where nobody
    /// has another name for it.
    fn other_name(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
}

/// Global average pooling: `[N, features, H, W]` -> `[N, features]` in float32.
///
/// # Errors
/// The device is out of memory.
pub fn pool(maps: &Tensor) -> Result<Tensor, TchError> {
    maps.f_mean_dim([2, 3].as_slice(), false, Kind::Float)
}
