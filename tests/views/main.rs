//! The Train, Predict and Inspect places as a user meets them: driven by accessible names, and as pictures in
//! both themes.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests make files and threads of their own, and print"
)]
#![expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod garments;
mod inspect_desk;
mod inspect_images;
mod inspect_map;
mod inspect_scores;
mod predict;
mod stage;
mod train;
mod train_charts;
mod train_study;
mod widgets;
