//! Decodes files to upright 8-bit RGB, within a memory budget.
//!
//! The format is detected from the content, not from the name. JPEGs go to zune-jpeg directly (CMYK and YCCK in
//! Adobe's inverted convention included, as browsers and Pillow do), or to libjpeg-turbo where a half of their size or
//! less is enough, TIFFs to [`tiff`], the rest to the `image` crate.

mod area;
mod detail;
mod error;
mod header;
mod jpeg;
mod reduced;
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
pub use area::Area;
pub use detail::Detail;
pub use error::ImageError;
use header::{ImageHeader, Jpeg};
use reduced::Unusual;

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

/// What the size of a JPEG is divided by where only its damage matters.
const LEAST: u32 = 8;

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
    full_size: (u32, u32),
    area: Area,
    share: Share,
    note: Option<String>,
}

impl Decoded {
    /// A copy of pixels in memory.
    pub fn copy_of(pixels: &Rgb) -> Self {
        let share = Budget::of_process().take(held_bytes(pixels.dimensions()));
        let (full_size, area) = (pixels.dimensions(), Area::whole(pixels.dimensions()));
        Self { pixels: pixels.clone(), full_size, area, share, note: None }
    }

    /// Width and height of the whole image, which the pixels need not have: see [`Detail`].
    pub fn full_size(&self) -> (u32, u32) {
        self.full_size
    }

    /// The part of the pixels that is the image: where its size is no multiple of what it was divided by, the pixels at an
    /// edge reach beyond it.
    pub fn area(&self) -> Area {
        self.area
    }

    /// Whether these are all pixels of the image.
    pub fn is_full(&self) -> bool {
        self.full_size == self.pixels.dimensions()
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
    /// Width and height of the whole image.
    full_size: (u32, u32),
    /// What it was divided by.
    divisor: u32,
    orientation: Orientation,
    note: Option<String>,
}

/// Decodes a file, waiting until the [`Budget`] has room for it.
///
/// # Errors
/// See [`ImageError`]. A truncated image is an error, too, not a half-grey picture.
pub fn decode_file(path: &Path) -> Result<Decoded, ImageError> {
    decode_file_for(path, Detail::Full)
}

/// As [`decode_file`], with as many pixels as `detail` needs or more.
///
/// # Errors
/// As [`decode_file`].
pub fn decode_file_for(path: &Path, detail: Detail) -> Result<Decoded, ImageError> {
    decode_file_within(path, detail, Budget::of_process())
}

fn decode_file_within(path: &Path, detail: Detail, budget: &'static Budget) -> Result<Decoded, ImageError> {
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
        let share = budget.take(jpeg.cost(length, jpeg.divisor(detail)));
        let rest = length.saturating_sub(bytes.len() as u64);
        bytes.reserve_exact(usize::try_from(rest).unwrap_or(0));
        reader.take(rest).read_to_end(&mut bytes).map_err(failed)?;
        decode_jpeg(&header, &bytes, &jpeg, detail, (share, budget))
    })
}

/// Decodes bytes, waiting until the [`Budget`] has room; `name` is for messages.
///
/// # Errors
/// See [`ImageError`].
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Decoded, ImageError> {
    decode_bytes_for(bytes, name, Detail::Full)
}

/// As [`decode_bytes`], with as many pixels as `detail` needs or more.
///
/// # Errors
/// See [`ImageError`].
pub fn decode_bytes_for(bytes: &[u8], name: &str, detail: Detail) -> Result<Decoded, ImageError> {
    without_panics(name, || {
        let (header, budget, length) = (ImageHeader { name }, Budget::of_process(), bytes.len() as u64);
        let format = header.format_of(bytes)?;
        header.check_length(length, format)?;
        if format != ImageFormat::Jpeg {
            return header.decode_other(Cursor::new(bytes), format, length, budget);
        }
        let (_, jpeg) = header.jpeg(bytes)?;
        let share = budget.take(jpeg.cost(length, jpeg.divisor(detail)));
        decode_jpeg(&header, bytes, &jpeg, detail, (share, budget))
    })
}

/// `share` is what `detail` needs of `budget`.
fn decode_jpeg(
    header: &ImageHeader<'_>,
    bytes: &[u8],
    jpeg: &Jpeg,
    detail: Detail,
    (mut share, budget): (Share, &'static Budget),
) -> Result<Decoded, ImageError> {
    let divisor = jpeg.divisor(detail);
    if divisor == 1 {
        let mut stored = header.decode_jpeg(bytes)?;
        if detail == Detail::Checked
            && ImageHeader::decode_reduced(bytes, jpeg, LEAST).is_err_and(|it| it.is_damaged)
        {
            stored.note.get_or_insert_with(header::damage);
        }
        return Ok(upright(header.name, stored, share));
    }
    let Unusual { is_damaged } = match ImageHeader::decode_reduced(bytes, jpeg, divisor) {
        Ok(stored) => return Ok(upright(header.name, stored, share)),
        Err(unusual) => unusual,
    };
    // The whole image takes more, and nobody may wait for a share with another in hand.
    drop(share);
    share = budget.take(jpeg.cost(bytes.len() as u64, 1));
    let mut stored = header.decode_jpeg(bytes)?;
    if is_damaged {
        stored.note.get_or_insert_with(header::damage);
    }
    Ok(upright(header.name, stored, share))
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
    let full_size = upright_size(stored.full_size, stored.orientation);
    let area = Area::of_divided(full_size, stored.divisor, pixels.dimensions(), stored.orientation);
    Decoded { pixels, full_size, area, share, note: stored.note.map(|note| format!("{name}: {note}")) }
}

fn upright_size((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    let is_sideways = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    if is_sideways { (height, width) } else { (width, height) }
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
    let (size, orientation) = without_panics(&name, || {
        let file = open(path)?;
        let failed = |source| ImageError::Io { name: name.clone(), source };
        let length = file.metadata().map_err(failed)?.len();
        let mut file = BufReader::with_capacity(READ_BYTES, file);
        let header = ImageHeader { name: &name };
        let format = header.format_of(file.fill_buf().map_err(failed)?)?;
        header.probe(file, format, length)
    })?;
    Ok(upright_size(size, orientation))
}

fn open(path: &Path) -> Result<File, ImageError> {
    regular::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => ImageError::Missing { path: path.to_path_buf() },
        _ => ImageError::Io { name: path.display().to_string(), source },
    })
}

#[cfg(test)]
mod tests;
