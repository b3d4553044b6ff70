//! From a CSV and a config to rows, and what the user is told on the way.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::problems::{Counts, Look, check_images, lines};
use super::*;

mod images;

/// A folder with a CSV of the columns path, print and sleeves.
struct Shop {
    dir: tempfile::TempDir,
}

const CONFIG: &str = "paths: {model_dataframe: shop.csv}
model:
  target_encoder: {print: [solid, floral, striped], sleeves: [short, long]}
";

impl Shop {
    fn new(csv: &str) -> Self {
        let shop = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::write(shop.path("shop.csv"), csv).unwrap();
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn try_open(&self, more: &str) -> anyhow::Result<Dataset> {
        let config = Config::parse(&format!("{CONFIG}{more}"), &self.path("config.yml")).unwrap();
        Dataset::open(&config)
    }

    fn open(&self) -> Dataset {
        self.try_open("").unwrap()
    }
}

/// Ten rows without fault: every label in many rows.
fn sound_rows() -> String {
    let prints = ["solid", "floral", "striped"];
    let row = |n: usize| format!("{n}.jpg,{},{}\n", prints[n % 3], ["short", "long"][n / 3 % 2]);
    (0..12).map(row).collect()
}

fn shop_with(rows: &str) -> Shop {
    Shop::new(&format!("path,print,sleeves\n{rows}{}", sound_rows()))
}

fn messages(dataset: &Dataset) -> Vec<String> {
    dataset.problems.iter().map(|problem| format!("{:?} {problem}", problem.severity)).collect()
}

#[test]
fn labels_become_class_indices_and_partly_labelled_rows_are_used() {
    let dataset = shop_with("a.jpg, floral ,\nb.jpg,,long\n").open();
    assert_eq!(messages(&dataset), Vec::<String>::new());
    assert_eq!(dataset.rows[0].labels[..], [RowLabel::Class(1), RowLabel::Missing]);
    assert_eq!(dataset.rows[1].labels[..], [RowLabel::Missing, RowLabel::Class(1)]);
    assert_eq!(dataset.usable_count(), 14);
    assert_eq!(dataset.missing_counts(), [1, 1]);
    assert!(dataset.can_train());
}

#[test]
fn a_first_line_that_tells_another_delimiter_than_the_rows_is_named() {
    let rows = "path,print,sleeves\na.jpg,solid,long\n";
    let told = Shop::new(&format!("sep=;\n{rows}")).try_open("").unwrap_err().to_string();
    let expected = ". Its first line gives `;` as the delimiter, but the rows use another: correct that line";
    assert!(told.ends_with(expected), "{told}");
    // One column alone is nothing strange.
    let told = Shop::new("path\na.jpg\n").try_open("").unwrap_err().to_string();
    assert!(!told.contains("first line"), "{told}");
}

#[test]
fn each_fault_of_a_row_is_told_with_line_and_column() {
    let shop = shop_with(
        "a.jpg,florall,short\n,solid,long\nb.jpg,zebra,\nc.jpg,solid\nd.jpg,solid,long,x\na.jpg,solid,short\ne.jpg,NaN,long\n",
    );
    let dataset = shop.open();
    assert_eq!(
        messages(&dataset),
        [
            "Note 1 row without a label for any task is not used",
            "Warning line 2, column `print`: `florall` is no label of the task `print`; did you mean `floral`?",
            "Warning line 3, column `path`: there is no image path, so the row is not used",
            "Warning line 4, column `print`: `zebra` is no label of the task `print`; add it to target_encoder or correct the cell",
            "Warning line 5: the row has 2 cells, the header has 3; look for a missing `,`",
            "Warning line 6: the row has 4 cells, the header has 3; look for an extra `,`",
            "Warning line 7, column `path`: the same image as on line 2, with labels for other tasks; this row is not used: put all labels in one row",
            "Warning line 8, column `print`: `NaN` is no label of the task `print`; leave the cell empty if the row has no label",
        ]
    );
    let usable: Vec<bool> = dataset.rows.iter().take(7).map(|row| row.usable).collect();
    assert_eq!(usable, [true, false, false, true, true, false, true]);
    assert!(dataset.can_train());
    assert_eq!(Counts::of(&dataset.problems).to_string(), "7 warnings, 1 note");
}

#[test]
fn a_second_row_of_an_image_says_how_its_labels_differ() {
    let dataset =
        shop_with("a.jpg,floral,short\n./a.jpg,floral,short\na.jpg,solid,short\nb.jpg,,\nb.jpg,solid,long\n")
            .open();
    assert_eq!(
        messages(&dataset)[1..],
        [
            "Warning line 3, column `path`: the same image and labels as on line 2; this row is not used",
            "Warning line 4, column `path`: the same image as on line 2, but another label for `print`; this row is not used: keep the row that is right",
        ]
    );
    // A row without labels does not keep a labelled one out.
    assert!(dataset.rows[4].usable);
}

#[test]
fn rows_that_are_wholly_empty_are_one_note() {
    let dataset = Shop::new(&format!("path,print,sleeves\n{},,\n,,\n \n", sound_rows())).open();
    assert_eq!(messages(&dataset), ["Note 3 rows without any text were skipped"]);
}

#[test]
fn an_open_quote_is_told() {
    let dataset = Shop::new(&format!("path,print,sleeves\n{}z.jpg,solid,\"long\n", sound_rows())).open();
    assert_eq!(
        messages(&dataset),
        [
            "Warning line 14: a cell begins with a quote that never closes; it is read as a character",
            "Warning line 14, column `sleeves`: `\"long` is no label of the task `sleeves`; did you mean `long`?",
        ]
    );
}

#[test]
fn tasks_and_labels_without_rows_are_told() {
    let rows: String = (0..10).map(|n| format!("{n}.jpg,{},short\n", ["solid", "floral"][n % 2])).collect();
    let dataset = Shop::new(&format!("path,print,sleeves\n{rows}")).open();
    assert_eq!(
        messages(&dataset),
        [
            "Warning column `sleeves`: only the label `short` occurs in the rows that can be used; there is nothing to distinguish, so this task learns nothing",
            "Note column `print`: the label `striped` occurs in no row that can be used",
        ]
    );
    assert!(dataset.can_train());
    let dataset = Shop::new("path,print,sleeves\na.jpg,solid,\nb.jpg,solid,\n").open();
    assert_eq!(
        messages(&dataset),
        [
            "Error column `print`: only the label `solid` occurs in the rows that can be used; training needs a task with at least two labels",
            "Error column `sleeves`: no label occurs in the rows that can be used; training needs a task with at least two labels",
        ]
    );
    assert!(!dataset.can_train());
}

#[test]
fn an_empty_split_is_an_error() {
    let dataset = Shop::new("path,print,sleeves\na.jpg,solid,short\n").open();
    let last = messages(&dataset).pop().unwrap();
    assert_eq!(
        last,
        "Error no row is left to validate (1 of 1 row can be used); add rows with an image and a label, at least two"
    );
    let dataset = Shop::new("path,print,sleeves\n").open();
    let last = messages(&dataset).pop().unwrap();
    assert!(
        last.starts_with("Error no row is left to train or validate (0 of 0 rows can be used)"),
        "{last}"
    );
}

#[test]
fn a_split_column_is_honoured_and_its_faults_are_told() {
    let parts = ["train", " Training", "val", "VALID", "dev", "validation", "test", "", "later"];
    let mut csv = "path,print,sleeves,set\n".to_owned();
    for (n, part) in parts.iter().enumerate() {
        csv.push_str(&format!(
            "{n}.jpg,{},{},{part}\n",
            ["solid", "floral"][n % 2],
            ["short", "long"][n % 2]
        ));
    }
    let dataset = Shop::new(&csv).try_open("  split_column: set\n").unwrap();
    assert_eq!(*dataset.split, Split { train: vec![0, 1], validation: vec![2, 3, 4, 5] });
    assert_eq!(dataset.parts()[5..], [Some(Part::Validation), Some(Part::Test), None, None]);
    assert_eq!(
        messages(&dataset),
        [
            "Note column `print`: the label `striped` occurs in no row that can be used",
            "Note column `set`: 1 row kept for a test is not used for training",
            "Warning line 9, column `set`: the cell is empty, so the row is not used; expected train, validation or test",
            "Warning line 10, column `set`: `later` is unknown, so the row is not used; expected train, validation or test",
        ]
    );
    let counts = dataset.label_counts();
    assert_eq!(counts[0][0], LabelCount { train: 1, validation: 2, unused: 2 });
    assert_eq!(counts[0][2], LabelCount::default());
}

#[test]
fn a_label_that_only_validates_and_an_empty_side_are_told() {
    let csv =
        "path,print,sleeves,part\na.jpg,solid,short,train\nb.jpg,floral,long,train\nc.jpg,striped,long,val\n";
    let dataset = Shop::new(csv).try_open("  split_column: part\n").unwrap();
    assert_eq!(
        messages(&dataset),
        [
            "Warning column `print`: the label `striped` occurs in 1 row for validation but in none for training: it cannot be learnt"
        ]
    );
    let dataset = Shop::new(&csv.replace("val\n", "train\n")).try_open("  split_column: part\n").unwrap();
    assert_eq!(
        messages(&dataset),
        [
            "Error column `part`: no row is left to validate (3 of 3 rows can be used); write `train` and `validation` into its cells"
        ]
    );
}

#[test]
fn an_unused_split_column_is_pointed_out() {
    let rows: String = sound_rows().lines().map(|row| format!("{row},train\n")).collect();
    let dataset = Shop::new(&format!("path,print,sleeves,Split\n{rows}")).open();
    assert_eq!(
        messages(&dataset),
        [
            "Note column `Split`: it seems to say which rows train and which validate; set `split_column: Split` to use it"
        ]
    );
}

#[test]
fn missing_columns_are_refused_with_the_nearest() {
    let shop = Shop::new("image,prints,sleeves\na.jpg,solid,short\n");
    assert_eq!(
        shop.try_open("  split_column: part\n").unwrap_err().to_string(),
        format!(
            "{} has no columns `path` (the image path, key model.paths) and `print` (a task of model.target_encoder, did you mean `prints`?) and `part` (key model.split_column); its columns are `image`, `prints`, `sleeves`",
            shop.path("shop.csv").display()
        )
    );
}

#[test]
fn a_column_that_is_there_twice_and_another_encoding_are_noted() {
    let shop = Shop::new("");
    let csv = format!("path,print,sleeves,print,caf\u{e9}\n{}", sound_rows().replace('\n', ",,\n"));
    let latin: Vec<u8> = csv.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    std::fs::write(shop.path("shop.csv"), latin).unwrap();
    assert_eq!(
        messages(&shop.open()),
        [
            "Note the file is not UTF-8 and was read as Windows-1252; if letters look wrong, save it as UTF-8",
            "Note the column `print` is there more than once; the first is used",
        ]
    );
}

#[test]
fn images_are_looked_for_beside_the_csv_and_then_beside_the_config() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir_all(data.join("img")).unwrap();
    std::fs::write(data.join("img").join("a.jpg"), "").unwrap();
    std::fs::write(dir.path().join("b.jpg"), "").unwrap();
    let elsewhere = dir.path().join("c.jpg");
    let csv = format!(
        "path,print,sleeves\nimg/a.jpg,solid,\nb.jpg,solid,\nnone.jpg,solid,\n{},solid,\n",
        elsewhere.display()
    );
    std::fs::write(data.join("shop.csv"), csv).unwrap();
    let text = CONFIG.replace("shop.csv", "data/shop.csv");
    let config = Config::parse(&text, &dir.path().join("config.yml")).unwrap();
    let dataset = Dataset::open(&config).unwrap();
    let images: Vec<&Path> = dataset.rows.iter().map(|row| &*row.image).collect();
    assert_eq!(
        images,
        [&data.join("img/a.jpg"), &dir.path().join("b.jpg"), &data.join("none.jpg"), &elsewhere]
    );

    // A run's own copy of the config, in another folder, finds the same images.
    let copy = dir.path().join("runs").join("1").join("config.yml");
    config.save(&copy).unwrap();
    assert_eq!(Dataset::open(&Config::open(&copy).unwrap()).unwrap().rows, dataset.rows);
}

#[cfg(unix)]
#[test]
fn a_path_written_on_windows_is_read() {
    let dataset = shop_with("img\\a.jpg,solid,\n").open();
    assert!(dataset.rows[0].image.ends_with("img/a.jpg"));
}

#[test]
fn missing_images_leave_their_rows_out_and_the_others_are_split_anew() {
    let shop = shop_with("");
    let mut dataset = shop.open();
    let lost = dataset.split.validation.clone();
    let reports = AtomicUsize::new(0);
    let found = check_images(&dataset, Look::Header, &|done, of| {
        assert!(done <= of && of == 12);
        reports.fetch_add(1, Ordering::Relaxed);
        true
    });
    let found = found.problems;
    assert_eq!(found.len(), 12);
    assert_eq!(reports.into_inner(), 1);
    assert_eq!((found[3].row, found[3].line, found[3].column.as_deref()), (Some(3), Some(5), Some("path")));
    assert!(found[3].message.contains("3.jpg is missing"), "{}", found[3].message);

    let apply = |dataset: &mut Dataset, problems| dataset.apply(Checked { problems, ..Checked::default() });
    apply(&mut dataset, found.iter().filter(|p| lost.contains(&p.row.unwrap())).cloned().collect());
    assert_eq!(Counts::of(&dataset.problems).warnings, lost.len());
    assert!(lost.iter().all(|row| !dataset.rows[*row].usable));
    assert_eq!(dataset.split.train.len() + dataset.split.validation.len(), 12 - lost.len());
    assert!(!dataset.split.validation.is_empty());

    apply(&mut dataset, found.into_iter().filter(|p| !lost.contains(&p.row.unwrap())).collect());
    assert!(!dataset.can_train());
    assert!(messages(&dataset).iter().any(|m| m.starts_with("Error no row is left to train or validate")));
}

#[test]
fn an_image_that_was_read_with_a_reserve_is_told_and_used() {
    let shop = shop_with("");
    let mut dataset = shop.open();
    let image = image::ImageBuffer::from_pixel(4, 4, image::Luma([4000_u16]));
    std::fs::create_dir_all(dataset.rows[3].image.parent().unwrap()).unwrap();
    for row in &dataset.rows {
        let mut png = std::io::Cursor::new(Vec::new());
        image::DynamicImage::ImageLuma16(image.clone()).write_to(&mut png, image::ImageFormat::Png).unwrap();
        std::fs::write(&row.image, png.into_inner()).unwrap();
    }
    let found = check_images(&dataset, Look::Pixels, &|_, _| true);
    let told = &found.problems;
    assert_eq!((told.len(), told[3].severity, told[3].line), (12, Severity::Note, Some(5)));
    assert!(told[3].message.contains("3.jpg: its values of 16 bits reach only 4000"), "{}", told[3].message);
    dataset.apply(found);
    // As after labels were changed.
    dataset.settle_rows();
    assert!(dataset.rows.iter().all(|row| row.usable));
    assert_eq!(Counts::of(&dataset.problems).warnings, 0);
}

#[test]
fn a_check_of_images_can_be_stopped() {
    let rows: String = (0..1000).map(|n| format!("x{n}.jpg,solid,short\n")).collect();
    let dataset = Shop::new(&format!("path,print,sleeves\n{rows}")).open();
    let found = check_images(&dataset, Look::Header, &|_, _| false);
    assert!(found.problems.len() < 1000, "{}", found.problems.len());
}

#[test]
fn many_problems_of_a_kind_are_cut_in_the_list() {
    let rows: String = (0..5).map(|n| format!("w{n}.jpg,wool,short\n")).collect();
    let dataset = shop_with(&format!(",solid,short\n{rows}")).open();
    let what = "`wool` is no label of the task `print`; add it to target_encoder or correct the cell";
    assert_eq!(
        lines(&dataset.problems, 2, ToString::to_string),
        [
            "warning: line 2, column `path`: there is no image path, so the row is not used".to_owned(),
            format!("warning: line 3, column `print`: {what}"),
            format!("warning: line 4, column `print`: {what}"),
            "warning: and 3 more of this kind (unknown label)".to_owned(),
        ]
    );
    assert_eq!(Counts::of(&[]).to_string(), "no problems");
}

#[test]
fn a_row_keeps_its_part_while_the_csv_around_it_changes() {
    let rows: Vec<String> =
        (0..200).map(|n| format!("{n}.jpg,{},short\n", ["solid", "floral"][n % 2])).collect();
    let open = |rows: &[String]| Shop::new(&format!("path,print,sleeves\n{}", rows.concat())).open();
    let parts = |dataset: &Dataset| -> std::collections::BTreeMap<String, Option<Part>> {
        let names = (0..dataset.rows.len()).map(|row| dataset.image_key(row).into_owned());
        names.zip(dataset.parts()).collect()
    };
    let before = parts(&open(&rows));
    let sorted: Vec<String> = rows.iter().rev().cloned().collect();
    assert_eq!(parts(&open(&sorted)), before, "in another folder and order");
    let mut longer = rows;
    longer.insert(90, "new.jpg,solid,long\n".into());
    longer[20] = "20.jpg,floral,short\n".into();
    let mut after = parts(&open(&longer));
    assert!(after.remove("new.jpg").flatten().is_some());
    let changed = before.iter().filter(|(name, part)| after[*name] != **part).count();
    assert!(changed <= 2, "{changed} of {} rows", before.len());
}
