//! What Tasklens uses of libtorch beyond tch: C++ of its own in `cpp/`, behind safe functions.
//!
//! It is compiled on Linux, for processors. Each module has a `can` that says whether its function is there for given
//! tensors; where it is not, callers go on with the operations of libtorch itself, which give the same up to rounding.
//!
//! An exception of C++ ends at the edge of `cpp/` and comes back as a [`tch::TchError`].

#![allow(unsafe_code)] // Calls of C++, in `foreign` and its users.

pub mod adam;
pub mod depthwise;
mod foreign;
pub mod group;
pub mod memory;
pub mod normalisation;
pub mod pooling;
pub mod staging;

pub use foreign::{begin_threads, is_faster, use_instructions};
