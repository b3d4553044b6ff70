//! `tasklens export-model`: the file, its card, and what is told.

use crate::predict::trained;
use crate::{err, out, tasklens};

#[test]
fn a_run_becomes_a_file_for_other_programs_with_a_card_and_nothing_is_replaced_unasked() {
    let folder = trained();
    let folder = folder.path();
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a file");
    let exported = tasklens(folder, &["export-model", "run"]);
    assert!(exported.status.success(), "{}", err(&exported));
    let told = format!(
        "The model ({:.1} MB) is in run/best.onnx\n\
         What it answers, how well, and how to call it is in run/best.md\n",
        read("run/best.onnx").len() as f64 / 1e6
    );
    assert_eq!(out(&exported), told);
    let card = String::from_utf8(read("run/best.md")).expect("text");
    assert!(
        card.contains("from the run run by Tasklens") && card.contains("| shade | dark, light | "),
        "{card}"
    );
    assert!(card.contains("images of data.csv, for 1 epoch."), "{card}");

    std::fs::write(folder.join("run/best.onnx"), "mine").expect("written");
    let again = tasklens(folder, &["export-model", "run"]);
    assert_eq!(again.status.code(), Some(1));
    let advice = "run/best.onnx is there already: give --force to replace it, or another name with --out";
    assert!(err(&again).contains(advice), "{}", err(&again));
    assert_eq!(read("run/best.onnx"), b"mine");
    let forced = tasklens(folder, &["export-model", "run", "--force"]);
    assert!(forced.status.success() && read("run/best.onnx").len() > 1000, "{}", err(&forced));

    // What has the card's name and is none stays, whatever is asked.
    std::fs::write(folder.join("README.md"), "mine").expect("written");
    let over = tasklens(folder, &["export-model", "run", "--out", "README.onnx", "--force"]);
    assert_eq!(over.status.code(), Some(1));
    assert!(err(&over).contains("would replace") && read("README.md") == b"mine", "{}", err(&over));
    assert!(!folder.join("README.onnx").exists());
}

#[test]
fn half_precision_is_half_as_large_and_tells_what_it_costs() {
    let folder = trained();
    let folder = folder.path();
    let full = tasklens(folder, &["export-model", "run", "--format", "onnx", "--out", "full.onnx"]);
    assert!(full.status.success(), "{}", err(&full));
    let half = tasklens(folder, &["export-model", "run/best.safetensors", "--out", "half.onnx", "--fp16"]);
    assert!(half.status.success(), "{}", err(&half));
    let note =
        "note: Half precision against float32: on 2 validation images, probabilities differ by at most 0.0";
    assert!(err(&half).contains(note), "{}", err(&half));
    let bytes = |name: &str| folder.join(name).metadata().expect("a file").len() as f64;
    assert!((0.4..0.6).contains(&(bytes("half.onnx") / bytes("full.onnx"))));
}

#[test]
fn what_cannot_be_exported_says_why_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    std::fs::create_dir(folder.join("empty")).expect("made");
    for (arguments, why) in [
        (["empty", "--out", "a.onnx"], "empty is not a model: give a run folder"),
        (["empty", "--out", "a.txt"], "a.txt does not end in `.onnx`"),
        (["empty", "--out", "empty"], "that is a folder; choose a file name"),
    ] {
        let refused = tasklens(folder, &[&["export-model"], &arguments[..]].concat());
        assert_eq!(refused.status.code(), Some(1));
        assert!(err(&refused).contains(why), "{}", err(&refused));
    }
    assert_eq!(folder.read_dir().expect("a folder").count(), 1);
}
