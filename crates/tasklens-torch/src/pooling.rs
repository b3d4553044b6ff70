//! The greatest of 3x3 cells in steps of two, for training: it remembers a byte for each result, where libtorch
//! remembers eight.

use std::ptr::null_mut;

use tch::{TchError, Tensor};

use crate::foreign;

/// Whether [`halve`] is there: maps `[N, C, H, W]` on a processor, with channels-last strides, in float32 or bfloat16.
pub fn can(x: &Tensor) -> bool {
    // SAFETY: a tensor that outlives the call, which only looks at it.
    unsafe { foreign::tasklens_can_pool(foreign::pointer(x)) }
}

/// `[N, C, H, W]` -> `[N, C, H', W']` of the same type, with a gradient for `x`; `pads` are the cells of padding at the top, left, bottom
/// and right, 0 or 1 each, which do not count.
///
/// # Errors
/// [`can`] says no, the maps are smaller than a window, or there is not enough memory.
pub fn halve(x: &Tensor, pads: [i64; 4]) -> Result<Tensor, TchError> {
    foreign::compiled()?;
    let mut y = null_mut();
    // SAFETY: a tensor that outlives the call, which checks its type and shape, and four numbers.
    foreign::check(unsafe { foreign::tasklens_pool(foreign::pointer(x), pads.as_ptr(), &raw mut y) })?;
    // SAFETY: a call without an error has made a tensor for us.
    Ok(unsafe { foreign::own(y) })
}
