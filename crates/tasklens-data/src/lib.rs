//! A project on disk, read and written without loss: configs, tables, label edits, images and downloads. Nothing here
//! depends on tensors or the window.
//!
//! ```text
//! dataset -> images -> {config, download} -> files
//! ```

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files and threads of their own"))]

pub mod config;
pub mod dataset;
pub mod download;
pub mod files;
pub mod images;
pub mod panics;
pub mod parquet_file;
pub mod text;
pub mod unicode;
pub mod user_folders;
pub mod work;
