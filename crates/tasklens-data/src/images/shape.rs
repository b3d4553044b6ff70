//! The shape that most images of a data set have, so that a network need not squeeze them.

use std::path::PathBuf;

use super::decode::probe_file;

/// Number of images whose headers are read at most.
const SAMPLE: usize = 200;
/// Logarithm of the aspect from which on an image is not about square.
const ABOUT_SQUARE: f32 = 0.12;
/// Greatest difference of two aspects, as logarithms, that count as the same.
const SAME: f32 = 0.16;
/// Share of the images that must have the same aspect.
const MOST: f32 = 0.6;
/// Greatest logarithm of an aspect; panoramas and ribbons are squeezed.
const LONGEST: f32 = std::f32::consts::LN_2;

/// Height over width that most images share, from the headers of up to 200 of them, evenly spaced; `None` if they are
/// about square, differ or cannot be read. `path_of` gives the path of an image in `0..images`.
pub fn common_aspect(images: usize, path_of: impl Fn(usize) -> Option<PathBuf>) -> Option<f32> {
    let step = images.div_ceil(SAMPLE).max(1);
    let aspect = |image| {
        let (width, height) = probe_file(&path_of(image)?).ok()?;
        Some((height as f32 / width as f32).ln())
    };
    most((0..images).step_by(step).filter_map(aspect).collect()).map(f32::exp)
}

/// The median, if most are like it.
fn most(mut logarithms: Vec<f32>) -> Option<f32> {
    logarithms.sort_by(f32::total_cmp);
    let median = *logarithms.get(logarithms.len() / 2)?;
    let alike = logarithms.iter().filter(|other| (*other - median).abs() <= SAME).count();
    let is_clear = alike as f32 >= MOST * logarithms.len() as f32 && median.abs() > ABOUT_SQUARE;
    is_clear.then(|| median.clamp(-LONGEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Rgb;

    fn aspect_of(sizes: &[(u32, u32)]) -> Option<f32> {
        let folder = tempfile::tempdir().unwrap();
        for (index, (width, height)) in sizes.iter().enumerate() {
            Rgb::new(*width, *height).save(folder.path().join(format!("{index}.png"))).unwrap();
        }
        common_aspect(sizes.len() + 1, |image| Some(folder.path().join(format!("{image}.png"))))
    }

    #[test]
    fn most_images_decide_and_mixed_or_square_ones_ask_for_a_square() {
        let portrait = (30, 40);
        let near = |aspect: Option<f32>, wanted: f32| (aspect.unwrap() - wanted).abs() < 1e-4;
        assert!(near(aspect_of(&[portrait, (40, 30), portrait, (31, 40), portrait]), 4.0 / 3.0));
        assert!(near(aspect_of(&[(40, 30); 3]), 0.75));
        assert!(near(aspect_of(&[(90, 10); 3]), 0.5), "a ribbon is squeezed to one by two");
        assert_eq!(aspect_of(&[portrait, portrait, (40, 30), (40, 30), (40, 40)]), None);
        let half = [portrait, portrait, portrait, (40, 30), (40, 30), (40, 40)];
        assert_eq!(aspect_of(&half), None, "half of them are not most");
        assert_eq!(aspect_of(&[(40, 41); 3]), None);
        assert_eq!(aspect_of(&[]), None);
    }
}
