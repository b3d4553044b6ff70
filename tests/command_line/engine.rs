//! Predictions are made by OpenVINO where it is installed, else by libtorch, with the same answers.

use std::path::Path;
use std::process::{Command, Output};

use tasklens_net::inference::engine::{NoEngine, VARIABLE, installed};

use crate::predict::trained;
use crate::skip::skipped;
use crate::{err, out};

/// The program, which looks for OpenVINO in `engine` if it is given.
fn tasklens(folder: &Path, engine: Option<&Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasklens"));
    command.current_dir(folder).env("XDG_DATA_HOME", folder.join("user")).env_remove("RUST_LOG");
    if let Some(engine) = engine {
        command.env(VARIABLE, engine);
    }
    command.args(arguments).output().expect("the program starts")
}

/// The lines of the log that tell it.
fn told(folder: &Path, what: &str) -> usize {
    let log = folder.join("user/tasklens/logs/tasklens_rCURRENT.log");
    let text = std::fs::read_to_string(&log).expect("a log");
    std::fs::remove_file(log).expect("removed");
    text.lines().filter(|line| line.contains(what)).count()
}

/// 70 images, and their probabilities.
fn predict(folder: &Path, engine: Option<&Path>) -> (Vec<f32>, String) {
    let many = folder.join("many");
    if !many.exists() {
        std::fs::create_dir(&many).expect("a folder");
        for i in 0..70_u8 {
            let image =
                image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([i * 3, (x * 6) as u8, (y * 8) as u8]));
            image.save(many.join(format!("{i:02}.png"))).expect("saved");
        }
    }
    let output = tasklens(folder, engine, &["predict", "run", "many", "--csv", "-"]);
    assert!(output.status.success(), "{}", err(&output));
    let cells = |line: &str| -> Vec<f32> { line.split(',').filter_map(|cell| cell.parse().ok()).collect() };
    let csv = out(&output);
    let probabilities: Vec<f32> = csv.lines().skip(1).flat_map(cells).collect();
    assert_eq!(probabilities.len(), 2 * 70, "{csv}");
    (probabilities, err(&output))
}

#[test]
fn without_openvino_libtorch_gives_the_same_answers_and_the_log_says_so_once() {
    let project = trained();
    let folder = project.path();
    let empty = folder.join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    let (expected, said) = predict(folder, Some(&empty));
    assert_eq!(told(folder, "/empty/lib; libtorch predicts"), 1);
    assert!(!said.contains("OpenVINO"), "nobody has to do anything: {said}");

    // Something is there, and is no library.
    std::fs::create_dir(empty.join("lib")).expect("a folder");
    std::fs::write(empty.join("lib/libopenvino_c.so.1"), "no library").expect("written");
    let (broken, said) = predict(folder, Some(&empty));
    assert_eq!(broken, expected);
    assert_eq!(told(folder, "OpenVINO does not work"), 1);
    assert_eq!(said.matches("OpenVINO does not work").count(), 1, "{said}");

    if let Err(why) = installed() {
        skipped(&format!("predictions of the program by OpenVINO: {why}"));
        return;
    }
    let (found, _) = predict(folder, None);
    assert_eq!(told(folder, "is at hand for predictions"), 1);
    let worst = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 2e-2, "probabilities differ by {worst}");
    assert!(worst > 0.0, "the same to the last digit: OpenVINO was not used");
}

#[test]
fn doctor_says_what_predicts_and_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let line = |engine: Option<&Path>| {
        let text = out(&tasklens(folder, engine, &["doctor"]));
        let mut lines = text.lines().skip_while(|line| !line.contains("  Prediction "));
        lines.by_ref().take(2).collect::<Vec<_>>().join("\n")
    };
    let missing = line(Some(folder));
    assert!(missing.starts_with("warn") && missing.contains("by libtorch"), "{missing}");
    assert!(missing.contains("cargo xtask setup") && missing.contains("/lib"), "{missing}");
    let off = line(Some(Path::new("")));
    assert!(off.starts_with("ok") && off.contains(VARIABLE), "{off}");
    match installed() {
        Ok(found) => {
            let found = format!("OpenVINO {}, {}", found.version, found.library.display());
            let usual = line(None);
            assert!(usual.starts_with("ok") && usual.contains(&found), "{usual}");
        }
        Err(NoEngine::Broken(why)) => panic!("{why}"),
        Err(why) => skipped(&format!("the doctor's line about OpenVINO: {why}")),
    }
}
