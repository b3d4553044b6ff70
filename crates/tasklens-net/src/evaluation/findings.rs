//! What an evaluation looks for beside the scores: labels that are probably wrong, and the same picture in both parts
//! of the split.

use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::work::KeepGoing;

use super::inspection::Inspection;
use super::label_errors::LabelErrors;
use super::report::{self, EvaluationReport};
use super::suspects;
use crate::inference::outputs::OutputStore;
use crate::model::pretrained;
use crate::training::unseen;

/// What is being looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Labels that are probably wrong.
    LabelErrors,
    /// The same picture in both parts of the split.
    Duplicates,
}

impl Search {
    /// In words, as a heading of the progress.
    pub fn title(self) -> &'static str {
        match self {
            Self::LabelErrors => "looking for label errors",
            Self::Duplicates => "looking for near-duplicates",
        }
    }
}

/// The tasks of the network that the dataset has, too.
pub fn labelled_tasks(inspection: &Inspection) -> impl Iterator<Item = usize> {
    (0..inspection.tasks.len()).filter(|task| inspection.tasks[*task].in_dataset.is_some())
}

/// Adds both to a report whose tasks are the [`labelled_tasks`]. `keep_going` gets what is looked for and (done, of);
/// what was not finished when it says no is left out.
///
/// # Errors
/// Images or stored outputs cannot be read, or memory ran out.
pub fn add(
    report: &mut EvaluationReport,
    dataset: &Dataset,
    inspection: &Inspection,
    store: &OutputStore,
    config: &Config,
    keep_going: &mut dyn FnMut(Search, usize, usize) -> bool,
) -> anyhow::Result<()> {
    let mut unseen = |rows: &[usize], keep_going: &mut KeepGoing<'_>| {
        unseen::features(config, dataset, rows, &pretrained::cached, keep_going)
    };
    let found = suspects::find(dataset, inspection, store.folder(), &mut unseen, &mut |done, of| {
        keep_going(Search::LabelErrors, done, of)
    })?;
    if let Some(found) = found {
        for (report, task) in report.tasks.iter_mut().zip(labelled_tasks(inspection)) {
            report.label_errors = Some(LabelErrors::new(&found[task], dataset, &report.task));
        }
    }
    report.duplicates =
        report::duplicates(dataset, inspection, &mut |done, of| keep_going(Search::Duplicates, done, of))?;
    Ok(())
}
