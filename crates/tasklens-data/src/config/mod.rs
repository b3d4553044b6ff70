//! `config.yml` -> [`Config`]: every key with its default, its range and a located error.
//!
//! The YAML of the Python project opens unchanged; our own keys have defaults under which its
//! behaviour comes back. Relative paths are resolved against the folder of the file, or one around it: see [`Root`].

pub(crate) mod dataset_config;
mod edit;
pub mod limits;
pub mod networks;
mod outside;
mod parse;
pub mod presets;
mod reader;
mod recipe;
mod root;
mod slips;
mod tasks;
mod vocabulary;
mod write;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use edit::{edit_settings, edit_vocabulary};
pub use networks::Backbone;
pub use outside::{OutputPath, Outside};
pub use presets::Recipe;
pub use recipe::{Optimizer, RandomCrop, Schedule, TaskBalancing, WEIGHT_DECAY};
pub use root::Root;
pub use vocabulary::VocabularyChange;
pub(crate) use write::auto_or;
pub use write::scalar as yaml_scalar;

use crate::files::regular;

/// A longer file is not read as a config; a hundred thousand labels fit.
const MAX_BYTES: u64 = 16 << 20;

/// The content of a `config.yml`, checked and with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Where its relative paths start.
    pub root: Root,
    /// Where things are and go.
    pub paths: ConfigPaths,
    /// What to train, and how.
    pub model: ModelConfig,
    /// Messages for the user, such as a `.h5` path that became `.safetensors`.
    pub notices: Vec<String>,
}

/// The `paths:` section, made absolute.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigPaths {
    /// `model_dataframe`: the CSV.
    pub model_dataframe: PathBuf,
    /// `model_path`: where the best checkpoint is copied when a run ends; optional.
    pub model_path: Option<PathBuf>,
    /// `training_history_path`: where `history.csv` is copied at each epoch; optional.
    pub training_history_path: Option<PathBuf>,
    /// `runs`: the folder that holds one folder per run. Default: `runs` in the project's folder.
    pub runs: PathBuf,
    /// `images`: the folder that image paths start at, where they are not below the CSV's. Default:
    /// the project's folder; a run's config keeps it, so that a resumed run finds its images.
    pub images: PathBuf,
}

/// The `model:` section.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// Input height in pixels (32 to 1024), from `input_shape: [height, width]`.
    pub height: u32,
    /// Input width in pixels (32 to 1024).
    pub width: u32,
    /// `target_encoder`: tasks in file order, each with its ordered labels.
    pub tasks: Vec<Task>,
    /// `paths`: the CSV column that holds the image path.
    pub path_column: String,
    /// `split_column`: the CSV column that says train or validation; optional.
    pub split_column: Option<String>,
    /// `freeze_convolutional_layers`: train the heads alone, on stored features.
    pub freeze_convolutional_layers: bool,
    /// `batch_size`, 1 to 4096: images per step.
    pub batch_size: usize,
    /// `batch_size: auto`: a new run finds the largest that fits, and `batch_size` stands for it until then.
    pub auto_batch_size: bool,
    /// `random_seed`: of the split, new weights and augmentation. Default 42.
    pub random_seed: u64,
    /// `learning_rate`, above 0 and at most 1.
    pub learning_rate: f64,
    /// `backbone_learning_rate`: learning rate of the backbone where all layers train; `None` means `learning_rate`.
    /// A schedule changes both in proportion.
    pub backbone_learning_rate: Option<f64>,
    /// `schedule`: how the learning rate changes during a run.
    pub schedule: Schedule,
    /// `optimizer` and `weight_decay`.
    pub optimizer: Optimizer,
    /// `label_smoothing`, 0 to below 1: the share of a label that is spread over all labels of its task, in the
    /// training loss only, so that `val_loss` can be compared with other runs and with Inspect.
    pub label_smoothing: f64,
    /// `frozen_epochs`: number of initial epochs that train the heads alone, with the backbone frozen. Below
    /// `epochs`.
    pub frozen_epochs: usize,
    /// `early_stopping_patience`, epochs.
    pub early_stopping_patience: usize,
    /// `early_stopping_min_delta`: how much lower `val_loss` must be to count as better. Default 0, as in Keras.
    pub early_stopping_min_delta: f64,
    /// `lr_reducer_factor`, above 0 and below 1.
    pub lr_reducer_factor: f64,
    /// `lr_reducer_patience`, epochs.
    pub lr_reducer_patience: usize,
    /// `lr_reducer_min_delta`: as above, for the plateau rule. Default 0.0001, as in Keras.
    pub lr_reducer_min_delta: f64,
    /// `lr_reducer_cooldown`, epochs. Default 0, as in Keras.
    pub lr_reducer_cooldown: usize,
    /// `min_lr`: the learning rate is never reduced below it.
    pub min_lr: f64,
    /// `epochs`: maximum number of epochs. Default 100.
    pub epochs: usize,
    /// `validation_split`: share of the rows kept for validation, above 0 and below 1. Default 0.2.
    pub validation_split: f64,
    /// `not_applicable`: what stands in a cell where the task makes no sense for the image. Default `n/a`. A task that
    /// lists this text as a label has the label.
    pub not_applicable: String,
    /// `augmentation`: random changes to training images.
    pub augmentation: Augmentation,
    /// `backbone`: the network that all tasks share.
    pub backbone: Backbone,
    /// `pretrained`: where the initial weights of the backbone come from.
    pub pretrained: Pretrained,
    /// `precision`: the number format of the forward pass.
    pub precision: Precision,
    /// `device`: the processor to use.
    pub device: DeviceChoice,
    /// `task_weights`, one per task in the order of `tasks`: weight of its loss, which is the mean over the rows with
    /// a label, however few. Default 1.
    pub task_weights: Vec<f64>,
    /// `task_balancing`: whether the losses of the tasks are also weighted by what the run learns. Default `fixed`.
    pub task_balancing: TaskBalancing,
    /// `class_weights`: weights of the labels in the training loss.
    pub class_weights: ClassWeights,
    /// `threads`: CPU threads for computing; `None` is `auto`, as many as other programs leave cores.
    pub threads: Option<usize>,
    /// `workers`: threads that decode and augment images; `None` is `auto`.
    pub workers: Option<usize>,
}

/// One question about an image and the answers it can have.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Task {
    /// The CSV column and the name shown everywhere.
    pub name: String,
    /// The ordered labels: the position is the class index.
    pub labels: Vec<String>,
}

/// Random changes to each training image; the defaults are those of the Python project.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Augmentation {
    /// Rotation by up to this many degrees either way. Default 10.
    pub rotation: f32,
    /// Shift by up to this share of width and height either way. Default 0.15.
    pub shift: f32,
    /// Zoom drawn from this range, 1 is none. Default 0.8 to 1.2.
    pub zoom: (f32, f32),
    /// Brightness factor drawn from this range, 1 is none. Default 0.5 to 1.5.
    pub brightness: (f32, f32),
    /// Mirror every other image horizontally. Default true.
    pub horizontal_flip: bool,
    /// Enlarge a random part. Default none, which is not written out, so that older configs stay as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<RandomCrop>,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            rotation: 10.0,
            shift: 0.15,
            zoom: (0.8, 1.2),
            brightness: (0.5, 1.5),
            horizontal_flip: true,
            crop: None,
        }
    }
}

impl Augmentation {
    /// No change at all.
    pub fn none() -> Self {
        Self {
            rotation: 0.0,
            shift: 0.0,
            zoom: (1.0, 1.0),
            brightness: (1.0, 1.0),
            horizontal_flip: false,
            crop: None,
        }
    }
}

/// `pretrained`: where the initial weights of the backbone come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pretrained {
    /// `auto`: the cache, else a download, else from scratch with a warning.
    #[default]
    Auto,
    /// `required`: as `auto`, but an error instead of training from scratch.
    Required,
    /// `none`: from scratch.
    None,
    /// A safetensors file with the public names (absolute).
    File(PathBuf),
}

/// `precision`: number format of the forward pass; weights, statistics and loss stay float32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// `auto`: bf16 if the processor supports it, else fp32.
    #[default]
    Auto,
    /// `fp32`.
    Fp32,
    /// `bf16`.
    Bf16,
}

/// `device`: which processor to train on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// `auto`: the first GPU that works, else the CPU.
    #[default]
    Auto,
    /// `cpu`.
    Cpu,
    /// `cuda` or `cuda:N`.
    Cuda(usize),
    /// `mps`.
    Mps,
}

impl DeviceChoice {
    /// Parses the name of a device, as in a config or on the command line.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            "mps" => Some(Self::Mps),
            _ => name.strip_prefix("cuda:")?.parse().ok().filter(|index| *index < 1024).map(Self::Cuda),
        }
    }
}

/// `class_weights`: how much each label counts in the training loss, relative to the other labels of its task.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// `none`: each row counts the same.
    #[default]
    None,
    /// `balanced`: rows / (labels * rows with the label), per task.
    Balanced,
    /// Weights per task (order of `tasks`) and label; 1 unless the file says otherwise.
    PerLabel(Vec<Vec<f64>>),
}

impl Config {
    /// Reads and checks a config file.
    ///
    /// # Errors
    /// A [`ConfigError`] that names file, line, key, what was expected and the nearest valid key.
    pub fn open(file: &Path) -> Result<Self, ConfigError> {
        Self::with_overrides(file, &[])
    }

    /// [`Config::open`] with keys replaced before the check, as `--set model.epochs=3` does: pairs of
    /// a dotted key and its value in YAML. Relative paths start where those of `file` do.
    ///
    /// # Errors
    /// As [`Config::open`]; an error in an override names its `--set` argument.
    pub fn with_overrides(file: &Path, overrides: &[(String, String)]) -> Result<Self, ConfigError> {
        Self::read(&read_text(file)?, file, overrides)
    }

    /// Parses and checks the text of a config as if it were read from `file`, which need not exist.
    ///
    /// # Errors
    /// As [`Config::open`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        Self::read(text, file, &[])
    }

    fn read(text: &str, file: &Path, overrides: &[(String, String)]) -> Result<Self, ConfigError> {
        let error = |line, message| ConfigError { file: file.to_path_buf(), line, message };
        let mut root = yaml::parse(text).map_err(|fault| error(Some(fault.line), fault.message))?;
        for (key, value) in overrides {
            let root = root.get_or_insert_with(yaml::Node::empty_map);
            yaml::set(root, key, value).map_err(|message| error(None, message))?;
        }
        parse::config(root.as_ref(), file)
    }

    /// The config as YAML: every key, paths absolute, so that it means the same wherever it is saved.
    pub fn to_yaml(&self) -> String {
        write::yaml(self, None)
    }

    /// The same for a file in `folder`, which is there: what lies in the project's folder, or was written from
    /// there, is found from `folder`, so that both can be moved together.
    pub fn to_yaml_in(&self, folder: &Path) -> String {
        write::yaml(self, Some(folder))
    }

    /// Writes [`Config::to_yaml`] to `file`.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn save(&self, file: &Path) -> std::io::Result<()> {
        crate::files::replace(file, self.to_yaml().as_bytes())
    }
}

fn read_text(file: &Path) -> Result<String, ConfigError> {
    let bytes = regular::read(file, MAX_BYTES).map_err(|source| ConfigError {
        file: file.to_path_buf(),
        line: None,
        message: format!("cannot be read: {source}"),
    })?;
    String::from_utf8(bytes).map_err(|source| {
        let before = &source.as_bytes()[..source.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = "this is not UTF-8 text; save the file as UTF-8".to_owned();
        ConfigError { file: file.to_path_buf(), line: Some(line), message }
    })
}

/// The nearest of `candidates`, where it is near enough to be what was meant.
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase();
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&text, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let longest = text.chars().count().max(candidate.chars().count());
            *distance <= (longest * 2 / 5).max(1) && *distance < longest
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// An error in a config, with its location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}", file.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
pub struct ConfigError {
    pub file: PathBuf,
    /// Line from 1, if known.
    pub line: Option<usize>,
    /// The key, what was found, what was expected, and what to do.
    pub message: String,
}
