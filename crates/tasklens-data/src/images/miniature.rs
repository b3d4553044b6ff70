//! Tiny pictures for finding near-duplicates.

use super::{Rgb, resize};

/// Side of a miniature, pixels.
pub const SIDE: u32 = 12;
/// Bytes of a miniature.
pub const BYTES: usize = (SIDE * SIDE * 3) as usize;

/// The miniature `[12, 12, 3]` of an image `[height, width, 3]`, stretched to a square.
pub fn of(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    Rgb::from_raw(width, height, pixels.to_vec())
        .map(|image| resize::resize(&image, SIDE, SIDE).into_raw())
        .unwrap_or_else(|| vec![0; BYTES])
}
