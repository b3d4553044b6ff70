//! Programs of the system that packing and checking need.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// A program, and Debian's package that has it.
#[derive(Clone, Copy, Debug)]
pub struct Needed(pub &'static str, pub &'static str);

/// Says which programs are missing, all at once.
///
/// # Errors
/// One is.
pub fn ensure(needed: &[Needed]) -> Result<()> {
    let missing: Vec<_> = needed.iter().filter(|Needed(program, _)| !has(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = missing.iter().map(|needed| needed.1).collect();
    packages.dedup();
    let programs: Vec<_> = missing.iter().map(|needed| needed.0).collect();
    bail!("{} missing. Install: {}", programs.join(", "), packages.join(" "))
}

/// Whether the program can be found.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(Into::into);
    std::env::split_paths(&path).chain(usual).any(|folder| folder.join(program).is_file())
}

/// Runs a program to its end.
///
/// # Errors
/// It cannot be started, or it fails.
pub fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{command:?} failed ({status})") }
}

/// What a program writes to standard output.
///
/// # Errors
/// It cannot be started, or it fails; the error has what it said.
pub fn output<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Result<String> {
    output_of(Command::new(program).args(arguments))
}

/// What a command writes to standard output.
///
/// # Errors
/// As [`output`].
pub fn output_of(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed ({}):\n{text}{said}", output.status);
    }
    Ok(text)
}

/// Removes a folder with all that is in it, if it is there.
///
/// # Errors
/// It cannot be removed.
pub fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
