//! Which network suggests labels.

use std::path::{Path, PathBuf};

/// Where suggestions come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LabelModel {
    /// The newest run that has a model.
    #[default]
    Newest,
    /// The run in this folder.
    Run(PathBuf),
    /// The backbone with its public weights, in this folder: it suggests nothing until its heads are fitted.
    Base(PathBuf),
    /// No network suggests labels.
    Off,
}

impl LabelModel {
    /// Its name in the menu.
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
