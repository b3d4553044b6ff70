//! The current model of a project: the run that Label, Predict and Inspect take where the user has not chosen another
//! one there.
//!
//! The user chooses it, or has it be the best. The best is the run of the highest accuracy on its validation images,
//! averaged over its tasks: the number that every menu shows. Only runs that ended in good order and were validated
//! count, and only those with the tasks and labels that the project has now: the accuracy of other questions says
//! nothing about these. Numbers on other validation images are only compared as far as chance allows, and among equals
//! the newest is best; so a run on more labels is not held off by a lucky one on few. Where nothing was measured, the
//! newest that ended in good order serves.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use tasklens_data::config::Task;
use tasklens_net::training::run_folder::Standing;

use super::runs::Run;

/// So many standard errors can be chance: 95 of 100 differences without a reason are smaller.
const CHANCE: f64 = 2.0;

/// What is remembered of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RememberedModel {
    /// The run that the user chose; `None`: the best.
    pub chosen: Option<PathBuf>,
    /// The run that was the current model last.
    pub last: Option<PathBuf>,
}

/// What looking at the runs has led to, for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Another run than before is the current model, and nobody chose it.
    Changed {
        /// The one before; its folder may be gone.
        from: PathBuf,
        to: PathBuf,
        /// The one before was the user's choice, and can be used no more.
        lost_choice: bool,
    },
    /// The one before can be used no more, and there is no other.
    Lost { from: PathBuf },
    /// A run has ended, and the current model stays.
    Stayed { newcomer: PathBuf },
}

/// See the module's docs.
#[derive(Debug, Default)]
pub struct CurrentModel {
    remembered: RememberedModel,
    now: Option<PathBuf>,
    /// Runs that could have been it when it was decided last; `None` before that.
    known: Option<HashSet<PathBuf>>,
}

impl CurrentModel {
    /// That of a project which is being opened.
    pub fn new(remembered: RememberedModel) -> Self {
        Self { remembered, ..Self::default() }
    }

    /// What is to be remembered.
    pub fn remembered(&self) -> &RememberedModel {
        &self.remembered
    }

    /// The folder of the run; `None` until it is decided, and where there is none.
    pub fn folder(&self) -> Option<&Path> {
        self.now.as_deref()
    }

    /// Whether the user chose it.
    pub fn is_chosen(&self) -> bool {
        self.remembered.chosen.is_some()
    }

    /// The user wants this run from now on, or the best.
    pub fn choose(&mut self, run: Option<PathBuf>) {
        self.remembered.chosen = run;
        // What follows is no surprise.
        self.remembered.last = None;
    }

    /// Looks at what there is, newest first; `tasks` are the project's.
    pub fn decide(&mut self, runs: &[Run], tasks: &[Task]) -> Option<Decision> {
        let find = |folder: &PathBuf| {
            runs.iter().find(|run| run.record.folder == *folder && run.record.best.is_some())
        };
        let lost_choice = self.remembered.chosen.as_ref().is_some_and(|chosen| find(chosen).is_none());
        if lost_choice {
            self.remembered.chosen = None;
        }
        // A run that is trained on stays what it is until it has ended.
        let in_training = || self.now.as_ref().and_then(find).filter(|run| run.is_training);
        let taken = self.remembered.chosen.as_ref().and_then(find).or_else(in_training);
        let taken = taken.or_else(|| best(runs, tasks)).map(|run| run.record.folder.clone());
        let candidates: HashSet<_> =
            runs.iter().filter(|run| is_candidate(run)).map(|run| run.record.folder.clone()).collect();
        let is_new = |run: &&PathBuf| self.known.as_ref().is_some_and(|known| !known.contains(*run));
        // One that answers other questions, such as one of a study, is no choice to be offered.
        let fits = |run: &&PathBuf| find(run).is_some_and(|run| run.fits(tasks));
        let newcomer = candidates.iter().filter(is_new).filter(fits).max().cloned();
        self.known = Some(candidates);
        let before = std::mem::replace(&mut self.remembered.last, taken.clone());
        self.now.clone_from(&taken);
        match (before, taken) {
            (Some(from), Some(to)) if from != to => Some(Decision::Changed { from, to, lost_choice }),
            (Some(from), None) => Some(Decision::Lost { from }),
            (_, Some(now)) => {
                newcomer.filter(|run| *run != now).map(|newcomer| Decision::Stayed { newcomer })
            }
            (None, None) => None,
        }
    }
}

/// Whether a run can become the current model by itself.
fn is_candidate(run: &Run) -> bool {
    let is_whole = matches!(run.record.standing(), Standing::Finished | Standing::Brought);
    run.record.best.is_some() && is_whole && !run.is_training
}

/// The best of `runs`, which are newest first, for a project with these tasks.
pub fn best<'a>(runs: &'a [Run], tasks: &[Task]) -> Option<&'a Run> {
    let candidates = || runs.iter().filter(|run| is_candidate(run));
    let fits = |run: &&Run| run.fits(tasks);
    let measured = candidates().rev().filter(fits).filter_map(|run| Some((run, run.accuracy()?)));
    let best = measured.reduce(|best, new| if is_better(best, new) { best } else { new });
    best.map(|(run, _)| run).or_else(|| candidates().find(fits)).or_else(|| candidates().next())
}

/// Whether an older run is better than a newer one; each with its accuracy (0 to 1).
fn is_better((old, old_accuracy): (&Run, f64), (new, new_accuracy): (&Run, f64)) -> bool {
    let lead = old_accuracy - new_accuracy;
    if validated_on(old) == validated_on(new) {
        return lead > 0.0;
    }
    // The standard error of the difference of two shares.
    let variance = |run: &Run, share: f64| share * (1.0 - share) / run.validation_images().max(1) as f64;
    lead > CHANCE * (variance(old, old_accuracy) + variance(new, new_accuracy)).sqrt()
}

/// What tells validation images from others: how many there are, and how many have a label of each task and its most
/// common one.
fn validated_on(run: &Run) -> Option<(usize, &[tasklens_net::training::events::LabelledImages])> {
    let started = run.record.started.as_ref()?;
    Some((started.n_validation, &started.validation_labels))
}

#[cfg(test)]
mod tests;
