use std::path::Path;

use tasklens_data::config::Config;
use tasklens_data::dataset::table::Table;

use super::*;

fn go_on(_: usize, _: usize) -> bool {
    true
}

fn task(name: &str, labels: &[&str]) -> Task {
    Task { name: name.into(), labels: labels.iter().map(|label| (*label).to_owned()).collect() }
}

fn dataset(csv: &str) -> Dataset {
    let config = "{paths: {model_dataframe: x.csv}, model: {split_column: split, target_encoder: {print: [striped, plain, dotted], \
                  neck: [v, round], age: [old, new]}}}";
    let config = Config::parse(config, Path::new("/config.yml")).unwrap();
    Dataset::from_table(Table::from_bytes(csv.into(), Path::new("/x.csv")).unwrap(), &config).unwrap()
}

fn outputs(images: &[String], print: Vec<f32>, neck: Vec<f32>, features: Features) -> Outputs {
    Outputs {
        tasks: vec![task("print", &["plain", "checked", "dotted"]), task("neck", &["v", "round"])],
        images: images.iter().map(|image| Path::new("/").join(image)).collect(),
        probabilities: vec![print, neck],
        features,
    }
}

#[test]
fn the_network_speaks_in_the_labels_of_the_dataset() {
    // Of no part, without a label, without output: each is a row.
    let dataset = dataset(
        "path,print,neck,age,split\na.jpg,plain,v,,train\nb.jpg,,,,\nc.jpg,plain,v,,train\nd.jpg,striped,,,validation\n",
    );
    let images = ["d.jpg", "b.jpg", "a.jpg"].map(str::to_owned);
    let print = vec![0.5, 0.1, 0.4, 0.3, 0.0, 0.7, 0.1, 0.6, 0.3];
    let outputs = outputs(&images, print, vec![0.9, 0.1, 0.2, 0.8, 0.5, 0.5], Features::default());
    let said = Suggestions::of_outputs(&dataset, &outputs);
    assert_eq!(said.rows(), [0, 1, 3]);
    assert_eq!([0, 1, 2, 3, 4].map(|row| said.item_of(row)), [Some(0), Some(1), None, Some(2), None]);
    assert_eq!(said.probabilities(0, 3), Some([0.0, 0.5, 0.4].as_slice()));
    assert_eq!(said.top(0, 1), Some((2, 0.7)));
    assert_eq!(said.top(1, 3), Some((0, 0.9)));
    assert_eq!(said.top(1, 2), None);
    assert_eq!([0, 1, 2, 3].map(|task| said.has_task(task)), [true, true, false, false]);
    assert_eq!(said.probabilities(2, 0), None);
}

/// 40 rows whose features tell necks apart, and a network that says the contrary.
fn forty() -> (Dataset, Suggestions) {
    let images: Vec<String> = (0..40).map(|row| format!("{row}.jpg")).collect();
    let lines: String = images.iter().map(|image| format!("{image},,,,\n")).collect();
    let dataset = dataset(&format!("path,print,neck,age,split\n{lines}"));
    let features =
        Features::drawn(40, 8, |item, i| ((item * 7 + i * 3) % 5) as f32 + 9.0 * (i % 2 * (item % 2)) as f32);
    let neck = (0..40).flat_map(|row| if row % 2 == 0 { [0.1, 0.9] } else { [0.9, 0.1] }).collect();
    let outputs = outputs(&images, [0.2, 0.3, 0.5].repeat(40), neck, features);
    let said = Suggestions::of_outputs(&dataset, &outputs);
    (dataset, said)
}

#[test]
fn labels_teach_new_heads_and_rows_without_one_profit() {
    let (dataset, said) = forty();
    assert_eq!(said.top(1, 30), Some((1, 0.9)));
    let mut labels = vec![vec![None; 40]; 3];
    labels[1] = (0..40).map(|row| (row < 16).then_some(row % 2)).collect();
    // Two of `old` and one of `new` are too few to learn from.
    labels[2] = (0..40).map(|row| (row < 3).then_some(u32::from(row == 2))).collect();
    let new = said.updated(&dataset.tasks, &labels, 1, &mut go_on).unwrap().unwrap();
    assert!((0..40).all(|row| new.top(1, row).unwrap().0 == row as u32 % 2), "rows 0 to 15 are labelled");
    assert_eq!(new.probabilities(0, 30), said.probabilities(0, 30));
    assert!(!new.has_task(2));
    assert_eq!(new.rows(), said.rows());
    assert!(said.updated(&dataset.tasks, &labels, 1, &mut |_, _| false).unwrap().is_none());
}

#[test]
fn ten_labels_are_enough_and_how_good_their_heads_are_is_counted_on_labels_they_have_not_seen() {
    let (dataset, said) = forty();
    let given = |count: usize, label: &dyn Fn(usize) -> u32| {
        let mut labels = vec![vec![None; 40]; 3];
        labels[1] = (0..40).map(|row| (row < count).then(|| label(row))).collect();
        let new = said.updated(&dataset.tasks, &labels, 1, &mut go_on).unwrap().unwrap();
        new.scores(&labels)
    };
    let by_turns = |row: usize| (row % 2) as u32;
    assert_eq!(given(10, &by_turns), [None, Some(Score { right: 10, of: 10 }), None]);
    assert_eq!(given(8, &by_turns)[1].map(|score| score.of), Some(8), "four of each");
    assert_eq!(given(7, &by_turns)[1], None);
    assert_eq!(given(9, &|row| u32::from(row < 2))[1], None);
    assert_eq!(
        given(10, &|row| u32::from(row < 2))[1].map(|score| score.of),
        Some(10),
        "two of one, eight of the other"
    );
    assert_eq!(given(30, &|row| u32::from(row < 1))[1], None, "one of a label is none to learn from");
    // What an image looks like says nothing of its label here: heads that had seen them would be right.
    let at_random = given(40, &|row| u32::from(row * 7919 % 97 > 48))[1].unwrap();
    assert!(at_random.of == 40 && at_random.right < 32, "{at_random:?}");
}

#[test]
fn labels_and_tasks_may_be_others_now() {
    let (_, said) = forty();
    let tasks =
        [task("neck", &["round", "square", "v"]), task("colour", &["red"]), task("print", &["spotted"])];
    let labels = vec![vec![None; 40]; 3];
    let new = said.updated(&tasks, &labels, 1, &mut go_on).unwrap().unwrap();
    assert_eq!(new.probabilities(0, 0), Some([0.9, 0.0, 0.1].as_slice()));
    assert_eq!([0, 1, 2].map(|task| new.has_task(task)), [true, false, false]);
    let error = said.updated(&tasks, &labels[..2], 1, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("labels of 2 tasks, expected 3"), "{error}");
    let few = vec![vec![None; 39]; 3];
    let error = said.updated(&tasks, &few, 1, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("`neck`: 39 labels for 40 rows"), "{error}");
}

#[test]
fn few_labels_do_not_push_aside_a_network_that_knows_better_nor_keep_one_that_knows_nothing() {
    let (dataset, network) = forty();
    let neck = |row: usize| Some((row % 2) as u32);
    let print = |row: usize| Some([1, 2][row % 2]);
    let labels: Vec<Vec<Option<u32>>> =
        vec![(0..40).map(print).collect(), (0..40).map(neck).collect(), vec![None; 40]];
    let learnt = network.updated(&dataset.tasks, &labels, 1, &mut go_on).unwrap().unwrap();
    // The network says the contrary of every neck: what was learnt stands alone.
    let mixed = learnt.mixed_with(&network, &labels);
    assert_eq!(mixed.probabilities(1, 5), learnt.probabilities(1, 5));
    // Where it is right and surer than the heads, it stays.
    let answers = (0..40).flat_map(|row| if row % 2 == 0 { [0.999, 0.001] } else { [0.001, 0.999] });
    let mut network = network;
    network.tasks[1].probabilities = Arc::new(answers.collect());
    let mixed = learnt.mixed_with(&network, &labels);
    assert_eq!(mixed.probabilities(1, 4), Some([0.999, 0.001].as_slice()));
    // A task that the network does not know is the heads' alone, and each row sums to 1.
    for row in 0..40 {
        let sum: f32 = mixed.probabilities(0, row).unwrap().iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    }
}
