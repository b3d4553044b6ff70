//! Scores of a CSV: what is in it is measured, and what is not is told.

use serde_json::json;
use tasklens_data::config::Config;
use tasklens_data::dataset::{Dataset, edits};

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
        "line 3, column `shade`: `Purple` is not a label",
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
    assert_eq!(json["not_evaluated"], json!(["tone"]));
    let shade = &json["tasks"][0];
    let rows = ["train", "validation"].map(|part| shade[part]["rows"].as_u64().expect("rows"));
    assert_eq!((&shade["name"], rows[0] + rows[1], &shade["test"]), (&"shade".into(), 12, &json!(null)));
    assert!(json["tasks"][0]["label_errors"]["rows"].is_array());
    assert_eq!(json["tasks"].as_array().map(Vec::len), Some(1));

    let to_stdout = tasklens(folder, &["evaluate", "two", "data.csv", "--html", "-"]);
    assert!(out(&to_stdout).starts_with("<!doctype html>") && out(&to_stdout).ends_with("</html>\n"));
    assert!(err(&to_stdout).contains("\nshade\n"), "{}", err(&to_stdout));
    let torn = tasklens(folder, &["evaluate", "two", "--json", "--html", "-"]);
    assert!(err(&torn).contains("cannot both go to standard output"), "{}", err(&torn));
}

#[test]
fn images_that_the_network_has_seen_are_told_apart_whatever_a_csv_calls_them() {
    let folder = trained();
    let folder = folder.path();
    let split = std::fs::read_to_string(folder.join("run/split.csv")).expect("a split");
    let count = |part: &str| split.lines().filter(|line| line.ends_with(part)).count();
    let (train, validation) = (count(",train"), count(",validation"));
    assert_eq!(train + validation, 12);
    // Elsewhere, all images of the project and two new ones, one of a name that the project has.
    let elsewhere = folder.join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    std::fs::copy(folder.join("0.png"), elsewhere.join("0.png")).expect("copied");
    std::fs::copy(folder.join("1.png"), elsewhere.join("new.png")).expect("copied");
    let own = std::fs::read_to_string(folder.join("data.csv")).expect("a CSV");
    let (_, rows) = own.split_once('\n').expect("a header");
    let rows: String = rows.lines().map(|row| format!("../{row}\n")).collect();
    let csv = format!("image_path,shade\n{rows}0.png,dark\nnew.png,light\n");
    std::fs::write(elsewhere.join("all.csv"), csv).expect("written");
    let scores = tasklens(folder, &["evaluate", "run", "elsewhere/all.csv", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out(&scores)).expect("JSON");
    let rows = ["train", "validation", "test"].map(|part| json["tasks"][0][part]["rows"].as_u64());
    assert_eq!(rows, [Some(train as u64), Some(validation as u64), Some(2)], "{}", err(&scores));
    let told = format!(
        "of the 14 labelled images of {}, run was trained on {train}",
        elsewhere.join("all.csv").display()
    );
    assert!(err(&scores).contains(&told), "{}", err(&scores));

    // Another run that trained on what validates here.
    let turned: String = split
        .lines()
        .map(|line| match line.rsplit_once(',') {
            Some((image, "train")) => format!("{image},validation\n"),
            Some((image, "validation")) => format!("{image},train\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    std::fs::create_dir(folder.join("other")).expect("a folder");
    for file in ["best.safetensors", "config.yml", "events.jsonl"] {
        std::fs::copy(folder.join("run").join(file), folder.join("other").join(file)).expect("copied");
    }
    std::fs::write(folder.join("other/split.csv"), turned).expect("written");
    let beside = tasklens(folder, &["evaluate", "run", "elsewhere/all.csv", "--compare", "other"]);
    let text = out(&beside);
    assert!(
        text.contains("no p: only 2 rows that neither run was trained on, at least 10 are needed"),
        "{text}{}",
        err(&beside)
    );
    assert!(text.contains(&format!("trained on these {validation} rows")), "{text}");
    assert!(text.contains(&format!("trained on these {train} rows")), "{text}");
}

#[test]
fn labels_that_are_not_saved_are_named_where_none_or_too_few_are_measured() {
    let folder = trained();
    let folder = folder.path();
    let csv = folder.join("data.csv");
    let config = Config::open(&folder.join("config.yml")).expect("a config");
    let keep = |clears: &dyn Fn(usize) -> bool| {
        let dataset = Dataset::open(&config).expect("a CSV");
        let edits::OpenedAnnotations { mut state, mut journal, .. } =
            edits::open(&config, &dataset).expect("edits");
        let rows = (0..dataset.rows.len()).filter(|row| clears(*row));
        let changes = rows.map(|row| state.label_change(&dataset, row, 0, Some("dark"))).collect();
        let step = edits::Step::now(edits::AnnotationSource::Hand, changes);
        journal.append(&[state.edit(step).expect("it changes something")]).expect("kept");
    };
    keep(&|row| row == 1);
    let some = tasklens(folder, &["evaluate", "run", "--quick"]);
    assert!(some.status.success(), "{}", err(&some));
    let told = format!("warning: 1 label edit beside {} is not saved in it and not measured", csv.display());
    assert!(err(&some).contains(&told), "{}", err(&some));

    let empty: String = (0..12).map(|i| format!("{i}.png,\n")).collect();
    std::fs::write(&csv, format!("image_path,shade\n{empty}")).expect("written");
    keep(&|row| row != 1);
    let none = tasklens(folder, &["evaluate", "run"]);
    assert_eq!(none.status.code(), Some(1));
    let told =
        format!("tasklens: {0} has no labelled row; 12 label edits beside {0} are not saved", csv.display());
    assert!(err(&none).contains(&told), "{}", err(&none));
}
