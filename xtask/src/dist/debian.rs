//! The Debian package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};

use super::tools::{output_of, succeed};
use super::{Packages, VERSION, archive, program, seconds, stage};

/// What the window opens by name, so that no file says that it is needed: OpenGL, X11 and Wayland, the keyboard, and
/// where to find fonts for other scripts.
const OPENED_BY_NAME: &[&str] = &[
    "libdbus-1-3",
    "libegl1",
    "libfontconfig1",
    "libgl1",
    "libwayland-client0",
    "libwayland-egl1",
    "libx11-6",
    "libx11-xcb1",
    "libxcursor1",
    "libxi6",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
];

/// File dialogs; certificates for images by URL; links in the window that open in a browser.
const RECOMMENDED: &str = "ca-certificates, xdg-desktop-portal | zenity, xdg-utils";

/// Who is to be asked about the package. This is a placeholder, which nobody reads: `dist` says so until it is another one.
pub const MAINTAINER: &str = "Tasklens developers <tasklens@users.noreply.example>";

/// What `control` says about a package.
pub struct Package<'a> {
    pub packages: &'a Packages,
    /// What `Depends:` has.
    pub depends: &'a str,
}

/// What all programs and libraries in `root` depend on, with the least versions that they work with.
pub fn dependencies(root: &Path, work: &Path) -> Result<String> {
    // It wants to be started in the source of a package.
    let source = work.join("shlibdeps");
    fs::create_dir_all(source.join("debian"))?;
    fs::write(source.join("debian/control"), "Source: tasklens\n\nPackage: tasklens\nArchitecture: any\n")?;
    let binaries = binaries(root)?;
    let mut command = Command::new("dpkg-shlibdeps");
    // libtorch's own libgomp is in the package.
    command.args(["-O", "--ignore-missing-info", "--warnings=0", "-xlibgomp1"]).current_dir(&source);
    for file in binaries.iter().filter(|file| program::is_library(file)) {
        command.arg(format!("-l{}", file.parent().context("a library without a folder")?.display()));
    }
    let found = output_of(command.args(binaries))?;
    let linked = found.trim().strip_prefix("shlibs:Depends=").context("dpkg-shlibdeps found nothing")?;
    let mut all: Vec<_> = linked.split(", ").chain(OPENED_BY_NAME.iter().copied()).collect();
    all.sort_unstable();
    Ok(all.join(", "))
}

/// Programs and libraries in a folder and below, in a fixed order. Those of CUDA ask for the driver, which is not
/// Debian's.
fn binaries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = item?.path();
        if path.is_symlink() || path.ends_with("libtorch-gpu") {
            continue;
        } else if path.is_dir() {
            found.extend(binaries(&path)?);
        } else if program::is_library(&path) || path.ends_with("tasklens/tasklens") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Packs `root`, to which it adds `DEBIAN`.
pub fn pack(root: &Path, package: &Package<'_>, time: SystemTime) -> Result<()> {
    let files = files(root, root)?;
    ensure!(!files.is_empty(), "{} has no files", root.display());
    let sums = output_of(Command::new("md5sum").args(&files).current_dir(root))?;
    let bytes: u64 = files.iter().filter_map(|file| Some(fs::metadata(root.join(file)).ok()?.len())).sum();
    let about = root.join("DEBIAN");
    fs::create_dir(&about).with_context(|| format!("cannot create {}", about.display()))?;
    fs::write(about.join("control"), control(package, bytes))?;
    fs::write(about.join("md5sums"), sums)?;
    stage::level(root, time)?;
    for file in ["control", "md5sums"] {
        set_readable(&about.join(file))?;
    }
    let mut pack = Command::new("dpkg-deb");
    pack.args(["--root-owner-group", "-Zzstd", &format!("-z{}", archive::LEVEL)]);
    pack.arg("--build").arg(root).arg(&package.packages.deb).stdout(std::process::Stdio::null());
    succeed(pack.env("SOURCE_DATE_EPOCH", seconds(time)?.to_string()).env("LC_ALL", "C"))
}

fn set_readable(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(file, fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}

/// All files below `folder`, relative to `root`, in a fixed order.
fn files(folder: &Path, root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = item?.path();
        if path.is_symlink() {
            continue;
        } else if path.is_dir() {
            found.extend(files(&path, root)?);
        } else {
            found.push(path.strip_prefix(root)?.to_path_buf());
        }
    }
    found.sort();
    Ok(found)
}

fn control(package: &Package<'_>, bytes: u64) -> String {
    let Package { packages, depends } = package;
    let name = packages.name();
    let (other, more) = if packages.gpu {
        ("tasklens", "\n .\n This package has the CUDA libraries, for NVIDIA GPUs with driver 580 or newer.")
    } else {
        ("tasklens-gpu", "")
    };
    format!(
        "Package: {name}\nVersion: {VERSION}\nArchitecture: {}\nMaintainer: {MAINTAINER}\n\
         Installed-Size: {}\nDepends: {depends}\nRecommends: {RECOMMENDED}\nConflicts: {other}\nReplaces: {other}\n\
         Section: science\nPriority: optional\nDescription: train one image classifier that answers several questions at once\n \
         Label images quickly, train one network for all questions about them, watch it\n learn, try it on new images, and see \
         where and why it is wrong. Everything but\n labelling also works on the command line. Nothing leaves this computer.{more}\n",
        packages.architecture(),
        bytes.div_ceil(1024),
    )
}
