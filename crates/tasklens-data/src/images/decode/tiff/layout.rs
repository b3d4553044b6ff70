//! The layout of a TIFF's pixels from its tags: where they are, how they are compressed and what they mean.

use std::io::{Read, Seek};

use image::metadata::Orientation;

use super::TiffFault;
use super::colour::{Alpha, ColourModel, YCbCr};
use super::compression::Compression;
use super::directory::{Directory, tag};
use super::samples::{Predictor, SampleKind};

/// More values per pixel occur only in multispectral images, which are not pictures.
const MOST_SAMPLES: u64 = 64;

/// Where the pixels are, how they are compressed and what they mean.
pub(super) struct TiffLayout {
    pub(super) size: (u32, u32),
    pub(super) orientation: Orientation,
    pub(super) compression: Compression,
    pub(super) kind: SampleKind,
    pub(super) predictor: Predictor,
    pub(super) is_big_endian: bool,
    pub(super) has_reversed_bits: bool,
    pub(super) model: ColourModel,
    pub(super) alpha: Alpha,
    /// Values of each pixel in a strip or tile.
    pub(super) samples: usize,
    /// 1 if the values of a pixel are interleaved, else one plane per value.
    pub(super) planes: usize,
    /// Pixels of a strip or tile.
    pub(super) chunk: (usize, usize),
    /// Chroma subsampling, horizontally and vertically.
    pub(super) subsampling: (usize, usize),
    pub(super) jpeg_tables: Option<Vec<u8>>,
    /// Whether the JPEG decoder should convert YCbCr to RGB.
    pub(super) has_ycbcr_jpeg: bool,
    /// Offset and size in bytes of each strip or tile.
    pub(super) chunks: Vec<(u64, u64)>,
}

impl TiffLayout {
    pub(super) fn read<R: Read + Seek>(file: &mut R, length: u64) -> Result<Self, TiffFault> {
        let tags = Directory::read(file, length)?;
        let side = |tag| tags.first(tag).and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
        let size = (side(tag::WIDTH), side(tag::HEIGHT));
        if size.0 == 0 || size.1 == 0 {
            return Err(TiffFault::damaged("it has no pixels"));
        }
        let compression = Compression::new(
            tags.first(tag::COMPRESSION).unwrap_or(1),
            tags.first(tag::GROUP_3_OPTIONS).unwrap_or(0),
        )?;
        let is_coloured = matches!(tags.first(tag::PHOTOMETRIC), Some(2 | 6));
        let samples = tags.first(tag::SAMPLES_PER_PIXEL).unwrap_or(if is_coloured { 3 } else { 1 });
        if samples == 0 || samples > MOST_SAMPLES {
            return Err(TiffFault::unsupported(format!("{samples} values for each pixel")));
        }
        let bits = same(&tags.all(tag::BITS_PER_SAMPLE), 1, samples, "bits")?;
        let form = same(&tags.all(tag::SAMPLE_FORMAT), 1, samples, "number formats")?;
        let kind = SampleKind::new(bits, form)?;
        let samples = samples as usize;
        let (mut model, subsampling) = model(&tags, kind, samples, compression)?;
        let mut has_ycbcr_jpeg = false;
        if matches!(compression, Compression::Jpeg | Compression::OldJpeg) {
            if kind != SampleKind::U8 {
                return Err(TiffFault::unsupported(format!("JPEG compression of {bits} bits")));
            }
            if matches!(model, ColourModel::YCbCr(_)) && samples == 3 && tags.first(tag::PLANAR) != Some(2) {
                (model, has_ycbcr_jpeg) = (ColourModel::Rgb, true);
            }
        }
        let alpha = alpha(&tags, &model, samples)?;
        let planes = if tags.first(tag::PLANAR) == Some(2) && samples > 1 { samples } else { 1 };
        let (chunk, chunks) = chunks(&tags, size, compression, length)?;
        let orientation = tags.first(tag::ORIENTATION).and_then(|value| u8::try_from(value).ok());
        Ok(Self {
            size,
            orientation: orientation.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms),
            compression,
            kind,
            predictor: match compression {
                Compression::Lzw | Compression::Deflate | Compression::Zstd => {
                    Predictor::new(tags.first(tag::PREDICTOR).unwrap_or(1), kind)?
                }
                _ => Predictor::None,
            },
            is_big_endian: tags.is_big_endian,
            has_reversed_bits: tags.first(tag::FILL_ORDER) == Some(2) && compression.has_bit_order(),
            model,
            alpha,
            samples: samples / planes,
            planes,
            chunk,
            subsampling,
            jpeg_tables: tags.bytes(tag::JPEG_TABLES).map(<[u8]>::to_vec),
            has_ycbcr_jpeg,
            chunks,
        })
    }

    /// Number of strips or tiles per row of them.
    pub(super) fn across(&self) -> usize {
        (self.size.0 as usize).div_ceil(self.chunk.0)
    }

    /// Number of rows of strips or tiles.
    pub(super) fn down(&self) -> usize {
        (self.size.1 as usize).div_ceil(self.chunk.1)
    }

    /// Bytes per row of a strip or tile.
    pub(super) fn row_bytes(&self) -> usize {
        self.kind.bytes_of(self.chunk.0 * self.samples)
    }

    /// Whether chroma is subsampled.
    pub(super) fn is_subsampled(&self) -> bool {
        matches!(self.model, ColourModel::YCbCr(_))
            && self.subsampling != (1, 1)
            && !self.compression.is_whole()
    }
}

/// The common value of all numbers of a tag.
fn same(numbers: &[u64], default: u64, samples: u64, what: &str) -> Result<u64, TiffFault> {
    let numbers = &numbers[..numbers.len().min(samples as usize)];
    let first = numbers.first().copied().unwrap_or(default);
    if numbers.iter().any(|number| *number != first) {
        return Err(TiffFault::unsupported(format!("different {what} for the values of a pixel")));
    }
    Ok(first)
}

fn model(
    tags: &Directory,
    kind: SampleKind,
    samples: usize,
    compression: Compression,
) -> Result<(ColourModel, (usize, usize)), TiffFault> {
    let photometric = tags.first(tag::PHOTOMETRIC).unwrap_or(if samples >= 3 { 2 } else { 1 });
    let model = match photometric {
        // In fax data white is zero, and a mask is black and white.
        0 => ColourModel::Grey { white_is_zero: true },
        1 | 4 => ColourModel::Grey { white_is_zero: false },
        2 => ColourModel::Rgb,
        3 => palette(tags, kind)?,
        5 => match tags.first(tag::INK_SET) {
            None | Some(1) => ColourModel::Cmyk,
            Some(_) => return Err(TiffFault::unsupported("inks other than CMYK".to_owned())),
        },
        6 => ColourModel::YCbCr(ycbcr(tags)),
        8 => ColourModel::Lab { is_icc: false },
        9 => ColourModel::Lab { is_icc: true },
        32803 => return Err(TiffFault::unsupported("raw camera sensor data".to_owned())),
        other => return Err(TiffFault::unsupported(format!("an unknown colour model ({other})"))),
    };
    if samples < model.samples() {
        return Err(TiffFault::damaged("it has fewer values for each pixel than its colours need"));
    }
    if let ColourModel::YCbCr(_) | ColourModel::Lab { .. } = model
        && !(kind == SampleKind::U8 || kind == SampleKind::U16 && matches!(model, ColourModel::Lab { .. }))
    {
        let name = if photometric == 6 { "YCbCr" } else { "L*a*b*" };
        return Err(TiffFault::unsupported(format!("{name} colours of {} bits", kind.bits())));
    }
    let subsampling = match tags.all(tag::YCBCR_SUBSAMPLING)[..] {
        [across @ (1 | 2 | 4), down @ (1 | 2 | 4), ..] => (across as usize, down as usize),
        _ => (2, 2),
    };
    let is_spread = matches!(model, ColourModel::YCbCr(_)) && subsampling != (1, 1);
    if is_spread
        && (samples != 3 || tags.first(tag::PLANAR) == Some(2))
        && compression != Compression::OldJpeg
    {
        return Err(TiffFault::unsupported("subsampled YCbCr colours in planes".to_owned()));
    }
    Ok((model, subsampling))
}

fn palette(tags: &Directory, kind: SampleKind) -> Result<ColourModel, TiffFault> {
    let values = tags.all(tag::PALETTE);
    let count = values.len() / 3;
    if count == 0 || kind.is_float() || kind.bits() > 16 {
        return Err(TiffFault::damaged("its palette is missing"));
    }
    // Some writers use 8 bits instead of 16.
    let unit = if values.iter().any(|value| *value > 255) { 257 } else { 1 };
    let byte = |value: u64| ((value + unit / 2) / unit).min(255) as u8;
    let colour = |place| [0, 1, 2].map(|part| byte(values[part * count + place]));
    Ok(ColourModel::Palette((0..count).map(colour).collect()))
}

fn ycbcr(tags: &Directory) -> YCbCr {
    let mut how = YCbCr { luma: [0.299, 0.587, 0.114], reference: [0.0, 255.0, 128.0, 255.0, 128.0, 255.0] };
    if let Ok(luma) = <[f32; 3]>::try_from(tags.fractions(tag::YCBCR_COEFFICIENTS))
        && luma.iter().all(|part| part.is_finite() && *part > 0.0)
    {
        how.luma = luma;
    }
    if let Ok(reference) = <[f32; 6]>::try_from(tags.fractions(tag::REFERENCE_BLACK_WHITE))
        && reference.as_chunks::<2>().0.iter().all(|[low, high]| high > low)
    {
        how.reference = reference;
    }
    how
}

fn alpha(tags: &Directory, model: &ColourModel, samples: usize) -> Result<Alpha, TiffFault> {
    let extra = samples - model.samples();
    if matches!(model, ColourModel::Grey { .. }) && extra > 1 {
        return Err(TiffFault::unsupported(format!("{samples} channels without a declared colour model")));
    }
    Ok(match tags.first(tag::EXTRA_SAMPLES) {
        _ if extra == 0 => Alpha::None,
        Some(1) => Alpha::Associated,
        // Unspecified or nonstandard: like other programs, assume transparency.
        None | Some(2 | 999) => Alpha::Unassociated,
        Some(_) => Alpha::None,
    })
}

type Chunks = ((usize, usize), Vec<(u64, u64)>);

/// The size of a strip or tile, and the position of each. Unknown byte counts extend to the end of the file.
fn chunks(
    tags: &Directory,
    (width, height): (u32, u32),
    compression: Compression,
    length: u64,
) -> Result<Chunks, TiffFault> {
    let whole = (width as usize, height as usize);
    if compression == Compression::OldJpeg
        && let Some(offset) = tags.first(tag::OLD_JPEG_OFFSET)
    {
        let bytes = tags.first(tag::OLD_JPEG_BYTES).filter(|bytes| *bytes > 0);
        return Ok((whole, vec![(offset, bytes.unwrap_or(length))]));
    }
    let is_tiled = tags.first(tag::TILE_WIDTH).is_some();
    let (offsets, bytes, chunk) = if is_tiled {
        let side = |tag| tags.first(tag).unwrap_or(0) as usize;
        (tag::TILE_OFFSETS, tag::TILE_BYTES, (side(tag::TILE_WIDTH), side(tag::TILE_HEIGHT)))
    } else {
        let rows = tags.first(tag::ROWS_PER_STRIP).unwrap_or(u64::from(height));
        (tag::STRIP_OFFSETS, tag::STRIP_BYTES, (whole.0, rows.min(u64::from(height)) as usize))
    };
    // Some writers use the strip tags for tiles.
    let or_strips = |of_tiles: u16, of_strips: u16| {
        let found = tags.all(of_tiles);
        if found.is_empty() { tags.all(of_strips) } else { found }
    };
    let (offsets, bytes) = (or_strips(offsets, tag::STRIP_OFFSETS), or_strips(bytes, tag::STRIP_BYTES));
    let pixels = chunk.0.checked_mul(chunk.1).filter(|pixels| *pixels > 0);
    if offsets.is_empty() || pixels.is_none_or(|pixels| pixels as u64 > super::super::MAX_PIXELS) {
        return Err(TiffFault::damaged("its strips or tiles are not where they should be"));
    }
    let bytes = bytes.into_iter().map(Some).chain(std::iter::repeat(None));
    let count = |bytes: Option<u64>| bytes.filter(|bytes| *bytes > 0).unwrap_or(length);
    Ok((chunk, offsets.into_iter().zip(bytes).map(|(offset, bytes)| (offset, count(bytes))).collect()))
}
