//! The main job, as a person does it: open, train, watch, stop, predict.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens::app::place::Place;
use tasklens::app::services::project::ImageSource;
use tasklens_data::config::Config;
use tasklens_data::dataset::edits::{AnnotationChange, AnnotationSource, Field, Step};
use tasklens_net::training::run_folder::RunRecord;
use tasklens_net::training::{Request, Unsaved};

use crate::desk::{Desk, PRINTS, SLEEVES, write_garments};

/// A small data set with a network that a test can wait for.
pub fn trainable(folder: &std::path::Path) -> Start {
    let config = write_garments(folder, 24);
    let mut text = std::fs::read_to_string(&config).unwrap();
    text = text.replace(
        "model:\n",
        "model:\n  backbone: xception_small\n  pretrained: none\n  precision: fp32\n  device: cpu\n  epochs: 40\n  \
         workers: 1\n",
    );
    std::fs::write(&config, text).unwrap();
    Start { open: Some(config) }
}

#[test]
fn open_train_watch_stop_predict() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), trainable);
    desk.wait_for("24 rows");
    desk.go_to(Place::Train);
    desk.press("Start training");
    assert!(desk.window.query_by_label("Stop training").is_some(), "the run can be stopped at once");

    let runs = desk.folder.path().join("garments/runs");
    desk.wait_up_to(180, "two epochs in history.csv", |_| epochs_done(&runs) >= 2);
    assert!(desk.window.query_by_label("Progress of the run").is_some());

    desk.press("Stop training");
    desk.wait_up_to(60, "the end of the run", |window| {
        window.query_all_by_label_contains("Stopped at your request").next().is_some()
    });
    assert!(epochs_done(&runs) < 40);

    let image = desk.folder.path().join("garments/garment_1.png");
    desk.window.state().commands().send(AppCommand::OpenImages(vec![ImageSource::Path(image)]));
    desk.wait_up_to(60, "probabilities of both tasks", |window| {
        ["print: striped", "sleeves: long_sleeve"]
            .iter()
            .all(|name| window.query_all_by_label_contains(name).next().is_some())
    });
    let value = desk.window.get_by_label("print: striped").value().unwrap_or_default();
    assert!(value.chars().any(|c| c.is_ascii_digit()), "the bar says its probability: {value:?}");
    desk.keys(Modifiers::COMMAND, Key::Num1);
    assert!(desk.shows("garment_0.png"), "the window goes on as before");
}

#[test]
fn a_run_of_another_project_is_not_trained_with_the_edits_of_the_open_one() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), trainable);
    desk.wait_for("24 rows");
    desk.go_to(Place::Label);
    desk.wait_for("of 24");
    // An image of the open project that another one has under the same path loses its labels.
    let change = |task: &str, label: &str| AnnotationChange {
        image: "garment_0.png".into(),
        field: Field::Label(task.into()),
        before: Some(label.into()),
        after: None,
    };
    let changes = vec![change("print", PRINTS[0]), change("sleeves", SLEEVES[0])];
    desk.window.state().commands().send(AppCommand::Edit(Step::now(AnnotationSource::Hand, changes)));
    desk.wait_for("2 label edits");
    let other = desk.folder.path().join("other");
    let Some(file) = trainable(&other).open else { panic!("a config") };
    let own = desk.folder.path().join("garments/config.yml");
    let mut rows = Vec::new();
    for (config, run) in [(file, other.join("run")), (own, desk.folder.path().join("run"))] {
        let request = Request {
            config: Config::open(&config).unwrap(),
            run: Some(run.clone()),
            resume: false,
            allow_outside: false,
            edits: Unsaved::default(),
        };
        desk.window.state().commands().send(AppCommand::StartTraining(Box::new(request)));
        let started = || RunRecord::open(&run).ok()?.started;
        desk.wait_up_to(60, "the start of the run", |_| started().is_some());
        rows.extend(started().map(|started| started.n_train + started.n_validation));
        desk.window.state().commands().send(AppCommand::Ui(UiCommand::StopTraining));
        desk.wait_up_to(60, "the end of the run", |_| {
            RunRecord::open(&run).is_ok_and(|run| run.stopped.is_some() || run.failed.is_some())
        });
        desk.settle();
    }
    assert_eq!(rows, [24, 23]);
}

/// Rows of the only run's `history.csv`.
fn epochs_done(runs: &std::path::Path) -> usize {
    let Ok(mut folders) = std::fs::read_dir(runs) else { return 0 };
    let history = folders.next().and_then(Result::ok).map(|run| run.path().join("history.csv"));
    let text = history.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    text.lines().count().saturating_sub(1)
}

/// The built-in sample, small and with a network that two cores train in minutes.
pub fn sample(folder: &std::path::Path) -> Start {
    let folder = folder.join("sample");
    let config = tasklens_data::dataset::sample::write_sample(&folder, 1000, 7, &mut |_, _| true).unwrap();
    Start { open: Some(config) }
}

/// Trains in the window for so many epochs; the run goes on.
pub fn train(desk: &mut Desk, epochs: usize) {
    desk.go_to(Place::Train);
    desk.press("Start training");
    let runs = desk.folder.path().join("sample/runs");
    desk.wait_up_to(1800, "epochs in history.csv", |_| epochs_done(&runs) >= epochs);
}

/// Stops the run and predicts the first images of the sample with it.
pub fn predict(desk: &mut Desk, images: usize) {
    desk.press("Stop training");
    desk.wait_up_to(120, "the end of the run", |window| {
        window.query_all_by_label_contains("Stopped at your request").next().is_some()
    });
    desk.press("Dismiss");
    let folder = desk.folder.path().join("sample/garments");
    let images =
        (1..=images).map(|number| ImageSource::Path(folder.join(format!("{number:05}.jpg")))).collect();
    desk.window.state().commands().send(AppCommand::OpenImages(images));
    desk.wait_up_to(120, "probabilities", |window| {
        window.query_all_by_label_contains("print: striped").next().is_some()
    });
}
