//! `tasklens runs`, and a run that is stopped within an epoch.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{SMALL, err, out, sample, tasklens};

const QUICK: [&str; 4] = ["--set", "model.batch_size=2", "--set", "model.epochs=1"];

/// Trains until the first batches are through, and presses Ctrl-C then.
fn interrupt(folder: &Path, config: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tasklens"))
        .current_dir(folder)
        .env("TASKLENS_OFFLINE", "1")
        .env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"))
        .args(["train", config, "--run", "s/runs/parts", "--json"])
        .args(SMALL)
        .args(QUICK)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"event\":\"batch\"")), "no batch was trained");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("a signal").success());
    lines.for_each(drop);
    child.wait().expect("it ends");
}

#[test]
fn a_run_that_is_stopped_within_its_first_epoch_is_resumed_there_and_listed_with_its_note() {
    let (folder, config) = sample();
    let (folder, config) = (folder.path(), config.to_str().expect("UTF-8"));
    let train = |arguments: &[&str]| {
        let output = tasklens(folder, &[&["train"], arguments, &SMALL[..], &QUICK[..]].concat());
        assert!(output.status.success(), "{}", err(&output));
    };
    train(&[config, "--run", "s/runs/whole"]);
    interrupt(folder, config);
    let kept = folder.join("s/runs/parts/within_epoch.safetensors");
    assert!(kept.is_file(), "the epoch was over before it was interrupted");
    let listed = out(&tasklens(folder, &["runs", config]));
    assert!(listed.contains("parts  not measured  stopped before epoch 1 was done"), "{listed}");
    train(&["--resume", "s/runs/parts"]);
    assert!(!kept.exists());
    let history = |run: &str| std::fs::read_to_string(folder.join("s/runs").join(run).join("history.csv"));
    assert_eq!(history("whole").expect("a history"), history("parts").expect("a history"));

    let note = "{\"name\": \"In two parts\", \"note\": \"Ctrl-C in between\"}";
    std::fs::write(folder.join("s/runs/parts/note.json"), note).expect("written");
    let listed = out(&tasklens(folder, &["runs", config]));
    assert!(listed.contains("In two parts (parts)  print "), "{listed}");
    assert!(listed.contains("\n    Ctrl-C in between\n"), "{listed}");
    let json = out(&tasklens(folder, &["runs", config, "--json"]));
    let lines: Vec<serde_json::Value> =
        json.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines.len(), 2, "{json}");
    let named = lines.iter().find(|run| run["name"] == "In two parts").expect("the run");
    assert_eq!((named["note"].as_str(), named["epochs"].as_u64()), (Some("Ctrl-C in between"), Some(1)));
    assert!(named["validation_accuracy"]["print"].is_number(), "{named}");
}
