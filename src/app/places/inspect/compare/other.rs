//! The run that is compared with: its outputs are read in the background, joined with the same rows, and computed
//! only where the user asks for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_net::evaluation::inspection::Inspection;
use tasklens_net::inference::outputs::{OutputStore, Outputs, OutputsPass};
use tasklens_net::training::{run_folder, split_file};

use super::rows::{Compared, are_same_items};
use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::places::inspect::inspected_run::{Loaded, predict};
use crate::app::services::jobs::{Job, Outcome, Progress};

/// See the module's docs.
pub struct OtherRun {
    pub run: PathBuf,
    /// Why there is nothing.
    pub failure: Option<String>,
    opening: Option<Job<JoinedOutputs>>,
    opened: Option<JoinedOutputs>,
    predicting: Option<Job<OutputsPass>>,
    comparing: Option<Job<(Compared, Arc<Dataset>)>>,
    /// Whether the rows joined have not been compared yet.
    is_new: bool,
    /// The part that is, or is being compared.
    part: Option<Part>,
    compared: Option<(Compared, Arc<Dataset>)>,
}

/// The outputs beside the rows.
struct JoinedOutputs {
    outputs: Arc<Outputs>,
    inspection: Arc<Inspection>,
    /// Per row whether the run learnt from it.
    learnt: Arc<Vec<bool>>,
    /// Whether the first run and this one tell which images they used.
    tell_split: [bool; 2],
    /// The first run's, on whose rows it is.
    of: Arc<Inspection>,
    dataset: Arc<Dataset>,
}

impl OtherRun {
    /// A run of which nothing is read yet.
    pub fn new(run: PathBuf) -> Self {
        Self {
            run,
            failure: None,
            opening: None,
            opened: None,
            predicting: None,
            comparing: None,
            is_new: false,
            part: None,
            compared: None,
        }
    }

    /// The name of the run.
    pub fn name(&self) -> String {
        run_folder::name(&self.run)
    }

    /// The comparison in the part last asked for; of older labels and outputs while it is being made anew.
    pub fn compared(&self) -> Option<&Compared> {
        self.compared.as_ref().map(|(compared, _)| compared)
    }

    /// Whether the first run and this one tell which images they used; `None` until that is known.
    pub fn tell_split(&self) -> Option<[bool; 2]> {
        self.opened.as_ref().map(|opened| opened.tell_split)
    }

    /// Whether its items have the same numbers in what is loaded now, which may have been read anew.
    pub fn has_items_of(&self, loaded: &Loaded) -> bool {
        let now = (&*loaded.inspection, &*loaded.dataset);
        self.compared.as_ref().is_some_and(|(compared, dataset)| are_same_items((&compared.of, dataset), now))
    }

    /// The prediction in progress.
    pub fn progress(&self) -> Option<&Progress> {
        self.predicting.as_ref().map(Job::progress)
    }

    /// Predicts with it what `loaded` has in a part and it has not.
    pub fn predict(&mut self, loaded: &Loaded, part: Option<Part>, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        let title = format!("Predicting with {}", self.name());
        self.failure = None;
        self.predicting = Some(predict(context, Some(&title), project, &self.run, (loaded, part)));
    }

    /// Ends the prediction; what was predicted stays.
    pub fn cancel(&self) {
        if let Some(job) = &self.predicting {
            job.cancel();
        }
    }

    /// Takes in what the jobs have done and starts what comes next; once a frame.
    pub fn poll(&mut self, (first, loaded): (&Path, &Loaded), part: Option<Part>, context: &ViewContext<'_>) {
        self.poll_jobs(context);
        let is_loaded = context.project.is_some_and(|project| project.generation == loaded.generation);
        if !is_loaded || self.opening.is_some() || self.failure.is_some() {
            return;
        }
        let is_current = |opened: &JoinedOutputs| Arc::ptr_eq(&opened.of, &loaded.inspection);
        match &self.opened {
            Some(opened) if is_current(opened) => {
                if self.part != part {
                    self.compared = None;
                }
                if self.part != part || self.is_new {
                    self.comparing = Some(compare(opened, part, context));
                    (self.part, self.is_new) = (part, false);
                }
            }
            stale => {
                let outputs = stale.as_ref().map(|opened| Arc::clone(&opened.outputs));
                self.open((first, loaded), outputs, context);
            }
        }
    }

    fn poll_jobs(&mut self, context: &ViewContext<'_>) {
        if let Some(opened) = take(&mut self.opening, &mut self.failure) {
            (self.opened, self.is_new, self.comparing) = (Some(opened), true, None);
        }
        if let Some(compared) = take(&mut self.comparing, &mut self.failure) {
            self.compared = Some(compared);
        }
        let Some(outcome) = self.predicting.as_mut().and_then(Job::poll) else { return };
        self.predicting = None;
        // Also what was cancelled has left outputs.
        (self.opened, self.compared) = (None, None);
        match outcome {
            Outcome::Done(pass) => {
                for message in pass.messages() {
                    context.commands.toast(Level::Warning, message);
                }
            }
            Outcome::Failed(message) => self.failure = Some(message),
            Outcome::Cancelled => {}
        }
    }

    /// Reads its outputs, where they are not known, and joins them with the rows of the first run.
    fn open(
        &mut self,
        (first, loaded): (&Path, &Loaded),
        outputs: Option<Arc<Outputs>>,
        context: &ViewContext<'_>,
    ) {
        let (run, dataset, parts) =
            (self.run.clone(), Arc::clone(&loaded.dataset), Arc::clone(&loaded.parts));
        let first = first.to_path_buf();
        let of = Arc::clone(&loaded.inspection);
        self.opening = Some(context.jobs.start_quietly("Reading predictions", move |_| {
            let outputs = match outputs {
                Some(outputs) => outputs,
                None => Arc::new(OutputStore::of(&run)?.load()?),
            };
            let inspection = Arc::new(Inspection::new(&dataset, &parts, &outputs));
            let learnt = Arc::new(learnt(&run, &dataset)?);
            let tell_split = [&first, &run].map(|run| split_file::is_in(run));
            Ok(JoinedOutputs { outputs, inspection, learnt, tell_split, of, dataset })
        }));
    }
}

fn compare(
    opened: &JoinedOutputs,
    part: Option<Part>,
    context: &ViewContext<'_>,
) -> Job<(Compared, Arc<Dataset>)> {
    let (first, second) = (Arc::clone(&opened.of), Arc::clone(&opened.inspection));
    let (learnt, dataset) = (Arc::clone(&opened.learnt), Arc::clone(&opened.dataset));
    context
        .jobs
        .start_quietly("Comparing", move |_| Ok((Compared::new(&first, &second, &learnt, part), dataset)))
}

/// Which rows a run learnt from: its own split, or the dataset's where it kept none.
fn learnt(run: &Path, dataset: &Dataset) -> anyhow::Result<Vec<bool>> {
    let parts = split_file::parts(run, dataset)?;
    Ok(parts.into_iter().map(|part| part == Some(Part::Train)).collect())
}

/// The result of a job that is done; a failure is kept.
fn take<T>(job: &mut Option<Job<T>>, failure: &mut Option<String>) -> Option<T> {
    let outcome = job.as_mut().and_then(Job::poll)?;
    *job = None;
    match outcome {
        Outcome::Done(result) => return Some(result),
        Outcome::Failed(message) => *failure = Some(message),
        Outcome::Cancelled => {}
    }
    None
}
