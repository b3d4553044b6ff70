//! The model that answers, and its exchange for better weights.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use parking_lot::RwLock;
use serde_json::{Map, Value, json};
use tasklens_data::config::DeviceChoice;
use tasklens_data::files::Stamp;
use tasklens_data::panics;
use tasklens_net::export::about::About;
use tasklens_net::inference::engine::Demand;
use tasklens_net::inference::{Predictor, checkpoint_of};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Service;

/// How often the file is looked at.
const PERIOD: Duration = Duration::from_secs(2);

/// A model as it was loaded.
pub struct Model {
    pub predictor: Predictor,
    about: About,
    loaded: OffsetDateTime,
    stamp: Stamp,
}

impl Model {
    fn open(model_or_run: &Path, device: DeviceChoice) -> anyhow::Result<Self> {
        let file = checkpoint_of(model_or_run);
        // Before it is read: what comes in between is read again.
        let stamp = Stamp::of(&file);
        let predictor = Predictor::open(model_or_run, device)?;
        let stamp = stamp.with_context(|| format!("{} cannot be read", file.display()))?;
        predictor.speed_up(Demand::SingleImages);
        predictor.speed_up(Demand::Batches);
        let about = About::new(&file, predictor.description())?;
        Ok(Self { predictor, about, loaded: OffsetDateTime::now_utc(), stamp })
    }

    /// The run's name, or that of the file.
    pub fn name(&self) -> &str {
        &self.about.run
    }

    /// Epochs that it was trained for.
    pub fn epoch(&self) -> usize {
        self.about.epoch
    }

    /// When it was loaded, seconds since 1970.
    pub fn loaded(&self) -> i64 {
        self.loaded.unix_timestamp()
    }

    /// Tasks and accuracies in a sentence.
    pub fn told(&self) -> String {
        let tasks =
            self.about.tasks.iter().zip(&self.about.scores).map(|(task, score)| match score.accuracy {
                Some(accuracy) => format!("{} {:.1} %", task.name, 100.0 * accuracy),
                None => task.name.clone(),
            });
        let tasks = tasks.collect::<Vec<_>>().join(", ");
        format!("epoch {} on {}: {tasks}", self.about.epoch, self.predictor.device().name)
    }

    /// `GET /model`
    pub fn json(&self) -> Value {
        let About { run, network, tasks, scores, size: (height, width), epoch, .. } = &self.about;
        let tasks: Map<String, Value> = tasks
            .iter()
            .zip(scores)
            .map(|(task, score)| {
                let about = json!({
                    "labels": task.labels,
                    "accuracy": score.accuracy,
                    "validation_images": score.images,
                });
                (task.name.clone(), about)
            })
            .collect();
        json!({
            "name": run,
            "network": network.name,
            "epoch": epoch,
            "tasks": tasks,
            "input": {"height": height, "width": width},
            "device": self.predictor.device().name,
            "precision": self.predictor.precision(),
            "loaded": self.loaded.format(&Rfc3339).unwrap_or_default(),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}

/// The model that answers now.
pub struct Current {
    path: PathBuf,
    device: DeviceChoice,
    model: RwLock<Arc<Model>>,
}

impl Current {
    pub fn open(model_or_run: &Path, device: DeviceChoice) -> anyhow::Result<Self> {
        let model = RwLock::new(Arc::new(Model::open(model_or_run, device)?));
        Ok(Self { path: model_or_run.to_path_buf(), device, model })
    }

    /// It stays whole for whoever holds it, also when another takes its place.
    pub fn get(&self) -> Arc<Model> {
        Arc::clone(&self.model.read())
    }

    /// Loads the file again if it is another one than that of the model. A `refused` one is not tried twice.
    fn follow(&self, refused: &mut Option<Stamp>) -> anyhow::Result<Option<Arc<Model>>> {
        // While it is replaced there is none, for a moment.
        let Ok(stamp) = Stamp::of(&checkpoint_of(&self.path)) else { return Ok(None) };
        let before = self.get();
        if stamp == before.stamp || Some(&stamp) == refused.as_ref() {
            return Ok(None);
        }
        *refused = Some(stamp);
        let model = Arc::new(Model::open(&self.path, self.device)?);
        ensure!(
            model.about.tasks == before.about.tasks,
            "{} has other tasks or labels now, and who asks may rely on those of before: start the service again to \
             use it",
            self.path.display()
        );
        *refused = None;
        *self.model.write() = Arc::clone(&model);
        Ok(Some(model))
    }
}

/// Lets the thread end that looks for better weights.
pub struct Follower {
    _ends: Sender<()>,
}

/// Looks for better weights from now on, in a thread.
pub fn follow(service: &Arc<Service>) -> std::io::Result<Follower> {
    let (ends, ended) = bounded::<()>(0);
    let service: Weak<Service> = Arc::downgrade(service);
    std::thread::Builder::new().name("better weights".to_owned()).spawn(move || {
        let mut refused = None;
        while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
            let Some(service) = service.upgrade() else { return };
            let followed = panics::catch(|| service.current.follow(&mut refused))
                .unwrap_or_else(|message| Err(anyhow::Error::msg(message)));
            match followed {
                Ok(None) => {}
                Ok(Some(model)) => {
                    service.figures.loaded(&model);
                    say!("new weights: {}", model.told());
                }
                Err(error) => say!("warning: {error:#}; the model of before goes on answering"),
            }
        }
    })?;
    Ok(Follower { _ends: ends })
}
