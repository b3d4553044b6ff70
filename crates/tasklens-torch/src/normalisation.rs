//! Batch normalisation in training mode with what follows it, in two passes over memory forward and two backward.
//!
//! Sums are taken over parts of a fixed size in a fixed order, so results do not depend on the number of threads. Means
//! and variances are merged after Chan, Golub and LeVeque 1979, and are float32 for maps in bfloat16, too.

use std::ptr::{null, null_mut};

use tch::{TchError, Tensor};

use crate::foreign;

/// What follows the normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None = 0,
    /// max(x, 0).
    Relu = 1,
    /// min(max(x, 0), 6).
    Relu6 = 2,
}

/// A batch normalisation: Ioffe and Szegedy 2015.
#[derive(Clone, Copy, Debug)]
pub struct Normalisation<'a> {
    /// Factors, `[C]`, float32.
    pub weight: &'a Tensor,
    /// What is added after them, `[C]`, float32.
    pub bias: &'a Tensor,
    /// Mean of earlier batches, `[C]`, float32; changed.
    pub running_mean: &'a Tensor,
    /// Unbiased variance of earlier batches, `[C]`, float32; changed.
    pub running_var: &'a Tensor,
    /// Share of the batch in the running statistics.
    pub momentum: f64,
    /// What is added to the variance.
    pub epsilon: f64,
}

impl Normalisation<'_> {
    /// Whether [`Normalisation::apply`] is there for maps `x`: on a processor, `[N, C, H, W]` with channels-last strides, in float32 or
    /// bfloat16.
    pub fn can(&self, x: &Tensor) -> bool {
        let [x, weight, mean] = [x, self.weight, self.running_mean].map(foreign::pointer);
        // SAFETY: three tensors that outlive the call, which only looks at them.
        unsafe { foreign::tasklens_can_normalise(x, weight, mean) }
    }

    /// `[N, C, H, W]` -> activation(normalised `x` + `beside`), of the same shape and type, with gradients for all.
    ///
    /// # Errors
    /// [`Normalisation::can`] says no, `beside` has another shape, or there is not enough memory.
    pub fn apply(
        &self,
        x: &Tensor,
        beside: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor, TchError> {
        let mut y = null_mut();
        self.call(x, beside, activation, &mut y, null_mut())?;
        // SAFETY: a call without an error has made a tensor for us.
        Ok(unsafe { foreign::own(y) })
    }

    /// Normalised `x` + `beside`, and its ReLU.
    ///
    /// # Errors
    /// As for [`Normalisation::apply`].
    pub fn with_relu(&self, x: &Tensor, beside: Option<&Tensor>) -> Result<(Tensor, Tensor), TchError> {
        let (mut relu, mut sum) = (null_mut(), null_mut());
        self.call(x, beside, Activation::Relu, &mut relu, &raw mut sum)?;
        // SAFETY: a call without an error has made two tensors for us.
        Ok(unsafe { (foreign::own(sum), foreign::own(relu)) })
    }

    fn call(
        &self,
        x: &Tensor,
        beside: Option<&Tensor>,
        activation: Activation,
        y: &mut *mut std::ffi::c_void,
        sum: *mut *mut std::ffi::c_void,
    ) -> Result<(), TchError> {
        foreign::compiled()?;
        let p = foreign::pointer;
        let beside = beside.map_or(null(), p);
        // SAFETY: tensors that outlive the call, which checks their types and shapes; `y` and `sum` are places for
        // pointers.
        foreign::check(unsafe {
            foreign::tasklens_normalise(
                p(x),
                beside,
                p(self.weight),
                p(self.bias),
                p(self.running_mean),
                p(self.running_var),
                self.momentum,
                self.epsilon,
                activation as i32,
                y,
                sum,
            )
        })
    }
}
