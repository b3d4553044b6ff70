//! Which part of an image's pixels is the image.

use image::metadata::Orientation;

/// A rectangle in pixels of a decoded image, not always whole ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// From the left edge.
    pub left: f64,
    /// From the upper edge.
    pub top: f64,
    /// Above 0.
    pub width: f64,
    /// Above 0.
    pub height: f64,
}

impl Area {
    /// All of an image of this size.
    pub fn whole((width, height): (u32, u32)) -> Self {
        Self { left: 0.0, top: 0.0, width: f64::from(width), height: f64::from(height) }
    }

    /// The image of `full_size` in pixels of its division by `divisor`, a power of 2, which have `size`: the last stored row
    /// and column may reach beyond it. Both sizes are upright.
    pub(super) fn of_divided(
        full_size: (u32, u32),
        divisor: u32,
        size: (u32, u32),
        orientation: Orientation,
    ) -> Self {
        let divisor = f64::from(divisor);
        let (width, height) = (f64::from(full_size.0) / divisor, f64::from(full_size.1) / divisor);
        // Which edges the last stored row and column became.
        let is_left = matches!(
            orientation,
            Orientation::FlipHorizontal
                | Orientation::Rotate180
                | Orientation::Rotate90
                | Orientation::Rotate270FlipH
        );
        let is_top = matches!(
            orientation,
            Orientation::FlipVertical
                | Orientation::Rotate180
                | Orientation::Rotate270
                | Orientation::Rotate270FlipH
        );
        Self {
            left: if is_left { f64::from(size.0) - width } else { 0.0 },
            top: if is_top { f64::from(size.1) - height } else { 0.0 },
            width,
            height,
        }
    }
}
