//! A project that was moved goes on: its runs know their files from where they lie.

use super::{err, out, tasklens};

#[test]
fn a_project_that_was_renamed_is_evaluated_and_resumed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let sample = tasklens(at, &["sample", "before", "--images", "40", "--seed", "3"]);
    assert!(sample.status.success(), "{}", err(&sample));
    let quick = ["--set", "model.input_shape=[48, 48]", "--set", "model.device=cpu"];
    let train = |arguments: &[&str]| tasklens(at, &[&["train"], arguments, &quick[..]].concat());
    let trained = train(&["before/config.yml", "--run", "before/runs/one", "--set", "model.epochs=1"]);
    assert!(trained.status.success(), "{}", err(&trained));
    let evaluate = |run: &str| tasklens(at, &["evaluate", run, "--quick", "--json"]);
    let before = evaluate("before/runs/one");
    assert!(before.status.success(), "{}", err(&before));

    std::fs::rename(at.join("before"), at.join("after")).expect("renamed");
    let after = evaluate("after/runs/one");
    assert!(after.status.success(), "{}", err(&after));
    assert_eq!(out(&after).replace("after/", "before/"), out(&before));
    // A run of an earlier version has the paths as they were.
    let config = at.join("after/runs/one/config.yml");
    let text = std::fs::read_to_string(&config).expect("a config");
    assert!(text.contains("\"../../garments.csv\""), "{text}");
    let old = at.join("before/labels.csv").display().to_string();
    std::fs::write(&config, text.replace("../../garments.csv", &old)).expect("written");
    let told = err(&evaluate("after/runs/one"));
    assert!(told.contains("if its project was moved, give its path: `tasklens evaluate RUN CSV`"), "{told}");
    std::fs::write(&config, text).expect("written");
    // The config of the project, and that of the run, which is taken where none is named.
    for (config, epochs) in [(Some("after/config.yml"), "2"), (None, "3")] {
        let epochs = format!("model.epochs={epochs}");
        let arguments = ["--resume", "after/runs/one", "--set", &epochs];
        let resumed = train(&[config.as_slice(), &arguments].concat());
        assert!(resumed.status.success(), "{}", err(&resumed));
        assert!(!err(&resumed).contains("have come into the CSV"), "{}", err(&resumed));
    }
}
