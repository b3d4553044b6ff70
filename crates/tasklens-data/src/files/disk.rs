//! The calls that change the disk, one function each, so that [`fault`] reaches them all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::fault::{self, Call, Verdict};

/// Makes a folder; whether it was not there.
///
/// # Errors
/// It cannot be made.
pub fn create_folder(path: &Path) -> io::Result<bool> {
    fault::check(Call::CreateFolder)?;
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a folder and those above it.
///
/// # Errors
/// One cannot be made.
pub fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fault::check(Call::CreateFolder)?;
    fs::create_dir_all(path)
}

/// Opens a file of ours to read and write, and makes it where there is none. A link is not followed, and
/// what is no regular file is not opened.
///
/// # Errors
/// Any I/O error; [`ErrorKind::InvalidInput`] where something else has the name.
pub fn open_ours(path: &Path) -> io::Result<File> {
    if let Ok(found) = fs::symlink_metadata(path)
        && !found.is_file()
    {
        let what = if found.is_symlink() { "a link" } else { "no regular file" };
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
        // What takes the name since that look is not followed, and a pipe does not make us wait.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

/// Writes bytes where the file stands.
///
/// # Errors
/// Any I/O error; part of the bytes may be there.
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

/// Cuts a file off.
///
/// # Errors
/// Any I/O error.
pub fn set_length(file: &File, length: u64) -> io::Result<()> {
    fault::check(Call::SetLength)?;
    file.set_len(length)
}

/// Waits until a file's bytes are on the disk. A disk that knows no such wait is trusted.
///
/// # Errors
/// Any other I/O error: the bytes may be lost with the power.
pub fn sync(file: &File) -> io::Result<()> {
    let synced = fault::check(Call::Sync).and_then(|()| match fault::skips_syncs() {
        true => Ok(()),
        false => file.sync_all(),
    });
    trust_where_unsupported(synced)
}

/// Waits until the names in a folder are on the disk: a new or renamed file is only safe then. A disk that
/// knows no such wait for folders is trusted, and a folder that may not be read.
///
/// # Errors
/// Any other I/O error: the names may be lost with the power.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
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
            log::debug!("the disk knows no sync here: {error}");
            Ok(())
        }
        synced => synced,
    }
}

/// Some network and FUSE disks answer so to a sync of a folder, and some to that of a file.
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
