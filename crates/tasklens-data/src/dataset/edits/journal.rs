//! The journal: one line of JSON per entry, appended, on disk before it counts.
//!
//! It is stored with its lock and the backups in a folder beside the CSV. Undo reaches back to the first edit: many
//! entries are compacted into a snapshot, which keeps every step.

mod hold;
mod lines;
mod snapshot;
mod step_line;

use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Entry, State, real};
use crate::files::{self, disk};
use hold::{Hold, Obstacle};
use lines::JournalLines;

const JOURNAL: &str = "journal.jsonl";
const LOCK: &str = "lock";
/// Bytes of entries (some 25,000 label edits) that make a snapshot worthwhile.
const WORTH_A_SNAPSHOT: u64 = 4 << 20;

/// The folder of the journal, the lock and the backups of a CSV: `garments.csv.edits` beside it. If you rename the
/// CSV, rename the folder, too.
pub fn folder_of(csv: &Path) -> PathBuf {
    let mut folder = real(csv).unwrap_or_else(|_| csv.to_path_buf()).into_os_string();
    folder.push(".edits");
    folder.into()
}

/// The journal of one CSV. The first window to open it can write; others can only read.
#[derive(Debug)]
pub struct Journal {
    csv: PathBuf,
    file: PathBuf,
    /// Bytes of complete lines read or written.
    length: u64,
    /// Bytes of the snapshot among them, with the header.
    snapshot: u64,
    /// Some of it could not be read, and may still be repaired by hand.
    is_damaged: bool,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Held(Hold),
    /// Nothing is on disk yet; the first append creates it.
    NotYet,
    /// Why nothing can be written.
    Denied(String),
}

/// A journal with its content.
#[derive(Debug)]
pub struct OpenedJournal {
    /// The state after all entries.
    pub state: State,
    /// The journal for further entries.
    pub journal: Journal,
    /// Warnings about damaged lines, each with file and line, and about an unreliable lock.
    pub warnings: Vec<String>,
}

/// Why entries were not appended (none of them was).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Temporary: a retry may succeed, for example when the disk was full.
    #[error("{0}")]
    ForNow(String),
    /// Permanent: another window has edited these labels since they were read.
    #[error("{0}")]
    ForGood(String),
}

impl Journal {
    /// Reads the journal of a CSV and locks it. Creates nothing on disk if there is no journal yet. An incomplete
    /// last line of a killed program is cut off: it was never reported as kept. [`Journal::denied`] tells whether it
    /// is read-only.
    ///
    /// # Errors
    /// The journal exists but cannot be read, or was written by a newer version.
    pub fn open(csv: &Path) -> anyhow::Result<OpenedJournal> {
        let mut journal = Self::at(csv);
        let mut warnings = Vec::new();
        match fs::symlink_metadata(journal.folder()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // Lock first, so that nothing is appended that is not read here.
            Ok(found) if found.is_dir() => {
                journal.access = match Hold::take(journal.folder(), &mut warnings) {
                    Ok(hold) => Access::Held(hold),
                    Err(obstacle) => Access::Denied(journal.words(&obstacle)),
                };
            }
            // A link or a file in its place is neither followed nor replaced. The first append reports it.
            _ => return Ok(OpenedJournal { state: State::default(), journal, warnings }),
        }
        let mut lines = lines::read(&journal.file)?;
        journal.is_damaged = !lines.warnings.is_empty();
        warnings.append(&mut lines.warnings);
        (journal.length, journal.snapshot) = (lines.whole, lines.snapshot);
        journal.mend(&lines);
        Ok(OpenedJournal { state: lines.state, journal, warnings })
    }

    /// The state in the journal of a CSV, read-only: nothing is locked, created or repaired.
    ///
    /// # Errors
    /// The journal exists but cannot be read, or was written by a newer version.
    pub fn look(csv: &Path) -> anyhow::Result<State> {
        let journal = Self::at(csv);
        let is_folder = fs::symlink_metadata(journal.folder()).is_ok_and(|found| found.is_dir());
        Ok(if is_folder { lines::read(&journal.file)?.state } else { State::default() })
    }

    fn at(csv: &Path) -> Self {
        let file = folder_of(csv).join(JOURNAL);
        let csv = csv.to_path_buf();
        Self { csv, file, length: 0, snapshot: 0, is_damaged: false, access: Access::NotYet }
    }

    /// Why edits cannot be kept, and what to do; `None` if they can.
    pub fn denied(&self) -> Option<&str> {
        match &self.access {
            Access::Denied(why) => Some(why),
            _ => None,
        }
    }

    /// The path of the journal file; it may not exist yet.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Locks the journal, creating it if needed, as the first append would.
    ///
    /// # Errors
    /// It cannot be locked or created.
    pub fn claim(&mut self) -> Result<(), Refusal> {
        match &self.access {
            Access::Held(_) => Ok(()),
            Access::Denied(why) => Err(Refusal::ForNow(why.clone())),
            Access::NotYet => self.begin(),
        }
    }

    /// Appends entries with one write and one sync; when it returns, they are on disk.
    ///
    /// # Errors
    /// The entries could not be kept, none of them.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), Refusal> {
        if entries.is_empty() {
            return Ok(());
        }
        self.claim()?;
        self.follow()?;
        let (file, folder, length) = (&self.file, folder(&self.file), self.length);
        let Access::Held(hold) = &mut self.access else { return Err(moved(file)) };
        let cannot = |error: io::Error| {
            Refusal::ForNow(format!("the edits cannot be kept in {}: {error}", file.display()))
        };
        hold.confirm_name(folder).map_err(cannot)?;
        let bytes = lines::to_bytes(entries, length == 0).map_err(cannot)?;
        hold.append(length, &bytes).map_err(cannot)?;
        // Bytes written to a file that was unlinked meanwhile would be lost with it.
        if !hold.has_names(folder) {
            return Err(moved(file));
        }
        hold.confirm();
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Whether enough entries have come since the last snapshot for a new one to pay off.
    pub fn wants_snapshot(&self) -> bool {
        let entries = self.length - self.snapshot;
        matches!(self.access, Access::Held(_))
            && !self.is_damaged
            && entries >= WORTH_A_SNAPSHOT.max(self.snapshot / 2)
    }

    /// Compacts all entries into a snapshot of `state`, which must be their result; returns whether that was
    /// possible. The new journal is read back and compared before it replaces the old one. Nothing is lost if it
    /// fails.
    ///
    /// # Errors
    /// A disk error, or the journal is not locked or was moved.
    pub fn take_snapshot(&mut self, state: &State) -> Result<bool, Refusal> {
        if self.is_damaged || self.length == 0 || !snapshot::can_hold(state) {
            return Ok(false);
        }
        self.follow()?;
        let Access::Held(hold) = &mut self.access else { return Err(moved(&self.file)) };
        let (path, mut length) = (&self.file, 0);
        let write = |file: &mut files::Sink<'_>| {
            let mut buffered = BufWriter::with_capacity(1 << 20, file);
            lines::write_snapshot(state, &mut buffered)?;
            buffered.flush()
        };
        let check = |file: &mut fs::File| {
            let read = lines::read_from(file, path).map_err(io::Error::other)?;
            length = read.whole;
            match read.warnings.is_empty() && read.bytes == read.whole && read.state.is_same_as(state) {
                true => Ok(()),
                false => Err(io::Error::other("it differs from the label edits")),
            }
        };
        let (file, unconfirmed) = files::replace_open(path, write, check).map_err(|error| {
            Refusal::ForNow(format!("no snapshot of {} can be written: {error}", path.display()))
        })?;
        hold.go_on_in(file, unconfirmed.is_none());
        (self.length, self.snapshot) = (length, length);
        Ok(true)
    }

    fn folder(&self) -> &Path {
        folder(&self.file)
    }

    /// Creates the folder, the lock and the journal.
    fn begin(&mut self) -> Result<(), Refusal> {
        let folder = self.folder();
        let is_new = match disk::create_folder(folder) {
            Ok(is_new) => is_new,
            Err(error) => return Err(Refusal::ForNow(self.advice(&error))),
        };
        let is_folder = fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir());
        if !is_folder {
            let error = io::Error::new(ErrorKind::AlreadyExists, "there is a file or a link of that name");
            return Err(Refusal::ForNow(self.advice(&error)));
        }
        let parent = folder.parent().map_or(Ok(()), disk::sync_folder);
        let hold = parent.map_err(Obstacle::Disk).and_then(|()| Hold::take(folder, &mut Vec::new()));
        let hold = match hold {
            Ok(hold) => hold,
            Err(Obstacle::Held) => return Err(Refusal::ForGood(self.words(&Obstacle::Held))),
            Err(obstacle) => return Err(Refusal::ForNow(self.words(&obstacle))),
        };
        if !is_new && hold.length().is_ok_and(|length| length > 0) {
            return Err(Refusal::ForGood(format!(
                "the labels of {} were edited in another window meanwhile; open the project again to continue from there",
                self.csv.display()
            )));
        }
        self.access = Access::Held(hold);
        Ok(())
    }

    /// Verifies that the paths on disk lead to the open files, or to restored files with the same bytes.
    fn follow(&mut self) -> Result<(), Refusal> {
        let (folder, length) = (folder(&self.file).to_path_buf(), self.length);
        let Access::Held(hold) = &mut self.access else { return Err(moved(&self.file)) };
        let is_as_left = hold.is_torn() || hold.length().is_ok_and(|found| found == length);
        if is_as_left && hold.has_names(&folder) {
            return Ok(());
        }
        match hold.follow(&folder, length) {
            Ok(true) => Ok(()),
            Ok(false) => Err(moved(&self.file)),
            Err(obstacle) => Err(Refusal::ForNow(self.words(&obstacle))),
        }
    }

    /// Completes a last line that only lacks its line break, and cuts off an incomplete one.
    fn mend(&mut self, lines: &JournalLines) {
        let Access::Held(hold) = &mut self.access else { return };
        if !lines.is_ours {
            self.access = Access::Denied(format!(
                "{} is not a journal of label edits; move it elsewhere and open the project again",
                self.file.display()
            ));
            return;
        }
        let mended = if lines.whole < lines.bytes {
            hold.cut(lines.whole)
        } else if lines.lacks_end {
            hold.append(self.length, b"\n").map(|()| {
                hold.confirm();
                self.length += 1;
            })
        } else {
            Ok(())
        };
        if let Err(error) = mended {
            self.access = Access::Denied(self.advice(&error));
        }
    }

    fn words(&self, obstacle: &Obstacle) -> String {
        match obstacle {
            Obstacle::Held => format!(
                "the labels of {} are being edited in another window of Tasklens; edit there, or close it and open the project here again",
                self.csv.display()
            ),
            Obstacle::Disk(error) => self.advice(error),
        }
    }

    fn advice(&self, error: &io::Error) -> String {
        format!(
            "label edits cannot be kept in {} ({error}); make that folder writable, or copy the CSV to a folder of yours and open it there",
            self.folder().display()
        )
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

fn moved(file: &Path) -> Refusal {
    Refusal::ForNow(format!(
        "{} was moved, deleted or changed by another program; put it back, or open the project again and repeat the last edits",
        file.display()
    ))
}
