//! What a project was looked at like is there again after a restart.

use std::path::PathBuf;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::AppCommand;
use tasklens::app::place::Place;
use tasklens::app::services::remembered_view::RememberedView;
use tasklens::app::services::settings::Settings;

use crate::desk::{Desk, write_garments};

fn settings_file(desk: &Desk) -> PathBuf {
    desk.folder.path().join("settings/settings.json")
}

fn is_here(desk: &Desk, place: Place) -> bool {
    let button = desk.window.get_by_role_and_label(Role::Button, place.name());
    button.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)
}

#[test]
fn the_place_the_filter_and_the_order_are_those_of_the_last_time() {
    let mut desk = Desk::with_garments(30);
    desk.press_containing("print striped:");
    desk.wait_for("10 of 30 rows");
    desk.press("Sort by Image");
    desk.press("Sort by Image");
    desk.wait_until("the last row first", |window| {
        let first = window.get_by_label("garment_7.png").rect();
        first.top() < window.get_by_label("garment_10.png").rect().top()
    });
    desk.go_to(Place::Train);
    desk.settle();
    let mut desk = desk.restart();
    assert!(is_here(&desk, Place::Train));
    desk.go_to(Place::Data);
    desk.wait_for("10 of 30 rows");
    let top = |name: &str| desk.window.get_by_label(name).rect().top();
    assert!(top("garment_7.png") < top("garment_10.png"));
    // Another project is looked at as for the first time.
    desk.keys(Modifiers::COMMAND, Key::W);
    assert!(is_here(&desk, Place::Data));
}

#[test]
fn a_look_at_the_images_that_was_cancelled_does_not_begin_again_by_itself() {
    let mut desk = Desk::with_garments(12);
    desk.go_to(Place::Train);
    desk.settle();
    let (file, config) = (settings_file(&desk), desk.folder.path().join("garments/config.yml"));
    let mut settings = Settings::read(&file).0;
    assert!(!settings.views[&config].skips_image_check);
    settings.views.get_mut(&config).unwrap().skips_image_check = true;
    // The window that is gone writes nothing more.
    let Desk { window, folder } = desk;
    drop(window);
    settings.write(&file).unwrap();
    let mut desk = Desk { window: Desk::empty().window, folder }.restart();
    desk.wait_for("The image files were not looked at, because that was cancelled before");
    desk.press("Check images");
    desk.settle();
    assert!(!Settings::read(&file).0.views[&config].skips_image_check, "it was wanted");
}

/// Changes what is remembered of the project, while no window is open.
fn restarted_with(desk: Desk, change: impl FnOnce(&mut RememberedView)) -> (Desk, PathBuf) {
    let (file, config) = (settings_file(&desk), desk.window.state().project().unwrap().config.file.clone());
    // The window that is gone writes nothing more.
    let Desk { window, folder } = desk;
    drop(window);
    let mut settings = Settings::read(&file).0;
    change(settings.views.get_mut(&config).unwrap());
    settings.write(&file).unwrap();
    (Desk { window: Desk::empty().window, folder }.restart(), config)
}

#[test]
fn the_tab_and_the_sizes_of_images_are_those_of_the_last_time() {
    let desk = crate::inspect::desk();
    let (mut desk, config) = restarted_with(desk, |view| {
        view.place = Some(Place::Inspect);
        view.inspect_tab = Some("Confusion".to_owned());
        (view.label_side, view.inspect_side) = (Some(212.0), Some(188.0));
    });
    desk.wait_for("20 images, ");
    let tab = desk.window.get_by_role_and_label(Role::Tab, "Confusion");
    assert_eq!(tab.accesskit_node().toggled(), Some(egui::accesskit::Toggled::True));
    // What is shown is what is written when another place is gone to.
    desk.go_to(Place::Data);
    desk.settle();
    let view = &Settings::read(&settings_file(&desk)).0.views[&config];
    assert_eq!((view.label_side, view.inspect_side), (Some(212.0), Some(188.0)));
    assert_eq!(view.inspect_tab.as_deref(), Some("Confusion"));
}

#[test]
fn a_project_that_was_closed_or_left_for_another_is_looked_at_as_before() {
    let mut desk = Desk::with_garments(30);
    let first = desk.window.state().project().unwrap().config.file.clone();
    let other = write_garments(&desk.folder.path().join("other"), 12);
    let open = |desk: &mut Desk, config: &PathBuf| {
        desk.window.state().commands().send(AppCommand::OpenPath(config.clone()));
        desk.window.run_steps(3);
    };
    desk.press_containing("print striped:");
    desk.wait_for("10 of 30 rows");
    open(&mut desk, &other);
    desk.wait_for("12 rows");
    desk.press_containing("sleeves no label:");
    desk.wait_for("of 12 rows");
    open(&mut desk, &first);
    desk.wait_for("10 of 30 rows");
    desk.press_containing("print striped:");
    desk.press_containing("sleeves no label:");
    desk.wait_for("6 of 30 rows");
    desk.keys(Modifiers::COMMAND, Key::W);
    desk.wait_for("Open the sample");
    open(&mut desk, &first);
    desk.wait_for("6 of 30 rows");
}
