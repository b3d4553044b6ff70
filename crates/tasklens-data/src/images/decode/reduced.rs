//! JPEGs at a half, a quarter or an eighth of their size: libjpeg-turbo computes so many pixels fewer from the same
//! coefficients.

use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

use crate::images::Rgb;

/// Files with more scans are left to the other decoder: each scan goes over all of the image again.
const MOST_SCANS: u32 = 100;

/// The stored image of `size`, divided by `divisor`. `None` where anything is unusual, from a warning to a colour model
/// that it cannot convert (CMYK): decoding it whole tells what it is.
pub(super) fn decode(bytes: &[u8], size: (u32, u32), divisor: u32) -> Option<Rgb> {
    divided(bytes, size, divisor)
        .map_err(|error| log::debug!("a JPEG is decoded whole, as libjpeg-turbo says: {error}"))
        .ok()
        .flatten()
}

fn divided(bytes: &[u8], size: (u32, u32), divisor: u32) -> turbojpeg::Result<Option<Rgb>> {
    let mut decoder = Decompressor::new()?;
    decoder.set_scan_limit(MOST_SCANS)?;
    decoder.set_scaling_factor(ScalingFactor::new(1, divisor as usize))?;
    let (width, height) = (size.0.div_ceil(divisor), size.1.div_ceil(divisor));
    let (columns, rows) = (width as usize, height as usize);
    let mut pixels = vec![0; columns * rows * 3];
    let image = Image {
        pixels: pixels.as_mut_slice(),
        width: columns,
        pitch: columns * 3,
        height: rows,
        format: PixelFormat::RGB,
    };
    // An error also where it only warns, and where the header has another size.
    decoder.decompress(bytes, image)?;
    Ok(Rgb::from_raw(width, height, pixels))
}
