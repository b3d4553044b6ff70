//! What the Confusion tab counts, in a job: how often each label is taken for each, and in which orders to show it.

use tasklens_data::dataset::split::Part;
use tasklens_net::evaluation::confusion::{Confusion, order};
use tasklens_net::evaluation::inspection::Inspection;

/// The confusion of a task in a part, or in all.
pub struct ConfusionCounts {
    /// `[true][predicted]`.
    pub confusion: Confusion,
    /// How many items were counted.
    pub rows: usize,
    /// Of these, how many get a wrong label.
    pub wrong: usize,
    /// Labels taken for each other side by side.
    pub by_confusion: Vec<usize>,
    /// The label of most items first.
    pub by_frequency: Vec<usize>,
    /// Confused labels, the most frequent first.
    pub pairs: Vec<ConfusedPair>,
}

/// A label taken for another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfusedPair {
    pub actual: usize,
    pub predicted: usize,
    /// How many items.
    pub count: usize,
    /// Of all items with the true label, 0 to 1.
    pub share: f64,
}

impl ConfusionCounts {
    /// Counts. Not for the UI thread: the order of hundreds of labels takes a while.
    pub fn of(inspection: &Inspection, task: usize, part: Option<Part>) -> Self {
        let Some(items) = inspection.tasks.get(task) else { return Self::new(Confusion::new(0)) };
        let mut confusion = Confusion::new(items.task.labels.len());
        for (item, label) in items.labels.iter().enumerate() {
            if let Some(label) = label
                && part.is_none_or(|part| inspection.parts[item] == part)
            {
                confusion.add(*label as usize, items.predicted[item] as usize);
            }
        }
        Self::new(confusion)
    }

    fn new(confusion: Confusion) -> Self {
        let margins = confusion.margins();
        let mut by_frequency: Vec<usize> = (0..confusion.labels()).collect();
        by_frequency.sort_by_key(|label| std::cmp::Reverse(margins.actual[*label]));
        let wrong = confusion.cells().filter(|(actual, predicted, _)| actual != predicted);
        let mut pairs: Vec<ConfusedPair> = wrong
            .map(|(actual, predicted, count)| {
                let share = count as f64 / margins.actual[actual] as f64;
                ConfusedPair { actual, predicted, count, share }
            })
            .collect();
        // Of equally frequent ones, the one that its label suffers more from.
        pairs.sort_by(|a, b| b.count.cmp(&a.count).then(b.share.total_cmp(&a.share)));
        Self {
            rows: confusion.total(),
            wrong: pairs.iter().map(|pair| pair.count).sum(),
            by_confusion: order(&confusion),
            by_frequency,
            pairs,
            confusion,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tasklens_data::config::Task;
    use tasklens_net::evaluation::inspection::TaskItems;

    use super::*;

    /// Ninety items of three labels; every seventh is taken for the next label, every tenth has none.
    pub fn inspection() -> Inspection {
        let labels: Vec<Option<u32>> = (0..90).map(|i| (i % 10 != 0).then_some(i % 3)).collect();
        let predicted: Vec<u32> = (0..90).map(|i| (i + u32::from(i % 7 == 0)) % 3).collect();
        let one_hot = |label: u32| (0..3).map(move |other| f32::from(u8::from(other == label)));
        let print = TaskItems {
            task: Task { name: "print".into(), labels: ["a", "b", "c"].map(str::to_owned).to_vec() },
            in_dataset: Some(0),
            labels,
            probabilities: predicted.iter().copied().flat_map(one_hot).collect(),
            predicted,
            unknown_labels: 0,
        };
        Inspection {
            rows: (0..90).collect(),
            parts: (0..90).map(|i| if i % 4 == 0 { Part::Validation } else { Part::Train }).collect(),
            tasks: vec![print],
            ..Inspection::default()
        }
    }

    #[test]
    fn the_parts_add_up_to_all() {
        let inspection = inspection();
        let [all, train, validation] = [None, Some(Part::Train), Some(Part::Validation)]
            .map(|part| ConfusionCounts::of(&inspection, 0, part));
        assert_eq!((all.rows, train.rows + validation.rows), (81, 81));
        // 7 and 13 others up to 84, less 0 and 70, which have no label.
        assert_eq!(all.wrong, 11);
        assert_eq!(all.wrong, train.wrong + validation.wrong);
    }

    #[test]
    fn the_most_frequent_confusion_comes_first() {
        let mut confusion = Confusion::new(3);
        let mut add = |actual, predicted, count| (0..count).for_each(|_| confusion.add(actual, predicted));
        add(0, 0, 96);
        add(0, 1, 4);
        add(1, 2, 9);
        add(1, 1, 31);
        add(2, 0, 4);
        let counts = ConfusionCounts::new(confusion);
        let pairs: Vec<_> =
            counts.pairs.iter().map(|pair| (pair.actual, pair.predicted, pair.count)).collect();
        assert_eq!(pairs, [(1, 2, 9), (2, 0, 4), (0, 1, 4)]);
        assert_eq!((counts.pairs[0].share, counts.pairs[2].share), (9.0 / 40.0, 0.04));
        assert_eq!(counts.by_frequency, [0, 1, 2]);
    }
}
