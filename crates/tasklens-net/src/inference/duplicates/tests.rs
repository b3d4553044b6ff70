use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use tasklens_data::images::{Rgb, resize};

use super::*;

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// Pictures with soft colours here and there, as photographs have.
fn drawn(count: usize, random: &mut Pcg64Mcg) -> Vec<u8> {
    (0..count)
        .flat_map(|_| {
            let coarse = Rgb::from_fn(4, 4, |_, _| image::Rgb(random.random::<[u8; 3]>()));
            resize::resize(&coarse, 12, 12).into_raw()
        })
        .collect()
}

/// The picture darker, and a little noisy.
fn copied(miniature: &[u8], random: &mut Pcg64Mcg) -> Vec<u8> {
    miniature.iter().map(|value| (f32::from(*value) * 0.9) as u8 + random.random_range(0..4_u8)).collect()
}

#[test]
fn copies_are_found_and_nothing_else() {
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let mut miniatures = drawn(BLOCK + 600, &mut random);
    let originals = [5, 17, BLOCK + 3];
    for original in originals {
        let copy = copied(&miniatures[original * MINIATURE_BYTES..][..MINIATURE_BYTES], &mut random);
        miniatures.extend(copy);
    }
    let count = miniatures.len() / MINIATURE_BYTES;
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..count).collect();
    let places = |pairs: &[Pair]| {
        let mut places: Vec<(usize, usize)> = pairs.iter().map(|pair| (pair.a, pair.b)).collect();
        places.sort_unstable();
        places
    };
    let found = within(&features, &all, SAME_PHOTOGRAPH, &mut go_on).unwrap().unwrap();
    assert_eq!(places(&found), [(5, count - 3), (17, count - 2), (BLOCK + 3, count - 1)]);
    assert!(found.iter().all(|pair| pair.similarity > 0.995 && pair.similarity < 1.0), "{found:?}");
    // The copies on the other side, in an order of their own; one of them is on the first side.
    let (first, second) = all.split_at(count - 2);
    let second: Vec<usize> = second.iter().rev().copied().collect();
    let found = across(&features, first, &second, SAME_PHOTOGRAPH, &mut go_on).unwrap().unwrap();
    assert_eq!(places(&found), [(17, count - 2), (BLOCK + 3, count - 1)]);
}

#[test]
fn the_quick_comparison_misses_no_pair() {
    let mut random = Pcg64Mcg::seed_from_u64(4);
    let miniatures = drawn(300, &mut random);
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..300).collect();
    for threshold in [0.2, 0.4] {
        let found = within(&features, &all, threshold, &mut go_on).unwrap().unwrap();
        let each = |a: usize| (a + 1..300).map(move |b| (a, b));
        let expected = (0..300)
            .flat_map(each)
            .filter(|(a, b)| correlation(features.miniature(*a), features.miniature(*b)) >= threshold)
            .count();
        assert!(expected > 10, "{expected}");
        assert_eq!(found.len(), expected);
        assert!(found.windows(2).all(|two| two[0].similarity >= two[1].similarity));
    }
}

#[test]
fn an_image_of_one_colour_is_like_no_other() {
    let mut random = Pcg64Mcg::seed_from_u64(5);
    let mut miniatures = vec![200; 4 * MINIATURE_BYTES];
    // Compression leaves a trace in such images, too: the same one in two of them.
    miniatures[7] = 201;
    miniatures[MINIATURE_BYTES + 7] = 201;
    miniatures.extend(drawn(1, &mut random));
    miniatures.extend(copied(&miniatures[4 * MINIATURE_BYTES..], &mut random));
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..6).collect();
    let found = within(&features, &all, 0.9, &mut go_on).unwrap().unwrap();
    assert_eq!(found.iter().map(|pair| (pair.a, pair.b)).collect::<Vec<_>>(), [(4, 5)]);
    assert_eq!(within(&features, &all[..4], 0.9, &mut go_on).unwrap(), Some(Vec::new()));
    assert_eq!(across(&features, &[], &[4], 0.9, &mut go_on).unwrap(), Some(Vec::new()));
    assert_eq!(within(&features, &all, 0.9, &mut |_, _| false).unwrap(), None);
}

#[test]
fn identical_images_have_a_pair_each_and_not_one_with_every_other() {
    let mut random = Pcg64Mcg::seed_from_u64(7);
    // 5,000 times the first picture, a darker copy of it, and another picture.
    let mut miniatures = drawn(1, &mut random).repeat(5000);
    miniatures.extend(copied(&miniatures[..MINIATURE_BYTES], &mut random));
    miniatures.extend(drawn(1, &mut random));
    let features = Features::of_miniatures(&miniatures, 1, |_, _| 0.0);
    let all: Vec<usize> = (0..5002).collect();
    let found = within(&features, &all, SAME_PHOTOGRAPH, &mut go_on).unwrap().unwrap();
    assert_eq!(found.len(), 4999 + 1);
    assert!(found[..4999].iter().enumerate().all(|(i, pair)| (pair.a, pair.b) == (0, i + 1)));
    assert!(found[..4999].iter().all(|pair| pair.similarity == 1.0));
    assert_eq!((found[4999].a, found[4999].b), (0, 5000));
    // Both sides: each image has its pair all the same.
    let (first, second) = all.split_at(2000);
    let found = across(&features, first, second, SAME_PHOTOGRAPH, &mut go_on).unwrap().unwrap();
    let once = |side: fn(&Pair) -> usize| found.iter().map(side).collect::<HashSet<_>>().len();
    assert_eq!((once(|pair| pair.a), once(|pair| pair.b)), (2000, 3001));
    // (0, 2000) and (0, 5000), then the others of both sides.
    assert_eq!(found.len(), 2 + 1999 + 2999);
    assert!(found.is_sorted_by(|x, y| x.similarity >= y.similarity));
}
