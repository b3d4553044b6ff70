//! The CSV in memory, which is written back with its delimiter, encoding, quotes, columns and order.
//!
//! The text is kept as in the file, with the positions of its cells; a cell is unquoted on access. So a million rows
//! take a few allocations, and unchanged cells are written back byte for byte.

mod columns;
mod edited;
mod encoding;
mod scan;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::files::{Stamp, Stamped};
use edited::EditedCells;
pub use encoding::Encoding;
pub use scan::DefectKind;
use scan::{Records, Scan};

/// A CSV in memory, with everything needed to write it back unchanged. Cheap to clone: the text is shared.
#[derive(Clone, Debug)]
pub struct Table {
    /// Where it was read from.
    pub path: PathBuf,
    /// The trimmed column names.
    pub headers: Vec<String>,
    /// The encoding of the file.
    pub encoding: Encoding,
    /// The delimiter: `,`, `;`, tab, or given by a first line such as `sep=|`.
    pub delimiter: char,
    /// Identifies this version of the file; `None` if the bytes were not read from it.
    pub stamp: Option<Stamp>,
    text: Arc<String>,
    records: Arc<Records>,
    defects: Arc<Vec<Defect>>,
    edits: EditedCells,
}

/// A row that does not match the header, or with invalid quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The data row (from 0); `None` for the header.
    pub row: Option<usize>,
    /// The physical line in the file, from 1.
    pub line: u64,
    pub kind: DefectKind,
}

impl Table {
    /// Reads a CSV, delimited by comma, semicolon, tab, or as a first line `sep=..` says, in UTF-8, UTF-16 with a
    /// byte order mark, or Windows-1252.
    ///
    /// # Errors
    /// The file cannot be read, is empty, or is not text; the message says what to do.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let read = Stamped::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self { stamp: Some(read.stamp), ..Self::from_bytes(read.bytes, path)? })
    }

    /// Reads the bytes of a CSV as if they were in `path`.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> anyhow::Result<Self> {
        let (text, encoding) =
            encoding::decode(bytes).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
        if text.len() > scan::LONGEST {
            bail!("{} is larger than 4 GB; divide it into several files", path.display());
        }
        let delimiter = scan::detect_delimiter(&text);
        let Scan { records, defects } = scan::scan(&text, delimiter);
        if records.is_empty() {
            bail!(
                "{} is empty; it needs a line with the column names and one row for each image",
                path.display()
            );
        }
        let mut table = Self {
            path: path.to_path_buf(),
            headers: Vec::new(),
            encoding,
            delimiter: char::from(delimiter),
            stamp: None,
            text: Arc::new(text),
            records: Arc::new(records),
            defects: Arc::default(),
            edits: EditedCells::default(),
        };
        let columns = table.records.cells(0).len();
        table.headers = (0..columns).map(|c| table.raw_cell(0, c).trim().to_owned()).collect();
        table.defects = Arc::new(table.find_defects(defects));
        Ok(table)
    }

    /// The number of data rows.
    pub(crate) fn row_count(&self) -> usize {
        self.records.len() - 1
    }

    /// The column with this name, the first if there are several.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name.trim())
    }

    /// The text of a cell, unquoted; empty if the row is too short or does not exist.
    pub fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        match self.edits.get((row + 1, column)) {
            Some(edited) => Cow::Borrowed(edited),
            None => self.raw_cell(row + 1, column),
        }
    }

    /// Changes a cell in memory; [`Table::write_to`] writes it. A row that is too short grows.
    ///
    /// # Errors
    /// There is no such row or column.
    pub fn set_cell(&mut self, row: usize, column: usize, text: &str) -> anyhow::Result<()> {
        if row >= self.row_count() || column >= self.headers.len() {
            bail!("{} has no row {row} with a column {column}", self.path.display());
        }
        if self.raw_cell(row + 1, column) == text {
            self.edits.remove((row + 1, column));
        } else {
            self.edits.insert((row + 1, column), text);
        }
        Ok(())
    }

    /// Renames a column in memory.
    ///
    /// # Errors
    /// There is no such column.
    pub(crate) fn rename_column(&mut self, column: usize, name: &str) -> anyhow::Result<()> {
        let Some(header) = self.headers.get_mut(column) else {
            bail!("{} has no column {column}", self.path.display());
        };
        name.clone_into(header);
        self.edits.insert((0, column), name);
        Ok(())
    }

    /// Adds an empty column at the end, in memory. A row that is too short stays as short as it is.
    ///
    /// # Errors
    /// A row has more cells than the header: one of them would end up in the new column.
    pub(crate) fn add_column(&mut self, name: &str) -> anyhow::Result<()> {
        let (column, rows) = (self.headers.len(), self.row_count());
        if let Some(row) = (0..rows).find(|row| self.field_count(*row) > column) {
            bail!(
                "{}, line {}: this row has more cells than the header, so no column can be added; correct it first",
                self.path.display(),
                self.line_of_row(row)
            );
        }
        for row in (0..rows).filter(|row| self.records.cells(row + 1).len() == column) {
            self.edits.insert((row + 1, column), "");
        }
        self.edits.insert((0, column), name);
        self.headers.push(name.to_owned());
        Ok(())
    }

    /// Whether a cell was edited.
    pub fn is_edited(&self) -> bool {
        !self.edits.is_empty()
    }

    /// Row, column and new text of each edited cell.
    pub(crate) fn edited_cells(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.edits.iter().filter_map(|((record, column), cell)| Some((record.checked_sub(1)?, column, cell)))
    }

    /// Whether both were read from the same text; edits in memory are ignored.
    pub fn is_same_file(&self, other: &Self) -> bool {
        self.encoding == other.encoding && self.text == other.text
    }

    /// The physical line (from 1) on which a data row begins; line breaks within quotes are counted.
    pub fn line_of_row(&self, row: usize) -> u64 {
        self.records.line(row + 1)
    }

    /// The number of cells that a data row has in the file.
    fn field_count(&self, row: usize) -> usize {
        self.records.cells(row + 1).len()
    }

    /// Rows with too few or too many cells and quotes that never close, by row.
    pub(crate) fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// Writes the table; unchanged cells stay byte for byte.
    ///
    /// # Errors
    /// An I/O error, or an edited cell with a character that the encoding lacks; the old file stays.
    pub fn write_to(&self, path: &Path) -> anyhow::Result<()> {
        let bytes =
            self.to_bytes().map_err(|why| anyhow::anyhow!("{} cannot be written: {why}", path.display()))?;
        crate::files::replace(path, &bytes).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// The bytes that [`Table::write_to`] writes.
    ///
    /// # Errors
    /// An edited cell has a character that the encoding lacks; the message names it.
    pub fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        encoding::encode(&self.to_text(), self.encoding).map_err(anyhow::Error::msg)
    }

    fn to_text(&self) -> Cow<'_, str> {
        if self.edits.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        let mut out = String::with_capacity(self.text.len() + 64);
        let mut done = 0;
        for ((record, column), cell) in self.edits.iter() {
            let cells = self.records.cells(record);
            if column < cells.len() {
                let place = self.records.span(record, column);
                out.push_str(&self.text[done..place.start]);
                // Quotes also prevent the only cell of a row from becoming a blank line, which is not a row.
                let always =
                    self.text[place.clone()].starts_with('"') || (cell.is_empty() && cells.len() == 1);
                out.push_str(&self.quoted(cell, always));
                done = place.end;
            } else {
                let end = self.records.end(record);
                out.push_str(&self.text[done..end]);
                done = end;
                // The cells between the row's last and this one are empty, or were edited, too.
                let written = self.edits.last_before(record, cells.len(), column);
                let next = written.map_or(cells.len(), |last| last + 1);
                out.extend(std::iter::repeat_n(self.delimiter, column + 1 - next));
                out.push_str(&self.quoted(cell, false));
            }
        }
        out.push_str(&self.text[done..]);
        Cow::Owned(out)
    }

    fn quoted<'a>(&self, cell: &'a str, always: bool) -> Cow<'a, str> {
        let special = |c: char| c == self.delimiter || matches!(c, '"' | '\n' | '\r');
        if always || cell.contains(special) || cell.starts_with(' ') || cell.ends_with(' ') {
            Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")))
        } else {
            Cow::Borrowed(cell)
        }
    }

    /// `record` 0 is the header.
    fn raw_cell(&self, record: usize, column: usize) -> Cow<'_, str> {
        if record >= self.records.len() || column >= self.records.cells(record).len() {
            return Cow::Borrowed("");
        }
        let open_quote = self.records.is_literal(record, column);
        scan::unquote(&self.text[self.records.span(record, column)], open_quote)
    }

    fn find_defects(&self, open_quotes: Vec<(usize, DefectKind)>) -> Vec<Defect> {
        let defect = |record: usize, kind| Defect {
            row: record.checked_sub(1),
            line: self.records.line(record),
            kind,
        };
        let expected = self.headers.len();
        let mut defects: Vec<Defect> =
            open_quotes.into_iter().map(|(record, kind)| defect(record, kind)).collect();
        for record in 1..self.records.len() {
            let found = self.records.cells(record).len();
            if found != expected {
                let lines = self.text[self.records.start(record)..self.records.end(record)].lines().count();
                defects.push(defect(record, DefectKind::Ragged { found, expected, lines }));
            }
        }
        defects.sort_by_key(|defect| defect.line);
        defects
    }
}

#[cfg(test)]
mod tests;
