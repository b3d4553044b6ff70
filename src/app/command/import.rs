//! What the import dialogs ask for.

use std::path::PathBuf;

/// A place on disk that the import of DeepFashion needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportField {
    /// The folder of the download.
    Data,
    /// The dataset config of the Python project.
    Config,
    /// The folder that everything is written into.
    Out,
}

/// What happens with the import dialogs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportCommand {
    /// Ask for a folder or file with the system's dialog.
    Ask(ImportField),
    /// This was chosen.
    Choose(ImportField, PathBuf),
    /// Make a run of a model that Keras saved; where the runs are outside of the project's folder, the user is asked
    /// first.
    Keras(PathBuf),
    /// The same, wherever the runs are.
    BeginKeras(PathBuf),
}
