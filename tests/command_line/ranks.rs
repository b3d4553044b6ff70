//! `tasklens train` in several processes that train one network together.

#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{SMALL, err, tasklens};

const QUICK: [&str; 6] =
    ["--set", "model.batch_size=16", "--set", "model.epochs=3", "--set", "model.learning_rate=0.001"];

/// 120 images in `s`.
fn sample() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let drawn = tasklens(folder.path(), &["sample", "s", "--images", "120"]);
    assert!(drawn.status.success(), "{}", err(&drawn));
    folder
}

/// Processes that end with the test.
struct Processes(Vec<Child>);

impl Processes {
    /// Two that train the same run for longer than any test.
    fn start_long(folder: &Path) -> Self {
        let long = ["--set", "model.epochs=200", "--set", "model.early_stopping_patience=200"];
        let arguments = [&["s/config.yml", "--run", "s/runs/run", "--json"], &long[..]].concat();
        Self::start(folder, &vec![arguments; 2])
    }

    /// `tasklens train` for each of the argument lists, as `torchrun --no-python` would start it.
    fn start(folder: &Path, each: &[Vec<&str>]) -> Self {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr());
        let port = port.expect("a free port").port().to_string();
        let size = each.len().to_string();
        let start = |(rank, arguments): (usize, &Vec<&str>)| {
            Command::new(env!("CARGO_BIN_EXE_tasklens"))
                .current_dir(folder)
                .env("TASKLENS_OFFLINE", "1")
                .env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"))
                .envs([("WORLD_SIZE", &size), ("LOCAL_WORLD_SIZE", &size), ("MASTER_PORT", &port)])
                .envs([("RANK", rank.to_string()), ("LOCAL_RANK", rank.to_string())])
                .env("MASTER_ADDR", "127.0.0.1")
                .arg("train")
                .args(SMALL)
                .args(QUICK)
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program starts")
        };
        Self(each.iter().enumerate().map(start).collect())
    }

    fn ends(mut self) -> Vec<Output> {
        std::mem::take(&mut self.0)
            .into_iter()
            .map(|process| process.wait_with_output().expect("it ends"))
            .collect()
    }

    /// Waits for a line of process 0 with this text.
    fn wait_for(&mut self, text: &str) {
        let output = self.0[0].stdout.take().expect("its output");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains(text)), "it never said {text}");
        // Nobody reads on, which must not stop it.
        std::thread::spawn(move || lines.count());
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for process in &mut self.0 {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Trains in `size` processes; each of them ends well and only the first speaks.
fn train(folder: &Path, size: usize, arguments: &[&str]) {
    let ended = Processes::start(folder, &vec![arguments.to_vec(); size]).ends();
    for (rank, output) in ended.iter().enumerate() {
        assert!(output.status.success(), "process {rank}: {}", err(output));
        assert_eq!(output.stdout.is_empty(), rank > 0, "process {rank}");
    }
    assert_eq!(ended.len(), size);
}

/// The numbers of a run's history, but for how the gradient divides, which process 0 measures on its part.
fn history(folder: &Path, run: &str) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(folder.join("s/runs").join(run).join("history.csv"));
    let text = text.expect("a history");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("names").split(',').collect();
    let counts = |name: &str| !name.contains("gradient_share");
    lines
        .map(|line| {
            let cells = line.split(',').zip(&names).filter(|(_, name)| counts(name));
            cells.map(|(cell, _)| cell.parse().expect("a number")).collect()
        })
        .collect()
}

/// The largest difference of two histories, relative to what is larger than 1.
fn difference(one: &[Vec<f64>], two: &[Vec<f64>]) -> f64 {
    assert_eq!(one.len(), two.len());
    let cells = one.iter().flatten().zip(two.iter().flatten());
    cells.map(|(a, b)| (a - b).abs() / a.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn with_a_frozen_backbone_three_processes_learn_what_one_does_up_to_rounding() {
    let folder = sample();
    let folder = folder.path();
    // 15 in a batch have parts of 5, the last batch has others, and one image cannot be read.
    std::fs::write(folder.join("s/garments/00008.jpg"), "no image").expect("written");
    let frozen = ["--set", "model.freeze_convolutional_layers=true", "--set", "model.batch_size=15"];
    let run = |size, name: &str| {
        let run = format!("s/runs/{name}");
        train(folder, size, &[&["s/config.yml", "--run", &run], &frozen[..]].concat());
    };
    run(1, "one");
    run(3, "three");
    let difference = difference(&history(folder, "one"), &history(folder, "three"));
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn with_all_layers_two_processes_come_to_nearly_the_loss_of_one() {
    let folder = sample();
    let folder = folder.path();
    train(folder, 1, &["s/config.yml", "--run", "s/runs/one"]);
    train(folder, 2, &["s/config.yml", "--run", "s/runs/two"]);
    let losses = |run| history(folder, run).iter().map(|epoch| epoch[1]).collect::<Vec<_>>();
    for (one, two) in losses("one").iter().zip(losses("two")) {
        // Batch normalisation sees 8 images instead of 16.
        assert!((one - two).abs() < 0.25 * one, "{one} and {two}");
    }
}

#[test]
fn what_is_stopped_within_an_epoch_goes_on_in_as_many_processes() {
    let folder = sample();
    let folder = folder.path();
    let steps = ["--set", "model.batch_size=4"];
    train(folder, 2, &[&["s/config.yml", "--run", "s/runs/whole"], &steps[..]].concat());
    let part = [&["s/config.yml", "--run", "s/runs/part", "--json"], &steps[..]].concat();
    let mut processes = Processes::start(folder, &vec![part; 2]);
    processes.wait_for("\"event\":\"batch\"");
    // The one that was asked tells the other.
    let pid = processes.0[1].id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("a signal").success());
    for output in processes.ends() {
        assert!(output.status.success(), "{}", err(&output));
    }
    assert!(folder.join("s/runs/part/within_epoch.safetensors").is_file());
    train(folder, 2, &[&["--resume", "s/runs/part"], &steps[..]].concat());
    // The running statistics of batch normalisation are averaged once more, which only rounds differently.
    let difference = difference(&history(folder, "whole"), &history(folder, "part"));
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn a_process_that_is_killed_ends_the_others_and_the_run_is_resumed() {
    let folder = sample();
    let folder = folder.path();
    let mut processes = Processes::start_long(folder);
    processes.wait_for("\"event\":\"epoch\"");
    processes.0[1].kill().expect("it is there");
    let killed = Instant::now();
    let ended = processes.ends();
    assert!(killed.elapsed() < Duration::from_secs(60), "{:?}", killed.elapsed());
    assert_eq!(ended[0].status.code(), Some(1));
    let events = std::fs::read_to_string(folder.join("s/runs/run/events.jsonl")).expect("events");
    let last = events.lines().last().expect("one");
    assert!(last.contains("process 1 gives no sign of life") && last.contains("resume the run"), "{last}");
    let done = history(folder, "run").len();
    assert!((1..200).contains(&done));
    let epochs = format!("model.epochs={}", done + 1);
    train(folder, 1, &["--resume", "s/runs/run", "--set", &epochs]);
    assert_eq!(history(folder, "run").len(), done + 1);
}

#[test]
fn without_an_answer_from_process_0_the_others_end() {
    let folder = sample();
    let folder = folder.path();
    let mut processes = Processes::start_long(folder);
    processes.wait_for("\"event\":\"epoch\"");
    // As behind a network that takes what is sent: the connections stay.
    let pid = processes.0[0].id().to_string();
    assert!(Command::new("kill").args(["-STOP", &pid]).status().expect("a signal").success());
    let stopped = Instant::now();
    let other = processes.0.pop().expect("two").wait_with_output().expect("it ends");
    assert!(stopped.elapsed() < Duration::from_secs(60), "{:?}", stopped.elapsed());
    assert_eq!(other.status.code(), Some(1));
    assert!(err(&other).contains("process 1: process 0 does not answer for 30 seconds"), "{}", err(&other));
    assert!(err(&other).contains("resume the run from its last checkpoint"), "{}", err(&other));
}

#[test]
fn a_process_with_another_config_is_told_and_ends_all() {
    let folder = sample();
    let arguments = |size| vec!["s/config.yml", "--run", "s/runs/run", "--set", size];
    let each = [arguments("model.batch_size=16"), arguments("model.batch_size=8")];
    let ended = Processes::start(folder.path(), &each).ends();
    for output in &ended {
        let told = err(output);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            told.contains("the config says `batch_size: 8`, and that of process 0 `batch_size: 16`"),
            "{told}"
        );
    }
    let told = err(&ended[0]);
    assert!(
        told.contains("before the first checkpoint: start it again") && !told.contains("resume"),
        "{told}"
    );
}

#[test]
fn a_process_without_some_of_the_images_is_told_and_ends_all() {
    let folder = sample();
    let folder = folder.path();
    let copied = Command::new("cp").args(["-r", "s", "t"]).current_dir(folder).status();
    assert!(copied.expect("cp is there").success());
    for number in 1..=60 {
        std::fs::remove_file(folder.join(format!("t/garments/{number:05}.jpg"))).expect("removed");
    }
    let arguments = |config| vec![config, "--run", "s/runs/run"];
    let each = [arguments("s/config.yml"), arguments("t/config.yml")];
    for output in &Processes::start(folder, &each).ends() {
        let told = err(output);
        assert_eq!(output.status.code(), Some(1));
        assert!(told.contains(".jpg is not there: all processes need the images"), "{told}");
    }
}

#[test]
fn srun_starts_processes_that_find_each_other() {
    let folder = sample();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr());
    let port = port.expect("a free port").port().to_string();
    let start = |rank: &str| {
        Command::new(env!("CARGO_BIN_EXE_tasklens"))
            .current_dir(folder.path())
            .envs([("TASKLENS_OFFLINE", "1"), ("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"))])
            .envs([("SLURM_JOB_ID", "7"), ("SLURM_STEP_ID", "0"), ("SLURM_STEP_NUM_TASKS", "2")])
            .envs([("SLURM_STEP_TASKS_PER_NODE", "2"), ("SLURM_STEP_NODELIST", "localhost")])
            .envs([("SLURM_NODEID", "0"), ("SLURM_PROCID", rank), ("SLURM_LOCALID", rank)])
            // Another test must not meet the same port.
            .env("MASTER_PORT", &port)
            .args(["train", "s/config.yml", "--run", "s/runs/run"])
            .args(SMALL)
            .args(QUICK)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    };
    let mut processes = Processes(["1", "0"].map(start).into());
    for process in std::mem::take(&mut processes.0) {
        let output = process.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", err(&output));
    }
    let said = std::fs::read_to_string(folder.path().join("s/runs/run/events.jsonl")).expect("events");
    assert!(said.contains("2 processes"), "{said}");
}

#[test]
fn a_process_with_other_labels_is_told_and_ends_all() {
    let folder = sample();
    let folder = folder.path();
    let config = std::fs::read_to_string(folder.join("s/config.yml")).expect("a config");
    let rows = std::fs::read_to_string(folder.join("s/garments.csv")).expect("rows");
    let shorter: Vec<&str> = rows.lines().take(100).collect();
    std::fs::write(folder.join("s/other.csv"), shorter.join("\n")).expect("written");
    std::fs::write(folder.join("s/other.yml"), config.replace("garments.csv", "other.csv")).expect("written");
    let arguments = |config| vec![config, "--run", "s/runs/run"];
    let ended = Processes::start(folder, &[arguments("s/config.yml"), arguments("s/other.yml")]).ends();
    for output in &ended {
        let told = err(output);
        assert_eq!(output.status.code(), Some(1));
        assert!(told.contains("with 99 rows is not what process 0 trains with (120 rows)"), "{told}");
        assert!(!told.contains("frame #"), "{told}");
    }
    assert!(err(&ended[0]).contains("process 1: "), "{}", err(&ended[0]));
}

#[test]
fn what_is_missing_in_the_environment_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_tasklens"))
        .current_dir(folder.path())
        .envs([("WORLD_SIZE", "2"), ("RANK", "1")])
        .args(["train", "config.yml"])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("MASTER_ADDR is not set"), "{}", err(&output));
}
