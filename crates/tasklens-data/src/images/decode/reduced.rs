//! JPEGs at a half, a quarter or an eighth of their size: libjpeg-turbo computes so many pixels fewer from the same
//! coefficients. On Linux; elsewhere it is not built, and every JPEG is decoded whole.

#[cfg(target_os = "linux")]
use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

use crate::images::Rgb;

/// Files with more scans are left to the other decoder: each scan goes over all of the image again.
#[cfg(target_os = "linux")]
const MOST_SCANS: u32 = 100;

/// What libjpeg-turbo warns of where the data of a scan ends before its last block, which is then grey. Extra bytes, of which
/// it warns, too, are no damage: some cameras write them.
#[cfg(target_os = "linux")]
const TOO_SHORT: &str = "premature end of data segment";

/// Anything is unusual, from a warning to a colour model that cannot be converted (CMYK): decoding it whole tells what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unusual {
    /// A part of the image is missing, whether the other decoder sees it or not.
    pub(super) is_damaged: bool,
}

/// The stored image of `size`, divided by `divisor`.
#[cfg(target_os = "linux")]
pub(super) fn decode(bytes: &[u8], size: (u32, u32), divisor: u32) -> Result<Rgb, Unusual> {
    match divided(bytes, size, divisor) {
        Ok(pixels) => pixels.ok_or(Unusual { is_damaged: false }),
        Err(error) => {
            log::debug!("a JPEG is decoded whole, as libjpeg-turbo says: {error}");
            Err(Unusual { is_damaged: error.to_string().contains(TOO_SHORT) })
        }
    }
}

#[cfg(target_os = "linux")]
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

/// Every JPEG is decoded whole here.
#[cfg(not(target_os = "linux"))]
pub(super) fn decode(_: &[u8], _: (u32, u32), _: u32) -> Result<Rgb, Unusual> {
    Err(Unusual { is_damaged: false })
}
