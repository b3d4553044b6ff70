//! Pictures of the current model, of what is said of runs, and of what is asked when the window closes.

use egui::{Key, Modifiers};
use tasklens::app::place::Place;
use tasklens_net::training::run_note::RunNote;

use crate::desk::Desk;
use crate::label_safe::close;
use crate::models::write_run;
use crate::pictures::pictures;

/// A project with a few runs, two of which have names.
fn desk() -> Desk {
    let desk = Desk::with_garments(12);
    for (name, accuracies, hours, called, note) in [
        ("2026-11-01_10-00-00", Some([0.81, 0.94]), 60, "First try", ""),
        ("2026-11-02_09-30-00", None, 30, "", ""),
        ("2026-11-03_11-00-00", Some([0.92, 0.97]), 5, "More prints", "labels of Anna, one cycle"),
    ] {
        let run = write_run(&desk, name, accuracies, hours);
        RunNote { name: called.to_owned(), note: note.to_owned() }.write(&run).unwrap();
    }
    desk
}

#[test]
fn the_current_model_and_its_menu() {
    let mut desk = desk();
    desk.go_to(Place::Train);
    desk.settle();
    write_run(&desk, "2026-11-04_08-00-00", Some([0.95, 0.99]), 1);
    desk.go_to(Place::Data);
    desk.go_to(Place::Train);
    desk.wait_for("The current model is now");
    desk.press_containing("Current model: 2026");
    pictures(&mut desk, "current_model");
}

#[test]
fn the_name_and_the_note_of_a_run() {
    let mut desk = desk();
    desk.go_to(Place::Train);
    desk.wait_for("More: More prints");
    desk.press("More: More prints");
    desk.press("Describe");
    // A caret that blinks is another in each picture.
    desk.press("Name and note");
    pictures(&mut desk, "run_note");
}

#[test]
fn the_question_about_labels_when_the_window_closes() {
    let mut desk = crate::label::desk();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
    desk.settle();
    assert!(!close(&mut desk));
    desk.wait_for("Save and close");
    pictures(&mut desk, "closing_labels");
}
