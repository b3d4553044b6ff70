//! The per-user folders in which the program keeps its own files, by the conventions of the system, and the folder that
//! it was installed in.

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

/// The folder of the program itself, where a package keeps what comes with it: OpenVINO and ImageNet weights. `None` if
/// the system does not say.
pub fn package() -> Option<PathBuf> {
    // Behind the links that lead to it, such as the one in `/usr/bin`.
    let program = std::env::current_exe().and_then(|program| program.canonicalize()).ok()?;
    Some(program.parent()?.to_path_buf())
}

/// The temporary folder if there is no home folder.
fn of(folder: impl Fn(&ProjectDirs) -> &Path) -> PathBuf {
    match ProjectDirs::from("", "", "tasklens") {
        Some(folders) => folder(&folders).to_path_buf(),
        None => std::env::temp_dir().join("tasklens"),
    }
}
