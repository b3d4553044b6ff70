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

/// Whether the program came in a package, which brings its libraries with it: whoever has it has nothing to set up, and no
/// cargo.
pub fn is_packaged() -> bool {
    package().is_some_and(|folder| folder.join("libtorch").join("lib").is_dir())
}

/// Where libraries and weights that are missing come from, as the beginning of "... them": a message for window and command
/// line.
pub fn what_brings() -> &'static str {
    what_brings_to(is_packaged())
}

fn what_brings_to(is_packaged: bool) -> &'static str {
    match is_packaged {
        true => "installing the package of Tasklens again brings",
        false => "the set-up of Tasklens fetches",
    }
}

/// The temporary folder if there is no home folder.
fn of(folder: impl Fn(&ProjectDirs) -> &Path) -> PathBuf {
    match ProjectDirs::from("", "", "tasklens") {
        Some(folders) => folder(&folders).to_path_buf(),
        None => std::env::temp_dir().join("tasklens"),
    }
}
