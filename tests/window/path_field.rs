//! A path in a field of the window, where the system shows no file dialog.

use std::path::PathBuf;

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, AskedFile, FileQuestion, UiCommand};

use crate::desk::{Desk, write_garments};
use crate::pictures::pictures_over;

fn desk() -> Desk {
    Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        write_garments(folder, 8);
        Start::default()
    })
}

fn ask(desk: &mut Desk, question: FileQuestion) {
    desk.window.state().commands().send(AppCommand::TypePath(Box::new(question)));
    desk.wait_until("the question", |window| window.query_by_label("Path").is_some());
    desk.keys(Modifiers::COMMAND, Key::A);
    let folder = format!("{}/garments/", desk.folder.path().display());
    desk.type_text(&folder);
    desk.settle();
}

fn open() -> FileQuestion {
    FileQuestion::new("Open a CSV or config", AskedFile::File, AppCommand::OpenPath)
        .with_endings("CSV or config", ["yml", "csv"])
}

fn can(desk: &Desk, button: &str) -> bool {
    !desk.node(button).accesskit_node().is_disabled()
}

#[test]
fn a_project_is_opened_by_its_path_from_the_keyboard() {
    let mut desk = desk();
    ask(&mut desk, open());
    assert!(!can(&desk, "Open"), "a folder is no config");
    desk.type_text("co");
    desk.settle();
    assert!(desk.shows("File config.yml") && !desk.shows("File garments.csv"));
    desk.type_text("nfig.yml");
    desk.wait_until("a file", |window| !window.get_by_label("Open").accesskit_node().is_disabled());
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("garment_0.png");
    assert!(!desk.shows("Path"));
}

#[test]
fn a_path_is_put_together_by_clicks_and_left_by_escape() {
    let mut desk = desk();
    ask(&mut desk, open());
    desk.press("File config.yml");
    desk.wait_until("a file", |window| !window.get_by_label("Open").accesskit_node().is_disabled());
    desk.press("Open");
    desk.wait_for("garment_0.png");

    ask(&mut desk, open());
    desk.press("Folder above");
    desk.wait_until("the folder above", |window| window.query_by_label("File config.yml").is_none());
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.settle();
    assert!(!desk.shows("Path"));
}

#[test]
fn escape_leaves_the_question_and_not_the_dialog_that_asked_it() {
    let mut desk = desk();
    desk.window.state().commands().ui(UiCommand::ImportDeepFashion);
    desk.wait_for("Import DeepFashion");
    ask(&mut desk, open());
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.settle();
    assert!(!desk.shows("Path") && desk.shows("Data folder"));
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.settle();
    assert!(!desk.shows("Data folder"));
}

#[test]
fn a_file_that_would_be_replaced_is_told() {
    let mut desk = desk();
    let (sender, answers) = std::sync::mpsc::channel::<PathBuf>();
    let asked = AskedFile::NewFile { name: "predictions.csv".to_owned() };
    let question = FileQuestion::new("Export predictions", asked, move |file| {
        sender.send(file.clone()).unwrap();
        AppCommand::OpenPath(file)
    });
    std::fs::write(desk.folder.path().join("garments/old.csv"), "x").unwrap();
    ask(&mut desk, question);
    desk.type_text("old.csv");
    desk.wait_for("Replace this file");
    desk.keys(Modifiers::COMMAND, Key::A);
    let new = desk.folder.path().join("garments/new.csv");
    desk.type_text(&new.display().to_string());
    desk.wait_until("it is new", |window| {
        window.query_by_label("Save").is_some_and(|button| !button.accesskit_node().is_disabled())
    });
    desk.press("Save");
    desk.wait_until("it is answered", |_| answers.try_recv().is_ok_and(|file| file == new));
}

/// A question, and where its answer arrives.
fn asked(asked: AskedFile) -> (FileQuestion, std::sync::mpsc::Receiver<PathBuf>) {
    let (sender, answers) = std::sync::mpsc::channel();
    let question = FileQuestion::new("Asked", asked, move |file: PathBuf| {
        sender.send(file.clone()).unwrap();
        AppCommand::OpenPath(file)
    });
    (question, answers)
}

/// Types a path and presses Enter in one frame: nothing is known of the path then.
fn type_and_enter(desk: &mut Desk, path: &std::path::Path) {
    desk.keys(Modifiers::COMMAND, Key::A);
    let key = |pressed| egui::Event::Key {
        key: Key::Enter,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    // Queued events each get a frame of their own, in which a fast disk answers.
    let events = [egui::Event::Text(path.display().to_string()), key(true), key(false)];
    desk.window.input_mut().events.extend(events);
    desk.window.run_steps(3);
}

#[test]
fn enter_counts_also_before_the_disk_has_answered() {
    let mut desk = desk();
    let config = desk.folder.path().join("garments/config.yml");
    let (question, answers) = asked(AskedFile::File);
    ask(&mut desk, question);
    type_and_enter(&mut desk, &config);
    desk.wait_until("it is answered", |_| answers.try_recv().is_ok_and(|file| file == config));
}

#[test]
fn enter_does_not_replace_a_file_that_nobody_was_told_of() {
    let mut desk = desk();
    let config = desk.folder.path().join("garments/config.yml");
    let (question, answers) = asked(AskedFile::NewFile { name: "new.csv".to_owned() });
    ask(&mut desk, question);
    type_and_enter(&mut desk, &config);
    desk.wait_for("Replace this file");
    desk.settle();
    assert!(answers.try_recv().is_err() && desk.shows("Replace this file"));
}

#[test]
fn path_field() {
    let mut desk = desk();
    ask(&mut desk, open());
    pictures_over(&mut desk, "path_field", |desk| {
        desk.settle();
        vec![desk.node("Path").rect()]
    });
}
