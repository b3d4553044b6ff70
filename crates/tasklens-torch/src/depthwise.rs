//! Depthwise convolutions, 3x3 and 5x5, for training: oneDNN's gradients in bfloat16 take up to sixteen times as long
//! where the stride is 2 or the kernel 5x5, and longer everywhere (libtorch 2.11.0).

use std::ptr::null_mut;

use tch::{TchError, Tensor};

use crate::foreign;

/// Whether [`convolve`] is there: maps `[N, C, H, W]` on a processor, with channels-last strides, in float32 or bfloat16, and
/// weights `[C, 1, 3, 3]` or `[C, 1, 5, 5]` in float32.
pub fn can(x: &Tensor, weight: &Tensor) -> bool {
    // SAFETY: two tensors that outlive the call, which only looks at them.
    unsafe { foreign::tasklens_can_depthwise(foreign::pointer(x), foreign::pointer(weight)) }
}

/// `[N, C, H, W]` -> `[N, C, H', W']` of the same type, with gradients for `x` and `weight`; `pads` are the cells of padding at the
/// top, left, bottom and right. Sums are float32.
///
/// # Errors
/// [`can`] says no, the maps are smaller than the kernel, or there is not enough memory.
pub fn convolve(x: &Tensor, weight: &Tensor, stride: i64, pads: [i64; 4]) -> Result<Tensor, TchError> {
    foreign::compiled()?;
    let mut y = null_mut();
    let (x, weight) = (foreign::pointer(x), foreign::pointer(weight));
    // SAFETY: tensors that outlive the call, which checks their types and shapes, and four numbers.
    foreign::check(unsafe { foreign::tasklens_depthwise(x, weight, stride, pads.as_ptr(), &raw mut y) })?;
    // SAFETY: a call without an error has made a tensor for us.
    Ok(unsafe { foreign::own(y) })
}
