use tasklens_data::config::Task;
use tasklens_data::dataset::split::Part;

use super::*;
use crate::inference::outputs::Features;
use crate::training::seen::Seen;

/// What is said of `rows` rows of one task with two labels: of the label of each row, its probability.
fn said(rows: usize, is_network: bool, of_label: impl Fn(usize) -> f32) -> Suggestions {
    let probability = |row: usize| {
        let of = of_label(row);
        if row.is_multiple_of(2) { [of, 1.0 - of] } else { [1.0 - of, of] }
    };
    let task = Task { name: "digit".into(), labels: vec!["even".into(), "odd".into()] };
    let probabilities = Arc::new((0..rows).flat_map(probability).collect());
    Suggestions {
        rows: Arc::new((0..rows).collect()),
        items: Arc::new((0..rows as u32).map(Some).collect()),
        tasks: vec![Answers { task, probabilities, is_network }],
        features: Features::default(),
        trained: Arc::default(),
    }
}

fn seen(rows: usize, train: std::ops::Range<usize>) -> Seen {
    let part = |row: usize| train.contains(&row).then_some(Part::Train);
    Seen { parts: (0..rows).map(part).collect(), lost: 0 }
}

/// Rows 0 to 99 trained the network, which is sure of each; of the others it knows 5 in 8, and is sure, too.
fn network() -> Suggestions {
    said(300, true, |row| if row < 100 || row % 8 < 5 { 0.98 } else { 0.02 })
        .knowing(Some(&seen(300, 0..100)))
}

/// Right in 7 of 8, wherever they are wrong.
fn heads() -> Suggestions {
    said(300, false, |row| if row % 8 < 7 { 0.7 } else { 0.3 })
}

/// The first so many rows have their labels.
fn labels(count: usize) -> Vec<Vec<Option<u32>>> {
    vec![(0..300).map(|row| (row < count).then_some(row as u32 % 2)).collect()]
}

fn share(network: &Suggestions, heads: &Suggestions, labels: &[Option<u32>]) -> f32 {
    Mix { labels, trained: &network.trained, known: &network.tasks[0], learnt: &heads.tasks[0] }.share()
}

#[test]
fn the_share_is_that_of_rows_that_did_not_train_the_network() {
    let (network, heads, labels) = (network(), heads(), labels(200));
    let chosen = share(&network, &heads, &labels[0]);
    // As if only the rows outside of the training were labelled.
    let outside: Vec<Option<u32>> = (0..300).map(|row| labels[0][row].filter(|_| row >= 100)).collect();
    assert_eq!(chosen, share(&network, &heads, &outside));
    assert_eq!(chosen, 1.0);
    // With the rows that it has learnt by heart among them, the network would look better than it is.
    let knows_nothing_of_training = network.knowing(Some(&seen(300, 0..0)));
    assert!(share(&knows_nothing_of_training, &heads, &labels[0]) <= 0.5);
}

#[test]
fn with_few_rows_outside_of_the_training_the_heads_stand_alone() {
    // Of the rows outside the network says all, and more than the heads.
    let network = said(300, true, |_| 0.99).knowing(Some(&seen(300, 0..100)));
    let heads = heads();
    let of = |count: usize| share(&network, &heads, &labels(count)[0]);
    assert_eq!((of(100), of(100 + MEASURED - 1), of(100 + MEASURED)), (1.0, 1.0, 0.0));
    // No labelled row trained a network that comes from elsewhere: few are enough.
    let foreign = network.clone().knowing(Some(&seen(300, 200..300)));
    assert_eq!(share(&foreign, &heads, &labels(8)[0]), 0.0);
    // A run that does not tell may have trained on any.
    assert_eq!(share(&network.knowing(None), &heads, &labels(300)[0]), 1.0);
}

#[test]
fn a_label_that_the_network_trained_on_is_spoken_of_by_the_heads() {
    let (heads, labels) = (heads(), labels(200));
    let network = said(300, true, |_| 0.99).knowing(Some(&seen(300, 50..300)));
    let mixed = heads.mixed_with(&network, &labels);
    // Rows 0 to 49 are labelled and did not train, 50 to 199 are and did, the rest lacks a label.
    assert_eq!(mixed.probabilities(0, 7), network.probabilities(0, 7));
    assert_eq!(mixed.probabilities(0, 63), heads.probabilities(0, 63));
    assert_eq!(mixed.probabilities(0, 207), network.probabilities(0, 207));
    assert!(network.is_by_heart(0, 63) && !network.is_by_heart(0, 7) && network.knows_by_heart());
    assert!(!mixed.is_by_heart(0, 63) && !mixed.knows_by_heart());
    // Heads that could not be fitted leave the network's word, and it stays that.
    let unfitted = network.mixed_with(&network, &labels);
    assert!(unfitted.is_by_heart(0, 63));
}
