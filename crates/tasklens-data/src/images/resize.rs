//! Resizes images to the network's input size, or to thumbnails.

use std::cell::RefCell;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::Rgb;
use super::decode::Area;

/// Resizes to exactly `width` x `height` (each above 0), stretching like Keras' `target_size`, with an
/// antialiased bilinear filter (as Pillow's `BILINEAR`).
pub fn resize(image: &Rgb, width: u32, height: u32) -> Rgb {
    resize_area(image, Area::whole(image.dimensions()), width, height)
}

/// As [`resize`] of a part of the image.
pub(super) fn resize_area(image: &Rgb, area: Area, width: u32, height: u32) -> Rgb {
    convolve(image, area, (width, height), FilterType::Bilinear)
}

/// The library scales the height first. For a wide, flat image the intermediate result may be this large; beyond, the
/// width is scaled first.
const MAX_FIRST_PASS_BYTES: u64 = 64 << 20;

/// Buffers up to this size are reused by a thread between images.
const KEEP_BYTES: usize = 8 << 20;

/// As [`resize_area`] with any filter.
pub(super) fn convolve(image: &Rgb, area: Area, (width, height): (u32, u32), filter: FilterType) -> Rgb {
    let first_pass_bytes = u64::from(image.width()) * u64::from(height) * 3;
    if height > image.height() && width < image.width() && first_pass_bytes > MAX_FIRST_PASS_BYTES {
        let narrow = convolve_at_once(
            image,
            Area { top: 0.0, height: f64::from(image.height()), ..area },
            (width, image.height()),
            filter,
        );
        let area = Area { left: 0.0, width: f64::from(width), ..area };
        return convolve_at_once(&narrow, area, (width, height), filter);
    }
    convolve_at_once(image, area, (width, height), filter)
}

#[expect(
    clippy::expect_used,
    reason = "an RgbImage holds width * height * 3 bytes by construction, and an area is a part of it"
)]
fn convolve_at_once(image: &Rgb, area: Area, (width, height): (u32, u32), filter: FilterType) -> Rgb {
    thread_local! {
        static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
    }
    if image.dimensions() == (width, height) && area == Area::whole((width, height)) {
        return image.clone();
    }
    let source = ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8x3)
        .expect("the buffer fits its size");
    let mut target = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(
        area.left,
        area.top,
        area.width,
        area.height,
    );
    RESIZER
        .with_borrow_mut(|resizer| {
            let resized = resizer.resize(&source, &mut target, &options);
            if resizer.size_of_internal_buffers() > KEEP_BYTES {
                resizer.reset_internal_buffers();
            }
            resized
        })
        .expect("both sides are 8-bit RGB, and the area lies within");
    Rgb::from_raw(width, height, target.into_vec()).expect("the buffer fits its size")
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb as Pixel;

    #[test]
    fn agrees_with_pillow_bilinear() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images");
        let open = |name: &str| crate::images::decode::decode_file(&folder.join(name)).unwrap();
        let source = open("ramps.png");
        for (width, height, name) in [(20, 15, "ramps_20x15.png"), (90, 70, "ramps_90x70.png")] {
            let ours = resize(&source, width, height);
            let pillow = open(name);
            assert_eq!(ours.dimensions(), pillow.dimensions());
            let worst = ours.as_raw().iter().zip(pillow.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= 1, "{name} differs by {worst}");
        }
    }

    #[test]
    fn a_shrunk_chequerboard_is_grey_not_aliased() {
        let board = Rgb::from_fn(64, 64, |x, y| Pixel([if (x + y) % 2 == 0 { 255 } else { 0 }; 3]));
        let small = resize(&board, 16, 16);
        assert!(small.as_raw().iter().all(|value| value.abs_diff(128) <= 2));
    }

    #[test]
    fn extreme_shapes_keep_their_colour() {
        let line = Rgb::from_pixel(1, 5000, Pixel([10, 200, 30]));
        let square = resize(&line, 32, 32);
        assert_eq!(square.dimensions(), (32, 32));
        assert!(square.pixels().all(|pixel| *pixel == Pixel([10, 200, 30])));
    }

    #[test]
    fn a_line_of_a_million_pixels_keeps_its_colours_whichever_side_is_scaled_first() {
        let line = Rgb::from_fn(1_000_000, 1, |x, _| Pixel([(x / 4000) as u8, 200, 30]));
        let square = resize(&line, 96, 96);
        for (x, _, pixel) in square.enumerate_pixels() {
            let expected = ((f64::from(x) + 0.5) / 96.0 * 250.0) as u8;
            assert!(pixel[0].abs_diff(expected) <= 2 && pixel[1] == 200, "{pixel:?} at {x}");
        }
    }
}
