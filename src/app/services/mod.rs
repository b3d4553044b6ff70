//! What the app owns and lends to its places: the open project with its label edits and runs, networks, background
//! work, pictures, settings.

pub mod current_model;
pub(in crate::app) mod derived;
pub(in crate::app) mod device;
pub mod figure;
pub mod jobs;
pub mod label_edits;
pub(in crate::app) mod open;
pub mod predictors;
pub mod project;
pub mod remembered_view;
pub mod report;
pub mod runs;
pub mod settings;
pub(in crate::app) mod settings_writer;
pub(in crate::app) mod settling;
pub mod thumbnails;
