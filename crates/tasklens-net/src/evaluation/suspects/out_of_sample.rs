//! Probabilities for every row from a network that was not trained on it.

use std::path::Path;

use tasklens_data::config::Task;
use tasklens_data::dataset::split::Part;
use tasklens_data::work::KeepGoing;

use super::Memorised;
use crate::evaluation::inspection::Inspection;
use crate::inference::outputs::{Features, derived};
use crate::training::out_of_sample::{Kept, Settings, cross_validate_kept};

/// Maps rows of the dataset to features `[rows, D]` of a network that saw none of their labels; `None` if there is no
/// such network, or if cancelled by the second argument, which gets (done, of).
pub type Unseen<'a> = dyn FnMut(&[usize], &mut KeepGoing<'_>) -> anyhow::Result<Option<Features>> + 'a;

/// `[task]`, each `[items, labels]`: for every item the probabilities of a network that was not trained on it.
/// Records in `by_heart` which rows were judged by another network.
pub(super) fn probabilities(
    inspection: &Inspection,
    folder: &Path,
    by_heart: &mut [Option<Memorised>],
    unseen: &mut Unseen<'_>,
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<Vec<Vec<f32>>>> {
    let mut all: Vec<Vec<f32>> = inspection.tasks.iter().map(|task| task.probabilities.clone()).collect();
    let trained = inspection.items_of(Some(Part::Train));
    if trained.is_empty() || inspection.features.is_empty() {
        return Ok(Some(all));
    }
    let features = inspection.features.pick(&trained);
    let every: Vec<usize> = (0..all.len()).collect();
    let kept = Kept { folder, name: derived::OUT_OF_SAMPLE };
    if judge_anew(inspection, &trained, &features, &every, kept, &mut all, keep_going)?.is_none() {
        return Ok(None);
    }
    let known: Vec<usize> = every.into_iter().filter(|task| by_heart[*task].is_some()).collect();
    if known.is_empty() {
        return Ok(Some(all));
    }
    let rows: Vec<usize> = trained.iter().map(|item| inspection.rows[*item]).collect();
    // Without them the list is incomplete, and says so.
    let found = unseen(&rows, keep_going).unwrap_or_else(|error| {
        log::warn!("no pretrained network judges the labels: {error:#}");
        None
    });
    let Some(features) = found.filter(|features| features.len() == rows.len()) else {
        return Ok(keep_going(0, 0).then_some(all));
    };
    let kept = Kept { folder, name: derived::UNSEEN };
    if judge_anew(inspection, &trained, &features, &known, kept, &mut all, keep_going)?.is_none() {
        return Ok(None);
    }
    for memorised in by_heart.iter_mut().flatten() {
        memorised.judged_by_other = true;
    }
    Ok(Some(all))
}

/// Writes the probabilities of cross-validated heads for the items `trained` into `all`; also takes their features
/// and the tasks to judge.
fn judge_anew(
    inspection: &Inspection,
    trained: &[usize],
    features: &Features,
    which: &[usize],
    kept: Kept<'_>,
    all: &mut [Vec<f32>],
    keep_going: &mut KeepGoing<'_>,
) -> anyhow::Result<Option<()>> {
    let labels: Vec<Vec<Option<u32>>> = which
        .iter()
        .map(|task| trained.iter().map(|item| inspection.tasks[*task].labels[*item]).collect())
        .collect();
    let tasks: Vec<Task> = which.iter().map(|task| inspection.tasks[*task].task.clone()).collect();
    let judged = cross_validate_kept(kept, features, &labels, &tasks, Settings::default(), keep_going)?;
    let Some(judged) = judged else { return Ok(None) };
    for ((task, probabilities), spec) in which.iter().zip(judged).zip(&tasks) {
        let classes = spec.labels.len();
        for (item, probabilities) in trained.iter().zip(probabilities.chunks_exact(classes.max(1))) {
            all[*task][item * classes..(item + 1) * classes].copy_from_slice(probabilities);
        }
    }
    Ok(Some(()))
}
