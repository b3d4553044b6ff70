//! A bare Debian 12 in a folder: no Rust, no Python, no compiler, no desktop.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::dist::tools::{output_of, remove_folder, succeed};

/// Debian 12.
const RELEASE: &str = "bookworm";
/// Who uses the computer.
const USER: &str = "tester";

/// Mounts what every Linux has, in a name space that ends with its processes, so that nothing stays mounted whatever
/// happens; then goes in. `$1` is the root, `$2` the user.
///
/// The shell stays: who becomes another user is no longer ended with its parent, and the shell's end ends all.
const ENTER: &str = r#"
set -e
root=$1; user=$2; shift 2
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mkdir -p "$root/dev/pts" "$root/dev/shm" "$root/tmp/.X11-unix" /tmp/.X11-unix
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
code=0
chroot --userspec="$user" "$root" "$@" || code=$?
exit "$code"
"#;

/// A Debian in a folder, which is removed when this is dropped.
pub struct Bare {
    root: PathBuf,
}

impl Bare {
    /// Fetches it into `root`.
    pub fn make(root: PathBuf) -> Result<Self> {
        remove_folder(&root)?;
        fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        let bare = Self { root };
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "debootstrap", "--variant=minbase", RELEASE]);
        output_of(command.arg(&bare.root).env("PATH", PATH))?;
        output_of(&mut bare.root(&["apt-get", "update"]))?;
        output_of(&mut bare.root(&["useradd", "--create-home", "--shell", "/bin/sh", USER]))?;
        Ok(bare)
    }

    /// The path on the outside of a path inside.
    pub fn outside(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Where the user's own files are, inside.
    pub fn home() -> String {
        format!("/home/{USER}")
    }

    /// Puts a file into the user's home and returns its path inside.
    pub fn bring(&self, file: &Path) -> Result<String> {
        let name = file.file_name().and_then(|name| name.to_str()).context("a file without a name")?;
        let inside = format!("{}/{name}", Self::home());
        fs::copy(file, self.outside(&inside)).with_context(|| format!("cannot copy {}", file.display()))?;
        Ok(inside)
    }

    /// A command of the administrator.
    pub fn root(&self, command: &[&str]) -> Command {
        let mut inside = self.enter("root:root");
        inside.args(command).env("DEBIAN_FRONTEND", "noninteractive");
        inside
    }

    /// A command of the user, with nothing in the environment but what a login gives and `display`. The network
    /// stays unused.
    pub fn user(&self, display: Option<&str>, command: &[&str]) -> Command {
        let mut inside = self.enter(&format!("{USER}:{USER}"));
        inside.args(["env", "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TASKLENS_OFFLINE=1"]);
        inside.arg(format!("HOME={}", Self::home())).arg(format!("USER={USER}"));
        inside.args(display.map(|display| format!("DISPLAY={display}")));
        // `env` starts in the root of the file system, a user in the own home.
        inside.args(["sh", "-c", "cd && exec \"$@\"", "sh"]).args(command);
        inside
    }

    fn enter(&self, user: &str) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]);
        command.args(["sh", "-c", ENTER, "sh"]).arg(&self.root).arg(user);
        command.env("PATH", PATH).env("LC_ALL", "C.UTF-8");
        command
    }
}

/// What the administrator of a Debian has.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Drop for Bare {
    fn drop(&mut self) {
        // Only this file system: what was mounted elsewhere is gone already, and is not to be followed if not.
        if succeed(Command::new("rm").args(["-rf", "--one-file-system"]).arg(&self.root)).is_err() {
            eprintln!("warning: {} could not be removed", self.root.display());
        }
    }
}
