//! Output paths given by the user: files are replaced atomically, anything else is written to directly.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{check_writable, replace_with};

/// Maximum number of links to follow, as in operating systems.
const MOST_LINKS: usize = 40;

/// The target of an output, determined once before the work starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output: `-`, or a path for it such as `/dev/stdout`.
    Standard,
    /// Not a regular file: a pipe, a terminal, a device. It is opened when there is something to write; a pipe then
    /// blocks until it has a reader.
    Stream(PathBuf),
    /// An existing or new file. Links are followed, so that they stay valid.
    File(PathBuf),
}

impl Output {
    /// Resolves a path.
    ///
    /// # Errors
    /// It is a folder or a file that may not be written, or its metadata cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Standard);
        }
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::File(behind_links(path)?)),
            Err(error) => return Err(error),
        };
        if found.is_dir() {
            return Err(io::Error::new(ErrorKind::IsADirectory, "that is a folder; name a file"));
        }
        if is_standard_output(&found) {
            return Ok(Self::Standard);
        }
        let behind = behind_links(path)?;
        if !found.is_file() || is_open_file(&behind) {
            return Ok(Self::Stream(path.to_path_buf()));
        }
        check_writable(&behind)?;
        Ok(Self::File(behind))
    }

    /// Whether it is standard output, so that nothing else may be printed there.
    pub fn is_standard(&self) -> bool {
        *self == Self::Standard
    }

    /// Writes what `write` produces: atomically to a file, directly to anything else. A closed pipe is not an error.
    ///
    /// # Errors
    /// Any other I/O error. A file is then unchanged; anything else has received a part.
    pub fn write_with(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let written = match self {
            Self::File(path) => return replace_with(path, |file| write(file)),
            Self::Standard => {
                let mut stdout = io::stdout().lock();
                write(&mut stdout).and_then(|()| stdout.flush())
            }
            // Whatever is at the path by now is not overwritten.
            Self::Stream(path) => {
                OpenOptions::new().append(true).open(path).and_then(|mut to| write(&mut to))
            }
        };
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// [`Output::write_with`] for bytes in memory.
    ///
    /// # Errors
    /// As [`Output::write_with`].
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_with(|to| to.write_all(bytes))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("standard output"),
            Self::Stream(path) | Self::File(path) => path.display().fmt(f),
        }
    }
}

/// The target of links, whether it exists or not; links of the system to open files (`/dev/fd`) are kept.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        if is_open_file(&path) {
            return Ok(path);
        }
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            // Not a link, or nothing there.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                return Ok(path);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("its links lead in circles"))
}

/// Whether it is `/dev/fd/3` or the like: the file is open already, perhaps for appending.
fn is_open_file(path: &Path) -> bool {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    folder.is_some_and(|folder| {
        (folder.starts_with("/proc") && folder.ends_with("fd")) || folder == Path::new("/dev/fd")
    })
}

#[cfg(unix)]
fn is_standard_output(found: &fs::Metadata) -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let own = io::stdout().as_fd().try_clone_to_owned().and_then(|own| fs::File::from(own).metadata());
    own.is_ok_and(|own| (own.dev(), own.ino()) == (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn is_standard_output(_found: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, symlink};

    use super::*;

    fn pipe(folder: &Path) -> PathBuf {
        let pipe = folder.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        pipe
    }

    #[test]
    fn a_pipe_is_written_into_and_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = pipe(dir.path());
        let link = dir.path().join("link.csv");
        symlink(&pipe, &link).unwrap();
        for name in [&pipe, &link] {
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || fs::read_to_string(pipe).unwrap()
            });
            let output = Output::of(name).unwrap();
            assert_eq!(output, Output::Stream(name.clone()));
            output.write(b"a,b\n").unwrap();
            assert_eq!(reader.join().unwrap(), "a,b\n");
            assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        }
        assert!(link.is_symlink());
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let output = Output::Stream(pipe(dir.path()));
        let reader = std::thread::spawn({
            let Output::Stream(pipe) = output.clone() else { panic!() };
            move || drop(fs::File::open(pipe).unwrap())
        });
        let written = output.write_with(|to| {
            reader.join().unwrap();
            to.write_all(b"a,b\n")
        });
        written.unwrap();
        let full = Output::Standard.write_with(|_| Err(ErrorKind::StorageFull.into()));
        assert_eq!(full.unwrap_err().kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn a_link_goes_on_to_lead_to_the_file_that_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("below")).unwrap();
        fs::write(at("below/old.csv"), "old").unwrap();
        symlink("below/old.csv", at("link.csv")).unwrap();
        symlink("link.csv", at("chain.csv")).unwrap();
        symlink("below/new.csv", at("dangling.csv")).unwrap();
        for (link, file) in [("chain.csv", "below/old.csv"), ("dangling.csv", "below/new.csv")] {
            let output = Output::of(&at(link)).unwrap();
            assert_eq!(output, Output::File(at(file)));
            output.write(b"new").unwrap();
            assert!(at(link).is_symlink() && !at(file).is_symlink());
            assert_eq!(fs::read_to_string(at(file)).unwrap(), "new");
        }
        symlink("loop", at("loop")).unwrap();
        assert!(Output::of(&at("loop")).is_err());
    }

    #[test]
    fn a_folder_and_a_read_only_file_are_told_before_the_work() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Output::of(dir.path()).unwrap_err().to_string().contains("that is a folder"));
        let file = dir.path().join("kept.csv");
        fs::write(&file, "mine").unwrap();
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        assert_eq!(Output::of(&file).unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(Output::of(Path::new("-")).unwrap(), Output::Standard);
        let new = dir.path().join("new.csv");
        assert_eq!(Output::of(&new).unwrap(), Output::File(new));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_open_is_added_to_and_not_replaced() {
        use std::os::fd::AsRawFd as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.csv");
        fs::write(&path, "before\n").unwrap();
        let open = OpenOptions::new().append(true).open(&path).unwrap();
        let name = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        let output = Output::of(&name).unwrap();
        assert_eq!(output, Output::Stream(name));
        output.write(b"after\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\nafter\n");
    }
}
