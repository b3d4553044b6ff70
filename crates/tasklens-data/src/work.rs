//! What long work needs: cores to spread over, and somebody to tell where it is and to ask whether to go on.

use std::num::NonZero;

/// Told how much is done and of how much; returns whether to go on. The units are those of the work, such as images.
pub type KeepGoing<'a> = dyn FnMut(usize, usize) -> bool + 'a;

/// Cores that this process may use; 1 where the system does not say.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
