//! The labels for other programs.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens_data::dataset::edits::{AnnotationChange, AnnotationSource, Field, Step};
use tasklens_data::dataset::export::{Form, Placing};

use crate::desk::Desk;
use crate::pictures::pictures;

/// Garments with one label edited and none saved, and the question how to export.
fn asked() -> Desk {
    let mut desk = Desk::with_garments(12);
    let change = AnnotationChange {
        image: "garment_4.png".into(),
        field: Field::Label("sleeves".into()),
        before: None,
        after: Some("long_sleeve".into()),
    };
    send(&desk, AppCommand::Edit(Step::now(AnnotationSource::Hand, vec![change])));
    desk.wait_for("1 label edit");
    send(&desk, AppCommand::Ui(UiCommand::ExportLabels));
    desk.wait_for("Choose a file");
    desk
}

fn send(desk: &Desk, command: AppCommand) {
    desk.window.state().commands().send(command);
}

fn choose(desk: &mut Desk, task: &str) {
    desk.window.get_by_role_and_label(egui::accesskit::Role::CheckBox, task).click();
    desk.window.run_steps(3);
}

#[test]
fn the_form_is_chosen_and_left_with_the_keyboard_or_the_mouse() {
    let mut desk = asked();
    assert!(desk.node("Choose a file\u{2026}").is_focused());
    assert!(desk.shows("Includes 1 label edit that is not in the CSV yet."));
    desk.press("Export as: Folders");
    choose(&mut desk, "print");
    assert!(!desk.node("Choose a folder\u{2026}").accesskit_node().is_disabled());
    choose(&mut desk, "sleeves");
    assert!(desk.shows("Choose at least one task."));
    assert!(desk.node("Choose a folder\u{2026}").accesskit_node().is_disabled());
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("Export as"));

    send(&desk, AppCommand::Ui(UiCommand::ExportLabels));
    desk.wait_for("Choose a file");
    desk.press("Cancel");
    assert!(!desk.shows("Export as"));
}

#[test]
fn folders_are_written_with_the_edits_and_what_is_missing_is_told() {
    let mut desk = asked();
    desk.press("Cancel");
    std::fs::remove_file(desk.folder.path().join("garments/garment_0.png")).unwrap();
    let out = desk.folder.path().join("by label");
    let form = Form::Folders { tasks: vec![1], placing: Placing::HardLink };
    send(&desk, AppCommand::ExportLabels(form, out.clone()));
    // What was left out comes first; that the rest is there waits behind it, and is in the log.
    desk.wait_for("1 image left out");
    assert!(!desk.shows("were written to"));
    desk.wait_for("1 more");
    desk.press_containing("1 more");
    assert!(desk.shows("10 images in 2 folders were written to") && desk.shows("Show in folder"));
    assert!(out.join("sleeves/long_sleeve/0005_garment_4.png").is_file(), "the edit counts");
    assert_eq!(std::fs::read_dir(out.join("sleeves/short_sleeve")).unwrap().count(), 4);

    let taken = desk.folder.path().join("garments");
    send(&desk, AppCommand::ExportLabels(Form::Folders { tasks: vec![1], placing: Placing::Copy }, taken));
    desk.wait_for("has files that are not from an export");
}

#[test]
fn json_lines_are_written() {
    let mut desk = asked();
    desk.press("Cancel");
    let file = desk.folder.path().join("garments/labels.jsonl");
    send(&desk, AppCommand::ExportLabels(Form::JsonLines, file.clone()));
    desk.wait_for("12 images were written to");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(
        text.contains(
            r#"{"image":"garment_4.png","labels":{"print":"striped","sleeves":"long_sleeve"},"flag":null}"#
        ),
        "{text}"
    );
}

#[test]
fn export_labels() {
    let mut desk = asked();
    pictures(&mut desk, "export_csv");
    desk.press("Export as: Folders");
    pictures(&mut desk, "export_folders");
}

#[test]
fn export_labels_at_200_percent() {
    let mut desk = asked();
    desk.press("Export as: Folders");
    desk.window.ctx.set_zoom_factor(2.0);
    pictures(&mut desk, "export_200_percent");
}
