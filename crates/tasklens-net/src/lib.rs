//! The networks: architectures, training, prediction, help with labelling, and evaluation. Nothing here depends on
//! the window.
//!
//! ```text
//! study -> {evaluation, labelling, export} -> training -> inference -> onnx -> model -> device
//! ```

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files and threads of their own"))]

pub mod device;
pub mod evaluation;
pub mod export;
pub mod inference;
pub mod labelling;
pub mod model;
pub mod onnx;
pub mod study;
pub mod training;
