//! Which network suggests labels.

use std::path::{Path, PathBuf};

use crate::app::services::runs::Runs;

/// Where suggestions come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LabelModel {
    /// None yet: the project has no current model.
    #[default]
    None,
    /// The run in this folder.
    Run(PathBuf),
    /// The backbone with its public weights, in this folder: it suggests nothing until its heads are fitted.
    Base(PathBuf),
    /// No network suggests labels.
    Off,
}

impl LabelModel {
    /// Its name in the menu.
    pub fn name(&self, runs: &Runs) -> String {
        match self {
            Self::None => "No suggestions yet".to_owned(),
            Self::Run(folder) => runs.name_of(folder),
            Self::Base(_) => "ImageNet backbone".to_owned(),
            Self::Off => "No suggestions".to_owned(),
        }
    }

    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Run(path) | Self::Base(path) => Some(path),
            Self::None | Self::Off => None,
        }
    }
}
