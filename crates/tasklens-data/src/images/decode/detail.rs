//! How much of a JPEG's detail is needed.

/// How many times the size of what an image is scaled to it is decoded at least. What is lost below that is then less
/// than what rounding to 8 bits loses: on photographs of 12 megapixels, 0.2 of 255 in the mean of all pixels and at most
/// 4 at 224 x 224.
const MARGIN: u32 = 3;

/// What a decoded image is for. JPEGs can be decoded at a half, a quarter or an eighth of their size in less than half
/// the time, by leaving out the high frequencies of their blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Every pixel counts.
    Full,
    /// Every pixel, and whether the file is damaged: of a JPEG both decoders are asked, as each sees what the other does not.
    Checked,
    /// To be stretched to this width and height, in pixels of the upright image.
    Stretched(u32, u32),
    /// To be scaled until the longer side has this many pixels.
    Within(u32),
}

impl Detail {
    /// By what an image of this upright size may be divided: 1, 2, 4 or 8.
    pub(super) fn divisor(self, (width, height): (u32, u32)) -> u32 {
        let suffices = |divisor: &u32| {
            let is_enough = |length: u32, target: u32| {
                u64::from(length) >= u64::from(target) * u64::from(MARGIN) * u64::from(*divisor)
            };
            match self {
                Self::Full | Self::Checked => false,
                Self::Stretched(to_width, to_height) => {
                    is_enough(width, to_width) && is_enough(height, to_height)
                }
                Self::Within(side) => is_enough(width.max(height), side),
            }
        };
        [8, 4, 2].into_iter().find(suffices).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_times_the_target_stays() {
        let phone = (4032, 3024);
        assert_eq!(Detail::Full.divisor(phone), 1);
        assert_eq!(Detail::Stretched(224, 224).divisor(phone), 4, "756 pixels of 672");
        assert_eq!(Detail::Stretched(299, 299).divisor(phone), 2, "an eighth and a quarter are too few");
        assert_eq!(Detail::Stretched(126, 126).divisor(phone), 8, "exactly three times");
        assert_eq!(Detail::Stretched(127, 126).divisor((4032, 3024)), 8);
        assert_eq!(Detail::Stretched(126, 127).divisor((4032, 3024)), 4, "both sides count");
        assert_eq!(Detail::Stretched(224, 224).divisor((1280, 960)), 1);
        assert_eq!(Detail::Within(168).divisor((3024, 4032)), 8, "the longer side counts");
        assert_eq!(Detail::Within(u32::MAX).divisor(phone), 1);
    }
}
