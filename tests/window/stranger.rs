//! A project from somebody else, whose config names places outside of its folder.

use egui::Key;
use tasklens::app::Start;
use tasklens::app::command::AppCommand;
use tasklens::app::place::Place;

use crate::desk::Desk;
use crate::whole_loop::trainable;

const ASKED: &str = "Write outside the project\u{2019}s folder?";

#[test]
fn training_asks_before_it_writes_outside_of_the_project() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let start = trainable(folder);
        let config = start.open.clone().unwrap();
        let text = std::fs::read_to_string(&config).unwrap();
        let paths = "paths:\n  training_history_path: ../elsewhere/history.csv\n";
        std::fs::write(&config, text.replace("paths:\n", paths)).unwrap();
        start
    });
    desk.wait_for("24 rows");
    desk.go_to(Place::Train);
    let elsewhere = desk.folder.path().canonicalize().unwrap().join("elsewhere/history.csv");
    let runs = desk.folder.path().join("garments/runs");
    for leave in ["Cancel", "Escape"] {
        desk.press("Start training");
        desk.wait_for(ASKED);
        assert!(desk.shows("paths.training_history_path") && desk.shows(&elsewhere.display().to_string()));
        match leave {
            "Cancel" => desk.press("Cancel"),
            _ => desk.keys(egui::Modifiers::NONE, Key::Escape),
        }
        assert!(!desk.shows(ASKED));
    }
    desk.settle();
    assert!(!runs.exists() && !elsewhere.exists(), "nothing was begun");

    desk.press("Start training");
    desk.wait_for(ASKED);
    desk.press("Train and write there");
    desk.wait_up_to(180, "the history elsewhere", |_| elsewhere.is_file());
    assert!(runs.exists());
    desk.press("Stop training");
    // Train shows how it ended; the log has it, too.
    desk.wait_for("Stopped at your request");
    assert!(!desk.shows("Training stopped at your request"));
    desk.keys(egui::Modifiers::COMMAND, Key::J);
    assert!(desk.shows("Training stopped at your request") && desk.shows("validates on"));
}

#[test]
fn a_file_that_is_no_history_stops_training_before_it_begins() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let start = trainable(folder);
        let config = start.open.clone().unwrap();
        let text = std::fs::read_to_string(&config).unwrap();
        let paths = "paths:\n  training_history_path: prices.csv\n";
        std::fs::write(&config, text.replace("paths:\n", paths)).unwrap();
        std::fs::write(config.with_file_name("prices.csv"), "item,price\n").unwrap();
        start
    });
    desk.wait_for("24 rows");
    desk.go_to(Place::Train);
    desk.press("Start training");
    desk.wait_for("prices.csv already exists and is not a training history");
    assert!(!desk.folder.path().join("garments/runs").exists());
}

#[test]
fn the_sample_is_drawn_outside_of_its_project_only_when_the_user_says_so() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let drawn = folder.join("drawn");
        let config = tasklens_data::dataset::sample::write_sample(&drawn, 2, 7, &mut |_, _| true).unwrap();
        let text = std::fs::read_to_string(config).unwrap();
        let project = folder.join("project");
        std::fs::create_dir(&project).unwrap();
        let text = text.replace("model_dataframe: ", "model_dataframe: ../pictures/");
        std::fs::write(project.join("config.yml"), text).unwrap();
        Start { open: Some(project.join("config.yml")) }
    });
    let pictures = desk.folder.path().join("pictures");
    desk.wait_for(ASKED);
    assert!(desk.shows("paths.model_dataframe") && !pictures.exists());
    desk.press("Cancel");
    desk.settle();
    assert!(!pictures.exists());
    let config = desk.folder.path().join("project/config.yml");
    desk.window.state().commands().send(AppCommand::OpenPath(config));
    desk.wait_for(ASKED);
    desk.press("Draw the sample there");
    desk.wait_up_to(180, "the first pictures", |_| pictures.join("garments/00001.jpg").is_file());
}
