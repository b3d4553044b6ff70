//! What a `config.yml` may say, key by key, and what its user is told when it is wrong.

use std::path::Path;

use super::*;

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
        random_seed: 42,
        learning_rate: 0.001,
        early_stopping_patience: 10,
        early_stopping_min_delta: 0.0,
        lr_reducer_factor: 0.1,
        lr_reducer_patience: 5,
        lr_reducer_min_delta: 0.0001,
        lr_reducer_cooldown: 0,
        min_lr: 0.000_001,
        epochs: 100,
        validation_split: 0.2,
        augmentation: Augmentation::default(),
        backbone: Backbone::Xception,
        pretrained: Pretrained::Auto,
        precision: Precision::Auto,
        device: DeviceChoice::Auto,
        task_weights: vec![1.0, 1.0],
        class_weights: ClassWeights::None,
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
}

#[test]
fn every_key_of_the_augmentation_is_read() {
    let read = |key: &str| model(&format!("  augmentation: {{{key}}}")).augmentation;
    let default = Augmentation::default();
    assert_eq!(read("rotation: 25"), Augmentation { rotation: 25.0, ..default.clone() });
    assert_eq!(read("shift: 0"), Augmentation { shift: 0.0, ..default.clone() });
    assert_eq!(read("zoom: [.9, 1.1]"), Augmentation { zoom: (0.9, 1.1), ..default.clone() });
    assert_eq!(read("brightness: [1, 1]"), Augmentation { brightness: (1.0, 1.0), ..default.clone() });
    assert_eq!(read("horizontal_flip: False"), Augmentation { horizontal_flip: false, ..default });
    assert_eq!(model("  augmentation: none").augmentation, Augmentation::none());
}

#[test]
fn a_wrong_value_names_line_key_what_was_found_and_what_was_expected() {
    let sides = "expected [height, width] in pixels, each from 32 to 1024, such as [299, 299]";
    let weights = "a number from 0 to 1000";
    let pair = "expected [low, high] with both from 0.1 to 10, such as [0.8, 1.2]";
    for (line, expected) in [
        ("input_shape: [299]", format!("`model.input_shape` is [299], {sides}")),
        ("input_shape: [299, 16]", format!("`model.input_shape` is [299, 16], {sides}")),
        ("input_shape: [299, 299, 1]", format!("`model.input_shape` is [299, 299, 1], {sides}")),
        ("input_shape: big", format!("`model.input_shape` is `big`, {sides}")),
        ("input_shape: [a, b]", format!("`model.input_shape` is a list, {sides}")),
        ("paths: [a]", "`model.paths` is a list, expected the name of the column that holds the image path".into()),
        ("split_column: ''", "`model.split_column` is empty, expected the name of a column".into()),
        ("class_mode: categorical", "`model.class_mode` is `categorical`, expected `multi_output`".into()),
        (
            "freeze_convolutional_layers: 2",
            "`model.freeze_convolutional_layers` is `2`, expected true or false".into(),
        ),
        ("batch_size: many", "`model.batch_size` is `many`, expected a whole number from 1 to 4096".into()),
        ("batch_size: 0", "`model.batch_size` is `0`, expected a whole number from 1 to 4096".into()),
        ("batch_size: 16.5", "`model.batch_size` is `16.5`, expected a whole number from 1 to 4096".into()),
        ("batch_size:", "`model.batch_size` is empty, expected a whole number from 1 to 4096".into()),
        ("random_seed: -1", "`model.random_seed` is `-1`, expected a whole number, 0 or more".into()),
        (
            "learning_rate: 0",
            "`model.learning_rate` is `0`, expected a number above 0 and at most 1, such as 0.001".into(),
        ),
        (
            "learning_rate: .nan",
            "`model.learning_rate` is `.nan`, expected a number above 0 and at most 1, such as 0.001".into(),
        ),
        (
            "early_stopping_patience: -3",
            "`model.early_stopping_patience` is `-3`, expected a whole number from 0 to 1000000".into(),
        ),
        (
            "early_stopping_min_delta: -0.1",
            "`model.early_stopping_min_delta` is `-0.1`, expected a number, 0 or more".into(),
        ),
        (
            "lr_reducer_factor: 1",
            "`model.lr_reducer_factor` is `1`, expected a number above 0 and below 1, such as 0.1".into(),
        ),
        (
            "lr_reducer_patience: soon",
            "`model.lr_reducer_patience` is `soon`, expected a whole number from 0 to 1000000".into(),
        ),
        ("lr_reducer_min_delta: x", "`model.lr_reducer_min_delta` is `x`, expected a number, 0 or more".into()),
        (
            "lr_reducer_cooldown: []",
            "`model.lr_reducer_cooldown` is a list, expected a whole number from 0 to 1000000".into(),
        ),
        ("min_lr: 2", "`model.min_lr` is `2`, expected a number from 0 to 1, such as 0.000001".into()),
        ("epochs: 0", "`model.epochs` is `0`, expected a whole number from 1 to 1000000".into()),
        (
            "validation_split: 20",
            "`model.validation_split` is `20`, expected a number above 0 and below 1, such as 0.2".into(),
        ),
        (
            "augmentation: much",
            "`model.augmentation` is `much`, expected `none` or a group of keys such as `rotation: 10`".into(),
        ),
        (
            "augmentation: {rotation: 200}",
            "`model.augmentation.rotation` is `200`, expected degrees from 0 to 180".into(),
        ),
        (
            "augmentation: {shift: 5}",
            "`model.augmentation.shift` is `5`, expected a share of the size from 0 to 0.9".into(),
        ),
        ("augmentation: {zoom: [2, 1]}", format!("`model.augmentation.zoom` is a list, {pair}")),
        ("augmentation: {zoom: 0.2}", format!("`model.augmentation.zoom` is `0.2`, {pair}")),
        (
            "augmentation: {brightness: [1, 2, 3]}",
            "`model.augmentation.brightness` is a list, expected [low, high] with both from 0 to 10, such as [0.8, 1.2]"
                .into(),
        ),
        (
            "augmentation: {horizontal_flip: left}",
            "`model.augmentation.horizontal_flip` is `left`, expected true or false".into(),
        ),
        (
            "augmentation: {rotate: 5}",
            "`model.augmentation.rotate` is not known; did you mean `rotation`?".into(),
        ),
        (
            "backbone: resnet",
            "`model.backbone` is `resnet`, expected `xception` or `xception_small`".into(),
        ),
        (
            "pretrained: weights.h5",
            "`model.pretrained` is `weights.h5`, expected `auto`, `required`, `none` or the path of a .safetensors file"
                .into(),
        ),
        ("precision: fp16", "`model.precision` is `fp16`, expected `auto`, `fp32` or `bf16`".into()),
        (
            "device: gpu",
            "`model.device` is `gpu`, expected `auto`, `cpu`, `cuda`, `cuda:N` (N from 0) or `mps`".into(),
        ),
        (
            "task_weights: 2",
            "`model.task_weights` is `2`, expected a weight for each task, such as `sleeves: 2`".into(),
        ),
        ("task_weights: {print: -1}", format!("`model.task_weights.print` is `-1`, expected {weights}")),
        (
            "task_weights: {prints: 1}",
            "`model.task_weights.prints`: `model.target_encoder` has no such task; did you mean `print`?".into(),
        ),
        (
            "task_weights: {print: 0, sleeves: 0}",
            "`model.task_weights` is 0 for every task; one must be above 0".into(),
        ),
        (
            "class_weights: some",
            "`model.class_weights` is `some`, expected `none`, `balanced` or weights per task and label, such as `sleeves: {long: 2}`"
                .into(),
        ),
        (
            "class_weights: {print: {flora: 2}}",
            "`model.class_weights.print.flora`: the task `print` has no such label; did you mean `floral`?".into(),
        ),
        (
            "class_weights: {print: {floral: heavy}}",
            format!("`model.class_weights.print.floral` is `heavy`, expected {weights}"),
        ),
        ("workers: 0", "`model.workers` is `0`, expected `auto` or a whole number from 1 to 256".into()),
        (
            "target: [sleeve_encoded]",
            "`model.target` has `sleeve_encoded`, which is no task of `model.target_encoder`; did you mean `sleeves`?"
                .into(),
        ),
        ("target: [print, print_encoded]", "`model.target` has the task `print` twice".into()),
        ("target: []", "`model.target` names no task; leave it out to train all of them".into()),
        ("split_column: path", "`model.split_column` is `path`, which is a task or the image path already".into()),
    ] {
        assert_eq!(refusal(&format!("  {line}")), format!("7: {expected}"), "{line}");
    }
}

#[test]
fn an_unknown_key_gets_the_nearest_known_one() {
    assert_eq!(refusal("  batchsize: 3"), "7: `model.batchsize` is not known; did you mean `batch_size`?");
    assert_eq!(
        refusal("  model_path: x"),
        "7: `model.model_path` is not known; `model_path` belongs into `paths:`, as `paths.model_path`"
    );
    assert_eq!(refusal("modle: 3"), "7: `modle` is not known; did you mean `model`?");
    assert_eq!(
        refusal("epochs: 3"),
        "7: `epochs` is not known; `epochs` belongs into `model:`, as `model.epochs`"
    );
    assert_eq!(
        refusal_of("zebra: 1\npaths: {model_dataframe: a.csv}\nmodel: {target_encoder: {a: [x, y]}}"),
        "shop.yml:1: `zebra` is not known; the keys here are `paths` and `model`"
    );
}

#[test]
fn what_is_missing_is_said_with_an_example() {
    assert_eq!(
        refusal_of("model:\n  target_encoder: {a: [x, y]}\npaths:\n  runs: r\n"),
        "shop.yml:3: `paths.model_dataframe` is missing: give the path of the CSV, relative to this file"
    );
    assert_eq!(
        refusal_of("paths:\n  model_dataframe: a.csv\nmodel:\n  epochs: 3\n"),
        "shop.yml:3: `model.target_encoder` is missing: list each task with its labels, such as `sleeves: [sleeveless, long_sleeve, short_sleeve]`"
    );
    assert_eq!(
        refusal_of(""),
        "shop.yml: `paths.model_dataframe` is missing: give the path of the CSV, relative to this file (and 1 more)"
    );
    let missing = Path::new("no-such-folder").join("config.yml");
    let message = Config::open(&missing).unwrap_err().to_string();
    assert!(message.starts_with(&format!("{}: cannot be read: ", missing.display())), "{message}");
}

#[test]
fn a_wrong_target_encoder_is_said_at_the_task_or_the_label() {
    let refusal = |encoder: &str| {
        refusal_of(&format!("paths: {{model_dataframe: a.csv}}\nmodel:\n  target_encoder:\n{encoder}\n"))
    };
    assert_eq!(
        refusal("    a:\n      - x\n      - y\n      - x"),
        "shop.yml:7: `model.target_encoder.a` has the label `x` twice"
    );
    assert_eq!(
        refusal("    a: [x]"),
        "shop.yml:4: `model.target_encoder.a` has 1 label, expected at least two"
    );
    assert_eq!(
        refusal("    a: []"),
        "shop.yml:4: `model.target_encoder.a` has no label, expected at least two"
    );
    assert_eq!(
        refusal("    a: [x, y, '']"),
        "shop.yml:4: `model.target_encoder.a` has an empty label; a row without a label has an empty cell"
    );
    assert_eq!(
        refusal("    a: [x, y, [z]]"),
        "shop.yml:4: a label of `model.target_encoder.a` is a list, expected text"
    );
    assert_eq!(
        refusal("    a: x"),
        "shop.yml:4: `model.target_encoder.a` is `x`, expected a list of labels, such as [short, long]"
    );
    assert_eq!(refusal("    a: [x, y]\n    a: [x, y]"), "shop.yml:5: `a` is given twice (first in line 4)");
    assert_eq!(
        refusal("    path: [x, y]"),
        "shop.yml:3: the column `path` holds the image path and cannot be a task too".replace(":3:", ":4:")
    );
    assert_eq!(
        refusal("    - a"),
        "shop.yml:4: `model.target_encoder` is a list, expected each task with its labels, such as `sleeves: [sleeveless, long_sleeve, short_sleeve]`"
    );
}

#[test]
fn labels_are_the_text_as_written() {
    let text =
        "paths: {model_dataframe: a.csv}\nmodel: {target_encoder: {a: [no, 1.0, 'two words', ~x, 007]}}";
    let config = Config::parse(text, &file()).unwrap();
    assert_eq!(config.model.tasks[0].labels, ["no", "1.0", "two words", "~x", "007"]);
}

#[test]
fn text_that_is_no_yaml_is_refused_with_its_line() {
    for (text, line) in [
        ("paths:\n  a: [1, 2\nmodel: 3\n", 3),
        ("paths:\n\ta: 1\n", 2),
        ("paths:\n  a: 'x\n", 2),
        ("a: b: c\n", 1),
        ("paths: {}\npaths: {}\n", 2),
        ("a: 1\n---\nb: 2\n", 3),
        ("? [a, b]\n: 1\n", 1),
    ] {
        let error = Config::parse(text, &file()).unwrap_err();
        assert_eq!(error.line, Some(line), "{text:?}: {error}");
    }
    assert_eq!(
        refusal_of("just text"),
        "shop.yml:1: `config.yml` is `just text`, expected the two groups of keys `paths:` and `model:` (and 2 more)"
    );
    let deep = format!("a: {}", "[".repeat(5000));
    assert!(Config::parse(&deep, &file()).is_err());
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..9 {
        let inner = vec![format!("*a{}", n - 1); 10].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{inner}]\n"));
    }
    assert!(refusal_of(&text).contains("this is too large for a config"));
}

#[test]
fn anchors_and_a_byte_order_mark_are_read() {
    let text = "\u{feff}paths: {model_dataframe: a.csv}\nmodel:\n  target_encoder:\n    a: &labels [x, y]\n    b: *labels\n";
    let config = Config::parse(text, &file()).unwrap();
    assert_eq!(config.model.tasks[1].labels, ["x", "y"]);
}

#[test]
fn the_first_of_several_faults_is_told_and_the_others_are_counted() {
    let message = refusal("  workers: -1\n  epochs: none\n  bach_size: 3");
    assert_eq!(
        message,
        "7: `model.workers` is `-1`, expected `auto` or a whole number from 1 to 256 (and 2 more)"
    );
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
        ("model.epoch", "3", "--set model.epoch=3: `model.epoch` is not known; did you mean `epochs`?"),
        (
            "epochs",
            "3",
            "--set epochs=3: `epochs` is not known; `epochs` belongs into `model:`, as `model.epochs`",
        ),
        (
            "model.epochs.a",
            "3",
            "--set model.epochs.a=3: `a` cannot be set there, what is before it is a value and not a group of keys",
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
    assert_eq!(Config::open(&saved).unwrap(), Config { file: saved.clone(), ..config });

    let plain = with_model("").unwrap();
    assert_eq!(Config::parse(&plain.to_yaml(), &saved).unwrap(), Config { file: saved, ..plain });
}
