use std::path::Path;

use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::dataset::table::Table;

use super::*;
use crate::inference::outputs::{Features, Outputs};
use crate::training::seen::Seen;

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// Rows `0.jpg`, `1.jpg`, ... with tasks of two and three labels, and what is said of the first of them.
fn suggestions(rows: usize, two: &[f32], three: &[f32], features: Features) -> Suggestions {
    let config =
        "{paths: {model_dataframe: x.csv}, model: {target_encoder: {two: [a, b], three: [a, b, c]}}}";
    let config = Config::parse(config, Path::new("/config.yml")).unwrap();
    let lines: String = (0..rows).map(|row| format!("{row}.jpg,,\n")).collect();
    let table = Table::from_bytes(format!("path,two,three\n{lines}").into(), Path::new("/x.csv")).unwrap();
    let dataset = Dataset::from_table(table, &config).unwrap();
    let outputs = Outputs {
        tasks: dataset.tasks.clone(),
        images: (0..two.len() / 2).map(|row| format!("/{row}.jpg").into()).collect(),
        probabilities: vec![two.to_vec(), three.to_vec()],
        features,
    };
    Suggestions::of_outputs(&dataset, &outputs)
}

fn row_labels(labels: &[Vec<Option<u32>>]) -> Vec<Vec<RowLabel>> {
    labels.iter().map(|labels| labels.iter().copied().map(RowLabel::from).collect()).collect()
}

fn arranged(
    order: LabellingOrder,
    tasks: &[usize],
    labels: &[Vec<Option<u32>>],
    said: Option<&Suggestions>,
) -> (Vec<usize>, usize) {
    let rows: Vec<usize> = (0..labels[0].len()).collect();
    let uncertainty = Uncertainty::Margin;
    let labels = &row_labels(labels);
    let question = Question { order, uncertainty, tasks, labels, rows: &rows, suggestions: said };
    let Arranged { rows, leading } = arrange(&question, &mut go_on).unwrap();
    (rows, leading)
}

#[test]
fn unlabelled_rows_come_first_as_the_file_has_them() {
    let labels = [vec![Some(0), None, Some(1), Some(0), None], vec![Some(0), Some(1), None, Some(2), None]];
    assert_eq!(arranged(LabellingOrder::Unlabelled, &[0, 1], &labels, None), (vec![1, 2, 4, 0, 3], 3));
    assert_eq!(arranged(LabellingOrder::Unlabelled, &[1], &labels, None), (vec![2, 4, 0, 1, 3], 2));
    assert_eq!(arranged(LabellingOrder::File, &[0, 1], &labels, None), (vec![0, 1, 2, 3, 4], 5));
    // Without a model the other orders have nothing to go by.
    for order in [LabellingOrder::Uncertain, LabellingOrder::Diverse, LabellingOrder::Disagreement] {
        assert_eq!(arranged(order, &[0, 1], &labels, None), (vec![1, 2, 4, 0, 3], 0));
    }
}

#[test]
fn an_image_to_which_a_task_does_not_apply_is_not_asked_for_again() {
    use RowLabel::{Class, DoesNotApply, Missing};
    let said =
        suggestions(3, &[0.5, 0.5, 0.6, 0.4, 0.55, 0.45], &[1.0, 0.0, 0.0].repeat(3), Features::default());
    for (order, first) in [
        (LabellingOrder::Unlabelled, vec![2]),
        (LabellingOrder::Uncertain, vec![2]),
        (LabellingOrder::Disagreement, vec![1]),
    ] {
        let question = Question {
            order,
            uncertainty: Uncertainty::Margin,
            tasks: &[0],
            labels: &[vec![DoesNotApply, Class(1), Missing]],
            rows: &[0, 1, 2],
            suggestions: Some(&said),
        };
        let Arranged { rows, leading } = arrange(&question, &mut go_on).unwrap();
        assert_eq!(rows[..leading], first, "{order:?}");
    }
}

#[test]
fn the_model_s_doubt_counts_for_the_labels_that_a_row_lacks() {
    let two = [0.9, 0.1, 0.5, 0.5, 0.3, 0.7, 0.8, 0.2];
    let three = [0.4, 0.3, 0.3, 1.0, 0.0, 0.0, 0.5, 0.3, 0.2, 0.4, 0.4, 0.2];
    let said = suggestions(6, &two, &three, Features::default());
    let none = [vec![None; 6], vec![None; 6]];
    // By the lesser margin of both: 0.1, 0, 0.2, 0; rows 4 and 5 have no output.
    assert_eq!(arranged(LabellingOrder::Uncertain, &[0, 1], &none, Some(&said)), (vec![1, 3, 0, 2, 4, 5], 4));
    assert_eq!(arranged(LabellingOrder::Uncertain, &[0], &none, Some(&said)), (vec![1, 2, 3, 0, 4, 5], 4));
    // Row 1 is in doubt only about what it has; row 3 has all and comes last, also after those without output.
    let labels =
        [vec![None, Some(0), None, Some(0), None, None], vec![None, None, None, Some(1), None, None]];
    assert_eq!(
        arranged(LabellingOrder::Uncertain, &[0, 1], &labels, Some(&said)),
        (vec![0, 2, 1, 4, 5, 3], 3)
    );
}

#[test]
fn entropy_asks_about_all_labels_and_margin_about_two() {
    assert!((entropy(&[1.0 / 3.0; 3]) - 1.0).abs() < 1e-6 && entropy(&[1.0, 0.0]) == 0.0);
    assert_eq!((entropy(&[1.0]), margin(&[1.0])), (0.0, 1.0));
    // A label that the dataset no longer has took its share along.
    assert!((entropy(&[0.1, 0.1]) - 1.0).abs() < 1e-6 && entropy(&[0.0, 0.0]) == 1.0);
    let said = suggestions(2, &[0.5; 4], &[0.5, 0.5, 0.0, 0.42, 0.33, 0.25], Features::default());
    let labels = row_labels(&[vec![Some(0); 2], vec![None; 2]]);
    let question = |uncertainty| Question {
        order: LabellingOrder::Uncertain,
        uncertainty,
        tasks: &[1],
        labels: &labels,
        rows: &[0, 1],
        suggestions: Some(&said),
    };
    assert_eq!(arrange(&question(Uncertainty::Margin), &mut go_on).unwrap().rows, [0, 1]);
    assert_eq!(arrange(&question(Uncertainty::Entropy), &mut go_on).unwrap().rows, [1, 0]);
}

#[test]
fn the_strongest_contradiction_comes_first() {
    let two = [0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.9, 0.1];
    let three = [1.0, 0.0, 0.0].repeat(4);
    let said = suggestions(5, &two, &three, Features::default());
    let labels =
        [vec![Some(0), Some(0), Some(0), None, Some(1)], vec![Some(0), None, Some(0), Some(2), Some(0)]];
    // Row 3 by its second task, then rows 2 and 1 by the first; 0 agrees, and of 4 nothing is said.
    assert_eq!(
        arranged(LabellingOrder::Disagreement, &[0, 1], &labels, Some(&said)),
        (vec![3, 2, 1, 0, 4], 3)
    );
    assert_eq!(arranged(LabellingOrder::Disagreement, &[0], &labels, Some(&said)), (vec![2, 1, 3, 0, 4], 2));
}

#[test]
fn a_network_is_not_asked_about_labels_that_it_has_learnt_by_heart() {
    let (two, three) = ([0.9, 0.1, 0.4, 0.6, 0.2, 0.8], [1.0, 0.0, 0.0].repeat(3));
    let said = suggestions(3, &two, &three, Features::default());
    let labels = [vec![Some(1), Some(0), Some(0)], vec![Some(0); 3]];
    assert_eq!(arranged(LabellingOrder::Disagreement, &[0, 1], &labels, Some(&said)), (vec![0, 2, 1], 3));
    let seen = Seen { parts: vec![Some(Part::Train), Some(Part::Validation), None], lost: 0 };
    let said = said.knowing(Some(&seen));
    assert_eq!(arranged(LabellingOrder::Disagreement, &[0, 1], &labels, Some(&said)), (vec![2, 1, 0], 2));
    // Without a word of the run, it may have learnt any.
    assert_eq!(
        arranged(LabellingOrder::Disagreement, &[0, 1], &labels, Some(&said.knowing(None))),
        (vec![0, 1, 2], 0)
    );
}

#[test]
fn the_least_like_what_is_labelled_come_first_and_filtered_rows_still_count_as_labelled() {
    let degrees = [0.0_f32, 5.0, 85.0, 90.0, 45.0];
    let features = Features::drawn(5, 2, |item, i| {
        let (sine, cosine) = degrees[item].to_radians().sin_cos();
        if i == 0 { cosine } else { sine }
    });
    let said = suggestions(6, &[0.5; 10], &[0.5; 15], features);
    let labels = [vec![Some(0), None, None, None, None, None]];
    // Row 5 has no features.
    assert_eq!(arranged(LabellingOrder::Diverse, &[0], &labels, Some(&said)), (vec![3, 4, 1, 2, 5, 0], 4));
    let question = Question {
        order: LabellingOrder::Diverse,
        uncertainty: Uncertainty::Margin,
        tasks: &[0],
        labels: &row_labels(&labels),
        rows: &[1, 4],
        suggestions: Some(&said),
    };
    assert_eq!(arrange(&question, &mut go_on), Some(Arranged { rows: vec![4, 1], leading: 2 }));
    assert_eq!(arrange(&question, &mut |_, _| false), None);
    // Where all are labelled there is nothing to choose.
    let all = [vec![Some(0); 6]];
    assert_eq!(arranged(LabellingOrder::Diverse, &[0], &all, Some(&said)), (vec![0, 1, 2, 3, 4, 5], 0));
}

#[test]
fn of_many_items_some_are_taken_at_equal_distances() {
    assert_eq!(spread(&[2, 4, 6], 3), [2, 4, 6]);
    let items: Vec<usize> = (0..10).collect();
    assert_eq!(spread(&items, 4), [0, 2, 5, 7]);
    assert!(spread(&[], 4).is_empty());
}
