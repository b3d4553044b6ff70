//! Finds the OpenVINO that the set-up has fetched, and loads it once.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use openvino::Core;
use parking_lot::Mutex;
use tasklens_data::{panics, user_folders};

use super::version;

/// The file through which the others are loaded, in `lib` of the folder; part of its name is the version.
const LIBRARY: &str = "libopenvino_c.so.";
/// Names another folder that holds `lib`; empty to do without OpenVINO.
pub const VARIABLE: &str = "TASKLENS_OPENVINO";

/// The loaded library.
pub(super) struct OpenVino {
    /// What compiles networks, one at a time.
    pub core: Mutex<Core>,
    /// Where it was found.
    pub library: PathBuf,
}

/// The library, loaded with the first call, which takes some tens of milliseconds; or why there is none.
pub(super) fn get() -> Result<&'static OpenVino, &'static str> {
    static LOADED: OnceLock<Result<OpenVino, String>> = OnceLock::new();
    LOADED.get_or_init(load).as_ref().map_err(String::as_str)
}

fn load() -> Result<OpenVino, String> {
    let library = find()?;
    openvino_sys::library::load_from(&library)?;
    // The binding panics where a function is missing.
    let core = panics::catch(Core::new)?.map_err(|error| format!("{} does not start: {error}", library.display()))?;
    log::info!("predictions use {}", library.display());
    Ok(OpenVino { core: Mutex::new(core), library })
}

fn find() -> Result<PathBuf, String> {
    let named = std::env::var_os(VARIABLE);
    if named.as_ref().is_some_and(|folder| folder.is_empty()) {
        return Err(format!("the environment variable {VARIABLE} is empty"));
    }
    let folders = match named {
        Some(folder) => vec![PathBuf::from(folder)],
        None => usual_folders(),
    };
    folders
        .iter()
        .find_map(|folder| library_in(&folder.join("lib")))
        .ok_or_else(|| "OpenVINO is not installed; `cargo xtask setup` fetches it".to_owned())
}

/// Beside the program, as in a package, and in the cache, where the set-up puts it.
fn usual_folders() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent).map(|folder| folder.join("openvino"));
    let cached = user_folders::cache().map(|cache| cache.join(version::folder_name()));
    beside.into_iter().chain(cached).collect()
}

fn library_in(folder: &Path) -> Option<PathBuf> {
    let files = folder.read_dir().ok()?.filter_map(|file| Some(file.ok()?.path()));
    files.into_iter().find(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(LIBRARY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_known_by_its_name_whatever_its_version() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(library_in(folder.path()), None);
        for name in ["libopenvino.so.2641", "libopenvino_c.so.2641"] {
            std::fs::File::create(folder.path().join(name)).unwrap();
        }
        assert_eq!(library_in(folder.path()), Some(folder.path().join("libopenvino_c.so.2641")));
        assert_eq!(library_in(&folder.path().join("nowhere")), None);
    }
}
