//! Finds the records and cells of a CSV (RFC 4180, and what programs really write).

use std::borrow::Cow;
use std::ops::Range;

/// Number of records used to detect the delimiter.
const PROBED_RECORDS: usize = 100;

/// A defect in the structure of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefectKind {
    /// A different number of cells than the header.
    Ragged {
        /// Cells of the row.
        found: usize,
        /// Cells of the header.
        expected: usize,
        /// Physical lines that it covers: many if a quote was left open.
        lines: usize,
    },
    /// A cell begins with a quote that never closes; the quote is read as a character.
    OpenQuote,
}

/// The longest text whose cells can be found, in bytes: their positions are kept in 32 bits.
pub(super) const LONGEST: usize = u32::MAX as usize - 1;

/// The positions of all cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    records: Vec<Record>,
    /// End of each cell; the next begins one byte (the delimiter) later.
    ends: Vec<u32>,
    /// Cells (record, column), in order, whose first quote is a literal character.
    literal: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    start: u32,
    first_end: u32,
    line: u32,
}

impl Records {
    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn line(&self, record: usize) -> u64 {
        self.records.get(record).map_or(0, |record| record.line.into())
    }

    /// The cells of a record, as indices into `ends`.
    pub fn cells(&self, record: usize) -> Range<usize> {
        let first = |record: usize| self.records.get(record).map(|record| record.first_end as usize);
        first(record).map_or(0..0, |begin| begin..first(record + 1).unwrap_or(self.ends.len()))
    }

    /// Byte range of an existing cell.
    pub fn span(&self, record: usize, column: usize) -> Range<usize> {
        let Record { start, first_end, .. } = self.records[record];
        let first_end = first_end as usize;
        let start = if column == 0 { start } else { self.ends[first_end + column - 1] + 1 };
        start as usize..self.ends[first_end + column] as usize
    }

    pub fn start(&self, record: usize) -> usize {
        self.records[record].start as usize
    }

    /// The end of a record's last cell.
    pub fn end(&self, record: usize) -> usize {
        self.ends[self.cells(record).end - 1] as usize
    }

    pub fn is_literal(&self, record: usize, column: usize) -> bool {
        !self.literal.is_empty() && self.literal.binary_search(&(record, column)).is_ok()
    }
}

/// The result of [`scan`]; defects come with their record, where 0 is the header.
pub(super) struct Scan {
    pub records: Records,
    pub defects: Vec<(usize, DefectKind)>,
}

/// Finds all cells of a text of at most [`LONGEST`] bytes. Blank lines are not records, nor is a first line that gives the delimiter.
pub(super) fn scan(text: &str, delimiter: u8) -> Scan {
    scan_some(text, delimiter, usize::MAX)
}

fn scan_some(text: &str, delimiter: u8, most: usize) -> Scan {
    let bytes = text.as_bytes();
    let mut scan = Scan { records: Records::default(), defects: Vec::new() };
    let (mut at, mut line) = match told_delimiter(text) {
        Some(told) => (after_break(bytes, told.end), 2_u32),
        None => (0, 1),
    };
    while at < bytes.len() && scan.records.len() < most {
        if is_break(bytes[at]) {
            at = after_break(bytes, at);
            line += 1;
            continue;
        }
        let records = &mut scan.records;
        records.records.push(Record { start: at as u32, first_end: records.ends.len() as u32, line });
        let record = records.len() - 1;
        loop {
            let (end, lines) = match bytes.get(at) {
                Some(b'"') => quoted_end(bytes, at, delimiter).unwrap_or_else(|| {
                    let column = records.ends.len() - records.records[record].first_end as usize;
                    records.literal.push((record, column));
                    scan.defects.push((record, DefectKind::OpenQuote));
                    (plain_end(bytes, at, delimiter), 0)
                }),
                _ => (plain_end(bytes, at, delimiter), 0),
            };
            line += lines;
            records.ends.push(end as u32);
            at = end + 1;
            if bytes.get(end) != Some(&delimiter) {
                break;
            }
        }
        // `at` is one past the break or the end of the text.
        if at <= bytes.len() {
            at = after_break(bytes, at - 1);
            line += 1;
        }
    }
    scan
}

/// A first line `sep=;`, which gives Excel the delimiter and is not a record.
struct ToldDelimiter {
    delimiter: u8,
    /// End of the line.
    end: usize,
}

fn told_delimiter(text: &str) -> Option<ToldDelimiter> {
    let end = text.bytes().position(is_break)?;
    let line = text[..end].trim_end_matches(' ');
    // Some programs quote it like every cell.
    let line = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line);
    let (key, value) = line.split_at_checked(4)?;
    let &[delimiter] = value.as_bytes() else { return None };
    let is_one = key.eq_ignore_ascii_case("sep=") && delimiter.is_ascii() && delimiter != b'"';
    is_one.then_some(ToldDelimiter { delimiter, end })
}

fn is_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn after_break(bytes: &[u8], at: usize) -> usize {
    if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') { at + 2 } else { at + 1 }
}

fn plain_end(bytes: &[u8], at: usize, delimiter: u8) -> usize {
    bytes[at..].iter().position(|b| *b == delimiter || is_break(*b)).map_or(bytes.len(), |n| at + n)
}

/// The end of a cell that begins with a quote, and the line breaks in it; what follows the closing quote up to the
/// delimiter belongs to the cell. `None` if the quote never closes, or only on another line in the middle of text:
/// then it is a literal character such as the inch sign, and must not swallow rows.
fn quoted_end(bytes: &[u8], at: usize, delimiter: u8) -> Option<(usize, u32)> {
    let (mut at, mut lines) = (at + 1, 0);
    loop {
        match bytes.get(at)? {
            b'"' if bytes.get(at + 1) == Some(&b'"') => at += 2,
            b'"' => {
                let end = plain_end(bytes, at + 1, delimiter);
                return (lines == 0 || end == at + 1).then_some((end, lines));
            }
            byte if is_break(*byte) => {
                at = after_break(bytes, at);
                lines += 1;
            }
            _ => at += 1,
        }
    }
}

/// The text of a cell. `is_literal`: its opening quote never closes and is a character.
pub(super) fn unquote(raw: &str, is_literal: bool) -> Cow<'_, str> {
    let Some(inner) = raw.strip_prefix('"').filter(|_| !is_literal) else { return Cow::Borrowed(raw) };
    if let Some(inner) = inner.strip_suffix('"').filter(|inner| !inner.contains('"')) {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(quote) = rest.find('"') {
        out.push_str(&rest[..quote]);
        let after = &rest[quote + 1..];
        match after.strip_prefix('"') {
            Some(after) => {
                out.push('"');
                rest = after;
            }
            // The closing quote: anything after it is kept as it is.
            None => return Cow::Owned(out + after),
        }
    }
    Cow::Owned(out + rest)
}

/// The delimiter given by the first line, or the one for which rows agree best with the header: comma, semicolon or
/// tab.
pub(super) fn detect_delimiter(text: &str) -> u8 {
    if let Some(told) = told_delimiter(text) {
        return told.delimiter;
    }
    let mut best = (b',', 0, 0);
    for delimiter in [b',', b';', b'\t'] {
        let Scan { records, .. } = scan_some(text, delimiter, PROBED_RECORDS);
        let columns = records.cells(0).len();
        if columns < 2 {
            continue;
        }
        let agreeing = (0..records.len()).filter(|record| records.cells(*record).len() == columns).count();
        if (agreeing, columns) > (best.1, best.2) {
            best = (delimiter, agreeing, columns);
        }
    }
    best.0
}
