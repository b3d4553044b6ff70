//! Finds the OpenVINO that the set-up has fetched, and loads it once.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use openvino::Core;
use parking_lot::Mutex;
use tasklens_data::{panics, user_folders};

use super::version;
use crate::device::gate;

/// The file through which the others are loaded, in `lib` of the folder; behind it comes the version.
const LIBRARY: &str = "libopenvino_c.so.";
/// Names another folder that holds `lib`; empty to do without OpenVINO.
pub const VARIABLE: &str = "TASKLENS_OPENVINO";

/// Why there is no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEngine {
    /// The set-up does not bring it to such a system.
    #[error("OpenVINO does not come for this system")]
    Unserved,
    /// The user wants none.
    #[error("the environment variable {VARIABLE} is empty, which turns OpenVINO off")]
    TurnedOff,
    /// It is not installed.
    #[error("OpenVINO is not in {}", .0.display())]
    Missing(PathBuf),
    /// It is installed, and does not work.
    #[error("OpenVINO does not work: {0}")]
    Broken(String),
}

/// The loaded library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its version, such as `2026.4.1`.
    pub version: String,
    /// The file.
    pub library: PathBuf,
}

pub(super) struct OpenVino {
    /// What compiles networks, one at a time.
    pub core: Mutex<Core>,
    pub installed: Installed,
}

/// The library, loaded with the first call, which takes some tens of milliseconds; or why there is none, which the
/// first call also logs.
pub(super) fn get() -> Result<&'static OpenVino, &'static NoEngine> {
    static LOADED: OnceLock<Result<OpenVino, NoEngine>> = OnceLock::new();
    LOADED
        .get_or_init(|| {
            let loaded = load();
            match &loaded {
                Ok(OpenVino { installed: Installed { version, library }, .. }) => {
                    log::info!("OpenVINO {version} is at hand for predictions: {}", library.display());
                }
                Err(why @ NoEngine::Broken(_)) => log::warn!("{why}; libtorch predicts, more slowly"),
                Err(why) => log::info!("{why}; libtorch predicts"),
            }
            loaded
        })
        .as_ref()
}

fn load() -> Result<OpenVino, NoEngine> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let library = find(named.as_deref(), &usual_folders())?;
    let broken = |why: String| NoEngine::Broken(format!("{}: {why}", library.display()));
    let _inside = gate::enter();
    openvino_sys::library::load_from(library.clone()).map_err(broken)?;
    // The binding panics where a function is missing.
    let started = panics::catch(|| Core::new().map(|core| (core, openvino::version().build_number)));
    let (core, build) = started.map_err(broken)?.map_err(|error| broken(error.to_string()))?;
    // `2026.4.1-22982-...`.
    let version = build.split('-').next().unwrap_or(&build).to_owned();
    Ok(OpenVino { core: Mutex::new(core), installed: Installed { version, library } })
}

fn find(named: Option<&Path>, usual: &[PathBuf]) -> Result<PathBuf, NoEngine> {
    let folders = match named {
        Some(folder) if folder.as_os_str().is_empty() => return Err(NoEngine::TurnedOff),
        Some(folder) => &[folder.to_path_buf()],
        None => usual,
    };
    let found = folders.iter().find_map(|folder| library_in(&folder.join("lib")));
    let is_served = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    found.ok_or_else(|| match folders.last() {
        Some(folder) if is_served || named.is_some() => NoEngine::Missing(folder.join("lib")),
        _ => NoEngine::Unserved,
    })
}

/// Beside the program, as in a package, and in the cache, where the set-up puts it.
fn usual_folders() -> Vec<PathBuf> {
    let beside = user_folders::package().map(|folder| folder.join("openvino"));
    let cached = user_folders::cache().map(|cache| cache.join(version::folder_name()));
    beside.into_iter().chain(cached).collect()
}

fn library_in(folder: &Path) -> Option<PathBuf> {
    let mut files = folder.read_dir().ok()?.filter_map(|file| Some(file.ok()?.path()));
    files.find(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(LIBRARY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_known_by_its_name_whatever_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let usual = [folder.join("nowhere"), folder.to_path_buf()];
        std::fs::create_dir(folder.join("lib")).unwrap();
        std::fs::File::create(folder.join("lib/libopenvino.so.2641")).unwrap();
        assert_eq!(find(Some(folder), &[]), Err(NoEngine::Missing(folder.join("lib"))));
        let library = folder.join("lib/libopenvino_c.so.2641");
        std::fs::File::create(&library).unwrap();
        assert_eq!(find(Some(folder), &[]), Ok(library.clone()));
        assert_eq!(find(None, &usual), Ok(library));
        assert_eq!(find(Some(Path::new("")), &usual), Err(NoEngine::TurnedOff));
        assert!(find(Some(&folder.join("nowhere")), &usual).is_err(), "who names a folder wants no other");
    }
}
