//! The lines of a journal: reading them one after the other, and writing new ones.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::step_line;
use crate::dataset::edits::{Entry, State};

/// The format that this version writes, and the newest that it reads.
const VERSION: u32 = 1;

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct Header {
    tasklens_edits: u32,
}

/// What a journal holds.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub state: State,
    /// Bytes of its whole lines, with an end or without.
    pub whole: u64,
    /// All its bytes.
    pub bytes: u64,
    /// Its last whole line lacks its end.
    pub lacks_end: bool,
    /// Damaged lines, each with file and line.
    pub warnings: Vec<String>,
    /// Whether it is empty, or something in it is as we write it.
    pub is_ours: bool,
}

/// Reads a journal; an absent one is empty. Only a regular file is read, and no link followed.
///
/// # Errors
/// It is there but cannot be read, or a newer version wrote it.
pub(super) fn read(file: &Path) -> anyhow::Result<Lines> {
    let cannot = || format!("{} cannot be read", file.display());
    match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Lines { is_ours: true, ..Lines::default() });
        }
        found if !found.as_ref().is_ok_and(std::fs::Metadata::is_file) => {
            found.with_context(cannot)?;
            bail!("{} is no regular file; remove it, or move it elsewhere", file.display());
        }
        _ => {}
    }
    let mut reader = BufReader::with_capacity(1 << 20, File::open(file).with_context(cannot)?);
    let (mut lines, mut line, mut number) = (Lines::default(), Vec::new(), 0);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).with_context(cannot)? == 0 {
            break;
        }
        number += 1;
        lines.bytes += line.len() as u64;
        lines.take(&line, number, file)?;
    }
    lines.is_ours |= lines.bytes == 0;
    Ok(lines)
}

impl Lines {
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
            Err(error) => match serde_json::from_slice::<Header>(line) {
                Ok(Header { tasklens_edits: 1..=VERSION }) => {
                    self.is_ours = true;
                    None
                }
                Ok(Header { tasklens_edits: version }) => bail!(
                    "{} was written by a newer Tasklens (format {version}, this one reads {VERSION}); install the newest version to edit these labels",
                    file.display()
                ),
                // Torn off: it was never reported as saved.
                Err(_) if !is_ended => {
                    self.is_ours |= number == 1 && header_line().starts_with(line);
                    return Ok(());
                }
                Err(_) if line.trim_ascii().is_empty() => None,
                Err(_) => Some(format!("it is damaged ({error})")),
            },
        };
        if let Some(damage) = damage {
            let place = format!("{}, line {number}", file.display());
            self.warnings.push(format!("{place}: this label edit is passed over, {damage}"));
        }
        self.whole = self.bytes;
        self.lacks_end = !is_ended;
        Ok(())
    }
}

fn header_line() -> Vec<u8> {
    format!("{{\"tasklens_edits\":{VERSION}}}\n").into_bytes()
}

/// Entries as lines; the `first` ones of a journal have the header before them.
pub(super) fn to_bytes(entries: &[Entry], first: bool) -> io::Result<Vec<u8>> {
    let mut bytes = if first { header_line() } else { Vec::new() };
    for entry in entries {
        serde_json::to_writer(&mut bytes, entry)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
