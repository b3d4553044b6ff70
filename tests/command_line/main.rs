//! The program as a process: what it prints, what it leaves and how it exits.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests make files and threads of their own, and print"
)]
#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

mod compare;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod engine;
mod evaluate;
mod export_model;
mod images;
mod import_deepfashion;
mod import_keras;
#[path = "../support/keras_project.rs"]
mod keras_project;
mod labels;
mod logging;
mod moved;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod openmp;
mod outputs;
mod parts;
mod photographs;
mod predict;
mod python_project;
#[cfg(target_os = "linux")]
mod ranks;
mod runs;
mod serve;
#[path = "../support/skip.rs"]
mod skip;
mod stranger;
#[cfg(target_os = "linux")]
mod xvfb;

/// A small network on one thread, the same to the bit each time.
const SMALL: [&str; 12] = [
    "--set",
    "model.threads=1",
    "--set",
    "model.precision=fp32",
    "--set",
    "model.input_shape=[48, 48]",
    "--set",
    "model.device=cpu",
    "--set",
    "model.backbone=xception_small",
    "--set",
    "model.pretrained=none",
];

fn tasklens(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tasklens"))
        .current_dir(folder)
        .env("TASKLENS_OFFLINE", "1")
        // Logs and reports are not the user's.
        .env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"))
        .env_remove("RUST_LOG")
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A small sample, with the config's path.
fn sample() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = tasklens(folder.path(), &["sample", "s", "--images", "40", "--seed", "3"]);
    assert!(output.status.success(), "{}", err(&output));
    assert!(out(&output).contains("Train on them: tasklens train s/config.yml"), "{}", out(&output));
    let config = folder.path().join("s/config.yml");
    (folder, config)
}

#[test]
fn sample_check_train_predict_evaluate() {
    let (folder, config) = sample();
    let folder = folder.path();
    let config = config.to_str().expect("UTF-8");

    let check = tasklens(folder, &["check", config]);
    assert!(check.status.success(), "{}", err(&check));
    assert!(
        out(&check).contains("40 rows: 32 train, 8 validation, 0 not used; no problems"),
        "{}",
        out(&check)
    );

    let quick =
        ["--set", "model.epochs=1", "--set", "model.input_shape=[48, 48]", "--set", "model.device=cpu"];
    let cycle = ["train", config, "--run", "run", "--set", "model.schedule=one_cycle"];
    let train = tasklens(folder, &[&cycle[..], &quick[..]].concat());
    assert!(train.status.success(), "{}", err(&train));
    assert_eq!(
        err(&train).matches("these keys have no effect: `lr_reducer_factor`").count(),
        1,
        "{}",
        err(&train)
    );
    assert!(out(&train).contains("epoch 1/1  loss "), "{}", out(&train));
    assert!(out(&train).contains("all epochs are done"), "{}", out(&train));

    let image = "s/garments/00001.jpg";
    let predict = tasklens(folder, &["predict", "run", image]);
    assert!(predict.status.success(), "{}", err(&predict));
    assert!(out(&predict).starts_with(&format!("{image}  print ")), "{}", out(&predict));

    // A folder, a CSV and a broken file in one call: the rest goes on, and the exit code tells.
    std::fs::write(folder.join("broken.jpg"), "no image").expect("written");
    let inputs = ["predict", "run", "s/garments", "s/garments.csv", "broken.jpg", "--csv", "answers.csv"];
    let predict = tasklens(folder, &inputs);
    assert_eq!(predict.status.code(), Some(1));
    assert!(
        err(&predict).contains("broken.jpg holds text: put the image itself in its place"),
        "{}",
        err(&predict)
    );
    let answers = std::fs::read_to_string(folder.join("answers.csv")).expect("a CSV");
    let header = "image_path,print,sleeves,neckline,print_predicted,print:embroidered,print:solid,";
    assert!(answers.starts_with(header), "{answers}");
    assert_eq!(answers.lines().count(), 82);
    assert!(answers.lines().last().is_some_and(|row| row.starts_with("broken.jpg,,")), "{answers}");

    // What was read with a reserve is predicted, and told of on the other stream.
    let dark = image::ImageBuffer::from_pixel(40, 40, image::Luma([4000_u16]));
    image::DynamicImage::ImageLuma16(dark).save(folder.join("dark.png")).expect("saved");
    let predict = tasklens(folder, &["predict", "run", "dark.png"]);
    assert!(predict.status.success() && out(&predict).starts_with("dark.png  print "), "{}", out(&predict));
    let told =
        "warning: dark.png: its values of 16 bits reach only 4000, so they were read as 0 (black) to 4095";
    assert!(err(&predict).contains(told), "{}", err(&predict));

    let json = tasklens(folder, &["predict", "run/best.safetensors", image, "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&out(&json)).expect("one JSON object");
    let probabilities = answer["tasks"]["sleeves"]["probabilities"].as_object().expect("probabilities");
    let sum: f64 = probabilities.values().filter_map(serde_json::Value::as_f64).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{answer}");

    let evaluate = tasklens(folder, &["evaluate", "run", "--json"]);
    assert!(evaluate.status.success(), "{}", err(&evaluate));
    let report: serde_json::Value = serde_json::from_str(&out(&evaluate)).expect("one JSON object");
    assert_eq!(report["images"], 40);
    assert_eq!(report["tasks"][0]["validation"]["rows"], 8);
    assert_eq!(report["tasks"][0]["train"]["rows"], 32);
    let mistakes = report["tasks"][0]["mistakes"].as_array().expect("mistakes");
    let right = |part: &str| report["tasks"][0][part]["accuracy"]["value"].as_f64().expect("a share");
    let wrong = 8.0 * (1.0 - right("validation")) + 32.0 * (1.0 - right("train"));
    assert_eq!(mistakes.len(), wrong.round() as usize);

    let itself = tasklens(folder, &["evaluate", "run", "--quick", "--compare", "run", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&out(&itself)).expect("one JSON object");
    let same = &report["comparison"]["tasks"][0];
    assert_eq!(same["fixed"].as_array().map(Vec::len), Some(0), "{report}");
    let rows = same["still_wrong"].as_u64().zip(same["still_right"].as_u64());
    assert_eq!(rows.map(|(wrong, right)| wrong + right), Some(8));
    assert_eq!((&same["new_to_both"], &same["p_value"]), (&true.into(), &serde_json::Value::Null), "too few");

    let into_folder = tasklens(folder, &["evaluate", "run", "--quick", "--html", "s"]);
    assert!(
        err(&into_folder).contains("--html s: that is a folder; choose a file name"),
        "{}",
        err(&into_folder)
    );
    let page = tasklens(folder, &["evaluate", "run", "--quick", "--html", "report.html"]);
    assert!(page.status.success() && out(&page).starts_with("8 images\n"), "{}{}", out(&page), err(&page));
    let html = std::fs::read_to_string(folder.join("report.html")).expect("a page");
    assert!(html.contains("<h2>sleeves</h2>") && html.contains("data:image/jpeg"), "{html}");
    let whole = tasklens(folder, &["evaluate", "run", "s/garments.csv"]);
    assert!(out(&whole).starts_with("40 images\n"), "{}{}", out(&whole), err(&whole));
    let told = "run was trained on 32 and chose its weights by 8: they are scored separately, as `train` and `validation`";
    assert!(err(&whole).contains(told), "{}", err(&whole));
}

#[test]
fn json_events_are_one_object_a_line() {
    let (folder, config) = sample();
    let config = config.to_str().expect("UTF-8");
    let quick = ["train", config, "--json", "--set", "model.epochs=1", "--set", "model.input_shape=[48, 48]"];
    let train = tasklens(folder.path(), &quick);
    assert!(train.status.success(), "{}", err(&train));
    let events: Vec<String> = out(&train)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a JSON object"))
        .map(|event| event["event"].as_str().expect("a name").to_owned())
        .filter(|name| name != "batch" && name != "preparing")
        .collect();
    assert_eq!(events, ["started", "checkpoint", "checkpoint", "epoch", "stopped"]);
}

#[test]
fn wrong_usage_is_2_and_a_wrong_config_1_with_the_line() {
    let (folder, config) = sample();
    assert_eq!(tasklens(folder.path(), &["train"]).status.code(), Some(2));
    assert_eq!(tasklens(folder.path(), &["sample", "x", "--images", "many"]).status.code(), Some(2));

    let text = std::fs::read_to_string(&config).expect("a config").replace("batch_size:", "bach_size:");
    std::fs::write(&config, text).expect("written");
    let check = tasklens(folder.path(), &["check", "s/config.yml"]);
    assert_eq!(check.status.code(), Some(1));
    let message = err(&check);
    assert!(message.contains("config.yml:") && message.contains("`batch_size`"), "{message}");
}

#[test]
fn a_folder_of_images_becomes_a_project_to_label() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for image in ["p/shoes/2.png", "p/shoes/10.png", "p/bags/1.png"] {
        let image = folder.path().join(image);
        std::fs::create_dir_all(image.parent().expect("a folder")).expect("made");
        std::fs::write(image, "").expect("written");
    }
    assert_eq!(tasklens(folder.path(), &["new", "p"]).status.code(), Some(2), "a task must be named");
    let few = tasklens(folder.path(), &["new", "p", "--task", "color=red"]);
    assert_eq!(few.status.code(), Some(1));
    assert!(err(&few).contains("The task `color` needs at least two labels."), "{}", err(&few));

    let new = ["new", "p", "--task", "color=red, blue", "--folders-as", "kind"];
    let made = tasklens(folder.path(), &new);
    assert!(made.status.success(), "{}", err(&made));
    assert!(out(&made).contains("kind: bags, shoes, filled in from the sub-folders"), "{}", out(&made));
    assert!(out(&made).contains("Label them: tasklens open p/config.yml"), "{}", out(&made));
    let csv = std::fs::read_to_string(folder.path().join("p/labels.csv")).expect("a CSV");
    assert_eq!(csv, "image_path,color,kind\nbags/1.png,,bags\nshoes/2.png,,shoes\nshoes/10.png,,shoes\n");
    let stats = tasklens(folder.path(), &["label-stats", "p/config.yml"]);
    assert!(out(&stats).contains("kind: 3 labelled, 0 not"), "{}{}", out(&stats), err(&stats));

    let again = tasklens(folder.path(), &new);
    assert!(out(&again).contains("tasklens open p/labels_2.yml"), "{}{}", out(&again), err(&again));
}

/// Where the weights are found can be said in the environment of this system alone.
#[cfg(target_os = "linux")]
#[test]
fn a_new_project_trains_by_the_recipe_that_the_computer_has_the_weights_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let weights = folder.path().join("cache/tasklens/weights");
    std::fs::create_dir_all(&weights).expect("made");
    std::fs::create_dir(folder.path().join("p")).expect("made");
    std::fs::write(folder.path().join("p/1.png"), "").expect("written");
    let new = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasklens"));
        command.current_dir(folder.path()).env("XDG_CACHE_HOME", folder.path().join("cache"));
        command.args(["new", "p", "--task", "color=red, blue"]).output().expect("ran")
    };
    let recipe = |file: &str| {
        let config = tasklens_data::config::Config::open(&folder.path().join(file)).expect("a config");
        tasklens_data::config::Recipe::of(&config.model)
    };
    let made = new();
    assert!(out(&made).contains("Training preset: From scratch ("), "{}{}", out(&made), err(&made));
    assert!(err(&made).contains("`cargo xtask setup`"), "{}", err(&made));
    assert_eq!(recipe("p/config.yml"), Some(tasklens_data::config::Recipe::Scratch));

    std::fs::write(weights.join("efficientnet_lite2.safetensors"), "weights").expect("written");
    let made = new();
    assert!(
        out(&made).contains("Training preset: Quick (EfficientNet-Lite2). "),
        "{}{}",
        out(&made),
        err(&made)
    );
    assert!(!err(&made).contains("setup"), "{}", err(&made));
    assert_eq!(recipe("p/labels_2.yml"), Some(tasklens_data::config::Recipe::Quick));
}

#[test]
fn a_missing_image_is_a_warning_with_its_line() {
    let (folder, config) = sample();
    std::fs::remove_file(folder.path().join("s/garments/00007.jpg")).expect("removed");
    let check = tasklens(folder.path(), &["check", config.to_str().expect("UTF-8")]);
    assert!(check.status.success());
    assert!(out(&check).contains("warning: line 8, column `image_path`: "), "{}", out(&check));
    assert!(out(&check).contains("1 not used; 1 warning"), "{}", out(&check));
}

#[test]
fn an_image_that_is_cut_off_is_a_warning() {
    let (folder, config) = sample();
    let image = folder.path().join("s/garments/00005.jpg");
    let bytes = std::fs::read(&image).expect("an image");
    std::fs::write(&image, &bytes[..bytes.len() / 2]).expect("cut");
    let check = tasklens(folder.path(), &["check", config.to_str().expect("UTF-8")]);
    assert!(out(&check).contains("warning: line 6, column `image_path`: "), "{}", out(&check));
}

#[test]
fn a_csv_in_the_place_of_a_config_is_told_from_one() {
    let (folder, _) = sample();
    let check = tasklens(folder.path(), &["check", "s/garments.csv"]);
    assert_eq!(check.status.code(), Some(1));
    assert!(
        err(&check).contains("garments.csv is a table: give the path of its config.yml"),
        "{}",
        err(&check)
    );
}

#[test]
fn a_model_that_is_none_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("x.safetensors"), "nothing").expect("written");
    let predict = tasklens(folder.path(), &["predict", "x.safetensors", "a.jpg"]);
    assert_eq!(predict.status.code(), Some(1));
    assert!(err(&predict).contains("x.safetensors is not a safetensors file"), "{}", err(&predict));
    for no_run in [".", "nowhere"] {
        let evaluate = tasklens(folder.path(), &["evaluate", no_run]);
        assert_eq!(evaluate.status.code(), Some(1));
        let said = err(&evaluate);
        assert!(said.contains(&format!("{no_run} is not a model: give a run folder")), "{said}");
    }
}

#[test]
fn doctor_names_the_library_and_the_processor() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let doctor = tasklens(folder.path(), &["doctor"]);
    let text = out(&doctor).to_lowercase();
    assert!(text.contains("libtorch") && text.contains("2.11.0"), "{text}");
}

/// Ctrl-C ends a run in good order; kill -9 leaves the last complete checkpoint, and the run resumes.
#[cfg(unix)]
#[test]
fn interrupted_and_killed_runs_keep_what_they_had() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    let (folder, config) = sample();
    let folder = folder.path();
    let spawn = |run: &str| {
        let quick = ["--set", "model.epochs=500", "--set", "model.input_shape=[48, 48]", "--json"];
        Command::new(env!("CARGO_BIN_EXE_tasklens"))
            .current_dir(folder)
            .args([&["train", config.to_str().expect("UTF-8"), "--run", run], &quick[..]].concat())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts")
    };
    for (run, signal) in [("interrupted", "-INT"), ("killed", "-KILL")] {
        let mut child = spawn(run);
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("\"event\":\"epoch\"")), "no epoch came");
        let id = child.id().to_string();
        Command::new("kill").args([signal, &id]).status().expect("kill runs");
        let rest: Vec<String> = lines.collect();
        let status = child.wait().expect("the program ends");
        if signal == "-INT" {
            assert!(status.success());
            assert!(rest.last().is_some_and(|line| line.contains("\"why\":\"asked\"")), "{rest:?}");
        }
        let predict = tasklens(folder, &["predict", run, "s/garments/00001.jpg"]);
        assert!(predict.status.success(), "{run}: {}", err(&predict));
    }
    let events = std::fs::read_to_string(folder.join("killed/events.jsonl")).expect("events");
    let epochs = events.lines().filter(|line| line.contains("\"event\":\"epoch\"")).count();
    let one_more = format!("model.epochs={}", epochs + 2);
    let resumed = tasklens(folder, &["train", "--resume", "killed", "--set", &one_more]);
    assert!(resumed.status.success(), "{}", err(&resumed));
    assert!(out(&resumed).contains(&format!("epoch {}/", epochs + 2)), "{}", out(&resumed));
}
