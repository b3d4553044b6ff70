//! Events of a run ([`Event`]) and commands to it ([`Command`]): plain data, so that a run can be recorded to
//! `events.jsonl`, replayed, printed and tested.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Commands to a running run. Nothing else can be changed while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Pause after the current batch.
    Pause,
    /// Continue after a pause.
    Resume,
    /// Stop after the current batch and keep the best weights.
    Stop,
}

/// What a warning of a run is about, so that each front end can say where to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// The run itself: there is no more to see.
    #[default]
    Run,
    /// Rows of the data, whose problems are listed elsewhere.
    Data,
}

/// A warning of a run, as its record keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunWarning {
    /// What it is.
    pub message: String,
    /// Where to look for more.
    pub about: Concern,
}

impl Concern {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    fn is_run(&self) -> bool {
        *self == Self::Run
    }
}

/// Events of a run, in this order: `Preparing`*, `Started`, then `StageBegan`, `Batch`, `Epoch`,
/// `LearningRateReduced`, `Checkpoint`, `Warning`, `Paused`, `Resumed`, and last `Stopped` or `Failed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Work before the first epoch: reading data, weights (with bytes), stored features.
    Preparing {
        /// What is being done, for the user.
        what: String,
        /// Amount done, in the unit of `of`.
        done: u64,
        /// Total amount; 0 if unknown.
        of: u64,
    },
    /// The first epoch starts.
    Started(Started),
    /// A stage starts with this epoch; only in runs with `frozen_epochs`.
    StageBegan {
        /// The epoch (from 1).
        epoch: usize,
        /// What is trained from here on.
        stage: Stage,
    },
    /// Progress within an epoch; at most 20 per second.
    Batch(BatchProgress),
    /// An epoch is complete, validation included.
    Epoch(EpochMetrics),
    /// The plateau rule reduced the learning rate after this epoch.
    LearningRateReduced {
        /// The epoch (from 1) after which it was reduced.
        epoch: usize,
        /// The rate from the next epoch on.
        learning_rate: f64,
    },
    /// Weights were written and can be read from now on.
    Checkpoint {
        /// The epoch (from 1).
        epoch: usize,
        /// Whether they are the best so far by `val_loss`.
        best: bool,
        /// The checkpoint file.
        path: PathBuf,
    },
    /// Something the user must know that does not end the run.
    Warning {
        /// What it is.
        message: String,
        /// Where to look for more.
        #[serde(default, skip_serializing_if = "Concern::is_run")]
        about: Concern,
    },
    /// The run is paused.
    Paused,
    /// The run continues.
    Resumed,
    /// The run is over and its best weights are in place.
    Stopped(Stopped),
    /// The run ended with an error; its files so far stay in its folder.
    Failed {
        /// The message, with what to do.
        error: String,
    },
}

impl Event {
    /// A warning about the run itself.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::Warning { message: message.into(), about: Concern::Run }
    }
}

/// Properties of the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The run's folder.
    pub run: PathBuf,
    /// Such as `CPU, 2 threads` or `cuda:0 NVIDIA H100`.
    pub device: String,
    /// `fp32` or `bf16`.
    pub precision: String,
    /// Number of weights, trainable or not.
    pub parameters: u64,
    /// Number of training rows.
    pub n_train: usize,
    /// Number of validation rows.
    pub n_validation: usize,
    /// Task names, in the order of every per-task list in other events.
    pub tasks: Vec<String>,
    /// Per task, the validation labels; empty in runs of earlier versions.
    #[serde(default)]
    pub validation_labels: Vec<LabelledImages>,
    /// Maximum number of epochs.
    pub epochs: usize,
    /// Number of epochs that were already complete (in a resumed run).
    pub epochs_done: usize,
    /// Where the backbone's initial weights came from, for the user.
    pub weights: String,
    /// The batch size, where the config left it to the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_batch_size: Option<usize>,
}

/// Labels of the validation images for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelledImages {
    /// Number of images with a label.
    pub images: usize,
    /// Number of images with the most common label.
    pub most_common: usize,
}

/// The part of the network that is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The heads alone; the backbone is frozen.
    Heads,
    /// All layers.
    All,
}

/// Progress within an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchProgress {
    /// The epoch (from 1).
    pub epoch: usize,
    /// `train` or `validation`.
    pub phase: Phase,
    /// Images done in this phase.
    pub done: usize,
    /// Images in this phase.
    pub of: usize,
    /// Smoothed rate, images per second; 0 where neither it nor the times below are known yet.
    pub images_per_sec: f64,
    /// Mean loss of the phase so far.
    #[serde(with = "number_or_null")]
    pub loss: f64,
    /// Seconds to the end of this phase: its remaining images at this rate.
    #[serde(default)]
    pub phase_secs_left: f64,
    /// Seconds to the end of the stage's last epoch, with all its phases and without early stopping.
    pub secs_left: f64,
    /// The batches since the previous event of this pass; `None` while validating, and where none of them has a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<LatestBatches>,
}

impl BatchProgress {
    /// Whether rate and times are known: not before the second batch of a run.
    pub fn is_timed(&self) -> bool {
        self.images_per_sec > 0.0
    }
}

/// The loss of a few batches: all that were trained on between two events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatestBatches {
    /// How many there are, at least 1.
    pub batches: usize,
    /// Their mean loss, as for the gradient but with the fixed weights of the tasks alone: it estimates the loss of the
    /// epoch without bias, also if few images have a label for a task.
    #[serde(with = "number_or_null")]
    pub loss: f64,
    /// Loss per task, the mean over their labelled images; NaN without any.
    #[serde(with = "nan_as_null")]
    pub task_loss: Vec<f64>,
}

/// The two halves of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Weights are updated.
    Train,
    /// Weights are fixed.
    Validation,
}

/// Everything measured in one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// The epoch (from 1).
    pub epoch: usize,
    /// The learning rate of the heads; that of the last batch if it changes with each batch.
    pub learning_rate: f64,
    /// Wall time of training and validation, seconds.
    pub secs: f64,
    /// Images per second while training.
    pub images_per_sec: f64,
    /// Over the augmented training images, while the weights were changing.
    pub train: SplitMetrics,
    /// Over the validation images, not augmented.
    pub validation: SplitMetrics,
    /// Whether `validation.loss` is the best so far.
    pub best: bool,
    /// Per task its share of the gradient on the pooled features, 0 to 1 with sum 1: the mean over every tenth batch of
    /// the norm of its part divided by the sum of these norms. Empty with one task, and in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gradient_shares: Vec<f64>,
}

/// Loss and accuracy over one split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitMetrics {
    /// Sum over tasks of task weight times loss.
    #[serde(with = "number_or_null")]
    pub loss: f64,
    /// Loss per task; NaN if the split has no label of the task.
    #[serde(with = "nan_as_null")]
    pub task_loss: Vec<f64>,
    /// Accuracy per task, 0 to 1; NaN if the split has no label of the task.
    #[serde(with = "nan_as_null")]
    pub task_accuracy: Vec<f64>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    pub why: StopReason,
    /// The epoch (from 1) whose weights were kept, if any epoch was completed.
    pub best_epoch: Option<usize>,
    /// Metrics of that epoch.
    pub best: Option<EpochMetrics>,
    /// The checkpoint to predict with.
    pub model: Option<PathBuf>,
    /// Wall time of the whole run, seconds.
    pub secs: f64,
}

/// Why a run ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs are done.
    Finished,
    /// `val_loss` did not improve for `early_stopping_patience` epochs.
    EarlyStopping,
    /// The user stopped it.
    Asked,
}

/// JSON has no NaN and no infinity: a loss that is not finite is written as `null`.
mod number_or_null {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

/// JSON has no NaN: a task without labels in a split is written as `null`.
pub(crate) mod nan_as_null {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        values.iter().map(|v| v.is_finite().then_some(*v)).collect::<Vec<_>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<Option<f64>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_without_labels_survives_the_journey_through_json() {
        let metrics =
            SplitMetrics { loss: 1.5, task_loss: vec![1.5, f64::NAN], task_accuracy: vec![0.5, f64::NAN] };
        let text = serde_json::to_string(&metrics).unwrap();
        assert_eq!(text, r#"{"loss":1.5,"task_loss":[1.5,null],"task_accuracy":[0.5,null]}"#);
        let back: SplitMetrics = serde_json::from_str(&text).unwrap();
        assert!(back.task_loss[1].is_nan());
    }

    #[test]
    fn an_epoch_of_an_earlier_version_has_no_gradient_shares() {
        let line = r#"{"event":"epoch","epoch":1,"learning_rate":0.001,"secs":1.0,"images_per_sec":8.0,
            "train":{"loss":1.0,"task_loss":[1.0],"task_accuracy":[0.5]},
            "validation":{"loss":1.0,"task_loss":[1.0],"task_accuracy":[0.5]},"best":true}"#;
        let Event::Epoch(epoch) = serde_json::from_str(line).unwrap() else { panic!("an epoch") };
        assert!(epoch.gradient_shares.is_empty());
        assert!(!serde_json::to_string(&epoch).unwrap().contains("gradient"));
        let epoch = EpochMetrics { gradient_shares: vec![0.75, 0.25], ..epoch };
        let text = serde_json::to_string(&epoch).unwrap();
        assert_eq!(serde_json::from_str::<EpochMetrics>(&text).unwrap(), epoch);
    }

    #[test]
    fn a_loss_that_is_no_number_does_not_make_an_event_unreadable() {
        let metrics = SplitMetrics { loss: f64::NAN, ..SplitMetrics::default() };
        let text = serde_json::to_string(&metrics).unwrap();
        assert!(serde_json::from_str::<SplitMetrics>(&text).unwrap().loss.is_nan());
        let progress = BatchProgress {
            epoch: 1,
            phase: Phase::Validation,
            done: 1,
            of: 2,
            images_per_sec: 1.0,
            loss: f64::INFINITY,
            phase_secs_left: 1.0,
            secs_left: 1.0,
            latest: None,
        };
        let text = serde_json::to_string(&progress).unwrap();
        assert!(serde_json::from_str::<BatchProgress>(&text).unwrap().loss.is_nan());
    }
}
