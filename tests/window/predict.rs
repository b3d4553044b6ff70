//! Predict, with a network that is there: it explains itself, is checked on validation images, and shows where it looks.

use std::path::Path;

use egui::accesskit::Role;
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};
use tasklens::app::command::AppCommand;
use tasklens::app::place::Place;

use crate::desk::Desk;
use crate::models::{write_network, write_run};

/// Predict with a network that was never trained, and the validation images in the list, all answered.
fn trying() -> Desk {
    let mut desk = Desk::with_garments(40);
    let run = write_run(&desk, "2026-03-01_10-00-00", Some([0.931, 0.75]), 3);
    write_network(&run);
    try_validation_images(&mut desk);
    desk
}

fn try_validation_images(desk: &mut Desk) {
    desk.go_to(Place::Predict);
    desk.settle();
    desk.wait_for("Drop images here");
    desk.press("Try validation images");
    desk.wait_for("Right: print ");
    desk.settle();
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
    assert!(desk.shows("This network's own split is not known"), "the run has no split.csv");
    assert!(desk.shows("print: right, is ") || desk.shows("print: wrong, is "), "beside the bars");
    assert!(desk.shows("on 32 images, epoch 1"));
    assert!(desk.shows("print right for 93.1 % of 8 validation images"));
    desk.press("Inspect this model");
    desk.settle();
    assert!(!desk.shows("About these answers"), "the run is inspected");
}

/// Writes which rows a run was trained on: all but those that `validates` says.
fn write_split(desk: &Desk, run: &Path, validates: impl Fn(usize) -> bool) {
    let part = |row| if validates(row) { "validation" } else { "train" };
    let lines = (0..40).map(|row| format!("garment_{row}.png,{}\n", part(row)));
    std::fs::write(run.join("split.csv"), format!("image_path,split\n{}", lines.collect::<String>()))
        .unwrap();
    let config = std::fs::read_to_string(desk.folder.path().join("garments/config.yml")).unwrap();
    let config = config.replace("garments.csv", "../../garments.csv");
    std::fs::write(run.join("config.yml"), config).unwrap();
}

#[test]
fn the_images_tried_are_those_of_the_networks_own_split_and_what_is_not_known_of_it_is_said() {
    const UNKNOWN: &str = "This network's own split is not known; some of these images may have been used";
    let mut desk = Desk::with_garments(40);
    let run = write_run(&desk, "2026-03-01_10-00-00", Some([0.931, 0.75]), 3);
    write_network(&run);
    // Eight rows that the project's split of today does not keep.
    let kept = [0, 5, 11, 16, 20, 27, 31, 38];
    write_split(&desk, &run, |row| kept.contains(&row));
    let other = write_run(&desk, "2026-03-02_10-00-00", Some([0.5, 0.5]), 9);
    write_network(&other);
    write_split(&desk, &other, |row| row > 20);
    let third = write_run(&desk, "2026-03-03_10-00-00", Some([0.4, 0.4]), 9);
    write_network(&third);
    try_validation_images(&mut desk);
    let tried: Vec<String> = desk
        .window
        .query_all(By::new().role(Role::ListItem))
        .filter_map(|node| node.accesskit_node().label())
        .collect();
    let expected: Vec<String> = kept.iter().map(|row| format!("garment_{row}.png")).collect();
    assert_eq!(tried, expected);
    assert!(!desk.shows(UNKNOWN) && !desk.shows("not counted"));
    // Another network was trained on five of them.
    desk.window.state().commands().send(AppCommand::UseModel(other));
    desk.wait_for("5 images that this network was trained on are not counted");
    desk.wait_for(" of 3, sleeves");
    assert!(
        desk.shows("This network was trained on this image, so its answer says little"),
        "beside the answer"
    );
    // One does not tell.
    desk.window.state().commands().send(AppCommand::UseModel(third));
    desk.wait_for(UNKNOWN);
    assert!(!desk.shows("not counted") && desk.shows("the image may have been used in its training"));
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
