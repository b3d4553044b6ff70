//! The archive that runs from any folder.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use super::seconds;
use super::tools::succeed;

/// How hard zstd tries.
pub const LEVEL: &str = "12";

/// Packs `folder`, which is also the folder in the archive.
pub fn pack(folder: &Path, archive: &Path, time: SystemTime) -> Result<()> {
    let parent = folder.parent().context("the folder has no parent")?;
    let name = folder.file_name().context("the folder has no name")?;
    let mut tar = Command::new("tar");
    tar.args(["--create", "--format=gnu", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
    tar.arg(format!("--mtime=@{}", seconds(time)?));
    // A window of 128 MiB is the largest that unpackers take without being told. The number of threads makes no difference
    // to the bytes.
    tar.arg(format!("--use-compress-program=zstd -{LEVEL} --long=27 --threads=0 --quiet"));
    tar.arg("--file").arg(archive).arg("--directory").arg(parent).arg(name);
    succeed(tar.env("LC_ALL", "C"))
}
