//! The folders of this user in which the program keeps things of its own, as the system has them.

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

/// What can be fetched or made again; `None` where this user has no home folder.
pub fn cache() -> Option<PathBuf> {
    Some(ProjectDirs::from("", "", "tasklens")?.cache_dir().to_path_buf())
}

/// The temporary folder where there is no home.
fn of(folder: impl Fn(&ProjectDirs) -> &Path) -> PathBuf {
    match ProjectDirs::from("", "", "tasklens") {
        Some(folders) => folder(&folders).to_path_buf(),
        None => std::env::temp_dir().join("tasklens"),
    }
}
