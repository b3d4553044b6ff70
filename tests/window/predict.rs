//! Predict, with a network that is there: it explains itself, is checked on validation images, and shows where it looks.

use egui::accesskit::Role;
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::{By, Queryable as _};
use tasklens::app::place::Place;

use crate::desk::Desk;
use crate::models::{write_network, write_run};

/// Predict with a network that was never trained, and the validation images in the list, all answered.
fn trying() -> Desk {
    let mut desk = Desk::with_garments(40);
    let run = write_run(&desk, "2026-03-01_10-00-00", Some([0.931, 0.75]), 3);
    write_network(&run);
    desk.go_to(Place::Predict);
    desk.settle();
    desk.wait_for("Drop images here");
    desk.press("Try validation images");
    desk.wait_for("Right: print ");
    desk.settle();
    desk
}

#[test]
fn validation_images_are_tried_beside_their_labels_by_a_network_that_says_who_it_is() {
    let mut desk = trying();
    let entries: Vec<String> = desk
        .window
        .query_all(By::new().role(Role::ListItem))
        .filter_map(|node| node.value())
        .filter(|value| value.contains("(right)") || value.contains("(wrong)"))
        .collect();
    assert!(!entries.is_empty());
    assert!(desk.shows("print: right, is ") || desk.shows("print: wrong, is "), "beside the bars");
    assert!(desk.shows("on 32 images, epoch 1"));
    assert!(desk.shows("print right for 93.1 % of 8 validation images"));
    desk.press("Inspect this model");
    desk.settle();
    assert!(!desk.shows("About these answers"), "the run is inspected");
}

#[test]
fn the_picture_shows_which_of_its_parts_speak_for_a_label() {
    let mut desk = trying();
    desk.press("Heat map");
    desk.wait_until("the map", |window| {
        window.query_all_by_label_contains("Heat map of print: ").next().is_some()
            || window.query_all_by_label_contains("Nothing here speaks").next().is_some()
    });
    desk.settle();
    desk.window.remove_cursor();
    desk.window.run_steps(2);
    desk.window.snapshot_options(
        "predict_checked_dark",
        &SnapshotOptions::new().threshold(1.0).max_failed_pixels(40),
    );
}
