//! The issues against cleanlab's. `python tests/fixtures/evaluation/make.py` recorded them with
//! cleanlab 2.9.0 and NumPy 2.4.6.

use std::collections::HashMap;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<u32>,
    probabilities: Vec<f32>,
    thresholds: Vec<Option<f64>>,
    confident_counts: Vec<Vec<usize>>,
    confident_joint: Vec<Vec<usize>>,
    estimated: usize,
    issues: HashMap<String, Vec<usize>>,
    ranked: Vec<usize>,
    quality: HashMap<String, Vec<f64>>,
}

impl Case {
    fn given(&self) -> Vec<Option<u32>> {
        self.labels.iter().copied().map(Some).collect()
    }
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../tests/fixtures/evaluation/label_issues.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(cases.len(), 6);
    cases
}

const FILTERS: [Filter; 4] =
    [Filter::PruneByNoiseRate, Filter::PruneByClass, Filter::Both, Filter::ConfidentLearning];

fn items(issues: &LabelIssues) -> Vec<usize> {
    issues.issues.iter().map(|issue| issue.item).collect()
}

#[test]
fn the_confident_joint_is_that_of_cleanlab() {
    for case in cases() {
        let given = case.given();
        let rows = Labelled::new(&given, &case.probabilities, case.classes);
        let found = find(&given, &case.probabilities, case.classes);
        for (ours, theirs) in found.thresholds.iter().zip(&case.thresholds) {
            assert_eq!(ours.is_nan(), theirs.is_none(), "{}", case.name);
            assert!(theirs.is_none_or(|theirs| (ours - theirs).abs() < 1e-9), "{}", case.name);
        }
        let confident = confident_joint::Confident::count(&rows, &found.thresholds);
        assert_eq!(confident.counts, case.confident_counts, "{}", case.name);
        assert_eq!(found.confident_joint, case.confident_joint, "{}", case.name);
        assert_eq!(found.estimated_errors, case.estimated, "{}", case.name);
    }
}

#[test]
fn the_issues_are_those_of_cleanlab() {
    for case in cases() {
        for filter in FILTERS {
            let given = case.given();
            let found = find_by(&given, &case.probabilities, case.classes, filter, Quality::default());
            let mut ours = items(&found);
            ours.sort_unstable();
            let name = serde_json::to_value(filter).unwrap();
            assert_eq!(ours, case.issues[name.as_str().unwrap()], "{}, {name}", case.name);
        }
    }
}

#[test]
fn the_ranking_is_that_of_cleanlab() {
    for case in cases() {
        let found = find(&case.given(), &case.probabilities, case.classes);
        assert_eq!(items(&found), case.ranked, "{}", case.name);
        for quality in [Quality::SelfConfidence, Quality::NormalizedMargin] {
            let ours = qualities(&case.given(), &case.probabilities, case.classes, quality);
            let name = serde_json::to_value(quality).unwrap();
            for (ours, theirs) in ours.iter().zip(&case.quality[name.as_str().unwrap()]) {
                assert!((ours.unwrap() - theirs).abs() < 1e-9, "{}, {name}", case.name);
            }
        }
    }
}

#[test]
fn an_issue_proposes_the_most_probable_label() {
    for case in cases() {
        for filter in FILTERS {
            let given = case.given();
            for issue in find_by(&given, &case.probabilities, case.classes, filter, Quality::default()).issues
            {
                let row = &case.probabilities[issue.item * case.classes..][..case.classes];
                assert_eq!(issue.given, case.labels[issue.item]);
                assert_ne!(issue.given, issue.proposed);
                assert!(row.iter().all(|p| *p <= row[issue.proposed as usize]));
            }
        }
    }
}

#[test]
fn a_label_as_probable_as_the_best_is_no_issue() {
    let labels = [Some(1), Some(1), Some(1), Some(0)];
    let rows = [0.5, 0.5, 0.500_000_4, 0.499_999_6, 0.6, 0.4, 0.5, 0.5];
    let rows = Labelled::new(&labels, &rows, 2);
    assert_eq!([0, 1, 2].map(|item| rows.doubtful(item, 1)), [false, false, true]);
    assert!(!rows.doubtful(3, 0));
}

/// Whatever the model says of a label, its best row stays.
#[test]
fn a_label_never_loses_all_its_rows() {
    let labels = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(1), Some(2)];
    let rows = [
        [0.2f32, 0.8, 0.0],
        [0.1, 0.9, 0.0],
        [0.3, 0.7, 0.0],
        [0.0, 1.0, 0.0],
        [0.1, 0.9, 0.0],
        [0.1, 0.9, 0.0],
        [0.0, 1.0, 0.0],
    ];
    for filter in [Filter::PruneByNoiseRate, Filter::PruneByClass, Filter::Both] {
        let found = find_by(&labels, rows.as_flattened(), 3, filter, Quality::SelfConfidence);
        assert!(items(&found).iter().all(|item| [0, 1].contains(item)), "{found:?}");
    }
}

/// Rows without a label between the others change nothing but the indices.
#[test]
fn rows_without_a_label_are_passed_over() {
    let case = cases().remove(0);
    let without = find(&case.given(), &case.probabilities, case.classes);
    let mut labels = Vec::new();
    let mut probabilities = Vec::new();
    for (label, row) in case.labels.iter().zip(case.probabilities.chunks_exact(case.classes)) {
        labels.extend([None, Some(*label)]);
        probabilities.extend(std::iter::repeat_n(1.0 / case.classes as f32, case.classes));
        probabilities.extend(row);
    }
    let mut with = find(&labels, &probabilities, case.classes);
    assert!(with.issues.len() > 5 && with.issues.iter().all(|issue| issue.item % 2 == 1));
    with.issues.iter_mut().for_each(|issue| issue.item /= 2);
    // NaN is not equal to itself: the label without rows.
    assert_eq!(format!("{with:?}"), format!("{without:?}"));
    assert_eq!(qualities(&labels, &probabilities, case.classes, Quality::default())[0], None);
}

#[test]
fn nothing_to_compare_finds_nothing() {
    assert_eq!(find(&[], &[], 3).issues, []);
    assert_eq!(find(&[None], &[0.5, 0.5], 2).estimated_errors, 0);
    assert_eq!(find(&[Some(0), Some(0)], &[1.0, 1.0], 1).issues, []);
    for filter in FILTERS {
        let nan = [f32::NAN; 6];
        let found = find_by(&[Some(0), Some(1), Some(1)], &nan, 2, filter, Quality::default());
        assert_eq!(found.issues, []);
    }
}
