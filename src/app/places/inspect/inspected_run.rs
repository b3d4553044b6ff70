//! One run under inspection: its outputs are read, or computed where they are missing, in the background.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tasklens_data::config::DeviceChoice;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::work::cores;
use tasklens_net::evaluation::agreement::{self, Disagreement, Record};
use tasklens_net::evaluation::inspection::Inspection;
use tasklens_net::evaluation::report::PartScores;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::outputs::{Features, OutputStore, Outputs, OutputsPass};
use tasklens_net::inference::precision_of;
use tasklens_net::training::{run_folder, split_file};

use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Outcome, Progress, take};
use crate::app::services::project::Project;

/// What is known of a run; replaced as a whole when outputs or labels change.
pub struct Loaded {
    /// Where its outputs are.
    pub store: OutputStore,
    /// What the network says.
    pub outputs: Arc<Outputs>,
    /// The same beside the labels.
    pub inspection: Arc<Inspection>,
    /// The rows that they were joined with: what items and row numbers are about, also after the CSV was read
    /// anew.
    pub dataset: Arc<Dataset>,
    /// What each row of the dataset was for when the run began.
    pub parts: Arc<Vec<Option<Part>>>,
    /// Per task the scores on the rows that trained and on those that validated.
    pub scores: Vec<PartScores>,
    /// Tasks whose accuracy on the validation rows is not what the run recorded.
    pub disagreements: Vec<Disagreement>,
    /// The number format that the network computes in here: `fp32` or `bf16`.
    pub precision: &'static str,
    /// Rows with a part that have no outputs (yet).
    pub missing: usize,
    /// Of the project that it was joined with.
    pub generation: u64,
    /// Grows with each replacement within the window's life: what was derived from an older one is stale.
    pub version: u64,
}

impl Loaded {
    /// Whether every row of a part has outputs.
    fn has_all_of(&self, part: Part) -> bool {
        let rows = self.parts.iter().filter(|other| **other == Some(part)).count();
        self.inspection.items_of(Some(part)).len() == rows
    }

    /// The image file of an item.
    pub fn image_of(&self, item: usize) -> Option<&Path> {
        let row = *self.inspection.rows.get(item)?;
        Some(&self.dataset.rows.get(row)?.image)
    }
}

/// What a result was computed from: edited labels make a new [`Loaded`] with the same images, and what follows
/// from the images alone is still right then.
#[derive(Default)]
pub struct Origin {
    /// The version that was compared last.
    version: u64,
    features: Features,
    parts: Vec<Part>,
}

impl Origin {
    /// Takes over what is loaded now; returns whether it is anything else than before.
    pub fn renew(&mut self, loaded: &Loaded) -> bool {
        // A version is loaded from 1 on.
        if self.version == loaded.version {
            return false;
        }
        self.version = loaded.version;
        let inspection = &loaded.inspection;
        if self.features.is_same(&inspection.features) && self.parts == inspection.parts {
            return false;
        }
        self.features = inspection.features.clone();
        self.parts.clone_from(&inspection.parts);
        true
    }

    /// The features of the items.
    pub fn features(&self) -> &Features {
        &self.features
    }
}

/// The run and the jobs about it.
pub struct InspectedRun {
    pub run: PathBuf,
    /// What is known so far.
    pub loaded: Option<Loaded>,
    /// Why there is nothing, or no more.
    pub failure: Option<String>,
    opening: Option<Job<Loaded>>,
    predicting: Option<Job<OutputsPass>>,
    /// Whether all images were seen to, or the user cancelled.
    predicted: Predicted,
    /// What `predicted` becomes when the prediction in progress is done.
    next: Predicted,
    version: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Predicted {
    Nothing,
    Validation,
    All,
    Cancelled,
}

impl InspectedRun {
    /// A run that begins to read.
    pub fn new(run: PathBuf, context: &ViewContext<'_>) -> Self {
        let mut inspected = Self {
            run,
            loaded: None,
            failure: None,
            opening: None,
            predicting: None,
            predicted: Predicted::Nothing,
            next: Predicted::Nothing,
            version: 0,
        };
        inspected.open(context);
        inspected
    }

    pub fn name(&self) -> String {
        run_folder::name(&self.run)
    }

    /// The prediction in progress.
    pub fn progress(&self) -> Option<&Progress> {
        self.predicting.as_ref().map(Job::progress)
    }

    /// Whether the user cancelled the prediction.
    pub fn is_cancelled(&self) -> bool {
        self.predicted == Predicted::Cancelled
    }

    /// Whether no more outputs are to come, unless the user asks: all images were seen to, readable or not.
    pub fn is_settled(&self) -> bool {
        let is_over = matches!(self.predicted, Predicted::All | Predicted::Cancelled);
        is_over && self.predicting.is_none() && self.opening.is_none()
    }

    /// Goes on with a prediction that was cancelled.
    pub fn go_on(&mut self) {
        self.predicted = Predicted::Nothing;
        self.failure = None;
    }

    /// Takes in what the jobs have done and starts what comes next; once a frame.
    pub fn poll(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        match take(&mut self.opening) {
            // The rows of the old one may be nobody else's any more.
            Some(Outcome::Done(loaded)) => context.jobs.let_go(self.loaded.replace(loaded)),
            Some(Outcome::Failed(message)) => self.failure = Some(message),
            Some(Outcome::Cancelled) | None => {}
        }
        self.poll_prediction(context);
        if self.opening.is_some() || self.failure.is_some() {
            return;
        }
        let is_stale = self.loaded.as_ref().is_none_or(|loaded| loaded.generation != project.generation);
        if is_stale {
            self.open(context);
        } else if self.predicting.is_none() {
            self.predict(context);
        }
    }

    fn poll_prediction(&mut self, context: &ViewContext<'_>) {
        let Some(outcome) = take(&mut self.predicting) else { return };
        match outcome {
            Outcome::Done(pass) => {
                self.predicted = self.next;
                for message in pass.messages() {
                    context.commands.toast(Level::Warning, message);
                }
                // Nothing new: what is shown stays. That some cannot be predicted is new.
                if pass.predicted == 0 && pass.failures.is_empty() {
                    return;
                }
            }
            Outcome::Failed(message) => {
                self.predicted = Predicted::Cancelled;
                // What was predicted before is still shown; the head offers to go on.
                if self.loaded.as_ref().is_none_or(|loaded| loaded.inspection.is_empty()) {
                    self.failure = Some(message);
                } else {
                    context.commands.toast(Level::Error, message);
                }
            }
            Outcome::Cancelled => self.predicted = Predicted::Cancelled,
        }
        self.open(context);
    }

    /// Reads the outputs that are there and joins them with the rows.
    fn open(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        self.version += 1;
        let (run, version, generation) = (self.run.clone(), self.version, project.generation);
        let dataset = Arc::clone(&project.dataset);
        // New labels do not make outputs stale, nor does a part that was known.
        let known = self.loaded.as_ref().filter(|_| self.predicting.is_none());
        let device = project.config.model.device;
        let is_validated = matches!(self.predicted, Predicted::Validation | Predicted::All);
        let outputs = known
            .filter(|loaded| loaded.generation != generation)
            .map(|loaded| (loaded.store.clone(), Arc::clone(&loaded.outputs)));
        self.opening = Some(context.jobs.start_quietly("Reading predictions", move |_| {
            let (store, outputs) = match outputs {
                Some(both) => both,
                None => {
                    let store = OutputStore::of(&run)?;
                    let outputs = Arc::new(store.load()?);
                    (store, outputs)
                }
            };
            let loaded = load(&run, device, dataset, store, outputs)?;
            // Until all that can be are predicted, the numbers are of fewer images.
            let is_final = is_validated || loaded.has_all_of(Part::Validation);
            let disagreements = if is_final { loaded.disagreements } else { Vec::new() };
            Ok(Loaded { disagreements, generation, version, ..loaded })
        }));
    }

    /// Predicts what is missing: first the rows that validate, which say most, then the others. Where nothing
    /// is, it only looks for images that have changed.
    fn predict(&mut self, context: &ViewContext<'_>) {
        let (Some(project), Some(loaded)) = (context.project, &self.loaded) else { return };
        let (title, only, next) = match self.predicted {
            Predicted::Nothing if loaded.missing == 0 => (None, None, Predicted::All),
            Predicted::Nothing => {
                (Some("Predicting the validation images"), Some(Part::Validation), Predicted::Validation)
            }
            Predicted::Validation => (Some("Predicting the other images"), None, Predicted::All),
            Predicted::All | Predicted::Cancelled => return,
        };
        self.next = next;
        self.predicting = Some(predict(context, title, project, &self.run, (loaded, only)));
    }
}

/// Predicts the images of a part of what is loaded that a run has not predicted yet, or that have changed since; all that have a
/// part without one. With a title, the status bar shows it.
pub(super) fn predict(
    context: &ViewContext<'_>,
    title: Option<&str>,
    project: &Project,
    run: &Path,
    (loaded, only): (&Loaded, Option<Part>),
) -> Job<OutputsPass> {
    let (run, predictors) = (run.to_path_buf(), context.predictors.clone());
    let (dataset, parts) = (Arc::clone(&loaded.dataset), Arc::clone(&loaded.parts));
    let (device, batch) = (project.config.model.device, project.config.model.batch_size);
    let work = move |progress: &Progress| {
        let store = OutputStore::of(&run)?;
        let which: Vec<usize> = (0..dataset.rows.len())
            .filter(|row| {
                parts.get(*row).copied().flatten().is_some_and(|part| only.is_none_or(|o| o == part))
            })
            .collect();
        if store.is_complete(&dataset.rows, &which)? {
            return Ok(OutputsPass { known: which.len(), complete: true, ..OutputsPass::default() });
        }
        let batching = Batching { size: batch, workers: cores() };
        let open = || predictors.open(&run, device);
        store.compute(open, &dataset.rows, &which, batching, &mut |done, of| {
            progress.set(done as u64, of as u64);
            progress.keep_going()
        })
    };
    match title {
        Some(title) => context.jobs.start(title, work),
        None => context.jobs.start_quietly("Looking for changed images", work),
    }
}

fn load(
    run: &Path,
    device: DeviceChoice,
    dataset: Arc<Dataset>,
    store: OutputStore,
    outputs: Arc<Outputs>,
) -> anyhow::Result<Loaded> {
    let parts = split_file::parts(run, &dataset)?;
    let inspection = Inspection::new(&dataset, &parts, &outputs);
    let scores = (0..inspection.tasks.len()).map(|task| PartScores::new(&inspection, task)).collect();
    let missing = parts.iter().flatten().count() - inspection.len();
    let precision = precision_of(run, device)?;
    let record = Record::open(run, &outputs.tasks).unwrap_or_else(|error| {
        log::warn!("what {} measured is not compared: {error:#}", run.display());
        Record::default()
    });
    let disagreements = agreement::disagreements(&record, &dataset, &inspection, precision);
    Ok(Loaded {
        disagreements,
        precision,
        store,
        outputs,
        inspection: Arc::new(inspection),
        dataset,
        parts: Arc::new(parts),
        scores,
        missing,
        generation: 0,
        version: 0,
    })
}
