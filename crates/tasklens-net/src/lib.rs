//! The networks: what they are made of, how they learn and predict, how they help with labels, and how good they are.
//! Nothing here knows a window.
//!
//! ```text
//! {evaluation, labelling} -> training -> inference -> model -> device
//! ```

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files and threads of their own"))]

pub mod device;
pub mod evaluation;
pub mod inference;
pub mod labelling;
pub mod model;
pub mod training;
