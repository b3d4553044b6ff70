//! The Data place.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use crate::desk::{Desk, write_garments};
use tasklens::app::Start;

#[test]
fn a_config_opens_with_its_rows_and_says_what_is_wrong_with_them() {
    let mut desk = Desk::with_garments(30);
    assert!(desk.shows("30 rows"));
    assert!(desk.shows("garment_0.png"));
    desk.press("Problems  1");
    assert!(desk.shows("plaid"), "the unknown label is listed");
}

#[test]
fn text_in_the_filter_leaves_the_rows_that_have_it() {
    let mut desk = Desk::with_garments(30);
    desk.keys(Modifiers::COMMAND, Key::F);
    assert!(desk.node("Filter rows by text").is_focused());
    desk.type_text("garment_12");
    desk.wait_for("1 of 30 rows");
    assert!(!desk.shows("garment_0.png"));
    desk.press("Clear filter");
    desk.wait_for("garment_0.png");
}

#[test]
fn a_press_on_a_labels_bar_shows_its_rows_and_on_no_label_those_without() {
    let mut desk = Desk::with_garments(30);
    desk.press_containing("print striped:");
    desk.wait_for("10 of 30 rows");
    desk.press_containing("print striped:");
    desk.wait_for("30 rows");
    desk.press_containing("sleeves no label:");
    desk.wait_for("6 of 30 rows");
}

#[test]
fn a_problem_leads_to_its_row_and_the_arrows_to_the_next() {
    let mut desk = Desk::with_garments(30);
    desk.press("Problems  1");
    desk.press_containing("line 5, column");
    desk.settle();
    assert!(desk.shows("line 5 of the CSV"));
    desk.keys(Modifiers::NONE, Key::ArrowDown);
    assert!(desk.shows("line 6 of the CSV"));
}

#[test]
fn of_many_rows_only_those_in_sight_exist() {
    let mut desk = Desk::with_garments(20_000);
    assert!(desk.shows("20,000 rows"));
    let rows = desk.window.query_all_by_label_contains(".png").count();
    assert!(rows < 60, "{rows} rows were laid out");
    let begin = std::time::Instant::now();
    desk.window.run_steps(20);
    let per_frame = begin.elapsed() / 20;
    assert!(per_frame < std::time::Duration::from_millis(100), "a frame took {per_frame:?}");
}

#[test]
fn a_bare_csv_becomes_a_project_after_its_columns_were_confirmed() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let config = write_garments(folder, 30);
        std::fs::remove_file(&config).unwrap();
        Start { open: Some(config.with_file_name("garments.csv")) }
    });
    desk.wait_for("What is in garments.csv?");
    assert!(desk.shows("Use of print"));
    desk.press("Leave out plaid");
    desk.press("Save and open");
    desk.wait_for("validation rows");
    let config = desk.folder.path().join("garments/config.yml");
    assert!(std::fs::read_to_string(config).unwrap().contains("image_path"));
}

#[test]
fn a_csv_opens_with_the_config_beside_it() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| Start {
        open: Some(write_garments(folder, 12).with_file_name("garments.csv")),
    });
    desk.wait_for("12 rows");
}

#[test]
fn a_config_with_an_error_is_explained_and_the_window_stays_usable() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let config = write_garments(folder, 12);
        let text = std::fs::read_to_string(&config).unwrap().replace("batch_size", "batch_sise");
        std::fs::write(&config, text).unwrap();
        Start { open: Some(config) }
    });
    desk.wait_for("batch_sise");
    desk.press("Dismiss");
    assert!(!desk.shows("batch_sise"));
    assert!(desk.shows("Open the sample"));
}
