//! The received part of a file: `NAME.XXXXXX.part` beside it, with the ETag of the version in
//! `NAME.XXXXXX.part.etag`.
//!
//! Each download has a part of its own and locks it, so that two programs never write to the same one; the system
//! releases the lock when the program ends. An unlocked part is continued by the next download.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::files::regular;

const END: &str = ".part";
const MARK_END: &str = ".etag";
/// Number of random letters and digits in a name.
const RANDOM: usize = 12;
/// A longer ETag is not kept.
const MAX_MARK_BYTES: u64 = 1024;

/// A part that is locked by this download.
pub(super) struct PartialFile {
    path: PathBuf,
    file: File,
}

impl PartialFile {
    /// The longest unlocked part of `to`, else a new one. Other unlocked ones are removed.
    pub fn take(to: &Path) -> io::Result<Self> {
        let (folder, name) = place_of(to)?;
        let mut left = left_over(folder, name);
        left.sort_by_key(PartialFile::len);
        while let Some(longest) = left.pop() {
            // Its owner may have finished it between our check and our lock. Then it was renamed, and this fails,
            // because names are never reused.
            if let Ok((path, ())) = named(folder, name, |path| fs::rename(&longest.path, path)) {
                // Without its ETag, only the digest can tell whether it is usable.
                drop(fs::rename(mark_of(&longest.path), mark_of(&path)));
                left.into_iter().for_each(PartialFile::remove);
                return Ok(Self { path, file: longest.file });
            }
        }
        loop {
            let create = |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).open(path);
            let (path, file) = named(folder, name, create)?;
            // Another download may have removed it as a leftover in between.
            let is_ours = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            if is_ours && fs::symlink_metadata(&path).is_ok() {
                return Ok(Self { path, file });
            }
        }
    }

    /// Number of received bytes.
    pub fn len(&self) -> u64 {
        self.file.metadata().map_or(0, |data| data.len())
    }

    /// The ETag of the version that this is a part of.
    pub fn mark(&self) -> Option<String> {
        let bytes = regular::read(&mark_of(&self.path), MAX_MARK_BYTES).ok()?;
        let mark = String::from_utf8(bytes).ok()?;
        let can_be_sent = !mark.is_empty() && mark.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        can_be_sent.then_some(mark)
    }

    #[expect(clippy::disallowed_methods, reason = "half a mark is another mark, and the part begins anew")]
    pub fn set_mark(&self, mark: &str) -> io::Result<()> {
        fs::write(mark_of(&self.path), mark)
    }

    /// Truncates to the first `length` bytes and continues after them.
    pub fn go_on_at(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length)).map(drop)
    }

    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Discards all received bytes.
    pub fn forget(&mut self) {
        // If that fails, the digest will detect it.
        drop(self.go_on_at(0));
        drop(fs::remove_file(mark_of(&self.path)));
    }

    /// SHA-256 of the bytes on disk; `None` if cancelled by `keep_going`.
    pub fn digest(&mut self, keep_going: &dyn Fn() -> bool) -> io::Result<Option<String>> {
        self.file.sync_all()?;
        self.file.seek(SeekFrom::Start(0))?;
        let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
        loop {
            if !keep_going() {
                return Ok(None);
            }
            match self.file.read(&mut buffer)? {
                0 => return Ok(Some(super::hex(&digest.finalize()))),
                n => digest.update(&buffer[..n]),
            }
        }
    }

    /// Renames the complete file to its target.
    pub fn place(&self, to: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, to)?;
        drop(fs::remove_file(mark_of(&self.path)));
        Ok(())
    }

    /// Removes the part, then releases the lock.
    pub fn remove(self) {
        drop(fs::remove_file(mark_of(&self.path)));
        drop(fs::remove_file(&self.path));
    }
}

/// Removes unlocked parts of `to`.
pub(super) fn remove_left_over(to: &Path) {
    if let Ok((folder, name)) = place_of(to) {
        left_over(folder, name).into_iter().for_each(PartialFile::remove);
    }
}

fn place_of(to: &Path) -> io::Result<(&Path, &OsStr)> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = to.file_name().ok_or_else(|| io::Error::other("the path has no file name"))?;
    Ok((folder, name))
}

fn mark_of(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(MARK_END);
    PathBuf::from(name)
}

/// Calls `make` with an unused name for a part.
fn named<T>(
    folder: &Path,
    name: &OsStr,
    make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    let mut start = name.to_owned();
    start.push(".");
    let made =
        tempfile::Builder::new().prefix(&start).suffix(END).rand_bytes(RANDOM).make_in(folder, make)?;
    let (made, path) = made.keep().map_err(|error| error.error)?;
    Ok((path, made))
}

/// Locks and returns all unlocked parts; an ETag file without its part is removed.
fn left_over(folder: &Path, name: &OsStr) -> Vec<PartialFile> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // Links are not followed: their targets are not ours.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let (path, found) = (entry.path(), entry.file_name());
        if is_part(&found, name) {
            let file = OpenOptions::new().read(true).write(true).open(&path);
            parts.extend(
                file.ok().filter(|file| file.try_lock().is_ok()).map(|file| PartialFile { path, file }),
            );
        } else if let Some(part) = found.to_str().and_then(|found| found.strip_suffix(MARK_END))
            && is_part(OsStr::new(part), name)
            && !folder.join(part).exists()
        {
            drop(fs::remove_file(path));
        }
    }
    parts
}

/// Whether a name is `NAME.XXXXXX.part`, or `NAME.part` as in earlier versions.
fn is_part(found: &OsStr, name: &OsStr) -> bool {
    let middle = (|| found.to_str()?.strip_prefix(name.to_str()?)?.strip_suffix(END))();
    middle.is_some_and(|middle| {
        let random = middle.strip_prefix('.');
        middle.is_empty()
            || random.is_some_and(|r| r.len() == RANDOM && r.bytes().all(|b| b.is_ascii_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_of_this_file_are_taken_for_them() {
        let name = OsStr::new("model.safetensors");
        for ours in ["model.safetensors.part", "model.safetensors.a1B2c3D4e5F6.part"] {
            assert!(is_part(OsStr::new(ours), name), "{ours}");
        }
        for other in
            ["model.safetensors", "other.part", "model.safetensors.old.part", "model.safetensors.part.etag"]
        {
            assert!(!is_part(OsStr::new(other), name), "{other}");
        }
    }

    #[test]
    fn a_part_in_use_is_left_alone_and_the_longest_of_the_rest_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("w");
        let mut busy = PartialFile::take(&to).unwrap();
        busy.append(b"in use, and the longest of all").unwrap();
        let mut long = PartialFile::take(&to).unwrap();
        long.append(b"long").unwrap();
        long.set_mark("\"v1\"").unwrap();
        let short = PartialFile::take(&to).unwrap();
        drop((long, short));
        let taken = PartialFile::take(&to).unwrap();
        assert_eq!((taken.len(), taken.mark().as_deref()), (4, Some("\"v1\"")));
        // The busy one, ours and its mark.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        remove_left_over(&to);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        drop((busy, taken));
        remove_left_over(&to);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_named_as_a_part_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "mine").unwrap();
        std::os::unix::fs::symlink(&precious, folder.path().join("w.part")).unwrap();
        let mut part = PartialFile::take(&folder.path().join("w")).unwrap();
        part.append(b"other").unwrap();
        part.remove();
        remove_left_over(&folder.path().join("w"));
        assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
    }
}
