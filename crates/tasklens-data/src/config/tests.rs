//! What a `config.yml` may say, key by key, and what its user is told when it is wrong.

use std::path::Path;

use super::*;

mod faults;
mod recipe;
mod root;

/// Where the tests pretend that the file is.
fn file() -> PathBuf {
    std::path::absolute(Path::new("shop").join("config.yml")).unwrap()
}

fn beside(name: &str) -> PathBuf {
    file().with_file_name(name)
}

/// A config with `lines` at the end of `model:`; the first of them is line 7.
fn with_model(lines: &str) -> Result<Config, ConfigError> {
    let text = format!(
        "paths:\n  model_dataframe: a.csv\nmodel:\n  target_encoder:\n    sleeves: [short, long]\n    print: [solid, floral, striped]\n{lines}\n"
    );
    Config::parse(&text, &file())
}

fn model(lines: &str) -> ModelConfig {
    with_model(lines).unwrap().model
}

/// The message for `line` (line 7 of the file) without the file's name.
fn refusal(line: &str) -> String {
    let error = with_model(line).unwrap_err();
    error.to_string().strip_prefix(&format!("{}:", file().display())).unwrap().to_owned()
}

fn refusal_of(text: &str) -> String {
    let error = Config::parse(text, Path::new("shop.yml")).unwrap_err();
    error.to_string()
}

#[test]
fn the_python_projects_config_opens_unchanged() {
    let text = "\
paths:
  model_dataframe: ./data/processed_subset.csv
  model_path: models/multitask.h5
  training_history_path: models/history.csv
model:
  input_shape: [299, 224, 3]
  target_encoder:
    neckline: [\"no_neckline\", \"v_neckline\"]
    sleeves:
      - sleeveless
      - long_sleeve
  target: [sleeves_encoded, neckline_encoded]
  paths: img_path
  class_mode: multi_output
  freeze_convolutional_layers: False
  batch_size: 32
  random_seed: 7
  learning_rate: 1e-3
  early_stopping_patience: 12
  lr_reducer_factor: 0.5
  lr_reducer_patience: 6
  min_lr: .000001
";
    let config = Config::parse(text, &file()).unwrap();
    assert_eq!(config.paths.model_dataframe, beside("data").join("processed_subset.csv"));
    assert_eq!(config.paths.model_path, Some(beside("models").join("multitask.safetensors")));
    assert_eq!(config.paths.training_history_path, Some(beside("models").join("history.csv")));
    assert_eq!(config.paths.runs, beside("runs"));
    assert_eq!(config.paths.images, file().parent().unwrap());
    assert_eq!(
        config.notices,
        [format!(
            "paths.model_path: models are written as safetensors, to {} instead of {}",
            beside("models").join("multitask.safetensors").display(),
            beside("models").join("multitask.h5").display()
        )]
    );
    let model = config.model;
    assert_eq!((model.height, model.width), (299, 224));
    let names: Vec<&str> = model.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["sleeves", "neckline"]);
    assert_eq!(model.tasks[0].labels, ["sleeveless", "long_sleeve"]);
    assert_eq!(model.path_column, "img_path");
    assert!(!model.freeze_convolutional_layers);
    assert_eq!((model.batch_size, model.random_seed), (32, 7));
    assert_eq!((model.learning_rate, model.min_lr), (0.001, 0.000_001));
    assert_eq!((model.early_stopping_patience, model.lr_reducer_patience), (12, 6));
    assert_eq!(model.lr_reducer_factor, 0.5);
}

#[test]
fn what_is_not_said_has_the_documented_default() {
    let model = model("");
    let expected = ModelConfig {
        height: 299,
        width: 299,
        tasks: model.tasks.clone(),
        path_column: "path".to_owned(),
        split_column: None,
        freeze_convolutional_layers: false,
        batch_size: 16,
        auto_batch_size: false,
        random_seed: 42,
        learning_rate: 0.001,
        backbone_learning_rate: None,
        schedule: Schedule::Plateau,
        optimizer: Optimizer::Adam,
        label_smoothing: 0.0,
        frozen_epochs: 0,
        early_stopping_patience: 10,
        early_stopping_min_delta: 0.0,
        lr_reducer_factor: 0.1,
        lr_reducer_patience: 5,
        lr_reducer_min_delta: 0.0001,
        lr_reducer_cooldown: 0,
        min_lr: 0.000_001,
        epochs: 100,
        validation_split: 0.2,
        not_applicable: "n/a".to_owned(),
        augmentation: Augmentation::default(),
        backbone: Backbone::Xception,
        pretrained: Pretrained::Auto,
        precision: Precision::Auto,
        device: DeviceChoice::Auto,
        task_weights: vec![1.0, 1.0],
        task_balancing: TaskBalancing::Fixed,
        class_weights: ClassWeights::None,
        threads: None,
        workers: None,
    };
    assert_eq!(model, expected);
}

#[test]
fn every_key_of_the_model_is_read() {
    assert_eq!(model("  input_shape: [96, 128]").width, 128);
    assert_eq!(model("  input_shape: (96, 128, 3)").height, 96);
    assert_eq!(model("  target: print_encoded").tasks.len(), 1);
    assert_eq!(model("  target: [print]").tasks[0].name, "print");
    assert_eq!(model("  paths: image path").path_column, "image path");
    assert_eq!(model("  split_column: split").split_column.as_deref(), Some("split"));
    assert_eq!(model("  split_column:").split_column, None);
    assert!(with_model("  class_mode: multi_output").is_ok());
    assert!(model("  freeze_convolutional_layers: True").freeze_convolutional_layers);
    assert!(model("  freeze_convolutional_layers: yes").freeze_convolutional_layers);
    assert_eq!(model("  batch_size: '64'").batch_size, 64);
    assert_eq!(model("  batch_size: 64.0").batch_size, 64);
    assert!(!model("  batch_size: 64").auto_batch_size);
    assert!(model("  batch_size: auto").auto_batch_size);
    assert_eq!(model("  random_seed: 18446744073709551615").random_seed, u64::MAX);
    assert_eq!(model("  learning_rate: 1e-4").learning_rate, 1e-4);
    assert_eq!(model("  early_stopping_patience: 0").early_stopping_patience, 0);
    assert_eq!(model("  early_stopping_min_delta: .01").early_stopping_min_delta, 0.01);
    assert_eq!(model("  lr_reducer_factor: .25").lr_reducer_factor, 0.25);
    assert_eq!(model("  lr_reducer_patience: 2").lr_reducer_patience, 2);
    assert_eq!(model("  lr_reducer_min_delta: 0").lr_reducer_min_delta, 0.0);
    assert_eq!(model("  lr_reducer_cooldown: 3").lr_reducer_cooldown, 3);
    assert_eq!(model("  min_lr: 0").min_lr, 0.0);
    assert_eq!(model("  epochs: 3 # three").epochs, 3);
    assert_eq!(model("  validation_split: 0.5").validation_split, 0.5);
    assert_eq!(model("  not_applicable: does not apply").not_applicable, "does not apply");
    assert_eq!(model("  not_applicable:").not_applicable, "n/a");
    assert!(refusal("  not_applicable: floral").contains("which is also a label of `print`"));
    assert_eq!(model("  backbone: xception_small").backbone, Backbone::XceptionSmall);
    assert_eq!(model("  pretrained: required").pretrained, Pretrained::Required);
    assert_eq!(model("  pretrained: none").pretrained, Pretrained::None);
    let weights = Pretrained::File(beside("weights").join("x.safetensors"));
    assert_eq!(model("  pretrained: weights/x.safetensors").pretrained, weights);
    assert_eq!(model("  precision: fp32").precision, Precision::Fp32);
    assert_eq!(model("  precision: bf16").precision, Precision::Bf16);
    assert_eq!(model("  device: cpu").device, DeviceChoice::Cpu);
    assert_eq!(model("  device: cuda").device, DeviceChoice::Cuda(0));
    assert_eq!(model("  device: cuda:3").device, DeviceChoice::Cuda(3));
    assert_eq!(model("  device: mps").device, DeviceChoice::Mps);
    assert_eq!(model("  task_weights: {print: 2.5}").task_weights, [1.0, 2.5]);
    assert_eq!(model("  class_weights: balanced").class_weights, ClassWeights::Balanced);
    let per_label = ClassWeights::PerLabel(vec![vec![1.0, 1.0], vec![1.0, 3.0, 1.0]]);
    assert_eq!(model("  class_weights: {print: {floral: 3}}").class_weights, per_label);
    assert_eq!(model("  workers: auto").workers, None);
    assert_eq!(model("  workers: 2").workers, Some(2));
    assert_eq!((model("  threads: auto").threads, model("  threads: 2").threads), (None, Some(2)));
}

#[test]
fn every_key_of_the_paths_is_read() {
    let text = "paths: {model_dataframe: a.csv, model_path: m.safetensors, training_history_path: h.csv, runs: r, images: i}\nmodel: {target_encoder: {a: [x, y]}}";
    let config = Config::parse(text, &file()).unwrap();
    let expected = ConfigPaths {
        model_dataframe: beside("a.csv"),
        model_path: Some(beside("m.safetensors")),
        training_history_path: Some(beside("h.csv")),
        runs: beside("r"),
        images: beside("i"),
    };
    assert_eq!(config.paths, expected);
    assert_eq!(config.notices, Vec::<String>::new());
}

#[test]
fn every_key_of_the_augmentation_is_read() {
    let read = |key: &str| model(&format!("  augmentation: {{{key}}}")).augmentation;
    let default = Augmentation::default();
    assert_eq!(read("rotation: 25"), Augmentation { rotation: 25.0, ..default });
    assert_eq!(read("shift: 0"), Augmentation { shift: 0.0, ..default });
    assert_eq!(read("zoom: [.9, 1.1]"), Augmentation { zoom: (0.9, 1.1), ..default });
    assert_eq!(read("brightness: [1, 1]"), Augmentation { brightness: (1.0, 1.0), ..default });
    assert_eq!(read("horizontal_flip: False"), Augmentation { horizontal_flip: false, ..default });
    assert_eq!(model("  augmentation: none").augmentation, Augmentation::none());
}

#[test]
fn labels_are_the_text_as_written() {
    let text =
        "paths: {model_dataframe: a.csv}\nmodel: {target_encoder: {a: [no, 1.0, 'two words', ~x, 007]}}";
    let config = Config::parse(text, &file()).unwrap();
    assert_eq!(config.model.tasks[0].labels, ["no", "1.0", "two words", "~x", "007"]);
}

#[test]
fn anchors_and_a_byte_order_mark_are_read() {
    let text = "\u{feff}paths: {model_dataframe: a.csv}\nmodel:\n  target_encoder:\n    a: &labels [x, y]\n    b: *labels\n";
    let config = Config::parse(text, &file()).unwrap();
    assert_eq!(config.model.tasks[1].labels, ["x", "y"]);
}

#[test]
fn an_override_replaces_a_key_or_adds_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    std::fs::write(
        &file,
        "paths: {model_dataframe: a.csv}\nmodel:\n  target_encoder: {a: [x, y], b: [u, v]}\n  epochs: 9\n",
    )
    .unwrap();
    let set = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::with_overrides(&file, &pairs).map_err(|error| {
            let prefix = format!("{}: ", file.display());
            error.to_string().strip_prefix(&prefix).map(str::to_owned).unwrap_or(error.to_string())
        })
    };
    let config = set(&[
        ("model.epochs", "3"),
        ("model.augmentation.zoom", "[0.5, 2]"),
        ("model.task_weights", "{b: 2}"),
        ("model.task_weights.a", "3"),
        ("paths.runs", "elsewhere"),
    ])
    .unwrap();
    assert_eq!(config.model.epochs, 3);
    assert_eq!(config.model.augmentation.zoom, (0.5, 2.0));
    assert_eq!(config.model.task_weights, [3.0, 2.0]);
    assert_eq!(config.paths.runs, dir.path().join("elsewhere"));
    for (key, value, expected) in [
        (
            "model.epochs",
            "few",
            "--set model.epochs=few: `model.epochs` is `few`, expected a whole number from 1 to 1000000",
        ),
        ("model.epoch", "3", "--set model.epoch=3: `model.epoch` is unknown; did you mean `epochs`?"),
        (
            "epochs",
            "3",
            "--set epochs=3: `epochs` is unknown; `epochs` belongs in `model:`, as `model.epochs`",
        ),
        (
            "model.epochs.a",
            "3",
            "--set model.epochs.a=3: `a` cannot be set there, because its parent is a value, not a group of keys",
        ),
        ("model.", "3", "--set model.=3: write it as section.key=value, such as model.epochs=3"),
    ] {
        assert_eq!(set(&[(key, value)]).unwrap_err(), expected);
    }
    let syntax = set(&[("model.input_shape", "[1")]).unwrap_err();
    assert!(syntax.starts_with("--set model.input_shape=[1: this is not valid YAML: "), "{syntax}");
}

#[test]
fn a_saved_config_means_the_same_in_any_folder() {
    let text = "
paths: {model_dataframe: data/a b.csv, model_path: 'best: of.safetensors', training_history_path: h.csv}
model:
  input_shape: [64, 96]
  target_encoder: {'sleeves: x': ['no', \"a \\\"b\\\"\", '#1'], print: [null, '1.50', 'é\\n']}
  paths: 'yes'
  split_column: '- s'
  freeze_convolutional_layers: true
  batch_size: 7
  random_seed: 18446744073709551615
  learning_rate: 0.00012345
  early_stopping_patience: 1
  early_stopping_min_delta: 1e-5
  lr_reducer_factor: 0.3
  lr_reducer_patience: 2
  lr_reducer_min_delta: 1e-3
  lr_reducer_cooldown: 4
  min_lr: 1e-9
  epochs: 5
  validation_split: 0.33
  augmentation: {rotation: 1.5, shift: 0.1, zoom: [0.7, 1.3], brightness: [0.9, 1.1], horizontal_flip: false}
  backbone: xception_small
  pretrained: w/x.safetensors
  precision: bf16
  device: cuda:2
  task_weights: {print: 0.1}
  class_weights: {print: {'1.50': 2.5}}
  workers: 3
";
    let text = text.replace("null, ", "");
    let config = Config::parse(&text, &file()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("run").join("config.yml");
    config.save(&saved).unwrap();
    // Its paths are absolute, so that it does not matter where others would start.
    let root = Root { folder: dir.path().join("run"), looked_in: Vec::new() };
    assert_eq!(Config::open(&saved).unwrap(), Config { file: saved.clone(), root: root.clone(), ..config });

    for model in ["", "  batch_size: auto"] {
        let plain = with_model(model).unwrap();
        let expected = Config { file: saved.clone(), root: root.clone(), ..plain.clone() };
        assert_eq!(Config::parse(&plain.to_yaml(), &saved).unwrap(), expected);
    }
}

#[test]
fn a_config_for_a_folder_of_its_project_can_be_moved_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let shop = dir.path().join("shop");
    let run = shop.join("runs/first");
    std::fs::create_dir_all(&run).unwrap();
    let elsewhere = dir.path().join("elsewhere/weights.safetensors");
    let text = format!(
        "paths: {{model_dataframe: ../labels.csv, images: pictures, model_path: {}}}\n\
         model: {{target_encoder: {{a: [b, c]}}, pretrained: 'own/w.safetensors'}}\n",
        elsewhere.display()
    );
    let config = Config::parse(&text, &shop.join("config.yml")).unwrap();
    let text = config.to_yaml_in(&run);
    for line in [
        "  model_dataframe: \"../../../labels.csv\"",
        "  images: \"../../pictures\"",
        "  runs: \"../../runs\"",
        "  pretrained: \"../../own/w.safetensors\"",
        &format!("  model_path: {}", elsewhere.display()),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    // Read where it lies, and written there again, it says the same.
    let own = Config::parse(&text, &run.join("config.yml")).unwrap();
    assert_eq!(own.to_yaml_in(&run), text);
    assert_eq!(own.paths.images, run.join("../../pictures"));
    // What has nothing in common but the disk keeps its place.
    assert!(
        config.to_yaml_in(Path::new("/")).contains(&format!("  images: {}", shop.join("pictures").display()))
    );
}

/// Labels that another reader, or a list on one line, would take for something else.
#[test]
fn what_is_written_is_the_same_to_another_reader_of_yaml() {
    let labels = [
        "no",
        "1.0",
        "007",
        "0x1F",
        "1e3",
        "~",
        "a, b",
        "a: b",
        "# x",
        "[x]",
        "it's",
        "a \"b\"",
        "gro\u{df}",
    ];
    let mut config = with_model("").unwrap();
    config.model.tasks = vec![Task { name: "yes".to_owned(), labels: labels.map(str::to_owned).to_vec() }];
    config.model.task_weights = vec![1.0];
    let yaml = config.to_yaml();
    let theirs: serde_yaml::Value = serde_yaml::from_str(&yaml).unwrap();
    let read = theirs["model"]["target_encoder"]["yes"].as_sequence().unwrap();
    let read: Vec<&str> = read.iter().map(|label| label.as_str().unwrap()).collect();
    assert_eq!(read, labels, "{yaml}");
    assert_eq!(theirs["model"]["learning_rate"].as_f64(), Some(config.model.learning_rate));
    assert_eq!(Config::parse(&yaml, &file()).unwrap().model, config.model);
}
