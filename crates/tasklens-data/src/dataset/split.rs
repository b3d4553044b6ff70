//! Train/validation: drawn by the names of the images and stratified, or from a column.

mod drawn;

use super::Row;
use crate::unicode::composed;

/// Indices into [`Dataset::rows`](super::Dataset::rows).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Rows that train, ascending.
    pub train: Vec<usize>,
    /// Rows that validate, ascending.
    pub validation: Vec<usize>,
}

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The network learns from it.
    Train,
    /// It measures the network while it learns.
    Validation,
    /// Neither: kept for a test after training.
    Test,
}

impl Part {
    /// What texts, files and split columns call it.
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

    /// What one of its images does.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Train => "trains",
            Self::Validation => "validates",
            Self::Test => "tests",
        }
    }

    /// What a cell of a split column says; upper and lower case and spaces around do not count.
    pub fn from_cell(cell: &str) -> Option<Self> {
        match cell.trim().to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "validation" | "valid" | "val" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

/// How the usable rows become a [`Split`].
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Drawn by the name of each image, so that a row keeps its part whatever becomes of the others, and each
    /// label of each task is shared out alike.
    Drawn {
        /// Share of the rows that validate, above 0 and below 1.
        validation_share: f64,
        /// One per row, as [`lot`] gives it: the lowest validate.
        lots: Vec<f64>,
    },
    /// As the CSV says, one entry per row; `None` where its cell says nothing known.
    Given(Vec<Option<Part>>),
}

impl Rule {
    /// Splits the usable rows; `labels_per_task` has the number of labels of each task.
    pub fn apply(&self, rows: &[Row], labels_per_task: &[usize]) -> Split {
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

/// The lot of an image, 0 to below 1, by the text of its path cell: the same on every machine and in every
/// version, for splits of successive runs to agree. FNV-1a, mixed by SplitMix64.
pub fn lot(seed: u64, name: &str) -> f64 {
    let hash = composed(name).bytes().fold(mixed(seed) ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    // As many bits as the number holds.
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
