//! Tasks and labels change while a project is being labelled.

use egui::{Key, Modifiers, Theme, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens::app::place::Place;
use tasklens_data::dataset::edits::{AnnotationSource, State, Step};
use tasklens_data::dataset::vocabulary::VocabularyChange;

use crate::desk::{Desk, write_garments};
use crate::pictures::pictures;

fn read(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.folder.path().join("garments").join(name)).unwrap()
}

/// Gives a row another print, as the places do.
fn edit(desk: &mut Desk, row: usize, label: &str) {
    let app = desk.window.state();
    let rows = &app.project().unwrap().dataset;
    let change = State::default().label_change(rows, row, 0, Some(label));
    app.commands().send(AppCommand::Edit(Step::now(AnnotationSource::Hand, vec![change])));
    desk.wait_for("1 label edit");
    desk.settle();
}

/// The project was opened anew and its label edits are there.
fn wait_until_changed(desk: &mut Desk) {
    desk.wait_for("Done: ");
    desk.settle();
    desk.settle();
}

fn open(desk: &mut Desk) {
    desk.keys(Modifiers::COMMAND, Key::T);
    desk.wait_for("Rename striped of print");
    desk.settle();
}

#[test]
fn a_label_is_renamed_after_a_look_and_an_edit_from_before_can_be_undone() {
    let mut desk = Desk::with_garments(30);
    // solid becomes striped: an edit that the CSV does not have.
    edit(&mut desk, 0, "striped");
    desk.go_to(Place::Label);
    open(&mut desk);
    let (csv, config) = (read(&desk, "garments.csv"), read(&desk, "config.yml"));
    desk.press("Rename striped of print");
    assert!(desk.node("New name of striped of print").is_focused());
    // What was there is selected: typing replaces it.
    desk.type_text("stripes");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("11 images change");
    assert!(desk.shows(
        "Rename the label \u{201c}striped\u{201d} of \u{201c}print\u{201d} to \u{201c}stripes\u{201d}?"
    ));
    assert!(desk.shows("garment_0.png") && desk.shows("garment_1.png"));
    assert_eq!((read(&desk, "garments.csv"), read(&desk, "config.yml")), (csv.clone(), config.clone()));

    desk.wait_until("Apply has the keyboard", |window| window.get_by_label("Apply").is_focused());
    desk.keys(Modifiers::NONE, Key::Enter);
    wait_until_changed(&mut desk);
    assert_eq!(read(&desk, "garments.csv"), csv.replace("striped", "stripes"));
    assert_eq!(read(&desk, "config.yml"), config.replace("striped", "stripes"));
    desk.wait_for("Rename stripes of print");
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("Rename stripes of print"));
    let button = desk.window.get_by_role_and_label(egui::accesskit::Role::Button, Place::Label.name());
    let is_here = button.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True);
    assert!(is_here, "the place is the one where it was");

    assert!(desk.shows("1 label edit"));
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_until("no edit is left", |window| window.query_by_label_contains("1 label edit").is_none());
    desk.keys(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
    desk.wait_for("1 label edit");
    desk.settle();
    desk.keys(Modifiers::COMMAND, Key::S);
    desk.wait_for("1 row of the CSV changed.");
    assert!(read(&desk, "garments.csv").contains("garment_0.png,stripes,"));
}

#[test]
fn a_text_that_is_no_label_is_merged_and_tasks_and_labels_are_added() {
    let mut desk = Desk::with_garments(30);
    open(&mut desk);
    desk.wait_for("Merge plaid of print");
    desk.press("Merge plaid of print");
    desk.press("Merge plaid of print into");
    desk.window.get_by_role_and_label(egui::accesskit::Role::Button, "dotted").click();
    desk.window.run_steps(3);
    desk.press("Merge");
    desk.wait_for("1 image changes");
    desk.press("Apply");
    wait_until_changed(&mut desk);
    assert!(!read(&desk, "garments.csv").contains("plaid"));

    desk.node("New label of sleeves").focus();
    desk.window.run_steps(2);
    desk.type_text("sleeveless");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("No image changes");
    desk.press("Apply");
    desk.wait_for("Rename sleeveless of sleeves");
    desk.settle();

    desk.node("Name of the new task").focus();
    desk.window.run_steps(2);
    desk.type_text("neckline");
    desk.keys(Modifiers::NONE, Key::Enter);
    assert!(desk.node("Labels of the new task").is_focused());
    desk.type_text("v, round");
    desk.press("Add task");
    desk.wait_for("The CSV gets an empty column `neckline` at the end.");
    desk.press("Apply");
    desk.wait_for("Rename round of neckline");
    assert!(
        read(&desk, "garments.csv").starts_with("image_path,print,sleeves,neckline\ngarment_0.png,solid,")
    );
    assert!(
        read(&desk, "config.yml")
            .contains("sleeves: [long_sleeve, short_sleeve, sleeveless]\n    neckline: [v, round]")
    );
}

#[test]
fn what_cannot_be_is_told_and_escape_leads_back() {
    let mut desk = Desk::with_garments(12);
    open(&mut desk);
    desk.press("Remove long_sleeve of sleeves");
    desk.wait_for("the task `sleeves` has two labels and needs them; add another first");
    assert!(desk.node("Apply").accesskit_node().is_disabled());
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(desk.shows("Rename striped of print"));
    desk.press("Rename sleeves");
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("New name of sleeves"), "{:?}", desk.window.root());
    assert!(desk.shows("Rename striped of print"));
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("Rename striped of print"));
}

#[test]
fn a_config_that_cannot_be_changed_safely_is_left_and_the_window_goes_on() {
    let mut desk = Desk::with(vec2(1280.0, 800.0), |folder| {
        let config = write_garments(folder, 12);
        let text = std::fs::read_to_string(&config).unwrap();
        let shared =
            text.replace("print: [", "print: &these [").replace("[long_sleeve, short_sleeve]", "*these");
        std::fs::write(&config, shared).unwrap();
        Start { open: Some(config) }
    });
    desk.wait_for("12 rows");
    desk.settle();
    let csv = read(&desk, "garments.csv");
    let change =
        VocabularyChange::RenameLabel { task: "print".into(), from: "solid".into(), to: "plain".into() };
    desk.window.state().commands().send(AppCommand::ChangeVocabulary(change));
    desk.wait_for("this cannot be changed safely");
    desk.settle();
    assert_eq!(read(&desk, "garments.csv"), csv);
    edit(&mut desk, 0, "striped");
}

#[test]
fn the_dialog_fits() {
    let mut desk = Desk::with_garments(40);
    open(&mut desk);
    pictures(&mut desk, "vocabulary");
    desk.press("Rename striped of print");
    pictures(&mut desk, "vocabulary_rename");
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.press("Remove striped of print");
    desk.wait_for("images change");
    desk.settle();
    pictures(&mut desk, "vocabulary_question");
    desk.window.ctx.set_zoom_factor(2.0);
    pictures(&mut desk, "vocabulary_question_200_percent");
    desk.keys(Modifiers::NONE, Key::Escape);
    pictures(&mut desk, "vocabulary_200_percent");
}

#[test]
fn the_dialog_fits_a_small_window() {
    let mut desk = Desk::with(vec2(640.0, 400.0), |folder| Start { open: Some(write_garments(folder, 40)) });
    desk.wait_for("40 rows");
    desk.settle();
    desk.window.ctx.set_theme(Theme::Dark);
    desk.window.state().commands().ui(UiCommand::EditTasks);
    desk.wait_for("Rename striped of print");
    desk.settle();
    pictures(&mut desk, "vocabulary_small");
    desk.press("Merge striped of print");
    pictures(&mut desk, "vocabulary_small_merge");
}

#[test]
fn every_place_goes_on_when_a_task_is_gone_that_it_was_showing() {
    let mut desk = Desk::with_garments(30);
    desk.press_containing("sleeves no label:");
    desk.wait_for("6 of 30 rows");
    for &place in Place::ALL {
        desk.go_to(place);
        desk.settle();
    }
    desk.go_to(Place::Label);
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    for (task, left) in [("sleeves", "print"), ("print", "neck")] {
        let commands = desk.window.state().commands().clone();
        if left == "neck" {
            let labels = vec!["v".to_owned(), "round".to_owned(), "square".to_owned()];
            commands.send(AppCommand::ChangeVocabulary(VocabularyChange::AddTask {
                name: left.to_owned(),
                labels,
            }));
            desk.wait_for("Done: add the task `neck`");
            desk.settle();
            desk.settle();
        }
        commands.send(AppCommand::ChangeVocabulary(VocabularyChange::RemoveTask { task: task.to_owned() }));
        desk.wait_for(&format!("Done: remove the task `{task}`."));
        desk.settle();
        desk.settle();
        for &place in Place::ALL {
            desk.go_to(place);
            desk.settle();
        }
        let tasks: Vec<_> = desk
            .window
            .state()
            .project()
            .unwrap()
            .dataset
            .tasks
            .iter()
            .map(|task| task.name.clone())
            .collect();
        assert_eq!(tasks, [left]);
        desk.go_to(Place::Label);
    }
}
