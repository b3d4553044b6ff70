//! Bytes -> upright 8-bit RGB, bounded in memory.

use std::path::{Path, PathBuf};

use super::Rgb;

/// An image that declares more pixels than this is refused before anything is allocated.
pub const MAX_PIXELS: u64 = 200_000_000;

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
    /// It declares more than [`MAX_PIXELS`].
    #[error("{name} declares {width}x{height} pixels, over the limit of 200 megapixels: scale it down")]
    TooLarge {
        /// File or other name.
        name: String,
        /// Declared width.
        width: u32,
        /// Declared height.
        height: u32,
    },
    /// It is no image that we read, or is damaged.
    #[error("{name} is not a readable JPEG, PNG, WebP, GIF, BMP or TIFF image: {reason}")]
    Format {
        /// File or other name.
        name: String,
        /// What the decoder said.
        reason: String,
    },
}

/// Decodes a file.
///
/// # Errors
/// See [`ImageError`].
pub fn decode_file(path: &Path) -> Result<Rgb, ImageError> {
    Err(ImageError::Missing { path: path.to_path_buf() })
}

/// Decodes bytes; `name` is what messages call them.
///
/// # Errors
/// See [`ImageError`].
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Rgb, ImageError> {
    let _ = bytes;
    Err(ImageError::Format { name: name.to_owned(), reason: "not built yet".to_owned() })
}

/// Width and height as displayed (EXIF applied), from the header alone.
///
/// # Errors
/// See [`ImageError`].
pub fn probe_file(path: &Path) -> Result<(u32, u32), ImageError> {
    Err(ImageError::Missing { path: path.to_path_buf() })
}
