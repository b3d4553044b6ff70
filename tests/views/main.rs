//! The Train and Predict places as a user meets them: driven by accessible names, and as pictures in
//! both themes.

#![expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod predict;
mod stage;
mod train;
mod widgets;
