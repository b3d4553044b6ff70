//! All like this: what is selected at first, and what is said of it.

use std::path::Path;

use egui_kittest::kittest::Queryable as _;

use crate::desk::Desk;
use crate::garments::picture;
use crate::label::{desk_with_model, desk_with_model_of};
use crate::pictures::pictures;

/// Removes what was stored of the runs in this folder.
fn forget_outputs(folder: &Path) {
    for run in std::fs::read_dir(folder.join("runs")).unwrap() {
        std::fs::remove_dir_all(run.unwrap().path().join("outputs")).unwrap();
    }
}

fn all_like_the_first_without_labels(desk: &mut Desk) {
    desk.press("View: Grid");
    desk.wait_for("30.png");
    desk.window.query_all_by_label_contains("30.png").next().unwrap().click();
    desk.window.run_steps(3);
    desk.press("All like this");
    desk.wait_for("Like this, without a label for ");
    desk.wait_for("39.png");
    desk.settle();
}

#[test]
fn all_like_this_begins_with_some_selected_and_says_that_there_is_no_gap() {
    let mut desk = desk_with_model();
    all_like_the_first_without_labels(&mut desk);
    assert!(desk.shows("There is no clear gap"));
    assert!(!desk.shows("1 selected") && !desk.shows("30 selected"), "neither one nor all");
    pictures(&mut desk, "label_like");
}

#[test]
fn a_model_that_tells_no_images_apart_says_so_and_selects_none() {
    let mut desk = desk_with_model_of(|folder| {
        let same = picture(0);
        for image in 0..60 {
            same.save(folder.join(format!("{image:02}.png"))).unwrap();
        }
        // The network looks at them anew.
        forget_outputs(folder);
    });
    desk.settle();
    all_like_the_first_without_labels(&mut desk);
    desk.wait_for("Nearly all images look the same to this model");
    assert!(desk.shows("1 selected"), "the image itself");
    pictures(&mut desk, "label_like_blind");
}
