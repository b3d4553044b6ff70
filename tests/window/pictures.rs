//! Pictures of each place in both themes.

use egui::Theme;
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::Queryable as _;

use crate::desk::{Desk, write_garments};
use crate::skip::skipped;
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, Level, Notice, UiCommand};
use tasklens::app::place::Place;

/// Other machines' adapters smooth edges a little differently.
fn tolerant() -> SnapshotOptions {
    SnapshotOptions::new().threshold(1.5).max_failed_pixels(400)
}

/// Pictures of what is on the desk, dark and light. Says so and passes where there is no adapter.
pub fn pictures(desk: &mut Desk, name: &str) {
    pictures_over(desk, name, |desk| {
        desk.settle();
        wait_for_notices(desk);
        Vec::new()
    });
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

/// Draws frames until no notice stands that goes by itself: how long it has stood is no part of a picture.
pub fn wait_for_notices(desk: &mut Desk) {
    for _ in 0..100 {
        if desk.window.query_by_label("Dismiss").is_none() {
            break;
        }
        desk.window.step();
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

/// What is told after a run: good news, a warning, and an error that is too long.
fn tell(desk: &Desk) {
    let commands = desk.window.state().commands();
    commands.toast(Level::Success, "Training is over, epoch 12 was kept.");
    let warning = Notice::new(Level::Warning, "3 images cannot be used");
    commands.notify(warning.offering("Show rows", AppCommand::ShowProblems));
    let long = "The labels cannot be saved. A long message is cut and never leaves its place, however much it has to \
                say about a path such as photographs/summer/2026/garment_with_a_long_name.png: the disk is full";
    let reload = AppCommand::Ui(UiCommand::ReloadProject);
    commands.notify(Notice::new(Level::Error, long).offering("Reload", reload));
}

#[test]
fn messages() {
    let mut desk = Desk::with_garments(24);
    tell(&desk);
    pictures(&mut desk, "messages");
    desk.go_to(Place::Label);
    pictures(&mut desk, "messages_label");
}

#[test]
fn messages_and_log() {
    let mut desk = Desk::with_garments(24);
    tell(&desk);
    desk.window.state().commands().ui(UiCommand::ToggleLog);
    // Times and the folder are others in each run.
    let differs = |name: &str| {
        let is_time = name.len() == 8 && name.bytes().filter(|byte| *byte == b':').count() == 2;
        is_time || name.contains("config.yml has")
    };
    pictures_over(&mut desk, "messages_log", |desk| {
        desk.settle();
        let differing = desk.window.query_all_by(move |node| {
            node.label().or_else(|| node.value()).is_some_and(|name| differs(&name))
        });
        // Lines that are scrolled out lie behind what is above.
        let lines = desk.node("Copy all").rect().bottom() + 4.0;
        let rects = differing.map(|node| node.rect()).filter(|rect| rect.bottom() > lines);
        rects.map(|rect| rect.with_min_y(rect.top().max(lines))).collect()
    });
}
