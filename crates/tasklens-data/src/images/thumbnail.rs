//! Small pictures for lists and grids.

use std::path::Path;

use fast_image_resize::FilterType;

use super::decode::{self, Area, Decoded, Detail, ImageError};
use super::{Rgb, resize};

/// Decodes and scales so that the longer side is at most `side` pixels; never enlarges or stretches.
///
/// # Errors
/// See [`ImageError`].
pub fn thumbnail(path: &Path, side: u32) -> Result<Rgb, ImageError> {
    decode::decode_file_for(path, Detail::Within(side)).map(|image| thumbnail_of(&image, side))
}

/// As [`thumbnail`], for an image that was decoded with [`Detail::Within`] of `side` or more.
pub fn thumbnail_of(image: &Decoded, side: u32) -> Rgb {
    scaled_within(image, image.area(), image.full_size(), side)
}

/// The size follows from that of the whole image: one that was reduced by an eighth is rounded.
fn scaled_within(image: &Rgb, area: Area, (width, height): (u32, u32), side: u32) -> Rgb {
    let longer = width.max(height);
    if longer <= side {
        return image.clone();
    }
    let scaled = |length: u32| {
        let exact = f64::from(length) * f64::from(side) / f64::from(longer);
        (exact.round() as u32).max(1)
    };
    // Hamming costs as much as bilinear and keeps small pictures crisp.
    resize::convolve(image, area, (scaled(width), scaled(height)), FilterType::Hamming)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb as Pixel;

    #[test]
    fn keeps_the_shape_and_never_enlarges() {
        let size = |width, height| {
            let size = (width, height);
            scaled_within(&Rgb::new(width, height), Area::whole(size), size, 96).dimensions()
        };
        assert_eq!(size(1920, 1080), (96, 54));
        assert_eq!(size(1080, 1920), (54, 96));
        assert_eq!(size(96, 96), (96, 96));
        assert_eq!(size(40, 7), (40, 7));
        assert_eq!(size(5000, 1), (96, 1));
    }

    #[test]
    fn reads_a_file_and_keeps_its_colour() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("red.png");
        Rgb::from_pixel(300, 200, Pixel([200, 10, 20])).save(&path).unwrap();
        let small = thumbnail(&path, 30).unwrap();
        assert_eq!(small.dimensions(), (30, 20));
        assert!(small.pixels().all(|pixel| *pixel == Pixel([200, 10, 20])));
        assert!(thumbnail(&folder.path().join("gone.png"), 30).is_err());
    }
}
