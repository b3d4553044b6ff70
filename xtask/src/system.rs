//! What the system must bring: a C++ compiler to build, graphics libraries to open the window, and
//! software drivers to draw the pictures of the tests.
//!
//! Where we may (root on Debian, Ubuntu and kin) the missing packages are installed; elsewhere the one
//! command that does it is printed, and only a missing compiler ends the set-up.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::python::{Python, quiet};

/// What a missing package keeps from working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Build,
    Window,
    Tests,
}

/// How to see that a package is there, whoever installed it.
#[derive(Clone, Copy, Debug)]
enum Probe {
    /// A program that answers `--version` (or `-help`).
    Program(&'static str, &'static str),
    /// A library that the dynamic linker knows.
    Library(&'static str),
    /// A file in one of these folders whose name begins like this.
    File(&'static [(&'static str, &'static str)]),
    /// Python's pip, where libtorch has to be fetched.
    Pip,
}

/// Debian's name, what it is for, and how to see it.
struct Package(&'static str, Need, Probe);

/// Mesa's software renderer, under its newer and its older name.
const MESA: Probe = Probe::File(&[
    ("/usr/lib/x86_64-linux-gnu", "libgallium"),
    ("/usr/lib/aarch64-linux-gnu", "libgallium"),
    ("/usr/lib64", "libgallium"),
    ("/usr/lib", "libgallium"),
    ("/usr/lib/x86_64-linux-gnu/dri", "swrast_dri"),
    ("/usr/lib/aarch64-linux-gnu/dri", "swrast_dri"),
    ("/usr/lib64/dri", "swrast_dri"),
    ("/usr/lib/dri", "swrast_dri"),
]);
const LAVAPIPE: Probe = Probe::File(&[("/usr/share/vulkan/icd.d", "lvp_icd")]);

const PACKAGES: &[Package] = &[
    Package("g++", Need::Build, Probe::Program("c++", "--version")),
    // For libjpeg-turbo.
    Package("cmake", Need::Build, Probe::Program("cmake", "--version")),
    Package("nasm", Need::Build, Probe::Program("nasm", "-v")),
    Package("python3-pip", Need::Build, Probe::Pip),
    // eframe opens these by name when the window does.
    Package("libgl1", Need::Window, Probe::Library("libGL.so.1")),
    Package("libegl1", Need::Window, Probe::Library("libEGL.so.1")),
    Package("libgl1-mesa-dri", Need::Window, MESA),
    Package("libx11-6", Need::Window, Probe::Library("libX11.so.6")),
    Package("libx11-xcb1", Need::Window, Probe::Library("libX11-xcb.so.1")),
    Package("libxcursor1", Need::Window, Probe::Library("libXcursor.so.1")),
    Package("libxi6", Need::Window, Probe::Library("libXi.so.6")),
    Package("libxrandr2", Need::Window, Probe::Library("libXrandr.so.2")),
    Package("libxkbcommon0", Need::Window, Probe::Library("libxkbcommon.so.0")),
    Package("libxkbcommon-x11-0", Need::Window, Probe::Library("libxkbcommon-x11.so.0")),
    Package("libwayland-client0", Need::Window, Probe::Library("libwayland-client.so.0")),
    Package("libwayland-egl1", Need::Window, Probe::Library("libwayland-egl.so.1")),
    Package("xvfb", Need::Tests, Probe::Program("Xvfb", "-help")),
    Package("libvulkan1", Need::Tests, Probe::Library("libvulkan.so.1")),
    Package("mesa-vulkan-drivers", Need::Tests, LAVAPIPE),
];

/// Installs what is missing, or says what to run. `fetch` tells whether libtorch has to be fetched.
pub fn ensure(fetch: bool) -> Result<()> {
    match std::env::consts::OS {
        "linux" => ensure_on_linux(fetch),
        "macos" if !quiet(Command::new("c++").arg("--version")) => {
            bail!("a C++ compiler is needed: run `xcode-select --install`")
        }
        // On Windows, Rust itself is installed with the compiler that we need.
        _ => Ok(()),
    }
}

fn ensure_on_linux(fetch: bool) -> Result<()> {
    let missing = missing(fetch);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|package| package.0).collect();
    let debian = Path::new("/etc/debian_version").exists() && quiet(Command::new("apt-get").arg("--version"));
    if debian && is_root() {
        println!("Installing {}", names.join(" "));
        apt(&["update"])?;
        let mut install = vec!["install", "--yes", "--no-install-recommends"];
        install.extend(&names);
        return apt(&install);
    }
    let lost = |need| missing.iter().any(|package| package.1 == need);
    let mut message = String::from("some system packages are missing");
    if lost(Need::Window) {
        message += "; without them the window may not open";
    }
    if lost(Need::Tests) {
        message += "; without them the tests that draw pictures may fail";
    }
    let advice = match (debian, quiet(Command::new("dnf").arg("--version"))) {
        (true, _) => format!("Run: sudo apt-get install {}", names.join(" ")),
        (false, true) => format!("Run: sudo dnf install {}", dnf(&missing).join(" ")),
        (false, false) => format!("Install what Debian calls: {}", names.join(" ")),
    };
    if lost(Need::Build) {
        bail!("{message}; without them nothing can be built.\n{advice}");
    }
    eprintln!("warning: {message}.\n{advice}");
    Ok(())
}

fn missing(fetch: bool) -> Vec<&'static Package> {
    let libraries = ["/sbin/ldconfig", "/usr/sbin/ldconfig", "ldconfig"]
        .iter()
        .find_map(|program| Command::new(program).arg("-p").output().ok())
        .map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
        .unwrap_or_default();
    let mut missing: Vec<_> = PACKAGES
        .iter()
        .filter(|package| fetch || !matches!(package.2, Probe::Pip))
        .filter(|package| !present(package.2, &libraries))
        .collect();
    if !missing.is_empty() {
        // What Debian has is there even if a probe looked elsewhere; pip must be that of our Python.
        let installed = installed_debs();
        missing.retain(|package| {
            matches!(package.2, Probe::Pip) || !installed.iter().any(|name| name == package.0)
        });
    }
    missing
}

fn present(probe: Probe, libraries: &str) -> bool {
    match probe {
        Probe::Program(program, argument) => quiet(Command::new(program).arg(argument)),
        // A line of `ldconfig -p` is `<tab>libGL.so.1 (libc6,x86-64) => /usr/lib/...`.
        Probe::Library(name) => libraries.lines().any(|line| line.split_whitespace().next() == Some(name)),
        Probe::File(places) => places.iter().any(|(folder, start)| {
            let names = fs::read_dir(folder).into_iter().flatten().flatten();
            names.into_iter().any(|item| item.file_name().to_string_lossy().starts_with(start))
        }),
        Probe::Pip => Python::find().is_some_and(|python| python.has_pip()),
    }
}

fn installed_debs() -> Vec<String> {
    let out = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(PACKAGES.iter().map(|package| package.0))
        .stderr(Stdio::null())
        .output();
    let Ok(out) = out else { return Vec::new() };
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .map(str::to_owned)
        .collect()
}

/// dnf installs by what a package provides, so that no second list of names is needed.
fn dnf(missing: &[&Package]) -> Vec<String> {
    missing
        .iter()
        .map(|Package(name, _, probe)| match probe {
            Probe::Library(library) => format!("'{library}()(64bit)'"),
            Probe::Program("c++", _) => "gcc-c++".to_owned(),
            Probe::Program("Xvfb", _) => "xorg-x11-server-Xvfb".to_owned(),
            _ if *name == "libgl1-mesa-dri" => "mesa-dri-drivers".to_owned(),
            _ => (*name).to_owned(),
        })
        .collect()
}

pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

fn apt(args: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(["-q", "-o", "Dpkg::Use-Pty=0"])
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()
        .context("cannot start apt-get")?;
    if status.success() {
        return Ok(());
    }
    bail!("`apt-get {}` failed: run it yourself to see why, then start again", args.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_known_by_its_whole_name() {
        let listing = "3 libs found in cache\n\tlibGL.so.1 (libc6,x86-64) => /usr/lib/libGL.so.1\n\
                       \tlibGLX.so.0 (libc6,x86-64) => /usr/lib/libGLX.so.0\n";
        assert!(present(Probe::Library("libGL.so.1"), listing));
        assert!(!present(Probe::Library("libGLX.so"), listing));
        assert!(!present(Probe::Library("libEGL.so.1"), listing));
    }

    #[test]
    fn dnf_is_asked_for_libraries_by_what_they_provide() {
        let wanted: Vec<_> =
            PACKAGES.iter().filter(|package| ["g++", "libgl1"].contains(&package.0)).collect();
        assert_eq!(dnf(&wanted), ["gcc-c++", "'libGL.so.1()(64bit)'"]);
    }
}
