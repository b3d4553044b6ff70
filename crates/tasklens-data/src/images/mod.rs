//! Pixels: decode within a budget of memory, EXIF orientation, resize, inputs of networks, augment, thumbnails, fetch by URL.
//!
//! Everything decoded is upright 8-bit RGB; transparency is blended with white.

pub mod augment;
pub mod budget;
pub mod cache;
pub(crate) mod comment;
pub mod content;
pub mod decode;
pub mod fetch;
pub mod input;
pub mod miniature;
pub mod resize;
pub mod shape;
pub mod thumbnail;

/// An image as the rest of the program sees it: upright, 8-bit RGB, `[height, width, 3]`.
pub type Rgb = image::RgbImage;
