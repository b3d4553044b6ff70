//! The Data place.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

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

/// The first rows shown, from the top.
fn first_rows(desk: &Desk, count: usize) -> Vec<String> {
    let mut rows: Vec<(f32, String)> = desk
        .window
        .query_all_by_label_contains("garment_")
        .map(|node| {
            let (label, value) = (node.accesskit_node().label(), node.accesskit_node().value());
            (node.rect().top(), label.or(value).unwrap_or_default())
        })
        .filter(|(_, name)| name.starts_with("garment_") && name.ends_with(".png"))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, name)| name).take(count).collect()
}

#[test]
fn a_press_on_a_columns_head_sorts_another_turns_it_round_and_a_third_restores_the_file() {
    let mut desk = Desk::with_garments(30);
    desk.press("Sort by print");
    desk.settle();
    assert_eq!(first_rows(&desk, 2), ["garment_2.png", "garment_5.png"], "dotted comes first");
    desk.press("Sort by print");
    desk.settle();
    assert_eq!(first_rows(&desk, 2), ["garment_1.png", "garment_4.png"], "striped comes first");
    desk.press("garment_1.png");
    desk.keys(Modifiers::NONE, Key::ArrowDown);
    assert!(desk.shows("line 6 of the CSV"), "the arrows go along the order shown");
    desk.press("Sort by print");
    desk.settle();
    assert_eq!(first_rows(&desk, 2), ["garment_0.png", "garment_1.png"]);
}

#[test]
fn several_rows_are_selected_and_labelled_together() {
    let mut desk = Desk::with_garments(30);
    desk.keys(Modifiers::COMMAND, Key::A);
    assert!(desk.shows("30 selected"));
    desk.press("Select none");
    assert!(!desk.shows("30 selected"));
    desk.press("garment_1.png");
    desk.window.get_by_label("garment_3.png").click_modifiers(Modifiers::SHIFT);
    desk.window.run_steps(3);
    assert!(desk.shows("3 selected"));
    desk.window.remove_cursor();
    desk.settle();
    let options = egui_kittest::SnapshotOptions::new().threshold(1.0).max_failed_pixels(40);
    desk.window.snapshot_options("data_several_dark", &options);
    desk.press("Label these");
    desk.settle();
    assert!(!desk.shows("Sort by print"), "Label is shown");
}

#[test]
fn a_right_click_on_a_row_offers_what_can_be_done_with_its_image() {
    let mut desk = Desk::with_garments(30);
    desk.window.get_by_label("garment_2.png").click_secondary();
    desk.window.run_steps(3);
    for entry in ["Open", "Label", "Predict", "Show in folder", "Copy path"] {
        let by = egui_kittest::kittest::By::new().role(egui::accesskit::Role::Button).label(entry);
        assert!(desk.window.query_all(by).next().is_some(), "{entry}");
    }
    desk.press("Copy path");
    desk.settle();
    let copied = desk.window.output().platform_output.commands.iter().any(
        |command| matches!(command, egui::OutputCommand::CopyText(text) if text.ends_with("garment_2.png")),
    );
    assert!(copied || !desk.shows("Copy path"));
}

/// The garments in a folder of a long name: all paths begin alike.
fn deep_garments(folder: &std::path::Path) -> std::path::PathBuf {
    const DEEP: &str = "photographs of the spring collection/Sheer Pleated-Front Blouse in the shop window";
    let config = write_garments(folder, 12);
    let csv = config.with_file_name("garments.csv");
    let deep = config.with_file_name(DEEP);
    std::fs::create_dir_all(&deep).unwrap();
    for row in 0..12 {
        let name = format!("garment_{row}.png");
        std::fs::rename(config.with_file_name(&name), deep.join(&name)).unwrap();
    }
    let text = std::fs::read_to_string(&csv).unwrap();
    std::fs::write(&csv, text.replace("garment_", &format!("{DEEP}/garment_"))).unwrap();
    config
}

#[test]
fn what_is_seen_of_a_long_path_is_its_end() {
    let mut desk = Desk::with(egui::vec2(800.0, 600.0), |folder| Start { open: Some(deep_garments(folder)) });
    desk.wait_for("garment_0.png");
    desk.settle();
    crate::pictures::pictures(&mut desk, "data_long_paths");
}
