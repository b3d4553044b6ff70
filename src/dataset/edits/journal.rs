//! The journal: one line of JSON per entry, only ever appended to, on disk before it counts.
//!
//! It lies with its lock and the backups in a folder beside the CSV, and is never made smaller:
//! undo reaches back to the first edit. 100,000 edits are some 20 MB.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::{Entry, Opened, State, real};

/// The format that this version writes, and the newest that it reads.
const VERSION: u32 = 1;
const JOURNAL: &str = "journal.jsonl";
const LOCK: &str = "lock";

/// The folder of the journal, the lock and the backups of a CSV: `garments.csv.edits` beside it. Who
/// renames the CSV renames it, too.
pub fn folder_of(csv: &Path) -> PathBuf {
    let mut folder = real(csv).unwrap_or_else(|_| csv.to_path_buf()).into_os_string();
    folder.push(".edits");
    folder.into()
}

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct Header {
    tasklens_edits: u32,
}

/// The journal of one CSV. The window that opens it first writes; others can only read.
#[derive(Debug)]
pub struct Journal {
    csv: PathBuf,
    file: PathBuf,
    /// Bytes of whole lines that were read or written.
    length: u64,
    access: Access,
}

#[derive(Debug)]
enum Access {
    /// `is_torn`: an append failed, so that part of a line may follow the whole ones.
    Open { journal: File, _lock: Option<File>, is_torn: bool },
    /// Nothing is on disk yet; the first append makes it.
    NotYet,
    /// Why nothing can be written.
    Denied(String),
}

impl Journal {
    /// Reads the journal of a CSV and locks it. Makes nothing on disk where there is no journal yet.
    /// What a killed program left unfinished at the end is cut off: it was never reported as saved.
    ///
    /// # Errors
    /// The journal is there but cannot be read, or a newer version wrote it.
    pub fn open(csv: &Path) -> anyhow::Result<Opened> {
        let folder = folder_of(csv);
        let (csv, file) = (csv.to_path_buf(), folder.join(JOURNAL));
        let mut journal = Self { csv, file, length: 0, access: Access::NotYet };
        let mut warnings = Vec::new();
        if !folder.is_dir() {
            return Ok(Opened { state: State::default(), journal, warnings });
        }
        // First the lock, so that nobody appends what is not read here.
        journal.access = journal.take(&mut warnings).unwrap_or_else(Access::Denied);
        let bytes = match fs::read(&journal.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            bytes => bytes.with_context(|| format!("{} cannot be read", journal.file.display()))?,
        };
        let mut state = State::default();
        journal.length = read(&bytes, &journal.file, &mut state, &mut warnings)?;
        state.forget_saved();
        journal.mend(&bytes);
        Ok(Opened { state, journal, warnings })
    }

    /// Why edits cannot be kept, and what to do; `None` where they can.
    pub fn denied(&self) -> Option<&str> {
        match &self.access {
            Access::Denied(why) => Some(why),
            _ => None,
        }
    }

    /// The file that the entries are in.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Appends entries with one write and one sync; when it returns they are on the disk.
    ///
    /// # Errors
    /// [`Journal::denied`], or any I/O error: then none of the entries is kept, and the same ones can be
    /// appended again, as when the disk was full.
    pub fn append(&mut self, entries: &[Entry]) -> anyhow::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        if matches!(self.access, Access::NotYet) {
            self.begin()?;
        }
        let (file, length) = (&self.file, self.length);
        let (journal, is_torn) = match &mut self.access {
            Access::Open { journal, is_torn, .. } => (journal, is_torn),
            Access::Denied(why) => bail!("{why}"),
            Access::NotYet => bail!("{} cannot be made", file.display()),
        };
        // By its path: a file that was deleted takes bytes, too, and loses them.
        let found = fs::metadata(file).map(|metadata| metadata.len());
        if !found.as_ref().is_ok_and(|found| *found == length || *is_torn) {
            bail!(
                "{} was moved, deleted or changed by another program; put it back, or open the project anew and make the last edits again",
                file.display()
            );
        }
        let bytes = to_lines(entries, length == 0)?;
        *is_torn = true;
        let written = append(journal, length, &bytes);
        written.with_context(|| {
            // Best effort: the next append and the next opening cut it off, too.
            let _ = journal.set_len(length);
            format!("the edits cannot be kept in {}", file.display())
        })?;
        *is_torn = false;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes the folder, the lock and the journal.
    fn begin(&mut self) -> anyhow::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        match fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                bail!("{}", self.advice(&error));
            }
            _ => {}
        }
        sync_folder(folder.parent())?;
        let access = self.take(&mut Vec::new()).map_err(anyhow::Error::msg)?;
        if fs::metadata(&self.file)?.len() > 0 {
            bail!(
                "the labels of {} were edited in another window meanwhile; open the project anew to go on from there",
                self.csv.display()
            );
        }
        self.access = access;
        Ok(())
    }

    /// Locks and opens the journal; the folder is there. The error tells why not and what to do.
    fn take(&self, warnings: &mut Vec<String>) -> Result<Access, String> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let open = |name: &str| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).open(folder.join(name))
        };
        let lock = open(LOCK).map_err(|error| self.advice(&error))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(TryLockError::WouldBlock) => {
                return Err(format!(
                    "the labels of {} are being edited in another window of Tasklens; edit there, or close it and open the project here anew",
                    self.csv.display()
                ));
            }
            // Some network disks know no locks; that is no reason to refuse all work on them.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                warnings.push(format!(
                    "{} cannot be locked on this disk; do not edit these labels in two windows at once",
                    folder.display()
                ));
                None
            }
            Err(TryLockError::Error(error)) => return Err(self.advice(&error)),
        };
        let journal = open(JOURNAL).map_err(|error| self.advice(&error))?;
        sync_folder(Some(folder)).map_err(|error| self.advice(&error))?;
        Ok(Access::Open { journal, _lock: lock, is_torn: false })
    }

    /// Ends the last line where it is whole but for its end, and cuts off what is not.
    fn mend(&mut self, bytes: &[u8]) {
        let end = bytes.len() as u64;
        let Access::Open { journal, .. } = &mut self.access else { return };
        let mended = if self.length < end {
            journal.set_len(self.length).and_then(|()| journal.sync_data())
        } else if end > 0 && !bytes.ends_with(b"\n") {
            append(journal, end, b"\n").map(|()| self.length += 1)
        } else {
            Ok(())
        };
        if let Err(error) = mended {
            self.access = Access::Denied(self.advice(&error));
        }
    }

    fn advice(&self, error: &io::Error) -> String {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        format!(
            "label edits cannot be kept in {} ({error}); make that folder writable, or copy the CSV to a folder of yours and open it there",
            folder.display()
        )
    }
}

/// Takes every whole line into `state` and returns the bytes that they cover.
fn read(bytes: &[u8], file: &Path, state: &mut State, warnings: &mut Vec<String>) -> anyhow::Result<u64> {
    let mut length = 0;
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let is_ended = line.ends_with(b"\n");
        let damage = match serde_json::from_slice::<Entry>(line) {
            Ok(entry) => state.replay(entry).err(),
            Err(error) => match serde_json::from_slice::<Header>(line) {
                Ok(Header { tasklens_edits: VERSION }) => None,
                Ok(Header { tasklens_edits: version }) => bail!(
                    "{} was written by a newer Tasklens (format {version}, this one reads {VERSION}); install the newest version to edit these labels",
                    file.display()
                ),
                Err(_) if !is_ended => return Ok(length),
                Err(_) if line.trim_ascii().is_empty() => None,
                Err(_) => Some(format!("it is damaged ({error})")),
            },
        };
        if let Some(damage) = damage {
            let place = format!("{}, line {}", file.display(), index + 1);
            warnings.push(format!("{place}: this label edit is passed over, {damage}"));
        }
        length += line.len() as u64;
    }
    Ok(length)
}

fn to_lines(entries: &[Entry], is_first: bool) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if is_first {
        serde_json::to_writer(&mut bytes, &Header { tasklens_edits: VERSION })?;
        bytes.push(b'\n');
    }
    for entry in entries {
        serde_json::to_writer(&mut bytes, entry)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// Cuts the file to `length`, writes there and syncs.
fn append(file: &mut File, length: u64, bytes: &[u8]) -> io::Result<()> {
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length))?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// A new file is only safe once its folder is.
fn sync_folder(folder: Option<&Path>) -> io::Result<()> {
    match folder {
        #[cfg(unix)]
        Some(folder) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
