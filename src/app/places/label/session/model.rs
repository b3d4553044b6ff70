//! Which network suggests labels.

use std::path::{Path, PathBuf};

/// Where suggestions come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Model {
    /// The newest run that has a model.
    #[default]
    Newest,
    /// This run.
    Run(PathBuf),
    /// The backbone with its public weights: it says nothing by itself, but its heads can learn.
    Base(PathBuf),
    /// None.
    Off,
}

impl Model {
    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Newest => "No suggestions yet".to_owned(),
            Self::Run(folder) => tasklens_net::training::run_folder::name(folder),
            Self::Base(_) => "ImageNet backbone".to_owned(),
            Self::Off => "No suggestions".to_owned(),
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Run(path) | Self::Base(path) => Some(path),
            Self::Newest | Self::Off => None,
        }
    }
}
