//! Estimates how long a run takes on this computer: the remaining work times a freshly measured speed.

pub(in crate::training) mod measure;
mod work;

pub use measure::{Speed, Subject};
pub use work::EstimatedWork;

use tasklens_data::config::{Config, ModelConfig};
use tasklens_data::dataset::Dataset;

use super::events::Stage;
use super::features::augmented_views;
use crate::device;

/// The duration of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeEstimate {
    /// Seconds to the end of the last epoch; early stopping makes it shorter.
    pub seconds: f64,
    /// The work that it is based on.
    pub speed: Speed,
}

/// Estimates a run of `config` on `data`, with a known speed or one that is measured now, which takes a few seconds.
///
/// # Errors
/// Cancelled by `keep_going`; the device or the cached weights do not work; or none of the sampled images can be
/// read.
pub fn estimate(
    config: &Config,
    data: &Dataset,
    speed: Option<Speed>,
    keep_going: &dyn Fn() -> bool,
) -> anyhow::Result<TimeEstimate> {
    let speed = match speed {
        Some(speed) => speed,
        None => measure::measure(config, &data.rows, keep_going)?,
    };
    let has_gpu = device::pick(config.model.device)?.is_gpu();
    let work = work::count(config, data)?;
    Ok(TimeEstimate { seconds: seconds(&config.model, &work, &speed, has_gpu), speed })
}

/// Seconds to the end of the last epoch; early stopping makes it shorter. `has_gpu`: decoding on the CPU then
/// overlaps with the network.
fn seconds(model: &ModelConfig, work: &EstimatedWork, speed: &Speed, has_gpu: bool) -> f64 {
    let together = |network: f64, decoding: f64| match has_gpu {
        true => network.max(decoding),
        false => network + decoding,
    };
    let (train, validation) = (work.train as f64, work.validation as f64);
    let images = train + validation;
    let mut seconds = 0.0;
    let epochs_of = |stage: Stage| {
        let (first, last) = stage.epochs(model);
        (last + 1).saturating_sub(first) as f64
    };
    if Stage::of(model, 1) == Stage::Heads {
        let missing = (work.views(model).saturating_sub(work.stored)) as f64;
        seconds += together(missing * speed.forward, missing.min(images) * speed.decode);
        // Validation is forward only, about a third of the cost.
        seconds += epochs_of(Stage::Heads) * (train + validation / 3.0) * speed.heads;
    }
    if Stage::of(model, model.epochs) == Stage::All {
        // Images are cached after the first epoch.
        let epoch = train * speed.train + validation * speed.forward;
        seconds += together(epoch, images * speed.decode);
        seconds += (epochs_of(Stage::All) - 1.0) * epoch;
    }
    seconds
}

impl EstimatedWork {
    /// Number of features for training heads: several views per training image, one per validation image.
    fn views(&self, model: &ModelConfig) -> usize {
        self.train * (1 + augmented_views(model)) + self.validation
    }
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::presets::PresetFacts;
    use tasklens_data::config::{Augmentation, Config, Recipe};

    use super::*;

    const SPEED: Speed = Speed { decode: 0.01, forward: 0.1, train: 0.4, heads: 0.001 };

    fn model(recipe: Recipe) -> ModelConfig {
        let text = "paths: {model_dataframe: a.csv}\nmodel: {target_encoder: {print: [a, b]}}\n";
        let mut model = Config::parse(text, std::path::Path::new("/p/config.yml")).unwrap().model;
        recipe.keys(&PresetFacts::default()).put_into(&mut model);
        model
    }

    fn near(seconds: f64, expected: f64) {
        assert!((seconds - expected).abs() < 1e-9, "{seconds}, expected {expected}");
    }

    #[test]
    fn heads_take_the_features_that_are_missing_and_their_epochs() {
        let model = model(Recipe::Quick);
        let work = |stored| EstimatedWork { train: 80, validation: 20, stored };
        let heads = model.epochs as f64 * (80.0 + 20.0 / 3.0) * 0.001;
        near(seconds(&model, &work(0), &SPEED, false), 100.0 * 0.1 + 100.0 * 0.01 + heads);
        near(seconds(&model, &work(60), &SPEED, false), 40.0 * 0.1 + 40.0 * 0.01 + heads);
        near(seconds(&model, &work(100), &SPEED, false), heads);
        near(seconds(&model, &work(0), &SPEED, true), 100.0 * 0.1 + heads);
    }

    #[test]
    fn augmented_views_are_computed_each_and_decoded_once() {
        let mut model = model(Recipe::Quick);
        model.augmentation = Augmentation::default();
        let work = EstimatedWork { train: 80, validation: 20, stored: 0 };
        let heads = model.epochs as f64 * (80.0 + 20.0 / 3.0) * 0.001;
        let views = 80.0 * 5.0 + 20.0;
        near(seconds(&model, &work, &SPEED, false), views * 0.1 + 100.0 * 0.01 + heads);
    }

    #[test]
    fn all_layers_take_their_epochs_and_a_stage_of_heads_before_them_its_own() {
        let mut model = model(Recipe::Full);
        model.frozen_epochs = 0;
        model.epochs = 4;
        let work = EstimatedWork { train: 80, validation: 20, stored: 0 };
        let all = 4.0 * (80.0 * 0.4 + 20.0 * 0.1) + 100.0 * 0.01;
        near(seconds(&model, &work, &SPEED, false), all);
        model.frozen_epochs = 3;
        model.epochs = 7;
        // Whatever augments, the heads train on one view here.
        assert!(model.augmentation != Augmentation::none());
        let heads = 100.0 * 0.1 + 100.0 * 0.01 + 3.0 * (80.0 + 20.0 / 3.0) * 0.001;
        near(seconds(&model, &work, &SPEED, false), heads + all);
    }
}
