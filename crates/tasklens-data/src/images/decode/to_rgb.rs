//! Converts pixels of any kind to 8-bit RGB over white, in place: a second buffer would double the memory for a large
//! image.

use image::ColorType;

/// Converts `pixels` pixels of `color` at the beginning of `buffer`, which has room for 3 bytes each, to RGB; returns
/// whether the kind is supported.
pub(super) fn in_place(buffer: &mut Vec<u8>, pixels: usize, color: ColorType) -> bool {
    match color {
        ColorType::Rgb8 => {}
        ColorType::L8 => each(buffer, pixels, |[grey]: [u8; 1]| [grey; 3]),
        ColorType::La8 => each(buffer, pixels, |[grey, alpha]: [u8; 2]| [over_white(grey, alpha); 3]),
        ColorType::Rgba8 => each(buffer, pixels, |[red, green, blue, alpha]: [u8; 4]| {
            [red, green, blue].map(|value| over_white(value, alpha))
        }),
        ColorType::L16 => each(buffer, pixels, |bytes: [u8; 2]| [from_16(bytes); 3]),
        ColorType::La16 => each(buffer, pixels, |bytes: [u8; 4]| {
            let [grey, alpha] = values::<4, 2, 2>(bytes).map(from_16);
            [over_white(grey, alpha); 3]
        }),
        ColorType::Rgb16 => each(buffer, pixels, |bytes: [u8; 6]| values::<6, 2, 3>(bytes).map(from_16)),
        ColorType::Rgba16 => each(buffer, pixels, |bytes: [u8; 8]| {
            let [red, green, blue, alpha] = values::<8, 2, 4>(bytes).map(from_16);
            [red, green, blue].map(|value| over_white(value, alpha))
        }),
        _ => return false,
    }
    buffer.truncate(pixels * 3);
    buffer.shrink_to_fit();
    true
}

/// Makes a fully transparent image opaque: in old BMPs the alpha bits mean nothing.
pub(super) fn ignore_empty_alpha(buffer: &mut [u8], color: ColorType) {
    if color == ColorType::Rgba8 {
        let (pixels, _) = buffer.as_chunks_mut::<4>();
        if pixels.iter().all(|[.., alpha]| *alpha == 0) {
            pixels.iter_mut().for_each(|[.., alpha]| *alpha = 255);
        }
    }
}

/// Stretches 16-bit values that only use the range of 8 or 12 bits to the full range; returns the highest value and
/// the new white if it did. Many cameras and microscopes write such files, which would otherwise be nearly black.
pub(super) fn spread_low_values(buffer: &mut [u8], color: ColorType) -> Option<(u16, u16)> {
    if !matches!(color, ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16) {
        return None;
    }
    let (values, _) = buffer.as_chunks_mut::<2>();
    let most = values.iter().map(|value| u16::from_ne_bytes(*value)).max()?;
    let high = [255, 4095].into_iter().find(|high| most <= *high).filter(|_| most > 0)?;
    for value in values {
        let spread = (u32::from(u16::from_ne_bytes(*value)) * 65535 + u32::from(high) / 2) / u32::from(high);
        *value = (spread as u16).to_ne_bytes();
    }
    Some((most, high))
}

fn each<const FROM: usize>(buffer: &mut [u8], pixels: usize, rgb: impl Fn([u8; FROM]) -> [u8; 3]) {
    let convert = |place: usize| {
        let mut from = [0; FROM];
        from.copy_from_slice(&buffer[place * FROM..(place + 1) * FROM]);
        buffer[place * 3..(place + 1) * 3].copy_from_slice(&rgb(from));
    };
    // In the direction in which nothing is overwritten before it is read.
    if FROM < 3 {
        (0..pixels).rev().for_each(convert);
    } else {
        (0..pixels).for_each(convert);
    }
}

/// The values of a pixel, `SIZE` bytes each.
fn values<const BYTES: usize, const SIZE: usize, const COUNT: usize>(
    bytes: [u8; BYTES],
) -> [[u8; SIZE]; COUNT] {
    let mut values = [[0; SIZE]; COUNT];
    for (value, from) in values.iter_mut().zip(bytes.as_chunks::<SIZE>().0) {
        *value = *from;
    }
    values
}

fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Rounded to nearest, as in the conversions of `image`.
fn from_16(bytes: [u8; 2]) -> u8 {
    ((u32::from(u16::from_ne_bytes(bytes)) + 128) / 257) as u8
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageBuffer};

    use super::*;

    /// What the `image` crate makes of it, in two more buffers.
    fn slowly(image: DynamicImage) -> Vec<u8> {
        if !image.color().has_alpha() {
            return image.into_rgb8().into_raw();
        }
        let rgba = image.into_rgba8();
        rgba.pixels().flat_map(|pixel| [0, 1, 2].map(|at| over_white(pixel[at], pixel[3]))).collect()
    }

    #[test]
    fn every_kind_of_pixel_becomes_what_two_more_buffers_would_make_it() {
        let (width, height) = (7, 5);
        let bytes = |count: u32| (0..count * 35).map(|n| (n * 89 % 256) as u8).collect::<Vec<u8>>();
        let words = |count: u32| (0..count * 35).map(|n| (n * 7919 % 65536) as u16).collect::<Vec<u16>>();
        let images: Vec<DynamicImage> = vec![
            DynamicImage::ImageLuma8(ImageBuffer::from_raw(width, height, bytes(1)).unwrap()),
            DynamicImage::ImageLumaA8(ImageBuffer::from_raw(width, height, bytes(2)).unwrap()),
            DynamicImage::ImageRgb8(ImageBuffer::from_raw(width, height, bytes(3)).unwrap()),
            DynamicImage::ImageRgba8(ImageBuffer::from_raw(width, height, bytes(4)).unwrap()),
            DynamicImage::ImageLuma16(ImageBuffer::from_raw(width, height, words(1)).unwrap()),
            DynamicImage::ImageLumaA16(ImageBuffer::from_raw(width, height, words(2)).unwrap()),
            DynamicImage::ImageRgb16(ImageBuffer::from_raw(width, height, words(3)).unwrap()),
            DynamicImage::ImageRgba16(ImageBuffer::from_raw(width, height, words(4)).unwrap()),
        ];
        for image in images {
            let color = image.color();
            let mut buffer = image.as_bytes().to_vec();
            buffer.resize(buffer.len().max(35 * 3), 0);
            assert!(in_place(&mut buffer, 35, color));
            assert_eq!(buffer, slowly(image), "{color:?}");
        }
    }
}
