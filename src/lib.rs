//! Tasklens trains one convolutional network that answers several questions about an image at
//! once, labels images, and shows where and why the network is wrong.
//!
//! The crate is one library with two faces: the window ([`app`]) and the command line
//! (`main.rs` and [`cli`]). Dependencies point one way:
//!
//! ```text
//! app, cli -> {evaluation, labelling} -> training -> inference -> {model, images} -> dataset -> config
//! ```
//!
//! Nothing below [`app`] knows egui; nothing but [`model`], [`training`], [`inference`] and
//! [`device`] knows tch.

pub mod app;
pub mod cli;
pub mod config;
pub mod dataset;
pub mod device;
pub mod download;
pub mod evaluation;
pub mod files;
pub mod images;
pub mod inference;
pub mod labelling;
pub mod logging;
pub mod model;
pub mod panics;
pub mod training;
mod unicode;
pub mod user_folders;
