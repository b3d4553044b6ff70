//! The places of the window, by name.

use strum::VariantArray;

/// The places of the left rail, in the order of the work.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, VariantArray, serde::Serialize, serde::Deserialize,
)]
pub enum Place {
    /// The rows, their labels and what is wrong with them.
    #[default]
    Data,
    /// One label after the other, with the network's help.
    Label,
    /// Training and the curves of runs.
    Train,
    /// Predictions for images from anywhere.
    Predict,
    /// Where and why a network is wrong.
    Inspect,
}

impl Place {
    /// All places, from top to bottom.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Its name in the rail.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Label => "Label",
            Self::Train => "Train",
            Self::Predict => "Predict",
            Self::Inspect => "Inspect",
        }
    }
}
