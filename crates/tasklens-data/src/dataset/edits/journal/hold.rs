//! An open journal: its lock, its file, and whether both still are what their paths lead to.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::{JOURNAL, LOCK};
use crate::files::{self, Locked, disk};

/// A journal that this process has locked for writing.
#[derive(Debug)]
pub(super) struct Hold {
    journal: File,
    lock: Locked,
    /// An append failed, so an incomplete line may follow the complete ones.
    is_torn: bool,
    /// The disk has not confirmed the rename: a power failure may bring back the previous file.
    is_unconfirmed: bool,
}

/// Why there is no [`Hold`].
#[derive(Debug)]
pub(super) enum Obstacle {
    /// Another process has locked it.
    Held,
    /// An I/O error.
    Disk(io::Error),
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Hold {
    /// Locks and opens the journal of an existing folder, creating missing files. A warning about an unreliable lock
    /// goes to `warnings`.
    pub fn take(folder: &Path, warnings: &mut Vec<String>) -> Result<Self, Obstacle> {
        let lock = take_lock(folder, warnings)?;
        let journal = disk::open_ours(&folder.join(JOURNAL))?;
        disk::sync_folder(folder)?;
        Ok(Self { journal, lock, is_torn: false, is_unconfirmed: false })
    }

    /// Whether an incomplete line may follow the complete ones.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// Size of the open file in bytes.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.journal.metadata()?.len())
    }

    /// Writes `bytes` at offset `length`, replacing what follows, and waits for the disk. After an error the file
    /// ends where it did, or with an incomplete line.
    pub fn append(&mut self, length: u64, bytes: &[u8]) -> io::Result<()> {
        self.is_torn = true;
        let written = self.write(length, bytes);
        if written.is_err() {
            // Best effort: the next append and the next opening cut it off, too.
            let _ = disk::set_length(&self.journal, length);
        }
        written
    }

    fn write(&mut self, length: u64, bytes: &[u8]) -> io::Result<()> {
        if self.journal.metadata()?.len() != length {
            disk::set_length(&self.journal, length)?;
        }
        self.journal.seek(SeekFrom::Start(length))?;
        disk::write(&mut self.journal, bytes)?;
        disk::sync(&self.journal)
    }

    /// Continues in a file that has replaced the previous one.
    pub fn go_on_in(&mut self, journal: File, is_confirmed: bool) {
        self.journal = journal;
        self.is_torn = false;
        self.is_unconfirmed = !is_confirmed;
    }

    /// Ensures that the directory entry is on disk: otherwise appended data could be lost with it.
    pub fn confirm_name(&mut self, folder: &Path) -> io::Result<()> {
        if self.is_unconfirmed {
            disk::sync_folder(folder)?;
            self.is_unconfirmed = false;
        }
        Ok(())
    }

    /// Marks the appended lines as complete.
    pub fn confirm(&mut self) {
        self.is_torn = false;
    }

    /// Cuts off what follows the complete lines.
    pub fn cut(&mut self, length: u64) -> io::Result<()> {
        disk::set_length(&self.journal, length)?;
        disk::sync(&self.journal)
    }

    /// Whether the paths in the folder lead to the open files.
    pub fn has_names(&self, folder: &Path) -> bool {
        files::has_name(&self.journal, &folder.join(JOURNAL))
            && files::has_name(&self.lock, &folder.join(LOCK))
    }

    /// Switches to files that replaced the open ones (a restored folder, `git stash pop`) if the first `length` bytes
    /// are the same. Returns whether they are.
    pub fn follow(&mut self, folder: &Path, length: u64) -> Result<bool, Obstacle> {
        let path = folder.join(JOURNAL);
        if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == length) {
            return Ok(false);
        }
        let lock = match files::has_name(&self.lock, &folder.join(LOCK)) {
            true => None,
            false => Some(take_lock(folder, &mut Vec::new())?),
        };
        let mut journal = disk::open_ours(&path)?;
        if !has_same_bytes(&mut self.journal, &mut journal, length)? {
            return Ok(false);
        }
        disk::sync(&journal)?;
        disk::sync_folder(folder)?;
        self.is_unconfirmed = false;
        self.journal = journal;
        if let Some(lock) = lock {
            self.lock = lock;
        }
        Ok(true)
    }
}

fn take_lock(folder: &Path, warnings: &mut Vec<String>) -> Result<Locked, Obstacle> {
    let path = folder.join(LOCK);
    let lock = Locked::new(disk::open_ours(&path)?);
    let doubt = match lock.try_lock() {
        Ok(()) => files::network_disk(folder).map(|kind| {
            format!("is on a network disk ({kind}), where the lock may not hold for other computers")
        }),
        Err(TryLockError::WouldBlock) => return Err(Obstacle::Held),
        // Not a reason to refuse all work on such a disk.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            Some("cannot be locked on this disk".to_owned())
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    };
    if !files::has_name(&lock, &path) {
        return Err(
            io::Error::other("the lock was replaced by another program; open the project again").into()
        );
    }
    if let Some(doubt) = doubt {
        warnings
            .push(format!("{} {doubt}; do not edit these labels in two places at once", folder.display()));
    }
    Ok(lock)
}

fn has_same_bytes(a: &mut File, b: &mut File, length: u64) -> io::Result<bool> {
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    a.seek(SeekFrom::Start(0))?;
    b.seek(SeekFrom::Start(0))?;
    let mut rest = length;
    while rest > 0 {
        let count = usize::try_from(rest).unwrap_or(usize::MAX).min(left.len());
        a.read_exact(&mut left[..count])?;
        b.read_exact(&mut right[..count])?;
        if left[..count] != right[..count] {
            return Ok(false);
        }
        rest -= count as u64;
    }
    Ok(true)
}
