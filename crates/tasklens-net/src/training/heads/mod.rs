//! Fits heads alone: multinomial logistic regressions on the stored features of a frozen network.
//!
//! This takes seconds instead of hours, and finds the optimum, because the problem is convex. Used for out-of-sample
//! probabilities ([`super::out_of_sample`]) and for updating a model during labelling.

mod fit;
mod inputs;
mod lbfgs;

use anyhow::ensure;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;
use tasklens_data::config::Task;
use tasklens_data::work::KeepGoing;

use crate::inference::outputs::Features;
pub use fit::LinearHead;
pub(super) use fit::{FitProgress, HeadFit, PASSES, Rows, apply, fit};
pub(super) use inputs::{Inputs, Reading};

/// Candidate penalties, in rows (the cost of a weight of 1 for a feature with standard deviation 1). Denser where
/// about a hundred rows choose.
const PENALTIES: [f64; 7] = [1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e4];
/// The penalty of a task with too few labelled rows to choose one.
const PENALTY: f64 = 100.0;
const ENOUGH_TO_CHOOSE: usize = 10;
/// From this many rows on, a single held-out fifth suffices to compare penalties; with fewer, each fifth is held out
/// in turn.
const ENOUGH_IN_A_FIFTH: usize = 1000;
/// Maximum number of labelled rows for choosing penalties, over all tasks; per task at least a tenth of it.
const CHOOSING: usize = 20_000;

/// One head per task, on plain features.
#[derive(Clone, Debug, PartialEq)]
pub struct Heads {
    /// Heads in the order of the tasks.
    pub tasks: Vec<LinearHead>,
}

impl Heads {
    /// Probabilities: `[task]`, each `[N, labels]`; each row sums to 1. `keep_going` gets (done, of) in images;
    /// `None` if it cancelled.
    ///
    /// # Errors
    /// Out of memory.
    ///
    /// # Panics
    /// The features have another length than in the fit.
    pub fn probabilities(
        &self,
        features: &Features,
        keep_going: &mut KeepGoing<'_>,
    ) -> anyhow::Result<Option<Vec<Vec<f32>>>> {
        let heads: Vec<&LinearHead> = self.tasks.iter().collect();
        let rows = features.len();
        let mut all: Vec<Vec<f32>> =
            heads.iter().map(|head| Vec::with_capacity(rows * head.biases.len())).collect();
        let mut progress = FitProgress { done: 0, of: rows, keep_going };
        let inputs = Inputs::new(features, Reading::Plain);
        let complete = apply(&inputs, &heads, &mut progress, &mut |_, chunk| {
            for (all, chunk) in all.iter_mut().zip(chunk) {
                all.extend(chunk);
            }
        })?;
        Ok(complete.then_some(all))
    }
}

/// Fits one head per task to all labelled items; `labels` is `[task][item]`. The strength of the prior (L2 on
/// standardised features) is chosen per task by the loss on held-out rows, at most a few thousand. A label without
/// items gets a probability near 1 / rows, and a task without labels gives the same prediction for every image.
/// `keep_going` gets (done, of) in processed rows; `None` if it cancelled.
///
/// # Errors
/// `labels` does not fit the features or the tasks, or out of memory.
pub fn fit_heads(
    features: &Features,
    labels: &[Vec<Option<u32>>],
    tasks: &[Task],
    seed: u64,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Heads>> {
    let inputs = Inputs::new(features, Reading::Plain);
    let rows = Rows::labelled(&inputs, labels, tasks, 1, seed)?;
    let mut progress = FitProgress { done: 0, of: 0, keep_going };
    progress.of = (PASSES + 1) * rows.features.len();
    let Some(penalties) = choose_penalties(&rows, seed, &mut progress)? else { return Ok(None) };
    let problem = |(task, penalty): (usize, &f64)| HeadFit { task, held_out: None, penalty: *penalty };
    let problems: Vec<HeadFit> = penalties.iter().enumerate().map(problem).collect();
    Ok(fit(&rows, &problems, &mut progress)?.map(|tasks| Heads { tasks }))
}

impl Rows {
    /// The items with a label for any task, with a fold for each label: shuffled by `seed` and stratified, so that
    /// every fold has its share of each label.
    pub(super) fn labelled(
        features: &Inputs,
        labels: &[Vec<Option<u32>>],
        tasks: &[Task],
        folds: u8,
        seed: u64,
    ) -> anyhow::Result<Self> {
        ensure!(labels.len() == tasks.len(), "labels of {} tasks, expected {}", labels.len(), tasks.len());
        for (labels, task) in labels.iter().zip(tasks) {
            let (count, name) = (labels.len(), &task.name);
            ensure!(count == features.len(), "`{name}`: {count} labels for {} images", features.len());
            let highest = labels.iter().flatten().max().map_or(0, |label| *label as usize + 1);
            ensure!(
                highest <= task.labels.len(),
                "`{name}` has no label number {}",
                highest.saturating_sub(1)
            );
        }
        let any = |item: &usize| labels.iter().any(|labels| labels[*item].is_some());
        let items: Vec<usize> = (0..features.len()).filter(any).collect();
        let targets: Vec<Vec<i64>> = labels
            .iter()
            .map(|labels| items.iter().map(|item| labels[*item].map_or(-1, i64::from)).collect())
            .collect();
        Ok(Self {
            features: features.pick(&items),
            folds: targets.iter().map(|targets| deal(targets, folds, seed)).collect(),
            targets,
            labels: tasks.iter().map(|task| task.labels.len()).collect(),
        })
    }

    /// A sample of the rows, assigned to new folds.
    fn some(&self, which: &[usize], folds: u8, seed: u64) -> Self {
        let targets: Vec<Vec<i64>> =
            self.targets.iter().map(|targets| which.iter().map(|row| targets[*row]).collect()).collect();
        Self {
            features: self.features.pick(which),
            folds: targets.iter().map(|targets| deal(targets, folds, seed)).collect(),
            targets,
            labels: self.labels.clone(),
        }
    }
}

/// The fold of each row that has a target.
fn deal(targets: &[i64], folds: u8, seed: u64) -> Vec<u8> {
    let mut rows: Vec<usize> = (0..targets.len()).filter(|row| targets[*row] >= 0).collect();
    rows.shuffle(&mut Pcg64::seed_from_u64(seed));
    // Continuing where the previous label ended keeps the folds balanced.
    rows.sort_by_key(|row| targets[*row]);
    let mut dealt = vec![0; targets.len()];
    for (place, row) in rows.into_iter().enumerate() {
        dealt[row] = (place % usize::from(folds)) as u8;
    }
    dealt
}

/// Per task the penalty with the best loss on a held-out fifth of some rows (on each fifth in turn if there are few).
pub(super) fn choose_penalties(
    rows: &Rows,
    seed: u64,
    progress: &mut FitProgress<'_>,
) -> anyhow::Result<Option<Vec<f64>>> {
    let tasks = rows.labels.len();
    let mut shuffled: Vec<usize> = (0..rows.features.len()).collect();
    shuffled.shuffle(&mut Pcg64::seed_from_u64(seed));
    let each = (CHOOSING / tasks.max(1)).max(CHOOSING / 10);
    let mut chosen = Vec::new();
    let mut choosing = Vec::new();
    for (task, targets) in rows.targets.iter().enumerate() {
        let labelled = shuffled.iter().copied().filter(|row| targets[*row] >= 0).take(each);
        let before = chosen.len();
        chosen.extend(labelled);
        let labelled = chosen.len() - before;
        if labelled >= ENOUGH_TO_CHOOSE && rows.labels[task] > 1 {
            let turns = if labelled < ENOUGH_IN_A_FIFTH { 5 } else { 1 };
            choosing.extend((0..turns).map(|fold| (task, Some(fold))));
        }
    }
    chosen.sort_unstable();
    chosen.dedup();
    let mut penalties = vec![PENALTY; tasks];
    if choosing.is_empty() {
        return Ok(Some(penalties));
    }
    let some = rows.some(&chosen, 5, seed);
    let problems: Vec<HeadFit> = choosing
        .iter()
        .flat_map(|&(task, held_out)| PENALTIES.map(|penalty| HeadFit { task, held_out, penalty }))
        .collect();
    progress.of += (PASSES + 2) * chosen.len();
    let Some(heads) = fit(&some, &problems, progress)? else { return Ok(None) };
    let Some(losses) = held_out_losses(&some, &problems, &heads, progress)? else { return Ok(None) };
    let mut sums = vec![[0.0; PENALTIES.len()]; tasks];
    for (place, (problem, loss)) in problems.iter().zip(losses).enumerate() {
        sums[problem.task][place % PENALTIES.len()] += loss;
    }
    for (task, _) in choosing {
        let least = (0..PENALTIES.len()).min_by(|&a, &b| sums[task][a].total_cmp(&sums[task][b]));
        penalties[task] = least.map_or(PENALTY, |least| PENALTIES[least]);
    }
    log::debug!("penalties {penalties:?}");
    Ok(Some(penalties))
}

/// Sum of the log losses on held-out rows.
fn held_out_losses(
    rows: &Rows,
    problems: &[HeadFit],
    heads: &[LinearHead],
    progress: &mut FitProgress<'_>,
) -> anyhow::Result<Option<Vec<f64>>> {
    let mut losses = vec![0.0; problems.len()];
    let complete = apply(&rows.features, &heads.iter().collect::<Vec<_>>(), progress, &mut |from, chunk| {
        for ((problem, values), loss) in problems.iter().zip(chunk).zip(&mut losses) {
            let (targets, folds) = (&rows.targets[problem.task][from..], &rows.folds[problem.task][from..]);
            let labels = rows.labels[problem.task];
            for ((row, target), fold) in values.chunks_exact(labels).zip(targets).zip(folds) {
                if *target >= 0 && Some(*fold) == problem.held_out {
                    *loss -= f64::from(row[*target as usize]).max(1e-7).ln();
                }
            }
        }
    })?;
    Ok(complete.then_some(losses))
}

#[cfg(test)]
pub(super) mod tests;
