use tasklens_data::config::Precision;

use super::*;

/// A project in `folder` that takes the weights of another network, and has its runs there.
fn config(folder: &Path, runs: &str) -> Config {
    let text = format!(
        "paths: {{model_dataframe: a.csv, runs: {runs}}}\nmodel:\n  target_encoder: {{print: [a, b]}}\n  backbone: \
         xception_small\n  input_shape: [64, 48]\n  pretrained: other.safetensors\n"
    );
    let config = Config::parse(&text, &folder.join("config.yml")).unwrap();
    write_weights(Backbone::XceptionSmall, &folder.join("other.safetensors"));
    config
}

/// Drawn weights, as a publisher would have them.
fn write_weights(backbone: Backbone, file: &Path) -> Network {
    let network = Network::new(backbone, &[], 1, tch::Device::Cpu).unwrap();
    let weights: Vec<_> = network.parameters().iter().map(|p| (p.name.clone(), &p.tensor)).collect();
    crate::model::tensor_file::write(file, &weights, None).unwrap();
    network
}

fn none(_: Backbone) -> Option<PathBuf> {
    None
}

fn prepare(config: &Config) -> anyhow::Result<PathBuf> {
    super::prepare(config, 10, &none, &|_, _| {}, &|| true)
}

/// What is taken without being asked, with the weights of these backbones in the cache.
fn at_hand(config: &Config, images: usize, in_cache: &[Backbone]) -> Option<(Backbone, (u32, u32))> {
    let cached = |backbone| in_cache.contains(&backbone).then(|| PathBuf::from("weights"));
    own(config, &cached).or_else(|| small(config, images, &cached)).map(|base| (base.backbone, base.size))
}

#[test]
fn any_network_with_weights_can_be_the_base_and_its_checkpoint_scales_pixels_as_it_wants() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), "runs");
    config.model.backbone = Backbone::EfficientNetLite0;
    let network = write_weights(Backbone::EfficientNetLite0, &dir.path().join("other.safetensors"));
    let file = prepare(&config).unwrap();
    let description = checkpoint::read_description(&file).unwrap();
    assert_eq!(description.backbone, "efficientnet_lite0");
    assert_eq!(description.mean, [127.0 / 255.0; 3]);
    let loaded = checkpoint::load(&file, tch::Device::Cpu).unwrap().network;
    let name = "_blocks.3._depthwise_conv.weight";
    assert!(loaded.parameters().get(name).unwrap().equal(network.parameters().get(name).unwrap()));
}

#[test]
fn the_backbone_of_the_config_is_labelled_with_where_its_weights_are_there_else_a_small_one() {
    use Backbone::{EfficientNetLite0 as Lite0, EfficientNetLite2 as Lite2, Xception, XceptionSmall};
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), "runs");
    let all = [Xception, Lite0, Lite2];
    assert_eq!(at_hand(&config, 9, &all), Some((XceptionSmall, (64, 48))), "the file that it names");
    config.model.pretrained = Pretrained::Auto;
    assert_eq!(at_hand(&config, 5000, &all), Some((Lite2, (300, 300))));
    assert_eq!(at_hand(&config, 5001, &all), Some((Lite0, (256, 256))));
    assert_eq!(at_hand(&config, 9, &[Lite0]), Some((Lite0, (256, 256))));
    config.model.backbone = Xception;
    assert_eq!(at_hand(&config, 9, &all), Some((Xception, (64, 48))));
    assert_eq!(at_hand(&config, 9, &[]), None);
}

#[test]
fn features_of_one_small_network_are_not_computed_again_with_another_once_there_are_more_images() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), "runs");
    config.model.pretrained = Pretrained::Auto;
    let weights = dir.path().join("lite2.safetensors");
    write_weights(Backbone::EfficientNetLite2, &weights);
    let cached = |backbone| (backbone == Backbone::EfficientNetLite2).then(|| weights.clone());
    assert!(matches!(prepare_at_hand(&config, 10, &cached).unwrap(), AtHand::Network(_)));
    let both = [Backbone::EfficientNetLite0, Backbone::EfficientNetLite2];
    assert_eq!(at_hand(&config, 9000, &both), Some((Backbone::EfficientNetLite2, (300, 300))));
}

#[test]
fn nothing_is_fetched_and_a_config_without_pretrained_weights_is_helped_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), "runs");
    let line = |config: &Config, cached: Cached<'_>| match prepare_at_hand(config, 10, cached).unwrap() {
        AtHand::None(line) => line,
        AtHand::Network(file) => panic!("{}", file.display()),
    };
    config.model.pretrained = Pretrained::Auto;
    assert!(line(&config, &none).contains("train a network on some labels"), "{}", line(&config, &none));
    let error = prepare(&config).unwrap_err().to_string();
    assert!(error.contains("no model to learn with yet") && error.contains("set-up of Tasklens"), "{error}");
    config.model.backbone = Backbone::Xception;
    assert!(
        line(&config, &none).contains("Update the model, which downloads the weights of Xception (91 MB)")
    );

    config.model.pretrained = Pretrained::None;
    let weights = dir.path().join("lite0.safetensors");
    write_weights(Backbone::EfficientNetLite0, &weights);
    let cached = |backbone| (backbone == Backbone::EfficientNetLite0).then(|| weights.clone());
    assert!(line(&config, &cached).contains("`pretrained: none`"));
    assert!(!dir.path().join("runs").exists());
    let file = super::prepare(&config, 10, &cached, &|_, _| {}, &|| true).unwrap();
    assert_eq!(checkpoint::read_description(&file).unwrap().backbone, "efficientnet_lite0");
}

#[test]
fn it_computes_in_what_a_run_would() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), "runs");
    for (precision, name) in [(Precision::Bf16, "bf16"), (Precision::Fp32, "fp32")] {
        config.model.precision = precision;
        let description = checkpoint::read_description(&prepare(&config).unwrap()).unwrap();
        assert_eq!(description.precision, name);
    }
    write_weights(Backbone::XceptionSmall, &dir.path().join("more.safetensors"));
    config.model.pretrained = Pretrained::File(dir.path().join("more.safetensors"));
    let before = std::fs::metadata(prepare(&config).unwrap()).unwrap().modified().unwrap();
    assert_eq!(std::fs::metadata(prepare(&config).unwrap()).unwrap().modified().unwrap(), before);
}

#[test]
fn the_backbone_to_label_with_is_kept_in_the_project_whatever_its_config_says() {
    let dir = tempfile::tempdir().unwrap();
    let project = dir.path().join("project");
    std::fs::create_dir(&project).unwrap();
    let prepare = |runs: &str| prepare(&config(&project, runs));
    assert_eq!(prepare("kept").unwrap(), project.join("kept/labelling").join(FILE));
    let description = checkpoint::read_description(&project.join("kept/labelling").join(FILE)).unwrap();
    let shared = features::FeatureStore::shared(&project.join("kept/labelling").join(FILE), &description);
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
    assert!(prepare("kept").unwrap_err().to_string().contains("is not a safetensors file"));
}
