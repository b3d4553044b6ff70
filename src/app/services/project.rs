//! The open project as views see it: read only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tasklens_data::config::Config;
use tasklens_data::dataset::split::Part;
use tasklens_data::dataset::{Dataset, LabelCount};

/// A config with its rows. Views read it; the app replaces it between frames.
#[derive(Clone)]
pub struct Project {
    /// The config, as the file says.
    pub config: Config,
    /// The rows; shared with background work, never changed in place.
    pub dataset: Arc<Dataset>,
    /// What was counted in the rows.
    pub summary: Arc<Summary>,
    /// Grows whenever `config` or `dataset` is replaced: what was derived from them is then stale.
    pub generation: u64,
}

impl Project {
    /// What the title and status bar call it: the folder and the file's name.
    pub fn name(&self) -> String {
        let (file, folder) = (&self.config.file, self.config.folder());
        let name = file.strip_prefix(folder).ok().or(file.file_name().map(Path::new));
        let name = name.map(|name| name.display().to_string()).unwrap_or_default();
        let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if folder.is_empty() { name } else { format!("{folder}/{name}") }
    }
}

/// What the Data view shows about all rows, counted once in the background.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Rows per task and label.
    pub labels: Vec<Vec<LabelCount>>,
    /// Rows without a label, per task.
    pub missing: Vec<usize>,
    /// Rows to which a task does not apply, per task.
    pub not_applicable: Vec<usize>,
    /// What each row is for; `None` where it is not used.
    pub parts: Vec<Option<Part>>,
}

impl Summary {
    /// Counts the labels and parts of the rows.
    pub fn of(dataset: &Dataset) -> Self {
        Self {
            labels: dataset.label_counts(),
            missing: dataset.missing_counts(),
            not_applicable: dataset.not_applicable_counts(),
            parts: dataset.parts(),
        }
    }

    /// The largest count of a label of a task, for the length of bars; at least 1.
    pub fn largest(&self, task: usize) -> usize {
        self.labels
            .get(task)
            .and_then(|counts| counts.iter().map(|count| count.used() + count.unused).max())
            .unwrap_or(0)
            .max(1)
    }
}

/// Where an image to predict comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ImageSource {
    /// A file on this computer.
    Path(PathBuf),
    /// Encoded bytes, such as of a fetched image.
    Bytes {
        /// What lists call it.
        name: String,
        /// JPEG, PNG, and so on.
        bytes: Arc<Vec<u8>>,
    },
    /// Pixels, such as of a pasted image.
    Pixels {
        /// What lists call it.
        name: String,
        /// Upright 8-bit RGB.
        image: Arc<tasklens_data::images::Rgb>,
    },
    /// An address to fetch off the UI thread.
    Url(String),
}

impl ImageSource {
    /// What lists call it: the file's name, or the address.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => {
                path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into())
            }
            Self::Bytes { name, .. } | Self::Pixels { name, .. } | Self::Url(name) => name.clone(),
        }
    }
}
