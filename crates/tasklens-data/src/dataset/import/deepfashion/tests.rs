//! A download in the form that it has, with drawn garments, and everything that can be odd about one.

use std::fs;
use std::path::PathBuf;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;

use super::*;
use crate::config::Config;
use crate::config::presets::{PresetFacts, Recipe};
use crate::dataset::Dataset;
use crate::dataset::table::Table;
use crate::images::decode::decode_file;

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

/// A download below a temporary folder: 12 images train, 3 validate, 3 test.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        drawn::write(&world.data(), [12, 3, 3], 5).unwrap();
        world
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("project")
    }

    fn data(&self) -> PathBuf {
        self.root().join("data")
    }

    fn annotation(&self, file: &str) -> PathBuf {
        self.data().join("Anno_fine").join(file)
    }

    fn edit(&self, file: &str, change: impl Fn(String) -> String) {
        let text = fs::read_to_string(self.annotation(file)).unwrap();
        fs::write(self.annotation(file), change(text)).unwrap();
    }

    fn edit_line(&self, file: &str, line: usize, new: &str) {
        self.edit(file, |text| {
            let lines = text.lines().enumerate();
            lines.map(|(at, old)| format!("{}\n", if at + 1 == line { new } else { old })).collect()
        });
    }

    fn import(&self) -> anyhow::Result<Imported> {
        import(&DeepFashionLayout::of(Some(&self.data()), None, None)?, &propose, &mut |_, _, _| true)
    }

    fn problems(&self) -> Vec<String> {
        let annotation = format!("{}/", self.data().join("Anno_fine").display());
        let problems = self.import().unwrap().problems;
        problems.iter().map(|problem| problem.to_string().replace(&annotation, "")).collect()
    }

    fn table(&self) -> Table {
        Table::open(&self.data().join("processed_subset.csv")).unwrap()
    }
}

fn propose(images: usize, aspect: Option<f32>) -> Proposed {
    Recipe::proposed(&PresetFacts { images, labelled: images, aspect, ..PresetFacts::default() })
}

fn cell<'a>(table: &'a Table, row: usize, column: &str) -> std::borrow::Cow<'a, str> {
    table.cell(row, table.column(column).unwrap())
}

#[test]
fn a_download_becomes_a_project_that_opens() {
    let world = World::new();
    let imported = world.import().unwrap();
    assert_eq!((imported.rows, imported.kept), ([18, 18, 18], 0));
    assert!(imported.problems.is_empty() && imported.notices.is_empty() && imported.report.is_none());
    let table = world.table();
    let headers =
        "file,category,print,sleeves,length,neckline,fabric,fit,top_level_category,processed_path,split";
    assert_eq!(table.headers, headers.split(',').collect::<Vec<_>>());
    let row = |row: usize| {
        table.headers.iter().map(|name| cell(&table, row, name).into_owned()).collect::<Vec<_>>()
    };
    let first = row(0);
    assert_eq!((&*first[0], &*first[1]), ("img/Drawn_Blouse/img_00000001.jpg", "Blouse"));
    assert_eq!((&*first[4], &*first[6], &*first[7]), ("mini_length", "", ""), "each label in its own column");
    assert_eq!(first[8..], ["upper_body", "img_crop/Drawn_Blouse/img_00000001.jpg", "train"]);
    assert_eq!((&*row(2)[4], &*row(2)[6]), ("", "cotton"));
    let splits: Vec<_> = (0..18).map(|row| cell(&table, row, "split").into_owned()).collect();
    assert_eq!(
        splits.join(" "),
        format!("{}{}{}", "train ".repeat(12), "validation ".repeat(3), "test test test")
    );

    let config = Config::open(&imported.config).unwrap();
    assert_eq!(imported.config, world.data().join("config.yml"));
    assert_eq!(Recipe::of(&config.model), Some(Recipe::Scratch));
    let tasks: Vec<&str> = config.model.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(tasks, ["print", "sleeves", "length", "neckline", "category"], "those with two labels");
    assert_eq!(config.model.tasks[2].labels, ["mini_length", "no_dress"]);
    let dataset = Dataset::open(&config).unwrap();
    assert_eq!((dataset.split.train.len(), dataset.split.validation.len()), (12, 3));
    for (number, row) in dataset.rows.iter().enumerate() {
        let [left, top, right, bottom] = drawn::box_of(number).map(|side| u32::try_from(side).unwrap());
        let crop = decode_file(&row.image).unwrap();
        assert_eq!(crop.dimensions(), (right - left, bottom - top));
        let image = decode_file(&world.data().join(&*cell(&table, number, "file"))).unwrap();
        let middle = (image.get_pixel(80, 80).0, crop.get_pixel(80 - left, 80 - top).0);
        let apart = middle.0.iter().zip(middle.1).map(|(a, b)| a.abs_diff(b)).max().unwrap();
        assert!(apart < 24, "{middle:?}");
    }
}

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

#[test]
fn the_tables_on_the_way_are_parquet_with_the_columns_of_the_python_project() {
    let world = World::new();
    world.edit_line("train_attr.txt", 2, &["0"; 26].join(" "));
    world.edit_line("train_bbox.txt", 3, "none");
    world.import().unwrap();
    let read =
        |name: &str| SerializedFileReader::new(fs::File::open(world.data().join(name)).unwrap()).unwrap();
    let full = read("full_dataset.parquet");
    let columns = |reader: &SerializedFileReader<fs::File>| {
        let schema = reader.metadata().file_metadata().schema().get_fields().to_vec();
        schema.iter().map(|field| field.name().to_owned()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(columns(&full), "file,category,bbox,print,sleeves,length,neckline,fabric,fit,split");
    let rows: Vec<_> = full.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 18);
    assert_eq!(rows[0].get_string(0).unwrap(), "img/Drawn_Blouse/img_00000001.jpg");
    assert_eq!(rows[0].get_list(2).unwrap().elements().len(), 4);
    assert_eq!(rows[0].get_string(5).unwrap(), "mini_length");
    assert!((3..9).all(|column| rows[1].get_string(column).is_err()), "no label is no value");
    assert!(rows[2].get_list(2).is_err() && rows[3].get_list(2).is_ok());
    let subset = read("model_subset.parquet");
    assert_eq!(
        columns(&subset),
        "file,category,bbox,print,sleeves,length,neckline,fabric,fit,top_level_category,split"
    );
    assert_eq!(
        subset.get_row_iter(None).unwrap().next().unwrap().unwrap().get_string(9).unwrap(),
        "upper_body"
    );
}

#[test]
fn no_flag_of_a_group_is_no_label_and_two_are_a_problem() {
    let world = World::new();
    let flags = |set: &[usize]| {
        (0..26).map(|flag| if set.contains(&flag) { "1" } else { "0" }).collect::<Vec<_>>().join(" ")
    };
    world.edit_line("train_attr.txt", 1, &flags(&[2, 15]));
    world.edit_line("train_attr.txt", 2, &flags(&[0, 1, 7, 24]));
    world.edit_line("train_attr.txt", 3, &flags(&[8]).replacen('0', "2", 1));
    world.edit_line("train_attr.txt", 4, "1 0 1");
    assert_eq!(
        world.problems(),
        [
            "train_attr.txt:2: several attributes of the group print are set (floral, graphic): the row goes on without it",
            "train_attr.txt:3: flag 1 is `2`, expected 0 or 1: the row goes on without that group",
            "train_attr.txt:4: 3 flags, expected 26: the row goes on without attributes",
        ]
    );
    let table = world.table();
    let labels = |row: usize| {
        let groups = annotation::GROUPS.iter().map(|group| cell(&table, row, group).into_owned());
        groups.collect::<Vec<_>>().join(",")
    };
    assert_eq!(labels(0), "striped,,,square_neckline,,");
    assert_eq!(labels(1), ",long_sleeve,,,,loose");
    assert_eq!(labels(2), ",short_sleeve,,,,");
    assert_eq!(labels(3), ",,,,,");
    let report = fs::read_to_string(world.data().join("processed_subset.problems.txt")).unwrap();
    assert_eq!(report.lines().count(), 4, "{report}");
    assert!(report.starts_with("# What an import of DeepFashion left out: 3\n"), "{report}");
}

#[test]
fn rows_that_cannot_be_used_are_left_out_and_told() {
    let world = World::new();
    world.edit_line("train_cate.txt", 1, "7");
    world.edit_line("train_cate.txt", 2, "none");
    world.edit_line("train.txt", 3, "img/../../../away.jpg");
    world.edit_line("train.txt", 4, "other/Drawn_Robe/img_00000006.jpg");
    world.edit_line("train_bbox.txt", 5, "1 2 3");
    world.edit_line("train_bbox.txt", 7, "200 0 300 90");
    world.edit_line("train_bbox.txt", 8, "-20 10 1000 90");
    fs::remove_file(world.data().join("img/Drawn_Jeans/img_00000010.jpg")).unwrap();
    let cut = world.data().join("img/Drawn_Dress/img_00000011.jpg");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    world.edit_line("val.txt", 1, "img/Drawn_Blouse/img_00000013.png");
    let mut told = world.problems();
    let cut_off = told.iter().position(|problem| problem.starts_with("train.txt:11: ")).unwrap();
    let cut_off = told.remove(cut_off);
    assert!(cut_off.contains("img_00000011.jpg") && cut_off.ends_with(": the row is left out"), "{cut_off}");
    let again = format!(
        "train.txt:6: its crop would be that of {}:4: the row is left out",
        world.annotation("train.txt").display()
    )
    .replace(&format!("{}/", world.data().join("Anno_fine").display()), "");
    assert_eq!(
        told,
        [
            "train.txt:3: expected a path below the folder of the images, such as `img/Tee/1.jpg`: the row is left out",
            "train.txt:4: the image is missing: the row is left out",
            again.as_str(),
            "train.txt:7: nothing of the image (160 x 160 pixels) is in the box 200 0 300 90: the row is left out",
            "train.txt:10: the image is missing: the row is left out",
            "train_bbox.txt:5: `1 2 3`: expected the four numbers of a box, x1 y1 x2 y2: the row is left out",
            "train_cate.txt:1: `7` is the number of no category of the list: the row is left out",
            "train_cate.txt:2: `none` is the number of no category of the list: the row is left out",
            "val.txt:1: crops are JPEG files, expected a name that ends in .jpg: the row is left out",
        ]
    );
    let table = world.table();
    assert_eq!(table.row_count(), 18 - 10);
    assert!(!world.root().join("away.jpg").exists());
    let clamped = decode_file(&world.data().join("img_crop/Drawn_Tee/img_00000008.jpg")).unwrap();
    assert_eq!(clamped.dimensions(), (160, 80));
}

#[test]
fn files_that_do_not_belong_together_are_refused_with_the_line() {
    let refusal = |file: &str, change: &dyn Fn(String) -> String| {
        let world = World::new();
        world.edit(file, change);
        let said = world.import().unwrap_err().to_string();
        assert!(
            !world.data().join("img_crop").exists() && !world.data().join("full_dataset.parquet").exists()
        );
        said.replace(&format!("{}/", world.data().join("Anno_fine").display()), "")
    };
    let short =
        refusal("val_cate.txt", &|text| text.lines().take(2).map(|line| format!("{line}\n")).collect());
    assert!(short.starts_with("val_cate.txt:3: the file ends after 2 lines, and val.txt has 3: "), "{short}");
    let long = refusal("test_bbox.txt", &|text| format!("{text}1 2 3 4\n"));
    assert!(long.starts_with("test_bbox.txt:4: the file ends after 4 lines, and test.txt has 3: "), "{long}");
    let count = refusal("list_attr_cloth.txt", &|text| text.replacen("26", "27", 1));
    assert!(
        count.starts_with("list_attr_cloth.txt:1: it says that there are 27 attributes, and 26 follow"),
        "{count}"
    );
    let group = refusal("list_attr_cloth.txt", &|text| text.replacen(" 1\n", " 7\n", 1));
    assert!(
        group.starts_with("list_attr_cloth.txt:3: `floral") && group.contains("a number from 1 to 6"),
        "{group}"
    );
    let twice = refusal("list_category_cloth.txt", &|text| text.replace("Robe", "Tee "));
    assert_eq!(twice, "list_category_cloth.txt:8: `Tee` is listed for the second time");
}

#[test]
fn names_with_blanks_windows_line_ends_other_texts_and_blank_last_lines_are_read_and_told() {
    let world = World::new();
    world.edit("list_category_cloth.txt", |text| text.replace("Tank ", "Tank top "));
    world.edit("train_cate.txt", |text| text.replace('\n', "\r\n"));
    world.edit("val_attr.txt", |text| format!("{text}\n\n"));
    let mut paths = fs::read(world.annotation("test.txt")).unwrap();
    paths[5] = 0xff;
    fs::write(world.annotation("test.txt"), paths).unwrap();
    let imported = world.import().unwrap();
    let told: Vec<String> = imported.problems.iter().map(ToString::to_string).collect();
    let place = |file: &str| world.annotation(file).display().to_string();
    assert_eq!(told, [format!("{}:1: this is not UTF-8 text: the row is left out", place("test.txt"))]);
    assert_eq!(
        imported.notices,
        [
            format!("{}:1: lines end as on Windows (CR LF): read as they are meant", place("train_cate.txt")),
            format!("{}:4: 2 blank lines at the end: left out", place("val_attr.txt")),
        ]
    );
    assert_eq!(cell(&world.table(), 2, "category"), "Tank top");
    assert_eq!(imported.rows, [18, 17, 17]);
}

#[test]
fn crops_that_are_there_and_whole_are_kept_and_broken_ones_made_anew() {
    let world = World::new();
    let mut calls = 0;
    let layout = DeepFashionLayout::of(Some(&world.data()), None, None).unwrap();
    let stopped = import(&layout, &propose, &mut |step, done, _| {
        calls += usize::from(step == ImportStep::Cropping);
        done < 4
    });
    let said = stopped.unwrap_err().to_string();
    assert!(said.starts_with("cancelled: the crops that are made stay"), "{said}");
    assert!(!layout.table.exists() && calls >= 4);

    let whole = world.import().unwrap();
    assert!(whole.kept >= 4 && whole.kept < 18, "{}", whole.kept);
    let crop = |name: &str| world.data().join("img_crop").join(name);
    let of = |name: &str| fs::metadata(crop(name)).unwrap().modified().unwrap();
    let before = of("Drawn_Tee/img_00000002.jpg");
    let broken = crop("Drawn_Blouse/img_00000001.jpg");
    let bytes = fs::read(&broken).unwrap();
    fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    // Another box is another crop.
    world.edit_line("train_bbox.txt", 3, "0 0 50 60");
    let again = world.import().unwrap();
    assert_eq!((again.kept, again.rows), (16, [18, 18, 18]));
    assert_eq!(fs::read(&broken).unwrap(), bytes);
    assert_eq!(of("Drawn_Tee/img_00000002.jpg"), before);
    assert_eq!(decode_file(&crop("Drawn_Tank/img_00000003.jpg")).unwrap().dimensions(), (50, 60));
    assert_eq!(again.notices.len(), 1, "{:?}", again.notices);
    assert!(
        again.notices[0].contains("config.yml is there already, for this CSV: it stays"),
        "{:?}",
        again.notices
    );
}

#[test]
fn nothing_that_the_import_did_not_make_is_replaced() {
    for (file, told) in [
        ("processed_subset.csv", "is no CSV of DeepFashion's crops"),
        ("full_dataset.parquet", "is no Parquet file"),
        ("model_subset.parquet", "is no Parquet file"),
        ("processed_subset.problems.txt", "is no list of an import"),
    ] {
        let world = World::new();
        fs::write(world.data().join(file), "mine").unwrap();
        let said = world.import().unwrap_err().to_string();
        assert!(said.contains(file) && said.contains(told), "{said}");
        assert_eq!(fs::read_to_string(world.data().join(file)).unwrap(), "mine");
        assert!(!world.data().join("img_crop").exists(), "it is told before the work");
    }
    let world = World::new();
    fs::write(world.data().join("config.yml"), "mine").unwrap();
    let crops = world.data().join("img_crop/Drawn_Tee");
    fs::create_dir_all(&crops).unwrap();
    fs::write(crops.join("img_00000002.jpg"), "mine").unwrap();
    // A crop of the Python project, which is as large as the box.
    let [left, top, right, bottom] = drawn::box_of(7).map(|side| u32::try_from(side).unwrap());
    let theirs = image::RgbImage::new(right - left, bottom - top);
    theirs.save(crops.join("img_00000008.jpg")).unwrap();
    let bytes = fs::read(crops.join("img_00000008.jpg")).unwrap();
    let imported = world.import().unwrap();
    assert_eq!((imported.kept, imported.rows), (1, [18, 18, 17]));
    assert!(imported.problems[0].to_string().contains("img_00000002.jpg is there already and is no crop"));
    assert_eq!(fs::read(crops.join("img_00000008.jpg")).unwrap(), bytes);
    assert_eq!(fs::read_to_string(crops.join("img_00000002.jpg")).unwrap(), "mine");
    assert_eq!(imported.config, world.data().join("processed_subset.yml"));
    assert_eq!(fs::read_to_string(world.data().join("config.yml")).unwrap(), "mine");

    // Crops in the folder of the images would take their place.
    fs::remove_file(world.data().join("processed_subset.csv")).unwrap();
    let mut layout = DeepFashionLayout::of(Some(&world.data()), None, None).unwrap();
    layout.crops.folder = world.data().join("img");
    let original = fs::read(world.data().join("img/Drawn_Tee/img_00000002.jpg")).unwrap();
    let said = import(&layout, &propose, &mut |_, _, _| true).unwrap_err().to_string();
    assert!(said.contains("could be cropped"), "{said}");
    assert_eq!(fs::read(world.data().join("img/Drawn_Tee/img_00000002.jpg")).unwrap(), original);
}

#[test]
fn a_csv_that_was_there_is_kept_as_a_dated_copy() {
    let world = World::new();
    world.import().unwrap();
    let csv = world.data().join("processed_subset.csv");
    let edited = fs::read_to_string(&csv).unwrap().replacen("Blouse", "Tee", 2);
    fs::write(&csv, &edited).unwrap();
    let imported = world.import().unwrap();
    let backups: Vec<_> =
        fs::read_dir(world.data().join("processed_subset.csv.edits/backups")).unwrap().collect();
    assert_eq!(backups.len(), 1);
    assert_eq!(fs::read_to_string(backups[0].as_ref().unwrap().path()).unwrap(), edited);
    assert!(imported.notices.iter().any(|notice| notice.contains("was another before: that is kept as ")));
}

/// What 289,222 rows need, as the coarse annotation has: `cargo test --release ... -- --ignored rows_of_the --nocapture`.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures memory: run it alone"]
fn as_many_rows_as_the_coarse_annotation_need_less_than_a_gigabyte() {
    const ROWS: usize = 289_222;
    let world = World::new();
    let lines = |line: &dyn Fn(usize) -> String| (0..ROWS).map(line).collect::<String>();
    let path = |row: usize| format!("img/Sheer_Pleated-Front_Blouse_{:04}/img_{row:08}.jpg\n", row / 50);
    fs::write(world.annotation("train.txt"), lines(&path)).unwrap();
    fs::write(world.annotation("train_cate.txt"), lines(&|row| format!("{}\n", row % 6 + 1))).unwrap();
    let flags = fs::read_to_string(world.annotation("val_attr.txt")).unwrap();
    let flags: Vec<&str> = flags.lines().collect();
    fs::write(world.annotation("train_attr.txt"), lines(&|row| format!("{}\n", flags[row % 3]))).unwrap();
    fs::write(world.annotation("train_bbox.txt"), lines(&|_| "001 002 060 070\n".to_owned())).unwrap();
    let imported = world.import().unwrap();
    assert_eq!((imported.rows, imported.problems.len()), ([ROWS + 6, ROWS + 6, 6], ROWS));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim();
    println!("peak memory: {peak}");
    let kilobytes: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kilobytes < 1_000_000);
}

#[test]
fn a_row_is_small() {
    assert!(
        size_of::<AnnotationRow>() <= 40 && size_of::<Chosen>() <= 8,
        "{} {}",
        size_of::<AnnotationRow>(),
        size_of::<Chosen>()
    );
    assert!(size_of::<ImportProblem>() <= 64, "{}", size_of::<ImportProblem>());
}
