//! What a shared backbone costs and saves: one network for all tasks, beside one network for each task that is
//! trained with the same budget, split and seeds.
//!
//! [`start`] runs a study in a background thread, for windows and terminals alike. The networks of a study are
//! ordinary runs. A study that was stopped goes on from them, and one that is over is measured again from them. What is
//! planned and what came of it is in a file beside the runs ([`StoredStudy`]).

mod course;
mod estimate;
mod listener;
mod measure;
pub mod page;
mod plan;
pub mod report;
mod stored;

use crossbeam_channel::Receiver;
use tasklens_data::panics;

pub use estimate::seconds;
pub use listener::Stopper;
pub use plan::{PlannedRun, Scope, StudyPlan};
pub use stored::{StoredStudy, new_name};

use crate::training::events::Event;
use crate::training::{self, Unsaved};
use listener::Listener;
use report::StudyReport;

/// A study to make, or to go on with.
#[derive(Clone, Debug)]
pub struct StudyRequest {
    /// What to train.
    pub plan: StudyPlan,
    /// Whether files outside the project's folder may be written, as permitted by the user: [`StudyPlan::outside`]
    /// lists them.
    pub allow_outside: bool,
    /// Labels that are not saved in the CSV yet; used if they belong to the CSV of the plan.
    pub edits: Unsaved,
}

/// What a study says, in this order: for each network `Run` and the events of its training, then `Measuring`, and last
/// `Finished`, `Stopped` or `Failed`.
#[derive(Clone, Debug)]
pub enum StudyEvent {
    /// A run begins or goes on, or is known to be over.
    Run {
        /// The index in [`StudyPlan::runs`].
        index: usize,
        /// Whether it was over before.
        is_over: bool,
    },
    /// The run says something.
    Training(Event),
    /// Something is measured of the runs.
    Measuring {
        /// What is measured, in words.
        what: &'static str,
        /// How much is done.
        done: usize,
        /// How much there is.
        of: usize,
    },
    /// All is trained and measured.
    Finished(Box<StudyReport>),
    /// It was asked to stop; the same request goes on from there.
    Stopped,
    /// It ended with an error; what was trained so far stays.
    Failed {
        /// The message, with what to do.
        error: String,
    },
}

/// A study in a background thread.
pub struct Study {
    /// What it says; closed when it ends.
    pub events: Receiver<StudyEvent>,
    /// Asks it to stop.
    pub stopper: Stopper,
}

/// Starts a study, or goes on with it. `wake` is called (from the study's thread) whenever it said something. Every
/// error arrives as [`StudyEvent::Failed`].
pub fn start(request: StudyRequest, wake: impl Fn() + Send + 'static) -> Study {
    let (listener, study) = Listener::new(Box::new(wake));
    let unheard = listener.clone_events();
    let body = move || {
        let result = panics::guard(|| course::run(&request, &listener));
        listener.tell(match result {
            Ok(Ok(Some(report))) => StudyEvent::Finished(Box::new(report)),
            Ok(Ok(None)) => StudyEvent::Stopped,
            Ok(Err(error)) => {
                StudyEvent::Failed { error: training::explain(&error, request.plan.config.model.batch_size) }
            }
            Err(what) => StudyEvent::Failed { error: format!("the study crashed: {what}") },
        });
    };
    if let Err(error) = std::thread::Builder::new().name("study".to_owned()).spawn(body) {
        let error = format!("the system cannot start the thread of the study: {error}");
        // The receiver still exists: this cannot fail.
        let _ = unheard.send(StudyEvent::Failed { error });
    }
    study
}
