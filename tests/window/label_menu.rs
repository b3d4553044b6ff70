//! The menu of a label, in Label, in Inspect and in Data: under a right click and under the menu key.

use egui::{Key, Modifiers, OutputCommand};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::place::Place;

use crate::desk::Desk;
use crate::inspect;

const SHOW: &str = "Show only images with this label";

/// Label, on a project of 60 labelled images with a run.
fn label_place() -> Desk {
    let mut desk = inspect::desk();
    // Inspect has a column of this name.
    desk.keys(Modifiers::COMMAND, Key::Num2);
    desk.wait_for("of 60");
    desk.wait_for("print: striped");
    desk.settle();
    desk
}

fn right_click(desk: &mut Desk, name: &str) {
    desk.window.get_by_label_contains(name).click_secondary();
    desk.window.run_steps(3);
}

/// What was put into the clipboard while frames were drawn.
fn copied(desk: &mut Desk) -> Option<String> {
    (0..5).find_map(|_| {
        desk.window.step();
        let commands = &desk.window.output().platform_output.commands;
        commands.iter().find_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        })
    })
}

#[test]
fn a_right_click_on_a_label_shows_only_its_images_and_copies_its_name() {
    let mut desk = label_place();
    right_click(&mut desk, "print: striped");
    for entry in
        [SHOW, "Rename\u{2026}", "Choose a key (press it next)", "Inspect this label", "Show in Data"]
    {
        assert!(desk.window.query_by_label(entry).is_some(), "{entry}");
    }
    desk.press(SHOW);
    desk.wait_for("1 of 20");
    right_click(&mut desk, "print: dotted");
    desk.window.get_by_label("Copy name").click();
    assert_eq!(copied(&mut desk).as_deref(), Some("dotted"));
    right_click(&mut desk, "sleeves: short");
    desk.press("Show in Data");
    desk.wait_for("30 of 60 rows");
}

#[test]
fn the_menu_key_opens_the_menu_of_the_label_that_an_image_has_and_the_keyboard_goes_on_in_it() {
    let mut desk = label_place();
    // It is dotted, the third label.
    desk.wait_for("08.png");
    desk.press("Task print");
    desk.keys(Modifiers::NONE, Key::Menu);
    assert!(desk.node(SHOW).is_focused());
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows(SHOW));
    desk.keys(Modifiers::NONE, Key::Menu);
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("of 20");
    assert!(desk.shows("08.png") && !desk.shows(SHOW));
    assert!(!desk.shows("label edit"), "no label was given by these keys");
}

#[test]
fn a_label_is_renamed_from_its_menu() {
    let mut desk = label_place();
    right_click(&mut desk, "print: striped");
    desk.press("Rename\u{2026}");
    desk.wait_for("Tasks and labels");
    assert!(desk.node("New name of striped of print").is_focused());
    desk.type_text("banded");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("20 images change");
    desk.wait_until("Apply has the keyboard", |window| window.get_by_label("Apply").is_focused());
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("print: banded");
}

#[test]
fn a_label_leads_to_its_images_in_inspect_and_one_that_the_network_lacks_says_so() {
    let mut desk = label_place();
    right_click(&mut desk, "print: striped");
    desk.press("Inspect this label");
    // Those that validate, right or wrong.
    desk.wait_for("7 of 20 images");

    desk.keys(Modifiers::COMMAND, Key::Num2);
    desk.press("Task print");
    desk.press("Add a label to print");
    desk.type_text("checked");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("print: checked");
    desk.settle();
    right_click(&mut desk, "print: checked");
    desk.press("Inspect this label");
    desk.wait_for("The network does not know the label checked of print");
}

#[test]
fn a_label_of_the_scores_shows_its_images_and_goes_to_label() {
    let mut desk = inspect::desk();
    desk.wait_for("F1");
    desk.window.get_by_label("striped").click_secondary();
    desk.window.run_steps(3);
    desk.press(SHOW);
    desk.wait_for("7 of 20 images");
    desk.press("Overview");
    desk.wait_for("F1");
    // The same without a pointer.
    desk.window.get_by_label("striped").focus();
    desk.window.run_steps(2);
    desk.keys(Modifiers::SHIFT, Key::F10);
    assert!(desk.node(SHOW).is_focused());
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(desk.node("striped").is_focused(), "the keyboard is where it was");
    desk.keys(Modifiers::SHIFT, Key::F10);
    desk.press("Show in Label");
    desk.wait_for("1 of 20");
}

#[test]
fn the_heads_of_the_confusion_matrix_have_the_menu_too() {
    let mut desk = inspect::desk();
    desk.press("Confusion");
    desk.wait_for("All striped: 7");
    desk.window.get_by_label("All striped: 7").click_secondary();
    desk.window.run_steps(3);
    assert!(desk.shows("Show in Label") && desk.shows("Copy name"));
    desk.press(SHOW);
    desk.wait_for("7 of 20 images");
    desk.press("Confusion");
    let of_column = desk.window.query_all_by_label_contains("All predicted as striped: ").next().unwrap();
    let count = of_column.accesskit_node().label().unwrap().rsplit(' ').next().unwrap().to_owned();
    of_column.click_secondary();
    desk.window.run_steps(3);
    desk.press(SHOW);
    // Those that are taken for it.
    desk.wait_for(&format!("{count} of 20 images"));
    let predicted = desk.node("Filter by predicted label").accesskit_node().value();
    assert_eq!(predicted.as_deref(), Some("Predicted: striped"));
}

#[test]
fn a_label_of_data_has_it_too() {
    let mut desk = inspect::desk();
    desk.go_to(Place::Data);
    desk.wait_for("60 rows");
    right_click(&mut desk, "print striped:");
    desk.press(SHOW);
    desk.wait_for("20 of 60 rows");
    right_click(&mut desk, "print dotted:");
    desk.press("Show in Label");
    desk.wait_for("1 of 20");
}
