//! Pictures of each place in both themes.

use egui::Theme;
use egui_kittest::SnapshotOptions;

use crate::desk::Desk;

/// Other machines' adapters smooth edges a little differently.
fn tolerant() -> SnapshotOptions {
    SnapshotOptions::new().threshold(1.5).max_failed_pixels(400)
}

/// Pictures of what is on the desk, dark and light. Says so and passes where there is no adapter.
fn pictures(desk: &mut Desk, name: &str) {
    if !has_adapter() {
        return;
    }
    for theme in [Theme::Dark, Theme::Light] {
        desk.window.ctx.set_theme(theme);
        // A pointer over something would change how it looks.
        desk.window.remove_cursor();
        desk.settle();
        let suffix = if theme == Theme::Dark { "dark" } else { "light" };
        desk.window.snapshot_options(format!("{name}_{suffix}"), &tolerant());
    }
}

/// Whether a picture can be drawn at all. `CI` must have an adapter: there, none is a failure.
pub fn has_adapter() -> bool {
    let drawn = std::panic::catch_unwind(|| egui_kittest::Harness::new_ui(|ui| drop(ui.label("x"))).render());
    let adapter = matches!(drawn, Ok(Ok(_)));
    if !adapter {
        assert!(std::env::var_os("CI").is_none(), "no adapter for pictures: install mesa-vulkan-drivers");
        eprintln!("skipped: no adapter for pictures (Mesa's lavapipe is enough: mesa-vulkan-drivers)");
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
