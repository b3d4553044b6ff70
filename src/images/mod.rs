//! Pixels: decode, EXIF orientation, resize, augment, thumbnails, fetch by URL.
//!
//! Everything decoded is upright 8-bit RGB; transparency is laid over white.

pub mod augment;
pub mod cache;
pub mod decode;
pub mod fetch;
pub mod loader;
pub mod resize;
pub mod thumbnail;

use std::borrow::Cow;

use crate::config::Augmentation;

/// Upright 8-bit RGB.
pub type Rgb = image::RgbImage;

/// What the network sees: `image` scaled to `width` x `height` and, for training, changed at random
/// as [`augment::augment`] does with the seed given.
pub fn prepare(image: &Rgb, width: u32, height: u32, augmentation: Option<(&Augmentation, u64)>) -> Rgb {
    let scaled = if image.dimensions() == (width, height) {
        Cow::Borrowed(image)
    } else {
        Cow::Owned(resize::resize(image, width, height))
    };
    match augmentation {
        Some((how, seed)) => augment::augment(&scaled, how, seed),
        None => scaled.into_owned(),
    }
}
