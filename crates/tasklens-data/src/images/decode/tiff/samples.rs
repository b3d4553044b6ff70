//! Decodes the values in a row of bytes: byte order, predictor and bit depth.

use half::f16;

use super::TiffFault;

/// The type of a stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleKind {
    /// Integers of this many bits, not byte-aligned, highest bit first.
    Packed(usize),
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
}

impl SampleKind {
    /// By bits per value and sample format.
    pub(super) fn new(bits: u64, form: u64) -> Result<Self, TiffFault> {
        Ok(match (form, bits) {
            // 4 is `undefined`: most writers mean integers.
            (1 | 4, 8) => Self::U8,
            (1 | 4, 16) => Self::U16,
            (1 | 4, 32) => Self::U32,
            (1 | 4, 64) => Self::U64,
            (1 | 4, 1..=15) => Self::Packed(bits as usize),
            (2, 8) => Self::I8,
            (2, 16) => Self::I16,
            (2, 32) => Self::I32,
            (2, 64) => Self::I64,
            (3, 16) => Self::F16,
            (3, 32) => Self::F32,
            (3, 64) => Self::F64,
            (5 | 6, _) => return Err(TiffFault::unsupported("complex numbers".to_owned())),
            _ => return Err(TiffFault::unsupported(format!("values of {bits} bits"))),
        })
    }

    pub(super) fn bits(self) -> usize {
        match self {
            Self::Packed(bits) => bits,
            Self::U8 | Self::I8 => 8,
            Self::U16 | Self::I16 | Self::F16 => 16,
            Self::U32 | Self::I32 | Self::F32 => 32,
            Self::U64 | Self::I64 | Self::F64 => 64,
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::F32 | Self::F64)
    }

    /// The default value of white.
    pub(super) fn most(self) -> f32 {
        match self {
            Self::F16 | Self::F32 | Self::F64 => 1.0,
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => 2_f64.powi(self.bits() as i32 - 1) as f32 - 1.0,
            _ => (2_f64.powi(self.bits() as i32) - 1.0) as f32,
        }
    }

    /// Bytes of `count` values, byte-aligned.
    pub(super) fn bytes_of(self, count: usize) -> usize {
        (count * self.bits()).div_ceil(8)
    }

    /// The value at `place` of a row in native byte order.
    #[inline]
    pub(super) fn value(self, row: &[u8], place: usize) -> f32 {
        match self {
            Self::Packed(bits) => packed(row, place * bits, bits) as f32,
            Self::U8 => f32::from(row[place]),
            Self::I8 => f32::from(row[place].cast_signed()),
            Self::U16 => f32::from(u16::from_ne_bytes(at(row, place))),
            Self::I16 => f32::from(i16::from_ne_bytes(at(row, place))),
            Self::U32 => u32::from_ne_bytes(at(row, place)) as f32,
            Self::I32 => i32::from_ne_bytes(at(row, place)) as f32,
            Self::U64 => u64::from_ne_bytes(at(row, place)) as f32,
            Self::I64 => i64::from_ne_bytes(at(row, place)) as f32,
            Self::F16 => f16::from_ne_bytes(at(row, place)).to_f32(),
            Self::F32 => f32::from_ne_bytes(at(row, place)),
            Self::F64 => f64::from_ne_bytes(at(row, place)) as f32,
        }
    }
}

fn at<const BYTES: usize>(row: &[u8], place: usize) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes.copy_from_slice(&row[place * BYTES..(place + 1) * BYTES]);
    bytes
}

fn packed(row: &[u8], first: usize, bits: usize) -> u32 {
    let window = (0..3)
        .fold(0, |window, next| window << 8 | u32::from(row.get(first / 8 + next).copied().unwrap_or(0)));
    window >> (24 - first % 8 - bits) & ((1 << bits) - 1)
}

/// The predictor that was applied before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    /// Each value is the difference from the pixel before it.
    Horizontal,
    /// The same per byte, with the highest bytes of all values first.
    FloatingPoint,
}

impl Predictor {
    pub(super) fn new(number: u64, kind: SampleKind) -> Result<Self, TiffFault> {
        match (number, kind) {
            (0 | 1, _) => Ok(Self::None),
            (2, SampleKind::Packed(_)) => {
                Err(TiffFault::unsupported(format!("a predictor of {} bits", kind.bits())))
            }
            (2, _) => Ok(Self::Horizontal),
            (3, _) if kind.is_float() => Ok(Self::FloatingPoint),
            _ => Err(TiffFault::unsupported(format!("an unknown predictor ({number})"))),
        }
    }
}

/// Converts a row of the file, with `samples` values per pixel, to values in native byte order. `spare` is a buffer
/// that is reused between rows.
pub(super) fn restore(
    row: &mut [u8],
    kind: SampleKind,
    samples: usize,
    predictor: Predictor,
    is_big_endian: bool,
    spare: &mut Vec<u8>,
) {
    if predictor == Predictor::FloatingPoint {
        return restore_floats(row, kind.bits() / 8, samples, spare);
    }
    if is_big_endian != cfg!(target_endian = "big") && !matches!(kind, SampleKind::Packed(_)) {
        let size = kind.bits() / 8;
        if size > 1 {
            row.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
    }
    if predictor == Predictor::Horizontal {
        match kind.bits() {
            8 => add_up(row, samples, |a: [u8; 1], b| [a[0].wrapping_add(b[0])]),
            16 => add_up(row, samples, |a, b| {
                u16::from_ne_bytes(a).wrapping_add(u16::from_ne_bytes(b)).to_ne_bytes()
            }),
            32 => add_up(row, samples, |a, b| {
                u32::from_ne_bytes(a).wrapping_add(u32::from_ne_bytes(b)).to_ne_bytes()
            }),
            _ => add_up(row, samples, |a, b| {
                u64::from_ne_bytes(a).wrapping_add(u64::from_ne_bytes(b)).to_ne_bytes()
            }),
        }
    }
}

fn add_up<const BYTES: usize>(
    row: &mut [u8],
    samples: usize,
    add: impl Fn([u8; BYTES], [u8; BYTES]) -> [u8; BYTES],
) {
    let (values, _) = row.as_chunks_mut::<BYTES>();
    for place in samples..values.len() {
        values[place] = add(values[place], values[place - samples]);
    }
}

fn restore_floats(row: &mut [u8], size: usize, samples: usize, spare: &mut Vec<u8>) {
    for place in samples..row.len() {
        row[place] = row[place].wrapping_add(row[place - samples]);
    }
    spare.clear();
    spare.extend_from_slice(row);
    let count = row.len() / size;
    for (value, bytes) in row.chunks_exact_mut(size).enumerate() {
        for (part, byte) in bytes.iter_mut().enumerate() {
            let part = if cfg!(target_endian = "big") { part } else { size - 1 - part };
            *byte = spare[part * count + value];
        }
    }
}
