//! Bytes -> upright 8-bit RGB, bounded in memory.
//!
//! What a file is, its content says, not its name. JPEGs go to zune-jpeg directly (CMYK and YCCK in
//! Adobe's inverted convention included, as browsers and Pillow do), the rest to the `image` crate.

mod jpeg;
mod to_rgb;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read, Seek};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::Rgb;
use super::budget::{Budget, Share};
use crate::files::regular;

/// The endings of the images that we read, for finding them in folders and tables.
pub const ENDINGS: [&str; 9] = ["jpg", "jpeg", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff"];

/// Whether a name ends as an image's does, in capitals or not.
pub fn has_image_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// An image that declares more pixels than this is refused before anything is allocated.
pub const MAX_PIXELS: u64 = 200_000_000;

/// A file with more bytes than this is not read: [`MAX_PIXELS`] uncompressed at 16 bits fit in it.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// The same for JPEG and WebP, whose decoders want all of a file in memory.
const MAX_COMPRESSED_BYTES: u64 = 512 << 20;

/// How much of a file is read at once.
const READ_BYTES: usize = 32 * 1024;

/// A header longer than this is not read; nor may a decoder take more for tables, profiles and rows.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// What the pixels of an image that is decoded need, each: 3 bytes, and as many for a copy that is turned
/// upright or the first half of scaling.
const BYTES_PER_PIXEL: u64 = 6;

/// What scaling needs for each pixel of the longer side, to weigh it.
const BYTES_OF_SIDE: u64 = 32;

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

/// Upright pixels with their share of the [`Budget`], which has it back when they are dropped.
#[derive(Debug)]
pub struct Decoded {
    pixels: Rgb,
    share: Share,
}

impl Decoded {
    /// A copy of pixels that are at hand.
    pub fn copy_of(pixels: &Rgb) -> Self {
        let share = Budget::of_process().take(held_bytes(pixels.dimensions()));
        Self { pixels: pixels.clone(), share }
    }

    /// The pixels, and the share to keep as long as they.
    pub fn into_parts(self) -> (Rgb, Share) {
        (self.pixels, self.share)
    }

    /// The pixels alone, where they are the only ones.
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

/// Decodes a file, once the [`Budget`] has room for it.
///
/// # Errors
/// See [`ImageError`]. A JPEG that was cut off is an error too, not a half-grey picture.
pub fn decode_file(path: &Path) -> Result<Decoded, ImageError> {
    decode_file_within(path, Budget::of_process())
}

fn decode_file_within(path: &Path, budget: &'static Budget) -> Result<Decoded, ImageError> {
    let name = path.display().to_string();
    let header = Header { name: &name };
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
    let (pixels, orientation) = header.decode_jpeg(&bytes)?;
    drop(bytes);
    Ok(upright(pixels, orientation, share))
}

/// Decodes bytes, once the [`Budget`] has room for them; `name` is what messages call them.
///
/// # Errors
/// See [`ImageError`].
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Decoded, ImageError> {
    let (header, budget, length) = (Header { name }, Budget::of_process(), bytes.len() as u64);
    let format = header.format_of(bytes)?;
    header.check_length(length, format)?;
    if format != ImageFormat::Jpeg {
        return header.decode_other(Cursor::new(bytes), format, length, budget);
    }
    let (_, jpeg) = header.jpeg(bytes)?;
    let share = budget.take(jpeg.cost(length));
    let (pixels, orientation) = header.decode_jpeg(bytes)?;
    Ok(upright(pixels, orientation, share))
}

fn upright(pixels: Rgb, orientation: Orientation, mut share: Share) -> Decoded {
    let mut image = DynamicImage::ImageRgb8(pixels);
    image.apply_orientation(orientation);
    let pixels = image.into_rgb8();
    share.shrink_to(held_bytes(pixels.dimensions()));
    Decoded { pixels, share }
}

/// What an image that is decoded takes while it is turned or scaled.
fn held_bytes((width, height): (u32, u32)) -> u64 {
    pixel_count((width, height)) * BYTES_PER_PIXEL + u64::from(width.max(height)) * BYTES_OF_SIDE
}

fn pixel_count((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Width and height as displayed (EXIF applied), from the header alone.
///
/// # Errors
/// See [`ImageError`].
pub fn probe_file(path: &Path) -> Result<(u32, u32), ImageError> {
    let mut file = BufReader::with_capacity(READ_BYTES, open(path)?);
    let name = path.display().to_string();
    let header = Header { name: &name };
    let start = file.fill_buf().map_err(|source| ImageError::Io { name: name.clone(), source })?;
    let format = header.format_of(start)?;
    let ((width, height), orientation) = if format == ImageFormat::Jpeg {
        let (_, jpeg) = header.start_of_jpeg(&mut file)?;
        (jpeg.size, jpeg.orientation)
    } else {
        let mut decoder = header.decoder(file, format)?;
        (decoder.dimensions(), decoder.orientation().unwrap_or(Orientation::NoTransforms))
    };
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

/// The decoders, each of which checks the declared size first; `name` is for messages.
struct Header<'a> {
    name: &'a str,
}

type InMemory<'a> = JpegDecoder<ZCursor<&'a [u8]>>;

/// What the header of a JPEG says.
struct Jpeg {
    size: (u32, u32),
    orientation: Orientation,
    coefficient_bytes: u64,
}

impl Jpeg {
    /// What decoding it takes at most, with a file of `length` bytes in memory.
    fn cost(&self, length: u64) -> u64 {
        let decoding = pixel_count(self.size) * 3 + self.coefficient_bytes;
        length + MAX_HEADER_BYTES + decoding.max(held_bytes(self.size))
    }
}

/// What decoding any other image of a file of `length` bytes takes at most, and what its decoder may
/// allocate within that; `native` is the bytes of a pixel as the file has them.
fn cost(format: ImageFormat, size: (u32, u32), native: u64, length: u64) -> (u64, u64) {
    let pixels = pixel_count(size);
    let (cost, may_allocate) = match format {
        // The frame, and the canvas that it is laid on.
        ImageFormat::Gif => (pixels * 8, pixels * 4),
        // It is unpacked, cut into its strips or tiles, and then copied to us.
        ImageFormat::Tiff => (pixels * native * 3, pixels * native * 2),
        // Planes, transparency, frame and canvas, and the file.
        ImageFormat::WebP => (pixels * 16 + length, pixels * 16),
        _ => (pixels * native, pixels * native),
    };
    (cost.max(held_bytes(size)) + MAX_HEADER_BYTES, may_allocate + MAX_HEADER_BYTES)
}

impl Header<'_> {
    fn format_error(&self, reason: impl std::fmt::Display) -> ImageError {
        ImageError::Format { name: self.name.to_owned(), reason: format!("{reason}") }
    }

    fn format_of(&self, bytes: &[u8]) -> Result<ImageFormat, ImageError> {
        if bytes.is_empty() {
            return Err(self.format_error("the file is empty"));
        }
        let format =
            image::guess_format(bytes).map_err(|_| self.format_error("its content is something else"))?;
        if format.reading_enabled() {
            Ok(format)
        } else {
            let kind = format.extensions_str().first().unwrap_or(&"other").to_uppercase();
            Err(self.format_error(format!("it is {kind}; save it as JPEG or PNG")))
        }
    }

    fn check_size(&self, (width, height): (u32, u32)) -> Result<(), ImageError> {
        if width == 0 || height == 0 {
            return Err(self.format_error("it has no pixels"));
        }
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(ImageError::TooLarge { name: self.name.to_owned(), width, height });
        }
        Ok(())
    }

    fn check_length(&self, length: u64, format: ImageFormat) -> Result<(), ImageError> {
        let most = match format {
            ImageFormat::Jpeg | ImageFormat::WebP => MAX_COMPRESSED_BYTES,
            _ => MAX_FILE_BYTES,
        };
        if length > most {
            return Err(self.format_error(format!("the file is larger than {} MB", most >> 20)));
        }
        Ok(())
    }

    fn jpeg<'b>(&self, bytes: &'b [u8]) -> Result<(InMemory<'b>, Jpeg), ImageError> {
        let options = DecoderOptions::default()
            .set_strict_mode(false)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX))
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(|error| self.format_error(error))?;
        let info = decoder.info().ok_or_else(|| self.format_error("it has no header"))?;
        let size = (u32::from(info.width), u32::from(info.height));
        self.check_size(size)?;
        let orientation = decoder
            .exif()
            .and_then(|exif| Orientation::from_exif_chunk(exif))
            .unwrap_or(Orientation::NoTransforms);
        let coefficient_bytes = jpeg::coefficient_bytes(bytes, pixel_count(size));
        Ok((decoder, Jpeg { size, orientation, coefficient_bytes }))
    }

    /// Reads the header of a JPEG, and returns what was read.
    fn start_of_jpeg(&self, file: &mut impl Read) -> Result<(Vec<u8>, Jpeg), ImageError> {
        let failed = |source| ImageError::Io { name: self.name.to_owned(), source };
        let mut bytes = Vec::new();
        let mut take = READ_BYTES as u64;
        loop {
            let read = file.by_ref().take(take).read_to_end(&mut bytes).map_err(failed)?;
            match self.jpeg(&bytes) {
                Ok((_, jpeg)) => return Ok((bytes, jpeg)),
                // A long preview or colour profile may stand before the size: read on.
                Err(ImageError::Format { .. }) if read as u64 == take => take = bytes.len() as u64,
                Err(error) => return Err(error),
            }
            if bytes.len() as u64 > MAX_HEADER_BYTES {
                return Err(self.format_error("its header does not end"));
            }
        }
    }

    fn decode_jpeg(&self, bytes: &[u8]) -> Result<(Rgb, Orientation), ImageError> {
        let (mut decoder, jpeg) = self.jpeg(bytes)?;
        if !jpeg::has_end(bytes) {
            return Err(self.format_error("the file was cut off; copy or download it again"));
        }
        let pixels = decoder.decode().map_err(|error| self.format_error(error))?;
        let image = Rgb::from_raw(jpeg.size.0, jpeg.size.1, pixels).ok_or_else(|| self.unknown_colours())?;
        Ok((image, jpeg.orientation))
    }

    fn unknown_colours(&self) -> ImageError {
        self.format_error("its colours are of an unknown kind")
    }

    fn decoder<'r, R: BufRead + Seek + 'r>(
        &self,
        reader: R,
        format: ImageFormat,
    ) -> Result<impl ImageDecoder + 'r, ImageError> {
        let mut reader = ImageReader::with_format(reader, format);
        reader.limits(limits(MAX_HEADER_BYTES));
        let decoder = reader.into_decoder().map_err(|error| self.format_error(error))?;
        self.check_size(decoder.dimensions())?;
        Ok(decoder)
    }

    fn decode_other<R: BufRead + Seek>(
        &self,
        reader: R,
        format: ImageFormat,
        length: u64,
        budget: &'static Budget,
    ) -> Result<Decoded, ImageError> {
        let mut decoder = self.decoder(reader, format)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let ((width, height), color) = (decoder.dimensions(), decoder.color_type());
        let bytes = u64::from(color.bytes_per_pixel());
        let (cost, may_allocate) = cost(format, (width, height), bytes, length);
        let share = budget.take(cost);
        decoder.set_limits(limits(may_allocate)).map_err(|error| self.format_error(error))?;
        let too_large = || ImageError::TooLarge { name: self.name.to_owned(), width, height };
        let native = usize::try_from(decoder.total_bytes()).map_err(|_| too_large())?;
        let count = usize::try_from(pixel_count((width, height))).map_err(|_| too_large())?;
        let mut buffer = vec![0; native.max(count * 3)];
        decoder.read_image(&mut buffer[..native]).map_err(|error| self.format_error(error))?;
        if !to_rgb::in_place(&mut buffer, count, color) {
            return Err(self.unknown_colours());
        }
        let pixels = Rgb::from_raw(width, height, buffer).ok_or_else(|| self.unknown_colours())?;
        Ok(upright(pixels, orientation, share))
    }
}

fn limits(bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

#[cfg(test)]
mod tests;
