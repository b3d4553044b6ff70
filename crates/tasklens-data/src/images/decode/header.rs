//! The decoders of each format, which check the declared size before anything is allocated and take their share of
//! the budget before they decode.

use std::io::{BufRead, ErrorKind, Read, Seek};

use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat, ImageReader, Limits};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::error::{ImageError, in_one_line};
use super::reduced::Unusual;
use super::tiff::{Tiff, TiffFault};
use super::{
    Decoded, Detail, MAX_COMPRESSED_BYTES, MAX_FILE_BYTES, MAX_HEADER_BYTES, MAX_PIXELS, READ_BYTES, Stored,
    held_bytes, jpeg, pixel_count, to_rgb, upright, upright_size,
};
use crate::images::Rgb;
use crate::images::budget::Budget;
use crate::images::content;

/// Advice for a truncated file.
const COPY_AGAIN: &str = "copy or download it again";

/// Dispatches to the decoders, each of which checks the declared size first; `name` is for messages.
pub(super) struct ImageHeader<'a> {
    pub(super) name: &'a str,
}

type InMemory<'a> = JpegDecoder<ZCursor<&'a [u8]>>;

/// Information from the header of a JPEG.
pub(super) struct Jpeg {
    size: (u32, u32),
    orientation: Orientation,
    coefficient_bytes: u64,
}

impl Jpeg {
    /// Upper bound of the bytes for decoding it with its size divided by `divisor`, with a file of `length` bytes in memory.
    pub(super) fn cost(&self, length: u64, divisor: u32) -> u64 {
        let size = (self.size.0.div_ceil(divisor), self.size.1.div_ceil(divisor));
        let decoding = pixel_count(size) * 3 + self.coefficient_bytes;
        length + MAX_HEADER_BYTES + decoding.max(held_bytes(size))
    }

    /// By what its size may be divided: see [`Detail`].
    pub(super) fn divisor(&self, detail: Detail) -> u32 {
        if cfg!(target_os = "linux") { detail.divisor(upright_size(self.size, self.orientation)) } else { 1 }
    }
}

/// Upper bound of the bytes for decoding any other image with a file of `length` bytes, and the part that its decoder
/// may allocate; `native` is the bytes per pixel in the file.
fn cost(format: ImageFormat, size: (u32, u32), native: u64, length: u64) -> (u64, u64) {
    let pixels = pixel_count(size);
    let (cost, may_allocate) = match format {
        // The frame, and the canvas that it is drawn on.
        ImageFormat::Gif => (pixels * 8, pixels * 4),
        // Planes, transparency, frame and canvas, and the file.
        ImageFormat::WebP => (pixels * 16 + length, pixels * 16),
        _ => (pixels * native, pixels * native),
    };
    (cost.max(held_bytes(size)) + MAX_HEADER_BYTES, may_allocate + MAX_HEADER_BYTES)
}

impl ImageHeader<'_> {
    fn format_error(&self, reason: impl std::fmt::Display) -> ImageError {
        ImageError::Format { name: self.name.to_owned(), reason: in_one_line(&reason.to_string()) }
    }

    /// An error with the decoder's message.
    fn damaged(&self, said: impl std::fmt::Display) -> ImageError {
        self.format_error(format!("it is damaged ({said}); {COPY_AGAIN}"))
    }

    pub(super) fn format_of(&self, bytes: &[u8]) -> Result<ImageFormat, ImageError> {
        let start = &bytes[..bytes.len().min(content::START_BYTES)];
        content::format_of(start).map_err(|other| ImageError::Other { name: self.name.to_owned(), other })
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

    pub(super) fn check_length(&self, length: u64, format: ImageFormat) -> Result<(), ImageError> {
        let most = match format {
            ImageFormat::Jpeg | ImageFormat::WebP => MAX_COMPRESSED_BYTES,
            _ => MAX_FILE_BYTES,
        };
        if length > most {
            return Err(self.format_error(format!("the file is larger than {} MB", most >> 20)));
        }
        Ok(())
    }

    pub(super) fn jpeg<'b>(&self, bytes: &'b [u8]) -> Result<(InMemory<'b>, Jpeg), ImageError> {
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options());
        decoder.decode_headers().map_err(|error| match jpeg::unsupported(bytes) {
            Some(what) => ImageError::Unsupported {
                name: self.name.to_owned(),
                reason: format!(
                    "it is a JPEG with {what}, which is not supported; save it as PNG or as an ordinary JPEG"
                ),
            },
            None if !jpeg::has_size(bytes) => {
                self.format_error(format!("its header is damaged or was cut off; {COPY_AGAIN}"))
            }
            None => self.damaged(error),
        })?;
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

    /// Reads the header of a JPEG, and returns the bytes read.
    pub(super) fn start_of_jpeg(&self, file: &mut impl Read) -> Result<(Vec<u8>, Jpeg), ImageError> {
        let failed = |source| ImageError::Io { name: self.name.to_owned(), source };
        let mut bytes = Vec::new();
        let mut take = READ_BYTES as u64;
        loop {
            let read = file.by_ref().take(take).read_to_end(&mut bytes).map_err(failed)?;
            match self.jpeg(&bytes) {
                Ok((_, jpeg)) => return Ok((bytes, jpeg)),
                // A long preview or colour profile may precede the size: read on.
                Err(ImageError::Format { .. }) if read as u64 == take => take = bytes.len() as u64,
                Err(error) => return Err(error),
            }
            if bytes.len() as u64 > MAX_HEADER_BYTES {
                return Err(self.format_error("its header does not end"));
            }
        }
    }

    pub(super) fn decode_jpeg(&self, bytes: &[u8]) -> Result<Stored, ImageError> {
        let (_, jpeg) = self.jpeg(bytes)?;
        if !jpeg::has_end(bytes) {
            return Err(self.cut_off());
        }
        // If it is damaged, the second decoder recovers what it can.
        let strictly =
            JpegDecoder::new_with_options(ZCursor::new(bytes), options().set_strict_mode(true)).decode();
        let (pixels, note) = match strictly {
            Ok(pixels) => (pixels, None),
            Err(error) => {
                let (mut decoder, _) = self.jpeg(bytes)?;
                let pixels = decoder.decode().map_err(|error| self.damaged(error))?;
                (pixels, jpeg::is_damage(&error).then(damage))
            }
        };
        let pixels = Rgb::from_raw(jpeg.size.0, jpeg.size.1, pixels).ok_or_else(|| self.unknown_colours())?;
        Ok(Stored { pixels, full_size: jpeg.size, divisor: 1, orientation: jpeg.orientation, note })
    }

    /// The image with its size divided.
    pub(super) fn decode_reduced(bytes: &[u8], jpeg: &Jpeg, divisor: u32) -> Result<Stored, Unusual> {
        let pixels = super::reduced::decode(bytes, jpeg.size, divisor)?;
        Ok(Stored { pixels, full_size: jpeg.size, divisor, orientation: jpeg.orientation, note: None })
    }

    fn unknown_colours(&self) -> ImageError {
        self.format_error("its colour model is unknown")
    }

    fn decoder<'r, R: BufRead + Seek + 'r>(
        &self,
        reader: R,
        format: ImageFormat,
    ) -> Result<impl ImageDecoder + 'r, ImageError> {
        let mut reader = ImageReader::with_format(reader, format);
        reader.limits(limits(MAX_HEADER_BYTES));
        let decoder = reader.into_decoder().map_err(|error| self.of_image(error))?;
        self.check_size(decoder.dimensions())?;
        Ok(decoder)
    }

    pub(super) fn decode_other<R: BufRead + Seek>(
        &self,
        reader: R,
        format: ImageFormat,
        length: u64,
        budget: &'static Budget,
    ) -> Result<Decoded, ImageError> {
        if format == ImageFormat::Tiff {
            return self.decode_tiff(reader, length, budget);
        }
        let mut decoder = self.decoder(reader, format)?;
        let orientation = orientation(&mut decoder);
        let ((width, height), color) = (decoder.dimensions(), decoder.color_type());
        let bytes = u64::from(color.bytes_per_pixel());
        let (cost, may_allocate) = cost(format, (width, height), bytes, length);
        let share = budget.take(cost);
        decoder.set_limits(limits(may_allocate)).map_err(|error| self.of_image(error))?;
        let too_large = || ImageError::TooLarge { name: self.name.to_owned(), width, height };
        let native = usize::try_from(decoder.total_bytes()).map_err(|_| too_large())?;
        let count = usize::try_from(pixel_count((width, height))).map_err(|_| too_large())?;
        let mut buffer = vec![0; native.max(count * 3)];
        decoder.read_image(&mut buffer[..native]).map_err(|error| self.of_image(error))?;
        if format == ImageFormat::Bmp {
            to_rgb::ignore_empty_alpha(&mut buffer[..native], color);
        }
        let note = to_rgb::spread_low_values(&mut buffer[..native], color).map(|(most, high)| {
            format!(
                "its values of 16 bits reach only {most}, so they were read as 0 (black) to {high} (white)"
            )
        });
        if !to_rgb::in_place(&mut buffer, count, color) {
            return Err(self.unknown_colours());
        }
        let pixels = Rgb::from_raw(width, height, buffer).ok_or_else(|| self.unknown_colours())?;
        Ok(upright(
            self.name,
            Stored { pixels, full_size: (width, height), divisor: 1, orientation, note },
            share,
        ))
    }

    fn tiff<R: BufRead + Seek>(&self, reader: R, length: u64) -> Result<Tiff<R>, ImageError> {
        let tiff = Tiff::open(reader, length).map_err(|fault| self.of_tiff(fault))?;
        self.check_size(tiff.size())?;
        Ok(tiff)
    }

    fn decode_tiff<R: BufRead + Seek>(
        &self,
        reader: R,
        length: u64,
        budget: &'static Budget,
    ) -> Result<Decoded, ImageError> {
        let tiff = self.tiff(reader, length)?;
        let (size, orientation) = (tiff.size(), tiff.orientation());
        let share = budget.take(tiff.cost().max(held_bytes(size)) + MAX_HEADER_BYTES);
        let picture = tiff.decode().map_err(|fault| self.of_tiff(fault))?;
        let pixels = Rgb::from_raw(size.0, size.1, picture.rgb).ok_or_else(|| self.unknown_colours())?;
        Ok(upright(
            self.name,
            Stored { pixels, full_size: size, divisor: 1, orientation, note: picture.note },
            share,
        ))
    }

    fn of_image(&self, error: image::ImageError) -> ImageError {
        match error {
            image::ImageError::Unsupported(what) => ImageError::Unsupported {
                name: self.name.to_owned(),
                reason: in_one_line(&format!("{what}; save it as PNG or JPEG")),
            },
            image::ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => self.cut_off(),
            error => self.damaged(error),
        }
    }

    fn cut_off(&self) -> ImageError {
        self.format_error(format!("the file was cut off; {COPY_AGAIN}"))
    }

    fn of_tiff(&self, fault: TiffFault) -> ImageError {
        match fault {
            TiffFault::Unsupported(what) => ImageError::Unsupported {
                name: self.name.to_owned(),
                reason: format!(
                    "it is a TIFF with {what}, which is not supported; save it as PNG or 8-bit TIFF"
                ),
            },
            TiffFault::Damaged(how) => self.damaged(how),
            TiffFault::CutOff => self.cut_off(),
        }
    }

    /// Size and orientation from the header.
    pub(super) fn probe<R: BufRead + Seek>(
        &self,
        mut reader: R,
        format: ImageFormat,
        length: u64,
    ) -> Result<((u32, u32), Orientation), ImageError> {
        Ok(match format {
            ImageFormat::Jpeg => {
                let (_, jpeg) = self.start_of_jpeg(&mut reader)?;
                (jpeg.size, jpeg.orientation)
            }
            ImageFormat::Tiff => {
                let tiff = self.tiff(reader, length)?;
                (tiff.size(), tiff.orientation())
            }
            _ => {
                let mut decoder = self.decoder(reader, format)?;
                (decoder.dimensions(), orientation(&mut decoder))
            }
        })
    }
}

/// The note for an image of which only a part is right.
pub(super) fn damage() -> String {
    format!("it is damaged and may be partly wrong: {COPY_AGAIN}")
}

fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB)
}

/// The EXIF orientation, also if it has the prefix of JPEG, as many programs write WebPs.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    let exif = decoder.exif_metadata().ok().flatten().unwrap_or_default();
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif);
    Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms)
}

fn limits(bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}
