//! Whose rules a network computes by, where publishers of the same layers differ.

use serde::{Deserialize, Serialize};

/// The rules that a network's weights were trained under. A checkpoint says which, and its network keeps them when it
/// trains on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conventions {
    /// Those of the publication whose names and shapes the network has; for Xception that is timm's PyTorch.
    #[default]
    Published,
    /// `keras.applications`, of a model that was imported: normalisation adds 1e-3 to the variance, and layers that
    /// halve the size are padded as TensorFlow's `same`.
    Keras,
}

impl Conventions {
    /// Whether they are those that go without saying.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What config files and checkpoints call them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Keras => "keras",
        }
    }
}
