//! The first directory of a TIFF or BigTIFF: its tags, read within a limit.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use super::TiffFault;

/// Maximum bytes of all tag values together.
const MOST_BYTES: u64 = 16 << 20;
/// Maximum number of tags.
const MOST_TAGS: u64 = 4096;

/// The parsed tags of an image.
pub(super) struct Directory {
    pub(super) is_big_endian: bool,
    entries: BTreeMap<u16, TagEntry>,
}

struct TagEntry {
    kind: u16,
    values: Vec<u8>,
}

/// The tags that are used; others are not read.
pub(super) mod tag {
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTES: u16 = 279;
    pub const PLANAR: u16 = 284;
    pub const GROUP_3_OPTIONS: u16 = 292;
    pub const PREDICTOR: u16 = 317;
    pub const PALETTE: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_HEIGHT: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTES: u16 = 325;
    pub const INK_SET: u16 = 332;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const JPEG_TABLES: u16 = 347;
    pub const OLD_JPEG_OFFSET: u16 = 513;
    pub const OLD_JPEG_BYTES: u16 = 514;
    pub const YCBCR_COEFFICIENTS: u16 = 529;
    pub const YCBCR_SUBSAMPLING: u16 = 530;
    pub const REFERENCE_BLACK_WHITE: u16 = 532;

    pub(super) const ALL: [u16; 28] = [
        WIDTH,
        HEIGHT,
        BITS_PER_SAMPLE,
        COMPRESSION,
        PHOTOMETRIC,
        FILL_ORDER,
        STRIP_OFFSETS,
        ORIENTATION,
        SAMPLES_PER_PIXEL,
        ROWS_PER_STRIP,
        STRIP_BYTES,
        PLANAR,
        GROUP_3_OPTIONS,
        PREDICTOR,
        PALETTE,
        TILE_WIDTH,
        TILE_HEIGHT,
        TILE_OFFSETS,
        TILE_BYTES,
        INK_SET,
        EXTRA_SAMPLES,
        SAMPLE_FORMAT,
        JPEG_TABLES,
        OLD_JPEG_OFFSET,
        OLD_JPEG_BYTES,
        YCBCR_COEFFICIENTS,
        YCBCR_SUBSAMPLING,
        REFERENCE_BLACK_WHITE,
    ];
}

/// Bytes of a value by its type; `None` if the type is unknown.
fn size_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

/// Reads numbers in the file's byte order.
struct Numbers<'a, R> {
    file: &'a mut R,
    is_big_endian: bool,
}

impl<R: Read> Numbers<'_, R> {
    /// The next number of `size` bytes.
    fn next(&mut self, size: usize) -> Result<u64, TiffFault> {
        let mut bytes = [0; 8];
        self.file.read_exact(&mut bytes[..size])?;
        Ok(number(&bytes[..size], self.is_big_endian))
    }
}

fn number(bytes: &[u8], is_big_endian: bool) -> u64 {
    let join = |number, byte: &u8| number << 8 | u64::from(*byte);
    if is_big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
}

impl Directory {
    /// Reads the first directory of a file of `length` bytes.
    pub(super) fn read<R: Read + Seek>(file: &mut R, length: u64) -> Result<Self, TiffFault> {
        let mut magic = [0; 4];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut magic)?;
        let is_big_endian = magic[0] == b'M';
        let is_big_tiff = magic.contains(&43);
        let mut numbers = Numbers { file, is_big_endian };
        // Size of an offset, of the number of tags, and of an inline value.
        let (wide, counted) = if is_big_tiff { (8, 8) } else { (4, 2) };
        if is_big_tiff {
            numbers.next(4)?;
        }
        let start = numbers.next(wide)?;
        numbers.file.seek(SeekFrom::Start(start))?;
        let count = numbers.next(counted)?;
        if count > MOST_TAGS {
            return Err(TiffFault::damaged("its directory declares too many tags"));
        }
        let mut places = Vec::new();
        for _ in 0..count {
            let (tag, kind) = (numbers.next(2)? as u16, numbers.next(2)? as u16);
            let count = numbers.next(wide)?;
            let mut value = [0; 8];
            numbers.file.read_exact(&mut value[..wide])?;
            if tag::ALL.contains(&tag) {
                places.push((tag, kind, count, value));
            }
        }
        let mut directory = Self { is_big_endian, entries: BTreeMap::new() };
        let mut left = MOST_BYTES;
        for (tag, kind, count, value) in places {
            let Some(bytes) = size_of(kind).and_then(|size| size.checked_mul(count)) else { continue };
            let in_place = bytes <= wide as u64;
            if bytes > left || (!in_place && bytes > length) {
                return Err(TiffFault::damaged("one of its tags is longer than it can be"));
            }
            left -= bytes;
            let values = if in_place {
                value[..bytes as usize].to_vec()
            } else {
                let mut values = vec![0; bytes as usize];
                file.seek(SeekFrom::Start(number(&value[..wide], is_big_endian)))?;
                file.read_exact(&mut values)?;
                values
            };
            // Of duplicate tags, the first counts.
            directory.entries.entry(tag).or_insert(TagEntry { kind, values });
        }
        Ok(directory)
    }

    /// The integers of a tag; empty if it is missing or holds none.
    pub(super) fn all(&self, tag: u16) -> Vec<u64> {
        let Some(TagEntry { kind, values }) = self.entries.get(&tag) else { return Vec::new() };
        let size = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 13 => 4,
            16..=18 => 8,
            _ => return Vec::new(),
        };
        values.chunks_exact(size).map(|bytes| number(bytes, self.is_big_endian)).collect()
    }

    /// The first number of a tag.
    pub(super) fn first(&self, tag: u16) -> Option<u64> {
        self.all(tag).first().copied()
    }

    /// Fractions; integers are accepted, too.
    pub(super) fn fractions(&self, tag: u16) -> Vec<f32> {
        match self.entries.get(&tag) {
            Some(TagEntry { kind: 5, values }) => values
                .chunks_exact(8)
                .map(|pair| {
                    let [above, below] = [&pair[..4], &pair[4..]].map(|n| number(n, self.is_big_endian));
                    above as f32 / below as f32
                })
                .collect(),
            _ => self.all(tag).into_iter().map(|number| number as f32).collect(),
        }
    }

    /// The raw bytes of a tag.
    pub(super) fn bytes(&self, tag: u16) -> Option<&[u8]> {
        self.entries.get(&tag).map(|entry| entry.values.as_slice())
    }
}
