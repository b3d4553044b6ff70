//! Schedule, optimizer, stages, balancing of the tasks and label smoothing. The defaults are those of the Python project: Adam, reduction of
//! the learning rate on plateau, all layers from the first epoch.

use super::ModelConfig;
use super::reader::{ConfigReader, Section};
use super::yaml::Node;

/// Defaults that another key refers to.
pub(super) const LEARNING_RATE: f64 = 0.001;
pub(super) const LR_REDUCER_FACTOR: f64 = 0.1;
pub(super) const LR_REDUCER_PATIENCE: u64 = 5;
pub(super) const MIN_LR: f64 = 1e-6;

/// `schedule`: how the learning rate changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// `plateau`: multiplied by `lr_reducer_factor` when `val_loss` has not improved for `lr_reducer_patience`
    /// epochs.
    #[default]
    Plateau,
    /// `one_cycle`: changes with every batch, linearly up to `learning_rate` and then down along a cosine, once per
    /// stage.
    OneCycle,
}

impl Schedule {
    /// All schedules with their names.
    pub const ALL: [(&str, Self); 2] = [("plateau", Self::Plateau), ("one_cycle", Self::OneCycle)];

    /// Its name in configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plateau => "plateau",
            Self::OneCycle => "one_cycle",
        }
    }
}

/// `optimizer`, with `weight_decay`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Optimizer {
    /// `adam`: as in Keras.
    #[default]
    Adam,
    /// `adamw`: the same with decoupled weight decay (Loshchilov and Hutter 2019). Biases and the parameters of batch
    /// normalisation do not decay.
    AdamW {
        /// Decay per step as a share of the learning rate, 0 to 1.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Its name in configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW { .. } => "adamw",
        }
    }
}

/// Default of `weight_decay` for `adamw`, as in PyTorch.
pub const WEIGHT_DECAY: f64 = 0.01;

/// `task_balancing`: how the losses of the tasks add up to the loss that is minimised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskBalancing {
    /// `fixed`: the sum of `task_weights` times losses, as in the Python project.
    #[default]
    Fixed,
    /// `uncertainty`: each task also has a weight that is learnt with the network (Kendall, Gal and Cipolla 2018).
    Uncertainty,
}

impl TaskBalancing {
    /// All ways with their names.
    pub const ALL: [(&str, Self); 2] = [("fixed", Self::Fixed), ("uncertainty", Self::Uncertainty)];

    /// Its name in configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Uncertainty => "uncertainty",
        }
    }
}

/// `augmentation.crop`: enlarges a random part of the image, as torchvision's `RandomResizedCrop` does.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RandomCrop {
    /// Range for the part's share of the area; 0.01 to 1.
    pub scale: (f32, f32),
    /// Range for width divided by height, on a logarithmic scale; 0.1 to 10.
    pub ratio: (f32, f32),
}

impl Default for RandomCrop {
    fn default() -> Self {
        Self { scale: (0.08, 1.0), ratio: (0.75, 4.0 / 3.0) }
    }
}

pub(super) fn optimizer(reader: &mut ConfigReader, section: &Section<'_>) -> Optimizer {
    let choices = [("adam", false), ("adamw", true)];
    let is_adamw = reader.choice(section, "optimizer", &choices, false);
    let fits = |value: f64| (0.0..=1.0).contains(&value);
    let expected = "a number from 0 to 1, such as 0.01";
    let weight_decay = reader.number(section, "weight_decay", WEIGHT_DECAY, expected, fits);
    if is_adamw {
        return Optimizer::AdamW { weight_decay };
    }
    if let Some(node) = section.get("weight_decay") {
        let message = "`model.weight_decay` is for `optimizer: adamw` and would change nothing with `adam`: set \
                       `optimizer: adamw`, or take it out";
        reader.fault(Some(&node.place), message);
    }
    Optimizer::Adam
}

/// `None` if it is not given: the backbone then uses `learning_rate`.
pub(super) fn backbone_learning_rate(reader: &mut ConfigReader, section: &Section<'_>) -> Option<f64> {
    section.get("backbone_learning_rate").filter(|node| !node.is_null())?;
    let fits = |value: f64| value > 0.0 && value <= 1.0;
    let expected = "a number above 0 and at most 1, such as 0.0005";
    Some(reader.number(section, "backbone_learning_rate", LEARNING_RATE, expected, fits))
}

/// `None` if cropping is off.
pub(super) fn crop(reader: &mut ConfigReader, augmentation: &Section<'_>) -> Option<RandomCrop> {
    let node = augmentation.get("crop").filter(|node| !node.is_null())?;
    match node.text().map(str::to_ascii_lowercase).as_deref() {
        Some("none" | "false" | "no" | "off") => return None,
        Some("true" | "yes" | "on") => return Some(RandomCrop::default()),
        _ => {}
    }
    let (name, default) = (augmentation.full("crop"), RandomCrop::default());
    let expected = "`none`, `true`, or a group of keys such as `scale: [0.35, 1]`";
    let entries = reader.map(&name, node, expected);
    let section = Section { name: &name, place: Some(&node.place), entries };
    reader.only_known(&section, &["scale", "ratio"], &[]);
    Some(RandomCrop {
        scale: reader.range(&section, "scale", default.scale, 0.01..=1.0),
        ratio: reader.range(&section, "ratio", default.ratio, 0.1..=10.0),
    })
}

impl ModelConfig {
    /// Keys that contradict each other: the offending key, and what to do. A config that was just read has none; one
    /// that was changed afterwards may.
    pub fn contradiction(&self) -> Option<(&'static str, String)> {
        if self.freeze_convolutional_layers && self.backbone_learning_rate.is_some() {
            let message = "`model.backbone_learning_rate` says how fast the backbone learns, and \
                           `freeze_convolutional_layers: true` that it does not: take one of them out";
            return Some(("backbone_learning_rate", message.to_owned()));
        }
        if self.freeze_convolutional_layers && self.frozen_epochs > 0 {
            let message = "`model.frozen_epochs` trains all layers in the end, and `freeze_convolutional_layers: true` \
                           never does: take one of them out";
            return Some(("frozen_epochs", message.to_owned()));
        }
        (self.frozen_epochs >= self.epochs).then(|| {
            let message = format!(
                "`model.frozen_epochs` is {}, and of {} epochs none is left for all layers: expected fewer; for the heads \
                 alone there is `freeze_convolutional_layers: true`",
                self.frozen_epochs, self.epochs
            );
            ("frozen_epochs", message)
        })
    }
}

/// Reports keys that contradict each other, and keys without effect.
pub(super) fn check(reader: &mut ConfigReader, section: &Section<'_>, model: &ModelConfig) {
    let place = |key: &str| section.get(key).map(|node: &Node| &node.place);
    if let Some((key, message)) = model.contradiction() {
        reader.fault(place(key).or_else(|| place("epochs")), message);
    }
    let unused: Vec<String> = ["lr_reducer_factor", "lr_reducer_patience", "lr_reducer_cooldown", "min_lr"]
        .into_iter()
        .filter(|key| model.schedule == Schedule::OneCycle && is_given(section, key))
        .map(|key| format!("`{key}`"))
        .collect();
    if !unused.is_empty() {
        let notice = format!("with `schedule: one_cycle` these keys have no effect: {}", unused.join(", "));
        reader.notices.push(notice);
    }
}

/// Whether a key differs from its default (the config of a run has every key).
fn is_given(section: &Section<'_>, key: &str) -> bool {
    let default = match key {
        "lr_reducer_factor" => LR_REDUCER_FACTOR,
        "lr_reducer_patience" => LR_REDUCER_PATIENCE as f64,
        "min_lr" => MIN_LR,
        _ => 0.0,
    };
    let value = section.get(key).and_then(Node::text).and_then(|text| text.parse::<f64>().ok());
    value.is_some_and(|value| value != default)
}
