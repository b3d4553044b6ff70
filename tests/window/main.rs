//! Drives the window by accessible names, as a person (or a screen reader) finds things, and compares
//! pictures of each place in both themes.
//!
//! Pictures need a Vulkan adapter; Mesa's lavapipe is enough. `UPDATE_SNAPSHOTS=1 cargo test` renews them.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests make files and threads of their own, and print"
)]
#![expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod charts;
mod clear;
mod data;
mod desk;
mod export;
#[path = "../views/garments.rs"]
mod garments;
mod glossary;
mod idle;
mod import_deepfashion;
mod import_keras;
mod inspect;
mod inspect_care;
#[path = "../support/keras_project.rs"]
mod keras_project;
mod label;
mod label_ahead;
mod label_care;
mod label_like;
mod label_many;
mod label_menu;
mod label_pictures;
mod label_safe;
mod long_names;
mod model_pictures;
mod models;
mod named_project;
mod new_project;
mod notices;
mod path_field;
mod pictures;
mod predict;
mod quitting;
mod readme_shots;
mod remembered;
mod scripts;
mod shell;
#[path = "../support/skip.rs"]
mod skip;
mod status_bar;
mod stranger;
mod study;
mod tab_order;
mod train;
mod vocabulary;
mod whole_loop;
mod zoomed;
