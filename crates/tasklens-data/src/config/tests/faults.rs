//! What the user of a wrong config is told: file, line, key, what was found, what was expected.

use super::*;

#[test]
fn a_wrong_value_names_line_key_what_was_found_and_what_was_expected() {
    let sides = "expected [height, width] in pixels, each from 32 to 1024, such as [299, 299]";
    let weights = "a number from 0 to 1000";
    let pair = "expected [low, high] with both from 0.1 to 10, such as [0.8, 1]";
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
        ("batch_size: many", "`model.batch_size` is `many`, expected `auto` or a whole number from 1 to 4096".into()),
        ("batch_size: 0", "`model.batch_size` is `0`, expected `auto` or a whole number from 1 to 4096".into()),
        ("batch_size: 16.5", "`model.batch_size` is `16.5`, expected `auto` or a whole number from 1 to 4096".into()),
        ("batch_size:", "`model.batch_size` is empty, expected `auto` or a whole number from 1 to 4096".into()),
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
            "`model.augmentation.brightness` is a list, expected [low, high] with both from 0 to 10, such as [0.8, 1]"
                .into(),
        ),
        (
            "augmentation: {horizontal_flip: left}",
            "`model.augmentation.horizontal_flip` is `left`, expected true or false".into(),
        ),
        (
            "augmentation: {rotate: 5}",
            "`model.augmentation.rotate` is unknown; did you mean `rotation`?".into(),
        ),
        (
            "backbone: resnet",
            "`model.backbone` is `resnet`, expected `xception`, `xception_small`, `efficientnet_lite0`, \
             `efficientnet_lite1` or `efficientnet_lite2`"
                .into(),
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
            "`model.target` has `sleeve_encoded`, which is not a task of `model.target_encoder`; did you mean `sleeves`?"
                .into(),
        ),
        ("target: [print, print_encoded]", "`model.target` has the task `print` twice".into()),
        ("target: []", "`model.target` names no task; leave it out to train all of them".into()),
        ("split_column: path", "`model.split_column` is `path`, which is already a task or the image path".into()),
    ] {
        assert_eq!(refusal(&format!("  {line}")), format!("7: {expected}"), "{line}");
    }
}

#[test]
fn an_unknown_key_gets_the_nearest_known_one() {
    assert_eq!(refusal("  batchsize: 3"), "7: `model.batchsize` is unknown; did you mean `batch_size`?");
    assert_eq!(
        refusal("  model_path: x"),
        "7: `model.model_path` is unknown; `model_path` belongs in `paths:`, as `paths.model_path`"
    );
    assert_eq!(refusal("modle: 3"), "7: `modle` is unknown; did you mean `model`?");
    assert_eq!(
        refusal("epochs: 3"),
        "7: `epochs` is unknown; `epochs` belongs in `model:`, as `model.epochs`"
    );
    assert_eq!(
        refusal_of("zebra: 1\npaths: {model_dataframe: a.csv}\nmodel: {target_encoder: {a: [x, y]}}"),
        "shop.yml:1: `zebra` is unknown; the keys here are `paths` and `model`"
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
    let folder = Config::open(&std::env::temp_dir()).unwrap_err().to_string();
    assert!(folder.ends_with(": cannot be read: it is a folder, not a file"), "{folder}");
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_for_a_config_is_a_message_and_no_wait() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("config.yml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            said.send(Config::open(path).unwrap_err().to_string()).unwrap();
        }
    });
    for _ in 0..2 {
        let message = heard.recv_timeout(std::time::Duration::from_secs(10)).expect("no wait");
        assert!(message.ends_with("cannot be read: it is a pipe or a device, not a file"), "{message}");
    }
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
    assert_eq!(refusal("    a: [x, y]\n    a: [x, y]"), "shop.yml:5: `a` is given twice (first on line 4)");
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
fn more_tasks_than_any_network_can_have_are_refused() {
    let tasks: String = (0..1001).map(|task| format!("    t{task}: [a, b]\n")).collect();
    let text = format!("paths: {{model_dataframe: a.csv}}\nmodel:\n  target_encoder:\n{tasks}");
    let expected = "`model.target_encoder`: there are 1001 tasks, expected at most 1000";
    assert!(refusal_of(&text).contains(expected), "{}", refusal_of(&text));
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
fn the_usual_slips_in_yaml_get_advice() {
    for (text, advice) in [
        (
            "model:\n  epochs 3\n  x: 1\n",
            "look for a missing `:` in the line before, or put text that has a `:` in quotes",
        ),
        ("paths:\n  runs: r\n model:\n  epochs: 3\n", "the keys of a group must be indented alike"),
        ("model:\n  a: [x, y\n  b: [c, d]\n", "look for a `[` or `{` that is not closed"),
        ("model:\n  a: \"x\n  b: 2\n", "look for a quote that is not closed"),
        ("model:\n  epochs: @3\n", "put the text in quotes"),
        ("paths:\n  runs: \"C:\\data\"\n", "put a path in single quotes, or write it with `/`"),
    ] {
        let message = refusal_of(text);
        assert!(message.ends_with(&format!("; {advice}")), "{text:?}: {message}");
    }
}

#[test]
fn the_line_of_a_slip_is_told_and_not_where_the_parser_gave_up() {
    let tab = "the line is indented with a tab; YAML takes spaces only";
    let space = "a space is missing after the colon; write `epochs: 1`";
    let hash = "` #` begins a comment, which hides the end of the list; put text that has a `#` in quotes";
    for (line, slip) in [
        ("\tepochs: 1", tab),
        ("  \tepochs: 1", tab),
        ("  epochs:1", space),
        ("  epochs:\t1", "`epochs:` is followed by a tab; type a space"),
        ("  class_mode: [a #1, b]", hash),
        (
            "\u{a0} epochs: 1",
            "the line is indented with special spaces, as copied from a web page; type ordinary ones",
        ),
    ] {
        let text = format!("paths: {{}}\nmodel:\n  batch_size: 4\n{line}\n  workers: 1\n  device: cpu\n");
        assert_eq!(refusal_of(&text), format!("shop.yml:4: this is not valid YAML: {slip}"), "{line:?}");
    }
    // What is valid, but not what was meant.
    let message = refusal_of("paths: {model_dataframe: a.csv}\nmodel:\n  epochs:1\n");
    assert!(message.starts_with("shop.yml:3: `model` is `epochs:1`: a space is missing after"), "{message}");
}

#[cfg(not(windows))]
#[test]
fn a_path_written_on_windows_is_read_where_it_can_be() {
    let text =
        |csv: &str| format!("paths: {{model_dataframe: '{csv}'}}\nmodel:\n  target_encoder: {{a: [b, c]}}\n");
    let config = Config::parse(&text("data\\labels.csv"), &file()).unwrap();
    assert!(config.paths.model_dataframe.ends_with("shop/data/labels.csv"), "{:?}", config.paths);
    for path in ["C:\\data\\labels.csv", "C:/data/labels.csv", "\\\\server\\share\\labels.csv"] {
        let message = refusal_of(&text(path));
        let expected =
            format!("`paths.model_dataframe` is `{path}`, a Windows path; expected a path on this computer");
        assert!(message.contains(&expected), "{message}");
    }
}
