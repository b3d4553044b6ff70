//! How to train is remembered with the project.

use tasklens::app::Start;
use tasklens::app::place::Place;
use tasklens::app::services::settings::Settings;

use crate::desk::{Desk, write_garments};

fn is_chosen(desk: &Desk, title: &str) -> bool {
    use egui_kittest::kittest::{NodeT as _, Queryable as _};
    let name = format!("How to train: {title}");
    let way = desk.window.query_by_label(&name);
    way.is_some_and(|way| way.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True))
}

#[test]
fn a_way_to_train_is_remembered_with_the_project_and_the_config_stays() {
    let mut desk = Desk::with_garments(12);
    let config = desk.folder.path().join("garments/config.yml");
    let before = std::fs::read_to_string(&config).unwrap();
    desk.go_to(Place::Train);
    desk.wait_for("about ");
    assert!(is_chosen(&desk, "Custom"));
    desk.press("How to train: Quick");
    desk.settle();
    assert!(is_chosen(&desk, "Quick"));
    let settings = desk.folder.path().join("settings/settings.json");
    let (kept, _) = Settings::read(&settings);
    assert!(kept.training.contains_key(&config), "{kept:?}");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), before);

    // The project is read again.
    desk.keys(egui::Modifiers::NONE, egui::Key::F5);
    desk.settle();
    assert!(is_chosen(&desk, "Quick"));

    // Another hand writes the config: that is what holds.
    std::fs::write(&config, before.replace("batch_size: 8", "batch_size: 4")).unwrap();
    desk.keys(egui::Modifiers::NONE, egui::Key::F5);
    desk.wait_for("The unsaved training settings of the last session");
    assert!(is_chosen(&desk, "Custom"));
    desk.settle();
    assert!(Settings::read(&settings).0.training.is_empty());
}

#[test]
fn the_config_is_called_by_its_name() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let config = write_garments(folder, 12);
        let other = config.with_file_name("auto.yml");
        std::fs::rename(config, &other).unwrap();
        Start { open: Some(other) }
    });
    desk.wait_for("garment_0.png");
    desk.go_to(Place::Train);
    desk.wait_for("As in auto.yml");
    desk.wait_for("about ");
    desk.press("How to train: Quick");
    assert!(desk.shows("Changed here, not in auto.yml"));
    desk.press("Save to auto.yml");
    desk.wait_for("As in auto.yml");
    assert!(!desk.shows("config.yml"), "there is no such file");
}
