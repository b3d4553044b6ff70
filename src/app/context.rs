//! What a view is given in each frame.

use tasklens_data::dataset::Dataset;
use tasklens_net::device::Device;

use crate::app::command::CommandSender;
use crate::app::services::jobs::Jobs;
use crate::app::services::label_edits::LabelEdits;
use crate::app::services::predictors::Predictors;
use crate::app::services::project::Project;
use crate::app::services::runs::Runs;
use crate::app::services::thumbnails::Thumbnails;
use crate::app::theme::Tokens;

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrainingState {
    /// No run.
    #[default]
    Idle,
    /// It is about to begin.
    Starting,
    /// It trains (or prepares to).
    Running,
    /// It was asked to pause and finishes its batch.
    Pausing,
    /// It waits.
    Paused,
    /// It was asked to stop and finishes its batch.
    Stopping,
}

/// Read access to the app's state, and the handles by which a view acts.
pub struct ViewContext<'a> {
    /// The open project.
    pub project: Option<&'a Project>,
    /// The way to change anything.
    pub commands: &'a CommandSender,
    /// Colours and sizes of the theme in use.
    pub tokens: &'a Tokens,
    /// Background work.
    pub jobs: &'a Jobs,
    /// The runs of the project.
    pub runs: &'a Runs,
    /// The networks in memory.
    pub predictors: &'a Predictors,
    /// Small pictures of files, loaded off the UI thread.
    pub thumbnails: &'a mut Thumbnails,
    /// The processor that training would use; `None` until it is known.
    pub device: Option<&'a Device>,
    /// Whether a run goes on.
    pub training: TrainingState,
    /// The label edits of the project; `None` until they are read.
    pub edits: Option<&'a LabelEdits>,
}

impl<'a> ViewContext<'a> {
    /// The rows, which have all labels as they are now, and the edits that made them so; `None` until both are read.
    pub fn labels(&self) -> Option<(&'a Dataset, &'a LabelEdits)> {
        Some((&self.project?.dataset, self.edits?))
    }
}
