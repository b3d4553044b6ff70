//! Memory of large tensors on processors, kept for the next step of a training.
//!
//! A step takes blocks of the same sizes again and again. The C library gives large blocks back to the system at once,
//! which clears every page of the next one: a fifth to a third of a step's time, more on virtual machines.

use crate::foreign;

/// While one of these is there, blocks that tensors give up are kept for others, together with those in use never more
/// than a quarter above what was in use at once; with the last one they go back to the system.
#[derive(Debug)]
pub struct Keeping(());

impl Keeping {
    /// Begins.
    pub fn begin() -> Self {
        // SAFETY: it takes a number, and is the counterpart of `drop`.
        unsafe { foreign::tasklens_keep_memory(1) }
        Self(())
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        // SAFETY: as in `begin`.
        unsafe { foreign::tasklens_keep_memory(-1) }
    }
}

/// Bytes that are kept and not in use.
pub fn in_keeping() -> usize {
    // SAFETY: it takes nothing.
    unsafe { foreign::tasklens_memory_in_keeping() }
}

#[cfg(all(test, compiled))]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    const MEGABYTE: usize = 1 << 20;

    fn tensor(megabytes: usize) -> Tensor {
        Tensor::ones([(megabytes * MEGABYTE) as i64], (Kind::Uint8, Device::Cpu))
    }

    /// In one test, because what is kept is kept for the whole process.
    #[test]
    fn blocks_are_kept_up_to_a_limit_and_given_back_at_the_end() {
        drop(tensor(8));
        assert_eq!(in_keeping(), 0);
        let outlives = {
            let _keeping = Keeping::begin();
            let (a, b) = (tensor(16), tensor(8));
            let place = a.data_ptr();
            drop(a);
            assert_eq!(in_keeping(), 16 * MEGABYTE);
            let again = tensor(15);
            assert_eq!(again.data_ptr(), place);
            assert_eq!(again.int64_value(&[-1]), 1);
            assert_eq!(in_keeping(), 0);
            // It is too large for this, and both are too much beside 8: a quarter above 24 is 30.
            drop(again);
            let other = tensor(10);
            assert_eq!(in_keeping(), 0);
            drop((other, tensor(4)));
            assert_eq!(in_keeping(), 14 * MEGABYTE);
            let within = tensor(6);
            assert_eq!(in_keeping(), 14 * MEGABYTE, "28 of 30");
            let above = tensor(12);
            assert_eq!(in_keeping(), 4 * MEGABYTE, "the largest goes first");
            drop((within, above));
            let inner = Keeping::begin();
            drop(inner);
            assert!(in_keeping() > 0);
            b
        };
        assert_eq!(in_keeping(), 0);
        assert_eq!(outlives.int64_value(&[-1]), 1);
    }
}
