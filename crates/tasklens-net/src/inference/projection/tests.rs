use std::cell::RefCell;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// Kinds in turn, each with a direction of its own: there is no plane that shows all apart.
fn kinds(count: usize, kinds: usize) -> Features {
    let random = RefCell::new(Pcg64Mcg::seed_from_u64(2));
    Features::drawn(count, 2 * kinds, |item, i| {
        let own = if i == item % kinds { 4.0 } else { 0.0 };
        own + random.borrow_mut().random_range(0.0..1.0_f32)
    })
}

fn squared(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The others of an item, the nearest first.
fn order<R: AsRef<[f32]>>(rows: &[R], item: usize) -> Vec<usize> {
    let mut others: Vec<usize> = (0..rows.len()).filter(|other| *other != item).collect();
    let distance = |other: &usize| squared(rows[*other].as_ref(), rows[item].as_ref());
    others.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    others
}

/// Venna and Kaski 2001: 1 where the `k` neighbours on the map are neighbours in truth.
fn trustworthiness(truth: &[Vec<f32>], map: &[[f32; 2]], k: usize) -> f64 {
    let count = truth.len();
    let intruders: usize = (0..count)
        .map(|item| {
            let ranks = order(truth, item);
            let rank = |other: &usize| ranks.iter().position(|at| at == other).unwrap() + 1;
            order(map, item)[..k].iter().map(|other| rank(other).saturating_sub(k)).sum::<usize>()
        })
        .sum();
    1.0 - 2.0 * intruders as f64 / (count * k * (2 * count - 3 * k - 1)) as f64
}

/// Of the items, the share whose nearest one on the map is of their kind.
fn among_their_kind(map: &[[f32; 2]], kinds: usize) -> f64 {
    let right = (0..map.len()).filter(|item| order(map, *item)[0] % kinds == item % kinds).count();
    right as f64 / map.len() as f64
}

#[test]
fn neighbours_stay_together_where_no_plane_can_show_them() {
    let features = kinds(240, 8);
    let truth: Vec<Vec<f32>> = (0..240)
        .map(|item| {
            let row = features.gather(&[item]);
            let length = squared(&row, &[0.0; 16]).sqrt();
            row.iter().map(|value| value / length).collect()
        })
        .collect();
    let flat = pca(&features, 1, &mut go_on).unwrap().unwrap();
    let map = neighbour_preserving(&features, 1, &mut go_on).unwrap().unwrap();
    assert_eq!(among_their_kind(&map, 8), 1.0);
    assert!(among_their_kind(&flat, 8) < 0.9, "{}", among_their_kind(&flat, 8));
    let (by_pca, by_map) = (trustworthiness(&truth, &flat, 10), trustworthiness(&truth, &map, 10));
    assert!(by_map > by_pca + 0.03 && by_map > 0.95, "{by_map} {by_pca}");
}

#[test]
fn those_beyond_the_sample_are_put_among_their_kind() {
    let features = kinds(240, 4);
    let map = sampled(&features, 120, 1, &mut go_on).unwrap().unwrap();
    assert_eq!(map.len(), 240);
    assert_eq!(among_their_kind(&map, 4), 1.0);
}

#[test]
fn principal_components_are_those_of_the_data_and_repeat() {
    // On the unit circle's arc about (1, 0, 0): the first component is y, by far, the second z.
    let random = RefCell::new(Pcg64Mcg::seed_from_u64(5));
    let features = Features::drawn(500, 3, |_, i| {
        let drawn = random.borrow_mut().random_range(-1.0..1.0_f32);
        [1.0, 0.3 * drawn, 0.05 * drawn][i]
    });
    let flat = pca(&features, 1, &mut go_on).unwrap().unwrap();
    assert_eq!(flat, pca(&features, 1, &mut go_on).unwrap().unwrap());
    let other_seed = pca(&features, 2, &mut go_on).unwrap().unwrap();
    for (item, place) in flat.iter().enumerate() {
        let row = features.gather(&[item]);
        let length = squared(&row, &[0.0; 3]).sqrt();
        assert!((place[0] - row[1] / length).abs() < 0.03, "{place:?} {row:?}");
        assert!((place[1].abs() - (row[2] / length).abs()).abs() < 0.03, "{place:?} {row:?}");
        assert!(squared(place, &other_seed[item]) < 1e-6);
    }
}

#[test]
fn few_or_equal_images_have_a_place_too() {
    for count in [0, 1, 2, 5, 12] {
        for features in [kinds(count, 3), Features::drawn(count, 4, |_, _| 1.0)] {
            let map = neighbour_preserving(&features, 1, &mut go_on).unwrap().unwrap();
            assert_eq!(map.len(), count);
            assert!(map.iter().flatten().all(|value| value.is_finite()), "{map:?}");
        }
    }
    // Some of them equal.
    let features = Features::drawn(60, 6, |item, i| if i == item % 3 { 1.0 } else { 0.1 });
    let map = neighbour_preserving(&features, 1, &mut go_on).unwrap().unwrap();
    assert!(map.iter().flatten().all(|value| value.is_finite()), "{map:?}");
}

#[test]
fn a_map_is_kept_until_the_images_change_and_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let features = kinds(30, 3);
    let mut calls = 0;
    let mut count = |done: usize, of: usize| {
        assert!(done <= of);
        calls += 1;
        true
    };
    let first = neighbour_preserving_kept(folder.path(), &features, 1, &mut count).unwrap();
    let again = neighbour_preserving_kept(folder.path(), &features, 1, &mut |_, _| false).unwrap();
    assert!(first.is_some() && first == again && calls > 10);
    let fewer = features.pick(&(0..29).collect::<Vec<_>>());
    // In the middle of the layout.
    let mut asked = 0;
    let mut until = |_: usize, _: usize| {
        asked += 1;
        asked < 20
    };
    assert_eq!(neighbour_preserving_kept(folder.path(), &fewer, 1, &mut until).unwrap(), None);
    assert_eq!(asked, 20);
}
