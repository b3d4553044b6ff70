//! What differs between operating systems and processors: wheel tags, cache folder, library names.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// The version of libtorch that our version of tch is made for.
pub const VERSION: &str = "2.11.0";

/// A machine that libtorch is published for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    LinuxX86,
    LinuxArm,
    MacArm,
    WindowsX86,
}

impl Platform {
    /// The machine that we run on.
    pub fn here() -> Result<Self> {
        match (env::consts::OS, env::consts::ARCH) {
            ("linux", "x86_64") => Ok(Self::LinuxX86),
            ("linux", "aarch64") => Ok(Self::LinuxArm),
            ("macos", "aarch64") => Ok(Self::MacArm),
            ("windows", "x86_64") => Ok(Self::WindowsX86),
            (os, arch) => bail!(
                "libtorch {VERSION} is not published for {os} on {arch}: build it, put its folder into the \
                 environment variable LIBTORCH, and start again"
            ),
        }
    }

    /// Part of the names of folders in the cache.
    pub fn name(self) -> &'static str {
        match self {
            Self::LinuxX86 => "linux-x86_64",
            Self::LinuxArm => "linux-aarch64",
            Self::MacArm => "macos-arm64",
            Self::WindowsX86 => "windows-x86_64",
        }
    }

    /// The wheel tags that fit, newest first.
    pub fn tags(self) -> &'static [&'static str] {
        match self {
            Self::LinuxX86 => &[
                "manylinux_2_28_x86_64",
                "manylinux_2_27_x86_64",
                "manylinux_2_25_x86_64",
                "manylinux_2_18_x86_64",
                "manylinux_2_17_x86_64",
                "manylinux2014_x86_64",
            ],
            Self::LinuxArm => &[
                "manylinux_2_28_aarch64",
                "manylinux_2_27_aarch64",
                "manylinux_2_25_aarch64",
                "manylinux_2_18_aarch64",
                "manylinux_2_17_aarch64",
                "manylinux2014_aarch64",
            ],
            Self::MacArm => &["macosx_11_0_arm64"],
            Self::WindowsX86 => &["win_amd64"],
        }
    }

    pub fn is_linux(self) -> bool {
        matches!(self, Self::LinuxX86 | Self::LinuxArm)
    }

    /// The library that tells a libtorch folder from any other, relative to it.
    pub fn main_library(self) -> &'static str {
        match self {
            Self::LinuxX86 | Self::LinuxArm => "lib/libtorch_cpu.so",
            Self::MacArm => "lib/libtorch_cpu.dylib",
            Self::WindowsX86 => "lib/torch_cpu.dll",
        }
    }
}

/// The per-user folder for what can be fetched again.
pub fn cache() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let found = match env::consts::OS {
        "windows" => set("LOCALAPPDATA"),
        "macos" => set("HOME").map(|home| home.join("Library/Caches")),
        _ => set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache"))),
    };
    let base = found.context("no cache folder: the environment variable HOME is not set")?;
    Ok(base.join("tasklens"))
}
