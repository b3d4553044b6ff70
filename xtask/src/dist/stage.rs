//! The folder that is packed: files whose names, contents, modes and times follow from what is packed alone.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};

use super::seconds;
use super::tools::succeed;

/// Where a file has its content from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file.
    Copy(PathBuf),
    /// A file that is to be run.
    Program(PathBuf),
    /// A text.
    Text(String),
    /// A link to this path.
    Link(String),
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its path in the package, with forward slashes.
    pub to: String,
    pub content: Content,
}

impl Item {
    pub fn new(to: impl Into<String>, content: Content) -> Self {
        Self { to: to.into(), content }
    }

    /// The same file in a folder.
    pub fn within(&self, folder: &str) -> Self {
        Self { to: format!("{folder}/{}", self.to), content: self.content.clone() }
    }
}

/// Writes all files into `root`, which must not be there yet.
///
/// # Errors
/// One cannot be read or written, or two have one path.
pub fn write(root: &Path, items: &[Item], time: SystemTime) -> Result<()> {
    ensure!(!root.exists(), "{} is there already", root.display());
    for item in items {
        let to = root.join(&item.to);
        let folder = to.parent().context("a file without a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        ensure!(!to.exists() && !to.is_symlink(), "two files for {}", item.to);
        put(&item.content, &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    level(root, time)
}

fn put(content: &Content, to: &Path) -> Result<()> {
    let mode = match content {
        Content::Copy(from) => copy(from, to, 0o644)?,
        Content::Program(from) => copy(from, to, 0o755)?,
        Content::Text(text) => {
            fs::write(to, text)?;
            0o644
        }
        Content::Link(target) => return link(target, to),
    };
    set_mode(to, mode)
}

fn copy(from: &Path, to: &Path, mode: u32) -> Result<u32> {
    fs::copy(from, to).with_context(|| format!("cannot read {}", from.display()))?;
    Ok(mode)
}

/// Gives everything the same time, and folders the same mode; what is inside of a folder first.
pub fn level(folder: &Path, time: SystemTime) -> Result<()> {
    for item in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = item?.path();
        if path.is_symlink() {
            // Of the link itself, for which the standard library has nothing.
            let date = format!("--date=@{}", seconds(time)?);
            succeed(Command::new("touch").args(["--no-dereference", &date]).arg(&path))?;
        } else if path.is_dir() {
            level(&path, time)?;
        } else {
            set_time(&path, time)?;
        }
    }
    set_mode(folder, 0o755)?;
    set_time(folder, time)
}

fn set_time(path: &Path, time: SystemTime) -> Result<()> {
    let times = FileTimes::new().set_modified(time).set_accessed(time);
    let set = File::open(path).and_then(|file| file.set_times(times));
    set.with_context(|| format!("cannot set the time of {}", path.display()))
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", path.display()))
}

#[cfg(unix)]
fn link(target: &str, to: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(target, to)?)
}

// Packages are made on Linux only.
#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn link(_target: &str, _to: &Path) -> Result<()> {
    anyhow::bail!("no links here")
}
