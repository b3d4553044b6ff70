//! Decodes files to upright 8-bit RGB, within a memory budget.
//!
//! The format is detected from the content, not from the name. JPEGs go to zune-jpeg directly (CMYK and YCCK in
//! Adobe's inverted convention included, as browsers and Pillow do), TIFFs to [`tiff`], the rest to the `image`
//! crate.

mod error;
mod header;
mod jpeg;
mod tiff;
mod to_rgb;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Cursor, ErrorKind, Read as _};
use std::ops::Deref;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat};

use super::Rgb;
use super::budget::{Budget, Share};
use crate::files::regular;
use crate::panics;
pub use error::ImageError;
use header::ImageHeader;

/// Extensions of supported images, for finding them in folders and tables.
pub const ENDINGS: [&str; 9] = ["jpg", "jpeg", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff"];

/// Whether a name has the extension of a supported image, ignoring case.
pub fn has_image_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// An image that declares more pixels than this is refused before anything is allocated.
pub(crate) const MAX_PIXELS: u64 = 200_000_000;

/// Larger files are refused, in bytes: [`MAX_PIXELS`] uncompressed at 16 bits fit.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// The same for JPEG and WebP, whose decoders need the whole file in memory.
const MAX_COMPRESSED_BYTES: u64 = 512 << 20;

/// Bytes to read at once.
const READ_BYTES: usize = 32 * 1024;

/// Maximum size of a header, and of a decoder's tables, profiles and rows.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// Bytes per pixel of a decoded image: 3, and as many for a rotated copy or the first half of scaling.
const BYTES_PER_PIXEL: u64 = 6;

/// Bytes per pixel of the longer side for the weights of scaling.
const BYTES_OF_SIDE: u64 = 32;

/// Upright pixels with their share of the [`Budget`], returned when they are dropped.
#[derive(Debug)]
pub struct Decoded {
    pixels: Rgb,
    share: Share,
    note: Option<String>,
}

impl Decoded {
    /// A copy of pixels in memory.
    pub fn copy_of(pixels: &Rgb) -> Self {
        let share = Budget::of_process().take(held_bytes(pixels.dimensions()));
        Self { pixels: pixels.clone(), share, note: None }
    }

    /// A note for the user, with the image's name: a part of it is damaged, or its range of values had to be guessed.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The pixels, and the share to keep alive with them.
    pub fn into_parts(self) -> (Rgb, Share) {
        (self.pixels, self.share)
    }

    /// The pixels alone, for a single image.
    pub fn into_rgb(self) -> Rgb {
        self.pixels
    }
}

impl Deref for Decoded {
    type Target = Rgb;

    fn deref(&self) -> &Rgb {
        &self.pixels
    }
}

/// Pixels as stored, before rotation.
struct Stored {
    pixels: Rgb,
    orientation: Orientation,
    note: Option<String>,
}

/// Decodes a file, waiting until the [`Budget`] has room for it.
///
/// # Errors
/// See [`ImageError`]. A truncated image is an error, too, not a half-grey picture.
pub fn decode_file(path: &Path) -> Result<Decoded, ImageError> {
    decode_file_within(path, Budget::of_process())
}

fn decode_file_within(path: &Path, budget: &'static Budget) -> Result<Decoded, ImageError> {
    let name = path.display().to_string();
    without_panics(&name, || {
        let header = ImageHeader { name: &name };
        let failed = |source| ImageError::Io { name: name.clone(), source };
        let file = open(path)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut reader = BufReader::with_capacity(READ_BYTES, file);
        let format = header.format_of(reader.fill_buf().map_err(failed)?)?;
        header.check_length(length, format)?;
        if format != ImageFormat::Jpeg {
            return header.decode_other(reader, format, length, budget);
        }
        let (mut bytes, jpeg) = header.start_of_jpeg(&mut reader)?;
        let share = budget.take(jpeg.cost(length));
        let rest = length.saturating_sub(bytes.len() as u64);
        bytes.reserve_exact(usize::try_from(rest).unwrap_or(0));
        reader.take(rest).read_to_end(&mut bytes).map_err(failed)?;
        let stored = header.decode_jpeg(&bytes)?;
        drop(bytes);
        Ok(upright(&name, stored, share))
    })
}

/// Decodes bytes, waiting until the [`Budget`] has room; `name` is for messages.
///
/// # Errors
/// See [`ImageError`].
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Decoded, ImageError> {
    without_panics(name, || {
        let (header, budget, length) = (ImageHeader { name }, Budget::of_process(), bytes.len() as u64);
        let format = header.format_of(bytes)?;
        header.check_length(length, format)?;
        if format != ImageFormat::Jpeg {
            return header.decode_other(Cursor::new(bytes), format, length, budget);
        }
        let (_, jpeg) = header.jpeg(bytes)?;
        let share = budget.take(jpeg.cost(length));
        Ok(upright(name, header.decode_jpeg(bytes)?, share))
    })
}

/// A decoder that panics on a malformed file only costs this image.
fn without_panics<T>(name: &str, decode: impl FnOnce() -> Result<T, ImageError>) -> Result<T, ImageError> {
    panics::catch(decode).unwrap_or_else(|said| {
        Err(ImageError::Unsupported {
            name: name.to_owned(),
            reason: format!(
                "it crashes its decoder; save it again as PNG or JPEG ({})",
                error::in_one_line(&said)
            ),
        })
    })
}

fn upright(name: &str, stored: Stored, mut share: Share) -> Decoded {
    let mut image = DynamicImage::ImageRgb8(stored.pixels);
    image.apply_orientation(stored.orientation);
    let pixels = image.into_rgb8();
    share.shrink_to(held_bytes(pixels.dimensions()));
    Decoded { pixels, share, note: stored.note.map(|note| format!("{name}: {note}")) }
}

/// Bytes needed while a decoded image is rotated or scaled.
fn held_bytes((width, height): (u32, u32)) -> u64 {
    pixel_count((width, height)) * BYTES_PER_PIXEL + u64::from(width.max(height)) * BYTES_OF_SIDE
}

fn pixel_count((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Width and height as displayed (EXIF orientation applied), from the header alone.
///
/// # Errors
/// See [`ImageError`].
pub fn probe_file(path: &Path) -> Result<(u32, u32), ImageError> {
    let name = path.display().to_string();
    let ((width, height), orientation) = without_panics(&name, || {
        let file = open(path)?;
        let failed = |source| ImageError::Io { name: name.clone(), source };
        let length = file.metadata().map_err(failed)?.len();
        let mut file = BufReader::with_capacity(READ_BYTES, file);
        let header = ImageHeader { name: &name };
        let format = header.format_of(file.fill_buf().map_err(failed)?)?;
        header.probe(file, format, length)
    })?;
    let sideways = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    Ok(if sideways { (height, width) } else { (width, height) })
}

fn open(path: &Path) -> Result<File, ImageError> {
    regular::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => ImageError::Missing { path: path.to_path_buf() },
        _ => ImageError::Io { name: path.display().to_string(), source },
    })
}

#[cfg(test)]
mod tests;
