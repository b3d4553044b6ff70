//! Tiny pictures by which near-duplicates are found.

use super::{Rgb, resize};

/// Side of one, pixels.
pub const SIDE: u32 = 12;
/// Bytes of one.
pub const BYTES: usize = (SIDE * SIDE * 3) as usize;

/// `[12, 12, 3]` of the pixels of an image, `[height, width, 3]`, stretched to a square.
pub fn of(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    Rgb::from_raw(width, height, pixels.to_vec())
        .map(|image| resize::resize(&image, SIDE, SIDE).into_raw())
        .unwrap_or_else(|| vec![0; BYTES])
}
