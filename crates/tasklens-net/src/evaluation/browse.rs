//! Selects and sorts the items of a grid: by label, prediction, correctness and part.

use std::cmp::Ordering;
use std::sync::Arc;

use tasklens_data::dataset::split::Part;

use super::inspection::{Inspection, TaskItems};

/// Filter and order of items; the default shows all in the order of the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The task that labels, correctness and order are about (index into [`Inspection::tasks`]).
    pub task: usize,
    /// Must be in this part.
    pub part: Option<Part>,
    /// Must have this label.
    pub actual: Option<u32>,
    /// Must be predicted as this label.
    pub predicted: Option<u32>,
    /// Must be right or wrong in this way.
    pub verdict: Verdict,
    /// Only these items, ascending, such as those within a lasso; `None` for all.
    pub among: Option<Arc<Vec<usize>>>,
    /// What the items are sorted by.
    pub order: BrowseOrder,
    /// Whether to sort in descending order.
    pub descending: bool,
}

/// Condition on correctness. Items without the label in question do not count as wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    #[default]
    Any,
    /// Wrong in the task.
    Wrong,
    /// Right in the task.
    Right,
    /// Without a label for the task.
    Unlabelled,
    /// Wrong in at least one task.
    WrongInAny,
    /// Wrong in every task that the item has a label for, and there is at least one.
    WrongInAll,
}

/// Sort key of a grid. Ties are in the order of the rows; items without the value come last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrowseOrder {
    /// The row in the CSV.
    #[default]
    Row,
    /// Probability of the most probable label.
    Confidence,
    /// Difference of the probabilities of the two most probable labels.
    Margin,
    /// Negative log probability of the given label.
    Loss,
}

impl Inspection {
    /// The matching items, in order. 100,000 items take a few milliseconds.
    pub fn select(&self, query: &Query) -> Vec<usize> {
        let Some(task) = self.tasks.get(query.task) else { return Vec::new() };
        let matches = |item: &usize| {
            query.part.is_none_or(|part| self.parts[*item] == part)
                && query.actual.is_none_or(|label| task.labels[*item] == Some(label))
                && query.predicted.is_none_or(|label| task.predicted[*item] == label)
                && self.is(query.verdict, task, *item)
        };
        let mut items: Vec<usize> = match &query.among {
            Some(among) => among.iter().copied().filter(|item| *item < self.len()).filter(matches).collect(),
            None => (0..self.len()).filter(matches).collect(),
        };
        match query.order {
            BrowseOrder::Row if query.descending => items.reverse(),
            BrowseOrder::Row => {}
            BrowseOrder::Confidence => {
                sort_by(&mut items, query.descending, |item| Some(task.confidence(item)));
            }
            BrowseOrder::Margin => sort_by(&mut items, query.descending, |item| Some(task.margin(item))),
            BrowseOrder::Loss => sort_by(&mut items, query.descending, |item| task.loss(item)),
        }
        items
    }

    fn is(&self, verdict: Verdict, task: &TaskItems, item: usize) -> bool {
        let mut all = self.tasks.iter().filter_map(|task| task.is_right(item)).peekable();
        match verdict {
            Verdict::Any => true,
            Verdict::Wrong => task.is_right(item) == Some(false),
            Verdict::Right => task.is_right(item) == Some(true),
            Verdict::Unlabelled => task.labels[item].is_none(),
            Verdict::WrongInAny => all.any(|right| !right),
            Verdict::WrongInAll => all.peek().is_some() && all.all(|right| !right),
        }
    }
}

fn sort_by(items: &mut [usize], descending: bool, value: impl Fn(usize) -> Option<f32>) {
    items.sort_by_cached_key(|item| {
        let value = value(*item);
        Key { value: value.map(|value| if descending { -value } else { value }), item: *item }
    });
}

/// Values ascending, missing values last, ties by item.
struct Key {
    value: Option<f32>,
    item: usize,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let values = match (self.value, other.value) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        values.then(self.item.cmp(&other.item))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::inspection::tests::{dataset, outputs};

    /// print: a right (0.9), b wrong (0.6), c wrong (0.8), d without label; neck: a wrong, c wrong.
    fn shop() -> Inspection {
        let csv = "path,print,neck,split\na.jpg,plain,v,train\nb.jpg,plain,v,validation\nc.jpg,dotted,v,train\nd.jpg,,round,validation\n";
        let dataset = dataset(csv, "plain, dotted");
        let print = vec![0.9, 0.1, 0.4, 0.6, 0.8, 0.2, 0.55, 0.45];
        let neck = vec![0.2, 0.8, 0.7, 0.3, 0.1, 0.9, 0.5, 0.5];
        let outputs = outputs(&["a.jpg", "b.jpg", "c.jpg", "d.jpg"], print, neck);
        Inspection::new(&dataset, &dataset.parts(), &outputs)
    }

    #[test]
    fn labels_predictions_verdicts_and_parts_narrow_the_grid() {
        let shop = shop();
        let select = |query: Query| shop.select(&query);
        let verdict = |verdict| select(Query { verdict, ..Query::default() });
        assert_eq!(select(Query::default()), [0, 1, 2, 3]);
        assert_eq!(verdict(Verdict::Wrong), [1, 2]);
        assert_eq!(verdict(Verdict::Right), [0]);
        assert_eq!(verdict(Verdict::Unlabelled), [3]);
        assert_eq!(verdict(Verdict::WrongInAny), [0, 1, 2, 3]);
        // d has no print, and its neck is wrong: the first of equals is predicted.
        assert_eq!(verdict(Verdict::WrongInAll), [2, 3]);
        assert_eq!(select(Query { actual: Some(0), predicted: Some(1), ..Query::default() }), [1]);
        assert_eq!(select(Query { part: Some(Part::Validation), ..Query::default() }), [1, 3]);
        let among = Some(Arc::new(vec![0, 2, 9]));
        assert_eq!(select(Query { among, verdict: Verdict::Wrong, ..Query::default() }), [2]);
        assert_eq!(select(Query { task: 7, ..Query::default() }), Vec::<usize>::new());
    }

    #[test]
    fn what_has_no_loss_comes_last_in_either_direction() {
        let shop = shop();
        let order = |order, descending| shop.select(&Query { order, descending, ..Query::default() });
        assert_eq!(order(BrowseOrder::Loss, true), [2, 1, 0, 3]);
        assert_eq!(order(BrowseOrder::Loss, false), [0, 1, 2, 3]);
        assert_eq!(order(BrowseOrder::Confidence, false), [3, 1, 2, 0]);
        assert_eq!(order(BrowseOrder::Margin, true), [0, 2, 1, 3]);
        assert_eq!(order(BrowseOrder::Row, true), [3, 2, 1, 0]);
    }
}
