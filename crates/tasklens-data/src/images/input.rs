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

/// Decodes a file and scales it; `size` is height and width of the network's input, here and below.
///
/// # Errors
/// See [`ImageError`].
pub fn of_file(path: &Path, size: (u32, u32)) -> Result<Input, ImageError> {
    decode_file_for(path, detail(size)).map(|image| input(&image, size))
}

/// Decodes bytes and scales them; `name` is for messages.
///
/// # Errors
/// See [`ImageError`].
pub fn of_bytes(bytes: &[u8], name: &str, size: (u32, u32)) -> Result<Input, ImageError> {
    decode_bytes_for(bytes, name, detail(size)).map(|image| input(&image, size))
}

/// What an image has to be decoded for, before [`of_decoded`].
pub fn detail((height, width): (u32, u32)) -> Detail {
    Detail::Stretched(width, height)
}

/// Scales an image that was decoded for [`detail`], or with all of its pixels.
pub fn of_decoded(image: &Decoded, (height, width): (u32, u32)) -> Rgb {
    resize::resize_area(image, image.area(), width, height)
}

fn input(image: &Decoded, size: (u32, u32)) -> Input {
    Input { pixels: of_decoded(image, size), note: image.note().map(str::to_owned) }
}
