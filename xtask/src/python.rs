//! Python is on the machine for `pip`, which knows mirrors, proxies and digests; we also let it read
//! the wheels, which saves compiling an archive library before the first message.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::manifest::{self, Entry};
use crate::platform::Platform;

const UNPACK: &str = include_str!("unpack.py");

/// A Python 3 with pip.
#[derive(Debug)]
pub struct Python {
    program: &'static str,
}

/// What a download is for.
#[derive(Clone, Copy, Debug)]
pub struct Download<'a> {
    /// What the wheels are to run on.
    pub platform: Platform,
    /// Where they go.
    pub folder: &'a Path,
    /// Whether what they require comes, too.
    pub with_dependencies: bool,
    /// How often pip tries anew after a few seconds; `None` is as often as it likes.
    pub retries: Option<u32>,
}

impl Python {
    /// The first of the usual names that is a Python 3.8 or newer.
    pub fn find() -> Option<Self> {
        let check = "import sys, zipfile; sys.exit(sys.version_info < (3, 8))";
        ["python3", "python"]
            .into_iter()
            .find(|program| quiet(Command::new(program).args(["-c", check])))
            .map(|program| Self { program })
    }

    /// A call of it.
    pub fn command(&self) -> Command {
        Command::new(self.program)
    }

    /// Whether `python3 -m pip` works.
    pub fn has_pip(&self) -> bool {
        quiet(Command::new(self.program).args(["-m", "pip", "--version"]))
    }

    /// Free bytes on the disk that holds `folder`.
    pub fn free_bytes(&self, folder: &Path) -> Result<u64> {
        let code = "import shutil, sys; print(shutil.disk_usage(sys.argv[1]).free)";
        let text = output(Command::new(self.program).args(["-c", code]).arg(folder))?;
        text.trim().parse().with_context(|| format!("python answered `{text}`"))
    }

    /// `pip download` of `requirements`; its progress bar goes to the terminal.
    pub fn download(&self, requirements: &[String], wanted: &Download<'_>) -> Result<()> {
        let &Download { platform, folder, with_dependencies, retries } = wanted;
        let mut pip = Command::new(self.program);
        pip.args(["-m", "pip", "download", "--no-input", "--disable-pip-version-check"]);
        pip.args(["--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11"]);
        for tag in platform.tags() {
            pip.args(["--platform", tag]);
        }
        if let Some(retries) = retries {
            pip.args(["--timeout", "15", "--retries", &retries.to_string()]);
        }
        if !with_dependencies {
            pip.arg("--no-deps");
        }
        // The default folder for temporary files is often a small disk in memory.
        pip.arg("--dest").arg(folder).args(requirements).env("TMPDIR", folder).stdin(Stdio::null());
        let status = pip.status().with_context(|| format!("cannot start {}", self.program))?;
        if !status.success() {
            bail!(
                "pip could not download {}: check the network (proxies: HTTPS_PROXY; mirrors: \
                 PIP_INDEX_URL) and start again; what is complete is kept",
                requirements.join(", ")
            );
        }
        Ok(())
    }

    /// The names of the files in a wheel.
    pub fn list(&self, wheel: &Path) -> Result<Vec<String>> {
        self.wheel_lines("list", wheel)
    }

    /// The `Requires-Dist` of a wheel.
    pub fn requires(&self, wheel: &Path) -> Result<Vec<String>> {
        self.wheel_lines("requires", wheel)
    }

    fn wheel_lines(&self, mode: &str, wheel: &Path) -> Result<Vec<String>> {
        let text = output(
            Command::new(self.program).args([OsStr::new("-c"), UNPACK.as_ref(), mode.as_ref()]).arg(wheel),
        )?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Unpacks `files` (name in the wheel, path under `folder`), each checked against its digest.
    pub fn unpack(&self, wheel: &Path, files: &[(String, PathBuf)], folder: &Path) -> Result<Vec<Entry>> {
        let mut lines = String::new();
        for (name, path) in files {
            // Forward slashes work everywhere, and make manifests of all systems alike.
            let path = path.to_string_lossy().replace('\\', "/");
            lines += &format!("{name}\t{path}\n");
        }
        let mut child = Command::new(self.program)
            .args(["-c", UNPACK, "unpack"])
            .args([wheel, folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program))?;
        let mut stdin = child.stdin.take().context("no pipe to python")?;
        stdin.write_all(lines.as_bytes()).context("python ended early")?;
        drop(stdin);
        let out = child.wait_with_output()?;
        if !out.status.success() {
            bail!("cannot unpack {}", wheel.display());
        }
        manifest::parse(&String::from_utf8_lossy(&out.stdout).replace('\r', ""))
    }
}

/// Whether a command can be started and succeeds, without a word on the terminal.
pub fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn output(command: &mut Command) -> Result<String> {
    let out =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {command:?}"))?;
    if !out.status.success() {
        bail!("`{}` failed", command.get_program().to_string_lossy());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
