//! Set-up: system packages, then libtorch, then the link through which cargo finds it; OpenVINO and weights, if they
//! can be had.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::libtorch::{self, Libtorch};
use crate::platform::{self, Platform};
use crate::python::Python;
use crate::{openvino, system, weights};

/// What is wanted besides what every set-up brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// The CUDA libraries.
    pub gpu: bool,
    /// The ImageNet weights of the network with this name.
    pub weights: Option<String>,
}

/// Makes the machine ready to build, and says what it did. Does nothing where nothing is missing.
pub fn run(extra: &Extra) -> Result<Libtorch> {
    let gpu = extra.gpu;
    let asked = extra.weights.as_deref();
    asked.map(weights::check_name).transpose()?;
    let platform = Platform::here()?;
    let link = workspace()?.join("target").join("libtorch");
    let given = given_by_user(env::var_os("LIBTORCH").map(PathBuf::from), &link);
    system::ensure(given.is_none() && !libtorch::is_complete(platform, gpu)?)?;
    let libtorch = match given {
        Some(_) if gpu => {
            bail!("--gpu: LIBTORCH is set, so the CUDA libraries of that libtorch are used; unset it first")
        }
        Some(root) => libtorch::given(root, platform)?,
        None => libtorch::ensure(platform, gpu, python).context(
            "libtorch is not there yet; one that you have can be named in the environment variable LIBTORCH",
        )?,
    };
    libtorch::link(&libtorch.root, &link)?;
    openvino::ensure(platform, python)?;
    weights::ensure(asked, platform, python)?;
    Ok(libtorch)
}

/// What a user who ran only the set-up can do next.
pub fn say_what_next(libtorch: &Libtorch) {
    println!("libtorch {}: {}", platform::VERSION, libtorch.root.display());
    if let Ok(Some(folder)) = Platform::here().and_then(openvino::found) {
        println!("OpenVINO {}: {}", openvino::VERSION, folder.display());
    }
    if let Ok((folder, found)) = weights::found()
        && !found.is_empty()
    {
        println!("ImageNet weights of {}: {}", found.join(", "), folder.display());
    }
    println!("Ready: `cargo xtask run` starts Tasklens; plain `cargo build` and `cargo test` work, too.");
}

/// The folder of the workspace.
pub fn workspace() -> Result<PathBuf> {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(xtask.parent().context("xtask lies in no workspace")?.to_path_buf())
}

/// `LIBTORCH`, if it is the user's: cargo sets it to `link` for us (`.cargo/config.toml`), unless it
/// was set already.
fn given_by_user(libtorch: Option<PathBuf>, link: &Path) -> Option<PathBuf> {
    libtorch.filter(|path| !path.as_os_str().is_empty() && path != link)
}

fn python() -> Result<Python> {
    let python = Python::find().context(
        "Python 3.8 or newer with pip is needed to fetch it: install it (python.org, or your system's package \
         `python3`)",
    )?;
    if !python.has_pip() {
        bail!(
            "python3 has no pip: install your system's package `python3-pip`, or run `python3 -m ensurepip`"
        );
    }
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_sets_for_us_is_not_taken_for_the_users_choice() {
        let link = Path::new("/src/tasklens/target/libtorch");
        assert_eq!(given_by_user(Some(link.to_path_buf()), link), None);
        assert_eq!(given_by_user(Some(PathBuf::new()), link), None);
        assert_eq!(given_by_user(None, link), None);
        let own = PathBuf::from("/opt/libtorch");
        assert_eq!(given_by_user(Some(own.clone()), link), Some(own));
    }
}
