//! A checkpoint that nobody trained: the backbone with its public weights, whose features heads can learn from.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::outputs;
use crate::config::{Config, Pretrained, Written};
use crate::inference::features;
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
    let facts = model.backbone.facts();
    let advice = "There is no model to learn with yet. Label some images and train a first network: from then on it \
                  suggests labels";
    let wanted = match &model.pretrained {
        Pretrained::File(file) => Pretrained::File(file.clone()),
        Pretrained::None => bail!("{advice}. The config has `pretrained: none`"),
        _ if facts.weights.is_none() => {
            bail!("{advice}. The backbone {} has no public weights to begin with", facts.name)
        }
        Pretrained::Auto | Pretrained::Required => Pretrained::Required,
    };
    let found = pretrained::resolve(model.backbone, &wanted, progress, keep_going);
    let found = match found {
        Err(error) if !pretrained::is_cancel(&error) => {
            bail!("{advice}. Or let the ImageNet weights help: {}", error.root_cause())
        }
        found => found?,
    };
    let weights = found.path.context(advice)?;
    let file = folder_for(config)?.join(FILE);
    outputs::check_model(&file)?;
    let description = Description {
        backbone: facts.name.to_owned(),
        tasks: model.tasks.clone(),
        height: model.height,
        width: model.width,
        mean: facts.mean,
        std: facts.std,
        precision: "fp32".to_owned(),
        epoch: 0,
        config: String::new(),
        extra: serde_json::json!({ "weights": weights }),
    };
    let is_known = checkpoint::read_description(&file).is_ok_and(|known| known == description);
    if !is_known {
        let mut network = Network::new(model.backbone, &model.tasks, model.random_seed, tch::Device::Cpu)?;
        network.load_backbone(&weights)?;
        checkpoint::write(&file, &network, &description, &[])?;
    }
    share_features(&file, &description);
    Ok(file)
}

/// What Label computes with the backbone, a run on the same one that is frozen finds, and the other way round.
fn share_features(file: &Path, description: &Description) {
    let Some(runs) = file.parent().and_then(Path::parent) else { return };
    // A link leads to what is not ours.
    if runs.join(features::FOLDER).is_symlink() {
        return;
    }
    if let Err(error) = features::Store::share(runs, file, description) {
        log::warn!("the features of {} are not shared: {error:#}", file.display());
    }
}

/// Beside the runs; where these are outside of the project's folder, in its own, as nobody was asked.
fn folder_for(config: &Config) -> anyhow::Result<PathBuf> {
    let written = [Written::InRuns(FOLDER)];
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
mod tests {
    use super::*;
    use crate::config::Backbone;

    /// A project in `folder` that takes the weights of another network, and has its runs there.
    fn config(folder: &Path, runs: &str) -> Config {
        let text = format!(
            "paths: {{model_dataframe: a.csv, runs: {runs}}}\nmodel:\n  target_encoder: {{print: [a, b]}}\n  backbone: \
             xception_small\n  pretrained: other.safetensors\n"
        );
        let config = Config::parse(&text, &folder.join("config.yml")).unwrap();
        let network =
            Network::new(Backbone::XceptionSmall, &config.model.tasks, 1, tch::Device::Cpu).unwrap();
        let weights: Vec<_> = network.parameters().iter().map(|p| (p.name.clone(), &p.tensor)).collect();
        crate::model::tensor_file::write(&folder.join("other.safetensors"), &weights, None).unwrap();
        config
    }

    #[test]
    fn any_network_with_weights_can_be_the_base_and_its_checkpoint_scales_pixels_as_it_wants() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path(), "runs");
        config.model.backbone = Backbone::EfficientNetLite0;
        let network = Network::new(config.model.backbone, &[], 1, tch::Device::Cpu).unwrap();
        let weights: Vec<_> = network.parameters().iter().map(|p| (p.name.clone(), &p.tensor)).collect();
        crate::model::tensor_file::write(&dir.path().join("other.safetensors"), &weights, None).unwrap();
        let file = prepare(&config, &|_, _| {}, &|| true).unwrap();
        let description = checkpoint::read_description(&file).unwrap();
        assert_eq!(description.backbone, "efficientnet_lite0");
        assert_eq!(description.mean, [127.0 / 255.0; 3]);
        let loaded = checkpoint::load(&file, tch::Device::Cpu).unwrap().network;
        let name = "_blocks.3._depthwise_conv.weight";
        assert!(loaded.parameters().get(name).unwrap().equal(network.parameters().get(name).unwrap()));

        config.model.backbone = Backbone::XceptionSmall;
        config.model.pretrained = Pretrained::Auto;
        let error = prepare(&config, &|_, _| {}, &|| true).unwrap_err().to_string();
        assert!(error.contains("xception_small has no public weights"), "{error}");
    }

    #[test]
    fn the_backbone_to_label_with_is_kept_in_the_project_whatever_its_config_says() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("project");
        std::fs::create_dir(&project).unwrap();
        let prepare = |runs: &str| prepare(&config(&project, runs), &|_, _| {}, &|| true);
        assert_eq!(prepare("kept").unwrap(), project.join("kept/labelling").join(FILE));
        let description = checkpoint::read_description(&project.join("kept/labelling").join(FILE)).unwrap();
        let shared = features::Store::shared(&project.join("kept/labelling").join(FILE), &description);
        assert!(shared.unwrap().folder().starts_with(project.join("kept/features")));
        assert_eq!(prepare("../elsewhere").unwrap(), project.join("runs/labelling").join(FILE));
        assert!(!dir.path().join("elsewhere").exists());
        #[cfg(unix)]
        {
            std::fs::remove_dir_all(project.join("runs")).unwrap();
            std::os::unix::fs::symlink(dir.path(), project.join("runs")).unwrap();
            let error = prepare("../elsewhere").unwrap_err().to_string();
            assert!(error.contains("`paths.runs` is ") && error.contains("outside"), "{error}");
        }
        std::fs::write(project.join("kept/labelling").join(FILE), "mine").unwrap();
        assert!(prepare("kept").unwrap_err().to_string().contains("is no safetensors file"));
    }
}
