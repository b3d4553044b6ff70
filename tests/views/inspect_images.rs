//! Inspect, Images: the grid and one image large.

use egui::accesskit::Role;
use egui::{Key, Theme};
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotResults};
use tasklens::app::command::AppCommand;
use tasklens::app::services::project::ImageSource;

use super::garments::write_run;
use super::inspect_desk::{Inspect, stage, wait_until};
use super::stage::{THEMES, snapshot};

type Desk = Harness<'static, Option<Inspect>>;

const WINDOW: [f32; 2] = [1208.0, 772.0];

/// The names of the cells in sight, in order.
fn cells(harness: &Desk) -> Vec<String> {
    let cells = harness.query_all(By::new().role(Role::ListBoxOption));
    cells.map(|cell| cell.accesskit_node().label().unwrap_or_default()).collect()
}

/// The files of the cells in sight, in order.
fn files(harness: &Desk) -> Vec<String> {
    cells(harness).iter().map(|name| name.split(':').next().unwrap().to_owned()).collect()
}

/// The tab with its grid.
fn images(theme: Theme, size: [f32; 2], zoom: f32) -> Desk {
    let mut harness = stage(theme, size, zoom);
    harness.get_by_role_and_label(Role::Tab, "Images").click();
    wait_until(&mut harness, |harness| !cells(harness).is_empty());
    harness
}

/// Chooses an entry of a menu.
fn choose(harness: &mut Desk, menu: &str, entry: &str) {
    harness.get_by_label(menu).click();
    harness.run_steps(3);
    let entries = harness.query_all(By::new().role(Role::Button).label_contains(entry));
    let entry = entries.into_iter().find(|node| {
        node.accesskit_node()
            .label()
            .is_some_and(|label| label.split_whitespace().next() == entry.split_whitespace().next())
    });
    entry.unwrap().click();
    harness.run_steps(3);
}

/// Draws until the cells are these files.
fn wait_for(harness: &mut Desk, expected: &[&str]) {
    wait_until(harness, |harness| files(harness) == expected);
}

fn press(harness: &mut Desk, key: Key) {
    harness.key_press(key);
    harness.run_steps(3);
}

fn picture_of(harness: &Desk) -> Option<String> {
    let picture = harness.query(By::new().role(Role::Image).label_contains("Picture of "))?;
    picture.accesskit_node().label().map(|label| label.replace("Picture of ", ""))
}

fn sent(harness: &Desk) -> Vec<AppCommand> {
    harness.state().as_ref().unwrap().sent()
}

/// Draws until the pictures are there: they come from threads of their own.
fn settle(harness: &mut Desk) {
    for _ in 0..40 {
        std::thread::sleep(std::time::Duration::from_millis(10));
        harness.run_steps(1);
    }
}

#[test]
fn the_grid_begins_with_the_mistakes_of_the_validation_rows_the_surest_first() {
    let harness = images(Theme::Dark, WINDOW, 1.0);
    let expected = [
        "45.png: solid, predicted striped, 81 %",
        "31.png: striped, predicted dotted, 74 %",
        "17.png: dotted, predicted solid, 67 %",
    ];
    assert_eq!(cells(&harness), expected);
    assert!(harness.query_by_label("3 of 20 images").is_some());
}

#[test]
fn verdict_labels_task_and_part_narrow_the_grid() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    choose(&mut harness, "Split to inspect", "All splits");
    wait_until(&mut harness, |harness| files(harness).len() == 9);
    assert!(harness.query_by_label("9 of 60 images").is_some());
    harness.get_by_label("Filter by true label").click();
    harness.run_steps(3);
    let striped = harness.get(By::new().role(Role::Button).label_contains("striped"));
    assert!(striped.accesskit_node().label().unwrap().ends_with('3'), "how many it would show");
    press(&mut harness, Key::Escape);
    choose(&mut harness, "Filter by true label", "striped");
    wait_for(&mut harness, &["10.png", "31.png", "52.png"]);
    choose(&mut harness, "Filter by predicted label", "solid");
    wait_until(&mut harness, |harness| harness.query_by_label("No image matches").is_some());
    harness.get_by_label("Reset filters").click();
    wait_until(&mut harness, |harness| files(harness).len() == 9);
    // Labels are those of one task: another one begins without.
    choose(&mut harness, "Filter by true label", "dotted");
    wait_until(&mut harness, |harness| files(harness).len() == 3);
    harness.get_by_label("sleeves").click();
    wait_until(&mut harness, |harness| harness.query_by_label("5 of 60 images").is_some());
    assert!(cells(&harness).iter().all(|name| name.contains("long") && name.contains("short")));
    choose(&mut harness, "Filter by verdict", "Without a label");
    wait_until(&mut harness, |harness| cells(harness).len() == 1);
    assert!(cells(&harness)[0].starts_with("08.png: no label, predicted long"));
}

#[test]
fn a_network_without_mistakes_is_praised_and_filters_without_images_are_reset() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    choose(&mut harness, "Filter by verdict", "Wrong in all tasks");
    wait_until(&mut harness, |harness| harness.query_by_label("No image matches").is_some());
    harness.get_by_label("Reset filters").click();
    wait_for(&mut harness, &["45.png", "31.png", "17.png"]);

    let stage = harness.state_mut().as_mut().unwrap();
    let project = stage.project.as_ref().unwrap();
    let run = project.config.paths.runs.join("2026-11-24_09-00-00");
    write_run(&run, &project.dataset, |image| [(image % 3, 0.9), (image / 3 % 2, 0.8)]);
    stage.view.set_run(run);
    wait_until(&mut harness, |harness| harness.query_by_label("No mistakes here").is_some());
    harness.get_by_label("Show all images").click();
    wait_until(&mut harness, |harness| harness.query_by_label("20 of 20 images").is_some());
}

#[test]
fn the_order_can_be_turned_round() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    harness.get_by_label("Highest first").click();
    wait_for(&mut harness, &["17.png", "31.png", "45.png"]);
    choose(&mut harness, "Order of the images", "Loss");
    wait_for(&mut harness, &["17.png", "31.png", "45.png"]);
    choose(&mut harness, "Order of the images", "Row");
    harness.get_by_label("Lowest first").click();
    wait_for(&mut harness, &["45.png", "31.png", "17.png"]);
}

#[test]
fn the_slider_makes_room_for_more_images() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    let side = |harness: &Desk| harness.get_by_label_contains("45.png").rect().width();
    let before = side(&harness);
    let slider = harness.get_by_label("Size of the images").rect();
    harness.drag_at(slider.left_center() + egui::vec2(1.0, 0.0));
    harness.run_steps(2);
    harness.drop_at(slider.left_center() + egui::vec2(1.0, 0.0));
    harness.run_steps(2);
    assert!(before > 140.0 && (104.0..125.0).contains(&side(&harness)), "{before} {}", side(&harness));
}

#[test]
fn keys_go_through_the_grid_and_the_large_view_and_back() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    let selected = |harness: &Desk| {
        let cells = harness.query_all(By::new().role(Role::ListBoxOption));
        let chosen = cells.filter(|cell| cell.accesskit_node().is_selected() == Some(true));
        chosen.map(|cell| cell.accesskit_node().label().unwrap()[..6].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(selected(&harness), Vec::<String>::new());
    press(&mut harness, Key::ArrowRight);
    assert_eq!(selected(&harness), ["45.png"]);
    press(&mut harness, Key::ArrowRight);
    assert_eq!(selected(&harness), ["31.png"]);
    press(&mut harness, Key::Enter);
    assert_eq!(picture_of(&harness).as_deref(), Some("31.png"));
    assert!(harness.query_by_label("2 of 3").is_some());
    press(&mut harness, Key::ArrowRight);
    assert_eq!(picture_of(&harness).as_deref(), Some("17.png"));
    press(&mut harness, Key::ArrowRight);
    assert_eq!(picture_of(&harness).as_deref(), Some("17.png"), "it is the last");
    press(&mut harness, Key::Escape);
    assert_eq!((picture_of(&harness), selected(&harness)), (None, vec!["17.png".to_owned()]));
    press(&mut harness, Key::Home);
    assert_eq!(selected(&harness), ["45.png"]);
}

#[test]
fn the_grid_returns_to_where_it_was_scrolled() {
    let mut harness = images(Theme::Dark, [700.0, 400.0], 1.0);
    choose(&mut harness, "Filter by verdict", "Right or wrong");
    choose(&mut harness, "Split to inspect", "All splits");
    wait_until(&mut harness, |harness| harness.query_by_label("60 of 60 images").is_some());
    let first = files(&harness);
    assert!(first.len() < 20, "only what is in sight exists: {}", first.len());
    press(&mut harness, Key::End);
    press(&mut harness, Key::PageUp);
    let scrolled = files(&harness);
    assert_ne!(first, scrolled);
    press(&mut harness, Key::Enter);
    assert!(picture_of(&harness).is_some());
    harness.get_by_label_contains("Back").click();
    harness.run_steps(3);
    assert_eq!(files(&harness), scrolled);
}

#[test]
fn the_large_view_says_all_about_the_image() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    harness.get_by_label_contains("31.png").click();
    wait_until(&mut harness, |harness| picture_of(harness).is_some());
    for text in [
        "print: wrong, is striped",
        "sleeves: right, is long",
        "line 33 of the CSV \u{b7} validation",
        "shop",
        "shop 3",
        "31.png",
        "2 of 3",
    ] {
        assert!(harness.query_by_label(text).is_some(), "{text}");
    }
    assert_eq!(harness.get_by_label("print: dotted").value().as_deref(), Some("73.8 %"));
    harness.get_by_label_contains("Predict this image").click();
    harness.run_steps(2);
    harness.get_by_label_contains("Show in Data").click();
    harness.run_steps(2);
    let sent = sent(&harness);
    assert!(
        matches!(&sent[..], [AppCommand::OpenImages(images), AppCommand::SelectRow(row)]
            if (row.row, row.image.as_str()) == (31, "31.png") && matches!(&images[..], [ImageSource::Path(path)] if path.ends_with("31.png"))),
        "{sent:?}"
    );
}

#[test]
fn the_folder_of_an_image_is_asked_for() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    harness.get_by_label_contains("31.png").click();
    wait_until(&mut harness, |harness| picture_of(harness).is_some());
    let image =
        harness.state().as_ref().unwrap().project.as_ref().unwrap().dataset.rows[31].image.to_path_buf();
    harness.get_by_label_contains("Open folder").click();
    settle(&mut harness);
    let sent = sent(&harness);
    let asked = |command: &AppCommand| matches!(command, AppCommand::ShowInFolder(file) if *file == image);
    assert!(sent.iter().any(asked), "{sent:?}");
}

#[test]
fn a_heat_map_follows_the_prediction_or_the_label_that_is_pressed() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    harness.get_by_label_contains("31.png").click();
    wait_until(&mut harness, |harness| picture_of(harness).is_some());
    let shown = |harness: &Desk, of: &str| {
        harness.query_by_label(&format!("Heat map of {of}")).is_some()
            || harness.query_by_label(&format!("Nothing here speaks for {of}")).is_some()
    };
    assert!(harness.query_by_label("Opacity of the heat map").is_none());
    press(&mut harness, Key::H);
    wait_until(&mut harness, |harness| shown(harness, "print: dotted"));
    press(&mut harness, Key::ArrowLeft);
    wait_until(&mut harness, |harness| shown(harness, "print: striped"));
    harness.get_by_label("sleeves: short").click();
    wait_until(&mut harness, |harness| shown(harness, "sleeves: short"));
    let menu = harness.get_by_label("Label of the heat map");
    assert_eq!(menu.value().as_deref(), Some("sleeves: short"));
    press(&mut harness, Key::H);
    assert!(!shown(&harness, "sleeves: short"));
}

#[test]
fn keys_belong_to_a_field_while_it_has_the_cursor() {
    let mut harness = images(Theme::Dark, WINDOW, 1.0);
    press(&mut harness, Key::ArrowRight);
    harness.get_by_label("Order of the images").focus();
    harness.run_steps(2);
    press(&mut harness, Key::End);
    let chosen = harness.get_by_label_contains("45.png");
    assert_eq!(chosen.accesskit_node().is_selected(), Some(true), "the cursor did not move");
}

#[test]
fn pictures_of_the_grid_and_of_a_large_image_in_both_themes() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let mut harness = images(theme, WINDOW, 1.0);
        choose(&mut harness, "Filter by verdict", "Right or wrong");
        wait_until(&mut harness, |harness| harness.query_by_label("20 of 20 images").is_some());
        press(&mut harness, Key::ArrowRight);
        press(&mut harness, Key::ArrowRight);
        settle(&mut harness);
        snapshot(&mut harness, "inspect_images");
        choose(&mut harness, "Filter by verdict", "Wrong");
        wait_for(&mut harness, &["45.png", "31.png", "17.png"]);
        harness.get_by_label_contains("31.png").click();
        wait_until(&mut harness, |harness| picture_of(harness).is_some());
        settle(&mut harness);
        snapshot(&mut harness, "inspect_image_large");
        pictures.extend_harness(&mut harness);
    }
}

#[test]
fn a_small_window_at_200_percent_still_has_everything() {
    let mut pictures = SnapshotResults::new();
    let mut harness = images(Theme::Light, [568.0, 372.0], 2.0);
    settle(&mut harness);
    snapshot(&mut harness, "inspect_images_zoomed");
    harness.get_by_label_contains("31.png").click();
    wait_until(&mut harness, |harness| picture_of(harness).is_some());
    settle(&mut harness);
    snapshot(&mut harness, "inspect_image_large_zoomed");
    pictures.extend_harness(&mut harness);
}
