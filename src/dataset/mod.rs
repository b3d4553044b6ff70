//! What the user has: a CSV of image paths and labels, opened with a config.
//!
//! [`Dataset::open`] reads and encodes; what is wrong is collected as [`problems`], never thrown
//! away. Pixels are not looked at here but for the header check in [`problems`].

pub mod labels;
pub mod problems;
pub mod propose;
pub mod sample;
pub mod split;
pub mod table;

use std::path::PathBuf;

use crate::config::{Config, Task};
use problems::Problem;
use split::Split;
use table::Table;

/// A CSV read with a config: rows that can be used, and what is wrong with the others.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The CSV as it is on disk.
    pub table: Table,
    /// The tasks, in the config's order.
    pub tasks: Vec<Task>,
    /// One per data row of the table, in its order, also those that cannot be used.
    pub rows: Vec<Row>,
    /// Which rows train and which validate (indices into `rows`; only usable rows).
    pub split: Split,
    /// What was found so far; [`problems::check_images`] adds what needs the disk.
    pub problems: Vec<Problem>,
}

/// One image with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Absolute path of the image; empty where the cell is.
    pub image: PathBuf,
    /// Class index per task (order of `Dataset::tasks`); `None` where there is no (valid) label.
    pub labels: Vec<Option<u32>>,
    /// Whether the row can train or validate: it has a path and at least one label.
    pub usable: bool,
}

impl Dataset {
    /// Reads the CSV that `config` names, encodes the labels and splits the rows. Looks at no image.
    ///
    /// # Errors
    /// The CSV cannot be read or lacks a column that the config names. Everything that leaves usable
    /// rows is in `problems` instead.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let _ = config;
        anyhow::bail!("not built yet")
    }
}
