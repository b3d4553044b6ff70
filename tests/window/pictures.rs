//! Pictures of each place in both themes.

use egui::Theme;
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::Queryable as _;

use crate::desk::{Desk, write_garments};
use crate::skip::skipped;
use tasklens::app::Start;
use tasklens::app::command::{Level, UiCommand};

/// Other machines' adapters smooth edges a little differently.
fn tolerant() -> SnapshotOptions {
    SnapshotOptions::new().threshold(1.5).max_failed_pixels(400)
}

/// Pictures of what is on the desk, dark and light. Says so and passes where there is no adapter.
pub fn pictures(desk: &mut Desk, name: &str) {
    pictures_without(desk, name, |_| false);
}

/// As [`pictures`], with what has such a name painted over, as it is another in each run.
fn pictures_without(desk: &mut Desk, name: &str, hidden: fn(&str) -> bool) {
    let covered = |desk: &mut Desk| {
        desk.settle();
        let nodes = desk.window.query_all_by(move |node| {
            node.label().or_else(|| node.value()).is_some_and(|name| hidden(&name))
        });
        nodes.map(|node| node.rect()).collect()
    };
    pictures_over(desk, name, covered);
}

/// Pictures of what is on the desk, as soon as `covered` has waited for it and said what is to be painted over.
pub fn pictures_over(desk: &mut Desk, name: &str, covered: impl Fn(&mut Desk) -> Vec<egui::Rect>) {
    if !has_adapter() {
        return;
    }
    for theme in [Theme::Dark, Theme::Light] {
        desk.window.ctx.set_theme(theme);
        // A pointer over something would change how it looks.
        desk.window.remove_cursor();
        for rect in covered(desk) {
            desk.window.mask(rect);
        }
        let suffix = if theme == Theme::Dark { "dark" } else { "light" };
        desk.window.snapshot_options(format!("{name}_{suffix}"), &tolerant());
    }
}

/// One picture of what is on the desk, in the theme that it has. Says so and passes where there is no adapter.
pub fn picture_of(desk: &mut Desk, name: &str) {
    if has_adapter() {
        desk.window.remove_cursor();
        desk.settle();
        desk.window.snapshot_options(name, &tolerant());
    }
}

/// Whether a picture can be drawn at all. `CI` must have an adapter: there, none is a failure.
pub fn has_adapter() -> bool {
    let drawn = std::panic::catch_unwind(|| egui_kittest::Harness::new_ui(|ui| drop(ui.label("x"))).render());
    let adapter = matches!(drawn, Ok(Ok(_)));
    if !adapter {
        assert!(std::env::var_os("CI").is_none(), "no adapter for pictures: install mesa-vulkan-drivers");
        skipped("no adapter for pictures (Mesa's lavapipe is enough: mesa-vulkan-drivers)");
    }
    adapter
}

#[test]
fn start_page() {
    pictures(&mut Desk::empty(), "start");
}

#[test]
fn data_place() {
    let mut desk = Desk::with_garments(40);
    pictures(&mut desk, "data");
    desk.press("garment_7.png");
    pictures(&mut desk, "data_row");
    desk.press("Problems  1");
    pictures(&mut desk, "data_problems");
}

#[test]
fn palette_and_shortcuts() {
    let mut desk = Desk::with_garments(40);
    desk.keys(egui::Modifiers::COMMAND, egui::Key::P);
    pictures(&mut desk, "palette");
    desk.keys(egui::Modifiers::NONE, egui::Key::Escape);
    desk.keys(egui::Modifiers::NONE, egui::Key::F1);
    pictures(&mut desk, "shortcuts");
}

#[test]
fn all_fits_at_200_percent() {
    let mut desk = Desk::with_garments(40);
    desk.window.ctx.set_zoom_factor(2.0);
    pictures(&mut desk, "data_200_percent");
}

#[test]
fn a_proposal_for_a_bare_csv() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let config = write_garments(folder, 24);
        std::fs::remove_file(&config).unwrap();
        Start { open: Some(config.with_file_name("garments.csv")) }
    });
    desk.wait_for("What is in garments.csv?");
    pictures(&mut desk, "proposal");
}

#[test]
fn messages_and_log() {
    let mut desk = Desk::with_garments(24);
    let commands = desk.window.state().commands().clone();
    commands.ui(UiCommand::ToggleLog);
    commands.toast(Level::Success, "Training is over, epoch 12 was kept.");
    let long = "3 images cannot be used. A long message wraps and never leaves the window, however much it has to \
                say about a path such as photographs/summer/2026/garment_with_a_long_name.png";
    commands.toast(Level::Error, long);
    // Good news goes by itself; what is wrong stays.
    desk.window.run_steps(40);
    let is_time = |name: &str| name.len() == 8 && name.bytes().filter(|byte| *byte == b':').count() == 2;
    pictures_without(&mut desk, "messages", is_time);
}
