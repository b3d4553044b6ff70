//! Reads and writes the lines of a journal.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::{snapshot, step_line};
use crate::dataset::edits::{Entry, State};

/// The newest format that this version reads; journals with a snapshot have it.
const VERSION: u32 = 2;

/// The format of journals without a snapshot, which earlier versions can read.
const PLAIN: u32 = 1;

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct JournalHeader {
    tasklens_edits: u32,
}

/// The content of a journal.
#[derive(Debug, Default)]
pub(super) struct JournalLines {
    pub state: State,
    /// Bytes of its complete lines, the last one with or without a line break.
    pub whole: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Its last complete line lacks its line break.
    pub lacks_end: bool,
    /// Warnings about damaged lines, each with file and line.
    pub warnings: Vec<String>,
    /// Whether it is recognisably a journal, or empty.
    pub is_ours: bool,
    /// Bytes up to the end of its snapshot; 0 without one.
    pub snapshot: u64,
}

/// Reads a journal; a missing one is empty. Only a regular file is read, and no link is followed.
///
/// # Errors
/// It exists but cannot be read, or was written by a newer version.
pub(super) fn read(file: &Path) -> anyhow::Result<JournalLines> {
    let cannot = || format!("{} cannot be read", file.display());
    match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(JournalLines { is_ours: true, ..JournalLines::default() });
        }
        found if !found.as_ref().is_ok_and(std::fs::Metadata::is_file) => {
            found.with_context(cannot)?;
            bail!("{} is not a regular file; remove it, or move it elsewhere", file.display());
        }
        _ => {}
    }
    read_from(File::open(file).with_context(cannot)?, file)
}

/// Reads an open journal; `file` is for messages.
///
/// # Errors
/// It cannot be read, or was written by a newer version.
pub(super) fn read_from(open: impl Read, file: &Path) -> anyhow::Result<JournalLines> {
    let mut reader = BufReader::with_capacity(1 << 20, open);
    let (mut lines, mut line, mut number) = (JournalLines::default(), Vec::new(), 0);
    let mut snapshot = snapshot::SnapshotReader::default();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        if read.with_context(|| format!("{} cannot be read", file.display()))? == 0 {
            break;
        }
        number += 1;
        lines.bytes += line.len() as u64;
        if line.starts_with(snapshot::START) && line.ends_with(b"\n") {
            lines.take_snapshot(&line, number, file, &mut snapshot);
        } else {
            lines.take(&line, number, file)?;
        }
    }
    if snapshot.lost > 0 {
        lines.warnings.push(format!(
            "{}: {} label edits are skipped, because their image, task or label is in a damaged line",
            file.display(),
            snapshot.lost
        ));
    }
    lines.is_ours |= lines.bytes == 0;
    Ok(lines)
}

impl JournalLines {
    fn take_snapshot(
        &mut self,
        line: &[u8],
        number: u64,
        file: &Path,
        snapshot: &mut snapshot::SnapshotReader,
    ) {
        match snapshot.take(line, &mut self.state) {
            Ok(()) => self.is_ours = true,
            Err(damage) => self.warnings.push(format!(
                "{}, line {number}: the label edits in this line, which may be thousands, are skipped, because it is damaged ({damage})",
                file.display()
            )),
        }
        self.whole = self.bytes;
        self.snapshot = self.bytes;
        self.lacks_end = false;
    }

    fn take(&mut self, line: &[u8], number: u64, file: &Path) -> anyhow::Result<()> {
        let is_ended = line.ends_with(b"\n");
        if step_line::take(line, &mut self.state) {
            self.is_ours = true;
            self.whole = self.bytes;
            self.lacks_end = !is_ended;
            return Ok(());
        }
        let damage = match serde_json::from_slice::<Entry>(line) {
            Ok(entry) => {
                self.is_ours = true;
                self.state.replay(entry).err()
            }
            Err(error) => match serde_json::from_slice::<JournalHeader>(line) {
                Ok(JournalHeader { tasklens_edits: 1..=VERSION }) => {
                    self.is_ours = true;
                    None
                }
                Ok(JournalHeader { tasklens_edits: version }) => bail!(
                    "{} was written by a newer Tasklens (format {version}, this one reads {VERSION}); install the newest version to edit these labels",
                    file.display()
                ),
                // An incomplete last line was never reported as kept.
                Err(_) if !is_ended => {
                    let is_start = |version| header(version).as_bytes().starts_with(line);
                    self.is_ours |= number == 1 && (1..=VERSION).any(is_start);
                    return Ok(());
                }
                Err(_) if line.trim_ascii().is_empty() => None,
                Err(_) => Some(format!("it is damaged ({error})")),
            },
        };
        if let Some(damage) = damage {
            let place = format!("{}, line {number}", file.display());
            self.warnings.push(format!("{place}: this label edit is skipped, {damage}"));
        }
        self.whole = self.bytes;
        self.lacks_end = !is_ended;
        Ok(())
    }
}

/// The first line of a journal.
fn header(version: u32) -> String {
    format!("{{\"tasklens_edits\":{version}}}\n")
}

/// Writes a journal that consists of a snapshot.
///
/// # Errors
/// I/O errors.
pub(super) fn write_snapshot(state: &State, file: &mut impl Write) -> io::Result<()> {
    file.write_all(header(VERSION).as_bytes())?;
    snapshot::write(state, file)
}

/// Serialises entries; the `first` ones of a journal are preceded by the header.
pub(super) fn to_bytes(entries: &[Entry], first: bool) -> io::Result<Vec<u8>> {
    let mut bytes = if first { header(PLAIN).into_bytes() } else { Vec::new() };
    for entry in entries {
        serde_json::to_writer(&mut bytes, entry)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
