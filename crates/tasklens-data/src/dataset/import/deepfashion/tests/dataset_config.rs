//! The dataset config of the Python project.

use std::fs;

use super::*;
use crate::config::Config;
use crate::dataset::Dataset;

/// The dataset config of the Python project, with its groups cut short to the drawn categories.
const DATASET_CONFIG: &str = r#"
paths:
  categories_path: "./data/Anno_fine/list_category_cloth.txt"
  attributes_path: "./data/Anno_fine/list_attr_cloth.txt"

  train_files_path: "./data/Anno_fine/train.txt"
  train_categories_path: "./data/Anno_fine/train_cate.txt"
  train_attributes_path: "./data/Anno_fine/train_attr.txt"
  train_bboxes_path: "./data/Anno_fine/train_bbox.txt"

  test_files_path: "./data/Anno_fine/test.txt"
  test_categories_path: "./data/Anno_fine/test_cate.txt"
  test_attributes_path: "./data/Anno_fine/test_attr.txt"
  test_bboxes_path: "./data/Anno_fine/test_bbox.txt"

  val_files_path: "./data/Anno_fine/val.txt"
  val_categories_path: "./data/Anno_fine/val_cate.txt"
  val_attributes_path: "./data/Anno_fine/val_attr.txt"
  val_bboxes_path: "./data/Anno_fine/val_bbox.txt"

  full_dataset_path: "./data/full_dataset.parquet"
  model_subset_path: "./data/model_subset.parquet"
  processed_subset_path: "./data/processed_subset.csv"

  data_folder_prefix: "./data"
  cropped_folder: "./data/img_crop"

categories:
  aggregation:
    Dresses: ["Dress", "Robe"]
    Tops:
      [
        "Blouse",
        "Tee",
        "Tank",
      ]
    Trousers: ["Jeans"]
  to_model: ["Dresses", "Tops"]
"#;

#[test]
fn the_python_projects_dataset_config_works_unchanged() {
    let world = World::new();
    let config = world.root().join("config/dataset_config.yml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, DATASET_CONFIG).unwrap();
    let layout = DeepFashionLayout::of(None, Some(&config), None).unwrap();
    assert!(
        layout.notices[0].starts_with("all relative paths of this config start at "),
        "{:?}",
        layout.notices
    );
    let imported = import(&layout, &propose, &mut |_, _, _| true).unwrap();
    assert_eq!(imported.rows, [18, 15, 15], "jeans are in no group to model");
    let table = world.table();
    assert_eq!(cell(&table, 0, "file"), "./data/img/Drawn_Blouse/img_00000001.jpg");
    assert_eq!(cell(&table, 0, "processed_path"), "./data/img_crop/Drawn_Blouse/img_00000001.jpg");
    assert_eq!(
        (cell(&table, 0, "top_level_category"), cell(&table, 3, "top_level_category")),
        ("Tops".into(), "Dresses".into())
    );
    assert_eq!(imported.config, world.root().join("config.yml"));
    let opened = Config::open(&imported.config).unwrap();
    assert_eq!(opened.notices, [""; 0]);
    assert!(Dataset::open(&opened).unwrap().rows.iter().all(|row| row.image.is_file()));

    let elsewhere = world.0.path().join("elsewhere");
    let layout = DeepFashionLayout::of(None, Some(&config), Some(&elsewhere)).unwrap();
    let imported = import(&layout, &propose, &mut |_, _, _| true).unwrap();
    let mut written: Vec<_> =
        fs::read_dir(&elsewhere).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    written.sort();
    assert_eq!(
        written,
        ["config.yml", "full_dataset.parquet", "img_crop", "model_subset.parquet", "processed_subset.csv"]
    );
    let opened = Dataset::open(&Config::open(&imported.config).unwrap()).unwrap();
    assert!(opened.rows.iter().all(|row| row.image.starts_with(&elsewhere) && row.image.is_file()));
}

#[test]
fn what_is_wrong_with_a_dataset_config_is_told_with_its_line() {
    let world = World::new();
    let config = world.root().join("dataset_config.yml");
    let refusal = |from: &str, to: &str| {
        fs::write(&config, DATASET_CONFIG.replace(from, to)).unwrap();
        let layout = DeepFashionLayout::of(None, Some(&config), None);
        layout.and_then(|layout| import(&layout, &propose, &mut |_, _, _| true)).unwrap_err().to_string()
    };
    for (from, to, told) in [
        (
            "to_model: [\"Dresses\"",
            "to_model: [\"Dreses\"",
            ":38: `categories.to_model` has `Dreses`, which is no group of the aggregation: did you mean `Dresses`?",
        ),
        ("cropped_folder", "croped_folder", ":26: `paths.croped_folder` is unknown"),
        (
            "[\"Jeans\"]",
            "[\"Tee\"]",
            ":37: `Tee` is in the group `Tops` already, and cannot be in `Trousers`, too",
        ),
        ("\"Tee\",", "\"Teee\",", "`Teee`, which is no category of "),
        (
            "\"./data/img_crop\"",
            "/elsewhere/img_crop",
            "/elsewhere/img_crop is outside of the project's folder",
        ),
        (
            "  test_files_path: \"./data/Anno_fine/test.txt\"\n",
            "",
            "the dataset config has no `paths.test_files_path`",
        ),
    ] {
        let said = refusal(from, to);
        assert!(said.contains(told), "{said}");
    }
}
