//! Files that are never half-written: write-new, fsync, rename.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use memmap2::Mmap;

/// Replaces `path` with what `write` produces, so that a reader (or a crash at any moment) finds
/// either the old file or the new one, whole. Missing parent folders are created.
///
/// # Errors
/// Any I/O error, with the old file left as it was.
pub fn replace_with(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let new = written(path, write)?;
    new.persist(path).map_err(|error| error.error)?;
    sync_folder_of(path)
}

/// Writes a file that must not be there yet; it is there whole or not at all.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where there is something, which stays as it is; any other I/O error.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = written(path, |file| file.write_all(bytes))?;
    match new.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if fs::symlink_metadata(path).is_ok() => return Err(error.error),
        // Some network disks cannot do both at once; that nothing is there was just seen.
        Err(error) => {
            error.file.persist(path).map_err(|error| error.error)?;
        }
    }
    sync_folder_of(path)
}

/// A synced temporary file beside `path`, to be renamed to it.
fn written(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<tempfile::NamedTempFile> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut new = tempfile::Builder::new().prefix(".tasklens-").suffix(".new").tempfile_in(folder)?;
    write(new.as_file_mut())?;
    new.as_file_mut().flush()?;
    new.as_file().sync_all()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A temporary file is private; what replaces a user's file keeps its mode.
        let mode = fs::metadata(path).map_or(0o644, |old| old.permissions().mode());
        new.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    }
    Ok(new)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Renames are on the disk when their folder is.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder_of(path))?.sync_all()?;
    }
    Ok(())
}

/// [`replace_with`] for bytes at hand.
///
/// # Errors
/// As [`replace_with`].
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// A file as memory, for files that are only ever replaced by [`replace`] and never changed in place.
///
/// # Errors
/// It cannot be opened, or the system cannot map it.
#[expect(unsafe_code, reason = "mapping a file cannot be checked by the compiler")]
pub fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: a replaced file is a new one, and the map keeps the old one alive; nobody truncates or
    // writes the file that is mapped, as the caller promises by using this for such files alone.
    unsafe { Mmap::map(&file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_be_new_never_takes_the_place_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.csv");
        create(&path, b"first").unwrap();
        assert_eq!(create(&path, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.csv");
        replace(&path, b"old").unwrap();
        let failed = replace_with(&path, |file| {
            file.write_all(b"half of the new")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
