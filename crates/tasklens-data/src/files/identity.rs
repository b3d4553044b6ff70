//! Detects whether a file has changed or been replaced.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::regular;

/// Two writes within this time may get the same timestamp.
const TICK: Duration = Duration::from_secs(2);
/// Attempts to read before giving up because another program keeps writing the file.
const ATTEMPTS: usize = 5;
/// Maximum size of a table or config.
const MOST: u64 = 1 << 30;

/// Identifies a version of a file: which file it is, its length and its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Device, inode and time of the last status change.
    #[cfg(unix)]
    node: (u64, u64, i64, i64),
}

impl Stamp {
    /// The stamp of the file at this path now, links followed.
    ///
    /// # Errors
    /// It does not exist, or its metadata cannot be read.
    pub fn of(file: &Path) -> io::Result<Self> {
        Ok(Self::of_metadata(&fs::metadata(file)?))
    }

    fn of_metadata(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            node: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a write just after the stamp was taken could go unnoticed.
    fn is_fresh(&self) -> bool {
        self.modified.is_none_or(|modified| modified.elapsed().map_or(true, |age| age < TICK))
    }
}

/// A file as it was read: its bytes with a matching stamp.
#[derive(Clone, Debug)]
pub struct Stamped {
    pub bytes: Vec<u8>,
    /// The stamp at the time of reading.
    pub stamp: Stamp,
}

impl Stamped {
    /// Reads a file consistently.
    ///
    /// # Errors
    /// It is not a regular file, is longer than 1 GiB, cannot be read, or another program keeps writing it.
    pub fn read(path: &Path) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let mut file = regular::open(path)?;
            let before = Stamp::of_metadata(&file.metadata()?);
            let bytes = regular::read_open(&mut file, MOST)?;
            let stamp = Stamp::of_metadata(&file.metadata()?);
            if stamp == before && stamp.bytes == bytes.len() as u64 {
                return Ok(Self { bytes, stamp });
            }
        }
        Err(io::Error::other("another program keeps writing it; try again when that is done"))
    }

    /// Whether the file at this path now is still what was read.
    ///
    /// # Errors
    /// It no longer exists, or cannot be read.
    pub fn is_current(&self, path: &Path) -> io::Result<bool> {
        // The timestamps may be too coarse to distinguish two quick writes.
        if self.stamp.is_fresh() && regular::read(path, MOST)? != self.bytes {
            return Ok(false);
        }
        Ok(Stamp::of(path)? == self.stamp)
    }

    /// SHA-256 of the bytes in hexadecimal.
    pub fn digest(&self) -> String {
        digest(&self.bytes)
    }
}

/// The identity of a file, whatever its name: device and inode, or on other systems its path with all links resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    #[cfg(unix)]
    node: (u64, u64),
    #[cfg(not(unix))]
    path: std::path::PathBuf,
}

impl FileId {
    /// The stamp of the file at this path now, links followed.
    ///
    /// # Errors
    /// It does not exist, or its metadata cannot be read.
    pub fn of(file: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let metadata = fs::metadata(file)?;
            Ok(Self { node: (metadata.dev(), metadata.ino()) })
        }
        #[cfg(not(unix))]
        Ok(Self { path: fs::canonicalize(file)? })
    }
}

/// Whether two names with the same [`FileId`] are one file. Some network file systems give several files the same
/// inode, so it must be reached through links or have several hard links.
pub fn is_one_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    let has_names = || {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(a).is_ok_and(|metadata| metadata.nlink() > 1)
    };
    #[cfg(not(unix))]
    let has_names = || false;
    fs::canonicalize(a).ok().zip(fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b) || has_names()
}

/// SHA-256 of bytes, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the path still leads to this open file, and not to a link or a replacement.
pub fn has_name(file: &File, path: &Path) -> bool {
    let is_file = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let handle = |file: io::Result<File>| file.and_then(same_file::Handle::from_file);
    // Opening a regular file does not block.
    is_file && handle(file.try_clone()).ok().zip(handle(File::open(path)).ok()).is_some_and(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_same_bytes_in_its_place_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&path, "same").unwrap();
        let file = File::open(&path).unwrap();
        let read = Stamped::read(&path).unwrap();
        assert!(has_name(&file, &path) && read.is_current(&path).unwrap());
        fs::write(&copy, "same").unwrap();
        fs::rename(&copy, &path).unwrap();
        assert!(!has_name(&file, &path));
        assert!(!read.is_current(&path).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_one_by_all_of_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let [a, link, hard, copy] = ["a", "link", "hard", "copy"].map(|name| dir.path().join(name));
        fs::write(&a, "same").unwrap();
        fs::write(&copy, "same").unwrap();
        std::os::unix::fs::symlink(&a, &link).unwrap();
        let id = |path: &Path| FileId::of(path).unwrap();
        assert!(id(&a) == id(&link) && id(&a) != id(&copy));
        assert!(is_one_file(&a, &link) && !is_one_file(&a, &copy), "a number alone proves nothing");
        fs::hard_link(&a, &hard).unwrap();
        assert!(id(&a) == id(&hard) && is_one_file(&a, &hard));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_file_is_not_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (path, away) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&path, "text").unwrap();
        let file = File::open(&path).unwrap();
        fs::rename(&path, &away).unwrap();
        std::os::unix::fs::symlink(&away, &path).unwrap();
        assert!(!has_name(&file, &path) && has_name(&file, &away));
    }

    #[test]
    fn a_write_of_the_same_length_in_the_same_tick_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "ours").unwrap();
        let read = Stamped::read(&path).unwrap();
        fs::write(&path, "them").unwrap();
        // As a disk with a clock of seconds would have it.
        let same = Stamped { stamp: Stamp::of(&path).unwrap(), ..read };
        assert!(!same.is_current(&path).unwrap());
    }
}
