//! The labelling order: which row to offer next.

use tasklens_data::dataset::RowLabel;
use tasklens_data::work::KeepGoing;

use super::suggestions::Suggestions;
use crate::inference::diverse;

/// Number of rows that the diverse order chooses one by one; further ones are merely sorted.
const CHOSEN: usize = 300;
/// Maximum number of labelled rows that the diverse order takes into account; more are subsampled, or it would take
/// minutes.
const CENTRES: usize = 2000;
/// Maximum number of unlabelled rows that the diverse order chooses from; more are subsampled.
const CANDIDATES: usize = 100_000;

/// The orders in which images can be labelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LabellingOrder {
    /// The order of the CSV.
    File,
    /// Unlabelled rows first (lacking a label for one of the tasks).
    #[default]
    Unlabelled,
    /// Most uncertain rows first.
    Uncertain,
    /// Rows least similar to all labelled ones first.
    Diverse,
    /// Labelled rows where the model disagrees first. The network does not judge labels that it was trained on,
    /// because it has memorised them, wrong ones included. Heads that have not seen a label are
    /// ([`Suggestions::mixed_with`]).
    Disagreement,
}

/// How the uncertainty of a prediction is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Uncertainty {
    /// Small difference of the two most probable labels.
    #[default]
    Margin,
    /// Entropy of the probabilities.
    Entropy,
}

/// A request for an order.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What comes first.
    pub order: LabellingOrder,
    /// The measure for [`LabellingOrder::Uncertain`].
    pub uncertainty: Uncertainty,
    /// Indices of the tasks to consider.
    pub tasks: &'a [usize],
    /// The current labels, `[task][row]`.
    pub labels: &'a [Vec<RowLabel>],
    /// The rows to sort, ascending.
    pub rows: &'a [usize],
    /// Suggestions of a model; without them, orders that need one fall back to [`LabellingOrder::Unlabelled`].
    pub suggestions: Option<&'a Suggestions>,
}

/// The result: sorted rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arranged {
    /// All rows of the request.
    pub rows: Vec<usize>,
    /// Number of leading rows that the order applies to; 0 if it lacks a model.
    pub leading: usize,
}

/// Sorts rows. Rows that the order does not apply to follow at the end: first unlabelled, then labelled ones, each in
/// the order of the CSV. A million rows take well under a second, except for [`LabellingOrder::Diverse`], which reads
/// features. `keep_going` gets (done, of); `None` if it cancelled.
pub fn arrange(question: &Question<'_>, keep_going: &mut KeepGoing<'_>) -> Option<Arranged> {
    let first = match (question.order, question.suggestions) {
        (LabellingOrder::File, _) => question.rows.to_vec(),
        (LabellingOrder::Unlabelled, _) => {
            question.rows.iter().copied().filter(|row| question.lacks_any(*row)).collect()
        }
        (_, None) => Vec::new(),
        (LabellingOrder::Uncertain, Some(said)) => question.most_first(|row| question.doubt(said, row)),
        (LabellingOrder::Diverse, Some(said)) => question.diverse(said, keep_going)?,
        (LabellingOrder::Disagreement, Some(said)) => {
            question.most_first(|row| question.contradiction(said, row))
        }
    };
    let leading = first.len();
    Some(Arranged { rows: question.followed_by_others(first), leading })
}

impl Question<'_> {
    fn label(&self, task: usize, row: usize) -> RowLabel {
        self.labels.get(task).and_then(|labels| labels.get(row).copied()).unwrap_or_default()
    }

    fn lacks_any(&self, row: usize) -> bool {
        self.tasks.iter().any(|task| self.label(*task, row).is_missing())
    }

    /// The rows that have a value, largest first; ties in the order of the CSV.
    fn most_first(&self, value: impl Fn(usize) -> Option<f32>) -> Vec<usize> {
        let with_value = |row: &usize| value(*row).filter(|value| !value.is_nan()).map(|value| (value, *row));
        let mut rows: Vec<(f32, usize)> = self.rows.iter().filter_map(with_value).collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The model's uncertainty about the missing labels of a row: 0 is certain, 1 is no information.
    fn doubt(&self, said: &Suggestions, row: usize) -> Option<f32> {
        let lacking = self.tasks.iter().filter(|task| self.label(**task, row).is_missing());
        let doubts =
            lacking.filter_map(|task| said.probabilities(*task, row)).map(|probabilities| {
                match self.uncertainty {
                    Uncertainty::Margin => 1.0 - margin(probabilities),
                    Uncertainty::Entropy => entropy(probabilities),
                }
            });
        doubts.reduce(f32::max)
    }

    /// The largest margin of the model's prediction over a row's label; `None` if it agrees, or has memorised the
    /// label.
    fn contradiction(&self, said: &Suggestions, row: usize) -> Option<f32> {
        let contradictions = self.tasks.iter().filter_map(|task| {
            let label = self.label(*task, row).class().filter(|_| !said.is_by_heart(*task, row))?;
            let (top, probability) = said.top(*task, row)?;
            let own = said.probabilities(*task, row)?.get(label as usize).copied().unwrap_or(0.0);
            (top != label).then_some(probability - own)
        });
        contradictions.reduce(f32::max)
    }

    /// Unlabelled rows with features: some chosen one by one, then the others, least represented first.
    fn diverse(&self, said: &Suggestions, keep_going: &mut KeepGoing<'_>) -> Option<Vec<usize>> {
        if said.features().is_empty() {
            return Some(Vec::new());
        }
        let labelled: Vec<usize> =
            (0..).zip(said.rows()).filter(|(_, row)| !self.lacks_any(**row)).map(|(item, _)| item).collect();
        let lacking = self.rows.iter().filter(|row| self.lacks_any(**row));
        let lacking: Vec<usize> = lacking.filter_map(|row| said.item_of(*row)).collect();
        let candidates = spread(&lacking, CANDIDATES);
        let mut items = candidates.clone();
        items.extend(spread(&labelled, CENTRES));
        let centres: Vec<usize> = (candidates.len()..items.len()).collect();
        let features = said.features().pick(&items);
        let cover = diverse::cover(&features, &centres, CHOSEN, keep_going)?;

        let mut is_chosen = vec![false; candidates.len()];
        cover.chosen.iter().for_each(|place| is_chosen[*place] = true);
        let mut others: Vec<usize> = (0..candidates.len()).filter(|place| !is_chosen[*place]).collect();
        others.sort_by(|a, b| cover.similarities[*a].total_cmp(&cover.similarities[*b]));
        let places = cover.chosen.into_iter().chain(others);
        Some(places.map(|place| said.rows()[candidates[place]]).collect())
    }

    /// These rows, followed by the other unlabelled and labelled ones.
    fn followed_by_others(&self, mut first: Vec<usize>) -> Vec<usize> {
        let mut is_first = vec![false; self.rows.iter().max().map_or(0, |last| last + 1)];
        first.iter().for_each(|row| is_first[*row] = true);
        let others = self.rows.iter().copied().filter(|row| !is_first[*row]);
        let (lacking, labelled): (Vec<usize>, Vec<usize>) = others.partition(|row| self.lacks_any(*row));
        first.extend(lacking);
        first.extend(labelled);
        first
    }
}

/// At most `most` of the items, evenly spaced.
fn spread(items: &[usize], most: usize) -> Vec<usize> {
    if items.len() <= most {
        return items.to_vec();
    }
    (0..most).map(|place| items[place * items.len() / most]).collect()
}

/// Difference of the probabilities of the two most probable labels.
fn margin(probabilities: &[f32]) -> f32 {
    let (mut first, mut second) = (0.0_f32, 0.0_f32);
    for &probability in probabilities {
        if probability > first {
            (first, second) = (probability, first);
        } else if probability > second {
            second = probability;
        }
    }
    first - second
}

/// Normalised entropy: 0 if one label has all the probability, 1 if all are equal.
fn entropy(probabilities: &[f32]) -> f32 {
    let sum: f32 = probabilities.iter().sum();
    if probabilities.len() < 2 {
        return 0.0;
    }
    if sum <= 0.0 {
        return 1.0;
    }
    let shares = probabilities.iter().map(|probability| probability / sum).filter(|share| *share > 0.0);
    shares.map(|share| -share * share.ln()).sum::<f32>() / (probabilities.len() as f32).ln()
}

#[cfg(test)]
mod tests;
