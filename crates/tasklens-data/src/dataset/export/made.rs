//! The list of files that an export created in a folder, so that the next export there replaces exactly these.

use std::fs::{self, Metadata};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::files::regular;

/// The list, hidden in the folder.
const LIST: &str = ".tasklens-export";
/// Some file systems know times only to two seconds.
const SAME_TIME_MS: u64 = 2_000;

/// A file that was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    /// Its path in the folder.
    pub path: PathBuf,
    /// The source image; none if its path is not UTF-8.
    of: Option<String>,
    /// Size of the source image in bytes.
    bytes: u64,
    /// Modification time of the source image, in milliseconds since 1970.
    modified_ms: u64,
}

impl Made {
    /// A file created from an image with this metadata.
    pub fn new(path: PathBuf, image: &Path, metadata: &Metadata) -> Self {
        let of = image.to_str().map(str::to_owned);
        Self { path, of, bytes: metadata.len(), modified_ms: modified_ms(metadata) }
    }

    /// Whether the file at `path` can be removed without loss: it is a symbolic link, or the image still exists and
    /// the file is a hard link to it or an unchanged copy.
    fn can_go(&self, path: &Path) -> bool {
        let Ok(is) = fs::symlink_metadata(path) else { return false };
        if is.is_symlink() {
            return true;
        }
        let Some(image) = self.of.as_deref().map(Path::new) else { return false };
        let Ok(image_is) = fs::metadata(image) else { return false };
        let has_this = |bytes: u64, modified: u64| {
            is.len() == bytes && modified_ms(&is).abs_diff(modified) <= SAME_TIME_MS
        };
        let is_known =
            has_this(self.bytes, self.modified_ms) || has_this(image_is.len(), modified_ms(&image_is));
        // The image may have become a link into this folder.
        let is_elsewhere = || fs::canonicalize(image).ok() != fs::canonicalize(path).ok();
        is.is_file() && image_is.is_file() && is_known && is_elsewhere()
    }
}

fn modified_ms(of: &Metadata) -> u64 {
    let since = of.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

/// Whether an export may write to this folder: it is new, empty, or from an earlier export.
fn is_ours(folder: &Path) -> bool {
    let is_empty = || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    !folder.exists() || folder.join(LIST).is_file() || is_empty()
}

/// Where to export when the user chose a folder: there, if an export may write to it, otherwise into a new sub-folder
/// of this name.
pub fn folder_in(chosen: &Path, name: &str) -> PathBuf {
    if is_ours(chosen) {
        return chosen.to_path_buf();
    }
    let mut folder = chosen.join(name);
    let mut number = 2;
    while !is_ours(&folder) {
        folder = chosen.join(format!("{name}_{number}"));
        number += 1;
    }
    folder
}

/// Prepares a folder: removes the files of an earlier export, but keeps those that were changed since. Returns
/// whether anything is left in it.
///
/// # Errors
/// There are files that are not from an export, or it cannot be written to.
pub(super) fn begin(folder: &Path) -> anyhow::Result<bool> {
    if folder.is_file() {
        bail!("{} is a file: name a folder", folder.display());
    }
    if !is_ours(folder) {
        bail!("{} has files that no export put there: choose a new folder or an empty one", folder.display());
    }
    let cannot = || format!("{} cannot be written", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    let list = read(folder)?;
    list.iter().try_for_each(|made| refuse_links(folder, made.path.parent().unwrap_or(Path::new(""))))?;
    for made in list {
        let path = folder.join(&made.path);
        if made.can_go(&path) {
            fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
            // Label and task folders are removed with their last file.
            let parents = made.path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
            for parent in parents {
                if fs::remove_dir(folder.join(parent)).is_err() {
                    break;
                }
            }
        }
    }
    let is_left = fs::read_dir(folder).with_context(cannot)?.flatten().any(|entry| entry.file_name() != LIST);
    write(folder, &[])?;
    Ok(is_left)
}

/// Refuses linked folders: what lies behind a link is not part of an export.
///
/// # Errors
/// There is a link; the message names it.
pub(super) fn refuse_links(folder: &Path, below: &Path) -> anyhow::Result<()> {
    let parts = below.ancestors().filter(|part| !part.as_os_str().is_empty());
    match parts.map(|part| folder.join(part)).find(|path| path.is_symlink()) {
        Some(link) => bail!("{} is a symbolic link: remove it, or export to another folder", link.display()),
        None => Ok(()),
    }
}

/// Writes the list of files that are about to be created.
///
/// # Errors
/// The list cannot be written.
pub(super) fn write(folder: &Path, made: &[Made]) -> anyhow::Result<()> {
    let list = folder.join(LIST);
    let written = crate::files::replace_with(&list, |file| {
        let mut out = BufWriter::new(file);
        for made in made {
            serde_json::to_writer(&mut out, made)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    });
    written.with_context(|| format!("{} cannot be written", list.display()))
}

/// The files of an earlier export; lines that cannot be read or lead out of the folder are ignored.
fn read(folder: &Path) -> anyhow::Result<Vec<Made>> {
    let list = folder.join(LIST);
    let Ok(file) = regular::open(&list) else { return Ok(Vec::new()) };
    let mut made = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| format!("{} cannot be read", list.display()))?;
        if let Ok(entry) = serde_json::from_str::<Made>(&line)
            && entry.path.components().all(|part| matches!(part, Component::Normal(_)))
        {
            made.push(entry);
        }
    }
    Ok(made)
}
