//! The scores against scikit-learn's. `python tests/fixtures/evaluation/make.py` recorded them with
//! scikit-learn 1.9.1, NumPy 2.4.6 and statsmodels 0.15.0.

use serde::Deserialize;

use super::super::confusion::Normalisation;
use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<Option<u32>>,
    probabilities: Vec<f32>,
    rows: usize,
    accuracy: f64,
    accuracy_interval: (f64, f64),
    balanced_accuracy: f64,
    balanced_accuracy_interval: (f64, f64),
    macro_f1: f64,
    macro_f1_interval: (f64, f64),
    log_loss: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<usize>,
    confusion: Vec<Vec<usize>>,
    by_actual: Vec<Vec<f64>>,
    by_predicted: Vec<Vec<f64>>,
    calibration_error: f64,
    reliability: Vec<(usize, Option<f64>, Option<f64>)>,
    baseline: RecordedBaseline,
}

#[derive(Deserialize)]
struct RecordedBaseline {
    label: u32,
    accuracy: f64,
    balanced_accuracy: f64,
    macro_f1: f64,
    log_loss: f64,
}

fn cases() -> Vec<(Case, TaskScores)> {
    let text = include_str!("../../../tests/fixtures/evaluation/scores.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(cases.len(), 4);
    let score = |case: Case| {
        let scores = score(&case.labels, &case.probabilities, case.classes);
        (case, scores)
    };
    cases.into_iter().map(score).collect()
}

#[track_caller]
fn near(ours: f64, theirs: f64, within: f64, what: &str) {
    assert!((ours - theirs).abs() < within, "{what}: {ours}, recorded {theirs}");
}

#[test]
fn the_scores_are_those_of_scikit_learn() {
    for (case, scores) in cases() {
        let name = &case.name;
        assert_eq!(scores.rows, case.rows);
        near(scores.accuracy.unwrap().value, case.accuracy, 1e-9, name);
        near(scores.balanced_accuracy.unwrap().value, case.balanced_accuracy, 1e-9, name);
        near(scores.macro_f1.unwrap().value, case.macro_f1, 1e-9, name);
        near(scores.log_loss.unwrap().value, case.log_loss, 1e-9, name);
        for (label, scores) in scores.labels.iter().enumerate() {
            // Where a score is undefined, scikit-learn says 0.
            near(scores.precision.map_or(0.0, |p| p.value), case.precision[label], 1e-9, name);
            near(scores.recall.map_or(0.0, |r| r.value), case.recall[label], 1e-9, name);
            near(scores.f1.unwrap_or(0.0), case.f1[label], 1e-9, name);
            assert_eq!(scores.rows, case.support[label]);
            assert_eq!(scores.predicted, case.confusion.iter().map(|row| row[label]).sum::<usize>());
        }
        let ours = scores.baseline.unwrap();
        assert_eq!(ours.label, case.baseline.label);
        near(ours.accuracy, case.baseline.accuracy, 1e-9, name);
        near(ours.balanced_accuracy, case.baseline.balanced_accuracy, 1e-9, name);
        near(ours.macro_f1, case.baseline.macro_f1, 1e-9, name);
        near(ours.log_loss, case.baseline.log_loss, 1e-9, name);
    }
}

#[test]
fn the_confusion_is_that_of_scikit_learn_in_each_view() {
    for (case, scores) in cases() {
        let counts = case.confusion.iter().map(|row| row.iter().map(|count| *count as f64).collect());
        let views = [
            (Normalisation::None, counts.collect::<Vec<Vec<f64>>>()),
            (Normalisation::Actual, case.by_actual),
            (Normalisation::Predicted, case.by_predicted),
        ];
        for (by, theirs) in views {
            for (ours, theirs) in scores.confusion.normalised(by).iter().zip(theirs) {
                for (ours, theirs) in ours.iter().zip(theirs) {
                    near(if ours.is_nan() { 0.0 } else { *ours }, theirs, 1e-9, &case.name);
                }
            }
        }
    }
}

#[test]
fn the_calibration_is_that_of_numpy() {
    for (case, scores) in cases() {
        near(scores.calibration.error.unwrap(), case.calibration_error, 1e-9, &case.name);
        assert_eq!(scores.calibration.bins.len(), case.reliability.len());
        for (bin, (rows, confidence, accuracy)) in scores.calibration.bins.iter().zip(case.reliability) {
            assert_eq!(bin.rows, rows);
            assert_eq!(bin.confidence.is_some(), rows > 0);
            near(bin.confidence.unwrap_or(0.0), confidence.unwrap_or(0.0), 1e-9, &case.name);
            near(bin.accuracy.map_or(0.0, |a| a.value), accuracy.unwrap_or(0.0), 1e-9, &case.name);
        }
    }
}

#[test]
fn the_intervals_are_those_of_statsmodels_and_of_drawing_rows_again() {
    for (case, scores) in cases() {
        let accuracy = scores.accuracy.unwrap();
        near(accuracy.low, case.accuracy_interval.0, 1e-9, &case.name);
        near(accuracy.high, case.accuracy_interval.1, 1e-9, &case.name);
        // Ours come by other means: wider than the bootstrap's where a label has few rows or none of them is right.
        let drawn = [
            (scores.balanced_accuracy.unwrap(), case.balanced_accuracy_interval),
            (scores.macro_f1.unwrap(), case.macro_f1_interval),
        ];
        for (ours, (low, high)) in drawn {
            let width = high - low;
            for wider in [(low - ours.low) / width, (ours.high - high) / width] {
                assert!((-0.1..0.3).contains(&wider), "{}: {ours:?}, drawn {low} to {high}", case.name);
            }
        }
    }
}

#[test]
fn without_rows_no_score_is_made_up() {
    let scores = score(&[None, None], &[0.5, 0.5, 1.0, 0.0], 2);
    assert_eq!((scores.rows, scores.accuracy, scores.log_loss), (0, None, None));
    assert_eq!((scores.balanced_accuracy, scores.macro_f1), (None, None));
    assert_eq!(scores.baseline, None);
    let json = serde_json::to_value(&scores).unwrap();
    assert!(json["accuracy"].is_null() && json["labels"][0]["recall"].is_null());
    assert_eq!(json["confusion"], serde_json::json!([[0, 0], [0, 0]]));
}

/// The same label for all, and numbers that are none: a network that diverged must not stop the window.
#[test]
fn odd_predictions_do_not_panic() {
    let scores = score(&[Some(0), Some(0)], &[1.0, 1.0], 1);
    let (ours, accuracy) = (scores.balanced_accuracy.unwrap(), scores.accuracy.unwrap());
    assert_eq!((ours.value, ours.high), (1.0, 1.0));
    near(ours.low, accuracy.low, 1e-9, "of one label both are the same");
    near(scores.log_loss.unwrap().value, f64::EPSILON, 1e-18, "certain and right");
    let scores = score(&[Some(1), Some(0)], &[f32::NAN, f32::NAN, 0.3, 0.7], 2);
    assert_eq!(scores.rows, 2);
    assert!(scores.log_loss.unwrap().value.is_nan());
}

#[test]
fn the_predicted_label_is_the_most_probable_and_the_first_of_equals() {
    assert_eq!(predicted(&[0.1, 0.9, 0.5, 0.5, 0.6, 0.4], 2), [1, 0, 0]);
    assert!(predicted(&[], 3).is_empty());
}
