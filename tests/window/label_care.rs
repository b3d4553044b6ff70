//! Label, where something comes between: notes half typed, files that change, labels that nobody expects.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::UiCommand;
use tasklens::app::place::Place;

use crate::desk::Desk;
use crate::label::{desk, desk_with_model, is_chosen};

/// Changes the lines of the CSV below its header, as another program does.
pub fn rewrite(desk: &Desk, file: &str, change: impl FnOnce(&mut Vec<String>)) {
    let file = desk.folder.path().join("shop").join(file);
    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let header = lines.remove(0);
    change(&mut lines);
    std::fs::write(&file, header + "\n" + &lines.join("\n") + "\n").unwrap();
}

fn value_of(desk: &Desk, name: &str) -> Option<String> {
    desk.node(name).accesskit_node().value()
}

/// Goes on until an image is shown.
fn go_to_image(desk: &mut Desk, image: &str) {
    for _ in 0..60 {
        desk.keys(Modifiers::NONE, Key::ArrowLeft);
    }
    for _ in 0..60 {
        if desk.shows(image) {
            return;
        }
        desk.keys(Modifiers::NONE, Key::ArrowRight);
    }
    panic!("{image} never came");
}

#[test]
fn images_keep_their_own_suggestions_when_the_file_is_sorted_anew() {
    let mut desk = desk_with_model();
    let images = ["30.png", "31.png", "33.png"];
    let values = |desk: &mut Desk| {
        images.map(|image| {
            go_to_image(desk, image);
            ["print: solid", "print: striped", "print: dotted"].map(|label| value_of(desk, label))
        })
    };
    let before = values(&mut desk);
    rewrite(&desk, "garments.csv", |lines| lines.reverse());
    desk.keys(Modifiers::NONE, Key::F5);
    desk.settle();
    desk.settle();
    desk.wait_until("suggestions", |window| {
        window.query_all_by_label_contains("print: ").any(|node| node.accesskit_node().value().is_some())
    });
    assert_eq!(values(&mut desk), before);
}

#[test]
fn a_file_that_became_shorter_shows_what_is_left() {
    let mut desk = desk();
    for _ in 0..5 {
        desk.keys(Modifiers::NONE, Key::PageDown);
    }
    desk.wait_for("51 of 60");
    rewrite(&desk, "labels.csv", |lines| lines.truncate(5));
    desk.keys(Modifiers::NONE, Key::F5);
    desk.wait_for("of 5");
    // The rows are shown before the journal of the edits is open again.
    desk.settle();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
    // Now the other way round, with the grid on it.
    desk.keys(Modifiers::NONE, Key::G);
    desk.wait_for("04.png");
}

#[test]
fn a_note_that_is_left_for_the_next_image_is_kept() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::F);
    desk.type_text("sleeve is cut off");
    desk.press("Next image");
    desk.wait_for("2 of 60");
    assert!(!desk.shows("Note"), "the note is not that of the second image");
    desk.keys(Modifiers::NONE, Key::ArrowLeft);
    desk.wait_for("Note: sleeve is cut off");
}

#[test]
fn a_note_half_typed_while_the_csv_is_sorted_anew_goes_to_its_image() {
    let mut desk = desk();
    assert!(desk.shows("00.png"));
    desk.keys(Modifiers::NONE, Key::F);
    desk.type_text("sleeve is cut off");
    rewrite(&desk, "labels.csv", |lines| lines.reverse());
    // As after a save that finds other rows.
    desk.window.state().commands().ui(UiCommand::ReloadProject);
    desk.wait_for("59.png");
    assert!(!desk.shows("Note"), "the note is not that of the image shown now");
    go_to_image(&mut desk, "00.png");
    desk.wait_for("Note: sleeve is cut off");
}

#[test]
fn a_note_that_is_left_for_another_place_is_kept_and_the_keys_label_again() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::F);
    desk.type_text("too dark");
    desk.go_to(Place::Data);
    desk.go_to(Place::Label);
    desk.wait_for("Note: too dark");
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
}

#[test]
fn a_flag_set_in_the_grid_is_said_and_leaves_the_keys_of_the_large_image_alone() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::G);
    desk.wait_for("00.png: no label");
    desk.press("02.png: no label");
    desk.keys(Modifiers::NONE, Key::F);
    desk.wait_for("02.png is flagged");
    desk.keys(Modifiers::NONE, Key::G);
    desk.wait_for("1 of 60");
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
}

#[test]
fn suggestions_never_replace_a_label_that_the_config_does_not_list() {
    let mut desk = desk_with_model();
    rewrite(&desk, "garments.csv", |lines| {
        for line in lines.iter_mut() {
            if line.contains("/30.png") || line.starts_with("30.png") {
                let mut cells: Vec<&str> = line.split(',').collect();
                cells[1] = "paisley";
                *line = cells.join(",");
            }
        }
    });
    desk.keys(Modifiers::NONE, Key::F5);
    desk.settle();
    go_to_image(&mut desk, "30.png");
    desk.wait_for("paisley");
    desk.wait_until("suggestions", |window| {
        window.query_all_by_label_contains("print: ").any(|node| node.accesskit_node().value().is_some())
    });
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("1 label edit");
    go_to_image(&mut desk, "30.png");
    assert!(desk.shows("paisley"), "only the sleeves had no label");
    // Nor are those that are sure enough to be accepted together.
    desk.press("Task print");
    desk.press("View: Grid");
    desk.press("Review suggestions");
    desk.window.get_by_role_and_label(egui::accesskit::Role::Slider, "Lowest probability").focus();
    desk.window.run_steps(2);
    for _ in 0..50 {
        desk.window.key_press(Key::ArrowLeft);
        desk.window.step();
    }
    desk.settle();
    let accept = desk.window.query_all_by_label_contains("Accept ").next().unwrap();
    let accept = accept.accesskit_node().label().unwrap();
    assert_ne!(accept, "Accept 0 suggestions");
    desk.press(&accept);
    desk.wait_for("label edits");
    desk.press("View: One image");
    go_to_image(&mut desk, "30.png");
    assert!(desk.shows("paisley"), "it had a label");
}

#[test]
fn what_a_dialog_covers_is_not_undone_behind_it() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
    desk.press("Export labels\u{2026}");
    desk.wait_for("Choose a file");
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.settle();
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.settle();
    assert!(desk.shows("1 label edit"));
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_until("nothing to save", |window| {
        window.query_all_by_label_contains("1 label edit").next().is_none()
    });
}

#[test]
fn what_is_chosen_in_the_grid_stays_chosen_in_another_order() {
    let mut desk = desk_with_model();
    desk.press("View: Grid");
    desk.press("Order of the images");
    desk.press("Most uncertain (margin)");
    desk.settle();
    let images = |desk: &Desk| -> Vec<String> {
        let cells = desk.window.query_all_by_role(egui::accesskit::Role::ListBoxOption);
        cells.filter_map(|cell| Some(cell.accesskit_node().label()?.split(':').next()?.to_owned())).collect()
    };
    let before = images(&desk);
    let chosen = before[5].clone();
    desk.press_containing(&format!("{chosen}: "));
    // Another question makes other images uncertain.
    desk.press("Tasks to label");
    desk.window.get_by_role_and_label(egui::accesskit::Role::CheckBox, "sleeves").click();
    desk.window.run_steps(3);
    desk.press("Tasks to label");
    desk.settle();
    assert_ne!(images(&desk), before, "another order");
    desk.keys(Modifiers::NONE, Key::Num2);
    desk.wait_for("1 label edit");
    let journal = desk.folder.path().join("shop/garments.csv.edits/journal.jsonl");
    desk.wait_until("the journal", |_| {
        std::fs::read_to_string(&journal).is_ok_and(|text| text.lines().count() > 1)
    });
    let journal = std::fs::read_to_string(&journal).unwrap();
    assert!(journal.lines().last().unwrap().contains(&chosen), "{chosen} was chosen: {journal}");
}

#[test]
fn a_project_whose_edits_the_disk_refuses_is_neither_reloaded_nor_closed_before_they_are_kept() {
    let mut desk = desk();
    // Where the folder of the edits is to be made, something else is.
    let edits = desk.folder.path().join("shop/labels.csv.edits");
    std::fs::write(&edits, "").unwrap();
    desk.keys(Modifiers::NONE, Key::Num2);
    desk.settle();
    desk.keys(Modifiers::NONE, Key::F5);
    desk.wait_for("The project stays open");
    desk.keys(Modifiers::COMMAND, Key::W);
    desk.settle();
    assert!(desk.shows("of 60"), "nor closed");
    assert!(is_chosen(&desk, "print: striped"));
    std::fs::remove_file(&edits).unwrap();
    desk.wait_until("the edits on disk", |_| edits.join("journal.jsonl").exists());
    desk.settle();
    desk.keys(Modifiers::NONE, Key::F5);
    desk.settle();
    desk.wait_for("1 label edit");
    desk.wait_until("the label", |window| {
        let node = window.query_by_label("print: striped");
        node.is_some_and(|node| node.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True))
    });
}

#[test]
fn a_flag_is_undone_by_the_mouse_while_its_note_waits() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
    desk.keys(Modifiers::NONE, Key::F);
    desk.settle();
    desk.press("Undo");
    desk.wait_for("Flag this image");
    desk.settle();
    assert!(desk.shows("Flag this image"));
}
