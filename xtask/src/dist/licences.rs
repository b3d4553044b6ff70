//! The licences of what is packed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::Packages;
use super::tools::{output, succeed};
use crate::platform::{Platform, VERSION as LIBTORCH};
use crate::setup::workspace;
use crate::{openvino, weights};

/// The list of all crates with the text of their licences, written by `cargo about` and kept in `folder`.
///
/// # Errors
/// It is not installed, or a crate is under a licence that `about.toml` does not accept.
pub fn of_crates(platform: Platform, folder: &Path) -> Result<String> {
    let workspace = workspace()?;
    let ours = workspace.join("xtask").join("dist");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let is_there =
        Command::new(&cargo).args(["about", "--version"]).output().is_ok_and(|out| out.status.success());
    if !is_there {
        bail!(
            "`cargo about` is missing, which lists the licences of all crates: run `cargo install --locked cargo-about \
             --features cli`"
        );
    }
    let target = if platform == Platform::LinuxArm { "aarch64" } else { "x86_64" };
    // Reading all sources takes minutes, so a list is kept for what it follows from.
    let inputs = [workspace.join("Cargo.lock"), ours.join("about.toml"), ours.join("about.hbs")];
    let digest = digest(&inputs)?;
    let kept = folder.join(format!("crates-{target}-{digest}.txt"));
    if let Ok(list) = fs::read_to_string(&kept) {
        return Ok(list);
    }
    println!("Collecting the licences of all crates, which takes some minutes");
    let list = folder.join("crates.partial");
    let mut about = Command::new(cargo);
    // Only what lies on this disk, so that the list follows from Cargo.lock alone.
    about.args(["about", "generate", "--locked", "--offline", "--fail"]);
    about.args(["--target", &format!("{target}-unknown-linux-gnu")]);
    about.arg("--manifest-path").arg(workspace.join("Cargo.toml"));
    about.arg("--config").arg(ours.join("about.toml"));
    about.arg("--output-file").arg(&list).arg(ours.join("about.hbs"));
    succeed(&mut about)?;
    fs::rename(&list, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
    fs::read_to_string(&kept).with_context(|| format!("cannot read {}", kept.display()))
}

/// One digest for all files, shortened.
fn digest(files: &[PathBuf]) -> Result<String> {
    let sums = output("sha256sum", files)?;
    // The names beside the digests depend on where the workspace lies.
    let digests = sums.lines().filter_map(|line| line.split_whitespace().next());
    Ok(digests.map(|digest| digest.get(..8).unwrap_or(digest)).collect::<Vec<_>>().join("-"))
}

/// What is in the packages, whose it is, and under which licence.
pub fn overview(packages: &Packages) -> Result<String> {
    let mut text = format!(
        "What is in this package, and its licences\n\n\
         Tasklens: MIT or Apache-2.0, as you like. See tasklens/.\n\
         The crates that it is built from: MIT, Apache-2.0 and others. See crates.txt.\n\
         libtorch {LIBTORCH}, of PyTorch: BSD-3-Clause, with parts under other licences. See libtorch/.\n\
         The CUDA runtime and CUPTI of NVIDIA (libcudart, libcupti), which libtorch asks for also without a GPU: NVIDIA's \
         licence for redistributable files. See libtorch/.\n\
         GNU OpenMP (libgomp), from libtorch: GPL-3.0 or later with the GCC Runtime Library Exception 3.1. See libgomp/. It is \
         a part of GCC, whose sources are at https://gcc.gnu.org/.\n\
         libjpeg-turbo, within the program: the licence of the Independent JPEG Group and BSD-3-Clause. See libjpeg-turbo/. \
         This software is based in part on the work of the Independent JPEG Group.\n"
    );
    if packages.gpu {
        text += "The CUDA libraries of NVIDIA: their licences for redistributable files. See cuda/.\n";
    }
    if packages.platform == Platform::LinuxX86 {
        writeln!(
            text,
            "OpenVINO {}, with oneTBB and oneDNN: Apache-2.0; hwloc: BSD-3-Clause; parts under other licences. See openvino/.",
            openvino::VERSION
        )?;
    }
    text += "The fonts Inter and Noto Sans: OFL-1.1; the icons of Phosphor: MIT. See fonts/.\n";
    for packed in weights::of_every_setup()? {
        writeln!(
            text,
            "ImageNet weights of {}, converted from the package {}: {}.",
            packed.network, packed.requirement, packed.licence
        )?;
    }
    text += "\nThe text of Apache-2.0 is tasklens/LICENSE-APACHE. Nothing but the program was changed: all libraries are as \
             they were published.\n";
    Ok(text)
}
