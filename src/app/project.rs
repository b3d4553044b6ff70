//! The open project as views see it: read only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Config;
use crate::dataset::Dataset;

/// A config with its rows. Views read it; the app replaces it between frames.
#[derive(Clone)]
pub struct Project {
    /// The config, as the file says.
    pub config: Config,
    /// The rows; shared with background work, never changed in place.
    pub dataset: Arc<Dataset>,
    /// Grows whenever `config` or `dataset` is replaced: what was derived from them is then stale.
    pub generation: u64,
}

impl Project {
    /// What the title and status bar call it: the folder and the file's name.
    pub fn name(&self) -> String {
        let file = &self.config.file;
        let part = |path: Option<&std::ffi::OsStr>| {
            path.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let folder = part(file.parent().and_then(Path::file_name));
        let name = part(file.file_name());
        if folder.is_empty() { name } else { format!("{folder}/{name}") }
    }
}

/// Where an image to predict comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ImageSource {
    /// A file.
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
        image: Arc<crate::images::Rgb>,
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
