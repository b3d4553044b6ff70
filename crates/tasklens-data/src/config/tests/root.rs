//! The folder of the Python project as it is: configs in `config/`, and every path from the folder above.

use std::fs;

use super::super::*;
use crate::dataset::{Dataset, images_of_project};

const CONFIG: &str = "\
paths:
  model_dataframe: \"./data/processed_subset.csv\"
  model_path: \"./model/model.h5\"
  training_history_path: \"./model/training_history.csv\"
model:
  target_encoder:
    sleeves: [\"sleeveless\", \"long_sleeve\"]
  paths: \"processed_path\"
";
const WRITTEN: [OutputPath; 4] =
    [OutputPath::Model, OutputPath::History, OutputPath::Runs, OutputPath::Table];

/// The folder, which a temporary one holds.
fn python_project() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().canonicalize().unwrap().join("project");
    for folder in ["config", "data/img_crop/Tee", "model"] {
        fs::create_dir_all(at.join(folder)).unwrap();
    }
    fs::write(at.join("config/config.yml"), CONFIG).unwrap();
    fs::write(at.join("data/img_crop/Tee/1.jpg"), "").unwrap();
    let csv = "processed_path,sleeves\n./data/img_crop/Tee/1.jpg,sleeveless\n";
    fs::write(at.join("data/processed_subset.csv"), csv).unwrap();
    (dir, at)
}

#[test]
fn all_paths_start_where_the_csv_is_found_and_a_notice_says_where() {
    let (_dir, at) = python_project();
    let config = Config::open(&at.join("config/config.yml")).unwrap();
    assert_eq!(config.folder(), at);
    let paths = &config.paths;
    assert_eq!(paths.model_dataframe, at.join("data/processed_subset.csv"));
    assert_eq!(paths.model_path, Some(at.join("model/model.safetensors")));
    assert_eq!(paths.training_history_path, Some(at.join("model/training_history.csv")));
    assert_eq!((&paths.runs, &paths.images), (&at.join("runs"), &at));
    let told = format!(
        "all relative paths of this config start at {}, which holds `./data/processed_subset.csv`; {} does not",
        at.display(),
        at.join("config").display()
    );
    assert_eq!(config.notices[0], told);
    assert_eq!(config.notices.len(), 2, "of the .h5, too: {:?}", config.notices);

    let image = at.join("data/img_crop/Tee/1.jpg");
    let dataset = Dataset::open(&config).unwrap();
    assert_eq!(fs::canonicalize(&dataset.rows[0].image).unwrap(), image);
    // A second CSV beside it is of the same project.
    assert_eq!(images_of_project(&at.join("data/test.csv"), Some(&config)), Some(at.clone()));
    assert_eq!(images_of_project(&at.join("other/test.csv"), Some(&config)), None);
}

#[test]
fn a_csv_in_the_configs_folder_means_what_it_meant() {
    let (_dir, at) = python_project();
    fs::rename(at.join("data"), at.join("config/data")).unwrap();
    let config = Config::open(&at.join("config/config.yml")).unwrap();
    assert_eq!(config.folder(), at.join("config"));
    assert_eq!(config.notices.len(), 1, "of the .h5 alone: {:?}", config.notices);
}

#[test]
fn a_csv_that_is_nowhere_is_told_with_where_it_was_looked_for() {
    let (_dir, at) = python_project();
    fs::remove_file(at.join("data/processed_subset.csv")).unwrap();
    let config = Config::open(&at.join("config/config.yml")).unwrap();
    let told = format!("{:#}", Dataset::open(&config).unwrap_err());
    let missing = format!("{} cannot be read: ", at.join("config/data/processed_subset.csv").display());
    let started_in = std::env::current_dir().unwrap();
    let others = format!("from {} or {}: put the CSV", at.display(), started_in.display());
    assert!(told.starts_with(&missing) && told.contains(&others), "{told}");
}

#[test]
fn the_folder_of_the_project_is_where_it_may_write() {
    let (_dir, at) = python_project();
    let file = at.join("config/config.yml");
    assert_eq!(Config::open(&file).unwrap().outside(&WRITTEN), []);
    fs::write(&file, CONFIG.replace("./model/model.h5", "../model.h5")).unwrap();
    let outside = Config::open(&file).unwrap().outside(&WRITTEN);
    assert_eq!(outside.len(), 1);
    assert_eq!(outside[0].path, at.with_file_name("model.safetensors"));
}

#[test]
fn the_config_of_a_run_opens_from_the_run_and_writes_to_its_project() {
    let (dir, at) = python_project();
    let config = Config::open(&at.join("config/config.yml")).unwrap();
    let run = at.join("runs/today");
    fs::create_dir_all(&run).unwrap();
    let text = config.to_yaml_in(&run);
    assert!(text.contains("model_dataframe: \"../../data/processed_subset.csv\""), "{text}");
    assert!(text.contains("images: \"../..\""), "{text}");
    fs::write(run.join("config.yml"), text).unwrap();
    let moved = dir.path().canonicalize().unwrap().join("moved");
    fs::rename(&at, &moved).unwrap();

    let own = Config::open(&moved.join("runs/today/config.yml")).unwrap();
    assert_eq!(own.notices, [""; 0]);
    assert_eq!(fs::canonicalize(&Dataset::open(&own).unwrap().rows[0].image).unwrap(), {
        moved.join("data/img_crop/Tee/1.jpg")
    });
    assert_eq!(own.outside(&WRITTEN), [], "the config in `config` names the same places");
    fs::remove_file(moved.join("config/config.yml")).unwrap();
    assert_eq!(own.outside(&WRITTEN).len(), 4, "nobody says that this is its project");
}
