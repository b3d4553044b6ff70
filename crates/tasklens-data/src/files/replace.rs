//! Atomic replacement: write a new file, fsync, rename.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::fault::{self, Call};
use super::hand_on::{check_writable, hand_on};
use super::leftovers::{LETTERS, PREFIX, SUFFIX};
use super::{Stamped, disk};

/// The result of replacing a user's file.
#[derive(Debug, Default)]
#[must_use]
pub struct Replaced {
    /// Metadata of the old file that could not be kept, for the user.
    pub lost: Vec<String>,
    /// Set if the new file is in place, but the disk did not confirm it.
    pub unconfirmed: Option<io::Error>,
}

/// A file that is being written, as a [`Write`] with fault injection.
#[derive(Debug)]
pub struct Sink<'a>(&'a mut File);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        disk::write(self.0, bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Replaces `path` with what `write` produces, so that a reader (or a crash at any moment) finds
/// either the old file or the new one, whole. Missing parent folders are created. A read-only file stays.
///
/// # Errors
/// Any I/O error, with the old file left as it was; or the new file is in place, but the disk did not confirm
/// it, and the message says so.
pub fn replace_with(path: &Path, write: impl FnOnce(&mut Sink<'_>) -> io::Result<()>) -> io::Result<()> {
    match check_writable(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (new, _) = Temporary::write(path, path, write)?;
    new.rename(path)?;
    disk::sync_folder(folder_of(path)).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("the new file is in place, but the disk did not confirm it: {error}"),
        )
    })
}

/// [`replace_with`] for bytes in memory.
///
/// # Errors
/// As [`replace_with`].
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// Replaces a user's file if it is still what was read; `None` if another program has written it since, in which case
/// nothing is done. Owner, mode and attributes are kept where the system allows it.
///
/// # Errors
/// Any I/O error, with the old file left as it was.
pub fn replace_read(path: &Path, read: &Stamped, bytes: &[u8]) -> io::Result<Option<Replaced>> {
    let (new, lost) = Temporary::write(path, path, |file| file.write_all(bytes))?;
    // As late as possible: anything written while we waited for the disk would be lost.
    if !read.is_current(path)? {
        return Ok(None);
    }
    new.rename(path)?;
    let unconfirmed = disk::sync_folder(folder_of(path)).err();
    Ok(Some(Replaced { lost, unconfirmed }))
}

/// Replaces a file of ours and keeps it open for further writes. `check` reads the new file once it is synced, before
/// the rename. Returns the open file, and the error if the disk did not confirm the rename.
///
/// # Errors
/// Any I/O error, or that of `check`, with the old file left as it was.
pub fn replace_open(
    path: &Path,
    write: impl FnOnce(&mut Sink<'_>) -> io::Result<()>,
    check: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<(File, Option<io::Error>)> {
    check_writable(path)?;
    let (mut new, _) = Temporary::write(path, path, write)?;
    let file = new.file()?;
    file.rewind()?;
    check(file)?;
    let file = new.rename(path)?;
    // It has its final name: the lock that marks it as being written is no longer needed.
    let _ = file.unlock();
    Ok((file, disk::sync_folder(folder_of(path)).err()))
}

/// Creates a new file atomically; it must not exist yet.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if it exists, in which case it stays unchanged; any other I/O error.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create_like(path, path, bytes)
}

/// [`create`] with the owner, mode and attributes of another file.
///
/// # Errors
/// As [`create`].
pub fn create_like(path: &Path, other: &Path, bytes: &[u8]) -> io::Result<()> {
    let (new, _) = Temporary::write(path, other, |file| file.write_all(bytes))?;
    new.rename_to_free(path)?;
    disk::sync_folder(folder_of(path)).inspect_err(|_| {
        // We just created it, and it would be taken for complete.
        let _ = disk::remove(path);
    })
}

/// The parent folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What the system says of a temporary file that cannot be made, without its name: whoever reads it knows another one.
fn without_path(error: io::Error) -> io::Error {
    // tempfile's error does not give its cause.
    match error.to_string().rsplit_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}

/// A temporary file before its rename; removed when dropped.
struct Temporary(Option<NamedTempFile>);

impl Temporary {
    /// Writes and syncs a file beside `path`, to be renamed to it, with the owner, mode and attributes of `other`;
    /// also returns which of these could not be kept.
    fn write(
        path: &Path,
        other: &Path,
        write: impl FnOnce(&mut Sink<'_>) -> io::Result<()>,
    ) -> io::Result<(Self, Vec<String>)> {
        let folder = folder_of(path);
        disk::create_folders(folder)?;
        fault::check(Call::Create)?;
        let mut names = tempfile::Builder::new();
        names.prefix(PREFIX).suffix(SUFFIX).rand_bytes(LETTERS);
        let mut new = Self(Some(names.tempfile_in(folder).map_err(without_path)?));
        let file = new.file()?;
        // Distinguishes it from leftovers of killed programs. Without support for locks only its age does.
        let _ = file.try_lock();
        write(&mut Sink(file))?;
        let lost = hand_on(other, file)?;
        disk::sync(file)?;
        Ok((new, lost))
    }

    fn file(&mut self) -> io::Result<&mut File> {
        let Some(new) = &mut self.0 else { return Err(io::ErrorKind::NotFound.into()) };
        Ok(new.as_file_mut())
    }

    fn rename(mut self, path: &Path) -> io::Result<File> {
        fault::check(Call::Rename)?;
        let Some(new) = self.0.take() else { return Err(io::ErrorKind::NotFound.into()) };
        new.persist(path).map_err(|error| error.error)
    }

    fn rename_to_free(mut self, path: &Path) -> io::Result<()> {
        fault::check(Call::Rename)?;
        let Some(new) = self.0.take() else { return Err(io::ErrorKind::NotFound.into()) };
        match new.persist_noclobber(path) {
            Ok(_) => Ok(()),
            Err(error) if fs::symlink_metadata(path).is_ok() => Err(error.error),
            // Some network file systems cannot do both at once; that nothing is there was just checked.
            Err(error) => error.file.persist(path).map(drop).map_err(|error| error.error),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(new) = &mut self.0
            && fault::check(Call::Remove).is_err()
        {
            new.disable_cleanup(true);
        }
    }
}

#[cfg(test)]
mod tests;
