//! Out-of-sample probabilities for training images, by cross-validated heads.
//!
//! A network tends to agree with the labels that it was trained on, including wrong ones. Confident learning
//! (Northcutt, Jiang and Chuang 2021) needs probabilities from a model that has not seen an image's label; heads on
//! the frozen features give them in minutes. The features themselves were trained with the labels, so some of this
//! bias remains.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use tasklens_data::config::Task;
use tasklens_data::download::hex;
use tasklens_data::work::KeepGoing;

use super::heads::{
    FitProgress, HeadFit, Inputs, LinearHead, PASSES, Reading, Rows, apply, choose_penalties, fit,
};
use crate::inference::outputs::{Features, derived};

/// Version of the method: incremented when results for the same labels change, so that cached results are recomputed.
const METHOD: u8 = 1;

/// Settings of the cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Number of folds, each predicted by a head fitted to the others; 2 to 50.
    pub folds: u8,
    /// Seed of the assignment to folds.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { folds: 5, seed: 0 }
    }
}

/// Out-of-sample probabilities of every item: `[task]`, each `[N, labels]`, where `labels` is `[task][item]`. A
/// labelled item is predicted by the head that was not fitted to its fold, any other by a head fitted to all. Folds
/// are drawn per task and stratified by label.
///
/// A label with a single item is unknown to the head that predicts this item, and gets a probability near 1 / rows; a
/// task without labels gets equal probabilities. `keep_going` gets (done, of) in processed rows; `None` if it
/// cancelled.
///
/// # Errors
/// `labels` does not fit the features or the tasks, or out of memory.
pub fn cross_validate(
    features: &Features,
    labels: &[Vec<Option<u32>>],
    tasks: &[Task],
    settings: Settings,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Vec<Vec<f32>>>> {
    let folds = settings.folds.clamp(2, 50);
    let inputs = Inputs::new(features, Reading::Roots);
    let rows = Rows::labelled(&inputs, labels, tasks, folds, settings.seed)?;
    let mut progress = FitProgress { done: 0, of: 0, keep_going };
    progress.of = (PASSES + 1) * rows.features.len() + features.len();
    let penalties = choose_penalties(&rows, settings.seed, &mut progress)?;
    let Some(penalties) = penalties else { return Ok(None) };
    let is_any_unlabelled = labels.iter().flatten().any(Option::is_none);
    let held_out: Vec<Option<u8>> = (0..folds).map(Some).chain(is_any_unlabelled.then_some(None)).collect();
    let problems: Vec<HeadFit> = penalties
        .iter()
        .enumerate()
        .flat_map(|(task, &penalty)| {
            held_out.iter().map(move |&held_out| HeadFit { task, held_out, penalty })
        })
        .collect();
    let Some(heads) = fit(&rows, &problems, &mut progress)? else { return Ok(None) };
    let own_fold = own_folds(labels, &rows);
    let mut all: Vec<Vec<f32>> =
        tasks.iter().map(|task| Vec::with_capacity(features.len() * task.labels.len())).collect();
    let heads: Vec<&LinearHead> = heads.iter().collect();
    let complete = apply(&inputs, &heads, &mut progress, &mut |from, chunk| {
        for (task, (all, said)) in all.iter_mut().zip(chunk.chunks_exact(held_out.len())).enumerate() {
            let count = tasks[task].labels.len();
            for row in 0..said[0].len() / count.max(1) {
                // The head fitted to all comes after those of the folds.
                let head = own_fold[task][from + row].unwrap_or(folds);
                all.extend_from_slice(&said[usize::from(head)][row * count..(row + 1) * count]);
            }
        }
    })?;
    Ok(complete.then_some(all))
}

/// `[task][item]`: the fold of a labelled item.
fn own_folds(labels: &[Vec<Option<u32>>], rows: &Rows) -> Vec<Vec<Option<u8>>> {
    let takes_part = |item: usize| labels.iter().any(|labels| labels[item].is_some());
    let items = labels.first().map_or(0, Vec::len);
    let mut own = vec![vec![None; items]; labels.len()];
    for (row, item) in (0..items).filter(|item| takes_part(*item)).enumerate() {
        for (task, own) in own.iter_mut().enumerate() {
            own[item] = labels[task][item].map(|_| rows.folds[task][row]);
        }
    }
    own
}

/// Where probabilities are kept for the next time.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// [`Store::folder`](crate::inference::outputs::Store::folder).
    pub folder: &'a Path,
    /// One of those in [`derived`].
    pub name: &'a str,
}

/// As [`cross_validate`], kept as `kept` says until the images or their labels are others.
///
/// # Errors
/// As [`cross_validate`]. Failure to cache is only logged.
pub(crate) fn cross_validate_kept(
    kept: Kept<'_>,
    features: &Features,
    labels: &[Vec<Option<u32>>],
    tasks: &[Task],
    settings: Settings,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Vec<Vec<f32>>>> {
    let mut digest = Sha256::new();
    digest.update(features.digest());
    digest.update([METHOD, settings.folds]);
    digest.update(settings.seed.to_le_bytes());
    for (labels, task) in labels.iter().zip(tasks) {
        digest.update(task.labels.len().to_le_bytes());
        labels.iter().for_each(|label| digest.update(label.map_or(-1, i64::from).to_le_bytes()));
    }
    let digest = hex(&digest.finalize());
    let lengths: Vec<usize> = tasks.iter().map(|task| features.len() * task.labels.len()).collect();
    if let Some(kept) = derived::read(kept.folder, kept.name, &digest, &lengths) {
        return Ok(Some(kept));
    }
    let Some(all) = cross_validate(features, labels, tasks, settings, keep_going)? else { return Ok(None) };
    derived::write(kept.folder, kept.name, &digest, &all);
    Ok(Some(all))
}

#[cfg(test)]
mod tests;
