//! Closing the window with labels that are not saved, and while a network is trained.

use std::path::PathBuf;

use egui::{Key, Modifiers, ViewportCommand};
use egui_kittest::kittest::Queryable as _;
use tasklens::app::Start;
use tasklens::app::command::UiCommand;
use tasklens::app::place::Place;
use tasklens_net::training::events::StopReason;
use tasklens_net::training::run_folder::{self, RunRecord};

use crate::desk::Desk;
use crate::label::desk;
use crate::label_safe::{close, wait_for_command};
use crate::whole_loop::trainable;

#[test]
fn labels_that_the_csv_lacks_are_asked_about_when_the_window_closes() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
    desk.settle();
    assert!(!close(&mut desk));
    desk.wait_for("1 label edit is not in the CSV yet");
    desk.press("Cancel");
    assert!(!desk.shows("not in the CSV yet"));

    assert!(!close(&mut desk));
    desk.wait_for("Save and close");
    desk.node("Save and close").click();
    wait_for_command(&mut desk, &ViewportCommand::Close);
    let csv = std::fs::read(desk.folder.path().join("shop/labels.csv")).unwrap();
    assert!(String::from_utf8_lossy(&csv).contains("00.png;solid"));
}

#[test]
fn labels_stay_beside_the_csv_where_the_user_wants_that() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
    desk.settle();
    assert!(!close(&mut desk));
    desk.wait_for("Close without saving");
    desk.node("Close without saving").click();
    wait_for_command(&mut desk, &ViewportCommand::Close);
    assert!(close(&mut desk), "the user has decided");
    let csv = std::fs::read(desk.folder.path().join("shop/labels.csv")).unwrap();
    assert!(!String::from_utf8_lossy(&csv).contains("00.png;solid"));
}

/// A window that trains, and has done its first epoch.
fn training(epochs: usize) -> (Desk, PathBuf) {
    let start = |folder: &std::path::Path| {
        let Start { open: Some(config) } = trainable(folder) else { panic!("a config") };
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("epochs: 40", &format!("epochs: {epochs}"))).unwrap();
        Start { open: Some(config) }
    };
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), start);
    desk.wait_for("24 rows");
    desk.go_to(Place::Train);
    desk.press("Start training");
    let runs = desk.folder.path().join("garments/runs");
    let mut run = None;
    desk.wait_up_to(120, "the first epoch", |_| {
        run = run_folder::list_runs(&runs).first().cloned();
        run.as_ref().is_some_and(|run| RunRecord::open(run).is_ok_and(|record| !record.epochs.is_empty()))
    });
    (desk, run.unwrap())
}

fn why(run: &std::path::Path) -> Option<StopReason> {
    RunRecord::open(run).unwrap().stopped.map(|stopped| stopped.why)
}

#[test]
fn a_training_stops_and_is_kept_when_the_window_closes() {
    let (mut desk, run) = training(1000);
    assert!(!close(&mut desk));
    desk.wait_for("A network is being trained");
    desk.press("Cancel");
    assert!(!desk.shows("A network is being trained") && why(&run).is_none());
    assert!(!close(&mut desk));
    desk.wait_for("Stop and save");
    desk.node("Stop and save").click();
    wait_for_command(&mut desk, &ViewportCommand::Close);
    assert_eq!(why(&run), Some(StopReason::Asked));
    assert!(run_folder::can_go_on(&run) && !run_folder::is_in_use(&run));
}

#[test]
fn a_training_goes_on_without_the_window_and_another_window_knows_of_it_and_stops_it() {
    let (mut desk, run) = training(1000);
    assert!(!close(&mut desk));
    desk.wait_for("A network is being trained");
    desk.node("Keep training").click();
    wait_for_command(&mut desk, &ViewportCommand::Visible(false));
    desk.wait_up_to(10, "the label edits to be free", |window| window.state().is_at_rest());
    let epochs = RunRecord::open(&run).unwrap().epochs.len();

    let mut other = desk.beside();
    other.wait_for(" in the background, training: ");
    // The label edits are this window's now.
    other.go_to(Place::Label);
    other.wait_for("1 of 24");
    other.keys(Modifiers::NONE, Key::Num1);
    other.wait_for("1 label edit");
    other.keys(Modifiers::COMMAND, Key::Z);
    assert!(!other.shows("another window"));
    other.wait_up_to(60, "further epochs", |_| RunRecord::open(&run).unwrap().epochs.len() > epochs);
    other.press("Stop the run in the background");
    other.wait_up_to(60, "the end of the run", |_| why(&run).is_some());
    assert_eq!(why(&run), Some(StopReason::Asked));
    // The program behind the hidden window ends, and the new one takes the model.
    wait_for_command(&mut desk, &ViewportCommand::Close);
    other.wait_up_to(60, "the model", |window| {
        window.query_all_by_label_contains("Current model: 20").next().is_some()
    });
    assert!(!other.shows("in the background, training"));
}

#[test]
fn a_paused_training_goes_on_without_the_window_which_can_be_shown_again() {
    let (mut desk, run) = training(1000);
    desk.press("Pause training");
    desk.wait_for("Resume training");
    assert!(!close(&mut desk));
    desk.wait_for("A network is being trained");
    let epochs = RunRecord::open(&run).unwrap().epochs.len();
    desk.node("Keep training").click();
    wait_for_command(&mut desk, &ViewportCommand::Visible(false));
    let more = |run: &PathBuf| RunRecord::open(run).unwrap().epochs.len() > epochs + 1;
    desk.wait_up_to(60, "further epochs", |_| more(&run));

    // Where a window cannot be hidden, it says so; the labels are its own again when it is shown.
    desk.wait_for("Training in the background");
    desk.press("Show the window again");
    desk.go_to(Place::Label);
    desk.wait_for("1 of 24");
    assert!(!desk.shows("Training in the background") && why(&run).is_none());
    desk.window.state().commands().ui(UiCommand::StopTraining);
    desk.wait_up_to(60, "the end of the run", |_| why(&run).is_some());
}
