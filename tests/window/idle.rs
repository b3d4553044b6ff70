//! A window in which nothing happens is not drawn: what asks for frames for no reason takes a core for nothing.

use std::time::Duration;

use egui::{Key, Modifiers, ViewportId};
use tasklens::app::command::UiCommand;
use tasklens::app::place::Place;

use crate::desk::Desk;
use crate::inspect;

/// Frames until all animations and notices have ended, and when the window then wants the next one.
fn next_frame(desk: &mut Desk) -> Duration {
    desk.settle();
    desk.window.remove_cursor();
    // Steps of a quarter of a second: longer than a notice stands, and than a cursor blinks.
    for _ in 0..160 {
        desk.window.step();
    }
    desk.window.output().viewport_output[&ViewportId::ROOT].repaint_delay
}

/// A window that looks for a run in the background, or at a clock, may do so now and then.
const SELDOM: Duration = Duration::from_secs(5);

#[test]
fn a_window_in_which_nothing_happens_wants_no_frames() {
    let mut desk = inspect::desk();
    let mut awake = Vec::new();
    let mut look = |desk: &mut Desk, what: &str| {
        let next = next_frame(desk);
        if next < SELDOM {
            awake.push(format!("{what}: {next:?}"));
        }
    };
    for place in Place::ALL {
        desk.go_to(*place);
        look(&mut desk, place.name());
    }
    for tab in ["Confusion", "Images", "Label errors", "Duplicates", "Map", "Compare"] {
        desk.press(tab);
        look(&mut desk, tab);
    }
    desk.go_to(Place::Label);
    desk.keys(Modifiers::NONE, Key::G);
    look(&mut desk, "the grid of Label");
    desk.go_to(Place::Data);
    desk.keys(Modifiers::COMMAND, Key::F);
    assert!(desk.node("Filter rows by text").is_focused());
    look(&mut desk, "a field with the cursor");
    for (command, what) in [
        (UiCommand::CommandPalette, "the palette"),
        (UiCommand::ShowGlossary, "the glossary"),
        (UiCommand::ShowShortcuts, "the shortcuts"),
        (UiCommand::EditTasks, "tasks and labels"),
        (UiCommand::ToggleLog, "the log"),
    ] {
        desk.window.state().commands().ui(command);
        look(&mut desk, what);
        desk.keys(Modifiers::NONE, Key::Escape);
    }
    assert!(awake.is_empty(), "what keeps the window awake: {awake:?}");
}
