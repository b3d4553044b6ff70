//! Which files the images of a CSV or a folder are: what is read, what is left out, and what is said of it.

use std::path::PathBuf;
use std::process::Output;

use crate::{err, out, tasklens};

/// A project with its images in `train/photos`, trained as `run`.
struct Trained {
    folder: tempfile::TempDir,
}

impl Trained {
    fn new() -> Self {
        let trained = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let rows: String = (0..12).map(|n| trained.row("train/photos", n)).collect();
        trained.write("train/labels.csv", &format!("image_path,shade\n{rows}"));
        let text = "paths: {model_dataframe: labels.csv}\nmodel:\n  input_shape: [32, 32]\n  target_encoder: {shade: [dark, \
                    light]}\n  paths: image_path\n  backbone: xception_small\n  pretrained: none\n  device: cpu\n  workers: \
                    1\n  epochs: 1\n  batch_size: 8\n";
        trained.write("train/config.yml", text);
        trained.write("config.yml", &text.replace("labels.csv", "other/other.csv"));
        let train = trained.run(&["train", "train/config.yml", "--run", "run"]);
        assert!(train.status.success(), "{}", err(&train));
        trained
    }

    /// Draws an image; its row.
    fn row(&self, folder: &str, n: u8) -> String {
        let level = if n.is_multiple_of(2) { 60 } else { 220 } + n;
        self.draw(&format!("{folder}/{n}.png"), level);
        format!("photos/{n}.png,{}\n", if n.is_multiple_of(2) { "dark" } else { "light" })
    }

    fn draw(&self, file: &str, level: u8) {
        std::fs::create_dir_all(self.path(file).parent().expect("a folder")).expect("made");
        let picture = image::RgbImage::from_pixel(32, 32, image::Rgb([level; 3]));
        picture.save(self.path(file)).expect("a picture");
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        tasklens(self.folder.path(), arguments)
    }
}

#[test]
fn the_images_of_a_csv_are_not_those_of_the_training() {
    let trained = Trained::new();
    let row = trained.row("test/photos", 0);
    trained
        .write("test/test.csv", &format!("image_path,shade\n{row}photos/1.png,light\nphotos/2.png,dark\n"));

    let predict = trained.run(&["predict", "run", "test/test.csv"]);
    assert_eq!(predict.status.code(), Some(1), "{}", out(&predict));
    assert_eq!(out(&predict).lines().count(), 1, "{}", out(&predict));
    for (line, image) in [(3, "1.png"), (4, "2.png")] {
        let told = format!("test/test.csv, line {line}: test/photos/{image} is missing");
        assert!(err(&predict).contains(&told), "{}", err(&predict));
    }

    let evaluate = trained.run(&["evaluate", "run", "test/test.csv", "--json"]);
    assert_eq!(evaluate.status.code(), Some(1), "{}", out(&evaluate));
    let report: serde_json::Value = serde_json::from_str(&out(&evaluate)).expect("one JSON object");
    assert_eq!(
        (&report["images"], report["failures"].as_array().map(Vec::len)),
        (&1.into(), Some(2)),
        "{report}"
    );
    let csv = trained.path("test/test.csv");
    let told = format!("{}, line 3, column `image_path`: ", csv.display());
    assert!(
        err(&evaluate).contains(&told) && err(&evaluate).contains("1.png is missing"),
        "{}",
        err(&evaluate)
    );

    // The run's own images, and those of the CSV that it was made from, are where they were.
    let own = trained.run(&["evaluate", "run", "--quick"]);
    assert!(own.status.success(), "{}", err(&own));
    let own = trained.run(&["predict", "run", "train/labels.csv"]);
    assert_eq!((own.status.code(), out(&own).lines().count()), (Some(0), 12), "{}", err(&own));
}

#[cfg(target_os = "linux")]
#[test]
fn predict_and_evaluate_read_paths_as_check_does() {
    let trained = Trained::new();
    for n in 0..4 {
        trained.row("other/my photos", n);
    }
    let csv = "image_path,shade\nmy photos\\0.png,dark\nMy Photos/1.PNG,light\nmy%20photos/2.png,dark\nmy photos/3,light\n";
    trained.write("other/other.csv", csv);
    let check = trained.run(&["check", "config.yml"]);
    assert!(
        out(&check).contains("4 rows: 3 train, 1 validation") && out(&check).contains("3 notes"),
        "{}",
        out(&check)
    );
    let [predict, evaluate, train] = [
        &["predict", "run", "other/other.csv"][..],
        &["evaluate", "run", "other/other.csv"],
        &["train", "config.yml"],
    ];
    for arguments in [predict, evaluate, train] {
        let output = trained.run(arguments);
        assert!(output.status.success(), "{}", err(&output));
        for kind in ["upper and lower case", "percent signs", "another file extension"] {
            assert_eq!(err(&output).matches(kind).count(), 1, "{}", err(&output));
        }
        assert_eq!(err(&output).matches("is read from a file that has").count(), 3, "{}", err(&output));
    }
}

#[cfg(unix)]
#[test]
fn predict_and_new_take_the_same_images_of_a_folder() {
    use std::os::unix::fs::symlink;
    let trained = Trained::new();
    for file in ["1.png", ".hidden/2.png", "in/3.png"] {
        trained.draw(&format!("photos/{file}"), 90);
    }
    trained.draw("elsewhere/4.png", 90);
    std::fs::create_dir(trained.path("photos/__MACOSX")).expect("made");
    for file in ["._1.png", "__MACOSX/._2.png", "IMG_1.HEIC", "IMG_2.avif"] {
        trained.write(&format!("photos/{file}"), "no image");
    }
    symlink(trained.path("elsewhere"), trained.path("photos/linked")).expect("a link");
    symlink(trained.path("photos/in/3.png"), trained.path("photos/again.png")).expect("a link");
    symlink(trained.path("photos"), trained.path("photos/in/round")).expect("a link");

    let predict = trained.run(&["predict", "run", "photos"]);
    assert_eq!(predict.status.code(), Some(0), "{}", err(&predict));
    let mut predicted: Vec<String> =
        out(&predict).lines().filter_map(|line| Some(line.split_once("  ")?.0.to_owned())).collect();
    predicted.sort_unstable();
    assert_eq!(predicted, ["photos/1.png", "photos/in/3.png", "photos/linked/4.png"]);

    let new = trained.run(&["new", "photos", "--task", "k=a,b"]);
    assert!(new.status.success(), "{}", err(&new));
    let csv = std::fs::read_to_string(trained.path("photos/labels.csv")).expect("a CSV");
    let mut taken: Vec<String> =
        csv.lines().skip(1).filter_map(|line| Some(format!("photos/{}", line.split_once(',')?.0))).collect();
    taken.sort_unstable();
    assert_eq!(taken, predicted);
    for told in [err(&predict), err(&new)] {
        for what in [
            "2 images are left out",
            "2 links are",
            "2 hidden files or folders are",
            "1 folder `__MACOSX` is",
        ] {
            assert!(told.contains(what), "{what}: {told}");
        }
    }

    for file in ["1.png", "in/3.png"] {
        std::fs::remove_file(trained.path(&format!("photos/{file}"))).expect("removed");
    }
    std::fs::remove_file(trained.path("photos/linked")).expect("removed");
    let nothing = trained.run(&["predict", "run", "photos"]);
    assert_eq!(nothing.status.code(), Some(1), "{}", out(&nothing));
    assert!(err(&nothing).contains("HEIC") && err(&nothing).contains("holds no images"), "{}", err(&nothing));
}

#[test]
fn folders_of_a_split_become_a_column_that_training_honours() {
    let trained = Trained::new();
    for (n, file) in (0..).zip([
        "train/dark/0",
        "train/light/1",
        "train/dark/2",
        "train/light/3",
        "valid/dark/4",
        "valid/light/5",
    ]) {
        trained.draw(&format!("split/{file}.png"), if n % 2 == 0 { 60 } else { 220 });
    }
    trained.draw("split/test/dark/6.png", 60);
    let new = trained.run(&["new", "split", "--folders-as", "shade"]);
    assert!(new.status.success(), "{}", err(&new));
    assert!(out(&new).contains("shade: dark, light, filled in from the sub-folders"), "{}", out(&new));
    assert!(
        out(&new).contains("the column `split` takes over: train 4, validation 2, test 1."),
        "{}",
        out(&new)
    );
    let check = trained.run(&["check", "split/config.yml"]);
    assert!(out(&check).contains("7 rows: 4 train, 2 validation, 1 not used"), "{}", out(&check));
}
