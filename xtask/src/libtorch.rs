//! libtorch in the per-user cache: fetched once per version, checked at each set-up.
//!
//! A folder is built beside its final place and renamed when it is complete, under a lock: neither an
//! interruption nor a second set-up at the same time can leave half a folder behind.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::platform::{self, Platform, VERSION};
use crate::python::{Download, Python};
use crate::{manifest, wheels};

/// A libtorch to build with.
#[derive(Debug)]
pub struct Libtorch {
    /// The folder with `include` and `lib`.
    pub root: PathBuf,
    /// Whether the user named it in `LIBTORCH`.
    pub given: bool,
}

/// The folder that the user named in `LIBTORCH`, checked.
pub fn given(root: PathBuf, platform: Platform) -> Result<Libtorch> {
    let help = "correct the environment variable LIBTORCH, or unset it to let set-up fetch libtorch";
    if !root.is_absolute() {
        bail!("LIBTORCH={} is no absolute path: {help}", root.display());
    }
    for needed in [platform.main_library(), "include/torch/csrc/api/include/torch/torch.h"] {
        if !root.join(needed).is_file() {
            bail!("LIBTORCH={} has no {needed}: {help}", root.display());
        }
    }
    match version(&root) {
        Some(found) if found.split('+').next() != Some(VERSION) => {
            bail!("LIBTORCH={} is version {found}, but {VERSION} is needed: {help}", root.display())
        }
        _ => Ok(Libtorch { root, given: true }),
    }
}

/// The version of a libtorch, or of the `torch` folder of a PyTorch.
fn version(root: &Path) -> Option<String> {
    if let Ok(text) = fs::read_to_string(root.join("build-version")) {
        return Some(text.trim().to_owned());
    }
    let text = fs::read_to_string(root.join("version.py")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
    Some(line.trim_matches(['\'', '"']).to_owned())
}

/// The folders in the cache: what we link against, and beside it what a GPU needs.
fn folders(platform: Platform) -> Result<(PathBuf, PathBuf)> {
    let name = format!("libtorch-{VERSION}-{}", platform.name());
    let cache = platform::cache()?;
    Ok((cache.join(&name), cache.join(format!("{name}-gpu"))))
}

/// The folder in the cache of what a GPU needs.
pub fn gpu_folder(platform: Platform) -> Result<PathBuf> {
    Ok(folders(platform)?.1)
}

/// Whether the cache has all files of libtorch (and, with `gpu`, of the CUDA libraries).
pub fn is_complete(platform: Platform, gpu: bool) -> Result<bool> {
    let (root, gpu_root) = folders(platform)?;
    Ok(manifest::verify(&root).is_ok() && (!gpu || manifest::verify(&gpu_root).is_ok()))
}

/// Fetches what is missing of libtorch (and, with `gpu`, of the CUDA libraries) into the cache.
/// `python` is asked for only when something is.
pub fn ensure(platform: Platform, gpu: bool, python: impl Fn() -> Result<Python>) -> Result<Libtorch> {
    if gpu && !platform.is_linux() {
        bail!("--gpu: CUDA libraries are fetched on Linux only; on macOS the GPU needs no others");
    }
    let (root, gpu_root) = folders(platform)?;
    if !is_complete(platform, gpu)? {
        let cache = platform::cache()?;
        fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
        let _lock = lock(&cache)?;
        // Another set-up may have done the work while we waited for the lock.
        if !is_complete(platform, gpu)? {
            fetch(platform, &python()?, &root, gpu.then_some(gpu_root.as_path()))?;
        }
    }
    if gpu {
        println!("CUDA libraries: {}", gpu_root.display());
    }
    Ok(Libtorch { root, given: false })
}

/// Waits until no other set-up works in this cache. The system frees the lock with the process.
pub fn lock(cache: &Path) -> Result<File> {
    let path = cache.join("setup.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        println!("Another set-up is at work; waiting for it ...");
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

fn fetch(platform: Platform, python: &Python, root: &Path, gpu_root: Option<&Path>) -> Result<()> {
    let cache = root.parent().context("the cache has no folder")?;
    let gigabytes = if gpu_root.is_some() { 9.0 } else { 1.2 };
    let free = python.free_bytes(cache)? as f64 / 1e9;
    if free < gigabytes {
        bail!(
            "{} has {free:.1} GB free, but set-up needs {gigabytes} GB for a while: make room, or choose \
             another disk with the environment variable XDG_CACHE_HOME",
            cache.display()
        );
    }
    let downloads = cache.join(format!("wheels-{VERSION}-{}", platform.name()));
    fs::create_dir_all(&downloads).with_context(|| format!("cannot create {}", downloads.display()))?;
    println!("Fetching libtorch {VERSION} into {} (once)", cache.display());
    let wanted = Download { platform, folder: &downloads, with_dependencies: false, retries: None };
    python.download(&wheels::for_cpu(platform), &wanted)?;
    if let Some(gpu_root) = gpu_root {
        println!("Fetching the CUDA libraries (2.7 GB)");
        let requires = python.requires(&torch_wheel(&downloads)?)?;
        python.download(&wheels::for_gpu(&requires), &Download { with_dependencies: true, ..wanted })?;
        build(python, &downloads, (gpu_root, VERSION), wheels::place_gpu)?;
    }
    build(python, &downloads, (root, VERSION), wheels::place_cpu)?;
    fs::remove_dir_all(&downloads).with_context(|| format!("cannot remove {}", downloads.display()))
}

/// Unpacks what `place` wants of all wheels into `root`, unless it is there already, and notes the version.
pub fn build(
    python: &Python,
    downloads: &Path,
    (root, version): (&Path, &str),
    place: fn(&str) -> Option<PathBuf>,
) -> Result<()> {
    match manifest::verify(root) {
        Ok(()) => return Ok(()),
        Err(why) if root.exists() => {
            println!("Replacing {}: {why:#}", root.display());
            fs::remove_dir_all(root).with_context(|| format!("cannot remove {}", root.display()))?;
        }
        Err(_) => {}
    }
    let mut partial = root.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    let mut entries = Vec::new();
    for wheel in wheel_files(downloads)? {
        let unpacked = unpack(python, &wheel, &partial, place).inspect_err(|_| {
            // A damaged download would fail again; the next set-up fetches it anew.
            drop(fs::remove_file(&wheel));
        })?;
        entries.extend(unpacked);
    }
    fs::write(partial.join("build-version"), format!("{version}\n"))?;
    manifest::write(&partial, &entries)?;
    fs::rename(&partial, root).with_context(|| format!("cannot move {} into place", partial.display()))
}

fn unpack(
    python: &Python,
    wheel: &Path,
    folder: &Path,
    place: fn(&str) -> Option<PathBuf>,
) -> Result<Vec<manifest::Entry>> {
    let names = python.list(wheel)?;
    let files: Vec<_> = names.into_iter().filter_map(|name| Some((place(&name)?, name))).collect();
    // What holds nothing but a licence is not in use here.
    if files.iter().all(|(path, _)| path.starts_with("licenses")) {
        return Ok(Vec::new());
    }
    println!("Unpacking {} ({} files)", wheel.file_name().unwrap_or_default().display(), files.len());
    let files: Vec<_> = files.into_iter().map(|(path, name)| (name, path)).collect();
    python.unpack(wheel, &files, folder)
}

/// The wheels in a folder, by name.
pub fn wheel_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut wheels: Vec<_> = list.filter_map(|item| Some(item.ok()?.path())).collect();
    wheels.retain(|path| path.extension().is_some_and(|end| end == "whl"));
    wheels.sort();
    Ok(wheels)
}

fn torch_wheel(folder: &Path) -> Result<PathBuf> {
    let start = format!("torch-{VERSION}-");
    wheel_files(folder)?
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start)))
        .with_context(|| format!("pip left no torch wheel in {}", folder.display()))
}

/// Makes `link` point to `root`, so that plain cargo and editors find libtorch there.
pub fn link(root: &Path, link: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|target| target == root) {
        return Ok(());
    }
    let folder = link.parent().context("the link has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    if link.is_dir() && !link.is_symlink() {
        bail!("{} is a folder, but set-up wants to put a link there: remove it", link.display());
    }
    make_link(root, link).with_context(|| format!("cannot link {} to {}", link.display(), root.display()))
}

#[cfg(unix)]
fn make_link(root: &Path, link: &Path) -> Result<()> {
    let new = link.with_extension(format!("new-{}", std::process::id()));
    std::os::unix::fs::symlink(root, &new)?;
    // Renaming replaces the old link in one step, also under a build that is at work.
    fs::rename(&new, link)?;
    Ok(())
}

/// A junction: unlike a symbolic link, it needs no special rights on Windows.
#[cfg(windows)]
fn make_link(root: &Path, link: &Path) -> Result<()> {
    if link.is_symlink() {
        fs::remove_dir(link)?;
    }
    let status = std::process::Command::new("cmd")
        .args(["/C", "mklink", "/J"])
        .args([link, root])
        .stdout(std::process::Stdio::null())
        .status()?;
    anyhow::ensure!(status.success(), "mklink failed");
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tasklens-xtask-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn fake(root: &Path) {
        let header = root.join("include/torch/csrc/api/include/torch/torch.h");
        fs::create_dir_all(header.parent().unwrap()).unwrap();
        fs::write(header, "").unwrap();
        fs::create_dir_all(root.join("lib")).unwrap();
        fs::write(root.join("lib/libtorch_cpu.so"), "").unwrap();
    }

    #[test]
    fn a_libtorch_of_another_version_is_refused() {
        let root = scratch("given");
        let message = |root: &Path| given(root.to_path_buf(), Platform::LinuxX86).unwrap_err().to_string();
        assert!(message(&root).contains("has no lib/libtorch_cpu.so"));
        fake(&root);
        fs::write(root.join("build-version"), "2.10.0+cpu\n").unwrap();
        assert!(message(&root).contains("is version 2.10.0+cpu, but 2.11.0 is needed"));
        fs::write(root.join("build-version"), "2.11.0+cu130\n").unwrap();
        assert!(given(root.clone(), Platform::LinuxX86).unwrap().given);
        // A PyTorch that the user has says its version elsewhere.
        fs::remove_file(root.join("build-version")).unwrap();
        fs::write(root.join("version.py"), "from x import y\n__version__ = '2.9.1'\n").unwrap();
        assert!(message(&root).contains("2.9.1"));
        assert!(message(Path::new("libtorch")).contains("absolute"));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn the_link_follows_a_change_of_libtorch() {
        let folder = scratch("link");
        let place = folder.join("target/libtorch");
        for name in ["one", "two", "two"] {
            link(&folder.join(name), &place).unwrap();
            assert_eq!(fs::read_link(&place).unwrap(), folder.join(name));
        }
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        assert!(link(&folder.join("one"), &place).unwrap_err().to_string().contains("remove it"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
