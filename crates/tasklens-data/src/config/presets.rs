//! The three training presets that Tasklens offers: which keys each sets, which one a config matches, and which one
//! suits a computer and a data set. A config that matches none is custom and stays as it is.

use crate::user_folders;

use super::limits::BATCH_SIZE;
use super::{
    Augmentation, Backbone, ModelConfig, Optimizer, Pretrained, RandomCrop, Schedule, WEIGHT_DECAY, recipe,
};

/// A training preset: a choice of keys for the whole recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// The heads alone, on the features of a network pretrained on ImageNet.
    Quick,
    /// All layers of a pretrained network.
    Full,
    /// All layers, from random weights.
    Scratch,
}

/// What the suggestion depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PresetFacts {
    /// Images of the project.
    pub images: usize,
    /// Number of images with a label.
    pub labelled: usize,
    /// Whether training uses a GPU.
    pub has_gpu: bool,
    /// The networks whose ImageNet weights are on this computer.
    pub weights: Vec<Backbone>,
    /// Height over width of most images, see [`crate::images::shape::common_aspect`]; `None` for a square input.
    pub aspect: Option<f32>,
}

/// What a new project starts with.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    /// The suggested preset.
    pub recipe: Recipe,
    pub keys: Keys,
    /// What a better preset lacks on this computer, and where that comes from.
    pub lacks: Option<String>,
}

/// The keys that a preset sets; others stay unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Keys {
    /// `backbone`.
    pub backbone: Backbone,
    /// `input_shape`: height and width, pixels.
    pub size: (u32, u32),
    /// `pretrained`.
    pub pretrained: Pretrained,
    /// `freeze_convolutional_layers`.
    pub freeze: bool,
    /// `frozen_epochs`.
    pub frozen_epochs: usize,
    /// `epochs`.
    pub epochs: usize,
    /// `batch_size`; `None` is `auto`.
    pub batch_size: Option<usize>,
    /// `schedule`.
    pub schedule: Schedule,
    /// `optimizer` and `weight_decay`.
    pub optimizer: Optimizer,
    /// `learning_rate`.
    pub learning_rate: f64,
    /// `backbone_learning_rate`.
    pub backbone_learning_rate: Option<f64>,
    /// `label_smoothing`.
    pub label_smoothing: f64,
    /// `augmentation`.
    pub augmentation: Augmentation,
    /// `early_stopping_patience`.
    pub early_stopping_patience: usize,
    /// `lr_reducer_patience`, used only with `schedule: plateau`.
    pub lr_reducer_patience: usize,
    /// `lr_reducer_factor`, used only with `schedule: plateau`.
    pub lr_reducer_factor: f64,
}

/// For accuracy: the network for photographs.
const ACCURATE: Backbone = Backbone::EfficientNetLite2;
/// For speed: a smaller network of the same kind.
const FAST: Backbone = Backbone::EfficientNetLite0;
/// Without a GPU, the fast network is used for more images than this.
const MANY_IMAGES: usize = 5_000;
/// With a GPU, *Full* is suggested from this many labelled images on: it takes only about a minute there.
const FULL_LABELS: usize = 2_000;

/// Frozen features are better from images a little larger than those that a network was trained on, since in training
/// random crops enlarge what they show (Touvron et al. 2019, "Fixing the train-test resolution discrepancy").
const QUICK_ENLARGES: f32 = 1.15;
const QUICK_EPOCHS: usize = 30;
const QUICK_BATCH: usize = 64;
const HEADS_RATE: f64 = 3e-3;

const FULL_EPOCHS: usize = 3;
/// Epochs that train the heads alone before all layers.
const FULL_FROZEN_EPOCHS: usize = 0;
const FULL_BATCH: usize = 32;
const BACKBONE_RATE: f64 = 5e-4;
const SMOOTHING: f64 = 0.1;
const CROP_SCALE: (f32, f32) = (0.35, 1.0);

const SCRATCH_EPOCHS: usize = 30;
const SCRATCH_RATE: f64 = 1e-3;
const SCRATCH_PATIENCE: usize = 8;
/// Input size for the large network on a GPU, pixels.
const SCRATCH_SIDE_OF_GPU: u32 = 224;

/// Sides of an input that is not square are multiples of this, pixels.
const SIDE_STEP: f32 = 16.0;
/// Greatest part by which rounding to such sides changes the area.
const ROUNDING: f32 = 0.2;

impl Recipe {
    /// All presets, by increasing effort.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Full, Self::Scratch];

    /// Its name in the window and in messages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Quick => "Quick",
            Self::Full => "Full",
            Self::Scratch => "From scratch",
        }
    }

    /// What it does and when to choose it, for users.
    pub fn about(self) -> &'static str {
        match self {
            Self::Quick => {
                "Trains the heads alone, on what a network knows from ImageNet. Often enough, also with few labels."
            }
            Self::Full => "Trains all layers, gently where the network knows much. Better with many labels.",
            Self::Scratch => {
                "Trains all layers from random weights. For drawings, scans and the like, with thousands of labels."
            }
        }
    }

    /// Its keys for this computer and data set.
    pub fn keys(self, facts: &PresetFacts) -> Keys {
        match self {
            Self::Quick => Keys::quick(facts),
            Self::Full => Keys::full(facts),
            Self::Scratch => Keys::scratch(facts),
        }
    }

    /// What it lacks on this computer, and where that comes from.
    pub fn lacks(self, facts: &PresetFacts) -> Option<String> {
        let network = self.keys(facts).backbone;
        let weights = network.facts().weights.filter(|_| self != Self::Scratch)?;
        (!facts.weights.contains(&network)).then(|| {
            format!(
                "The ImageNet weights of {} ({} MB) are not on this computer; {} them.",
                network.facts().title,
                weights.megabytes,
                user_folders::what_brings()
            )
        })
    }

    /// The preset that a config matches; `None` for a custom one.
    pub fn of(model: &ModelConfig) -> Option<Self> {
        let keys = Keys::of(model);
        let cases = [0, 200, 2_000, MANY_IMAGES + 1].into_iter().flat_map(|images| {
            [false, true].map(|has_gpu| PresetFacts { images, has_gpu, ..PresetFacts::default() })
        });
        let cases: Vec<PresetFacts> = cases.collect();
        let is_keys_of = |recipe: Self, facts| {
            let expected = recipe.keys(facts);
            is_shape_of(keys.size, expected.size.0) && Keys { size: keys.size, ..expected } == keys
        };
        Self::ALL.into_iter().find(|recipe| cases.iter().any(|facts| is_keys_of(*recipe, facts)))
    }

    /// The preset that suits this computer and data set.
    pub fn proposed(facts: &PresetFacts) -> Proposed {
        let pretrained =
            if facts.has_gpu && facts.labelled >= FULL_LABELS { Self::Full } else { Self::Quick };
        let lacks = pretrained.lacks(facts);
        let recipe = if lacks.is_some() { Self::Scratch } else { pretrained };
        Proposed { recipe, keys: recipe.keys(facts), lacks }
    }
}

fn pretrained_network(facts: &PresetFacts) -> Backbone {
    if facts.has_gpu || facts.images <= MANY_IMAGES { ACCURATE } else { FAST }
}

/// Side of the square input for the heads of a frozen network, pixels.
pub fn side_of_frozen(network: Backbone) -> u32 {
    (network.facts().side as f32 * QUICK_ENLARGES / 4.0).round() as u32 * 4
}

/// Height and width of an input with the aspect of the images and the area of a square one: more pixels take more time,
/// and squeezed images cost accuracy.
fn size(side: u32, aspect: Option<f32>) -> (u32, u32) {
    let Some(aspect) = aspect else { return (side, side) };
    let length = |factor: f32| ((side as f32 * factor / SIDE_STEP).round() * SIDE_STEP) as u32;
    let (height, width) = (length(aspect.sqrt()), length(aspect.sqrt().recip()));
    if height == width { (side, side) } else { (height, width) }
}

/// Whether [`size`] gives this size for some aspect.
fn is_shape_of((height, width): (u32, u32), side: u32) -> bool {
    let is_step = |length: u32| length > 0 && length.is_multiple_of(SIDE_STEP as u32);
    let area = height as f32 * width as f32 / (side as f32).powi(2);
    let is_rounded = height != width && is_step(height) && is_step(width) && (area - 1.0).abs() < ROUNDING;
    (height, width) == (side, side) || is_rounded
}

impl Keys {
    /// The keys of a config. Keys without effect get their defaults.
    pub fn of(model: &ModelConfig) -> Self {
        let keys = Self {
            backbone: model.backbone,
            size: (model.height, model.width),
            pretrained: model.pretrained.clone(),
            freeze: model.freeze_convolutional_layers,
            frozen_epochs: model.frozen_epochs,
            epochs: model.epochs,
            batch_size: (!model.auto_batch_size).then_some(model.batch_size),
            schedule: model.schedule,
            optimizer: model.optimizer,
            learning_rate: model.learning_rate,
            backbone_learning_rate: model.backbone_learning_rate,
            label_smoothing: model.label_smoothing,
            augmentation: model.augmentation.clone(),
            early_stopping_patience: model.early_stopping_patience,
            lr_reducer_patience: model.lr_reducer_patience,
            lr_reducer_factor: model.lr_reducer_factor,
        };
        if model.schedule == Schedule::OneCycle { keys.without_reducer() } else { keys }
    }

    /// Applies the keys to a config.
    pub fn put_into(&self, model: &mut ModelConfig) {
        model.backbone = self.backbone;
        (model.height, model.width) = self.size;
        model.pretrained = self.pretrained.clone();
        model.freeze_convolutional_layers = self.freeze;
        model.frozen_epochs = self.frozen_epochs;
        model.epochs = self.epochs;
        model.auto_batch_size = self.batch_size.is_none();
        model.batch_size = self.batch_size.unwrap_or(BATCH_SIZE);
        model.schedule = self.schedule;
        model.optimizer = self.optimizer;
        model.learning_rate = self.learning_rate;
        model.backbone_learning_rate = self.backbone_learning_rate;
        model.label_smoothing = self.label_smoothing;
        model.augmentation = self.augmentation.clone();
        model.early_stopping_patience = self.early_stopping_patience;
        model.lr_reducer_patience = self.lr_reducer_patience;
        model.lr_reducer_factor = self.lr_reducer_factor;
    }

    fn quick(facts: &PresetFacts) -> Self {
        let network = pretrained_network(facts);
        Self {
            backbone: network,
            size: size(side_of_frozen(network), facts.aspect),
            // Anything but these weights would be a different recipe under the same name.
            pretrained: Pretrained::Required,
            freeze: true,
            frozen_epochs: 0,
            epochs: QUICK_EPOCHS,
            batch_size: Some(QUICK_BATCH),
            schedule: Schedule::OneCycle,
            optimizer: Optimizer::AdamW { weight_decay: WEIGHT_DECAY },
            learning_rate: HEADS_RATE,
            backbone_learning_rate: None,
            label_smoothing: 0.0,
            augmentation: Augmentation::none(),
            // A cycle is best at its end.
            early_stopping_patience: QUICK_EPOCHS,
            lr_reducer_patience: 0,
            lr_reducer_factor: 0.0,
        }
        .without_reducer()
    }

    fn full(facts: &PresetFacts) -> Self {
        let crop = RandomCrop { scale: CROP_SCALE, ..RandomCrop::default() };
        let network = pretrained_network(facts);
        Self {
            size: size(network.facts().side, facts.aspect),
            freeze: false,
            frozen_epochs: FULL_FROZEN_EPOCHS,
            epochs: FULL_FROZEN_EPOCHS + FULL_EPOCHS,
            batch_size: Some(FULL_BATCH),
            backbone_learning_rate: Some(BACKBONE_RATE),
            label_smoothing: SMOOTHING,
            augmentation: Augmentation { horizontal_flip: true, crop: Some(crop), ..Augmentation::none() },
            early_stopping_patience: FULL_FROZEN_EPOCHS + FULL_EPOCHS,
            ..Self::quick(facts)
        }
    }

    fn scratch(facts: &PresetFacts) -> Self {
        let (backbone, side) = match facts.has_gpu {
            true => (Backbone::Xception, SCRATCH_SIDE_OF_GPU),
            false => (Backbone::XceptionSmall, Backbone::XceptionSmall.facts().side),
        };
        Self {
            backbone,
            size: size(side, facts.aspect),
            pretrained: Pretrained::None,
            freeze: false,
            frozen_epochs: 0,
            epochs: SCRATCH_EPOCHS,
            batch_size: Some(match facts.images {
                0..200 => 8,
                200..2_000 => 16,
                _ => 32,
            }),
            schedule: Schedule::Plateau,
            optimizer: Optimizer::Adam,
            learning_rate: SCRATCH_RATE,
            backbone_learning_rate: None,
            label_smoothing: 0.0,
            augmentation: Augmentation::default(),
            early_stopping_patience: SCRATCH_PATIENCE,
            lr_reducer_patience: 3,
            lr_reducer_factor: 0.3,
        }
    }

    fn without_reducer(self) -> Self {
        Self {
            lr_reducer_patience: recipe::LR_REDUCER_PATIENCE as usize,
            lr_reducer_factor: recipe::LR_REDUCER_FACTOR,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn facts(images: usize, has_gpu: bool) -> PresetFacts {
        PresetFacts { images, labelled: images, has_gpu, weights: vec![ACCURATE, FAST], aspect: None }
    }

    fn model(keys: &str) -> ModelConfig {
        let text = format!(
            "paths: {{model_dataframe: a.csv}}\nmodel:\n  target_encoder: {{print: [a, b]}}\n  random_seed: 7\n{keys}"
        );
        Config::parse(&text, std::path::Path::new("/p/config.yml")).unwrap().model
    }

    #[test]
    fn a_config_with_the_keys_of_a_recipe_is_known_as_it_and_any_other_is_the_users_own() {
        for recipe in Recipe::ALL {
            for images in [40, 500, 3_000, 60_000] {
                for has_gpu in [false, true] {
                    let mut model = model("");
                    recipe.keys(&facts(images, has_gpu)).put_into(&mut model);
                    assert_eq!(Recipe::of(&model), Some(recipe), "{images} {has_gpu}");
                    assert_eq!(model.contradiction(), None);
                    assert_eq!(model.random_seed, 7, "what is no part of it stays");
                    model.learning_rate *= 2.0;
                    assert_eq!(Recipe::of(&model), None);
                }
            }
        }
        assert_eq!(Recipe::of(&model("")), None, "a config of the Python project is none");
    }

    #[test]
    fn the_input_has_the_shape_of_the_images_and_the_area_of_the_networks_own() {
        let keys = |aspect| Recipe::Quick.keys(&PresetFacts { aspect: Some(aspect), ..facts(40, false) });
        assert_eq!(keys(4.0 / 3.0).size, (352, 256));
        assert_eq!(keys(0.75).size, (256, 352));
        let full = Recipe::Full.keys(&PresetFacts { aspect: Some(4.0 / 3.0), ..facts(40, false) });
        assert_eq!(full.size, (304, 224));
        for percent in 40..250 {
            let aspect = percent as f32 / 100.0;
            for recipe in Recipe::ALL {
                for (images, has_gpu) in [(40, false), (60_000, false), (40, true)] {
                    let facts = PresetFacts { aspect: Some(aspect), ..facts(images, has_gpu) };
                    let mut model = model("");
                    recipe.keys(&facts).put_into(&mut model);
                    assert_eq!(Recipe::of(&model), Some(recipe), "{aspect} {images} {has_gpu}");
                    let area = (model.height * model.width) as f32;
                    let square = recipe.keys(&PresetFacts { aspect: None, ..facts }).size.0.pow(2) as f32;
                    assert!((0.8..1.2).contains(&(area / square)), "{aspect}: {area} instead of {square}");
                    model.height *= 2;
                    assert_eq!(Recipe::of(&model), None, "the shape of other images, not twice the area");
                }
            }
        }
    }

    #[test]
    fn what_nothing_follows_from_makes_no_config_the_users_own() {
        let mut model = model("  lr_reducer_patience: 2\n  min_lr: 0.0001\n");
        let keys = Recipe::Quick.keys(&facts(40, false));
        keys.put_into(&mut model);
        model.lr_reducer_patience = 9;
        assert_eq!(Recipe::of(&model), Some(Recipe::Quick));
    }

    #[test]
    fn the_small_network_is_for_many_images_without_a_gpu() {
        for (images, has_gpu, network, quick, full) in [
            (40, false, ACCURATE, 300, 260),
            (MANY_IMAGES, false, ACCURATE, 300, 260),
            (MANY_IMAGES + 1, false, FAST, 256, 224),
            (MANY_IMAGES + 1, true, ACCURATE, 300, 260),
        ] {
            for (recipe, side) in [(Recipe::Quick, quick), (Recipe::Full, full)] {
                let keys = recipe.keys(&facts(images, has_gpu));
                assert_eq!((keys.backbone, keys.size), (network, (side, side)), "{images} {has_gpu}");
            }
        }
    }

    #[test]
    fn few_labels_are_for_the_heads_and_all_layers_are_proposed_where_they_take_a_minute() {
        let recipe = |images, has_gpu| Recipe::proposed(&facts(images, has_gpu)).recipe;
        assert_eq!(recipe(40, false), Recipe::Quick);
        assert_eq!(recipe(40, true), Recipe::Quick);
        assert_eq!(recipe(60_000, false), Recipe::Quick);
        assert_eq!(recipe(FULL_LABELS, true), Recipe::Full);
        let unlabelled = PresetFacts { labelled: 0, ..facts(60_000, true) };
        assert_eq!(Recipe::proposed(&unlabelled).recipe, Recipe::Quick);
    }

    #[test]
    fn without_the_weights_the_proposal_says_what_is_missing() {
        let proposed = Recipe::proposed(&PresetFacts { weights: vec![FAST], ..facts(40, false) });
        assert_eq!(proposed.recipe, Recipe::Scratch);
        let lacks = proposed.lacks.unwrap();
        assert!(
            lacks.contains("EfficientNet-Lite2 (23 MB)") && lacks.contains("the set-up of Tasklens"),
            "{lacks}"
        );
        assert_eq!(Recipe::Scratch.lacks(&PresetFacts::default()), None);
        assert_eq!(Recipe::Full.lacks(&facts(40, false)), None);
    }
}
