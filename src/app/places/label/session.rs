//! The model that helps: its outputs are read, or computed where they are missing, and its heads are fitted anew
//! to the labels, all in the background.

mod ahead;
mod learning;
mod model;
mod saving;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::work::cores;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::outputs::{OutputStore, Outputs, OutputsPass};
use tasklens_net::labelling::candidates;
use tasklens_net::labelling::suggestions::{Score, Suggestions};
use tasklens_net::training::learnt_run::SavedRun;
use tasklens_net::training::seen;

use crate::app::command::Level;
use crate::app::context::{TrainingState, ViewContext};
use crate::app::places::inspect::inspected_run::first_message;
use crate::app::services::jobs::{Job, Outcome, take};
use ahead::Ahead;
pub use model::Model;

/// Images in the first pass; each further one has twice as many, so that suggestions come soon and the outputs
/// are not read anew too often.
const FIRST_PIECE: usize = 256;
const LARGEST_PIECE: usize = 16_384;

/// What was read of a model.
struct Read {
    suggestions: Arc<Suggestions>,
    /// Rows without outputs, in the order of the file.
    missing: Arc<Vec<usize>>,
    rows: usize,
    tasks: Vec<Task>,
}

/// The heads that were fitted last.
#[derive(Clone, Debug)]
pub struct Learnt {
    /// From so many labels.
    pub labels: usize,
    /// Per task how often they are right about labels that they have not seen, where they learnt any.
    pub scores: Vec<Option<Score>>,
    /// When it was done.
    pub at: Instant,
    took: Duration,
}

/// What an update comes to.
struct Update {
    suggestions: Suggestions,
    /// In all tasks.
    labels: usize,
    scores: Vec<Option<Score>>,
}

/// The model and the jobs about it.
pub struct Session {
    model: Model,
    read: Option<Read>,
    reading: Option<Job<Read>>,
    predicting: Option<Job<OutputsPass>>,
    piece: usize,
    /// The user cancelled, or it failed: goes on when asked.
    is_halted: bool,
    /// The user cancelled: it stays so whatever is read anew.
    is_cancelled: bool,
    updating: Option<Job<Option<Update>>>,
    preparing: Option<Job<PathBuf>>,
    ahead: Ahead,
    saving: Option<Job<Option<SavedRun>>>,
    /// Saving was asked for while the rows did not have the latest labels yet.
    wants_save: bool,
    current: Option<Arc<Suggestions>>,
    learnt: Option<Learnt>,
    update_began: Option<Instant>,
    /// An update was asked for while features were missing or another was under way.
    wants_update: bool,
    /// Labels since the last update.
    new_labels: usize,
    /// Update by itself.
    pub updates_itself: bool,
    version: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            model: Model::default(),
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

impl Session {
    /// What holds now.
    pub fn suggestions(&self) -> Option<&Arc<Suggestions>> {
        self.current.as_ref()
    }

    /// Grows with each change of the suggestions.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The model in use.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The last update.
    pub fn learnt(&self) -> Option<&Learnt> {
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

    /// Another model.
    pub fn choose(&mut self, model: Model) {
        let is_same = model == self.model;
        let is_cancelled = self.is_cancelled && is_same;
        *self = Self {
            ahead: std::mem::take(&mut self.ahead),
            saving: self.saving.take(),
            wants_save: self.wants_save && is_same,
            model,
            is_halted: is_cancelled,
            is_cancelled,
            version: self.version + 1,
            updates_itself: self.updates_itself,
            ..Self::default()
        };
    }

    /// Rows have other numbers now: all is read, and learnt, anew.
    pub fn read_anew(&mut self) {
        let has_learnt = self.learnt.is_some() || self.updating.is_some() || self.wants_update;
        self.choose(self.model.clone());
        self.wants_update = has_learnt;
    }

    /// A run has ended: there is one more to choose.
    pub fn on_run_ended(&mut self) {
        self.ahead.look_again();
        if self.learnt.is_none() && matches!(self.model, Model::Newest | Model::Base(_)) {
            self.choose(Model::Newest);
        }
    }

    /// So many labels were given.
    pub fn on_labelled(&mut self, labels: usize) {
        self.new_labels += labels;
    }

    /// Fits the heads to the labels as they are, as soon as that is possible.
    pub fn update(&mut self) {
        self.wants_update = true;
    }

    /// Takes in what the jobs have done and starts what comes next; once a frame.
    pub fn poll(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        self.choose_run(context);
        self.poll_ahead(context);
        self.poll_preparing(context);
        self.poll_saving(context);
        let is_same =
            |read: &Read| read.rows == project.dataset.rows.len() && read.tasks == project.dataset.tasks;
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
                self.choose(Model::Off);
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

    /// Where nothing was chosen, the newest run of the project.
    fn choose_run(&mut self, context: &ViewContext<'_>) {
        if self.model != Model::Newest {
            return;
        }
        match context.runs.newest() {
            Some(newest) => self.model = Model::Run(newest.record.folder.clone()),
            None if context.runs.is_read() => self.look_ahead(context),
            None => {}
        }
    }

    fn start_reading(&mut self, dataset: &Arc<Dataset>, context: &ViewContext<'_>) {
        let Some(path) = self.model.path().map(Path::to_path_buf) else { return };
        let is_base = matches!(self.model, Model::Base(_));
        let dataset = Arc::clone(dataset);
        self.reading = Some(context.jobs.start_quietly("Reading suggestions", move |_| {
            let mut outputs = OutputStore::of(&path)?.load()?;
            if is_base {
                // Heads that have learnt nothing have nothing to say.
                outputs = Outputs { tasks: Vec::new(), probabilities: Vec::new(), ..outputs };
            }
            let seen = seen::of_run(&path, &dataset).unwrap_or_else(|error| {
                log::warn!("what {} has trained on is not known: {error:#}", path.display());
                None
            });
            let suggestions = Suggestions::of_outputs(&dataset, &outputs).knowing(seen.as_ref());
            let missing = candidates::rows(&dataset).into_iter();
            let missing = missing.filter(|row| suggestions.item_of(*row).is_none()).collect();
            Ok(Read {
                suggestions: Arc::new(suggestions),
                missing: Arc::new(missing),
                rows: dataset.rows.len(),
                tasks: dataset.tasks.clone(),
            })
        }));
    }

    fn take_in(&mut self, read: Read) {
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
                for message in
                    [first_message(&pass.failures), first_message(&pass.notes)].into_iter().flatten()
                {
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
            Model::Base(_) => format!("Looking at {} images, to help with labelling", read.missing.len()),
            _ => format!("Predicting {} images to label", read.missing.len()),
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
