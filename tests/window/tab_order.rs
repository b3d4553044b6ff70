//! Where Tab goes: the rail first, then the place, and within a dialog while one is open.

use egui::{Key, Modifiers, Rect};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens::app::place::Place;

use crate::desk::Desk;

/// No place has as many stops.
const MOST: usize = 200;

/// What has the keyboard.
#[derive(Clone, Debug, PartialEq)]
struct Stop {
    name: String,
    place: Rect,
}

fn focused(desk: &Desk) -> Option<Stop> {
    let mut all = desk.window.query_all_by(|node| node.is_focused());
    let node = all.next()?;
    let name = node.accesskit_node().label().or_else(|| node.accesskit_node().value());
    Some(Stop { name: name.unwrap_or_default(), place: node.rect() })
}

/// What is painted around a place of the window.
fn painted(desk: &Desk, place: Rect) -> Vec<String> {
    let shapes = desk.window.output().shapes.iter();
    let here = shapes.filter(|shape| shape.shape.visual_bounding_rect().intersects(place));
    here.map(|shape| format!("{:?}", shape.shape)).collect()
}

/// Presses Tab until it comes to where it began; each stop must have a name, be within the window, and look otherwise
/// than without the keyboard.
fn walk(desk: &mut Desk, what: &str) -> Vec<String> {
    desk.window.remove_cursor();
    desk.window.run_steps(2);
    let window = desk.window.ctx.content_rect();
    let mut stops: Vec<Stop> = Vec::new();
    let mut unseen = Vec::new();
    loop {
        desk.keys(Modifiers::NONE, Key::Tab);
        let Some(stop) = focused(desk) else { continue };
        if stops.contains(&stop) {
            break;
        }
        assert!(stops.len() < MOST, "{what}: {stops:?}");
        assert!(!stop.name.is_empty(), "{what}: no name at {:?}, after {:?}", stop.place, stops.last());
        assert!(window.contains(stop.place.center()), "{what}: {stop:?} is out of sight");
        let with = painted(desk, stop.place);
        desk.keys(Modifiers::NONE, Key::Tab);
        // The only stop keeps the keyboard.
        if focused(desk).as_ref() != Some(&stop) && painted(desk, stop.place) == with {
            unseen.push(stop.name.clone());
        }
        desk.keys(Modifiers::SHIFT, Key::Tab);
        stops.push(stop);
    }
    assert_eq!(unseen, Vec::<String>::new(), "{what}: the keyboard is not seen there");
    stops.into_iter().map(|stop| stop.name).collect()
}

/// Asserts that the rail comes first.
fn from_the_rail(desk: &mut Desk, what: &str) -> Vec<String> {
    desk.window.ctx.memory_mut(|memory| {
        if let Some(id) = memory.focused() {
            memory.surrender_focus(id);
        }
    });
    let names = walk(desk, what);
    let rail: Vec<&str> = Place::ALL.iter().map(|place| place.name()).collect();
    assert_eq!(names[..rail.len()], rail, "{what}");
    names
}

#[test]
fn tab_goes_through_the_rail_and_then_from_the_table_to_the_panel_beside_it() {
    let mut desk = Desk::with_garments(12);
    let names = from_the_rail(&mut desk, "Data");
    let at = |name: &str| names.iter().position(|other| other.contains(name));
    assert!(at("Filter").unwrap() < at("print solid").unwrap(), "{names:?}");
    assert!(at("print solid").unwrap() < at("Log").unwrap(), "the status bar is last: {names:?}");
}

#[test]
fn the_arrows_move_within_the_rail_and_space_opens() {
    let mut desk = Desk::with_garments(12);
    desk.keys(Modifiers::NONE, Key::Tab);
    for name in ["Label", "Train", "Predict", "Inspect", "Inspect"] {
        desk.keys(Modifiers::NONE, Key::ArrowDown);
        assert_eq!(focused(&desk).unwrap().name, name);
    }
    for name in ["Predict", "Train"] {
        desk.keys(Modifiers::NONE, Key::ArrowUp);
        assert_eq!(focused(&desk).unwrap().name, name);
    }
    desk.keys(Modifiers::NONE, Key::Space);
    let train = desk.window.get_by_role_and_label(egui::accesskit::Role::Button, "Train");
    assert_eq!(train.accesskit_node().toggled(), Some(egui::accesskit::Toggled::True));
}

#[test]
fn tab_comes_around_in_train_and_predict() {
    let mut desk = Desk::with_garments(12);
    for place in [Place::Train, Place::Predict] {
        desk.go_to(place);
        desk.settle();
        from_the_rail(&mut desk, place.name());
    }
}

#[test]
fn tab_comes_around_in_every_tab_of_inspect() {
    let mut desk = crate::inspect::desk();
    for tab in ["Overview", "Confusion", "Images", "Label errors", "Duplicates"] {
        desk.window.get_by_role_and_label(egui::accesskit::Role::Tab, tab).click();
        desk.window.run_steps(3);
        desk.settle();
        from_the_rail(&mut desk, tab);
    }
}

#[test]
fn dialogs_keep_the_keyboard_until_they_are_closed() {
    let mut desk = Desk::with_garments(12);
    for (command, close) in [
        (UiCommand::EditTasks, "Close"),
        (UiCommand::ShowShortcuts, "Close"),
        (UiCommand::ShowGlossary, "Close"),
        (UiCommand::ExportLabels, "Cancel"),
    ] {
        desk.window.state().commands().send(AppCommand::Ui(command));
        desk.window.run_steps(4);
        desk.settle();
        let names = walk(&mut desk, command.text());
        assert!(names.iter().any(|name| name == close), "{command:?}: {names:?}");
        assert!(!names.iter().any(|name| name == "Predict"), "{command:?}: {names:?}");
        desk.keys(Modifiers::NONE, Key::Escape);
        desk.window.run_steps(3);
        assert!(!desk.shows(close), "{command:?}");
    }
}
