use super::*;
use setting::settings;

#[path = "../../../../benches/coverage/setting.rs"]
mod setting;

/// A confusion matrix of these counts.
fn confusion(counts: &[&[usize]]) -> Confusion {
    let mut confusion = Confusion::new(counts.len());
    for (actual, row) in counts.iter().enumerate() {
        for (predicted, count) in row.iter().enumerate() {
            (0..*count).for_each(|_| confusion.add(actual, predicted));
        }
    }
    confusion
}

fn both(confusion: &Confusion) -> [Estimate; 2] {
    macro_averages(confusion, &confusion.margins()).map(|estimate| estimate.unwrap())
}

#[track_caller]
fn bounds(estimate: Estimate, low: f64, high: f64) {
    let near = (estimate.low - low).abs() < 5e-4 && (estimate.high - high).abs() < 5e-4;
    assert!(near, "{estimate:?}, expected {low} to {high}");
}

#[test]
fn few_rows_that_are_all_right_do_not_make_it_certain() {
    // As accuracy has it for 10 of 10, and for 5 + 5 alike.
    let [one, f1] = both(&confusion(&[&[10]]));
    bounds(one, 0.7225, 1.0);
    // F1 of a recall r without a false hit is 2 r / (1 + r).
    assert!((f1.low - 2.0 * 0.7225 / 1.7225).abs() < 0.01, "{f1:?}");
    let [two, f1] = both(&confusion(&[&[5, 0], &[0, 5]]));
    bounds(two, 0.7225, 1.0);
    assert!((f1.low - 0.7225).abs() < 0.05, "{f1:?}");
}

#[test]
fn a_label_with_one_row_makes_the_interval_wide_though_all_else_is_sure() {
    // The recall of the second is somewhere between 0.2 and 1 (Wilson's), that of the first close to 1: the interval
    // is from 0.6, or wider.
    let [balanced, f1] = both(&confusion(&[&[1000, 0], &[0, 1]]));
    assert!((0.3..0.6).contains(&balanced.low) && balanced.high == 1.0, "{balanced:?}");
    assert!(f1.low < 0.8, "{f1:?}");
    let [sure, _] = both(&confusion(&[&[1000, 0], &[0, 1000]]));
    assert!(sure.low > 0.99, "{sure:?}");
}

#[test]
fn all_wrong_is_0_and_labels_that_are_only_predicted_do_not_panic() {
    let [balanced, f1] = both(&confusion(&[&[0, 0, 3], &[0, 0, 3], &[0, 0, 0]]));
    assert_eq!((balanced.value, balanced.low, f1.value, f1.low), (0.0, 0.0, 0.0, 0.0));
    assert!((0.2..0.8).contains(&balanced.high) && (0.2..0.8).contains(&f1.high), "{balanced:?}, {f1:?}");
}

#[test]
fn the_intervals_hold_about_as_often_as_they_say() {
    for (name, setting) in settings() {
        for (what, coverage) in ["balanced accuracy", "macro-F1"].iter().zip(setting.coverage(400, both)) {
            // 3.5 standard errors of 400 samples below the least that many of them give.
            assert!(coverage > 0.88, "{name}: {what} in {coverage}");
        }
    }
}
