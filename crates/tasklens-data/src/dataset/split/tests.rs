use std::collections::HashMap;

use std::path::Path;

use super::*;
use crate::dataset::{Row, RowLabel};

/// A row by the name of its image, with a label per task.
type Named = (String, Vec<Option<u32>>);

/// Rows with the given labels, all usable, named by their numbers.
fn named(labels: impl IntoIterator<Item = Vec<Option<u32>>>) -> Vec<Named> {
    labels.into_iter().enumerate().map(|(n, labels)| (format!("photos/{n:05}.jpg"), labels)).collect()
}

fn drawn_share(named: &[Named], labels_per_task: &[usize], seed: u64, validation_share: f64) -> Split {
    let row = |(_, labels): &Named| Row {
        image: Path::new("x.jpg").into(),
        labels: labels.iter().copied().map(RowLabel::from).collect(),
        usable: labels.iter().any(Option::is_some),
    };
    let rows: Rows = named.iter().map(row).collect();
    let lots = named.iter().map(|(name, _)| lot(seed, name)).collect();
    Rule::Drawn { validation_share, lots }.apply(&rows, labels_per_task)
}

fn drawn(named: &[Named], labels_per_task: &[usize], seed: u64) -> Split {
    drawn_share(named, labels_per_task, seed, 0.2)
}

fn unbalanced() -> Vec<Named> {
    // Task 0: 80 % / 15 % / 5 %; task 1: independent of it, half of its labels missing.
    named((0..400).map(|n| {
        let first = [0, 1, 2][usize::from(n % 20 > 15) + usize::from(n % 20 == 19)];
        vec![Some(first), (n % 2 == 0).then_some(u32::from(n % 3 == 0))]
    }))
}

/// As many labels as a project grows to: 3,000 images of which 1,000 have labels, of three tasks with 4, 6 and 12
/// labels, the rarest on one row in a hundred.
fn shop() -> Vec<Named> {
    let label = |n: usize, task: usize, labels: u32| {
        // The square makes the first labels common.
        let x = lot(99, &format!("{task} {n}"));
        (x * x * f64::from(labels)) as u32
    };
    named((0..3000).map(|n| {
        let is_labelled = lot(5, &format!("labelled {n}")) < 1.0 / 3.0;
        let of = |task, labels| is_labelled.then(|| label(n, task, labels));
        vec![of(0, 4), of(1, 6), of(2, 12).filter(|_| n % 4 > 0)]
    }))
}

const SHOP: [usize; 3] = [4, 6, 12];

/// Of the rows that validate now, the share that trained before; and how many rows of both changed their part.
fn moved(before: &[Named], after: &[Named], seed: u64) -> (f64, usize) {
    let parts = |rows: &[Named]| -> HashMap<String, bool> {
        let split = drawn(rows, &SHOP, seed);
        let of = |part: &[usize], is_train| {
            part.iter().map(|row| (rows[*row].0.clone(), is_train)).collect::<Vec<_>>()
        };
        [of(&split.train, true), of(&split.validation, false)].concat().into_iter().collect()
    };
    let (then, now) = (parts(before), parts(after));
    let validation: Vec<&String> =
        now.iter().filter(|(_, is_train)| !**is_train).map(|(name, _)| name).collect();
    let trained = validation.iter().filter(|name| then.get(**name) == Some(&true)).count();
    let changed = now.iter().filter(|(name, part)| then.get(*name).is_some_and(|then| then != *part)).count();
    (trained as f64 / validation.len() as f64, changed)
}

/// Changes the rows, by a seed.
type Change = fn(&mut Vec<Named>, u64);

/// What happens to a project between two runs, with the share of the rows that validate after it that may have
/// trained before, on average.
fn changes() -> Vec<(&'static str, f64, Change)> {
    fn label(rows: &mut [Named], seed: u64, how_many: usize) {
        let mut open: Vec<usize> =
            (0..rows.len()).filter(|n| rows[*n].1.iter().all(Option::is_none)).collect();
        open.sort_by(|a, b| lot(seed, &format!("next {a}")).total_cmp(&lot(seed, &format!("next {b}"))));
        for n in open.into_iter().take(how_many) {
            let of = |task: u64, labels: f64| {
                let x = lot(seed, &format!("{task} of {n}"));
                Some((x * x * labels) as u32)
            };
            rows[n].1 = vec![of(0, 4.0), of(1, 6.0), of(2, 12.0)];
        }
    }
    vec![
        ("20 labels more", 0.01, |rows, seed| label(rows, seed, 20)),
        ("one label in the middle", 0.005, |rows, seed| {
            label(&mut rows[1400..1600], seed, 1);
        }),
        ("a tenth of the rows removed", 0.02, |rows, seed| {
            rows.retain(|(name, _)| lot(seed + 1000, name) >= 0.1);
        }),
        ("shuffled", 0.0, |rows, seed| {
            rows.sort_by(|(a, _), (b, _)| lot(seed + 1000, a).total_cmp(&lot(seed + 1000, b)));
        }),
        ("one label in twenty corrected", 0.01, |rows, seed| {
            for (name, labels) in rows {
                if lot(seed + 1000, name) < 0.05 && labels[1].is_some() {
                    labels[1] = Some((lot(seed + 2000, name) * 6.0) as u32);
                }
            }
        }),
    ]
}

#[test]
fn rows_keep_their_part_while_the_csv_changes() {
    const SEEDS: u64 = 20;
    let mut failed = Vec::new();
    for (what, limit, change) in changes() {
        let (mut trained, mut most, mut changed) = (0.0, 0.0f64, 0);
        for seed in 0..SEEDS {
            let before = shop();
            let mut after = before.clone();
            change(&mut after, seed);
            let (share, rows) = moved(&before, &after, seed);
            trained += share / SEEDS as f64;
            most = most.max(share);
            changed += rows;
        }
        let said = format!(
            "{what}: {:.2} % of the rows that validate trained before, at most {:.2} %; {:.1} rows changed sides",
            100.0 * trained,
            100.0 * most,
            changed as f64 / SEEDS as f64
        );
        println!("{said}");
        if trained > limit || most > 0.05 || (limit == 0.0 && changed > 0) {
            failed.push(said);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn each_label_of_each_task_is_shared_out_alike() {
    for seed in 0..50 {
        let rows = unbalanced();
        let split = drawn(&rows, &[3, 2], seed);
        let validation = split.validation.len();
        assert!((76..=84).contains(&validation), "seed {seed}: {validation}");
        let mut both: Vec<usize> = split.train.iter().chain(&split.validation).copied().collect();
        both.sort_unstable();
        assert_eq!(both, (0..400).collect::<Vec<_>>());
        for (task, labels) in [3, 2].into_iter().enumerate() {
            for label in 0..labels {
                let count = |side: &[usize]| {
                    side.iter().filter(|row| rows[**row].1[task] == Some(label)).count() as f64
                };
                let (train, validation) = (count(&split.train), count(&split.validation));
                let wanted = (train + validation) * 0.2;
                assert!(
                    (validation - wanted).abs() <= wanted.sqrt().max(1.0),
                    "seed {seed}, task {task}, label {label}: {train} {validation}"
                );
            }
        }
    }
}

#[test]
fn few_rows_are_shared_out_as_asked() {
    for (rows, share, wanted) in [
        (10, 0.2, 2..=2),
        (12, 0.2, 2..=2),
        (30, 0.2, 6..=6),
        (100, 0.2, 19..=21),
        (10, 0.5, 5..=5),
        (30, 0.1, 3..=3),
    ] {
        for seed in 0..50 {
            let rows = named((0..rows).map(|n| vec![Some(n % 3), Some(n % 2)]));
            let validation = drawn_share(&rows, &[3, 2], seed, share).validation.len();
            assert!(wanted.contains(&validation), "{} rows, {share}, seed {seed}: {validation}", rows.len());
        }
    }
}

#[test]
fn many_labels_of_few_rows_leave_enough_to_learn_from() {
    // Each of ten labels would have one of its three rows validate.
    for seed in 0..50 {
        let split = drawn(&named((0..30).map(|n| vec![Some(n % 10)])), &[10], seed);
        assert_eq!(split.validation.len(), 6, "seed {seed}");
    }
}

#[test]
fn a_label_trains_before_it_validates() {
    for seed in 0..200 {
        // Two tasks that get into each other's way: labels with one, two and three rows, and one of the rest.
        let label = |n: u32| [0, 1, 1, 2, 2, 2].get(n as usize).copied().unwrap_or(3);
        let rows = named((0..50).map(|n| vec![Some(label(n)), Some(label((n * 7 + 3) % 50))]));
        for share in [0.2, 0.5, 0.8] {
            let split = drawn_share(&rows, &[4, 4], seed, share);
            for (task, label) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
                let is_of = |row: &&usize| rows[**row].1[task] == Some(label);
                let trains = split.train.iter().filter(is_of).count();
                assert!(trains > 0, "seed {seed}, share {share}, task {task}, label {label}");
            }
        }
    }
}

#[test]
fn few_rows_of_many_labels_train_before_they_validate() {
    for seed in 0..500 {
        let label = |n: u32, task: u32| Some((lot(seed, &format!("{n} {task}")) * 5.0) as u32);
        let rows = named((0..12).map(|n| vec![label(n, 0), label(n, 1), label(n, 2)]));
        for share in [0.3, 0.6, 0.8] {
            let split = drawn_share(&rows, &[5; 3], seed, share);
            // The one row that makes a part not empty may have a label of its own.
            for row in split.validation.iter().filter(|_| split.validation.len() > 1) {
                for task in 0..3 {
                    let trains = split.train.iter().any(|other| rows[*other].1[task] == rows[*row].1[task]);
                    assert!(trains, "seed {seed}, share {share}, task {task}: {split:?}");
                }
            }
        }
    }
}

#[test]
fn a_label_of_four_rows_is_measured_where_others_can_make_room() {
    for seed in 0..500 {
        let rows = named((0..100).map(|n| vec![Some(u32::from(n >= 4))]));
        let split = drawn(&rows, &[2], seed);
        assert!(split.validation.iter().any(|row| *row < 4), "seed {seed}");
    }
}

#[test]
fn the_name_and_the_seed_alone_decide() {
    let rows = unbalanced();
    let split = drawn(&rows, &[3, 2], 7);
    assert_ne!(split, drawn(&rows, &[3, 2], 8));
    // Not the tail of the file.
    assert!(split.validation.iter().filter(|row| **row < 200).count() > 20);
    // Runs of years to come have to agree with those of today.
    let lots = [lot(0, "a.jpg"), lot(1, "a.jpg"), lot(0, "b.jpg"), lot(0, "")];
    assert_eq!(lots.map(|lot| (lot * 1e6) as u32), [75637, 943309, 515779, 355986]);
    assert_eq!(lot(3, "caf\u{e9}.jpg"), lot(3, "cafe\u{301}.jpg"), "an archive from a Mac");
    let mean = rows.iter().map(|(name, _)| lot(7, name)).sum::<f64>() / rows.len() as f64;
    assert!((mean - 0.5).abs() < 0.05, "{mean}");
}

#[test]
fn neither_side_is_empty_while_there_are_two_rows() {
    for seed in 0..20 {
        for n in 2..5 {
            let alike = drawn(&named((0..n).map(|_| vec![Some(0)])), &[4], seed);
            let unlike = drawn(&named((0..n).map(|n| vec![Some(n)])), &[5], seed);
            for split in [alike, unlike] {
                assert!(!split.train.is_empty() && !split.validation.is_empty(), "{n}: {split:?}");
            }
        }
        let one = drawn(&named([vec![Some(0)]]), &[2], seed);
        assert_eq!(one, Split { train: vec![0], validation: vec![] });
    }
    assert_eq!(drawn(&[], &[2], 3), Split::default());
}

#[test]
fn rows_that_cannot_be_used_are_left_out() {
    let mut rows = unbalanced();
    rows[5].1 = vec![None, None];
    let split = drawn(&rows, &[3, 2], 7);
    assert!(!split.train.contains(&5) && !split.validation.contains(&5));
}
