//! The functions of `cpp/`. A tensor is a pointer to `at::Tensor`, as it is for tch.

use std::ffi::{CStr, c_char, c_int, c_void};

use tch::{TchError, Tensor};

/// `at::Tensor`.
pub(crate) type Pointer = *const c_void;

/// The tensor for a call during which it is borrowed.
pub(crate) fn pointer(tensor: &Tensor) -> Pointer {
    tensor.as_ptr().cast()
}

/// Takes a tensor that C++ has given away.
///
/// # Safety
/// `tensor` comes from `new at::Tensor` and nobody else has it.
pub(crate) unsafe fn own(tensor: *mut c_void) -> Tensor {
    // SAFETY: the caller's promise is that of `from_ptr`.
    unsafe { Tensor::from_ptr(tensor.cast()) }
}

/// What a function of `cpp/` returns: null, or a message that it has allocated.
pub(crate) fn check(message: *mut c_char) -> Result<(), TchError> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: it is not null, and nobody else has it.
    Err(TchError::Torch(unsafe { text_of(message) }))
}

/// Takes a text that C++ has given away.
///
/// # Safety
/// `text` is not null, comes from `strdup`, and nobody else has it.
pub(crate) unsafe fn text_of(text: *mut c_char) -> String {
    // SAFETY: a text that ends with 0, which stays until it is freed below.
    let owned = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // SAFETY: it is from `strdup`, and not used after this.
    unsafe { tasklens_free_message(text) };
    owned
}

/// Computes with other instructions than the best that this processor has, for tests: `kAvx512`, `kAvx2` or
/// `kBaseline`. `false` where it does not have them.
pub fn use_instructions(name: &CStr) -> bool {
    // SAFETY: a text that ends with 0, which is only read during the call.
    unsafe { tasklens_use_instructions(name.as_ptr()) }
}

/// Whether to compute with these functions: not on other systems than Linux, nor on processors without AVX2, where
/// libtorch's own operations are as fast or faster.
pub fn is_faster() -> bool {
    // SAFETY: it takes nothing and only looks at the processor.
    unsafe { tasklens_is_faster() }
}

/// To be called in a thread before it first sets its number of threads ([`tch::set_num_threads`]): otherwise the first of
/// these functions that it calls sets the number to what another thread has asked for.
pub fn begin_threads() {
    // SAFETY: it takes nothing and touches data of this thread.
    unsafe { tasklens_begin_threads() }
}

#[cfg(not(compiled))]
pub(crate) use absent::*;

#[cfg(compiled)]
unsafe extern "C" {
    fn tasklens_free_message(message: *mut c_char);
    fn tasklens_use_instructions(name: *const c_char) -> bool;
    fn tasklens_is_faster() -> bool;
    fn tasklens_begin_threads();
    pub(crate) fn tasklens_can_normalise(x: Pointer, weight: Pointer, running_mean: Pointer) -> bool;
    pub(crate) fn tasklens_normalise(
        x: Pointer,
        beside: Pointer,
        weight: Pointer,
        bias: Pointer,
        running_mean: Pointer,
        running_var: Pointer,
        momentum: f64,
        epsilon: f64,
        activation: c_int,
        y: *mut *mut c_void,
        sum: *mut *mut c_void,
    ) -> *mut c_char;
    pub(crate) fn tasklens_can_depthwise(x: Pointer, weight: Pointer) -> bool;
    pub(crate) fn tasklens_depthwise(
        x: Pointer,
        weight: Pointer,
        stride: i64,
        pads: *const i64,
        y: *mut *mut c_void,
    ) -> *mut c_char;
    pub(crate) fn tasklens_can_pool(x: Pointer) -> bool;
    pub(crate) fn tasklens_pool(x: Pointer, pads: *const i64, y: *mut *mut c_void) -> *mut c_char;
    pub(crate) fn tasklens_can_adam(tensor: Pointer) -> bool;
    pub(crate) fn tasklens_adam(
        count: i64,
        gradients: *const Pointer,
        weights: *const Pointer,
        means: *const Pointer,
        squares: *const Pointer,
        rates: *const f32,
        keeps: *const f32,
        beta1: f32,
        beta2: f32,
        epsilon: f32,
        by_libtorch: bool,
    ) -> *mut c_char;
    pub(crate) fn tasklens_store_open(
        host: *const c_char,
        port: u16,
        is_server: bool,
        size: i64,
        prefix: *const c_char,
        timeout_ms: i64,
        store: *mut *mut c_void,
    ) -> *mut c_char;
    pub(crate) fn tasklens_store_free(store: *mut c_void);
    pub(crate) fn tasklens_store_add(
        store: *mut c_void,
        key: *const c_char,
        more: i64,
        now: *mut i64,
    ) -> *mut c_char;
    pub(crate) fn tasklens_store_set(
        store: *mut c_void,
        key: *const c_char,
        text: *const c_char,
    ) -> *mut c_char;
    pub(crate) fn tasklens_store_get(
        store: *mut c_void,
        key: *const c_char,
        text: *mut *mut c_char,
    ) -> *mut c_char;
    pub(crate) fn tasklens_group_join(
        store: *mut c_void,
        rank: c_int,
        size: c_int,
        interface: *const c_char,
        host: *const c_char,
        timeout_ms: i64,
        group: *mut *mut c_void,
    ) -> *mut c_char;
    pub(crate) fn tasklens_group_sum(group: *mut c_void, tensor: Pointer) -> *mut c_char;
    pub(crate) fn tasklens_group_broadcast(group: *mut c_void, tensor: Pointer) -> *mut c_char;
    pub(crate) fn tasklens_group_wait(group: *mut c_void, timeout_ms: i64, is_done: *mut bool)
    -> *mut c_char;
    pub(crate) fn tasklens_group_free(group: *mut c_void);
    pub(crate) fn tasklens_keep_memory(more: c_int);
    pub(crate) fn tasklens_memory_in_keeping() -> usize;
    pub(crate) fn tasklens_send(host: Pointer, index: c_int, sent: *mut *mut c_void) -> *mut c_char;
}

/// Where nothing was compiled: nothing can be done, and who asks first does not call the rest.
#[cfg(not(compiled))]
mod absent {
    use super::{Pointer, c_char, c_int, c_void};

    pub unsafe fn tasklens_free_message(_: *mut c_char) {}
    pub unsafe fn tasklens_use_instructions(_: *const c_char) -> bool {
        false
    }
    pub unsafe fn tasklens_is_faster() -> bool {
        false
    }
    pub unsafe fn tasklens_begin_threads() {}
    pub unsafe fn tasklens_can_normalise(_: Pointer, _: Pointer, _: Pointer) -> bool {
        false
    }
    #[expect(clippy::too_many_arguments, reason = "as in C++")]
    pub unsafe fn tasklens_normalise(
        _: Pointer,
        _: Pointer,
        _: Pointer,
        _: Pointer,
        _: Pointer,
        _: Pointer,
        _: f64,
        _: f64,
        _: c_int,
        _: *mut *mut c_void,
        _: *mut *mut c_void,
    ) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_can_depthwise(_: Pointer, _: Pointer) -> bool {
        false
    }
    pub unsafe fn tasklens_depthwise(
        _: Pointer,
        _: Pointer,
        _: i64,
        _: *const i64,
        _: *mut *mut c_void,
    ) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_can_pool(_: Pointer) -> bool {
        false
    }
    pub unsafe fn tasklens_pool(_: Pointer, _: *const i64, _: *mut *mut c_void) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_can_adam(_: Pointer) -> bool {
        false
    }
    #[expect(clippy::too_many_arguments, reason = "as in C++")]
    pub unsafe fn tasklens_adam(
        _: i64,
        _: *const Pointer,
        _: *const Pointer,
        _: *const Pointer,
        _: *const Pointer,
        _: *const f32,
        _: *const f32,
        _: f32,
        _: f32,
        _: f32,
        _: bool,
    ) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_store_open(
        _: *const c_char,
        _: u16,
        _: bool,
        _: i64,
        _: *const c_char,
        _: i64,
        _: *mut *mut c_void,
    ) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_store_free(_: *mut c_void) {}
    pub unsafe fn tasklens_store_add(_: *mut c_void, _: *const c_char, _: i64, _: *mut i64) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_store_set(_: *mut c_void, _: *const c_char, _: *const c_char) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_store_get(_: *mut c_void, _: *const c_char, _: *mut *mut c_char) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_group_join(
        _: *mut c_void,
        _: c_int,
        _: c_int,
        _: *const c_char,
        _: *const c_char,
        _: i64,
        _: *mut *mut c_void,
    ) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_group_sum(_: *mut c_void, _: Pointer) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_group_broadcast(_: *mut c_void, _: Pointer) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_group_wait(_: *mut c_void, _: i64, _: *mut bool) -> *mut c_char {
        std::process::abort()
    }
    pub unsafe fn tasklens_group_free(_: *mut c_void) {}
    pub unsafe fn tasklens_keep_memory(_: c_int) {}
    pub unsafe fn tasklens_memory_in_keeping() -> usize {
        0
    }
    pub unsafe fn tasklens_send(_: Pointer, _: c_int, _: *mut *mut c_void) -> *mut c_char {
        std::process::abort()
    }
}

/// An error where nothing was compiled.
pub(crate) fn compiled() -> Result<(), TchError> {
    if cfg!(compiled) { Ok(()) } else { Err(TchError::Torch("not compiled for this system".to_owned())) }
}
