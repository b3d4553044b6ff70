//! `tasklens predict --out --shard` and `--watch`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tasklens_data::parquet_file;

use crate::serve::trained;
use crate::{err, out, tasklens};

#[test]
fn parts_are_written_whole_once_and_together_are_all() {
    let folder = trained();
    let folder = folder.path();
    std::fs::write(folder.join("s/garments/00008.jpg"), "no image").expect("written");
    let part = |shard: &str, file: &str| {
        tasklens(folder, &["predict", "run", "s/garments.csv", "--out", file, "--shard", shard])
    };
    let mut rows = 0;
    for (index, images) in [(0, 13), (1, 13), (2, 14)] {
        let file = format!("{index}.parquet");
        let predicted = part(&format!("{index}/3"), &file);
        // The image that cannot be read is a row with a reason.
        let failed = usize::from(index == 0);
        assert_eq!(predicted.status.code(), Some(i32::from(index == 0)), "{}", err(&predicted));
        let told = format!("{} of {images} images in ", images - failed);
        assert!(out(&predicted).contains(&told), "{}", out(&predicted));
        let notes =
            parquet_file::notes(std::fs::File::open(folder.join(&file)).expect("a file")).expect("Parquet");
        assert!(
            notes
                .iter()
                .any(|(name, about)| name == "tasklens.predict" && about.contains(&format!("{index}/3")))
        );
        rows += images;
    }
    assert_eq!(rows, 40);

    let before = std::fs::metadata(folder.join("1.parquet")).expect("a file").modified().expect("a time");
    let again = part("1/3", "1.parquet");
    assert!(again.status.success() && out(&again).contains("has these answers already"), "{}", out(&again));
    let now = std::fs::metadata(folder.join("1.parquet")).expect("a file").modified().expect("a time");
    assert_eq!(before, now);
    // Another part is another question.
    assert!(out(&part("2/3", "1.parquet")).contains("14 of 14 images"));

    assert!(!err(&again).contains("another list"), "{}", err(&again));

    // An image more, and some would be in two parts: told until all parts are of one list.
    let table = std::fs::read_to_string(folder.join("s/garments.csv")).expect("a table");
    std::fs::write(folder.join("s/garments.csv"), table + "garments/00001.jpg,solid,,\n").expect("written");
    for (index, is_told) in [(0, true), (1, true), (2, false)] {
        let predicted = part(&format!("{index}/3"), &format!("{index}.parquet"));
        assert_eq!(
            err(&predicted).contains("is a part of another list"),
            is_told,
            "{index}: {}",
            err(&predicted)
        );
    }

    std::fs::write(folder.join("mine.txt"), "mine").expect("written");
    let refused = part("0/3", "mine.txt");
    assert!(err(&refused).contains("is no Parquet file"), "{}", err(&refused));
    assert_eq!(std::fs::read_to_string(folder.join("mine.txt")).expect("text"), "mine");
    let wrong = part("3/3", "3.parquet");
    assert!(wrong.status.code() == Some(2) && err(&wrong).contains("counted from 0"), "{}", err(&wrong));
}

/// A process that watches `new`, and ends with the test.
struct Watch(Child);

impl Watch {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tasklens"))
            .current_dir(folder)
            .env("TASKLENS_OFFLINE", "1")
            .env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"))
            .args(["predict", "run", "--watch", "new", "--csv", "answers.csv", "--device", "cpu"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("a line").expect("UTF-8");
        assert!(first.starts_with("watching new: "), "{first}");
        // Nobody reads on, which must not stop it.
        std::thread::spawn(move || lines.count());
        Self(process)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The names that have a row, once there are so many.
fn answered(folder: &Path, rows: usize) -> Vec<String> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let text = std::fs::read_to_string(folder.join("answers.csv")).unwrap_or_default();
        let names: Vec<String> =
            text.lines().skip(1).filter_map(|line| Some(line.split_once(',')?.0.to_owned())).collect();
        if names.len() >= rows {
            return names;
        }
        assert!(Instant::now() < until, "only {names:?} are answered");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_appears_in_a_folder_is_answered_once_also_after_a_kill() {
    let folder = trained();
    let folder = folder.path();
    std::fs::create_dir_all(folder.join("new/sub")).expect("a folder");
    let put = |image: &str, name: &str| {
        std::fs::copy(folder.join("s/garments").join(image), folder.join("new").join(name)).expect("copied");
    };
    put("00001.jpg", "a.jpg");
    let watch = Watch::start(folder);
    assert_eq!(answered(folder, 1), ["a.jpg"]);
    put("00002.jpg", "sub/b.jpg");
    assert_eq!(answered(folder, 2), ["a.jpg", "sub/b.jpg"]);

    let twice = ["predict", "run", "--watch", "new", "--csv", "answers.csv"];
    let twice = tasklens(folder, &twice);
    assert!(err(&twice).contains("another process"), "{}", err(&twice));
    let nowhere = tasklens(folder, &["predict", "run", "--watch", "new", "--csv", "-"]);
    assert!(
        nowhere.status.code() == Some(1) && err(&nowhere).contains("has to be a file"),
        "{}",
        err(&nowhere)
    );
    // Killed, at the worst within a row.
    drop(watch);
    let mut text = std::fs::read_to_string(folder.join("answers.csv")).expect("a CSV");
    text.truncate(text.len() - 5);
    std::fs::write(folder.join("answers.csv"), text).expect("written");
    put("00003.jpg", "c.jpg");
    let _watch = Watch::start(folder);
    let names = answered(folder, 3);
    assert_eq!(names, ["a.jpg", "c.jpg", "sub/b.jpg"]);
    // They stay answered.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(answered(folder, 3), names);
}
