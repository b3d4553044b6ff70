//! The folder of the Python project as it is: `config/config.yml`, and every path from the folder above.

use std::path::{Path, PathBuf};

use super::{err, out, tasklens};

const CONFIG: &str = "\
paths:
  model_dataframe: \"./data/processed_subset.csv\"
  model_path: \"./model/model.h5\"
  training_history_path: \"./model/training_history.csv\"

model:
  input_shape: [32, 32]
  target_encoder:
    sleeves: [\"sleeveless\", \"long_sleeve\", \"short_sleeve\"]
    neckline: [\"no_neckline\", \"v_neckline\", \"crew_neckline\", \"square_neckline\"]
  target: [\"sleeves_encoded\", \"neckline_encoded\"]
  paths: \"processed_path\"
  class_mode: \"multi_output\"
  freeze_convolutional_layers: False
  batch_size: 8
  random_seed: 12345
  learning_rate: 0.01
  early_stopping_patience: 10
  lr_reducer_factor: 0.1
  lr_reducer_patience: 5
  min_lr: .000001
";

/// The folder, with drawn garments for crops.
fn python_project(at: &Path) -> PathBuf {
    let sample = tasklens(at, &["sample", "s", "--images", "40", "--seed", "3"]);
    assert!(sample.status.success(), "{}", err(&sample));
    let project = at.join("multitask_learning");
    for folder in ["config", "data/img_crop", "model"] {
        std::fs::create_dir_all(project.join(folder)).expect("made");
    }
    std::fs::write(project.join("config/config.yml"), CONFIG).expect("written");
    std::fs::rename(at.join("s/garments"), project.join("data/img_crop/Tee")).expect("moved");
    let csv = std::fs::read_to_string(at.join("s/garments.csv")).expect("a CSV");
    let csv = csv.replace("image_path", "processed_path").replace("\ngarments/", "\n./data/img_crop/Tee/");
    std::fs::write(project.join("data/processed_subset.csv"), csv).expect("written");
    std::fs::remove_dir_all(at.join("s")).expect("removed");
    project
}

#[test]
fn it_is_checked_trained_evaluated_and_predicted_from_its_root_and_from_elsewhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = python_project(folder.path());
    let quick = ["--set", "model.epochs=1", "--set", "model.backbone=xception_small"];
    let quick = [&quick[..], &["--set", "model.pretrained=none", "--set", "model.device=cpu"]].concat();
    for (from, base) in [(project.clone(), ""), (folder.path().to_path_buf(), "multitask_learning/")] {
        let at = |path: &str| format!("{base}{path}");
        let config = at("config/config.yml");
        let check = tasklens(&from, &["check", &config]);
        assert!(out(&check).contains("40 rows: 32 train, 8 validation"), "{}{}", out(&check), err(&check));
        let note = "note: all relative paths of this config start at ";
        assert_eq!(err(&check).matches(note).count(), 1, "{}", err(&check));
        let listed = tasklens(&from, &["labels", &config]);
        assert!(out(&listed).starts_with("sleeves\n"), "{}{}", out(&listed), err(&listed));

        let train = tasklens(&from, &[&["train", &config][..], &quick].concat());
        assert!(train.status.success(), "{}", err(&train));
        assert!(out(&train).contains("\ngradient share: sleeves "), "{}", out(&train));
        for written in ["model/model.safetensors", "model/training_history.csv"] {
            std::fs::remove_file(project.join(written)).expect("it was written in the project");
        }
        assert!(!project.join("config/runs").exists());
        let runs = std::fs::read_dir(project.join("runs")).expect("runs").map(|run| run.expect("a run"));
        let run = runs.map(|run| run.file_name()).max().expect("a run");
        let run = at(&format!("runs/{}", run.to_string_lossy()));
        let evaluated = tasklens(&from, &["evaluate", &run, "--quick", "--json"]);
        assert!(evaluated.status.success(), "{}", err(&evaluated));
        let predicted = tasklens(&from, &["predict", &run, &at("data/processed_subset.csv"), "--json"]);
        assert_eq!(out(&predicted).lines().count(), 40, "{}", err(&predicted));
        assert!(predicted.status.success(), "{}", err(&predicted));
        // The run's own config writes to the project that names the same places.
        let resumed = ["train", "--resume", &run, "--set", "model.epochs=2"];
        let resumed = tasklens(&from, &resumed);
        assert!(resumed.status.success(), "{}", err(&resumed));
        assert!(project.join("model/model.safetensors").is_file());

        let renamed = ["labels", &config, "rename", "neckline", "v_neckline"];
        let (old, new) = if base.is_empty() { ("v_neckline", "vee") } else { ("vee", "v_neckline") };
        let renamed = tasklens(&from, &[&renamed[..4], &[old, new]].concat());
        assert!(renamed.status.success(), "{}", err(&renamed));
        assert!(err(&renamed).contains(note), "{}", err(&renamed));
        let csv = std::fs::read_to_string(project.join("data/processed_subset.csv")).expect("a CSV");
        assert!(csv.contains(new) && !csv.contains(&format!(",{old}")));
    }
}

#[test]
fn a_config_elsewhere_means_the_folder_that_the_program_is_started_in() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = python_project(folder.path());
    std::fs::create_dir_all(folder.path().join("configs/mine")).expect("made");
    std::fs::rename(project.join("config/config.yml"), folder.path().join("configs/mine/config.yml"))
        .expect("moved");
    let check = tasklens(&project, &["check", "../configs/mine/config.yml"]);
    assert!(out(&check).contains("40 rows: 32 train"), "{}{}", out(&check), err(&check));
    let elsewhere = tasklens(folder.path(), &["check", "configs/mine/config.yml"]);
    assert_eq!(elsewhere.status.code(), Some(1));
    let told = err(&elsewhere);
    let configs = folder.path().join("configs");
    let missing = configs.join("mine/data/processed_subset.csv");
    assert!(told.contains(&format!("{} cannot be read", missing.display())), "{told}");
    assert!(told.contains(&format!("from {} or ", configs.display())), "{told}");
    let out_of_it = ["train", "../configs/mine/config.yml", "--set", "paths.model_path=../m.safetensors"];
    let refused = err(&tasklens(&project, &out_of_it));
    assert!(refused.contains("`paths.model_path` is ") && refused.contains("--allow-outside"), "{refused}");
}
