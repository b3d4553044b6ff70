//! The model that suggests labels. Its outputs are read, or computed where they are missing, and its heads are
//! fitted again to the labels, all in the background.

mod ahead;
mod learning;
mod model;
mod saving;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::text::counted_grouped;
use tasklens_data::work::cores;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::outputs::{OutputStore, Outputs, OutputsPass};
use tasklens_net::labelling::candidates;
use tasklens_net::labelling::suggestions::{Score, Suggestions};
use tasklens_net::training::learnt_run::SavedRun;
use tasklens_net::training::seen;

use crate::app::command::Level;
use crate::app::context::{TrainingState, ViewContext};
use crate::app::services::jobs::{Job, Outcome, take};
use ahead::Ahead;
pub use model::LabelModel;

/// Images in the first pass; each further one has twice as many, so that suggestions come soon and the outputs
/// are not read anew too often.
const FIRST_PIECE: usize = 256;
const LARGEST_PIECE: usize = 16_384;

/// The suggestions of a network, from the outputs that are stored for it.
struct NetworkSuggestions {
    suggestions: Arc<Suggestions>,
    /// Rows without outputs, in the order of the CSV.
    missing: Arc<Vec<usize>>,
    rows: usize,
    tasks: Vec<Task>,
}

/// The heads that were fitted last.
#[derive(Clone, Debug)]
pub struct LearntHeads {
    /// How many labels they were fitted to, in all tasks.
    pub labels: usize,
    /// Per task, how often they are right about labels that they were not fitted to; `None` where there are none.
    pub scores: Vec<Option<Score>>,
    /// When they were fitted.
    pub at: Instant,
    took: Duration,
}

/// The result of an update.
struct HeadUpdate {
    suggestions: Suggestions,
    /// How many labels the heads were fitted to, in all tasks.
    labels: usize,
    scores: Vec<Option<Score>>,
}

/// The model in use, and its jobs.
pub struct ModelSession {
    model: LabelModel,
    /// Whether the model is the project's current one, also when that changes.
    follows: bool,
    /// A run that is not taken as the current model: what was learnt here was saved as this run, so it is in use
    /// already, or it cannot be read.
    passed_over: Option<PathBuf>,
    read: Option<NetworkSuggestions>,
    reading: Option<Job<NetworkSuggestions>>,
    predicting: Option<Job<OutputsPass>>,
    piece: usize,
    /// Prediction was cancelled or failed: it goes on only when the user asks.
    is_halted: bool,
    /// The user cancelled it: it stays halted when rows are read again.
    is_cancelled: bool,
    updating: Option<Job<Option<HeadUpdate>>>,
    preparing: Option<Job<PathBuf>>,
    ahead: Ahead,
    saving: Option<Job<Option<SavedRun>>>,
    /// Saving was asked for and has not begun.
    wants_save: bool,
    current: Option<Arc<Suggestions>>,
    learnt: Option<LearntHeads>,
    update_began: Option<Instant>,
    /// An update was asked for while features were missing or another was under way.
    wants_update: bool,
    /// Labels since the last update.
    new_labels: usize,
    /// Whether the model updates itself after enough new labels.
    pub updates_itself: bool,
    version: u64,
}

impl Default for ModelSession {
    fn default() -> Self {
        Self {
            model: LabelModel::default(),
            follows: true,
            passed_over: None,
            read: None,
            reading: None,
            predicting: None,
            piece: FIRST_PIECE,
            is_halted: false,
            is_cancelled: false,
            updating: None,
            preparing: None,
            ahead: Ahead::default(),
            saving: None,
            wants_save: false,
            current: None,
            learnt: None,
            update_began: None,
            wants_update: false,
            new_labels: 0,
            updates_itself: true,
            version: 0,
        }
    }
}

impl ModelSession {
    /// The suggestions in use.
    pub fn suggestions(&self) -> Option<&Arc<Suggestions>> {
        self.current.as_ref()
    }

    /// Grows with each change of the suggestions.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The model in use.
    pub fn model(&self) -> &LabelModel {
        &self.model
    }

    /// The last update.
    pub fn learnt(&self) -> Option<&LearntHeads> {
        self.learnt.as_ref()
    }

    /// Whether heads are being fitted, or what they need is being prepared.
    pub fn is_updating(&self) -> bool {
        let has_features = self.read.as_ref().is_some_and(|read| !read.suggestions.rows().is_empty());
        self.updating.is_some() || self.preparing.is_some() || (self.wants_update && has_features)
    }

    /// Rows that the model has not seen yet.
    pub fn missing(&self) -> usize {
        self.read.as_ref().map_or(0, |read| read.missing.len())
    }

    /// Whether the rest is predicted only when the user asks.
    pub fn is_halted(&self) -> bool {
        self.is_halted && self.missing() > 0
    }

    /// Goes on with a prediction that was cancelled.
    pub fn go_on(&mut self) {
        (self.is_halted, self.is_cancelled) = (false, false);
    }

    /// Uses the current model of the project, and another one when that changes.
    pub fn follow_current(&mut self) {
        self.follows = true;
        self.passed_over = None;
        if self.model == LabelModel::Off {
            self.switch(LabelModel::None);
        }
    }

    /// Whether the model is the project's current one by choice.
    pub fn follows_current(&self) -> bool {
        self.follows
    }

    /// The user wants what is chosen from now on, whatever the current model is.
    pub fn follow_no_more(&mut self) {
        self.follows = false;
    }

    /// The user wants this model, whatever the current one is.
    pub fn choose(&mut self, model: LabelModel) {
        self.switch(model);
        self.follows = false;
    }

    /// Uses another model; jobs of the one before are cancelled.
    fn switch(&mut self, model: LabelModel) {
        let is_same = model == self.model;
        let is_cancelled = self.is_cancelled && is_same;
        *self = Self {
            ahead: std::mem::take(&mut self.ahead),
            saving: self.saving.take(),
            wants_save: self.wants_save && is_same,
            model,
            follows: self.follows,
            passed_over: self.passed_over.take().filter(|_| is_same),
            is_halted: is_cancelled,
            is_cancelled,
            version: self.version + 1,
            updates_itself: self.updates_itself,
            ..Self::default()
        };
    }

    /// Rows have other numbers now: outputs are read, and heads fitted, again.
    pub fn read_anew(&mut self) {
        let has_learnt = self.learnt.is_some() || self.updating.is_some() || self.wants_update;
        self.switch(self.model.clone());
        self.wants_update = has_learnt;
    }

    /// A run has ended: what was found for want of one is looked for again.
    pub fn on_run_ended(&mut self) {
        self.ahead.look_again();
    }

    /// What was learnt here was saved as this run.
    pub fn on_saved(&mut self, run: PathBuf) {
        self.passed_over = Some(run);
    }

    /// The user gave this many labels.
    pub fn on_labelled(&mut self, labels: usize) {
        self.new_labels += labels;
    }

    /// Fits the heads to the current labels as soon as possible.
    pub fn update(&mut self) {
        self.wants_update = true;
    }

    /// Takes in what the jobs have done and starts what comes next; once a frame.
    pub fn poll(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        self.follow(context);
        self.poll_ahead(context);
        self.poll_preparing(context);
        self.poll_saving(context);
        let is_same = |read: &NetworkSuggestions| {
            read.rows == project.dataset.rows.len() && read.tasks == project.dataset.tasks
        };
        if self.read.as_ref().is_some_and(|read| !is_same(read)) {
            // Labels have other numbers now: what was learnt, or is being learnt, is learnt again.
            (self.read, self.current) = (None, None);
            self.wants_update |= self.learnt.take().is_some() | self.updating.take().is_some();
        }
        match take(&mut self.reading) {
            // What was read for other labels is read again below.
            Some(Outcome::Done(read)) if is_same(&read) => self.take_in(read),
            Some(Outcome::Done(_)) => {}
            Some(Outcome::Failed(message)) => {
                context.commands.toast(Level::Warning, message);
                let unreadable = self.model.path().map(Path::to_path_buf);
                self.switch(LabelModel::Off);
                self.passed_over = unreadable;
            }
            Some(Outcome::Cancelled) | None => {}
        }
        self.poll_prediction(context);
        self.poll_update(context);
        if self.model.path().is_none() || self.reading.is_some() {
            return;
        }
        if self.read.is_none() {
            self.start_reading(&project.dataset, context);
        } else {
            self.predict(context);
            self.start_update(context);
            self.start_saving(context);
        }
    }

    /// Takes the current model of the project, where the user wants no other.
    fn follow(&mut self, context: &ViewContext<'_>) {
        if !self.follows {
            return;
        }
        match context.runs.current().map(|run| run.record.folder.as_path()) {
            Some(current) => {
                let is_in_use =
                    self.model.path() == Some(current) || self.passed_over.as_deref() == Some(current);
                if !is_in_use {
                    // What was learnt from the labels is learnt again on the features of this one.
                    let has_learnt = self.learnt.is_some() || self.updating.is_some() || self.wants_update;
                    self.switch(LabelModel::Run(current.to_path_buf()));
                    self.wants_update = has_learnt;
                }
            }
            None if context.runs.is_read() => {
                if let LabelModel::Run(gone) = &self.model
                    && context.runs.find(gone).is_none()
                {
                    self.switch(LabelModel::None);
                }
                if self.model == LabelModel::None {
                    self.look_ahead(context);
                }
            }
            None => {}
        }
    }

    fn start_reading(&mut self, dataset: &Arc<Dataset>, context: &ViewContext<'_>) {
        let Some(path) = self.model.path().map(Path::to_path_buf) else { return };
        let is_base = matches!(self.model, LabelModel::Base(_));
        let dataset = Arc::clone(dataset);
        self.reading = Some(context.jobs.start_quietly("Reading suggestions", move |_| {
            let mut outputs = OutputStore::of(&path)?.load()?;
            if is_base {
                // Heads that were never fitted suggest nothing.
                outputs = Outputs { tasks: Vec::new(), probabilities: Vec::new(), ..outputs };
            }
            let seen = seen::of_run(&path, &dataset).unwrap_or_else(|error| {
                log::warn!("what {} has trained on is not known: {error:#}", path.display());
                None
            });
            let suggestions = Suggestions::of_outputs(&dataset, &outputs).knowing(seen.as_ref());
            let missing = candidates::rows(&dataset).into_iter();
            let missing = missing.filter(|row| suggestions.item_of(*row).is_none()).collect();
            Ok(NetworkSuggestions {
                suggestions: Arc::new(suggestions),
                missing: Arc::new(missing),
                rows: dataset.rows.len(),
                tasks: dataset.tasks.clone(),
            })
        }));
    }

    fn take_in(&mut self, read: NetworkSuggestions) {
        // What the heads have learnt meanwhile is better than what the network says; it follows for the new rows.
        match self.learnt {
            Some(_) if self.current.is_some() => self.wants_update = true,
            _ => {
                self.current = Some(Arc::clone(&read.suggestions));
                self.version += 1;
            }
        }
        self.read = Some(read);
    }

    fn poll_prediction(&mut self, context: &ViewContext<'_>) {
        match take(&mut self.predicting) {
            Some(Outcome::Done(pass)) => {
                for message in pass.messages() {
                    context.commands.toast(Level::Warning, message);
                }
                // Images that cannot be read stay missing: they are not tried again and again.
                self.is_halted = pass.predicted == 0;
                self.piece = (2 * self.piece).min(LARGEST_PIECE);
                if let Some(project) = context.project {
                    self.start_reading(&project.dataset, context);
                }
            }
            Some(Outcome::Failed(message)) => {
                self.is_halted = true;
                context.commands.toast(Level::Error, message);
            }
            Some(Outcome::Cancelled) => {
                (self.is_halted, self.is_cancelled) = (true, true);
                if let Some(project) = context.project {
                    self.start_reading(&project.dataset, context);
                }
            }
            None => {}
        }
    }

    /// The next images without outputs, while no training wants the processor.
    fn predict(&mut self, context: &ViewContext<'_>) {
        let (Some(project), Some(read), Some(path)) = (context.project, &self.read, self.model.path()) else {
            return;
        };
        let is_busy = self.predicting.is_some() || context.training != TrainingState::Idle;
        if is_busy || self.is_halted || read.missing.is_empty() {
            return;
        }
        let (path, predictors) = (path.to_path_buf(), context.predictors.clone());
        let (dataset, device) = (Arc::clone(&project.dataset), project.config.model.device);
        let (missing, piece) = (Arc::clone(&read.missing), self.piece);
        let batch = project.config.model.batch_size;
        let title = match self.model {
            LabelModel::Base(_) => {
                format!("Processing {} to suggest labels", counted_grouped(read.missing.len(), "image"))
            }
            _ => format!("Predicting {} to label", counted_grouped(read.missing.len(), "image")),
        };
        self.predicting = Some(context.jobs.start(title, move |progress| {
            let which = &missing[..missing.len().min(piece)];
            let batching = Batching { size: batch, workers: cores() };
            let store = OutputStore::of(&path)?;
            let open = || predictors.open(&path, device);
            store.compute(open, &dataset.rows, which, batching, &mut |done, _| {
                progress.set(done as u64, missing.len() as u64);
                progress.keep_going()
            })
        }));
    }
}
