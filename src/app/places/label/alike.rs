//! How many of the images that are most like one are selected at first. No drawing.

/// So many of the nearest images are divided into those like it and the others.
const NEAREST: usize = 96;
/// Where nine of ten images are at least so alike (cosine), the features tell none from another.
const BLIND: f32 = 0.95;
/// The part of the spread that lies between the two groups. A similarity that falls evenly has 0.75, a normal
/// distribution 0.64: from here on there are two groups.
const CLEAR: f32 = 0.85;

/// How well the model tells images like it from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clarity {
    /// There is a gap between them.
    Clear,
    /// The similarity falls evenly.
    Even,
    /// Nearly all images look the same to it.
    Blind,
}

/// Where the images like one end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// How many of the nearest are like it.
    pub count: usize,
    /// The least similarity (cosine) of these.
    pub threshold: f32,
    /// How far that can be trusted.
    pub clarity: Clarity,
}

/// Where the images like one end: `candidates` has the similarities of those that may be selected and `all` those of
/// all images, both from the most similar down.
///
/// The threshold is Otsu's (1979, "A threshold selection method from gray-level histograms") over the nearest images:
/// of all divisions into two groups the one with the most of the variance between them. The widest gap alone would
/// often be the one behind a near copy.
pub fn cut(candidates: &[f32], all: &[f32]) -> Cut {
    let nearest = &candidates[..candidates.len().min(NEAREST)];
    let (count, between) = otsu(nearest);
    let is_blind = all.get(all.len() * 9 / 10).is_some_and(|similarity| *similarity >= BLIND);
    let clarity = match (is_blind, between >= CLEAR) {
        (true, _) => Clarity::Blind,
        (false, true) => Clarity::Clear,
        (false, false) => Clarity::Even,
    };
    let count = if is_blind { 0 } else { count };
    let threshold = count.checked_sub(1).and_then(|last| nearest.get(last)).copied().unwrap_or(1.0);
    Cut { count, threshold, clarity }
}

/// The length of the upper group of descending values, and the part of the variance that lies between the groups.
fn otsu(values: &[f32]) -> (usize, f32) {
    let of = values.len() as f64;
    let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
    let mean = sum / of;
    let total: f64 = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum();
    let mut best = (values.len(), 0.0);
    let mut above = 0.0;
    for count in 1..values.len() {
        above += f64::from(values[count - 1]);
        // Equal values stay together.
        if values[count - 1] <= values[count] {
            continue;
        }
        let (upper, lower) = (count as f64, of - count as f64);
        let between = upper * lower / of * (above / upper - (sum - above) / lower).powi(2);
        if between > best.1 {
            best = (count, between);
        }
    }
    (best.0, if total > 0.0 { (best.1 / total) as f32 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the most similar down, with a little noise.
    fn similarities(groups: &[(usize, f32)]) -> Vec<f32> {
        let mut all: Vec<f32> = Vec::new();
        for (count, mean) in groups {
            all.extend((0..*count).map(|at| mean + 0.01 * (at as f32 * 2.4).sin()));
        }
        all.sort_by(|a, b| b.total_cmp(a));
        all
    }

    #[test]
    fn the_threshold_is_where_the_gap_is_wherever_the_similarities_lie() {
        for (near, far) in [(0.95, 0.4), (0.6, 0.45), (0.99, 0.9)] {
            let all = similarities(&[(20, near), (240, far)]);
            let cut = cut(&all, &all);
            assert_eq!((cut.count, cut.clarity), (20, Clarity::Clear), "{near} {far}");
            assert!(cut.threshold > far + 0.01 && cut.threshold <= near + 0.01);
        }
    }

    #[test]
    fn a_near_copy_is_not_the_end() {
        let all = similarities(&[(1, 0.98), (12, 0.7), (200, 0.3)]);
        assert_eq!(cut(&all, &all).count, 13);
    }

    #[test]
    fn where_nearly_all_look_alike_nothing_is_selected() {
        let all: Vec<f32> = (0..260).map(|at| 1.0 - 1e-5 * at as f32).collect();
        let cut = cut(&all, &all);
        assert_eq!((cut.count, cut.clarity), (0, Clarity::Blind));
        assert_eq!(super::cut(&[1.0; 260], &[1.0; 260]).clarity, Clarity::Blind);
    }

    #[test]
    fn an_even_fall_is_named_as_such() {
        let all: Vec<f32> = (0..500).map(|at| 0.9 - 0.001 * at as f32).collect();
        let cut = cut(&all, &all);
        assert_eq!((cut.count, cut.clarity), (NEAREST / 2, Clarity::Even));
        assert_eq!(super::cut(&[], &[]).count, 0);
        assert_eq!(super::cut(&[0.5], &[0.5]).count, 1);
    }
}
