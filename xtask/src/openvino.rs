//! OpenVINO's runtime in the per-user cache: with it, a processor predicts up to four times as fast.
//!
//! The program works without. What cannot be had is a message and no failure, and the next set-up tries again.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::platform::{self, Platform};
use crate::python::{Download, Python};
use crate::{libtorch, manifest, wheels};

// One version for the program, which looks for it, and for us, who fetch it.
#[path = "../../crates/tasklens-net/src/inference/engine/version.rs"]
mod version;

pub use version::VERSION;

/// The folder in the cache; `None` for a machine that the library does not serve.
fn folder(platform: Platform) -> Result<Option<PathBuf>> {
    if platform != Platform::LinuxX86 {
        return Ok(None);
    }
    Ok(Some(platform::cache()?.join(version::folder_name())))
}

/// The folder, if all of it is there.
pub fn found(platform: Platform) -> Result<Option<PathBuf>> {
    Ok(folder(platform)?.filter(|folder| manifest::verify(folder).is_ok()))
}

/// Fetches what is missing; says what cannot be had.
pub fn ensure(platform: Platform, python: impl Fn() -> Result<Python>) -> Result<()> {
    let Some(folder) = folder(platform)? else { return Ok(()) };
    if manifest::verify(&folder).is_ok() {
        return Ok(());
    }
    if let Err(error) = python().and_then(|python| fetch(platform, &python, &folder)) {
        println!(
            "OpenVINO could not be had: {error:#}. Tasklens predicts without it, more slowly; the next set-up tries \
             again"
        );
    }
    Ok(())
}

fn fetch(platform: Platform, python: &Python, folder: &Path) -> Result<()> {
    if env::var("TASKLENS_OFFLINE").is_ok_and(|value| !["", "0"].contains(&value.as_str())) {
        bail!("TASKLENS_OFFLINE forbids the download");
    }
    let cache = folder.parent().context("the folder has no parent")?;
    let _lock = libtorch::lock(cache)?;
    let downloads = cache.join(format!("wheel-openvino-{VERSION}"));
    fs::create_dir_all(&downloads).with_context(|| format!("cannot create {}", downloads.display()))?;
    println!("Fetching OpenVINO {VERSION} for faster predictions (59 MB, Apache-2.0)");
    let wanted = Download { platform, folder: &downloads, with_dependencies: false, retries: Some(1) };
    let built = python
        .download(&[format!("openvino=={VERSION}")], &wanted)
        .and_then(|()| libtorch::build(python, &downloads, (folder, VERSION), wheels::place_openvino));
    // A wheel that was damaged would be so again.
    fs::remove_dir_all(&downloads).with_context(|| format!("cannot remove {}", downloads.display()))?;
    built
}
