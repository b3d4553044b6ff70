//! Which row to label next: the order in which the rows of a dataset are offered.

use super::suggestions::Suggestions;
use tasklens_data::work::KeepGoing;

use crate::inference::diverse;

/// Rows that the diverse order chooses one by one; those after them are merely sorted.
const CHOSEN: usize = 300;
/// Labelled rows that the diverse order keeps away from: of more, each so-many-th, or it would take minutes.
const CENTRES: usize = 2000;
/// Unlabelled rows that the diverse order chooses from: of more, each so-many-th.
const CANDIDATES: usize = 100_000;

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LabellingOrder {
    /// As in the CSV.
    File,
    /// Rows that lack a label for a task in question.
    #[default]
    Unlabelled,
    /// Those of which the model is least sure.
    Uncertain,
    /// Those least like all that are labelled.
    Diverse,
    /// Labelled rows of which the model says otherwise. A network is not asked about the labels that it trained on:
    /// it has learnt them by heart, wrong ones, too. Heads that have not seen a label are
    /// ([`Suggestions::mixed_with`]).
    Disagreement,
}

/// What the model's doubt is measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Uncertainty {
    /// How near the two most probable labels are.
    #[default]
    Margin,
    /// How evenly the probability is spread over all labels.
    Entropy,
}

/// What to arrange, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What comes first.
    pub order: LabellingOrder,
    /// What [`LabellingOrder::Uncertain`] goes by.
    pub uncertainty: Uncertainty,
    /// Indices of the tasks in question.
    pub tasks: &'a [usize],
    /// `[task][row]`, what holds now.
    pub labels: &'a [Vec<Option<u32>>],
    /// The rows to arrange, ascending.
    pub rows: &'a [usize],
    /// What a model says; without it, the orders that need it give what [`LabellingOrder::Unlabelled`] gives.
    pub suggestions: Option<&'a Suggestions>,
}

/// Rows in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arranged {
    /// All rows of the question.
    pub rows: Vec<usize>,
    /// So many of the first are those that the order is about; 0 where it has no model to go by.
    pub leading: usize,
}

/// Arranges rows; those that the order says nothing of follow: first the unlabelled, then the labelled, each
/// as in the CSV. A million rows take well under a second, but [`LabellingOrder::Diverse`], which reads features.
/// `keep_going` gets (done, of); `None` where it said no.
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
    fn label(&self, task: usize, row: usize) -> Option<u32> {
        self.labels.get(task).and_then(|labels| labels.get(row).copied().flatten())
    }

    fn lacks_any(&self, row: usize) -> bool {
        self.tasks.iter().any(|task| self.label(*task, row).is_none())
    }

    /// The rows that have a value, the greatest first; of equals, the first in the CSV.
    fn most_first(&self, value: impl Fn(usize) -> Option<f32>) -> Vec<usize> {
        let with_value = |row: &usize| value(*row).filter(|value| !value.is_nan()).map(|value| (value, *row));
        let mut rows: Vec<(f32, usize)> = self.rows.iter().filter_map(with_value).collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// How unsure the model is of the labels that a row lacks: 0 is sure, 1 knows nothing.
    fn doubt(&self, said: &Suggestions, row: usize) -> Option<f32> {
        let lacking = self.tasks.iter().filter(|task| self.label(**task, row).is_none());
        let doubts =
            lacking.filter_map(|task| said.probabilities(*task, row)).map(|probabilities| {
                match self.uncertainty {
                    Uncertainty::Margin => 1.0 - margin(probabilities),
                    Uncertainty::Entropy => entropy(probabilities),
                }
            });
        doubts.reduce(f32::max)
    }

    /// How much more probable than a row's label the model's own is, at most; `None` where it agrees, or
    /// has learnt the label by heart.
    fn contradiction(&self, said: &Suggestions, row: usize) -> Option<f32> {
        let contradictions = self.tasks.iter().filter_map(|task| {
            let label = self.label(*task, row).filter(|_| !said.is_by_heart(*task, row))?;
            let (top, probability) = said.top(*task, row)?;
            let own = said.probabilities(*task, row)?.get(label as usize).copied().unwrap_or(0.0);
            (top != label).then_some(probability - own)
        });
        contradictions.reduce(f32::max)
    }

    /// Unlabelled rows with features: some chosen one by one, then the others, the least represented first.
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

    /// Those rows, then the others: the unlabelled, then the labelled.
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

/// At most `most` of the items, at equal distances.
fn spread(items: &[usize], most: usize) -> Vec<usize> {
    if items.len() <= most {
        return items.to_vec();
    }
    (0..most).map(|place| items[place * items.len() / most]).collect()
}

/// Probability of the most probable label less that of the next.
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

/// 0 where one label has all the probability, 1 where each has the same.
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
