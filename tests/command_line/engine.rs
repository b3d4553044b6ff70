//! Predictions are made by OpenVINO where it is installed, else by libtorch, with the same answers.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use half::f16;
use tasklens_net::inference::engine::{NoEngine, VARIABLE, installed, version};
use tasklens_net::inference::features::{FeatureStore, Identity, View, stamp};
use tasklens_net::model::checkpoint;

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

/// A project whose network learns on frozen features of 72 images.
fn frozen() -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a temporary folder");
    let folder = project.path();
    let mut csv = "image_path,shade\n".to_owned();
    for i in 0..72_u8 {
        let pixel = |x, y| image::Rgb([i * 3, (x * 7) as u8, (y * u32::from(i)) as u8]);
        image::RgbImage::from_fn(32, 32, pixel).save(folder.join(format!("{i}.png"))).expect("saved");
        csv += &format!("{i}.png,{}\n", if i % 2 == 0 { "dark" } else { "light" });
    }
    std::fs::write(folder.join("data.csv"), csv).expect("a CSV");
    let config = "paths: {model_dataframe: data.csv}\nmodel:\n  input_shape: [32, 32]\n  target_encoder: {shade: [dark, \
                  light]}\n  paths: image_path\n  backbone: xception_small\n  pretrained: none\n  device: cpu\n  \
                  precision: fp32\n  freeze_convolutional_layers: true\n  epochs: 1\n  batch_size: 16\n";
    std::fs::write(folder.join("config.yml"), config).expect("a config");
    project
}

/// The stored features of the training images.
fn features(folder: &Path, engine: Option<&Path>, run: &str) -> Vec<Option<Vec<f16>>> {
    let output = tasklens(folder, engine, &["train", "config.yml", "--run", &format!("runs/{run}")]);
    assert!(output.status.success(), "{}", err(&output));
    let model = folder.join("runs").join(run).join(checkpoint::BEST);
    let description = checkpoint::read_description(&model).expect("a description");
    let store = FeatureStore::shared(&model, &description).expect("features");
    let shelf = store.read();
    let image = |i: usize| folder.join(format!("{i}.png"));
    let identities: Vec<Identity> = (0..72).map(|i| Identity::new(&image(i), stamp(&image(i)))).collect();
    let places = shelf.find(&View::Plain, &identities);
    let of = |place| shelf.features(vec![place]).half(0).to_vec();
    places.into_iter().map(|place| place.map(of)).collect()
}

#[test]
fn frozen_training_stores_the_same_features_with_openvino_and_one_that_is_made_anew_equals_them() {
    if let Err(why) = installed() {
        skipped(&format!("features by OpenVINO: {why}"));
        return;
    }
    let (ours, other) = (frozen(), frozen());
    let (folder, other) =
        (ours.path().canonicalize().expect("a path"), other.path().canonicalize().expect("a path"));
    let none = Path::new("");
    let openvino = features(&folder, None, "first");
    let libtorch = features(&other, Some(none), "first");
    assert_eq!((openvino.iter().flatten().count(), libtorch.iter().flatten().count()), (72, 72));
    let (mut apart, mut length) = (0.0_f64, 0.0_f64);
    for (a, b) in openvino.iter().flatten().flatten().zip(libtorch.iter().flatten().flatten()) {
        apart += (a.to_f64() - b.to_f64()).powi(2);
        length += a.to_f64().powi(2);
    }
    let apart = (apart / length).sqrt();
    assert!(apart > 0.0, "the same to the last digit: OpenVINO was not used");
    assert!(apart < 1e-3, "{apart}");

    // The same images with another date: they alone are computed again.
    std::thread::sleep(Duration::from_millis(20));
    for i in 0..10 {
        let image = folder.join(format!("{i}.png"));
        let bytes = std::fs::read(&image).expect("read");
        std::fs::write(&image, bytes).expect("written");
    }
    let again = features(&folder, None, "second");
    // Those for validation are too few for OpenVINO.
    let by_openvino: Vec<usize> = (0..10).filter(|i| openvino[*i] != libtorch[*i]).collect();
    assert!(by_openvino.len() > 4, "{by_openvino:?}");
    for i in by_openvino {
        assert!(
            again[i].is_some() && again[i] == openvino[i],
            "image {i} comes from what computed the others"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_ends_the_program_at_once_whatever_it_is_doing() {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Stdio;

    let project = trained();
    let folder = project.path();
    predict(folder, None);
    for delay in [150, 250, 350, 450, 600, 800] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tasklens"))
            .current_dir(folder)
            .env("XDG_DATA_HOME", folder.join("user"))
            .args(["predict", "run", "many", "many", "many", "--csv", "-"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(Duration::from_millis(delay));
        for _ in 0..2 {
            // It may have ended.
            let _ =
                Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = child.wait().expect("its end");
        assert!(matches!(status.signal(), None | Some(2)), "after {delay} ms: {status:?}");
    }
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
            if usual.contains(&version::folder_name()) {
                assert!(usual.contains(&format!("OpenVINO {},", version::VERSION)), "{usual}");
            }
        }
        Err(NoEngine::Broken(why)) => panic!("{why}"),
        Err(why) => skipped(&format!("the doctor's line about OpenVINO: {why}")),
    }
}
