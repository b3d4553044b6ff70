//! Why an image cannot be used, for users.

use std::path::PathBuf;

use crate::images::content::Other;

/// Why an image cannot be used. The messages say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file does not exist.
    #[error("{} is missing: check the path in the CSV, or put the file there", path.display())]
    Missing { path: PathBuf },
    /// The file exists but cannot be read.
    #[error("{name} cannot be read: {source}")]
    Io {
        /// File or other name.
        name: String,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// It declares more than [`super::MAX_PIXELS`] pixels.
    #[error("{name} declares {width}x{height} pixels, over the limit of 200 megapixels: scale it down")]
    TooLarge {
        /// File or other name.
        name: String,
        /// Declared width in pixels.
        width: u32,
        /// Declared height in pixels.
        height: u32,
    },
    /// It is something other than a supported image.
    #[error("{name} holds {}: {}", other.what, other.remedy)]
    Other {
        /// File or other name.
        name: String,
        other: Other,
    },
    /// It is an image of an unsupported kind.
    #[error("{name} cannot be read: {reason}")]
    Unsupported {
        /// File or other name.
        name: String,
        /// What is not supported, and what to do.
        reason: String,
    },
    /// Its bytes are not what its format says.
    #[error("{name} is not a readable JPEG, PNG, WebP, GIF, BMP or TIFF image: {reason}")]
    Format {
        /// File or other name.
        name: String,
        /// Error of the decoder.
        reason: String,
    },
}

/// A decoder's message in one line.
pub(super) fn in_one_line(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
