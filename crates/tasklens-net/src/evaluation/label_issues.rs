//! Which labels are probably wrong: confident learning (Northcutt, Jiang, Chuang 2021, "Confident Learning:
//! Estimating Uncertainty in Dataset Labels"), with the counts and the issues of cleanlab 2.x. It compares labels
//! with probabilities from a model that was not trained on these rows.

mod confident_joint;
mod filter;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::inference::most_probable;

/// A label whose probability is within this margin of the best one is not an issue.
const MARGIN: f64 = 1e-6;

/// Rules for which rows are issues. All of them leave out rows whose given label is the most probable one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Per given and other label, as many rows as the confident joint counts, those first whose other
    /// label is most probable beside the given one.
    PruneByNoiseRate,
    /// Per given label, as many rows as the confident joint counts as wrong, those first whose given
    /// label is least probable.
    PruneByClass,
    /// Rows found by both of the above. With synthetic label errors (2 to 20 %, evenly or always as the next label;
    /// digits and made-up classes, even and uneven; two kinds of model) it had the best F1 (equal to
    /// `PruneByNoiseRate` at 20 %) and as few false alarms as `ConfidentLearning`, which missed a tenth more.
    #[default]
    Both,
    /// Rows counted off the diagonal by confident counting: confidently another label.
    ConfidentLearning,
}

/// Label quality: 0 probably wrong, 1 probably right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// The probability of the given label: also low if no label fits.
    SelfConfidence,
    /// (probability of the given label - that of the best other + 1) / 2. With synthetic label errors it ranked
    /// better than the other, for few and for many errors.
    #[default]
    NormalizedMargin,
}

/// The result of confident learning for one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelIssues {
    /// Threshold per label: its mean probability over the rows that have it. Above it a row confidently has that
    /// label. NaN (`null`) for a label without rows.
    pub thresholds: Vec<f64>,
    /// `[given][true]`: estimated number of rows by given and true label; each row sums to the number of rows with
    /// that given label.
    pub confident_joint: Vec<Vec<usize>>,
    /// Estimated number of wrong labels: the number of rows that [`Filter::ConfidentLearning`] finds (the
    /// off-diagonal sum of `confident_joint` is larger, and was too large in our measurements).
    pub estimated_errors: usize,
    /// The rows to look at, worst first.
    pub issues: Vec<Issue>,
}

/// One label that is probably wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Issue {
    /// Index into the labels that were passed.
    pub item: usize,
    /// The label it has.
    pub given: u32,
    /// The most probable label; never the given one.
    pub proposed: u32,
    /// Label quality, see [`Quality`].
    pub quality: f64,
}

/// The labelled rows, with precomputed values.
struct Labelled<'a> {
    probabilities: &'a [f32],
    classes: usize,
    /// Indices into the input, per given label, ascending.
    by_label: Vec<Vec<usize>>,
}

impl<'a> Labelled<'a> {
    fn new(labels: &[Option<u32>], probabilities: &'a [f32], classes: usize) -> Self {
        assert_eq!(probabilities.len(), labels.len() * classes, "a probability per row and class");
        let mut by_label = vec![Vec::new(); classes];
        for (item, label) in labels.iter().enumerate() {
            if let Some(label) = label {
                by_label[*label as usize].push(item);
            }
        }
        Self { probabilities, classes, by_label }
    }

    fn row(&self, item: usize) -> &'a [f32] {
        &self.probabilities[item * self.classes..][..self.classes]
    }

    fn probability(&self, item: usize, label: usize) -> f64 {
        f64::from(self.probabilities[item * self.classes + label])
    }

    /// Whether another label is clearly more probable than the given one.
    fn doubtful(&self, item: usize, given: usize) -> bool {
        let bar = self.probability(item, given) + MARGIN;
        self.row(item).iter().any(|p| f64::from(*p) > bar)
    }
}

/// Finds labels that are probably wrong, with the default [`Filter`] and [`Quality`]. `probabilities` is `[N,
/// classes]`, row by row, 0 to 1, from a model that was not trained on these rows; rows without a label are skipped.
/// If rows are equally suspect and not all of them count, the earlier ones do.
///
/// # Panics
/// `probabilities` does not have `classes` numbers for each of `labels`, or a label is not below `classes`.
pub fn find(labels: &[Option<u32>], probabilities: &[f32], classes: usize) -> LabelIssues {
    find_by(labels, probabilities, classes, Filter::default(), Quality::default())
}

/// [`find`] with a choice of filter and ranking.
///
/// # Panics
/// As [`find`].
pub fn find_by(
    labels: &[Option<u32>],
    probabilities: &[f32],
    classes: usize,
    filter: Filter,
    quality: Quality,
) -> LabelIssues {
    let rows = Labelled::new(labels, probabilities, classes);
    let thresholds = confident_joint::thresholds(&rows);
    let confident = confident_joint::Confident::count(&rows, &thresholds);
    let joint = confident_joint::calibrated(&confident.counts, &rows);
    let confidently_other = filter::doubtful(&rows, confident.beside_diagonal);
    let estimated_errors = confidently_other.len();
    let found = match filter {
        Filter::ConfidentLearning => confidently_other,
        Filter::PruneByNoiseRate => filter::doubtful(&rows, filter::by_noise_rate(&rows, &joint)),
        Filter::PruneByClass => filter::doubtful(&rows, filter::by_class(&rows, &joint)),
        Filter::Both => {
            let by_class = filter::by_class(&rows, &joint);
            let mut both = filter::by_noise_rate(&rows, &joint);
            both.retain(|issue| by_class.binary_search(issue).is_ok());
            filter::doubtful(&rows, both)
        }
    };
    let mut issues: Vec<Issue> = found
        .into_iter()
        .map(|(item, given)| Issue {
            item,
            given: given as u32,
            proposed: most_probable(rows.row(item)) as u32,
            quality: quality_of(rows.row(item), given, quality),
        })
        .collect();
    issues.sort_by(|a, b| a.quality.total_cmp(&b.quality).then(a.item.cmp(&b.item)));
    LabelIssues { thresholds, confident_joint: joint, estimated_errors, issues }
}

/// The quality of each label, 0 to 1; `None` for rows without one.
///
/// # Panics
/// As [`find`].
pub fn qualities(
    labels: &[Option<u32>],
    probabilities: &[f32],
    classes: usize,
    quality: Quality,
) -> Vec<Option<f64>> {
    assert_eq!(probabilities.len(), labels.len() * classes, "a probability per row and class");
    let rows = labels.iter().zip(probabilities.chunks_exact(classes.max(1)));
    rows.map(|(label, row)| label.map(|label| quality_of(row, label as usize, quality))).collect()
}

fn quality_of(row: &[f32], given: usize, quality: Quality) -> f64 {
    let confidence = f64::from(row[given]);
    match quality {
        Quality::SelfConfidence => confidence,
        Quality::NormalizedMargin => {
            let others = row.iter().enumerate().filter(|(label, _)| *label != given);
            let best_other = others.map(|(_, p)| f64::from(*p)).fold(0.0, f64::max);
            (confidence - best_other + 1.0) / 2.0
        }
    }
}
