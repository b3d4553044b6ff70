//! TIFFs that tests draw and write.

use std::io::{Cursor, Write as _};

use super::super::{Picture, Tiff, TiffFault};

pub(super) const WIDTH: usize = 21;
pub(super) const HEIGHT: usize = 13;

/// What a test puts into a file.
#[derive(Clone)]
pub(super) struct File {
    pub(super) size: (usize, usize),
    pub(super) is_big_endian: bool,
    pub(super) is_big_tiff: bool,
    /// Tag, type and values; those that every file needs have their defaults.
    tags: Vec<(u16, u16, Vec<u64>)>,
    pub(super) chunks: Vec<Vec<u8>>,
}

impl File {
    /// One strip of RGB of 8 bits.
    pub(super) fn new(size: (usize, usize), chunk: Vec<u8>) -> Self {
        Self { size, is_big_endian: false, is_big_tiff: false, tags: Vec::new(), chunks: vec![chunk] }
    }

    /// With a tag of whole numbers of 16 or 32 bits.
    pub(super) fn with(mut self, tag: u16, values: &[u64]) -> Self {
        let kind = if values.iter().any(|value| *value > 0xFFFF) { 4 } else { 3 };
        self.tags.retain(|(other, ..)| *other != tag);
        self.tags.push((tag, kind, values.to_vec()));
        self
    }

    pub(super) fn number(&self, value: u64, bytes: usize) -> Vec<u8> {
        let all = value.to_be_bytes();
        let mut number = all[8 - bytes..].to_vec();
        if !self.is_big_endian {
            number.reverse();
        }
        number
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let wide = if self.is_big_tiff { 8 } else { 4 };
        let mut file = if self.is_big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        file.extend(self.number(if self.is_big_tiff { 43 } else { 42 }, 2));
        if self.is_big_tiff {
            file.extend([self.number(8, 2), self.number(0, 2)].concat());
        }
        let start = file.len();
        file.extend(vec![0; wide]);
        let mut tags = self.tags.clone();
        let is_tiled = tags.iter().any(|(tag, ..)| *tag == 322);
        let mut offsets = Vec::new();
        for chunk in &self.chunks {
            offsets.push(file.len() as u64);
            file.extend(chunk);
        }
        let lengths = self.chunks.iter().map(|chunk| chunk.len() as u64).collect();
        let (width, height) = (self.size.0 as u64, self.size.1 as u64);
        for (tag, kind, values) in [
            (256, 4, vec![width]),
            (257, 4, vec![height]),
            (258, 3, vec![8, 8, 8]),
            (262, 3, vec![2]),
            (277, 3, vec![3]),
            (if is_tiled { 324 } else { 273 }, 4, offsets),
            (if is_tiled { 325 } else { 279 }, 4, lengths),
        ] {
            if !tags.iter().any(|(other, ..)| *other == tag) {
                tags.push((tag, kind, values));
            }
        }
        let mut directory = self.number(tags.len() as u64, if self.is_big_tiff { 8 } else { 2 });
        for (tag, kind, values) in &tags {
            // Fractions come as two numbers.
            let (size, count) = match kind {
                1 | 7 => (1, values.len()),
                3 => (2, values.len()),
                5 => (4, values.len() / 2),
                _ => (4, values.len()),
            };
            let mut value: Vec<u8> = values.iter().flat_map(|value| self.number(*value, size)).collect();
            if value.len() > wide {
                let place = file.len() as u64;
                file.extend(value);
                value = self.number(place, wide);
            }
            value.resize(wide, 0);
            let head = [self.number(u64::from(*tag), 2), self.number(u64::from(*kind), 2)];
            directory.extend([head.concat(), self.number(count as u64, wide), value].concat());
        }
        let place = self.number(file.len() as u64, wide);
        file[start..start + wide].copy_from_slice(&place);
        file.extend(directory);
        file.extend(vec![0; wide]);
        file
    }

    pub(super) fn open(&self) -> Result<Tiff<Cursor<Vec<u8>>>, TiffFault> {
        let bytes = self.bytes();
        let length = bytes.len() as u64;
        Tiff::open(Cursor::new(bytes), length)
    }

    pub(super) fn decode(&self) -> Result<Picture, TiffFault> {
        self.open()?.decode()
    }

    /// The pixels, of which there is nothing to say.
    pub(super) fn pixels(&self) -> Vec<[u8; 3]> {
        let picture = self.decode().unwrap();
        assert_eq!(picture.note, None);
        picture.rgb.as_chunks().0.to_vec()
    }

    pub(super) fn greys(&self) -> Vec<u8> {
        greys(self.pixels().as_flattened())
    }

    pub(super) fn error(&self) -> String {
        match self.decode() {
            Err(TiffFault::Unsupported(what)) => what,
            Err(fault) => format!("{fault:?}"),
            Ok(_) => panic!("it was read"),
        }
    }
}

/// The first value of each pixel.
pub(super) fn greys(rgb: &[u8]) -> Vec<u8> {
    rgb.iter().step_by(3).copied().collect()
}

/// A picture of which no two rows or columns are alike.
pub(super) fn rgb() -> Vec<u8> {
    let pixel = |at: usize| {
        let (x, y) = (at % WIDTH, at / WIDTH);
        [x * 12, y * 19, (x * y * 7) % 256].map(|value| value as u8)
    };
    (0..WIDTH * HEIGHT).flat_map(pixel).collect()
}

/// One row of grey of so many bits.
pub(super) fn grey(bits: u64, width: usize, row: &[u8]) -> File {
    File::new((width, 1), row.to_vec()).with(258, &[bits]).with(262, &[1]).with(277, &[1])
}

pub(super) fn lzw(bytes: &[u8]) -> Vec<u8> {
    weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(bytes).unwrap()
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

pub(super) fn pack_bits(bytes: &[u8]) -> Vec<u8> {
    let literal = |part: &[u8]| [&[part.len() as u8 - 1], part].concat();
    let packed: Vec<u8> = bytes.chunks(100).flat_map(literal).collect();
    // A byte that means nothing, and a run of none.
    [&[128], packed.as_slice()].concat()
}

pub(super) fn as_they_are(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

/// The picture of 8 or 16 bits in strips or tiles, packed by `pack`.
pub(super) fn picture(
    is_deep: bool,
    is_tiled: bool,
    in_planes: bool,
    predicts: bool,
    file: &mut File,
    pack: fn(&[u8]) -> Vec<u8>,
) {
    let source = rgb();
    let (width, rows) = if is_tiled { (16, 16) } else { (WIDTH, 5) };
    let planes: Vec<Vec<usize>> =
        if in_planes { vec![vec![0], vec![1], vec![2]] } else { vec![vec![0, 1, 2]] };
    file.chunks.clear();
    for plane in planes {
        for top in (0..HEIGHT).step_by(rows) {
            for left in (0..WIDTH).step_by(width) {
                let height = if is_tiled { rows } else { rows.min(HEIGHT - top) };
                let mut chunk = Vec::new();
                for y in top..top + height {
                    let value = |x: usize, part: &usize| {
                        let inside = x < WIDTH && y < HEIGHT;
                        let byte = if inside { source[(y * WIDTH + x) * 3 + part] } else { 99 };
                        u64::from(byte) * if is_deep { 257 } else { 1 }
                    };
                    let mut values: Vec<u64> = (left..left + width)
                        .flat_map(|x| plane.iter().map(move |part| value(x, part)))
                        .collect();
                    if predicts {
                        for at in (plane.len()..values.len()).rev() {
                            values[at] = values[at].wrapping_sub(values[at - plane.len()]);
                        }
                    }
                    chunk.extend(
                        values.iter().flat_map(|value| file.number(*value, if is_deep { 2 } else { 1 })),
                    );
                }
                file.chunks.push(pack(&chunk));
            }
        }
    }
    let tags: [(u16, &[u64]); 2] =
        if is_tiled { [(322, &[16]), (323, &[16])] } else { [(278, &[5]), (274, &[1])] };
    let bits = if is_deep { 16 } else { 8 };
    let planar = if in_planes { 2 } else { 1 };
    *file = tags.into_iter().fold(file.clone(), |file, (tag, values)| file.with(tag, values));
    *file =
        file.clone().with(258, &[bits; 3]).with(284, &[planar]).with(317, &[if predicts { 2 } else { 1 }]);
}
