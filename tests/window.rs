//! Drives the window by accessible names, as a person (or a screen reader) finds things, and compares
//! pictures of each place in both themes.
//!
//! Pictures need a Vulkan adapter; Mesa's lavapipe is enough. `UPDATE_SNAPSHOTS=1 cargo test` renews them.

#![expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

#[path = "window/data.rs"]
mod data;
#[path = "window/desk.rs"]
mod desk;
#[path = "window/export.rs"]
mod export;
#[path = "views/garments.rs"]
mod garments;
#[path = "window/inspect.rs"]
mod inspect;
#[path = "window/inspect_care.rs"]
mod inspect_care;
#[path = "window/label.rs"]
mod label;
#[path = "window/label_ahead.rs"]
mod label_ahead;
#[path = "window/label_care.rs"]
mod label_care;
#[path = "window/label_pictures.rs"]
mod label_pictures;
#[path = "window/label_safe.rs"]
mod label_safe;
#[path = "window/new_project.rs"]
mod new_project;
#[path = "window/pictures.rs"]
mod pictures;
#[path = "window/shell.rs"]
mod shell;
#[path = "support/skip.rs"]
mod skip;
#[path = "window/stranger.rs"]
mod stranger;
#[path = "window/train.rs"]
mod train;
#[path = "window/vocabulary.rs"]
mod vocabulary;
#[path = "window/whole_loop.rs"]
mod whole_loop;
