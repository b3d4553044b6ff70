//! Decodes TIFF and BigTIFF to 8-bit RGB, strip by strip, so that no copy at the file's own bit depth is held.
//!
//! The `tiff` crate does not support palettes, L*a*b*, subsampled chroma, unusual bit depths or the older fax
//! compressions, and panics on planar tiles. So only decompression comes from libraries.

mod colour;
mod compression;
mod directory;
mod fax;
mod layout;
mod samples;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use image::metadata::Orientation;

use self::colour::{Colours, Seen};
use self::compression::{Compression, Whole};
use self::layout::TiffLayout;

/// The colour of unreadable pixels.
const GREY: u8 = 128;
/// Typical maximum values of images in files that allow higher ones: 8, 12 and 16 bits.
const LOWER: [f32; 3] = [255.0, 4095.0, 65535.0];
/// For floating-point values above 1 and up to this, the range is ambiguous.
const UNCLEAR: f32 = 16.0;
/// Tolerance for values beyond their range by rounding.
const NEARLY: f32 = 1.001;

/// Why a TIFF cannot be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TiffFault {
    /// It uses this feature, which is not decoded.
    Unsupported(String),
    /// It contradicts itself: how.
    Damaged(String),
    /// It ends before its pixels do.
    CutOff,
}

impl TiffFault {
    fn unsupported(what: String) -> Self {
        Self::Unsupported(what)
    }

    fn damaged(how: impl Into<String>) -> Self {
        Self::Damaged(how.into())
    }
}

impl From<io::Error> for TiffFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::CutOff,
            _ => Self::Damaged(error.to_string()),
        }
    }
}

/// A TIFF with parsed tags.
pub(super) struct Tiff<R> {
    file: R,
    length: u64,
    layout: TiffLayout,
}

/// Pixels, with notes for the user.
pub(super) struct Picture {
    pub(super) rgb: Vec<u8>,
    pub(super) note: Option<String>,
}

/// The result of one pass over the strips or tiles.
struct Pass {
    rgb: Vec<u8>,
    seen: Seen,
    damaged: usize,
}

impl<R: Read + Seek> Tiff<R> {
    /// Reads the tags of a file of `length` bytes.
    pub(super) fn open(mut file: R, length: u64) -> Result<Self, TiffFault> {
        let layout = TiffLayout::read(&mut file, length)?;
        Ok(Self { file, length, layout })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.layout.size
    }

    pub(super) fn orientation(&self) -> Orientation {
        self.layout.orientation
    }

    /// Upper bound of the bytes for decoding.
    pub(super) fn cost(&self) -> u64 {
        let layout = &self.layout;
        let (width, height) = layout.size;
        let of_chunk = layout.chunk.0 as u64 * layout.chunk.1 as u64 * layout.samples as u64;
        let row = layout.row_bytes() as u64;
        let most_packed = layout.chunks.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0).min(self.length);
        let unpacking = match layout.compression {
            // Values, and coefficients of 16 bits.
            Compression::Jpeg | Compression::OldJpeg => of_chunk * 5 + most_packed,
            Compression::WebP => of_chunk * 16 + most_packed,
            Compression::Fax(_) => row * layout.chunk.1 as u64 + most_packed,
            // Data for a second pass is kept.
            Compression::Zstd => row * layout.chunk.1 as u64,
            _ => 0,
        };
        let together = match () {
            () if layout.planes > 1 => row * layout.chunk.1 as u64 * layout.planes as u64,
            () if layout.is_subsampled() => of_chunk * 2,
            () => 0,
        };
        u64::from(width) * u64::from(height) * 3 + row * 2 + unpacking + together
    }

    /// Decodes the pixels. A damaged strip or tile becomes grey and is reported.
    pub(super) fn decode(mut self) -> Result<Picture, TiffFault> {
        let kind = self.layout.kind;
        let mut pass = self.pass(kind.most())?;
        let mut notes = Vec::new();
        if self.layout.model.has_range()
            && let Some(high) = self.range(pass.seen)?
        {
            drop(pass);
            pass = self.pass(high)?;
            notes.push(format!(
                "its values of {} bits reach only {}, so they were read as {} (black) to {high} (white)",
                kind.bits(),
                pass.seen.most,
                0
            ));
        }
        if pass.seen.strange {
            notes.push("values that are not numbers became white".to_owned());
        }
        if pass.damaged > 0 {
            let all = self.layout.across() * self.layout.down();
            notes.push(format!(
                "{} of its {all} parts are damaged and at least partly grey: copy or download it again",
                pass.damaged
            ));
        }
        Ok(Picture { rgb: pass.rgb, note: (!notes.is_empty()).then(|| notes.join("; ")) })
    }

    /// The value of white if the values do not use the full range of their type.
    fn range(&self, seen: Seen) -> Result<Option<f32>, TiffFault> {
        let kind = self.layout.kind;
        let Seen { least, most, .. } = seen;
        // Slightly below zero is rounding.
        if least < 1.0 - NEARLY {
            return Err(TiffFault::unsupported(format!("negative values (down to {least})")));
        }
        if kind.is_float() {
            if most <= NEARLY || most == f32::NEG_INFINITY {
                return Ok(None);
            }
            let high = LOWER.into_iter().find(|high| most > UNCLEAR && most <= high * NEARLY);
            let unclear = || format!("floating-point values up to {most} instead of 1");
            return high.map(Some).ok_or_else(|| TiffFault::unsupported(unclear()));
        }
        if kind.bits() < 16 || most <= 0.0 {
            return Ok(None);
        }
        Ok(LOWER.into_iter().find(|high| most <= *high).filter(|high| *high < kind.most()))
    }

    /// All strips or tiles, with `high` as white.
    fn pass(&mut self, high: f32) -> Result<Pass, TiffFault> {
        let (width, height) = (self.layout.size.0 as usize, self.layout.size.1 as usize);
        let colours = Colours { model: self.layout.model.clone(), alpha: self.layout.alpha, high };
        let mut pass = Pass { rgb: vec![GREY; width * height * 3], seen: Seen::NOTHING, damaged: 0 };
        let (across, down) = (self.layout.across(), self.layout.down());
        let (mut rows_read, mut first_fault) = (0, None);
        for place in 0..across * down {
            let (x, y) = (place % across * self.layout.chunk.0, place / across * self.layout.chunk.1);
            let size = (self.layout.chunk.0.min(width - x), self.layout.chunk.1.min(height - y));
            let mut rows = pass.rgb.chunks_exact_mut(width * 3).skip(y).take(size.1);
            let to = rows.by_ref().map(|row| &mut row[x * 3..(x + size.0) * 3]);
            if let Err(fault) = self.chunk(place, size.1, to, &colours, &mut pass.seen, &mut rows_read) {
                pass.damaged += 1;
                if matches!(fault, TiffFault::Unsupported(_)) || self.is_cut_off(place) {
                    return Err(if matches!(fault, TiffFault::Unsupported(_)) {
                        fault
                    } else {
                        TiffFault::CutOff
                    });
                }
                first_fault.get_or_insert(fault);
            }
        }
        match first_fault {
            // Less than half of an image is an error.
            Some(fault) if rows_read * 2 < across * height => Err(match fault {
                TiffFault::CutOff => TiffFault::damaged("its data ends too early"),
                fault => fault,
            }),
            _ => Ok(pass),
        }
    }

    /// Whether the file ends before the end of a strip or tile.
    fn is_cut_off(&self, place: usize) -> bool {
        let of_planes = (0..self.layout.planes).map(|plane| place + plane * self.per_plane());
        of_planes.filter_map(|place| self.layout.chunks.get(place)).any(|(offset, bytes)| {
            // Unknown byte counts are bounded by the file.
            let bytes = if *bytes == self.length { 1 } else { *bytes };
            offset.saturating_add(bytes) > self.length
        })
    }

    fn per_plane(&self) -> usize {
        self.layout.across() * self.layout.down()
    }

    /// Decodes one strip or tile into its place in the rows `to`.
    fn chunk<'p>(
        &mut self,
        place: usize,
        height: usize,
        to: impl Iterator<Item = &'p mut [u8]>,
        colours: &Colours,
        seen: &mut Seen,
        rows_read: &mut usize,
    ) -> Result<(), TiffFault> {
        let per_plane = self.per_plane();
        let Self { file, layout, .. } = self;
        let (kind, samples, planes) = (layout.kind, layout.samples, layout.planes);
        let row_bytes = layout.row_bytes();
        let mut spare = Vec::new();
        if planes == 1 {
            let mut stream = open_chunk(file, layout, place, height)?;
            let mut row = vec![0; row_bytes];
            for to in to {
                stream.read_exact(&mut row)?;
                samples::restore(&mut row, kind, samples, layout.predictor, layout.is_big_endian, &mut spare);
                match kind {
                    // A fast path for the common kind.
                    samples::SampleKind::U8 => {
                        colours.fill_row(to, |x, i| f32::from(row[x * samples + i]), seen);
                    }
                    kind => colours.fill_row(to, |x, i| kind.value(&row, x * samples + i), seen),
                }
                *rows_read += 1;
            }
            return Ok(());
        }
        // A pixel needs values of all planes.
        let needed = colours.model.samples() + usize::from(colours.alpha != colour::Alpha::None);
        let mut values = vec![0; row_bytes * height * needed];
        for (plane, rows) in values.chunks_exact_mut(row_bytes * height).enumerate() {
            open_chunk(file, layout, place + plane * per_plane, height)?.read_exact(rows)?;
            for row in rows.chunks_exact_mut(row_bytes) {
                samples::restore(row, kind, 1, layout.predictor, layout.is_big_endian, &mut spare);
            }
        }
        for (y, to) in to.enumerate() {
            let row = |plane: usize| &values[(plane * height + y) * row_bytes..][..row_bytes];
            colours.fill_row(to, |x, i| kind.value(row(i), x), seen);
            *rows_read += 1;
        }
        Ok(())
    }
}

/// The unpacked bytes of a strip or tile, of which `height` rows are wanted.
fn open_chunk<'f, R: Read + Seek>(
    file: &'f mut R,
    layout: &TiffLayout,
    place: usize,
    height: usize,
) -> Result<Box<dyn Read + 'f>, TiffFault> {
    let missing = || TiffFault::damaged("it has too few strips or tiles");
    let (offset, bytes) = *layout.chunks.get(place).ok_or_else(missing)?;
    file.seek(SeekFrom::Start(offset))?;
    // Some writers give wrong byte counts for uncompressed data.
    let bytes = if layout.compression == Compression::None { u64::MAX } else { bytes };
    let packed = file.take(bytes);
    let mut packed: Box<dyn Read + 'f> =
        if layout.has_reversed_bits { Box::new(Reversed(packed)) } else { Box::new(packed) };
    let (width, most) = (layout.chunk.0, (layout.chunk.0 as u64 + 16) * (layout.chunk.1 as u64 + 16));
    if layout.is_subsampled() {
        let mut stream = compression::stream(layout.compression, packed)?;
        return Ok(Box::new(spread_chroma(&mut stream, width, height, layout.subsampling)?.into_rows(width)));
    }
    if !layout.compression.is_whole() {
        return Ok(compression::stream(layout.compression, packed)?);
    }
    let mut data = Vec::new();
    packed.read_to_end(&mut data)?;
    let whole = match layout.compression {
        Compression::Fax(kind) => {
            return Ok(Box::new(io::Cursor::new(fax::decode(&data, kind, (width, height)))));
        }
        Compression::WebP => compression::webp(&data, most)?,
        kind => match compression::jpeg(&data, layout.jpeg_tables.as_deref(), layout.has_ycbcr_jpeg, most) {
            // Its tables and data can be laid out in several ways, of which one is supported.
            Err(_) if kind == Compression::OldJpeg => {
                return Err(TiffFault::unsupported("old-style JPEG compression".to_owned()));
            }
            unpacked => unpacked?,
        },
    };
    Ok(Box::new(whole.with_samples(layout.samples)?.into_rows(width)))
}

/// Expands subsampled chroma to one value per pixel.
fn spread_chroma(
    stream: &mut dyn Read,
    width: usize,
    height: usize,
    (across, down): (usize, usize),
) -> Result<Whole, TiffFault> {
    let mut pixels = vec![0; width * height.next_multiple_of(down) * 3];
    let mut unit = vec![0; across * down + 2];
    for top in (0..height).step_by(down) {
        for left in (0..width).step_by(across) {
            stream.read_exact(&mut unit)?;
            for (place, luma) in unit[..across * down].iter().enumerate() {
                let (x, y) = (left + place % across, top + place / across);
                if x < width {
                    let [blue, red] = [unit[across * down], unit[across * down + 1]];
                    pixels[(y * width + x) * 3..][..3].copy_from_slice(&[*luma, blue, red]);
                }
            }
        }
    }
    Ok(Whole { width, height, samples: 3, pixels })
}

/// Reverses the bits of each byte.
struct Reversed<R>(R);

impl<R: Read> Read for Reversed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        buffer[..count].iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        Ok(count)
    }
}
