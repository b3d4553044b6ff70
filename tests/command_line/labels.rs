//! Labels without a window: counted, listed, changed, exported.

use std::path::Path;

use tasklens_data::config::Config;
use tasklens_data::dataset::vocabulary::{self, VocabularyChange};
use tasklens_data::dataset::{Dataset, edits};
use tasklens_data::files::fault::{DiskFault, inject};

use crate::{err, out, sample, tasklens};

#[test]
fn label_stats_count_edits_that_another_window_has_not_written() {
    let (folder, config) = sample();
    let config = config.to_str().expect("UTF-8");
    let before = tasklens(folder.path(), &["label-stats", config]);
    assert!(before.status.success(), "{}", err(&before));
    assert!(out(&before).contains("print: 40 labelled, 0 not"), "{}", out(&before));
    assert!(out(&before).contains("40 images: 40 complete (100.0 %), 0 flagged"), "{}", out(&before));

    let parsed = Config::open(Path::new(config)).expect("a config");
    let dataset = Dataset::open(&parsed).expect("a CSV");
    // As a window does that stays open.
    let edits::OpenedAnnotations { mut state, mut journal, .. } =
        edits::open(&parsed, &dataset).expect("edits");
    let changes =
        vec![state.label_change(&dataset, 0, 0, None), state.flag_change(&dataset, 1, Some("blurred"))];
    let entry =
        state.edit(edits::Step::now(edits::AnnotationSource::Hand, changes)).expect("it changes something");
    journal.append(&[entry]).expect("kept");

    let after = tasklens(folder.path(), &["label-stats", config]);
    assert!(out(&after).contains("print: 39 labelled, 1 not"), "{}", out(&after));
    assert!(out(&after).contains("40 images: 39 complete (97.5 %), 1 flagged"), "{}", out(&after));
    assert!(out(&after).contains("1 label edit is not in the CSV yet, but counted here"), "{}", out(&after));
    let json = tasklens(folder.path(), &["label-stats", config, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out(&json)).expect("JSON");
    assert_eq!((&json["images"], &json["pending_edits"]), (&40.into(), &1.into()));
    assert_eq!((&json["tasks"][0]["task"], &json["tasks"][0]["unlabelled"]), (&"print".into(), &1.into()));
}

#[test]
fn labels_are_exported_with_edits_that_no_csv_has_yet() {
    let (folder, config) = sample();
    let config = config.to_str().expect("UTF-8");
    let parsed = Config::open(Path::new(config)).expect("a config");
    let dataset = Dataset::open(&parsed).expect("a CSV");
    let edits::OpenedAnnotations { mut state, mut journal, .. } =
        edits::open(&parsed, &dataset).expect("edits");
    let sleeves = dataset.tasks.iter().position(|task| task.name == "sleeves").expect("a task");
    let change = state.label_change(&dataset, 0, sleeves, None);
    let entry = state.edit(edits::Step::now(edits::AnnotationSource::Hand, vec![change])).expect("a change");
    journal.append(&[entry]).expect("kept");

    let export = |more: &[&str]| tasklens(folder.path(), &[&["export", config], more].concat());
    assert_eq!(export(&[]).status.code(), Some(2), "one form must be named");
    assert_eq!(export(&["--csv", "a.csv", "--copy"]).status.code(), Some(2));
    let csv = export(&["--csv", "a.csv"]);
    assert!(out(&csv).contains("a.csv with 1 corrected row was written"), "{}{}", out(&csv), err(&csv));
    let lines = export(&["--jsonl", "a.jsonl"]);
    assert!(out(&lines).contains("40 images were written to"), "{}{}", out(&lines), err(&lines));
    let text = std::fs::read_to_string(folder.path().join("a.jsonl")).expect("lines");
    let first: serde_json::Value =
        serde_json::from_str(text.lines().next().unwrap_or_default()).expect("JSON");
    assert_eq!((&first["image"], &first["labels"]["sleeves"]), (&"s/garments/00001.jpg".into(), &().into()));
    let itself = export(&["--jsonl", "s/config.yml"]);
    assert!(err(&itself).contains("is the config itself"), "{}", err(&itself));

    std::fs::remove_file(folder.path().join("s/garments/00002.jpg")).expect("removed");
    let folders = export(&["--folders", "by", "--task", "sleeves", "--copy"]);
    assert_eq!(folders.status.code(), Some(1), "an image is missing");
    assert!(err(&folders).contains("1 image left out: "), "{}", err(&folders));
    assert!(out(&folders).contains("38 images in "), "{}", out(&folders));
    assert!(!folder.path().join("by/print").exists());
    let near = export(&["--folders", "by", "--task", "sleevs"]);
    assert!(err(&near).contains("did you mean `sleeves`?"), "{}", err(&near));
}

#[test]
fn labels_are_listed_previewed_and_changed() {
    let (folder, config) = sample();
    let folder = folder.path();
    let csv = || std::fs::read_to_string(folder.join("s/garments.csv")).expect("a CSV");
    let text = || std::fs::read_to_string(&config).expect("a config");
    let labels = |arguments: &[&str]| tasklens(folder, &[&["labels", "s/config.yml"], arguments].concat());
    let list = out(&labels(&[]));
    assert!(list.starts_with("print\n  embroidered") && list.contains("\nsleeves\n"), "{list}");

    let (before, config_before) = (csv(), text());
    let solid = before.matches(",solid,").count();
    let preview = labels(&["merge", "print", "solid", "striped", "--dry-run"]);
    assert!(out(&preview).contains(&format!("{solid} image")), "{}{}", out(&preview), err(&preview));
    assert!(out(&preview).contains(": solid -> striped"), "{}", out(&preview));
    assert_eq!((csv(), text()), (before.clone(), config_before));

    let merge = labels(&["merge", "print", "solid", "striped"]);
    assert!(merge.status.success(), "{}", err(&merge));
    assert!(
        out(&merge).starts_with("Done: merge the label `solid` of `print` into `striped`."),
        "{}",
        out(&merge)
    );
    assert_eq!(csv(), before.replace(",solid,", ",striped,"));
    assert!(!text().contains("solid"));
    assert!(labels(&["rename-task", "print", "pattern"]).status.success());
    assert!(labels(&["add-task", "hem", "short", "long"]).status.success());
    assert!(labels(&["rename", "hem", "short", "knee"]).status.success());
    assert!(labels(&["add", "hem", "floor"]).status.success());
    assert!(labels(&["remove", "hem", "long"]).status.success());
    assert!(labels(&["remove-task", "neckline"]).status.success());
    let list = out(&labels(&[]));
    assert!(
        list.starts_with("pattern\n") && list.contains("hem\n  knee") && !list.contains("neckline"),
        "{list}"
    );
    assert!(csv().starts_with("image_path,pattern,sleeves,neckline"), "{}", csv());
    assert!(tasklens(folder, &["check", "s/config.yml"]).status.success());

    let refused = labels(&["add", "hem", "knee"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("the task `hem` already has a label `knee`"), "{}", err(&refused));
    assert_eq!(labels(&["add-task", "x", "one"]).status.code(), Some(2));
}

#[test]
fn a_change_of_labels_that_was_cut_short_is_spoken_of_and_finished_by_making_it_again() {
    let (folder, config) = sample();
    let rename = VocabularyChange::RenameTask { task: "print".to_owned(), to: "pattern".to_owned() };
    let config_text = std::fs::read_to_string(&config).expect("a config");
    for at in 0.. {
        inject(at, DiskFault::Killed, || vocabulary::apply(&config, &rename).is_ok());
        let csv = Config::open(&config).expect("a config").paths.model_dataframe;
        if std::fs::read_to_string(csv).expect("a CSV").lines().next().is_some_and(|l| l.contains("pattern"))
        {
            break;
        }
        vocabulary::finish(&config).expect("it can be forgotten");
    }
    assert_eq!(std::fs::read_to_string(&config).expect("a config"), config_text);
    let config = config.to_str().expect("UTF-8");
    let checked = tasklens(folder.path(), &["check", config]);
    let warning =
        "warning: a change of tasks and labels was interrupted: rename the task `print` to `pattern`";
    assert!(err(&checked).contains(warning), "{}", err(&checked));
    let again = tasklens(folder.path(), &["labels", config, "rename-task", "print", "pattern"]);
    assert!(again.status.success(), "{}", err(&again));
    let checked = tasklens(folder.path(), &["check", config]);
    assert!(!err(&checked).contains("interrupted"), "{}", err(&checked));
    assert!(out(&tasklens(folder.path(), &["labels", config])).starts_with("pattern"));
}

#[test]
fn a_record_of_a_change_that_cannot_be_read_is_spoken_of() {
    let (folder, config) = sample();
    let csv = Config::open(&config).expect("a config").paths.model_dataframe;
    let edits = edits::folder_of(&csv);
    std::fs::create_dir_all(&edits).expect("a folder");
    std::fs::write(edits.join("changing.json"), "not JSON").expect("written");
    let checked = tasklens(folder.path(), &["check", config.to_str().expect("UTF-8")]);
    let warning = format!("warning: {} cannot be read", edits.join("changing.json").display());
    assert!(err(&checked).contains(&warning), "{}", err(&checked));
    assert!(err(&checked).contains("Then delete the record"), "{}", err(&checked));
}
