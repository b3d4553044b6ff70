//! Exports of a small shop, with edits that no CSV has yet.

use std::fs;

use super::*;
use crate::config::Config;
use crate::dataset::edits::{AnnotationSource, State, Step};

/// Six images and a row without one; labels with signs that no folder can have.
struct Shop {
    folder: tempfile::TempDir,
    dataset: Dataset,
    state: State,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("in")).unwrap();
        for image in ["a.jpg", "b.jpg", "in/a.jpg", "c.jpg", "d.jpg"] {
            fs::write(at(image), image).unwrap();
        }
        let csv = "id;path;print;sleeves\n1;a.jpg;a/b;long\n2;b.jpg;a:b;\n3;in/a.jpg;A_B;long\n4;c.jpg;plaid;\n\
                   5;gone.jpg;a/b;short\n6;d.jpg;;\n7;a.jpg;;short\n8;;a/b;\n";
        fs::write(at("shop.csv"), csv).unwrap();
        let yaml = "paths:\n  model_dataframe: shop.csv\nmodel:\n  paths: path\n  target_encoder:\n    \
                    print: [\"a/b\", \"a:b\", A_B]\n    sleeves: [long, short]\n";
        let dataset = Dataset::open(&Config::parse(yaml, &at("config.yml")).unwrap()).unwrap();
        let mut state = State::default();
        let changes = vec![
            state.label_change(&dataset, 1, 1, Some("short")),
            state.flag_change(&dataset, 1, Some("blurred")),
        ];
        state.edit(Step::now(AnnotationSource::Hand, changes)).unwrap();
        Self { folder, dataset, state }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn export(&self, form: &Form, target: &str) -> anyhow::Result<ExportOutcome> {
        export(&self.dataset, &self.state.values(), form, &self.at(target), &mut |_, _| true)
    }

    fn folders(&self, placing: Placing) -> ExportOutcome {
        self.export(&Form::Folders { tasks: vec![0, 1], placing }, "out").unwrap()
    }

    /// The files of the export, but for the list.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.at("out")];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some() {
                    files.push(
                        path.strip_prefix(self.at("out")).unwrap().to_str().unwrap().replace('\\', "/"),
                    );
                }
            }
        }
        files.sort();
        files
    }
}

const FILES: [&str; 6] = [
    "print/A_B_3/0003_a.jpg",
    "print/a_b/0001_a.jpg",
    "print/a_b_2/0002_b.jpg",
    "sleeves/long/0001_a.jpg",
    "sleeves/long/0003_a.jpg",
    "sleeves/short/0002_b.jpg",
];

#[test]
fn each_label_has_a_folder_of_its_own_with_the_images_that_have_it() {
    for placing in [Placing::Copy, Placing::HardLink, Placing::SymbolicLink] {
        let shop = Shop::new();
        let written = shop.folders(placing);
        assert_eq!(shop.files(), FILES, "{placing:?}");
        assert_eq!(fs::read_to_string(shop.at("out/sleeves/long/0003_a.jpg")).unwrap(), "in/a.jpg");
        let out = shop.at("out");
        assert_eq!(written.summary, format!("6 images in 5 folders were written to {}", out.display()));
        assert_eq!(written.left_out, 1);
        let gone = shop.at("gone.jpg");
        assert_eq!(written.notices[0], format!("1 image left out: {} is missing", gone.display()));
        assert!(written.notices[1].starts_with("1 label left out"), "{:?}", written.notices);
        assert_eq!(written.notices.len(), 2);
    }
}

#[cfg(unix)]
#[test]
fn links_are_what_was_chosen_and_lead_to_the_image_itself() {
    use std::os::unix::fs::MetadataExt as _;
    let shop = Shop::new();
    // An image that is a link: one to it must not lead nowhere from another folder.
    fs::rename(shop.at("a.jpg"), shop.at("in/real.jpg")).unwrap();
    std::os::unix::fs::symlink("in/real.jpg", shop.at("a.jpg")).unwrap();
    shop.folders(Placing::HardLink);
    let file = shop.at("out/print/a_b/0001_a.jpg");
    assert_eq!(
        fs::symlink_metadata(&file).unwrap().ino(),
        fs::metadata(shop.at("in/real.jpg")).unwrap().ino()
    );
    shop.folders(Placing::SymbolicLink);
    assert_eq!(fs::read_link(&file).unwrap(), fs::canonicalize(shop.at("in/real.jpg")).unwrap());
}

#[test]
fn the_next_export_replaces_the_last_and_nothing_else() {
    let mut shop = Shop::new();
    for placing in [Placing::Copy, Placing::HardLink, Placing::SymbolicLink, Placing::Copy] {
        shop.folders(placing);
    }
    assert_eq!(shop.files(), FILES);
    // A file of the user's, a copy that was changed, and one whose image is gone stay.
    fs::write(shop.at("out/print/mine.jpg"), "mine").unwrap();
    fs::write(shop.at("out/sleeves/long/0001_a.jpg"), "painted over").unwrap();
    fs::remove_file(shop.at("b.jpg")).unwrap();
    let change = shop.state.label_change(&shop.dataset, 2, 1, Some("short"));
    shop.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap();
    let written = shop.folders(Placing::Copy);
    assert!(written.notices.iter().any(|notice| notice.contains("left unchanged")), "{written:?}");
    assert_eq!(
        shop.files(),
        [
            "print/A_B_3/0003_a.jpg",
            "print/a_b/0001_a.jpg",
            "print/a_b_2/0002_b.jpg",
            "print/mine.jpg",
            "sleeves/long/0001_a.jpg",
            "sleeves/long/0001_a_2.jpg",
            "sleeves/short/0002_b.jpg",
            "sleeves/short/0003_a.jpg",
        ]
    );
    assert_eq!(fs::read_to_string(shop.at("out/sleeves/long/0001_a.jpg")).unwrap(), "painted over");
    assert_eq!(fs::read_to_string(shop.at("out/sleeves/short/0002_b.jpg")).unwrap(), "b.jpg");
}

#[test]
fn a_folder_with_files_of_the_user_is_refused_and_another_is_found() {
    let shop = Shop::new();
    let form = Form::Folders { tasks: vec![0], placing: Placing::Copy };
    let error = shop.export(&form, "in").unwrap_err().to_string();
    assert!(error.contains("has files that are not from an export"), "{error}");
    assert_eq!(fs::read_dir(shop.at("in")).unwrap().count(), 1);
    assert!(shop.export(&form, "a.jpg").unwrap_err().to_string().contains("is a file"));
    assert_eq!(folder_in(&shop.at("new"), "labels"), shop.at("new"));
    assert_eq!(folder_in(&shop.at("in"), "a.jpg"), shop.at("in/a.jpg_2"));
    shop.export(&form, "in/labels").unwrap();
    assert_eq!(folder_in(&shop.at("in"), "labels"), shop.at("in/labels"));
    assert_eq!(folder_in(&shop.at("in/labels"), "labels"), shop.at("in/labels"));
}

#[test]
fn a_list_that_leads_out_of_the_folder_removes_nothing_there() {
    let shop = Shop::new();
    shop.folders(Placing::Copy);
    let list = shop.at("out/.tasklens-export");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, text.replace("print/a_b/0001_a.jpg", "../d.jpg") + "not JSON\n").unwrap();
    shop.folders(Placing::Copy);
    assert!(shop.at("d.jpg").is_file());
}

#[cfg(unix)]
#[test]
fn a_link_in_an_exports_folder_is_neither_emptied_nor_filled() {
    use std::os::unix::fs::symlink;

    let shop = Shop::new();
    shop.folders(Placing::Copy);
    // The folder of a task has moved away, and a link stands in its place.
    fs::rename(shop.at("out/print"), shop.at("theirs")).unwrap();
    symlink(shop.at("theirs"), shop.at("out/print")).unwrap();
    let before = fs::read_dir(shop.at("theirs/a_b")).unwrap().count();
    let form = Form::Folders { tasks: vec![0, 1], placing: Placing::Copy };
    let error = shop.export(&form, "out").unwrap_err().to_string();
    assert!(error.contains("print is a symbolic link: remove it, or export to another folder"), "{error}");
    assert_eq!(fs::read_dir(shop.at("theirs/a_b")).unwrap().count(), before);
    assert!(before > 0 && shop.at("theirs/a_b/0001_a.jpg").is_file());
}

#[test]
fn json_lines_tell_labels_that_are_missing_and_flags() {
    let shop = Shop::new();
    let written = shop.export(&Form::JsonLines, "labels.jsonl").unwrap();
    assert!(written.summary.starts_with("6 images were written to "), "{}", written.summary);
    let text = fs::read_to_string(shop.at("labels.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], r#"{"image":"a.jpg","labels":{"print":"a/b","sleeves":"long"},"flag":null}"#);
    assert_eq!(lines[1], r#"{"image":"b.jpg","labels":{"print":"a:b","sleeves":"short"},"flag":"blurred"}"#);
    assert_eq!(lines[3], r#"{"image":"c.jpg","labels":{"print":"plaid","sleeves":null},"flag":null}"#);
    assert_eq!(lines.len(), 6, "an image that is in two rows comes once: {text}");
    fs::create_dir(shop.at("elsewhere")).unwrap();
    shop.export(&Form::JsonLines, "elsewhere/labels.jsonl").unwrap();
    let text = fs::read_to_string(shop.at("elsewhere/labels.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["image"], shop.at("a.jpg").to_str().unwrap());
}

#[test]
fn the_csv_keeps_its_columns_and_is_never_its_own_target() {
    let shop = Shop::new();
    let csv = fs::read_to_string(shop.at("shop.csv")).unwrap();
    let written = shop.export(&Form::Csv, "copy.csv").unwrap();
    assert!(written.summary.ends_with("copy.csv with 1 corrected row was written"), "{}", written.summary);
    assert_eq!(fs::read_to_string(shop.at("copy.csv")).unwrap(), csv.replace("a:b;\n", "a:b;short\n"));
    for form in [Form::Csv, Form::JsonLines] {
        assert!(shop.export(&form, "shop.csv").unwrap_err().to_string().contains("is the CSV itself"));
    }
    assert_eq!(fs::read_to_string(shop.at("shop.csv")).unwrap(), csv);
}

#[test]
fn cancelling_leaves_no_file_and_a_folder_that_can_be_exported_to_again() {
    let shop = Shop::new();
    let stopped = |form: &Form, target: &str, after: usize| {
        export(&shop.dataset, &shop.state.values(), form, &shop.at(target), &mut |done, _| done < after)
            .unwrap_err()
    };
    stopped(&Form::JsonLines, "labels.jsonl", 3);
    assert!(!shop.at("labels.jsonl").exists());
    let form = Form::Folders { tasks: vec![0, 1], placing: Placing::Copy };
    stopped(&form, "out", 2);
    assert_eq!(shop.files().len(), 2);
    shop.folders(Placing::HardLink);
    assert_eq!(shop.files(), FILES);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_an_images_place_is_left_out_and_not_waited_for() {
    let shop = Shop::new();
    fs::write(shop.at("gone.jpg"), "here").unwrap();
    fs::remove_file(shop.at("b.jpg")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(shop.at("b.jpg")).status().unwrap().success());
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || said.send(shop.folders(Placing::Copy).notices.join("\n")));
    let notices = heard.recv_timeout(std::time::Duration::from_secs(10)).expect("no wait");
    assert!(notices.contains("it is a pipe or a device, not a file"), "{notices}");
}
