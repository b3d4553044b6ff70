//! The networks: what they are made of, how they learn and predict, how they help with labels, and how good they are.
//! Nothing here knows a window.
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
