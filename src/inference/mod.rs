//! One image or a million: batched prediction with a [`Predictor`].

use std::path::{Path, PathBuf};

use crate::config::{DeviceChoice, Task};
use crate::images::Rgb;

/// A network ready to predict, from one checkpoint file.
pub struct Predictor {
    tasks: Vec<Task>,
    path: PathBuf,
}

/// Per task (order of [`Predictor::tasks`]), the probability of each label; each sums to 1.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Prediction {
    /// `[task][label]`, 0 to 1.
    pub probabilities: Vec<Vec<f32>>,
}

impl Predictor {
    /// Loads a checkpoint, or the best one of a run folder. Blocks (hundreds of ms).
    ///
    /// # Errors
    /// The file is no checkpoint of Tasklens, or is damaged; the message says which and what to do.
    pub fn open(model_or_run: &Path, device: DeviceChoice) -> anyhow::Result<Self> {
        let _ = device;
        anyhow::bail!("{}: not built yet", model_or_run.display())
    }

    /// The tasks with their labels.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The checkpoint it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Predicts a batch of images of any size.
    ///
    /// # Errors
    /// The device ran out of memory or failed.
    pub fn predict(&self, images: &[Rgb]) -> anyhow::Result<Vec<Prediction>> {
        let _ = images;
        anyhow::bail!("not built yet")
    }
}
