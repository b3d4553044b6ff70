//! The folder of a run: names of its files, and opening any run, also one trained elsewhere.

use std::path::{Path, PathBuf};

use super::events::{EpochMetrics, Started, Stopped};

/// What the files of a run say.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// The folder.
    pub folder: PathBuf,
    /// Name shown to the user: the folder's name.
    pub name: String,
    /// Facts of the run, from `events.jsonl`; `None` where it never started.
    pub started: Option<Started>,
    /// The epochs, in order.
    pub epochs: Vec<EpochMetrics>,
    /// Epochs after which the learning rate was reduced.
    pub reductions: Vec<usize>,
    /// How it ended, where it did.
    pub stopped: Option<Stopped>,
    /// `best.safetensors`, where it exists.
    pub best: Option<PathBuf>,
}

impl RunRecord {
    /// Reads a run folder. Damaged lines at the end of `events.jsonl` (a killed process) are passed over.
    ///
    /// # Errors
    /// It is no run folder.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        anyhow::bail!("{}: not built yet", folder.display())
    }
}

/// The run folders under `runs`, newest first; an absent folder is an empty list.
pub fn list_runs(runs: &Path) -> Vec<PathBuf> {
    let _ = runs;
    Vec::new()
}
