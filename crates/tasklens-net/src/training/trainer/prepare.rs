//! What comes before the first batch of a run: rows, network, features, and the files that say what it is.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Split;
use tasklens_data::files;
use tasklens_torch::memory::Keeping;
use tch::Kind;

use super::Run;
use crate::device::Device;
use crate::inference::engine::Engine;
use crate::inference::precision_name;
use crate::inference::samples::SampleSource;
use crate::model::network::Network;
use crate::training::adam::Adam;
use crate::training::balance::TaskBalance;
use crate::training::batch_size;
use crate::training::events::{Event, Stage, Started};
use crate::training::features::{Extractor, store, training_views};
use crate::training::passes::{self, BatchFeed, PassPlan, Passes};
use crate::training::progress::{self, RunProgress};
use crate::training::ranks::follower::Beginning;
use crate::training::ranks::{Ranks, follower, gpus};
use crate::training::reporter::Reporter;
use crate::training::run_folder::{CONFIG, LAST};
use crate::training::{Request, setup, split_file, stages};

impl Run {
    /// Opens or resumes a run in `folder`, on the split of another run if one is given, up to where its first epoch
    /// begins; brings the other processes there, too.
    ///
    /// # Errors
    /// The data cannot be trained with, the run cannot be resumed with this config, or a file cannot be read or
    /// written. A resumed run that is refused stays as it was.
    pub(super) fn prepare(
        request: &Request,
        split_of: Option<&Path>,
        ranks: Option<&Rc<Ranks>>,
        folder: PathBuf,
        reporter: &mut Reporter,
    ) -> anyhow::Result<Self> {
        let mut config = request.config.clone();
        let place = ranks.map(|ranks| ranks.place());
        reporter.log_to(&folder)?;
        let data = open_data(request, split_of, &folder, reporter)?;
        let device = setup::device(&config, place)?;
        let kind = setup::precision(&config, &device);
        if config.model.auto_batch_size {
            ensure!(
                ranks.is_none(),
                "`batch_size: auto` is for one process: set the number of images of all processes together"
            );
            let (resumed, images) = (request.resume.then_some(&*folder), data.split.train.len());
            batch_size::settle(&mut config, resumed, images, (&device, kind), reporter)?;
        }
        passes::check_batches(&config, data.split.train.len())?;

        if request.resume
            && let Some(notice) = stages::check_resumed(&config, &folder.join(CONFIG))?
        {
            reporter.warn(notice);
        }
        let Trainee { mut network, mut progress, adam, balance, stage } =
            trainee(&config, request.resume, &folder, &device, reporter)?;
        let behind = request.resume.then(|| progress.settle(&folder, &config, reporter));
        // From here on the run has this config: a resumed run that was refused above stays unchanged.
        let path = folder.join(CONFIG);
        files::replace(&path, config.to_yaml_in(&folder).as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        split_file::write(&folder, &data, &data.split)?;

        let weights = setup::weights(&config, &data, balance.as_ref().map(TaskBalance::share), device.tch)?;
        let validation_labels = setup::labelled(&config, &data, &data.split.validation);
        let Dataset { rows, split, .. } = data;
        let source = setup::source(&config, rows, place);
        let workers = setup::workers(&config, &device, place);
        let others = place.map_or(String::new(), |place| format!(", {} processes", place.size));
        reporter.send(Event::Started(Started {
            run: folder.clone(),
            device: device.name.clone() + &others,
            precision: precision_name(kind).to_owned(),
            parameters: network.parameters().count(),
            n_train: split.train.len(),
            n_validation: split.validation.len(),
            tasks: config.model.tasks.iter().map(|task| task.name.clone()).collect(),
            validation_labels,
            epochs: config.model.epochs,
            epochs_done: progress.epochs.len(),
            weights: progress.weights.clone(),
            found_batch_size: reporter.found_batch_size,
        }));
        let feed = if stage == Stage::Heads {
            stored_features(&config, &mut network, (&source, &split), kind, workers, reporter)?
        } else {
            BatchFeed::Images { workers }
        };
        let last = stage.epochs(&config.model).1;
        let plan = PassPlan { config: &config, last, device: device.tch, kind, ranks };
        if let Some(ranks) = ranks {
            let beginning = Beginning {
                made_by: follower::VERSION.to_owned(),
                settings: follower::settings(&config),
                rows: source.rows.len(),
                labels: follower::fingerprint(&source.rows),
                train: split.train.clone(),
                is_bf16: kind == Kind::BFloat16,
                conventions: network.conventions(),
                epoch: (progress.epochs.len() + 1).min(config.model.epochs),
                steps: adam.steps(),
            };
            ranks.say(&beginning)?;
            beginning.share(ranks, &network, &adam, balance.as_ref())?;
            if let Some(notice) = gpus::shared(ranks, &device)? {
                reporter.warn(notice);
            }
        }
        let passes = Passes::new(Arc::clone(&source), feed, Arc::unwrap_or_clone(split), plan, weights);
        Ok(Self {
            config,
            folder,
            rows: source,
            network,
            adam,
            balance,
            passes,
            progress,
            behind,
            kind,
            stage,
            workers,
            ranks: ranks.map(Rc::clone),
            _memory: Keeping::begin(),
        })
    }
}

/// The rows of a run with their split: that of `folder` for a resumed run, or that of another run.
fn open_data(
    request: &Request,
    split_of: Option<&Path>,
    folder: &Path,
    reporter: &mut Reporter,
) -> anyhow::Result<Dataset> {
    let config = &request.config;
    let mut data = setup::open_data(config, &request.edits.of(&config.paths.model_dataframe), reporter)?;
    if request.resume {
        setup::keep_split(folder, &mut data, reporter)?;
    } else if let Some(other) = split_of {
        setup::take_split(other, &mut data)?;
    }
    Ok(data)
}

/// A network with what its training has come to.
struct Trainee {
    network: Network,
    progress: RunProgress,
    adam: Adam,
    balance: Option<TaskBalance>,
    /// The stage of its next epoch.
    stage: Stage,
}

/// A new network, or that of the last checkpoint in `folder`.
fn trainee(
    config: &Config,
    resumes: bool,
    folder: &Path,
    device: &Device,
    reporter: &mut Reporter,
) -> anyhow::Result<Trainee> {
    let resumed = resumes.then(|| progress::load_last(folder, config, device, reporter)).transpose()?;
    let (network, progress, state) = match resumed {
        Some((network, progress, state)) => (network, progress, Some(state)),
        None => {
            let (network, weights) = setup::new_network(config, device, reporter)?;
            (network, RunProgress::new(config, weights), None)
        }
    };
    let model = &config.model;
    let done = progress.epochs.len();
    let stage = Stage::of(model, (done + 1).min(model.epochs));
    let balance = TaskBalance::of(model, device.tch)?;
    let mut adam = stage.optimizer(model, &network, balance.as_ref())?;
    let is_within = progress.within.is_some();
    // Both stages train the same log variances.
    if let (Some(balance), Some(state), true) = (&balance, &state, done > 0 || is_within) {
        balance.restore(state).with_context(|| format!("{LAST} cannot be resumed"))?;
    }
    // A stage that is about to start has its own optimizer.
    if let Some(state) = state.filter(|_| is_within || done >= stage.epochs(model).0) {
        adam.restore(&state, progress.adam_steps).with_context(|| format!("{LAST} cannot be resumed"))?;
    }
    Ok(Trainee { network, progress, adam, balance, stage })
}

/// The features that the heads learn from, computed as in prediction: the network is folded.
pub(in crate::training) fn stored_features(
    config: &Config,
    network: &mut Network,
    (source, split): (&SampleSource, &Split),
    kind: Kind,
    workers: usize,
    reporter: &mut Reporter,
) -> anyhow::Result<BatchFeed> {
    network.fold(kind)?;
    let (views, size) = (training_views(&config.model)?, source.cache.size());
    let mut extractor = Extractor {
        network,
        rows: &source.rows,
        size,
        augmentation: &source.augmentation,
        kind,
        batch_size: config.model.batch_size,
        workers,
        threads: config.model.threads,
        store: store(config, network, kind)?,
        of: split.train.len() * views.len() + split.validation.len(),
        engine: Engine::new(network.device(), network.tasks().len(), size, kind),
    };
    let train = extractor.training(&split.train, &views, reporter)?;
    // A process that only follows does not validate.
    let validation = match split.validation.as_slice() {
        [] => train.clone(),
        rows => extractor.validation(rows, reporter)?,
    };
    Ok(BatchFeed::Features { train, validation })
}
