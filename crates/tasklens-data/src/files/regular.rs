//! Opens paths given by others: regular files only. A pipe without a writer, an endless device or a folder is an
//! error instead of a hang, and files are read up to a limit.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Opens a regular file for reading, through links, too.
///
/// # Errors
/// It is not a regular file (the message says what it is), or cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    // Check before opening: opening alone blocks on a pipe, or rewinds a tape.
    check(&fs::metadata(path)?)?;
    let file = open_at_once(path)?;
    // It may have been replaced since.
    check(&file.metadata()?)?;
    Ok(file)
}

/// The bytes of a regular file, at most `most` of them.
///
/// # Errors
/// As [`open`], or the file is longer.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_open(&mut open(path)?, most)
}

/// The bytes of an open file, at most `most` of them.
pub(super) fn read_open(file: &mut File, most: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > most {
        return Err(too_large(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // It may grow while it is read, and some system files report no length.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

fn check(found: &Metadata) -> io::Result<()> {
    if found.is_file() {
        Ok(())
    } else if found.is_dir() {
        Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder, not a file"))
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "it is a pipe or a device, not a file"))
    }
}

fn too_large(most: u64) -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, format!("it is larger than {} MB", most >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_a_files_place_is_named_as_one() {
        let folder = tempfile::tempdir().unwrap();
        assert!(open(folder.path()).unwrap_err().to_string().contains("it is a folder"));
        assert_eq!(open(&folder.path().join("gone")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_file_is_read_up_to_the_limit_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        // Sparse: a length without a disk.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(read(&path, 64 << 20).unwrap_err().to_string().contains("larger than 64 MB"));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_and_a_device_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let link = folder.path().join("link.png");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        let (said, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for path in [&pipe, &link] {
                said.send(read(path, 1 << 20).map_err(|error| error.to_string())).unwrap();
            }
            // As if it had been swapped in after the first look.
            said.send(open_at_once(&pipe).map(|_| Vec::new()).map_err(|error| error.to_string())).unwrap();
        });
        let next = || heard.recv_timeout(std::time::Duration::from_secs(10)).expect("an answer, not a wait");
        assert!(next().unwrap_err().contains("a pipe or a device"));
        assert!(next().unwrap_err().contains("a pipe or a device"));
        assert!(next().is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_hides_its_length_is_bounded_too() {
        let error = read(Path::new("/proc/self/maps"), 100).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{error}");
    }
}
