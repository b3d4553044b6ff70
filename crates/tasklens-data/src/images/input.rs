//! Images at the size of a network's input: the one way from a file to what a network sees, so that all who train, predict
//! and explain get the same pixels.

use std::path::Path;

use super::decode::{Decoded, Detail, ImageError, decode_bytes_for, decode_file_for};
use super::{Rgb, resize};

/// An image for a network.
#[derive(Debug)]
pub struct Input {
    /// Stretched to the size of the network's input.
    pub pixels: Rgb,
    /// See [`Decoded::note`].
    pub note: Option<String>,
}

/// Decodes a file and scales it.
///
/// # Errors
/// See [`ImageError`].
pub fn of_file(path: &Path, (height, width): (u32, u32)) -> Result<Input, ImageError> {
    decode_file_for(path, Detail::Stretched(width, height)).map(|image| scaled(&image, (height, width)))
}

/// Decodes bytes and scales them; `name` is for messages.
///
/// # Errors
/// See [`ImageError`].
pub fn of_bytes(bytes: &[u8], name: &str, (height, width): (u32, u32)) -> Result<Input, ImageError> {
    let detail = Detail::Stretched(width, height);
    decode_bytes_for(bytes, name, detail).map(|image| scaled(&image, (height, width)))
}

fn scaled(image: &Decoded, (height, width): (u32, u32)) -> Input {
    Input {
        pixels: resize::resize_area(image, image.area(), width, height),
        note: image.note().map(str::to_owned),
    }
}
