//! Gathers what a training suggestion depends on, from this computer.

use tasklens_data::config::presets::{PresetFacts, Proposed};
use tasklens_data::config::{Backbone, DeviceChoice, Recipe};

use crate::device;
use crate::model::pretrained;

/// The networks whose public weights are in the cache.
pub fn weights_here() -> Vec<Backbone> {
    Backbone::ALL.iter().copied().filter(|network| pretrained::cached(*network).is_some()).collect()
}

/// The suggested settings for a new project with this many images, this many of them labelled, and the height over width
/// that most share, on this computer. Looks for a GPU, which may take a second.
pub fn propose(images: usize, labelled: usize, aspect: Option<f32>) -> Proposed {
    let has_gpu = device::pick(DeviceChoice::Auto).is_ok_and(|device| device.is_gpu());
    Recipe::proposed(&PresetFacts { images, labelled, has_gpu, weights: weights_here(), aspect })
}
