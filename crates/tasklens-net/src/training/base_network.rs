//! An untrained checkpoint for labelling: a backbone with public weights, on whose features heads can learn.
//!
//! It is the config's own backbone if its weights are installed, so that frozen runs on it share the features, else a
//! small one whose weights come with set-up. Nothing is downloaded without being requested.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::networks::Origin;
use tasklens_data::config::presets::side_of_frozen;
use tasklens_data::config::{Backbone, Config, OutputPath, Pretrained};
use tasklens_data::user_folders;

use super::{outputs, setup};
use crate::inference::{features, precision_name};
use crate::model::checkpoint::{self, Description};
use crate::model::network::Network;
use crate::model::{backbone_file, pretrained};

/// The folder beside the runs, and the file in it.
const FOLDER: &str = "labelling";
const FILE: &str = "imagenet_backbone.safetensors";

/// Up to this many images the better of the small networks is worth its time: two to three minutes on two cores.
const FEW_IMAGES: usize = 5000;
/// The small networks for labelling, the better one first: on photographs of clothes, heads on its features reach 71
/// % accuracy after 100 labels and 84 % after 400 (the faster one 65 % and 80 %), at 0.6 times the speed.
const SMALL: [Backbone; 2] = [Backbone::EfficientNetLite2, Backbone::EfficientNetLite0];

/// Finds the public weights of a backbone on this computer: [`pretrained::cached`], except in tests.
pub type Cached<'a> = &'a dyn Fn(Backbone) -> Option<PathBuf>;

/// What is available for labelling without a request by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtHand {
    /// The best checkpoint of a run.
    Network(PathBuf),
    /// Nothing; one line says what would help.
    None(String),
}

/// A backbone with the weights to load.
#[derive(Debug)]
struct Base {
    backbone: Backbone,
    /// Height and width of its input in pixels.
    size: (u32, u32),
    weights: PathBuf,
}

/// Creates the checkpoint for a config and this many images, or finds an existing one, and returns its path. Its
/// heads are untrained. Missing weights are downloaded if the config's backbone has downloadable ones; `progress`
/// gets (bytes done, total).
///
/// # Errors
/// There are no weights, or they are not available; the message says what to do.
pub fn prepare(
    config: &Config,
    images: usize,
    cached: Cached<'_>,
    progress: &dyn Fn(u64, u64),
    keep_going: &dyn Fn() -> bool,
) -> anyhow::Result<PathBuf> {
    let base = match own(config, cached).or_else(|| small(config, images, cached)) {
        Some(base) => base,
        None => download(config, progress, keep_going)?,
    };
    write(config, &base)
}

/// As [`prepare`], for a project that was just opened: only with weights on this computer, and not if the config has
/// `pretrained: none`.
///
/// # Errors
/// The checkpoint cannot be written, or the weights that the config names do not fit its backbone.
pub fn prepare_at_hand(config: &Config, images: usize, cached: Cached<'_>) -> anyhow::Result<AtHand> {
    if config.model.pretrained == Pretrained::None {
        let line = "No model suggests labels: the config has `pretrained: none`. Update the model helps all the same";
        return Ok(AtHand::None(line.to_owned()));
    }
    match own(config, cached).or_else(|| small(config, images, cached)) {
        Some(base) => write(config, &base).map(AtHand::Network),
        None => Ok(AtHand::None(format!("No model suggests labels yet. What helps: {}", what_helps(config)))),
    }
}

/// Whether a checkpoint is such an untrained one.
pub fn is_base(checkpoint: &Path) -> bool {
    checkpoint.ends_with(Path::new(FOLDER).join(FILE))
}

/// The config's backbone as training would start with it, so that the features are the same.
fn own(config: &Config, cached: Cached<'_>) -> Option<Base> {
    let model = &config.model;
    let weights = match &model.pretrained {
        Pretrained::File(file) => Some(file.clone()),
        Pretrained::Auto | Pretrained::Required => cached(model.backbone),
        Pretrained::None => None,
    };
    Some(Base { backbone: model.backbone, size: (model.height, model.width), weights: weights? })
}

/// A small network, at the size that suits frozen features: the one that was used before, as it was used, else the better
/// one for few images and the faster one for many.
fn small(config: &Config, images: usize, cached: Cached<'_>) -> Option<Base> {
    let [better, faster] = SMALL;
    let order = if images <= FEW_IMAGES { [better, faster] } else { [faster, better] };
    let before = folder_for(config).and_then(|folder| checkpoint::read_description(&folder.join(FILE)));
    let used = |description: Description| {
        Some((description.backbone().ok()?, (description.height, description.width)))
    };
    let before = before.ok().and_then(used).filter(|(backbone, _)| SMALL.contains(backbone));
    let fresh = order.map(|backbone| (backbone, (side_of_frozen(backbone), side_of_frozen(backbone))));
    let found = |(backbone, size)| Some(Base { backbone, size, weights: cached(backbone)? });
    before.into_iter().chain(fresh).find_map(found)
}

/// The weights of the config's backbone, from the same source as in training.
fn download(
    config: &Config,
    progress: &dyn Fn(u64, u64),
    keep_going: &dyn Fn() -> bool,
) -> anyhow::Result<Base> {
    let model = &config.model;
    if !can_download(config) {
        bail!("There is no model to learn with yet. What helps: {}", what_helps(config));
    }
    let found = pretrained::resolve(model.backbone, &Pretrained::Required, progress, keep_going);
    let found = match found {
        Err(error) if !pretrained::is_cancel(&error) => bail!(
            "There is no model to learn with yet. What helps: {}; or the weights of {}: {}",
            what_helps(config),
            model.backbone.name(),
            error.root_cause()
        ),
        found => found?,
    };
    let weights = found.path.context("the weights are not where they were fetched to")?;
    Ok(Base { backbone: model.backbone, size: (model.height, model.width), weights })
}

fn can_download(config: &Config) -> bool {
    let origin = config.model.backbone.facts().weights.map(|weights| weights.origin);
    let is_wanted = matches!(config.model.pretrained, Pretrained::Auto | Pretrained::Required);
    is_wanted && matches!(origin, Some(Origin::HuggingFace { .. }))
}

fn what_helps(config: &Config) -> String {
    let facts = config.model.backbone.facts();
    let set_up = format!("small networks that know photographs, which {}", user_folders::what_brings());
    match facts.weights.filter(|_| can_download(config)) {
        Some(weights) => format!(
            "train a network on some labels; Update the model, which downloads the weights of {} ({} MB); or {set_up}",
            facts.title, weights.megabytes
        ),
        None => format!("train a network on some labels; or {set_up}"),
    }
}

/// Writes the checkpoint of a backbone with its weights, unless it exists.
fn write(config: &Config, base: &Base) -> anyhow::Result<PathBuf> {
    let model = &config.model;
    let file = folder_for(config)?.join(FILE);
    outputs::check_model(&file)?;
    let description = Description {
        conventions: checkpoint::conventions_of(&base.weights)?,
        extra: serde_json::json!({ "weights": base.weights, "stamp": features::stamp(&base.weights) }),
        ..Description::new(
            base.backbone,
            model.tasks.clone(),
            base.size,
            // As in a run on the same computer, which then shares the features.
            precision_name(setup::precision(config, &setup::device(config, None)?)),
        )
    };
    let is_known = checkpoint::read_description(&file).is_ok_and(|known| known == description);
    if !is_known {
        let mut network = Network::new(base.backbone, &model.tasks, model.random_seed, tch::Device::Cpu)?;
        backbone_file::load(&mut network, &base.weights)?;
        checkpoint::write(&file, &network, &description, &[])?;
    }
    share_features(&file, &description);
    Ok(file)
}

/// Lets Label and frozen runs on the same backbone share features.
fn share_features(file: &Path, description: &Description) {
    let Some(runs) = file.parent().and_then(Path::parent) else { return };
    // The target of a link is not ours.
    if runs.join(features::FOLDER).is_symlink() {
        return;
    }
    if let Err(error) = features::FeatureStore::share(runs, file, description) {
        log::warn!("the features of {} are not shared: {error:#}", file.display());
    }
}

/// Beside the runs; if these are outside the project's folder, inside it, because the user has not given permission.
fn folder_for(config: &Config) -> anyhow::Result<PathBuf> {
    let written = [OutputPath::InRuns(FOLDER)];
    if config.outside(&written).is_empty() {
        return Ok(config.paths.runs.join(FOLDER));
    }
    let mut own = config.clone();
    own.paths.runs = config.folder().join("runs");
    let outside = own.outside(&written);
    ensure!(outside.is_empty(), outputs::told(&own, &outside));
    Ok(own.paths.runs.join(FOLDER))
}

#[cfg(test)]
mod tests;
