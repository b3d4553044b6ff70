//! All calls that change the disk, so that tests can inject faults into each ([`fault`]).

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::fault::{self, Call, Verdict};

/// Creates a folder; returns whether it is new.
///
/// # Errors
/// It cannot be created.
pub(crate) fn create_folder(path: &Path) -> io::Result<bool> {
    fault::check(Call::CreateFolder)?;
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates a folder and its parents.
///
/// # Errors
/// One of them cannot be created.
pub fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fault::check(Call::CreateFolder)?;
    fs::create_dir_all(path)
}

/// Free bytes on the disk that holds `folder`, or will when it is made, as far as this user may take them. `None` if the
/// system does not say.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let folder = folder.ancestors().find_map(|folder| folder.canonicalize().ok())?;
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(&folder).ok()?;
        found.f_bavail.checked_mul(found.f_frsize)
    }
    #[cfg(not(unix))]
    {
        let disks = sysinfo::Disks::new_with_refreshed_list();
        // The longest mount point that leads there.
        let holding = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
        holding.max_by_key(|disk| disk.mount_point().as_os_str().len()).map(sysinfo::Disk::available_space)
    }
}

/// Opens a file of ours for reading and writing, creating it if needed. Links are not followed, and only regular
/// files are opened.
///
/// # Errors
/// Any I/O error; [`ErrorKind::InvalidInput`] if it is not a regular file.
pub(crate) fn open_ours(path: &Path) -> io::Result<File> {
    if let Ok(found) = fs::symlink_metadata(path)
        && !found.is_file()
    {
        let what = if found.is_symlink() { "a link" } else { "not a regular file" };
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!("{} is {what}; remove it, or move it elsewhere", path.display()),
        ));
    }
    fault::check(Call::Create)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // If something else took its place since that check, it is not followed, and a pipe does not block.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

/// Writes bytes at the current position of the file.
///
/// # Errors
/// Any I/O error; some of the bytes may have been written.
pub fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    match fault::verdict(Call::Write) {
        Verdict::Goes => file.write_all(bytes),
        Verdict::Fails(error) => Err(error),
        Verdict::Halfway(error) => {
            file.write_all(&bytes[..bytes.len() / 2])?;
            Err(error)
        }
    }
}

/// Truncates a file.
///
/// # Errors
/// Any I/O error.
pub fn set_length(file: &File, length: u64) -> io::Result<()> {
    fault::check(Call::SetLength)?;
    file.set_len(length)
}

/// Waits until a file's bytes are on disk (fsync). File systems without support for it are trusted.
///
/// # Errors
/// Any other I/O error: a power failure may lose the bytes.
pub fn sync(file: &File) -> io::Result<()> {
    let synced = fault::check(Call::Sync).and_then(|()| match fault::skips_syncs() {
        true => Ok(()),
        false => file.sync_all(),
    });
    trust_where_unsupported(synced)
}

/// Waits until the entries of a folder are on disk: only then is a new or renamed file safe. File systems that cannot
/// sync folders are trusted, as are unreadable folders.
///
/// # Errors
/// Any other I/O error: a power failure may lose the entries.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let synced = fault::check(Call::SyncFolder).and_then(|()| match cfg!(unix) && !fault::skips_syncs() {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    });
    match trust_where_unsupported(synced) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Removes a file.
///
/// # Errors
/// Any I/O error.
pub fn remove(path: &Path) -> io::Result<()> {
    fault::check(Call::Remove)?;
    fs::remove_file(path)
}

fn trust_where_unsupported(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error) if is_unsupported(&error) => {
            log::debug!("the file system does not support sync here: {error}");
            Ok(())
        }
        synced => synced,
    }
}

/// Some network and FUSE file systems answer so to the sync of a folder, and some to that of a file.
fn is_unsupported(error: &io::Error) -> bool {
    #[cfg(unix)]
    let is_code = {
        use rustix::io::Errno;
        let codes = [Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS, Errno::BADF];
        error.raw_os_error().is_some_and(|code| codes.map(Errno::raw_os_error).contains(&code))
    };
    #[cfg(not(unix))]
    let is_code = false;
    is_code
        || matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::IsADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_that_of_the_disk_where_a_folder_will_be() {
        let folder = std::env::temp_dir();
        let there = free_bytes(&folder).unwrap();
        let to_be = free_bytes(&folder.join("not/yet/there")).unwrap();
        assert!(there > 0 && there.abs_diff(to_be) < there / 2, "{there} and {to_be}");
    }
}
