//! Train/validation: seeded and stratified, or from a column.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;

use super::Row;

/// Indices into [`Dataset::rows`](super::Dataset::rows).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Rows that train, ascending.
    pub train: Vec<usize>,
    /// Rows that validate, ascending.
    pub validation: Vec<usize>,
}

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The network learns from it.
    Train,
    /// It measures the network while it learns.
    Validation,
    /// Neither: kept for a test after training.
    Test,
}

impl Part {
    /// What texts, files and split columns call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// What a cell of a split column says; upper and lower case and spaces around do not count.
    pub fn from_cell(cell: &str) -> Option<Self> {
        match cell.trim().to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "validation" | "valid" | "val" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

/// How the usable rows become a [`Split`].
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Drawn, so that each label of each task is shared out alike.
    Stratified {
        /// Share of the rows that validate, above 0 and below 1.
        validation_share: f64,
        /// The same seed and rows give the same split.
        seed: u64,
    },
    /// As the CSV says, one entry per row; `None` where its cell says nothing known.
    Given(Vec<Option<Part>>),
}

impl Rule {
    /// Splits the usable rows; `labels_per_task` has the number of labels of each task.
    pub fn apply(&self, rows: &[Row], labels_per_task: &[usize]) -> Split {
        match self {
            Self::Stratified { validation_share, seed } => {
                stratified(rows, labels_per_task, *validation_share, *seed)
            }
            Self::Given(parts) => {
                let of = |part: Part| {
                    rows.iter()
                        .zip(parts)
                        .enumerate()
                        .filter(|(_, (row, given))| row.usable && **given == Some(part))
                        .map(|(index, _)| index)
                        .collect()
                };
                Split { train: of(Part::Train), validation: of(Part::Validation) }
            }
        }
    }
}

/// Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of
/// Multi-Label Data", algorithm 1) with two folds: the label with the fewest rows left is shared out
/// first, each of its rows to the fold that lacks most of it, so rare labels are split as well as
/// they can be. Every (task, label) counts as one label; the rows are shuffled with the seed first.
/// Linear in rows times tasks.
fn stratified(rows: &[Row], labels_per_task: &[usize], validation_share: f64, seed: u64) -> Split {
    let mut order: Vec<usize> = (0..rows.len()).filter(|row| rows[*row].usable).collect();
    order.shuffle(&mut Pcg64::seed_from_u64(seed));

    let first_of_task: Vec<usize> = labels_per_task
        .iter()
        .scan(0, |next, labels| {
            let first = *next;
            *next += labels;
            Some(first)
        })
        .collect();
    let labels_of = |row: usize| {
        rows[row]
            .labels
            .iter()
            .zip(&first_of_task)
            .filter_map(|(label, first)| label.map(|label| first + label as usize))
    };
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); labels_per_task.iter().sum()];
    for &row in &order {
        labels_of(row).for_each(|label| members[label].push(row));
    }

    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^52")]
    let wanted = |count: usize| {
        let validation = count as f64 * validation_share;
        Folds { train: count as f64 - validation, validation }
    };
    let mut wanted_rows = wanted(order.len());
    let mut wanted_of_label: Vec<Folds> = members.iter().map(|rows| wanted(rows.len())).collect();
    let mut left: Vec<usize> = members.iter().map(Vec::len).collect();
    let mut taken = vec![false; rows.len()];
    let mut split = Split::default();
    while let Some(rarest) = (0..left.len()).filter(|label| left[*label] > 0).min_by_key(|label| left[*label])
    {
        for &row in &members[rarest] {
            if std::mem::replace(&mut taken[row], true) {
                continue;
            }
            let lack = wanted_of_label[rarest];
            let validates = match lack.validation.total_cmp(&lack.train) {
                std::cmp::Ordering::Equal => wanted_rows.validation > wanted_rows.train,
                order => order.is_gt(),
            };
            if validates { &mut split.validation } else { &mut split.train }.push(row);
            wanted_rows.give(validates);
            for label in labels_of(row) {
                wanted_of_label[label].give(validates);
                left[label] -= 1;
            }
        }
    }
    leave_none_empty(&mut split);
    split.train.sort_unstable();
    split.validation.sort_unstable();
    split
}

/// So few rows that all went to one side: the row shared out last, of a common label, changes sides.
fn leave_none_empty(split: &mut Split) {
    let Split { train, validation } = split;
    if validation.is_empty() && train.len() > 1 {
        validation.extend(train.pop());
    } else if train.is_empty() && validation.len() > 1 {
        train.extend(validation.pop());
    }
}

/// How many rows each side still lacks.
#[derive(Clone, Copy)]
struct Folds {
    train: f64,
    validation: f64,
}

impl Folds {
    fn give(&mut self, validates: bool) {
        if validates {
            self.validation -= 1.0;
        } else {
            self.train -= 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with the given labels, all usable.
    fn rows(labels: impl IntoIterator<Item = Vec<Option<u32>>>) -> Vec<Row> {
        labels.into_iter().map(|labels| Row { image: "x.jpg".into(), labels, usable: true }).collect()
    }

    fn drawn(rows: &[Row], labels_per_task: &[usize], seed: u64) -> Split {
        Rule::Stratified { validation_share: 0.2, seed }.apply(rows, labels_per_task)
    }

    fn unbalanced() -> Vec<Row> {
        // Task 0: 80 % / 15 % / 5 %; task 1: independent of it, half of its labels missing.
        rows((0..400).map(|n| {
            let first = [0, 1, 2][usize::from(n % 20 > 15) + usize::from(n % 20 == 19)];
            vec![Some(first), (n % 2 == 0).then_some(u32::from(n % 3 == 0))]
        }))
    }

    #[test]
    fn each_label_of_each_task_is_shared_out_alike() {
        let rows = unbalanced();
        let split = drawn(&rows, &[3, 2], 7);
        assert_eq!((split.train.len(), split.validation.len()), (320, 80));
        let mut both: Vec<usize> = split.train.iter().chain(&split.validation).copied().collect();
        both.sort_unstable();
        assert_eq!(both, (0..400).collect::<Vec<_>>());
        for (task, labels) in [3, 2].into_iter().enumerate() {
            for label in 0..labels {
                let count = |side: &[usize]| {
                    side.iter().filter(|row| rows[**row].labels[task] == Some(label)).count() as f64
                };
                let (train, validation) = (count(&split.train), count(&split.validation));
                let wanted = (train + validation) * 0.2;
                assert!(
                    (validation - wanted).abs() <= 1.0,
                    "task {task} label {label}: {train} {validation}"
                );
            }
        }
    }

    #[test]
    fn the_seed_alone_decides_and_the_order_is_shuffled() {
        let rows = unbalanced();
        let split = drawn(&rows, &[3, 2], 7);
        assert_eq!(split, drawn(&rows, &[3, 2], 7));
        assert_ne!(split, drawn(&rows, &[3, 2], 8));
        // Not the tail of the file.
        assert!(split.validation.iter().filter(|row| **row < 200).count() > 20);
    }

    #[test]
    fn a_rare_label_trains_before_it_validates() {
        let labels = (0..50).map(|n| vec![Some(if n < 3 { n } else { 3 })]);
        let split = drawn(&rows(labels), &[4], 1);
        assert!((0..3).all(|row| split.train.contains(&row)));
    }

    #[test]
    fn neither_side_is_empty_while_there_are_two_rows() {
        for n in 2..5 {
            let split = drawn(&rows((0..n).map(|_| vec![Some(0)])), &[2], 3);
            assert!(!split.train.is_empty() && !split.validation.is_empty(), "{n}: {split:?}");
        }
        let one = drawn(&rows([vec![Some(0)]]), &[2], 3);
        assert_eq!(one, Split { train: vec![0], validation: vec![] });
        assert_eq!(drawn(&[], &[2], 3), Split::default());
    }

    #[test]
    fn rows_that_cannot_be_used_are_left_out() {
        let mut rows = unbalanced();
        rows[5].usable = false;
        let split = drawn(&rows, &[3, 2], 7);
        assert!(!split.train.contains(&5) && !split.validation.contains(&5));
    }
}
