//! A checkpoint that nobody trained: the backbone with its public weights, whose features heads can learn from.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::config::{Backbone, Config, Pretrained};
use crate::model::checkpoint::{self, Description};
use crate::model::network::Network;
use crate::model::pretrained;

/// The folder beside the runs, and the file within.
const FOLDER: &str = "labelling";
const FILE: &str = "imagenet_backbone.safetensors";

/// Makes the checkpoint for a config, or finds the one that was made before, and returns where it is. Its heads
/// are new and know nothing. `progress` gets the bytes of the download, done and in all.
///
/// # Errors
/// There are no public weights for the backbone, or they cannot be had; the message says what to do.
pub fn prepare(
    config: &Config,
    progress: &dyn Fn(u64, u64),
    keep_going: &dyn Fn() -> bool,
) -> anyhow::Result<PathBuf> {
    let model = &config.model;
    let advice = "There is no model to learn with yet. Label some images and train a first network: from then on it \
                  suggests labels";
    let wanted = match &model.pretrained {
        Pretrained::File(file) => Pretrained::File(file.clone()),
        Pretrained::None => bail!("{advice}. The config has `pretrained: none`"),
        _ if model.backbone != Backbone::Xception => {
            bail!("{advice}. The backbone {} has no public weights to begin with", model.backbone.name())
        }
        Pretrained::Auto | Pretrained::Required => Pretrained::Required,
    };
    let found = pretrained::resolve(&wanted, progress, keep_going);
    let found = match found {
        Err(error) if !pretrained::is_cancel(&error) => {
            bail!("{advice}. Or let the ImageNet weights help: {}", error.root_cause())
        }
        found => found?,
    };
    let weights = found.path.context(advice)?;
    let file = config.paths.runs.join(FOLDER).join(FILE);
    let description = Description {
        backbone: model.backbone.name().to_owned(),
        tasks: model.tasks.clone(),
        height: model.height,
        width: model.width,
        mean: [0.5; 3],
        std: [0.5; 3],
        precision: "fp32".to_owned(),
        epoch: 0,
        config: String::new(),
        extra: serde_json::json!({ "weights": weights }),
    };
    if checkpoint::read_description(&file).is_ok_and(|known| known == description) {
        return Ok(file);
    }
    let mut network = Network::new(model.backbone, &model.tasks, model.random_seed, tch::Device::Cpu)?;
    network.load_backbone(&weights)?;
    checkpoint::write(&file, &network, &description, &[])?;
    Ok(file)
}
