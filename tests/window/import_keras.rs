//! A model of Keras in the window: it becomes a run that answers, is inspected and trains on.

use std::path::PathBuf;

use egui::{Rect, pos2};
use egui_kittest::kittest::Queryable as _;
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, ImportCommand};
use tasklens::app::place::Place;
use tasklens::app::services::project::ImageSource;

use crate::desk::Desk;
use crate::keras_project;
use crate::pictures::{pictures_over, wait_for_notices};
use crate::shell::Dropped;

fn desk() -> Desk {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let folder = folder.join("shop");
        std::fs::create_dir(&folder).unwrap();
        keras_project::write(&folder);
        Start { open: Some(folder.join("config.yml")) }
    });
    desk.wait_for("12 rows");
    desk
}

fn at(desk: &Desk, name: &str) -> PathBuf {
    desk.folder.path().join("shop").join(name)
}

fn import(desk: &Desk, name: &str) {
    let file = at(desk, name);
    desk.window.state().commands().send(AppCommand::Import(ImportCommand::Keras(file)));
}

/// The one run of the project.
fn run(desk: &Desk) -> PathBuf {
    let mut runs = std::fs::read_dir(at(desk, "runs")).unwrap();
    runs.next().unwrap().unwrap().path()
}

/// Pictures of the dialog: the line with `part` in it and the processor are others in each run or on each machine.
fn dialog_pictures(desk: &mut Desk, name: &str, part: &str) {
    pictures_over(desk, name, |desk| {
        desk.settle();
        wait_for_notices(desk);
        // The model's chip in the status bar may have it, too, below.
        let lines = desk.window.get_all_by_label_contains(part).map(|line| line.rect());
        let line = lines.min_by(|a, b| a.top().total_cmp(&b.top())).unwrap_or(Rect::NOTHING);
        let line = Rect::from_min_size(line.min, egui::vec2(520.0, line.height()));
        let size = desk.window.ctx.content_rect().size();
        vec![line, Rect::from_min_max(pos2(130.0, size.y - 36.0), pos2(size.x - 60.0, size.y))]
    });
}

#[test]
fn a_model_of_keras_is_imported_predicts_is_inspected_and_trains_on() {
    let mut desk = desk();
    import(&desk, "model.h5");
    desk.wait_for("The Keras model is a run now");
    assert!(
        desk.shows(
            "Xception, small of 71 x 64 pixels, print (3 labels), sleeves (2 labels), from Keras 2.21.0"
        )
    );
    assert!(desk.shows("Which images the model was trained on is not known"));
    let run = run(&desk);
    let name = run.file_name().unwrap().to_string_lossy().into_owned();
    dialog_pictures(&mut desk, "import_keras_done", &name);

    desk.press("Predict with it");
    desk.wait_for("Drop images here");
    let image = at(&desk, "3.png");
    desk.window.state().commands().send(AppCommand::OpenImages(vec![ImageSource::Path(image)]));
    desk.wait_for("print: striped");
    assert!(desk.shows(&name) && desk.shows("Its accuracy is unknown"));

    desk.window.state().commands().send(AppCommand::InspectRun(run.clone()));
    desk.wait_for("Label errors");
    desk.settle();
    desk.go_to(Place::Train);
    desk.settle();
    assert!(desk.window.query_by_label("imported").is_some(), "how it ended");
    desk.press(&format!("More: {name}"));
    desk.press("Resume");
    desk.wait_up_to(180, "the end of the training", |window| {
        window.query_all_by_label_contains("Its only epoch is done").next().is_some()
    });
    let history = std::fs::read_to_string(run.join("history.csv")).unwrap();
    assert_eq!(history.lines().count(), 2, "one epoch: {history}");
}

/// Drops a file on the window.
fn drop_file(desk: &mut Desk, file: PathBuf) {
    desk.window.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(file)));
    desk.window.step();
}

#[test]
fn a_dropped_model_is_asked_about_before_anything_is_written() {
    let mut desk = desk();
    let file = at(&desk, "model.h5");
    drop_file(&mut desk, file);
    desk.wait_for("Import a Keras model");
    assert!(desk.shows("model.h5") && desk.shows("It becomes a run of shop/config.yml"));
    dialog_pictures(&mut desk, "import_keras_asked", "shop/model.h5");
    assert!(!at(&desk, "runs").exists(), "nothing is written unasked");
    desk.press("Import");
    desk.wait_for("The Keras model is a run now");
    let run = run(&desk);
    assert!(run.join("best.safetensors").is_file());
    // It is a run of the project from now on, wherever one is.
    desk.wait_for(&format!("Current model: {}", run.file_name().unwrap().to_string_lossy()));
    desk.press("Inspect it");
    desk.wait_for("Label errors");
}

#[test]
fn a_dropped_model_of_the_newer_format_says_how_to_save_it() {
    let mut desk = desk();
    let file = at(&desk, "model.keras");
    std::fs::write(&file, "PK").unwrap();
    drop_file(&mut desk, file);
    desk.wait_for("model.keras is in the newer format of Keras");
    assert!(desk.shows("keras.models.load_model(\"model.keras\").save(\"model.h5\")"));
    assert!(desk.window.query_by_label("Import").is_none());
    desk.press("Close");
    assert!(!desk.shows("newer format"));
}

#[test]
fn a_dropped_model_without_a_project_says_what_is_missing() {
    let mut desk = Desk::empty();
    let file = desk.folder.path().join("model.h5");
    std::fs::write(&file, "weights").unwrap();
    drop_file(&mut desk, file);
    desk.wait_for("Open the project first whose tasks the model answers");
    assert!(desk.window.query_by_label("Import").is_none());
}

#[test]
fn a_file_of_another_kind_is_told_what_it_is() {
    let mut desk = desk();
    import(&desk, "data.csv");
    desk.wait_for("data.csv was not imported");
    assert!(desk.shows("data.csv is no HDF5 file: expected what `model.save(\"model.h5\")`"));
    dialog_pictures(&mut desk, "import_keras_failed", "no HDF5 file");
    desk.press("Close");
    assert!(!desk.shows("was not imported") && !at(&desk, "runs").exists());
}

#[test]
fn runs_outside_of_the_project_are_asked_about_first() {
    let mut desk = desk();
    let config = at(&desk, "config.yml");
    let text = std::fs::read_to_string(&config).unwrap();
    let elsewhere = desk.folder.path().join("elsewhere");
    let paths = format!("paths: {{runs: {}, ", elsewhere.display());
    std::fs::write(&config, text.replace("paths: {", &paths)).unwrap();
    desk.keys(egui::Modifiers::NONE, egui::Key::F5);
    desk.settle();
    import(&desk, "model.h5");
    desk.wait_for("Write outside the project\u{2019}s folder?");
    assert!(!elsewhere.exists());
    desk.press("Import and write there");
    desk.wait_for("The Keras model is a run now");
    assert_eq!(std::fs::read_dir(elsewhere).unwrap().count(), 1);
}
