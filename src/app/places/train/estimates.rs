//! How long each way to train takes on this computer: measured in the background while nothing trains, and known from
//! then on.

use std::sync::Arc;

use tasklens_data::config::presets::Keys;
use tasklens_data::config::{Backbone, Config, DeviceChoice, ModelConfig, Precision};
use tasklens_data::dataset::Dataset;
use tasklens_data::images::shape::common_aspect;
use tasklens_net::training;
use tasklens_net::training::estimate::{Speed, Subject, TimeEstimate};

use super::draft::Draft;
use crate::app::context::{TrainingState, ViewContext};
use crate::app::services::derived::Derived;
use crate::app::services::jobs::{Job, Outcome};

/// Estimates a run, at a speed that may be known; is told whether to go on.
pub type EstimateRun =
    fn(&Config, &Dataset, Option<Speed>, &dyn Fn() -> bool) -> anyhow::Result<TimeEstimate>;

/// What is asked of this computer; tests have answers of their own.
#[derive(Clone, Copy)]
pub struct Machine {
    /// The networks whose ImageNet weights are here.
    pub weights: fn() -> Vec<Backbone>,
    /// How long a run takes: see [`training::estimate::estimate`].
    pub estimate: EstimateRun,
}

impl Default for Machine {
    fn default() -> Self {
        Self { weights: training::weights_here, estimate: training::estimate::estimate }
    }
}

impl Machine {
    /// One that has every weight and takes a tenth of a second for an image of an epoch, for tests.
    pub fn for_test() -> Self {
        let estimate = |config: &Config, data: &Dataset, _, _: &dyn Fn() -> bool| {
            let epochs = if config.model.freeze_convolutional_layers { 1 } else { config.model.epochs };
            let seconds = 0.1 * (data.rows.len() * epochs) as f64;
            Ok(TimeEstimate { seconds, speed: Speed { decode: 0.0, forward: 0.1, train: 0.1, heads: 0.0 } })
        };
        Self { weights: || Backbone::ALL.to_vec(), estimate }
    }
}

/// What is known of a way to train.
#[derive(Clone, Debug, PartialEq)]
pub enum KnownEstimate {
    /// How long a run takes, in seconds.
    Seconds(f64),
    /// Why nothing is known.
    Failed(String),
}

/// What an estimate follows from besides the keys of a way to train.
#[derive(Clone, Copy, Debug, PartialEq)]
struct EstimateBasis {
    generation: u64,
    device: DeviceChoice,
    precision: Precision,
    threads: Option<usize>,
}

struct AskedEstimate {
    keys: Keys,
    subject: Subject,
    job: Job<TimeEstimate>,
}

/// Estimates as they become known.
#[derive(Default)]
pub struct Estimates {
    machine: Machine,
    basis: Option<EstimateBasis>,
    /// Kept while the window is open.
    speeds: Vec<(Subject, Speed)>,
    known: Vec<(Keys, KnownEstimate)>,
    asked: Option<AskedEstimate>,
    weights: Derived<(), Vec<Backbone>>,
    /// Height over width of most images of a project of this generation.
    aspect: Derived<u64, Option<f32>>,
}

impl Estimates {
    /// With what this computer answers.
    pub fn new(machine: Machine) -> Self {
        Self { machine, ..Self::default() }
    }

    /// For another project: images take other times to read.
    pub fn for_another(&mut self) {
        *self = Self { weights: std::mem::take(&mut self.weights), ..Self::new(self.machine) };
    }

    /// A run ended, or the weights may be there by now: what is left to do is another thing.
    pub fn look_again(&mut self) {
        (self.basis, self.weights) = (None, Derived::default());
    }

    /// The networks whose weights are here; `None` until it is known.
    pub fn weights(&self) -> Option<&[Backbone]> {
        // Where they cannot be looked for, there are none.
        let none = self.weights.failure().map(|_| &[][..]);
        self.weights.get().map(Vec::as_slice).or(none)
    }

    /// Height over width that most images share, as far as it is known.
    pub fn aspect(&self) -> Option<f32> {
        self.aspect.get().copied().flatten()
    }

    /// What is asked of this computer.
    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// How fast a network of these settings is, where that was measured.
    pub fn speed(&self, model: &ModelConfig) -> Option<Speed> {
        let subject = Subject::of(model);
        self.speeds.iter().find(|(known, _)| *known == subject).map(|(_, speed)| *speed)
    }

    /// Whether something is being measured.
    pub fn is_measuring(&self) -> bool {
        self.asked.is_some()
    }

    /// What is known of a way to train.
    pub fn of(&self, keys: &Keys) -> Option<&KnownEstimate> {
        self.known.iter().find(|(known, _)| known == keys).map(|(_, known)| known)
    }

    /// Takes in what was found, and looks for what is wanted and not known, the first of them first.
    pub fn update(&mut self, context: &ViewContext<'_>, draft: &Draft, wanted: &[Keys], is_busy: bool) {
        let Some(project) = context.project else { return };
        let model = &draft.config.model;
        let basis = EstimateBasis {
            generation: project.generation,
            device: model.device,
            precision: model.precision,
            threads: model.threads,
        };
        if self.basis != Some(basis) {
            self.basis = Some(basis);
            self.known.clear();
            self.asked = None;
        }
        self.take_in();
        self.look_for_weights(context);
        self.look_at_images(context, project.generation, &project.dataset);
        if context.training != TrainingState::Idle {
            // A run needs the computer, and what is left to do changes with it.
            self.asked = None;
            return;
        }
        let is_wanted = self.asked.as_ref().is_some_and(|asked| wanted.contains(&asked.keys));
        // What is wanted follows from the images.
        if is_busy || is_wanted || self.aspect.is_busy() {
            return;
        }
        self.asked = None;
        if let Some(keys) = wanted.iter().find(|keys| self.of(keys).is_none()) {
            self.ask(context, draft, keys, &project.dataset);
        }
    }

    fn ask(&mut self, context: &ViewContext<'_>, draft: &Draft, keys: &Keys, dataset: &Arc<Dataset>) {
        let mut config = draft.config.clone();
        keys.put_into(&mut config.model);
        let (subject, speed) = (Subject::of(&config.model), self.speed(&config.model));
        let (dataset, estimate) = (Arc::clone(dataset), self.machine.estimate);
        let job = context.jobs.start_quietly("Measuring", move |progress| {
            estimate(&config, &dataset, speed, &|| progress.keep_going())
        });
        self.asked = Some(AskedEstimate { keys: keys.clone(), subject, job });
    }

    fn take_in(&mut self) {
        let Some(outcome) = self.asked.as_mut().and_then(|asked| asked.job.poll()) else { return };
        let Some(AskedEstimate { keys, subject, .. }) = self.asked.take() else { return };
        let known = match outcome {
            Outcome::Done(estimate) => {
                self.speeds.retain(|(known, _)| *known != subject);
                self.speeds.push((subject, estimate.speed));
                KnownEstimate::Seconds(estimate.seconds)
            }
            Outcome::Failed(message) => KnownEstimate::Failed(message),
            Outcome::Cancelled => return,
        };
        self.known.push((keys, known));
    }

    fn look_for_weights(&mut self, context: &ViewContext<'_>) {
        let weights = self.machine.weights;
        self.weights.want(&(), || context.jobs.start_quietly("Looking for weights", move |_| Ok(weights())));
    }

    fn look_at_images(&mut self, context: &ViewContext<'_>, generation: u64, dataset: &Arc<Dataset>) {
        self.aspect.want(&generation, || {
            let dataset = Arc::clone(dataset);
            context.jobs.start_quietly("Looking at the images' shape", move |_| {
                let path = |row: usize| dataset.rows.get(row).map(|row| row.image.to_path_buf());
                Ok(common_aspect(dataset.rows.len(), path))
            })
        });
    }
}
