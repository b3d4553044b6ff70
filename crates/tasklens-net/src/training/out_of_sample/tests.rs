use super::*;
use crate::inference::most_probable;
use crate::training::heads::fit_heads;
use crate::training::heads::tests::{classes, task};

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// Two classes in turn; every twentieth label is wrong.
fn with_wrong_labels(items: u32) -> Vec<Option<u32>> {
    (0..items).map(|item| Some((item + u32::from(item % 20 == 7)) % 2)).collect()
}

#[test]
fn wrong_labels_are_contradicted() {
    // More dimensions than items: a model that has seen the labels could fit every wrong one.
    let features = classes(400, 512, 2, 1.0);
    let labels = [with_wrong_labels(400)];
    let tasks = [task("side", 2)];
    let settings = Settings::default();
    let said = cross_validate(&features, &labels, &tasks, settings, &mut go_on).unwrap().unwrap();
    let contradicts =
        |item: usize| most_probable(&said[0][2 * item..2 * item + 2]) as u32 != labels[0][item].unwrap();
    let wrong = (0..400).filter(|item| item % 20 == 7);
    let found = wrong.clone().filter(|item| contradicts(*item)).count();
    assert!(found >= 18, "{found} of {}", wrong.count());
    let right = (0..400).filter(|item| item % 20 != 7);
    let doubted = right.clone().filter(|item| contradicts(*item)).count();
    assert!(doubted <= 8, "{doubted} of {}", right.count());
    let again = cross_validate(&features, &labels, &tasks, settings, &mut go_on).unwrap().unwrap();
    assert_eq!(said, again);
}

#[test]
fn unlabelled_items_get_an_answer_and_small_tasks_do_no_harm() {
    let features = classes(60, 16, 2, 8.0);
    let side = (0..60).map(|item| (item < 30).then_some(item % 2)).collect();
    let single: Vec<Option<u32>> = (0..60).map(|item| Some(if item == 5 { 1 } else { 0 })).collect();
    let two = (0..60).map(|item| (item < 2).then_some(item)).collect();
    let labels: [Vec<Option<u32>>; 4] = [side, single, two, vec![None; 60]];
    let tasks = [task("side", 2), task("single", 2), task("two", 2), task("nothing", 3)];
    let said = cross_validate(&features, &labels, &tasks, Settings::default(), &mut go_on).unwrap().unwrap();
    for (task, said) in tasks.iter().zip(&said) {
        assert_eq!(said.len(), 60 * task.labels.len());
        assert!(said.chunks(task.labels.len()).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
    }
    assert!((30..60).all(|item| said[0][2 * item + item % 2] > 0.5), "{:?}", &said[0][60..]);
    let own = said[1][2 * 5 + 1];
    assert!(own > 0.001 && own < 0.2, "the only one of its label: {own}");
    assert!(said[3].iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-6));
    let empty = vec![Vec::new(); 4];
    let none = cross_validate(&features.pick(&[]), &empty, &tasks, Settings::default(), &mut go_on).unwrap();
    assert_eq!(none, Some(empty.iter().map(|_| Vec::new()).collect()));
}

#[test]
fn unlabelled_items_are_predicted_by_a_head_that_learned_from_the_roots_of_all() {
    let drawn = classes(60, 32, 2, 1.0);
    let powers = |power| Features::drawn(60, 32, |item, i| drawn.half(item)[i].to_f32().powi(power));
    let labels = [(0..60).map(|item| (item < 30).then_some(item % 2)).collect::<Vec<_>>()];
    let tasks = [task("side", 2)];
    let settings = Settings::default();
    let said = cross_validate(&powers(4), &labels, &tasks, settings, &mut go_on).unwrap().unwrap();
    let heads = fit_heads(&powers(2), &labels, &tasks, settings.seed, &mut go_on).unwrap().unwrap();
    let by_all = heads.probabilities(&powers(2), &mut go_on).unwrap().unwrap();
    let apart = |item: usize| (said[0][2 * item] - by_all[0][2 * item]).abs();
    assert!((30..60).all(|item| apart(item) < 0.01), "{:?}", (30..60).map(apart).collect::<Vec<_>>());
    assert!((0..30).any(|item| apart(item) > 0.03));
}

#[test]
fn a_result_is_kept_until_a_label_changes() {
    let folder = tempfile::tempdir().unwrap();
    let features = classes(100, 8, 2, 3.0);
    let mut labels = [with_wrong_labels(100)];
    let tasks = [task("side", 2)];
    let mut computed = 0;
    let mut run = |features: &Features, labels: &[Vec<Option<u32>>]| {
        let mut steps = 0;
        let mut keep_going = |_: usize, _: usize| {
            steps += 1;
            true
        };
        let all = cross_validate_kept(
            Kept { folder: folder.path(), name: "judged" },
            features,
            labels,
            &tasks,
            Settings::default(),
            &mut keep_going,
        );
        computed += usize::from(steps > 0);
        (all.unwrap().unwrap(), computed)
    };
    let (first, after_first) = run(&features, &labels);
    let (second, after_second) = run(&features, &labels);
    assert_eq!((after_first, after_second), (1, 1));
    assert_eq!(first, second);
    labels[0][7] = Some(1);
    let (third, after_third) = run(&features, &labels);
    assert_eq!(after_third, 2);
    assert_ne!(first, third);
    assert_eq!(run(&features.pick(&(0..100).rev().collect::<Vec<_>>()), &labels).1, 3);
}
