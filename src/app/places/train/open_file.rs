//! Opens a file or folder in the program that the system has for it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// Opens `path`. Blocks until the system's opener has taken over.
///
/// # Errors
/// The opener is missing or has no program for the file.
pub fn open(path: &Path) -> anyhow::Result<()> {
    let opener = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let status = Command::new(opener)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("{} cannot be opened: `{opener}` does not start", path.display()))?;
    // Windows' explorer answers 1 when all went well.
    anyhow::ensure!(
        status.success() || opener == "explorer",
        "{} cannot be opened: the system has no program for it",
        path.display()
    );
    Ok(())
}
