//! `tasklens compare`: one network for all tasks beside one for each.

#![expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

use std::collections::HashMap;
use std::path::Path;

use tasklens_net::study::StoredStudy;

use super::{err, out, tasklens};

const QUICK: [&str; 6] =
    ["--set", "model.input_shape=[32, 32]", "--set", "model.device=cpu", "--set", "model.batch_size=8"];

fn compare(folder: &Path, more: &[&str]) -> std::process::Output {
    tasklens(folder, &[&["compare", "s/config.yml", "--epochs", "1"], &QUICK[..], more].concat())
}

fn parts(run: &Path) -> HashMap<String, String> {
    let text = std::fs::read_to_string(run.join("split.csv")).unwrap();
    text.lines()
        .skip(1)
        .map(|line| line.rsplit_once(',').unwrap())
        .map(|(a, b)| (a.into(), b.into()))
        .collect()
}

#[test]
fn one_network_for_all_is_compared_with_one_for_each_and_a_second_call_trains_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    assert!(tasklens(folder, &["sample", "s", "--images", "30"]).status.success());
    // A row without a label of one task trains the others.
    let csv = folder.join("s/garments.csv");
    let text = std::fs::read_to_string(&csv).unwrap();
    let column = text.lines().next().unwrap().split(',').position(|name| name == "sleeves").unwrap();
    let without = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells[column] = "";
        cells.join(",")
    };
    let lines =
        text.lines().enumerate().map(|(at, line)| if at == 3 { without(line) } else { line.to_owned() });
    std::fs::write(&csv, lines.collect::<Vec<_>>().join("\n")).unwrap();

    let first = compare(folder, &["--json", "--html", "page.html"]);
    assert!(first.status.success(), "{}", err(&first));
    let report: serde_json::Value = serde_json::from_str(&out(&first)).expect("one JSON object");
    assert_eq!(report["tasks"].as_array().unwrap().len(), 3);
    assert_eq!(report["runs"].as_array().unwrap().len(), 4);
    for task in report["tasks"].as_array().unwrap() {
        for kind in ["all", "single"] {
            let accuracy = task[kind][0].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&accuracy), "{task}");
        }
    }
    assert!(report["times"]["single"].as_f64().unwrap() > report["times"]["all"].as_f64().unwrap());
    for row in report["neighbours"].as_array().unwrap() {
        assert!(
            row["accuracies"].as_array().unwrap().iter().all(|found| found[1].as_u64() >= Some(3)),
            "{row}"
        );
    }
    let page = std::fs::read_to_string(folder.join("page.html")).unwrap();
    assert!(page.contains("Accuracy of each task") && page.contains("Time of a prediction"));

    // The same images train and validate in all networks.
    let runs: Vec<_> = report["runs"].as_array().unwrap().iter().map(|run| run.as_str().unwrap()).collect();
    let [all, others @ ..] = &runs[..] else { panic!("{runs:?}") };
    let split = parts(&folder.join("s/runs").join(all));
    for other in others {
        let own = parts(&folder.join("s/runs").join(other));
        let missing = usize::from(other.ends_with("sleeves"));
        assert_eq!(own.len(), split.len() - missing, "{other}");
        assert!(own.iter().all(|(image, part)| split[image] == *part), "{other}");
    }

    // It is found again, by the window too.
    let (found, faults) = StoredStudy::list(&folder.join("s/runs"));
    let [stored] = &found[..] else { panic!("{faults:?}") };
    let stored = serde_json::to_value(stored.report.as_ref().expect("a result")).unwrap();
    assert_eq!(stored, report);

    let again = compare(folder, &[]);
    assert!(again.status.success(), "{}", err(&again));
    assert_eq!(err(&again).matches("trained before").count(), 4, "{}", err(&again));
    let percent = format!("{:.1} %", 100.0 * report["tasks"][0]["all"][0].as_f64().unwrap());
    assert!(out(&again).contains(&percent), "{}", out(&again));

    let other = compare(folder, &["--set", "model.learning_rate=0.5"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(
        err(&other).contains("holds a run with other settings: give the study another name"),
        "{}",
        err(&other)
    );
    let one = ["--set", "model.target_encoder={print: [solid, floral]}"];
    assert!(!compare(folder, &one).status.success());
}

#[test]
fn a_study_that_was_cut_short_goes_on_with_the_run_in_hand() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    assert!(tasklens(folder, &["sample", "s", "--images", "20"]).status.success());
    assert!(compare(folder, &[]).status.success());
    // As if the process had been killed when the last epoch of a network was on the disk.
    let runs = folder.join("s/runs");
    let cut = std::fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().path());
    let cut = cut.into_iter().find(|run| run.to_str().unwrap().ends_with("2-sleeves")).expect("a run");
    let events = std::fs::read_to_string(cut.join("events.jsonl")).unwrap();
    let kept: Vec<&str> = events.lines().filter(|line| !line.contains("\"stopped\"")).collect();
    std::fs::write(cut.join("events.jsonl"), kept.join("\n") + "\n").unwrap();
    let again = compare(folder, &[]);
    assert!(again.status.success(), "{}", err(&again));
    assert_eq!(err(&again).matches("trained before").count(), 3, "{}", err(&again));
    assert_eq!(err(&again).matches(": trains").count(), 1, "{}", err(&again));
}
