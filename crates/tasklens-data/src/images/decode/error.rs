//! Why an image cannot be used, in words for who has to do something about it.

use std::path::PathBuf;

use crate::images::content::Other;

/// Why an image cannot be used. The messages say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// There is no such file.
    #[error("{} is missing: check the path in the CSV, or put the file there", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is there but cannot be read.
    #[error("{name} cannot be read: {source}")]
    Io {
        /// File or other name.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It declares more than [`super::MAX_PIXELS`].
    #[error("{name} declares {width}x{height} pixels, over the limit of 200 megapixels: scale it down")]
    TooLarge {
        /// File or other name.
        name: String,
        /// Declared width.
        width: u32,
        /// Declared height.
        height: u32,
    },
    /// It holds something else than an image that we read.
    #[error("{name} holds {}: {}", other.what, other.remedy)]
    Other {
        /// File or other name.
        name: String,
        /// What it holds.
        other: Other,
    },
    /// It is an image of a kind that is not read.
    #[error("{name} cannot be read: {reason}")]
    Unsupported {
        /// File or other name.
        name: String,
        /// What is not read, and what to do.
        reason: String,
    },
    /// It is damaged.
    #[error("{name} is not a readable JPEG, PNG, WebP, GIF, BMP or TIFF image: {reason}")]
    Format {
        /// File or other name.
        name: String,
        /// What the decoder said.
        reason: String,
    },
}

/// A decoder's words in one line.
pub(super) fn in_one_line(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
