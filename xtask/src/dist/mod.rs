//! `cargo xtask dist`: what a user without Rust or Python installs, a Debian package and an archive that runs from any
//! folder.
//!
//! Both hold the same folder: the program, and beside it libtorch, OpenVINO and ImageNet weights, where it looks for
//! them. Debian's own `dpkg-deb` and `tar` pack it: unlike cargo-deb, they take files from the per-user cache as they
//! are, add nothing that has to be compiled, and give the same bytes for the same files.

mod archive;
mod check;
mod contents;
mod debian;
mod licences;
mod program;
mod stage;
#[cfg(test)]
mod tests;
mod tools;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};

use crate::libtorch::Libtorch;
use crate::platform::Platform;
use crate::setup::{self, workspace};
use tools::{Needed, output};

/// The version in `Cargo.toml`, which is that of the whole workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is wanted of `dist`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// With the CUDA libraries.
    pub gpu: bool,
    /// Try the packages that are there instead of making them.
    pub check: bool,
    /// A finished `tasklens` to pack instead of building one.
    pub binary: Option<PathBuf>,
}

/// Makes the packages, or tries those that were made.
pub fn run(options: &Options) -> Result<()> {
    let platform = Platform::here()?;
    ensure!(
        platform.is_linux(),
        "packages are made for Linux only; on macOS and Windows, `cargo xtask run` builds and starts Tasklens"
    );
    let packages = Packages::of(platform, options.gpu)?;
    if options.check {
        return check::run(&packages);
    }
    tools::ensure(&[
        Needed("strip", "binutils"),
        Needed("readelf", "binutils"),
        Needed("patchelf", "patchelf"),
        Needed("tar", "tar"),
        Needed("zstd", "zstd"),
        Needed("gzip", "gzip"),
        Needed("dpkg-deb", "dpkg"),
        Needed("dpkg-shlibdeps", "dpkg-dev"),
    ])?;
    let libtorch = setup::run(&setup::Extra { gpu: options.gpu, weights: None })?;
    make(&packages, &libtorch, options)
}

fn make(packages: &Packages, libtorch: &Libtorch, options: &Options) -> Result<()> {
    let time = time_of_source()?;
    let work = packages.folder.join("work");
    tools::remove_folder(&work)?;
    fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
    let program = program::prepare(libtorch, options.binary.as_deref(), &work)?;
    let app = contents::app(&program, libtorch, packages)?;
    let papers =
        contents::papers(libtorch, packages, &licences::of_crates(packages.platform, &packages.folder)?)?;

    println!("Packing {}", packages.archive.display());
    let folder = work.join(packages.stem());
    stage::write(&folder, &contents::for_archive(&app, &papers, packages)?, time)?;
    archive::pack(&folder, &packages.archive, time)?;
    tools::remove_folder(&folder)?;

    println!("Packing {}", packages.deb.display());
    let root = work.join("debian");
    stage::write(&root, &contents::for_debian(&app, &papers)?, time)?;
    let depends = debian::dependencies(&root, &work)?;
    debian::pack(&root, &debian::Package { packages, depends: &depends }, time)?;
    tools::remove_folder(&work)?;
    for file in [&packages.deb, &packages.archive] {
        println!("{}", packages.line(file)?);
    }
    if debian::MAINTAINER.ends_with(".example>") {
        println!(
            "note: before a release, set MAINTAINER in xtask/src/dist/debian.rs; {} is a placeholder",
            debian::MAINTAINER
        );
    }
    println!(
        "`cargo xtask dist --check{}` tries them in a bare Debian 12",
        if options.gpu { " --gpu" } else { "" }
    );
    Ok(())
}

/// The files that are made.
#[derive(Debug)]
struct Packages {
    platform: Platform,
    gpu: bool,
    /// The folder of all of this, `target/dist`.
    folder: PathBuf,
    deb: PathBuf,
    archive: PathBuf,
}

impl Packages {
    fn of(platform: Platform, gpu: bool) -> Result<Self> {
        let folder = workspace()?.join("target").join("dist");
        let mut packages = Self { platform, gpu, deb: PathBuf::new(), archive: PathBuf::new(), folder };
        packages.deb =
            packages.folder.join(format!("{}_{VERSION}_{}.deb", packages.name(), packages.architecture()));
        packages.archive = packages.folder.join(format!("{}.tar.zst", packages.stem()));
        Ok(packages)
    }

    /// Of the Debian package.
    fn name(&self) -> &'static str {
        if self.gpu { "tasklens-gpu" } else { "tasklens" }
    }

    /// The archive without its ending, and the folder in it.
    fn stem(&self) -> String {
        format!("{}-{VERSION}-{}", self.name(), self.platform.name())
    }

    /// As Debian calls it.
    fn architecture(&self) -> &'static str {
        if self.platform == Platform::LinuxArm { "arm64" } else { "amd64" }
    }

    /// A file with its size and digest, such as stands beside a download.
    fn line(&self, file: &Path) -> Result<String> {
        let bytes = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
        let sum = output("sha256sum", [file.as_os_str()])?;
        let sum = sum.split_whitespace().next().unwrap_or_default().to_owned();
        Ok(format!("{} ({:.0} MB)\n  SHA-256 {sum}", file.display(), bytes as f64 / 1e6))
    }
}

/// The time that all packed files get: that of the commit, or what `SOURCE_DATE_EPOCH` says.
fn time_of_source() -> Result<SystemTime> {
    let seconds = match env::var("SOURCE_DATE_EPOCH") {
        Ok(given) => given,
        Err(_) => {
            let workspace = workspace()?;
            let folder = workspace.to_str().context("the path of the workspace is no text")?;
            output("git", ["-C", folder, "log", "-1", "--format=%ct"])
                .context("without git, SOURCE_DATE_EPOCH has to say of which time the packed files are")?
        }
    };
    let seconds = seconds.trim();
    match seconds.parse() {
        Ok(seconds) => Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        Err(_) => bail!("`{seconds}` is no count of seconds since 1970"),
    }
}

/// Seconds since 1970, as `tar` and `dpkg-deb` want it.
fn seconds(time: SystemTime) -> Result<u64> {
    Ok(time.duration_since(SystemTime::UNIX_EPOCH).context("the time is before 1970")?.as_secs())
}
