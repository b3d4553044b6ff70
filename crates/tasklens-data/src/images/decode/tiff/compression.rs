//! Decompresses a strip or tile: most compressions as a stream, row by row; JPEG, WebP and fax at once.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{TiffFault, fax};

/// The compression schemes that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
    Zstd,
    Fax(fax::FaxCoding),
    Jpeg,
    /// A complete JPEG stream per strip or tile.
    OldJpeg,
    WebP,
}

impl Compression {
    /// By its number and the options of Group 3.
    pub(super) fn new(number: u64, group_3_options: u64) -> Result<Self, TiffFault> {
        let group_3 = fax::FaxCoding::Group3 { is_two_dimensional: group_3_options & 1 == 1 };
        let name = match number {
            1 => return Ok(Self::None),
            2 | 32771 => return Ok(Self::Fax(fax::FaxCoding::Runs)),
            3 => return Ok(Self::Fax(group_3)),
            4 => return Ok(Self::Fax(fax::FaxCoding::Group4)),
            5 => return Ok(Self::Lzw),
            6 => return Ok(Self::OldJpeg),
            7 => return Ok(Self::Jpeg),
            8 | 32946 => return Ok(Self::Deflate),
            32773 => return Ok(Self::PackBits),
            50000 => return Ok(Self::Zstd),
            50001 => return Ok(Self::WebP),
            9 | 10 | 34661 => "JBIG",
            32809 => "ThunderScan",
            33003 | 33005 | 34712 => "JPEG 2000",
            34676 | 34677 => "SGI LogLuv",
            34887 => "LERC",
            34925 => "LZMA",
            50002 | 52546 => "JPEG XL",
            _ => return Err(TiffFault::unsupported(format!("an unknown compression ({number})"))),
        };
        Err(TiffFault::unsupported(format!("{name} compression")))
    }

    /// Whether a strip or tile is decompressed at once rather than row by row.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Fax(_) | Self::Jpeg | Self::OldJpeg | Self::WebP)
    }

    /// Whether the bit order within bytes may be reversed.
    pub(super) fn has_bit_order(self) -> bool {
        !matches!(self, Self::Jpeg | Self::OldJpeg | Self::WebP | Self::Zstd)
    }
}

/// A stream that decompresses bytes.
pub(super) fn stream<'r>(compression: Compression, packed: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    Ok(match compression {
        // The decoder may stop if the buffer has no room for another word, of up to 4096 bytes.
        Compression::Lzw => Box::new(BufReader::with_capacity(1 << 16, Lzw::new(packed))),
        Compression::Deflate => Box::new(flate2::read::ZlibDecoder::new(packed)),
        Compression::PackBits => {
            Box::new(PackBits { packed: BufReader::new(packed), left: 0, repeated: None })
        }
        Compression::Zstd => {
            Box::new(ruzstd::decoding::StreamingDecoder::new(packed).map_err(io::Error::other)?)
        }
        _ => Box::new(packed),
    })
}

struct Lzw<R> {
    packed: BufReader<R>,
    decoder: Option<weezl::decode::Decoder>,
}

impl<R: Read> Lzw<R> {
    fn new(packed: R) -> Self {
        Self { packed: BufReader::new(packed), decoder: None }
    }
}

impl<R: Read> Read for Lzw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::BufRead as _;
        use weezl::{BitOrder, LzwStatus, decode::Configuration};
        loop {
            let packed = self.packed.fill_buf()?;
            let decoder = self.decoder.get_or_insert_with(|| {
                // Before TIFF 5.0 the first code, which clears the table, began at the lowest bit.
                let is_old = packed.first() == Some(&0) && packed.get(1).is_some_and(|byte| byte & 1 == 1);
                let configuration = if is_old {
                    Configuration::new(BitOrder::Lsb, 8)
                } else {
                    Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
                };
                configuration.with_yield_on_full_buffer(true).build()
            });
            let result = decoder.decode_bytes(packed, buffer);
            self.packed.consume(result.consumed_in);
            match result.status {
                Err(error) => return Err(io::Error::new(ErrorKind::InvalidData, error)),
                // It may report no progress when it only delivered the rest of a code.
                Ok(_) if result.consumed_out > 0 => return Ok(result.consumed_out),
                Ok(LzwStatus::Done) => return Ok(0),
                Ok(LzwStatus::NoProgress) if result.consumed_in == 0 => {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                Ok(_) => {}
            }
        }
    }
}

struct PackBits<R> {
    packed: BufReader<R>,
    left: usize,
    /// The byte of a run, if any.
    repeated: Option<u8>,
}

impl<R: Read> PackBits<R> {
    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        Ok((self.packed.read(&mut byte)? == 1).then_some(byte[0]))
    }
}

impl<R: Read> Read for PackBits<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            let Some(count) = self.byte()? else { return Ok(0) };
            (self.left, self.repeated) = match count {
                0..=127 => (usize::from(count) + 1, None),
                128 => continue,
                _ => (257 - usize::from(count), Some(self.byte()?.ok_or(ErrorKind::UnexpectedEof)?)),
            };
        }
        let count = self.left.min(buffer.len());
        let count = match self.repeated {
            Some(byte) => {
                buffer[..count].fill(byte);
                count
            }
            None => self.packed.read(&mut buffer[..count])?,
        };
        if count == 0 && !buffer.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        Ok(count)
    }
}

/// 8-bit pixels that were decompressed at once.
pub(super) struct Whole {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Values of a pixel.
    pub(super) samples: usize,
    pub(super) pixels: Vec<u8>,
}

impl Whole {
    /// Converted to this many values per pixel: opaque if alpha is missing.
    pub(super) fn with_samples(mut self, samples: usize) -> Result<Self, TiffFault> {
        if self.samples == 3 && samples == 4 {
            let opaque = |rgb: &[u8; 3]| [rgb[0], rgb[1], rgb[2], 255];
            self.pixels = self.pixels.as_chunks::<3>().0.iter().flat_map(opaque).collect();
            self.samples = 4;
        }
        if self.samples == samples {
            return Ok(self);
        }
        Err(TiffFault::damaged(format!(
            "a picture in it has {} values for each pixel, not {samples}",
            self.samples
        )))
    }

    /// Rows of `width` pixels: cropped if longer, padded with grey if shorter.
    pub(super) fn into_rows(self, width: usize) -> impl Read {
        let (from, to) = (self.width * self.samples, width * self.samples);
        if from == to {
            return Cursor::new(self.pixels);
        }
        let mut rows = Vec::with_capacity(to * self.height);
        for row in self.pixels.chunks(from.max(1)) {
            rows.extend_from_slice(&row[..row.len().min(to)]);
            rows.resize(rows.len() + to.saturating_sub(from), 128);
        }
        Cursor::new(rows)
    }
}

/// Decodes a JPEG; `tables` are shared by all strips or tiles. Converts to RGB if `as_rgb`.
pub(super) fn jpeg(
    data: &[u8],
    tables: Option<&[u8]>,
    as_rgb: bool,
    most_pixels: u64,
) -> Result<Whole, TiffFault> {
    let joined;
    let data = match tables {
        // Without the end marker of the tables and the start marker of the image.
        Some(tables) if tables.len() > 4 && data.len() > 2 => {
            joined = [&tables[..tables.len() - 2], &data[2..]].concat();
            &joined
        }
        _ => data,
    };
    let broken = |error: zune_jpeg::errors::DecodeErrors| TiffFault::damaged(format!("{error}"));
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    decoder.decode_headers().map_err(broken)?;
    let info = decoder.info().ok_or_else(|| TiffFault::damaged("a JPEG in it has no header"))?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if (width * height) as u64 > most_pixels {
        return Err(TiffFault::damaged("a JPEG in it is larger than its strip or tile"));
    }
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::RGB);
    let kept = match stored {
        // The decoder treats `YCCK` in a TIFF as CMYK.
        _ if as_rgb && stored.num_components() == 3 => ColorSpace::RGB,
        other => other,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(kept));
    let pixels = decoder.decode().map_err(broken)?;
    Ok(Whole { width, height, samples: pixels.len() / (width * height).max(1), pixels })
}

/// Decodes a WebP to RGB or RGBA.
pub(super) fn webp(data: &[u8], most_pixels: u64) -> Result<Whole, TiffFault> {
    let broken = |error: image_webp::DecodingError| TiffFault::damaged(format!("{error}"));
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(data)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels {
        return Err(TiffFault::damaged("a WebP in it is larger than its strip or tile"));
    }
    let samples = if decoder.has_alpha() { 4 } else { 3 };
    let mut pixels = vec![0; width as usize * height as usize * samples];
    decoder.read_image(&mut pixels).map_err(broken)?;
    Ok(Whole { width: width as usize, height: height as usize, samples, pixels })
}
