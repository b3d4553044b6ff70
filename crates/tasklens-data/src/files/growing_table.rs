//! A CSV that grows by rows, each of which is whole and on disk before it is told of.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::{Locked, disk, has_name};

/// See the module's documentation. One process writes to it at a time.
#[derive(Debug)]
pub struct GrowingTable {
    path: PathBuf,
    header: Vec<String>,
    file: Locked,
    /// Its length, without what could not be written whole.
    length: u64,
}

impl GrowingTable {
    /// Opens a table with this header, or begins it. Also returns the first cell of each row that it has. A row that was
    /// not written to its end is cut off.
    ///
    /// # Errors
    /// It is no table of ours, another process writes to it, or it cannot be written.
    pub fn open(path: &Path, header: &[String]) -> anyhow::Result<(Self, Vec<String>)> {
        let cannot = || format!("{} cannot be written", path.display());
        let file = disk::open_ours(path).with_context(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                bail!("{} is being written by another process: name another file", path.display())
            }
            // A file system without locks.
            Err(std::fs::TryLockError::Error(_)) => {}
        }
        let (path, header) = (path.to_path_buf(), header.to_vec());
        let mut table = Self { path, header, file: Locked::new(file), length: 0 };
        let first_cells = table.read()?;
        if table.length == 0 {
            table.append(&[table.header.clone()])?;
        }
        Ok((table, first_cells))
    }

    fn read(&mut self) -> anyhow::Result<Vec<String>> {
        let mut bytes = Vec::new();
        self.file
            .read_to_end(&mut bytes)
            .with_context(|| format!("{} cannot be read", self.path.display()))?;
        let (whole, first_cells) = whole_rows(&bytes, &self.header).with_context(|| {
            format!("{} has other columns than these answers: name another file", self.path.display())
        })?;
        disk::set_length(&self.file, whole)
            .with_context(|| format!("{} cannot be written", self.path.display()))?;
        self.length = whole;
        Ok(first_cells)
    }

    /// Appends rows. They are on disk when this returns; if it fails, none of them is there.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn append(&mut self, rows: &[Vec<String>]) -> anyhow::Result<()> {
        if self.length > 0 && !has_name(&self.file, &self.path) {
            // Somebody has moved it away: what comes now begins another one.
            let (table, first_cells) = Self::open(&self.path.clone(), &self.header.clone())?;
            ensure!(first_cells.is_empty(), "{} is another file now: start again", self.path.display());
            *self = table;
        }
        let bytes = lines(rows)?;
        let cannot = || format!("{} cannot be written", self.path.display());
        self.file.seek(SeekFrom::Start(self.length)).with_context(cannot)?;
        let written = disk::write(&mut self.file, &bytes).and_then(|()| disk::sync(&self.file));
        if written.is_err() {
            // What was written halfway is cut off at the latest when it is opened again.
            let _ = disk::set_length(&self.file, self.length);
        }
        written.with_context(cannot)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Bytes of the rows that are whole, and the first cell of each but the header.
///
/// # Errors
/// The header is another one.
fn whole_rows(bytes: &[u8], header: &[String]) -> anyhow::Result<(u64, Vec<String>)> {
    let head = lines(&[header.to_vec()])?;
    if bytes.len() < head.len() && head.starts_with(bytes) {
        return Ok((0, Vec::new()));
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let (mut whole, mut first_cells) = (0, Vec::new());
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let mut end = reader.position().byte() as usize;
        // The reader stops between the two bytes of a line end of Windows.
        if bytes[..end].ends_with(b"\r") && bytes.get(end) == Some(&b'\n') {
            end += 1;
        }
        let is_closed = bytes[whole..end].iter().filter(|byte| **byte == b'"').count() % 2 == 0;
        let is_whole = record.len() == header.len() && is_closed && bytes[..end].ends_with(b"\n");
        if whole == 0 {
            ensure!(record.iter().eq(header), "its first line is another one");
        } else if end == bytes.len() && !is_whole {
            break;
        } else {
            first_cells.extend(record.get(0).map(str::to_owned));
        }
        whole = end;
    }
    Ok((whole as u64, first_cells))
}

fn lines(rows: &[Vec<String>]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    Ok(writer.into_inner().map_err(|error| error.into_error())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::fault::{DiskFault, inject};

    fn header() -> Vec<String> {
        ["image", "print"].map(str::to_owned).to_vec()
    }

    fn row(name: &str) -> Vec<String> {
        vec![name.to_owned(), "a, \"b\"\nc".to_owned()]
    }

    #[test]
    fn rows_are_there_again_and_half_a_row_is_cut_off_wherever_it_breaks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let (mut table, none) = GrowingTable::open(&path, &header()).unwrap();
        assert!(none.is_empty());
        table.append(&[row("1"), row("2")]).unwrap();
        drop(table);
        let two = std::fs::read(&path).unwrap();
        let (mut table, names) = GrowingTable::open(&path, &header()).unwrap();
        assert_eq!(names, ["1", "2"]);
        table.append(&[row("3")]).unwrap();
        drop(table);
        let three = std::fs::read(&path).unwrap();
        for end in two.len() + 1..three.len() {
            std::fs::write(&path, &three[..end]).unwrap();
            let (mut table, names) = GrowingTable::open(&path, &header()).unwrap();
            assert_eq!(names, ["1", "2"], "{end}");
            table.append(&[row("3")]).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), three, "{end}");
        }
        for end in 0..two.iter().position(|byte| *byte == b'\n').unwrap() {
            std::fs::write(&path, &two[..end]).unwrap();
            let (mut table, names) = GrowingTable::open(&path, &header()).unwrap();
            assert!(names.is_empty());
            table.append(&[row("1"), row("2")]).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), two, "{end}");
        }
    }

    #[test]
    fn another_table_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        for other in ["image,sleeves\n1,a\n", "a text\n", "image,print,more\n", "x"] {
            std::fs::write(&path, other).unwrap();
            let error = GrowingTable::open(&path, &header()).unwrap_err();
            assert!(format!("{error:#}").contains("other columns"), "{error:#}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
        }
    }

    #[test]
    fn one_process_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let first = GrowingTable::open(&path, &header()).unwrap();
        let error = GrowingTable::open(&path, &header()).unwrap_err();
        assert!(error.to_string().contains("another process"), "{error}");
        drop(first);
        GrowingTable::open(&path, &header()).unwrap();
    }

    #[test]
    fn a_table_that_was_moved_away_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let (mut table, _) = GrowingTable::open(&path, &header()).unwrap();
        table.append(&[row("1")]).unwrap();
        std::fs::rename(&path, folder.path().join("old.csv")).unwrap();
        table.append(&[row("2")]).unwrap();
        drop(table);
        assert_eq!(GrowingTable::open(&path, &header()).unwrap().1, ["2"]);
        assert_eq!(GrowingTable::open(&folder.path().join("old.csv"), &header()).unwrap().1, ["1"]);
    }

    #[test]
    fn a_full_disk_leaves_no_half_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let (mut table, _) = GrowingTable::open(&path, &header()).unwrap();
        table.append(&[row("1")]).unwrap();
        const DISK_FULL: i32 = 28;
        for (at, fault) in [(0, DiskFault::Short(DISK_FULL)), (1, DiskFault::Once(DISK_FULL))] {
            let (appended, _) = inject(at, fault, || table.append(&[row("2")]));
            assert!(appended.is_err(), "{at}");
        }
        table.append(&[row("3")]).unwrap();
        drop(table);
        assert_eq!(GrowingTable::open(&path, &header()).unwrap().1, ["1", "3"]);
    }
}
