//! A step of Adam over all parameters in one pass over memory: Kingma and Ba 2015, the variant at the end of their
//! section 2, with decoupled weight decay (Loshchilov and Hutter 2019).

use tch::{Kind, TchError, Tensor};

use crate::foreign::{self, Pointer};

/// A parameter and what belongs to it, all of one shape.
#[derive(Clone, Copy, Debug)]
pub struct Parameter<'a> {
    /// Gradient of the loss.
    pub gradient: &'a Tensor,
    /// Changed.
    pub weight: &'a Tensor,
    /// Mean of the gradients; changed.
    pub mean: &'a Tensor,
    /// Mean of their squares; changed.
    pub square: &'a Tensor,
    /// Factor of mean / (sqrt(square) + epsilon), the correction of both for their start included.
    pub rate: f64,
    /// What it is multiplied by first, 1 without weight decay.
    pub keep: f64,
}

/// Numbers of Adam that all parameters share.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Share that the mean keeps.
    pub beta1: f64,
    /// Share that the mean of squares keeps.
    pub beta2: f64,
    /// What is added to the square root.
    pub epsilon: f64,
}

/// Whether [`Step::apply`] is there for such a weight or moment: float32, on an NVIDIA GPU, or contiguous on a processor.
pub fn can(tensor: &Tensor) -> bool {
    if tensor.device().is_cuda() {
        return foreign::compiled().is_ok() && tensor.kind() == Kind::Float;
    }
    // SAFETY: a tensor that outlives the call, which only looks at it.
    unsafe { foreign::tasklens_can_adam(foreign::pointer(tensor)) }
}

impl Step {
    /// Changes every parameter and its moments. Their gradients may have any type and order.
    ///
    /// # Errors
    /// [`can`] says no of one of them, a gradient has another shape, or there is not enough memory. On a processor nothing is changed then.
    pub fn apply(&self, parameters: &[Parameter<'_>]) -> Result<(), TchError> {
        let is_on_gpu = parameters.iter().any(|parameter| parameter.weight.device().is_cuda());
        self.apply_by(is_on_gpu, parameters)
    }

    /// As [`Self::apply`] by libtorch's own operation, which GPUs are given to, wherever the parameters are.
    ///
    /// # Errors
    /// They are not all on one device, a gradient has another shape, or there is not enough memory.
    pub fn apply_by_libtorch(&self, parameters: &[Parameter<'_>]) -> Result<(), TchError> {
        self.apply_by(true, parameters)
    }

    fn apply_by(&self, by_libtorch: bool, parameters: &[Parameter<'_>]) -> Result<(), TchError> {
        foreign::compiled()?;
        let pointers = |of: fn(&Parameter<'_>) -> Pointer| parameters.iter().map(of).collect::<Vec<_>>();
        let gradients = pointers(|parameter| foreign::pointer(parameter.gradient));
        let weights = pointers(|parameter| foreign::pointer(parameter.weight));
        let means = pointers(|parameter| foreign::pointer(parameter.mean));
        let squares = pointers(|parameter| foreign::pointer(parameter.square));
        let rates: Vec<f32> = parameters.iter().map(|parameter| parameter.rate as f32).collect();
        let keeps: Vec<f32> = parameters.iter().map(|parameter| parameter.keep as f32).collect();
        // SAFETY: as many of each as `count` says, and tensors that outlive the call, which checks their types and
        // shapes before it changes one.
        foreign::check(unsafe {
            foreign::tasklens_adam(
                parameters.len() as i64,
                gradients.as_ptr(),
                weights.as_ptr(),
                means.as_ptr(),
                squares.as_ptr(),
                rates.as_ptr(),
                keeps.as_ptr(),
                self.beta1 as f32,
                self.beta2 as f32,
                self.epsilon as f32,
                by_libtorch,
            )
        })
    }
}
