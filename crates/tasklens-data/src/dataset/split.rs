//! Train/validation: drawn by image name and stratified, or given by a column.

mod drawn;

use super::Rows;
use crate::unicode::composed;

/// The split as indices into [`Dataset::rows`](super::Dataset::rows).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Training rows, ascending.
    pub train: Vec<usize>,
    /// Validation rows, ascending.
    pub validation: Vec<usize>,
}

/// The part of the split that a row is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The network learns from these rows.
    Train,
    /// For validation during training.
    Validation,
    /// Kept for a test after training.
    Test,
}

impl Part {
    /// Its name in texts, files and split columns.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// [`Part::name`] by itself, as in a menu.
    pub fn title(self) -> &'static str {
        match self {
            Self::Train => "Train",
            Self::Validation => "Validation",
            Self::Test => "Test",
        }
    }

    /// What its images are, as in `12 training images`.
    pub fn adjective(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// Parses a cell of a split column, ignoring case and surrounding spaces.
    pub(crate) fn from_cell(cell: &str) -> Option<Self> {
        match cell.trim().to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "validation" | "valid" | "val" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

/// How the usable rows are assigned to a [`Split`].
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Drawn by image name, so that a row keeps its part whatever happens to other rows, and stratified by the labels
    /// of each task.
    Drawn {
        /// Share of validation rows, above 0 and below 1.
        validation_share: f64,
        /// One per row, from [`lot`]: the lowest are for validation.
        lots: Vec<f64>,
    },
    /// Given by the CSV, one entry per row; `None` for an unknown value.
    Given(Vec<Option<Part>>),
}

impl Rule {
    /// Splits the usable rows; `labels_per_task` has the number of labels of each task.
    pub fn apply(&self, rows: &Rows, labels_per_task: &[usize]) -> Split {
        match self {
            Self::Drawn { validation_share, lots } => {
                drawn::Draw::new(rows, labels_per_task, *validation_share, lots).split()
            }
            Self::Given(parts) => {
                let of = |part: Part| {
                    rows.iter()
                        .zip(parts)
                        .enumerate()
                        .filter(|(_, (row, given))| row.usable && **given == Some(part))
                        .map(|(index, _)| index)
                        .collect()
                };
                Split { train: of(Part::Train), validation: of(Part::Validation) }
            }
        }
    }
}

/// A pseudo-random number from 0 to below 1 for an image, from the text of its path cell: the same on every machine
/// and in every version, so that splits of successive runs agree. FNV-1a, mixed with SplitMix64.
pub(crate) fn lot(seed: u64, name: &str) -> f64 {
    let hash = composed(name).bytes().fold(mixed(seed) ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    // As many bits as a double can hold.
    (mixed(hash) >> 11) as f64 / (1u64 << 53) as f64
}

fn mixed(hash: u64) -> u64 {
    let hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests;
