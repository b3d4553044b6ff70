//! Projects and runs that come from somebody else, at the command line: they are used, and harm nothing of the
//! user's.

use std::path::PathBuf;
use std::process::Output;

use crate::{err, tasklens};

/// A user's home with a stranger's project in it, unpacked.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Self { folder };
        std::fs::create_dir(home.path("project")).expect("made");
        let mut csv = "image_path,shade\n".to_owned();
        for i in 0..12_u8 {
            let level = if i % 2 == 0 { 60 } else { 220 } + i;
            let picture = image::RgbImage::from_pixel(32, 32, image::Rgb([level; 3]));
            picture.save(home.path(&format!("project/{i}.png"))).expect("a picture");
            csv += &format!("{i}.png,{}\n", if i % 2 == 0 { "dark" } else { "light" });
        }
        std::fs::write(home.path("project/data.csv"), csv).expect("a CSV");
        home.writes("");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The project's config, with further paths.
    fn writes(&self, paths: &str) {
        self.has_config("project/config.yml", &format!("model_dataframe: data.csv, {paths}"));
    }

    fn has_config(&self, file: &str, paths: &str) {
        let text = format!(
            "paths: {{{paths}}}\nmodel:\n  input_shape: [32, 32]\n  target_encoder: {{shade: [dark, light]}}\n  paths: \
             image_path\n  backbone: xception_small\n  pretrained: none\n  device: cpu\n  workers: 1\n  epochs: 1\n  \
             batch_size: 8\n"
        );
        std::fs::write(self.path(file), text).expect("a config");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        tasklens(self.folder.path(), arguments)
    }

    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
        assert!(!self.path("project/runs").exists(), "no run was begun");
        err(&output)
    }
}

#[test]
fn a_config_that_writes_outside_of_its_folder_is_refused_unless_that_is_allowed() {
    let home = Home::new();
    home.writes("training_history_path: ../history.csv, model_path: ../models/m.safetensors");
    let said = home.refusal(&["train", "project/config.yml"]);
    let real = home.folder.path().canonicalize().expect("a folder");
    for (key, file) in [("training_history_path", "history.csv"), ("model_path", "models/m.safetensors")] {
        let told = format!("`paths.{key}` is {}", real.join(file).display());
        assert!(said.contains(&told), "{said}");
    }
    assert!(said.contains("allow it with --allow-outside"), "{said}");
    assert!(!home.path("history.csv").exists() && !home.path("models").exists());

    home.writes("runs: ../elsewhere");
    assert!(home.refusal(&["train", "project/config.yml"]).contains("`paths.runs` is "));
    assert!(!home.path("elsewhere").exists());

    home.writes("training_history_path: ../history.csv");
    let allowed = home.run(&["train", "project/config.yml", "--allow-outside"]);
    assert!(allowed.status.success(), "{}", err(&allowed));
    assert!(home.path("history.csv").is_file());
}

#[test]
fn no_file_is_replaced_that_is_neither_a_model_nor_a_history() {
    let home = Home::new();
    std::fs::create_dir(home.path(".ssh")).expect("made");
    let theirs = [".bashrc", ".ssh/authorized_keys", "project/prices.csv", "project/net.safetensors"];
    for file in theirs {
        std::fs::write(home.path(file), "mine\n").expect("written");
    }
    for (paths, expected) in [
        ("training_history_path: ../.bashrc", ".bashrc does not end in `.csv`"),
        ("model_path: ../.ssh/authorized_keys", "authorized_keys does not end in `.safetensors`"),
        ("training_history_path: prices.csv", "prices.csv already exists and is not a training history"),
        ("model_path: net.safetensors", "net.safetensors already exists and is not a safetensors file"),
    ] {
        home.writes(paths);
        let said = home.refusal(&["train", "project/config.yml", "--allow-outside"]);
        assert!(said.contains(expected), "{said}");
    }
    for file in theirs {
        assert_eq!(std::fs::read_to_string(home.path(file)).expect("there"), "mine\n");
    }
}

#[test]
fn a_run_from_elsewhere_goes_on_within_its_own_folder() {
    let home = Home::new();
    home.writes("model_path: model/m.safetensors");
    let trained = home.run(&["train", "project/config.yml"]);
    assert!(trained.status.success(), "{}", err(&trained));
    let run = std::fs::read_dir(home.path("project/runs")).expect("runs").flatten().next().expect("a run");
    let run = run.path();
    let run = run.to_str().expect("UTF-8");
    let more = ["train", "--resume", run, "--set", "model.epochs=2"];
    let resumed = home.run(&more);
    assert!(resumed.status.success(), "one's own run goes on as before: {}", err(&resumed));

    let config = home.path("project/runs").join(run).join("config.yml");
    let text = std::fs::read_to_string(&config).expect("a config");
    let model = "\"../../model/m.safetensors\"";
    assert!(text.contains(model), "{text}");
    let elsewhere = home.path("m.safetensors");
    std::fs::write(&config, text.replace(model, &elsewhere.display().to_string())).expect("written");
    let resumed = home.run(&["train", "--resume", run, "--set", "model.epochs=3"]);
    assert_eq!(resumed.status.code(), Some(1));
    assert!(err(&resumed).contains("`paths.model_path` is "), "{}", err(&resumed));
    assert!(!elsewhere.exists());
}

#[test]
fn labels_of_a_csv_elsewhere_change_only_where_that_is_allowed() {
    let home = Home::new();
    let csv = std::fs::read_to_string(home.path("project/data.csv")).expect("a CSV");
    std::fs::write(home.path("mine.csv"), &csv).expect("written");
    home.has_config("project/config.yml", "model_dataframe: ../mine.csv");
    let rename = ["labels", "project/config.yml", "rename", "shade", "dark", "black"];
    let said = home.refusal(&rename);
    assert!(said.contains("`paths.model_dataframe` is ") && said.contains("--allow-outside"), "{said}");
    assert_eq!(std::fs::read_to_string(home.path("mine.csv")).expect("a CSV"), csv);
    let allowed = home.run(&[&rename[..], &["--allow-outside"]].concat());
    assert!(allowed.status.success(), "{}", err(&allowed));
    let changed = std::fs::read_to_string(home.path("mine.csv")).expect("a CSV");
    assert_eq!(changed, csv.replace("dark", "black"));
}

#[test]
fn the_sample_is_not_drawn_into_a_folder_outside_of_the_config() {
    let home = Home::new();
    let drawn = home.run(&["sample", "sample", "--images", "20"]);
    assert!(drawn.status.success(), "{}", err(&drawn));
    let text = std::fs::read_to_string(home.path("sample/config.yml")).expect("a config");
    std::fs::create_dir(home.path("pictures")).expect("made");
    std::fs::write(
        home.path("project/config.yml"),
        text.replace("model_dataframe: garments.csv", "model_dataframe: ../pictures/garments.csv"),
    )
    .expect("written");
    for verb in ["check", "train", "label-stats"] {
        let said = home.refusal(&[verb, "project/config.yml"]);
        assert!(said.contains("`paths.model_dataframe` is ") && said.contains("`tasklens sample`"), "{said}");
        assert_eq!(std::fs::read_dir(home.path("pictures")).expect("a folder").count(), 0);
    }
}

/// The same checkpoint with another description of itself.
fn redescribed(whole: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let length = usize::try_from(u64::from_le_bytes(whole[..8].try_into().expect("eight bytes")));
    let (header, data) = whole[8..].split_at(length.expect("a length"));
    let mut header: serde_json::Value = serde_json::from_slice(header).expect("a header");
    let description = &mut header["__metadata__"]["description"];
    let mut own = serde_json::from_str(description.as_str().expect("text")).expect("a description");
    change(&mut own);
    *description = own.to_string().into();
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

#[test]
fn a_checkpoint_that_asks_for_too_much_is_a_message_and_no_crash() {
    let home = Home::new();
    let trained = home.run(&["train", "project/config.yml", "--run", "project/run"]);
    assert!(trained.status.success(), "{}", err(&trained));
    let whole = std::fs::read(home.path("project/run/best.safetensors")).expect("a checkpoint");
    let predict = |bytes: Vec<u8>| {
        std::fs::write(home.path("theirs.safetensors"), bytes).expect("written");
        let output = home.run(&["predict", "theirs.safetensors", "project/1.png"]);
        (output.status.code(), err(&output))
    };
    assert_eq!(predict(redescribed(&whole, |_| {})).0, Some(0));
    let huge = redescribed(&whole, |description| {
        description["height"] = 100_000.into();
        description["width"] = 100_000.into();
    });
    let (code, said) = predict(huge);
    assert!(code == Some(1) && said.contains("the input is 100000 x 100000 pixels"), "{code:?}: {said}");
    let (code, said) =
        predict(redescribed(&whole, |description| description["tasks"][0]["labels"] = serde_json::json!([])));
    assert!(code == Some(1) && said.contains("the task `shade` has 0 labels"), "{code:?}: {said}");
}
