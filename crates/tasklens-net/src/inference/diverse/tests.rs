use super::*;

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// Arrows that point `degrees` away from the first axis; their lengths differ.
fn arrows(degrees: &[f32]) -> Features {
    Features::drawn(degrees.len(), 2, |item, i| {
        let (sine, cosine) = degrees[item].to_radians().sin_cos();
        (1 + item % 3) as f32 * if i == 0 { cosine } else { sine }
    })
}

#[test]
fn the_least_like_all_that_are_chosen_come_first() {
    let features = arrows(&[0.0, 10.0, 50.0, 90.0, 88.0, 20.0]);
    assert_eq!(k_centre_greedy(&features, &[0], 3, &mut go_on), Some(vec![3, 2, 5]));
    // What is labelled already is not what is missing.
    assert_eq!(k_centre_greedy(&features, &[0, 3], 2, &mut go_on), Some(vec![2, 5]));
    let cover = cover(&features, &[0], 1, &mut go_on).unwrap();
    let degrees = cover.similarities.iter().map(|cosine| cosine.min(1.0).acos().to_degrees());
    for (found, expected) in degrees.zip([0.0, 10.0, 40.0, 0.0, 2.0, 20.0]) {
        assert!((found - expected).abs() < 2.0, "{found} {expected}");
    }
}

#[test]
fn without_centres_it_begins_in_the_middle_and_ends_where_nothing_is_left() {
    let features = arrows(&[90.0, 0.0, 42.0, 46.0, 45.0]);
    let all = k_centre_greedy(&features, &[], 9, &mut go_on).unwrap();
    assert_eq!(all[..3], [4, 0, 1]);
    assert_eq!(all.len(), 5);
    assert_eq!(k_centre_greedy(&features, &[0, 1, 2, 3, 4], 9, &mut go_on), Some(Vec::new()));
    assert_eq!(k_centre_greedy(&features.pick(&[]), &[], 9, &mut go_on), Some(Vec::new()));
    assert_eq!(k_centre_greedy(&features, &[], 0, &mut go_on), Some(Vec::new()));
}

#[test]
fn many_centres_and_cores_give_what_one_loop_gives() {
    let draw = |item: usize, i: usize| ((item * 37 + i * 11 + item * i) % 101) as f32 / 50.0 - 1.0;
    let features = Features::drawn(3 * FOR_A_THREAD + 5, 40, draw);
    let centres: Vec<usize> = (0..3 * CENTRES + 1).map(|i| 7 * i).collect();
    let found = k_centre_greedy(&features, &centres, 20, &mut go_on).unwrap();
    let mut taken = centres;
    for item in found {
        let likeness = |item: usize| {
            let cosine = |other: &usize| -> f32 {
                unit(&features, item).iter().zip(unit(&features, *other)).map(|(a, b)| a * b).sum()
            };
            taken.iter().map(cosine).fold(-1.0, f32::max)
        };
        let least =
            (0..features.len()).filter(|item| !taken.contains(item)).map(likeness).fold(1.0, f32::min);
        assert!(likeness(item) < least + 1e-4, "{item}");
        taken.push(item);
    }
}

#[test]
fn a_choice_can_be_cancelled() {
    let features = arrows(&[0.0, 10.0, 50.0, 90.0]);
    let mut stop = |done: usize, of: usize| {
        assert!(done < of && of == 4);
        done < 2
    };
    assert_eq!(k_centre_greedy(&features, &[0], 3, &mut stop), None);
}
