//! The networks: architectures, training, prediction, help with labelling, and evaluation. Nothing here depends on
//! the window.
//!
//! ```text
//! study -> {evaluation, labelling} -> training -> inference -> model -> device
//! ```

pub mod device;
pub mod evaluation;
pub mod inference;
pub mod labelling;
pub mod model;
pub mod study;
pub mod training;
