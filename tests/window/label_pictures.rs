//! Pictures of the Label place in both themes.

use egui::{Key, Modifiers};

use crate::label::{desk, desk_with_model};
use crate::pictures::pictures;

#[test]
fn label_place() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::Num2);
    pictures(&mut desk, "label_one");
    desk.keys(Modifiers::NONE, Key::G);
    desk.press("02.png: no label");
    desk.keys(Modifiers::SHIFT, Key::ArrowRight);
    pictures(&mut desk, "label_grid");
}

#[test]
fn label_place_with_suggestions() {
    let mut desk = desk_with_model();
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    pictures(&mut desk, "label_suggestions");
    desk.window.ctx.set_zoom_factor(2.0);
    desk.settle();
    pictures(&mut desk, "label_zoomed");
}
