use std::cell::RefCell;

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

use super::*;

fn go_on(_: usize, _: usize) -> bool {
    true
}

pub(in crate::training) fn task(name: &str, labels: usize) -> Task {
    Task { name: name.to_owned(), labels: (0..labels).map(|label| format!("label {label}")).collect() }
}

/// About normal, mean 0 and deviation 1.
pub(in crate::training) fn normal(random: &mut Pcg64Mcg) -> f32 {
    (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0
}

/// Classes in turn, `apart` from each other in every eighth dimension, on features far from zero.
pub(in crate::training) fn classes(count: usize, dimensions: usize, classes: usize, apart: f32) -> Features {
    let random = RefCell::new(Pcg64Mcg::seed_from_u64(7));
    Features::drawn(count, dimensions, |item, i| {
        let own = i % 8 == 0 && (i / 8) % classes == item % classes;
        5.0 + if own { apart } else { 0.0 } + normal(&mut random.borrow_mut())
    })
}

#[test]
fn the_probabilities_are_right_as_often_as_they_say() {
    // Two classes that overlap: of the images given 80 %, eight in ten must have the label.
    let features = classes(6000, 16, 2, 1.0);
    let labels: Vec<Option<u32>> = (0..6000).map(|item| (item < 3000).then_some(item % 2)).collect();
    let heads = fit_heads(&features, &[labels], &[task("side", 2)], 1, &mut go_on).unwrap().unwrap();
    let said = heads.probabilities(&features, &mut go_on).unwrap().unwrap().remove(0);
    assert_eq!(said.len(), 12_000);
    for (from, to) in [(0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9)] {
        // Of rows that took no part in the fit.
        let rows = (3000..6000).filter(|row| (from..to).contains(&said[2 * row + 1]));
        let rows: Vec<usize> = rows.collect();
        let mean = rows.iter().map(|row| said[2 * row + 1]).sum::<f32>() / rows.len() as f32;
        let share = rows.iter().filter(|row| *row % 2 == 1).count() as f32 / rows.len() as f32;
        assert!(rows.len() > 150 && (mean - share).abs() < 0.07, "{} said {mean}, is {share}", rows.len());
    }
}

#[test]
fn heads_are_linear_on_the_features_as_they_are() {
    let features = Features::drawn(40, 2, |item, i| if i == 0 { item as f32 } else { -(item as f32) / 3.0 });
    let labels = (0..40).map(|item| Some(u32::from(item > 15))).collect();
    let heads = fit_heads(&features, &[labels], &[task("t", 2)], 1, &mut go_on).unwrap().unwrap();
    let said = heads.probabilities(&features, &mut go_on).unwrap().unwrap();
    let LinearHead { weights, biases } = &heads.tasks[0];
    for item in [0, 9, 25] {
        let values = [item as f32, -(item as f32) / 3.0];
        let of = |label: usize| {
            biases[label] + weights[2 * label] * values[0] + weights[2 * label + 1] * values[1]
        };
        let expected = 1.0 / (1.0 + (of(0) - of(1)).exp());
        assert!(
            (said[0][2 * item + 1] - expected).abs() < 0.01,
            "{item}: {:?}, {expected}",
            &said[0][2 * item..]
        );
    }
}

#[test]
fn heads_are_the_least_of_their_loss() {
    // The bias alone can be learned from features that never vary: it must give the frequencies.
    let features = Features::drawn(300, 3, |_, i| i as f32);
    let labels: Vec<Option<u32>> = (0..300).map(|item| Some(u32::from(item % 3 == 0))).collect();
    let heads = fit_heads(&features, &[labels], &[task("t", 2)], 1, &mut go_on).unwrap().unwrap();
    let said = heads.probabilities(&features.pick(&[0]), &mut go_on).unwrap().unwrap();
    assert!((said[0][1] - 1.0 / 3.0).abs() < 0.01, "{said:?}");
}

#[test]
fn tasks_without_labels_or_with_one_item_do_no_harm() {
    let features = classes(40, 16, 2, 8.0);
    let side = (0..40).map(|item| Some(item % 2)).collect();
    let nothing = vec![None; 40];
    let single = (0..40).map(|item| (item == 3).then_some(2)).collect();
    let only = vec![Some(0); 40];
    let tasks = [task("side", 2), task("nothing", 4), task("single", 3), task("only", 1)];
    let labels: [Vec<Option<u32>>; 4] = [side, nothing, single, only];
    let heads = fit_heads(&features, &labels, &tasks, 1, &mut go_on).unwrap().unwrap();
    let said = heads.probabilities(&features, &mut go_on).unwrap().unwrap();
    let right = (0..40).filter(|item| said[0][2 * item + item % 2] > 0.5).count();
    assert_eq!(right, 40);
    assert!(said[1].iter().all(|p| (p - 0.25).abs() < 1e-6), "{:?}", &said[1][..4]);
    assert!(said[2].chunks(3).all(|row| row[2] > row[0] && (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
    assert_eq!(said[3], [1.0; 40]);
    let none = fit_heads(&features.pick(&[]), &vec![Vec::new(); 4], &tasks, 1, &mut go_on).unwrap().unwrap();
    assert_eq!(none.tasks[1].biases.len(), 4);
}

#[test]
fn labels_that_do_not_fit_are_named_and_a_fit_can_be_cancelled() {
    let features = classes(10, 8, 2, 1.0);
    let tasks = [task("side", 2)];
    let error = fit_heads(&features, &[vec![Some(2); 10]], &tasks, 1, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("`side` has no label number 2"), "{error}");
    let error = fit_heads(&features, &[vec![Some(0); 9]], &tasks, 1, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("9 labels for 10 images"), "{error}");
    let mut asked = 0;
    let mut stop = |done: usize, of: usize| {
        assert!(done <= of);
        asked += 1;
        asked < 4
    };
    assert_eq!(fit_heads(&features, &[vec![Some(1); 10]], &tasks, 1, &mut stop).unwrap(), None);
    assert_eq!(asked, 4);
}
