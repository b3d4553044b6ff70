//! Inspect in the whole window: from a mistake to a corrected CSV, and back.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::command::AppCommand;
use tasklens::app::place::Place;
use tasklens_data::dataset::export::Form;

use crate::desk::Desk;
use crate::garments::inspected;
use crate::pictures::pictures;

/// The window with the run of [`inspected`] opened in Inspect.
pub fn desk() -> Desk {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let folder = folder.join("shop");
        std::fs::create_dir_all(&folder).unwrap();
        Start { open: Some(inspected(&folder).0.config.file) }
    });
    desk.wait_for("60 rows");
    desk.go_to(Place::Inspect);
    desk.wait_for("Label errors");
    desk
}

fn csv(desk: &Desk) -> String {
    std::fs::read_to_string(desk.folder.path().join("shop/garments.csv")).unwrap()
}

#[test]
fn a_label_error_is_accepted_undone_exported_and_saved() {
    let mut desk = desk();
    let original = csv(&desk);
    desk.press("Label errors");
    desk.wait_for(" suspects among ");
    let proposed = desk.window.query_all_by_label_contains("Accept ").next().unwrap();
    let proposed = proposed.accesskit_node().label().unwrap().replace("Accept ", "");
    desk.keys(Modifiers::NONE, Key::A);
    desk.wait_for("1 accepted");
    desk.wait_for("1 label edit");
    assert_eq!(csv(&desk), original, "the CSV waits for Save labels");

    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_for("0 accepted");
    assert!(!desk.shows("1 label edit"));
    desk.keys(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
    desk.wait_for("1 accepted");
    desk.keys(Modifiers::NONE, Key::K);
    desk.wait_for("1 kept");

    let copy = desk.folder.path().join("corrected.csv");
    desk.window.state().commands().send(AppCommand::ExportLabels(Form::Csv, copy.clone()));
    desk.wait_for("with 1 corrected row");
    assert_eq!(csv(&desk), original);
    let exported = std::fs::read_to_string(&copy).unwrap();
    let changed: Vec<_> = original.lines().zip(exported.lines()).filter(|(old, new)| old != new).collect();
    let [(old, new)] = changed[..] else { panic!("one line: {changed:?}") };
    assert_eq!(new.matches(&proposed).count(), 1, "{old} became {new}");

    desk.keys(Modifiers::COMMAND, Key::S);
    desk.wait_for("row of the CSV changed.");
    assert_eq!(csv(&desk), exported);
    let backups = std::fs::read_dir(desk.folder.path().join("shop/garments.csv.edits")).unwrap();
    assert!(backups.count() >= 2, "the journal, and the CSV as it was");
}

#[test]
fn an_image_that_cannot_be_read_is_told_and_label_errors_are_found_all_the_same() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let folder = folder.join("shop");
        std::fs::create_dir_all(&folder).unwrap();
        let (project, run) = inspected(&folder);
        let config = project.config.file;
        // So that the image has the part that its row says.
        std::fs::remove_file(run.join("split.csv")).unwrap();
        // Its header is whole, so that only the prediction finds out.
        let whole = std::fs::read(folder.join("01.png")).unwrap();
        std::fs::write(folder.join("torn.png"), &whole[..whole.len() / 2]).unwrap();
        let csv = std::fs::read_to_string(folder.join("garments.csv")).unwrap();
        std::fs::write(folder.join("garments.csv"), csv + "torn.png,solid,long,validation,shop 1\n").unwrap();
        Start { open: Some(config) }
    });
    desk.wait_for("61 rows");
    desk.go_to(Place::Inspect);
    desk.wait_for("torn.png");
    desk.wait_for("1 image is not predicted yet");
    desk.press("Label errors");
    desk.wait_for(" suspects among ");
}

#[test]
fn label_errors() {
    let mut desk = desk();
    desk.press("Label errors");
    desk.wait_for(" suspects among ");
    desk.keys(Modifiers::NONE, Key::A);
    desk.wait_for("1 accepted");
    desk.wait_for("1 label edit");
    desk.wait_for("cannot be told from the 20 that the network did not train with");
    pictures(&mut desk, "inspect_label_errors");
}

#[test]
fn a_cell_of_the_confusion_matrix_leads_to_its_images() {
    let mut desk = desk();
    desk.press("Confusion");
    desk.wait_for("striped predicted as dotted");
    desk.press_containing("striped predicted as dotted");
    desk.wait_for(": striped, predicted dotted");
    let cells = desk.window.query_all_by_label_contains(", predicted ").count();
    let right = desk.window.query_all_by_label_contains(": striped, predicted dotted").count();
    assert!(right > 0 && cells == right, "{right} of {cells}");
}

#[test]
fn what_was_found_is_labelled_and_no_other_image() {
    let mut desk = desk();
    desk.window.get_by_role_and_label(egui::accesskit::Role::Tab, "Images").click();
    desk.window.run_steps(3);
    desk.wait_for(", predicted ");
    let found = desk.window.query_all_by_label_contains(", predicted ").count();
    desk.press("Label these");
    desk.wait_for(": solid");
    let options = |desk: &Desk| {
        let is_option = |node: &egui_kittest::Node<'_>| {
            node.accesskit_node().role() == egui::accesskit::Role::ListBoxOption
        };
        desk.window.query_all_by_label_contains(".png: ").filter(is_option).count()
    };
    assert_eq!(options(&desk), found);
    assert!(desk.shows("Images to label"));
}
