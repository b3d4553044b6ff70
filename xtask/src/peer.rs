//! The Python that `bench --peer` measures against, in `target/peer`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::python::Python;
use crate::setup::workspace;

/// Its program, with everything that `benches/peer/requirements.txt` names.
pub fn python() -> Result<PathBuf> {
    let workspace = workspace()?;
    let requirements = workspace.join("benches/peer/requirements.txt");
    let wanted =
        fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let folder = workspace.join("target/peer");
    let program = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last: what was interrupted is made again.
    let made = folder.join("made.txt");
    if program.is_file() && fs::read(&made).is_ok_and(|made| made == wanted) {
        return Ok(program);
    }
    println!("Fetching PyTorch, OpenVINO and ONNX Runtime for Python into {} (GBs)", folder.display());
    let python = Python::find().context("there is no Python 3.8 or newer")?;
    succeed(python.command().args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(&program);
    succeed(
        pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--requirement"])
            .arg(&requirements),
    )?;
    fs::write(&made, wanted).with_context(|| format!("cannot write {}", made.display()))?;
    Ok(program)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{command:?} failed") }
}
