//! Bytes -> upright 8-bit RGB, bounded in memory.
//!
//! What a file is, its content says, not its name. JPEGs go to zune-jpeg directly (CMYK and YCCK in
//! Adobe's inverted convention included, as browsers and Pillow do), the rest to the `image` crate.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read as _, Seek};
use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::Rgb;

/// The endings of the images that we read, for finding them in folders and tables.
pub const ENDINGS: [&str; 9] = ["jpg", "jpeg", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff"];

/// Whether a name ends as an image's does, in capitals or not.
pub fn has_image_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// An image that declares more pixels than this is refused before anything is allocated.
pub const MAX_PIXELS: u64 = 200_000_000;

/// A file with more bytes than this is not read: [`MAX_PIXELS`] uncompressed at 16 bits fit in it.
const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// What a decoder may allocate at once: [`MAX_PIXELS`] at 8 bytes each, and some for tables.
const MAX_ALLOCATION: u64 = MAX_PIXELS * 8 + 64 * 1024 * 1024;

/// How much of a JPEG is read first to find its size; most headers are shorter.
const PROBE_BYTES: u64 = 32 * 1024;

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
/// See [`ImageError`]. A JPEG that was cut off is an error too, not a half-grey picture.
pub fn decode_file(path: &Path) -> Result<Rgb, ImageError> {
    let mut file = open(path)?;
    let name = || path.display().to_string();
    let length = file.metadata().map_err(|source| ImageError::Io { name: name(), source })?.len();
    if length > MAX_FILE_BYTES {
        return Err(ImageError::Format { name: name(), reason: "the file is larger than 2 GiB".to_owned() });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.read_to_end(&mut bytes).map_err(|source| ImageError::Io { name: name(), source })?;
    decode_bytes(&bytes, &name())
}

/// Decodes bytes; `name` is what messages call them.
///
/// # Errors
/// See [`ImageError`].
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Rgb, ImageError> {
    let header = Header { name };
    let (pixels, orientation) = match header.format_of(bytes)? {
        ImageFormat::Jpeg => header.decode_jpeg(bytes)?,
        format => header.decode_other(Cursor::new(bytes), format)?,
    };
    let mut upright = DynamicImage::ImageRgb8(pixels);
    upright.apply_orientation(orientation);
    Ok(upright.into_rgb8())
}

/// Width and height as displayed (EXIF applied), from the header alone.
///
/// # Errors
/// See [`ImageError`].
pub fn probe_file(path: &Path) -> Result<(u32, u32), ImageError> {
    let mut file = BufReader::new(open(path)?);
    let name = path.display().to_string();
    let header = Header { name: &name };
    let failed = |source| ImageError::Io { name: name.clone(), source };
    let start = file.fill_buf().map_err(failed)?;
    let format = header.format_of(start)?;
    let ((width, height), orientation) = if format == ImageFormat::Jpeg {
        let mut bytes = Vec::new();
        let mut take = PROBE_BYTES;
        loop {
            let read = file.by_ref().take(take).read_to_end(&mut bytes).map_err(failed)?;
            match header.jpeg(&bytes) {
                Ok(jpeg) => break (jpeg.size, jpeg.orientation),
                // A long preview or colour profile may stand before the size: read on.
                Err(ImageError::Format { .. }) if read as u64 == take => take = bytes.len() as u64,
                Err(error) => return Err(error),
            }
        }
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
    File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => ImageError::Missing { path: path.to_path_buf() },
        _ => ImageError::Io { name: path.display().to_string(), source },
    })
}

/// The decoders, each of which checks the declared size first; `name` is for messages.
struct Header<'a> {
    name: &'a str,
}

/// A JPEG whose header has been read.
struct Jpeg<'a> {
    decoder: JpegDecoder<ZCursor<&'a [u8]>>,
    size: (u32, u32),
    orientation: Orientation,
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

    fn jpeg<'b>(&self, bytes: &'b [u8]) -> Result<Jpeg<'b>, ImageError> {
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
        Ok(Jpeg { decoder, size, orientation })
    }

    fn decode_jpeg(&self, bytes: &[u8]) -> Result<(Rgb, Orientation), ImageError> {
        let mut jpeg = self.jpeg(bytes)?;
        if !has_end_of_jpeg(bytes) {
            return Err(self.format_error("the file was cut off; copy or download it again"));
        }
        let pixels = jpeg.decoder.decode().map_err(|error| self.format_error(error))?;
        let image = Rgb::from_raw(jpeg.size.0, jpeg.size.1, pixels)
            .ok_or_else(|| self.format_error("its colours are of an unknown kind"))?;
        Ok((image, jpeg.orientation))
    }

    fn decoder<'r, R: BufRead + Seek + 'r>(
        &self,
        reader: R,
        format: ImageFormat,
    ) -> Result<impl ImageDecoder + 'r, ImageError> {
        let mut reader = ImageReader::with_format(reader, format);
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(MAX_ALLOCATION);
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(|error| self.format_error(error))?;
        self.check_size(decoder.dimensions())?;
        Ok(decoder)
    }

    fn decode_other<R: BufRead + Seek>(
        &self,
        reader: R,
        format: ImageFormat,
    ) -> Result<(Rgb, Orientation), ImageError> {
        let mut decoder = self.decoder(reader, format)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let image = DynamicImage::from_decoder(decoder).map_err(|error| self.format_error(error))?;
        Ok((over_white(image), orientation))
    }
}

/// Whether an end marker follows the first scan of a JPEG. Previews in the header have one of their
/// own, so the header's segments are skipped by their lengths.
fn has_end_of_jpeg(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = bytes.get(at..at + 4).and_then(<[u8]>::first_chunk) {
        if marker == 0xFF {
            at += 1;
            continue;
        }
        if marker == START_OF_SCAN {
            break;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    bytes.get(at..).is_some_and(|rest| rest.windows(2).any(|pair| pair == [0xFF, 0xD9]))
}

/// 8-bit RGB, with transparency laid over white.
fn over_white(image: DynamicImage) -> Rgb {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let (width, height) = image.dimensions();
    let mut flat = Rgb::new(width, height);
    for (to, from) in flat.as_chunks_mut::<3>().0.iter_mut().zip(image.as_chunks::<4>().0) {
        let [red, green, blue, alpha] = from.map(u32::from);
        *to = [red, green, blue].map(|value| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    flat
}

#[cfg(test)]
mod tests;
