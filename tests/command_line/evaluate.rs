//! Scores of a CSV: what is in it is measured, and what is not is told.

use crate::predict::trained;
use crate::{err, out, tasklens};

#[test]
fn a_csv_is_measured_as_far_as_it_goes_and_nothing_is_said_of_training() {
    let folder = trained();
    let folder = folder.path();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    write("test.csv", "image_path,shade\n0.png,dark\n1.png,Purple\nzz.png,dark\n0.png,light\n");
    let scores = tasklens(folder, &["evaluate", "run", "test.csv"]);
    let said = err(&scores);
    assert_eq!(scores.status.code(), Some(1), "an image is missing: {said}");
    assert!(out(&scores).starts_with("1 image\n"), "{}", out(&scores));
    assert!(out(&scores).contains("(1 row)"), "{}", out(&scores));
    for told in [
        "line 3, column `shade`: `Purple` is no label",
        "test.csv, line 4, column `image_path`: ",
        "line 5, column `image_path`: the same image",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    for training in ["training", "learns", "target_encoder", "to train or validate"] {
        assert!(!said.contains(training), "{training}: {said}");
    }

    write("bare.csv", "image_path,shades\n0.png,dark\n");
    let refused = tasklens(folder, &["evaluate", "run", "bare.csv"]);
    assert!(
        err(&refused).contains("no column of any task of the network, which are shade;"),
        "{}",
        err(&refused)
    );
}

#[test]
fn a_task_without_a_column_is_left_out_and_the_others_are_measured() {
    let folder = trained();
    let folder = folder.path();
    let config = std::fs::read_to_string(folder.join("config.yml")).expect("a config");
    let config = config.replace("{shade: [dark, light]}", "{tone: [low, high], shade: [dark, light]}");
    std::fs::write(folder.join("config.yml"), config.replace("data.csv", "both.csv")).expect("written");
    let csv = std::fs::read_to_string(folder.join("data.csv")).expect("a CSV");
    let both = csv
        .replace("image_path,", "image_path,tone,")
        .replace(",dark", ",low,dark")
        .replace(",light", ",high,light");
    std::fs::write(folder.join("both.csv"), both).expect("written");
    let trained = tasklens(folder, &["train", "config.yml", "--run", "two"]);
    assert!(trained.status.success(), "{}", err(&trained));

    let scores = tasklens(folder, &["evaluate", "two", "data.csv", "--html", "report.html"]);
    assert!(scores.status.success(), "{}", err(&scores));
    assert!(err(&scores).contains("column `tone`: the CSV has no such column"), "{}", err(&scores));
    assert!(out(&scores).contains("\nshade\n") && !out(&scores).contains("\ntone\n"), "{}", out(&scores));
    let page = std::fs::read_to_string(folder.join("report.html")).expect("a page");
    assert!(page.contains("no column of it: tone."), "{page}");
    let json = tasklens(folder, &["evaluate", "two", "data.csv", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out(&json)).expect("JSON");
    assert_eq!(json["not_evaluated"], serde_json::json!(["tone"]));
    assert_eq!((&json["tasks"][0]["name"], &json["tasks"][0]["test"]["rows"]), (&"shade".into(), &12.into()));
    assert!(json["tasks"][0]["label_errors"]["rows"].is_array());
    assert_eq!(json["tasks"].as_array().map(Vec::len), Some(1));

    let to_stdout = tasklens(folder, &["evaluate", "two", "data.csv", "--html", "-"]);
    assert!(out(&to_stdout).starts_with("<!doctype html>") && out(&to_stdout).ends_with("</html>\n"));
    assert!(err(&to_stdout).contains("\nshade\n"), "{}", err(&to_stdout));
    let torn = tasklens(folder, &["evaluate", "two", "--json", "--html", "-"]);
    assert!(err(&torn).contains("cannot both go to standard output"), "{}", err(&torn));
}
