use std::cell::RefCell;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// What every search must give, in double precision and by sorting all.
fn by_sorting(features: &Features, query: &[f32], k: usize) -> Vec<usize> {
    let length = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    let mut all: Vec<(f64, usize)> = (0..features.len())
        .map(|item| {
            let row = features.gather(&[item]);
            let dot: f64 = row.iter().zip(query).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            (-dot / (length(&row) * length(query)).max(1e-30), item)
        })
        .collect();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all.into_iter().take(k).map(|(_, item)| item).collect()
}

#[test]
fn the_most_similar_are_found_whichever_core_had_them() {
    let random = RefCell::new(Pcg64Mcg::seed_from_u64(1));
    let features =
        Features::drawn(3 * CHUNK + 17, 40, |_, _| random.borrow_mut().random_range(-1.0_f32..1.0));
    for item in [0, 1, CHUNK, 3 * CHUNK + 16] {
        let query = features.gather(&[item]);
        let found = nearest(&features, &query, 8, &mut go_on).unwrap();
        assert_eq!(found.iter().map(|n| n.item).collect::<Vec<_>>(), by_sorting(&features, &query, 8));
        assert!((found[0].similarity - 1.0).abs() < 1e-5, "{:?}", found[0]);
        let others = nearest_to_item(&features, item, 7, &mut go_on).unwrap();
        assert_eq!(others, found[1..]);
    }
}

#[test]
fn of_equals_the_lower_number_comes_first_and_an_empty_feature_resembles_nothing() {
    // Items 3, 7, 11, ... are the query; 2, 6, 10, ... have no length; the others point away from it.
    let features = Features::drawn(2 * CHUNK, 33, |item, i| match item % 4 {
        3 => (i + 1) as f32,
        2 => 0.0,
        _ => -(i as f32) - 1.0,
    });
    let query: Vec<f32> = (0..33).map(|i| 10.0 * (i + 1) as f32).collect();
    let found = nearest(&features, &query, CHUNK, &mut go_on).unwrap();
    let items: Vec<usize> = found.iter().map(|n| n.item).collect();
    let expected: Vec<usize> =
        (3..).step_by(4).take(CHUNK / 2).chain((2..).step_by(4).take(CHUNK / 2)).collect();
    assert_eq!(items, expected);
    assert_eq!(found.last().map(|n| n.similarity), Some(0.0));
}

#[test]
fn candidates_can_be_limited_and_there_may_be_few_or_none() {
    let features = Features::drawn(10, 4, |item, i| (item * i) as f32 + 1.0);
    let picked = features.pick(&[9, 2, 5]);
    let found = nearest(&picked, &features.gather(&[9]), 5, &mut go_on).unwrap();
    assert_eq!(found.iter().map(|n| n.item).collect::<Vec<_>>(), [0, 2, 1]);
    assert_eq!(nearest(&features.pick(&[]), &[1.0; 4], 5, &mut go_on), Some(Vec::new()));
    assert_eq!(nearest(&features, &[1.0; 4], 0, &mut go_on), Some(Vec::new()));
}

#[test]
fn a_search_can_be_cancelled() {
    let features = Features::drawn(4 * CHUNK, 2, |item, i| (item + i) as f32);
    assert_eq!(nearest(&features, &[1.0; 2], 5, &mut |_, _| false), None);
}
