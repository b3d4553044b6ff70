//! The per-user folders in which the program keeps its own files, by the conventions of the system.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// Settings and the size of the window.
pub fn config() -> PathBuf {
    of(ProjectDirs::config_dir)
}

/// The sample, logs and reports of crashes.
pub fn data() -> PathBuf {
    of(ProjectDirs::data_dir)
}

/// The cache: what can be fetched or computed again. `None` if this user has no home folder.
pub fn cache() -> Option<PathBuf> {
    Some(ProjectDirs::from("", "", "tasklens")?.cache_dir().to_path_buf())
}

/// The temporary folder if there is no home folder.
fn of(folder: impl Fn(&ProjectDirs) -> &Path) -> PathBuf {
    match ProjectDirs::from("", "", "tasklens") {
        Some(folders) => folder(&folders).to_path_buf(),
        None => std::env::temp_dir().join("tasklens"),
    }
}
