//! What surrounds the places: start page, rail, palette, shortcuts, themes, drops.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::desk::{Desk, write_garments};
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens::app::place::Place;
use tasklens_data::dataset::sample::write_sample;

#[test]
fn the_start_page_offers_the_next_steps() {
    let mut desk = Desk::empty();
    desk.window.run_steps(2);
    for command in [UiCommand::OpenSample, UiCommand::OpenImages] {
        assert!(desk.shows(command.text()), "{command:?}");
    }
}

#[test]
fn an_image_that_is_gone_is_not_shown_in_its_folder_but_told() {
    let mut desk = Desk::with_garments(4);
    let gone = desk.folder.path().join("gone.png");
    desk.window.state().commands().send(AppCommand::ShowInFolder(gone));
    desk.wait_until("the message", |window| {
        window.query_all_by_label_contains("no longer exists: reload the project").next().is_some()
    });
}

#[test]
fn the_rail_and_its_shortcuts_lead_to_every_place() {
    let mut desk = Desk::with_garments(12);
    let here = |desk: &Desk, place: Place| {
        let button = desk.window.get_by_role_and_label(egui::accesskit::Role::Button, place.name());
        button.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)
    };
    for &place in Place::ALL {
        desk.go_to(place);
        assert!(here(&desk, place), "{place:?}");
    }
    for &place in Place::ALL {
        let shortcut = UiCommand::go_to(place).shortcut().unwrap();
        desk.keys(shortcut.modifiers, shortcut.logical_key);
        assert!(here(&desk, place), "{place:?}");
    }
}

#[test]
fn the_palette_finds_an_action_and_does_it_without_the_mouse() {
    let mut desk = Desk::empty();
    desk.keys(Modifiers::COMMAND, Key::P);
    desk.type_text("light th");
    desk.keys(Modifiers::NONE, Key::Enter);
    assert_eq!(desk.window.ctx.theme(), egui::Theme::Light);
    assert!(!desk.shows("Find an action"), "the palette closes");
}

#[test]
fn the_palette_chooses_with_the_arrows_and_closes_with_escape() {
    let mut desk = Desk::empty();
    desk.keys(Modifiers::COMMAND, Key::P);
    desk.type_text("zoom");
    desk.keys(Modifiers::NONE, Key::ArrowDown);
    desk.keys(Modifiers::NONE, Key::Enter);
    let zoom = desk.window.ctx.zoom_factor();
    assert!((zoom - 0.9).abs() < 0.01, "the second action is Zoom out: {zoom}");
    desk.keys(Modifiers::COMMAND, Key::P);
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("Find an action"));
}

#[test]
fn the_palette_opens_with_the_other_known_key_and_finds_by_other_words() {
    let mut desk = Desk::with_garments(12);
    for (typed, shown) in [("help", "Keyboard shortcuts"), ("delete", "Tasks and labels")] {
        desk.keys(Modifiers::COMMAND, Key::K);
        desk.type_text(typed);
        desk.keys(Modifiers::NONE, Key::Enter);
        desk.wait_for(shown);
        desk.keys(Modifiers::NONE, Key::Escape);
        desk.window.run_steps(3);
    }
}

/// Tab comes to each place of the rail, and is seen there.
#[test]
fn the_keyboard_is_seen_in_the_rail() {
    let mut desk = Desk::with_garments(12);
    let is_there = |desk: &Desk, place: Place| {
        desk.window.get_by_role_and_label(egui::accesskit::Role::Button, place.name()).is_focused()
    };
    for &place in Place::ALL {
        let mut presses = 0;
        while !is_there(&desk, place) {
            desk.keys(Modifiers::NONE, Key::Tab);
            presses += 1;
            assert!(presses < 60, "Tab never came to {place:?}");
        }
    }
    crate::pictures::pictures(&mut desk, "rail_focus");
}

#[test]
fn files_dropped_anywhere_open() {
    let mut desk = Desk::empty();
    let config = write_garments(desk.folder.path(), 12);
    let file = std::sync::Arc::new(Dropped(config));
    desk.window.input_mut().dropped_files.push(file);
    desk.window.step();
    desk.wait_for("12 rows");
}

/// A run that was trained on another machine, with no project of its own here.
#[test]
fn a_run_folder_shows_its_curves_without_a_project() {
    let started = r#"{"event":"started","run":"r","device":"CPU","precision":"fp32","parameters":1,"n_train":8,"n_validation":2,"tasks":["print"],"epochs":2,"epochs_done":0,"weights":"none"}"#;
    let metrics = r#"{"loss":0.5,"task_loss":[0.5],"task_accuracy":[0.75]}"#;
    let epoch = format!(
        r#"{{"event":"epoch","epoch":1,"learning_rate":0.001,"secs":1,"images_per_sec":8,"train":{metrics},"validation":{metrics},"best":true}}"#
    );
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let run = folder.join("borrowed_run");
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("events.jsonl"), format!("{started}\n{epoch}\n")).unwrap();
        tasklens::app::Start { open: Some(run) }
    });
    desk.wait_for("borrowed_run");
    assert!(desk.shows("Learning rate"));
}

/// What is dropped on the window.
#[derive(Debug)]
pub struct Dropped(pub std::path::PathBuf);

#[test]
fn theme_and_recent_projects_are_remembered() {
    let mut desk = Desk::with_garments(12);
    desk.press("Light theme");
    desk.press("Data");
    desk.settle();
    let file = desk.folder.path().join("settings/settings.json");
    let (settings, _) = tasklens::app::services::settings::Settings::read(&file);
    assert_eq!(settings.theme, tasklens::app::services::settings::ThemeChoice::Light);
    assert_eq!(settings.recent, [desk.folder.path().join("garments/config.yml")]);
}

#[test]
fn f1_lists_every_shortcut() {
    let mut desk = Desk::empty();
    desk.keys(Modifiers::NONE, Key::F1);
    assert!(desk.shows("Ctrl+O"));
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("Ctrl+Shift+Space"));
}

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// With its project open, too. A small sample stays small.
#[test]
fn the_sample_is_made_anew_where_a_part_of_it_was_deleted() {
    let mut desk = Desk::empty();
    let sample = desk.folder.path().join("data/sample");
    write_sample(&sample, 12, 7, &mut |_, _| true).unwrap();
    for gone in ["", "garments", "config.yml"] {
        let path = sample.join(gone);
        match gone {
            "" => {}
            _ if path.is_dir() => std::fs::remove_dir_all(&path).unwrap(),
            _ => std::fs::remove_file(&path).unwrap(),
        }
        desk.window.state().commands().send(AppCommand::Ui(UiCommand::OpenSample));
        desk.window.run_steps(3);
        desk.settle();
        assert!(
            desk.shows("12 rows") && desk.shows("00001.jpg"),
            "without {gone:?}: {:?}",
            desk.window.root()
        );
        assert!(
            sample.join("garments/00012.jpg").is_file() && sample.join("config.yml").is_file(),
            "{gone:?}"
        );
        assert!(!desk.shows("missing") && !desk.shows("does not"), "{gone:?}: {:?}", desk.window.root());
    }
}
