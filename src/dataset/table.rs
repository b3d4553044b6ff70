//! The CSV: read, keep, write back with its delimiter, encoding, columns and order.

use std::path::PathBuf;

/// A CSV in memory, with what is needed to write it back as it was.
#[derive(Clone, Debug)]
pub struct Table {
    /// Where it was read from.
    pub path: PathBuf,
    /// The column names.
    pub headers: Vec<String>,
    /// The data rows; each has as many fields as `headers`.
    pub rows: Vec<csv::StringRecord>,
}
