//! Problems of the data, collected for the Data view and `tasklens check`.

mod image_check;
mod measured;
mod overview;
mod rows;

use std::fmt;

pub use image_check::{Checked, Look, check_images};
pub use measured::{of_measured, unmeasured};
pub(super) use overview::of_table;
pub use overview::{Counts, OfKind, by_kind, lines};

use super::table::Table;

/// How much a [`Problem`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information; nothing is left out.
    Note,
    /// Some rows or labels are left out of training.
    Warning,
    /// Training cannot start.
    Error,
}

/// The subject of a [`Problem`]; problems of a kind are shown together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The table as a whole: its encoding, its columns, that it has rows.
    Table,
    /// A task or one of its labels has too few rows.
    Task,
    /// Training and validation rows.
    Split,
    /// A row with too few or too many cells, or an open quote.
    Form,
    /// A row without an image path.
    EmptyPath,
    /// The same image in several rows.
    Duplicate,
    /// Text that is not a label of its task.
    UnknownLabel,
    /// An image that is missing, unreadable or too large, or that may have been read wrongly.
    Image,
}

impl ProblemKind {
    /// The kind in words, for headings: "unknown label".
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Task => "task",
            Self::Split => "split",
            Self::Form => "malformed row",
            Self::EmptyPath => "empty path",
            Self::Duplicate => "duplicate row",
            Self::UnknownLabel => "unknown label",
            Self::Image => "image",
        }
    }
}

/// A problem, where it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    pub severity: Severity,
    /// What it is about.
    pub kind: ProblemKind,
    /// Index into `Dataset::rows`, if it is about one row.
    pub row: Option<usize>,
    /// Line in the CSV (from 1, the header is line 1), if it is about one row.
    pub line: Option<u64>,
    /// Column name, if it is about one.
    pub column: Option<String>,
    /// What is wrong, what was expected and what to do, in one or two sentences.
    pub message: String,
    /// The change of labels that would solve it in all rows, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<LabelMerge>,
}

/// Two texts for the same label, which could be one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LabelMerge {
    pub task: String,
    /// The text that would go.
    pub from: String,
    /// The label that would stay.
    pub to: String,
}

impl Problem {
    /// A warning about one cell.
    pub(super) fn in_row(
        kind: ProblemKind,
        table: &Table,
        row: usize,
        column: usize,
        message: String,
    ) -> Self {
        Self { column: table.headers.get(column).cloned(), ..Self::of_row(kind, table, row, message) }
    }

    /// A warning about one row.
    pub(super) fn of_row(kind: ProblemKind, table: &Table, row: usize, message: String) -> Self {
        let line = Some(table.line_of_row(row));
        Self { severity: Severity::Warning, kind, row: Some(row), line, column: None, message, merge: None }
    }

    /// A problem of the whole table or one of its columns.
    pub(super) fn overall(
        severity: Severity,
        kind: ProblemKind,
        column: Option<&str>,
        message: String,
    ) -> Self {
        let column = column.map(str::to_owned);
        Self { severity, kind, row: None, line: None, column, message, merge: None }
    }
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
