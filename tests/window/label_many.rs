//! Label with a task of forty labels, and what else is new for many: finding, filtering, drawing around.

use std::path::Path;

use egui::{Event, Key, Modifiers, PointerButton};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::place::Place;

use crate::desk::Desk;
use crate::label::{desk, is_chosen};
use crate::pictures::pictures;

const WINDOW: egui::Vec2 = egui::vec2(1280.0, 800.0);
const KINDS: [&str; 40] = [
    "anorak",
    "apron",
    "bathrobe",
    "beanie",
    "belt",
    "bikini",
    "blazer",
    "blouse",
    "bodysuit",
    "bolero",
    "boots",
    "bow tie",
    "cape",
    "cardigan",
    "coat",
    "corset",
    "denim jacket",
    "denim skirt",
    "dress",
    "gloves",
    "hat",
    "hoodie",
    "jeans",
    "jumpsuit",
    "kimono",
    "leggings",
    "overall",
    "parka",
    "pullover",
    "pyjamas",
    "raincoat",
    "scarf",
    "shirt",
    "shorts",
    "skirt",
    "socks",
    "suit",
    "sweater",
    "tank top",
    "vest",
];

/// Twelve images of clothes: one task has forty labels.
fn clothes(folder: &Path) -> Start {
    let folder = folder.join("shop");
    std::fs::create_dir_all(&folder).unwrap();
    let mut csv = "image_path,kind,sleeves,print,season\n".to_owned();
    for image in 0..12 {
        crate::garments::picture(image).save(folder.join(format!("{image:02}.png"))).unwrap();
        csv += &format!("{image:02}.png,,{},,\n", if image == 0 { "long" } else { "" });
    }
    std::fs::write(folder.join("labels.csv"), csv).unwrap();
    let config = format!(
        "paths:\n  model_dataframe: labels.csv\nmodel:\n  paths: image_path\n  pretrained: none\n  backbone: \
         xception_small\n  input_shape: [32, 32]\n  target_encoder:\n    kind: [{}]\n    sleeves: [long, short, \
         none]\n    print: [solid, striped, dotted]\n    season: [spring, summer, autumn, winter]\n",
        KINDS.join(", ")
    );
    std::fs::write(folder.join("config.yml"), config).unwrap();
    Start { open: Some(folder.join("config.yml")) }
}

fn many() -> Desk {
    let mut desk = Desk::with(WINDOW, clothes);
    desk.wait_for("12 rows");
    desk.go_to(Place::Label);
    desk.wait_for("1 of 12");
    desk.settle();
    desk
}

/// The key `/`, as a keyboard sends it: its text comes in the same frame.
fn slash(desk: &mut Desk) {
    let key = Key::Slash;
    let event =
        |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE };
    desk.window.input_mut().events.extend([event(true), Event::Text("/".to_owned())]);
    desk.window.step();
    desk.window.input_mut().events.push(event(false));
    desk.window.run_steps(3);
}

fn value(desk: &Desk, name: &str) -> String {
    desk.node(name).accesskit_node().value().unwrap_or_default()
}

#[test]
fn tasks_that_do_not_fit_are_one_line_each_and_tab_or_a_press_opens_them() {
    let mut desk = many();
    let is_open = |desk: &Desk, label: &str| desk.window.query_by_label(label).is_some();
    assert!(is_open(&desk, "kind: anorak") && is_open(&desk, "kind: vest"));
    assert!(!is_open(&desk, "sleeves: long"), "the others are folded");
    assert_eq!(value(&desk, "Task sleeves"), "long", "to their answer");
    assert_eq!(value(&desk, "Task print"), "no label");
    let first = desk.node("kind: anorak").rect();
    assert!(desk.window.ctx.content_rect().contains_rect(first), "in view: {first:?}");

    desk.keys(Modifiers::NONE, Key::Tab);
    assert!(is_open(&desk, "sleeves: long") && !is_open(&desk, "kind: anorak"));
    desk.press("Task season");
    assert!(is_open(&desk, "season: winter") && !is_open(&desk, "sleeves: long"));
    assert!(desk.window.ctx.content_rect().contains_rect(desk.node("season: winter").rect()));
}

#[test]
fn labels_beyond_the_keys_have_two_and_none_is_given_halfway() {
    let mut desk = many();
    desk.keys(Modifiers::NONE, Key::Z);
    assert!(!desk.shows("label edit"), "it waits for the second");
    desk.keys(Modifiers::NONE, Key::A);
    desk.wait_for("1 label edit");
    desk.keys(Modifiers::NONE, Key::ArrowLeft);
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    desk.keys(Modifiers::NONE, Key::ArrowLeft);
    desk.wait_for("1 of 12");
    assert_eq!(value(&desk, "Task kind"), KINDS[31]);

    // Another key drops it: the first of two alone gives nothing, and the next is a key of its own again.
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    desk.wait_for("2 of 12");
    desk.keys(Modifiers::NONE, Key::Z);
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.keys(Modifiers::NONE, Key::A);
    desk.wait_for("2 label edits");
    assert_eq!(value(&desk, "Task kind"), KINDS[9]);
}

#[test]
fn a_label_is_found_by_a_part_of_its_name_from_the_keyboard_alone() {
    let mut desk = many();
    slash(&mut desk);
    assert!(desk.node("Find a label of kind").is_focused());
    assert_eq!(value(&desk, "Find a label of kind"), "", "the slash is no part of it");
    desk.type_text("den");
    assert!(desk.shows("kind: denim jacket") && desk.shows("kind: denim skirt"));
    assert!(!desk.shows("kind: anorak"));
    desk.keys(Modifiers::NONE, Key::ArrowDown);
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("1 label edit");
    assert_eq!(value(&desk, "Task kind"), "denim skirt");

    // Escape leaves everything as it was, and the keys are the labels' again.
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    desk.wait_for("2 of 12");
    slash(&mut desk);
    desk.type_text("coat");
    assert!(!desk.shows("kind: anorak"));
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(desk.shows("kind: anorak"));
    assert!(!desk.shows("2 label edits"));
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("2 label edits");

    // In the grid, too.
    desk.keys(Modifiers::NONE, Key::G);
    desk.wait_for("02.png: no label");
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    desk.keys(Modifiers::SHIFT, Key::Tab);
    desk.wait_for("kind: anorak");
    desk.settle();
    slash(&mut desk);
    desk.wait_until("the field", |window| {
        window.query_by_label("Find a label of kind").is_some_and(|field| field.is_focused())
    });
    desk.type_text("parka");
    assert!(desk.shows("kind: parka") && !desk.shows("kind: anorak"));
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for(".png: parka");
    assert!(desk.shows("Size of the images"), "Enter opens no image");
}

#[test]
fn forty_labels() {
    let mut desk = many();
    desk.keys(Modifiers::NONE, Key::Z);
    pictures(&mut desk, "label_forty");
    desk.keys(Modifiers::NONE, Key::Escape);
    slash(&mut desk);
    desk.type_text("sk");
    pictures(&mut desk, "label_find");
}

#[test]
fn the_images_are_filtered_by_name_and_label() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
    desk.keys(Modifiers::COMMAND, Key::F);
    desk.wait_until("the field", |window| {
        window.query_by_label("Filter images by text").is_some_and(|field| field.is_focused())
    });
    desk.type_text("3");
    desk.wait_for("1 of 15");
    desk.type_text("0.png");
    desk.wait_until("one image", |window| window.query_by_label("1 of 1").is_some());
    desk.wait_for("30.png");
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.wait_for("of 60");
    desk.press("Filter by label");
    desk.press("solid");
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.wait_until("one image", |window| window.query_by_label("1 of 1").is_some());
    assert!(is_chosen(&desk, "print: solid"));
    desk.press("Clear the filter");
    desk.wait_for("of 60");
    // By flag, as before.
    desk.press("Filter images");
    assert!(!desk.shows("Filter images by text"));
}

#[test]
fn the_lasso_has_a_button_and_needs_no_alt() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::G);
    desk.wait_for("00.png: no label");
    desk.settle();
    let cell = |desk: &Desk, image: usize| desk.node(&format!("{image:02}.png: no label")).rect();
    let (first, second) = (cell(&desk, 0), cell(&desk, 1));
    // A triangle with the middle of the first in it, and of the second an edge alone.
    let way = [
        first.left_top() + egui::vec2(2.0, 2.0),
        first.left_bottom() + egui::vec2(2.0, -2.0),
        egui::pos2(second.left() + 6.0, first.bottom() - 2.0),
    ];
    let draw = |desk: &mut Desk| {
        desk.window.event(Event::PointerMoved(way[0]));
        let button = |pos, pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        desk.window.event(button(way[0], true));
        desk.window.step();
        for pos in &way[1..] {
            desk.window.event(Event::PointerMoved(*pos));
            desk.window.step();
        }
        desk.window.event(button(way[2], false));
        desk.window.run_steps(2);
    };
    draw(&mut desk);
    assert!(desk.shows("2 selected"), "a rectangle from the first point to the last touches both");
    desk.press("Lasso");
    draw(&mut desk);
    let is_selected = |desk: &Desk, image: usize| {
        desk.node(&format!("{image:02}.png: no label")).accesskit_node().is_selected() == Some(true)
    };
    assert!(is_selected(&desk, 0) && !is_selected(&desk, 1));
}

#[test]
fn a_first_network_is_trained_beside_the_labelling_and_then_suggests() {
    let mut desk = desk();
    desk.press("Train a first network now");
    desk.wait_for("There is nothing to learn from yet");
    for image in 0..12 {
        for _task in 0..3 {
            desk.keys(Modifiers::NONE, [Key::Num1, Key::Num2][image % 2]);
        }
    }
    desk.wait_for("36 label edits");
    desk.wait_for("13 of 60");
    desk.press("Train a first network now");
    desk.wait_for("A network is being trained");
    assert!(desk.shows("13 of 60"), "the user goes on labelling");
    assert!(!desk.shows("Train a first network now"), "one at a time");
    // The status bar says how far it is.
    desk.wait_up_to(300, "an epoch", |window| {
        window.query_all_by_label_contains("Epoch 2,").next().is_some()
    });
    desk.keys(Modifiers::COMMAND, Key::Period);
    desk.wait_up_to(300, "the end", |window| {
        window.query_all_by_label_contains("were kept").next().is_some()
    });
    desk.wait_up_to(120, "suggestions", |window| {
        window.query_all_by_label_contains("print: ").any(|node| node.accesskit_node().value().is_some())
    });
    assert!(!desk.shows("A network is being trained"));
}

#[test]
fn update_without_any_network_offers_to_train_one() {
    let mut desk = desk();
    desk.keys(Modifiers::COMMAND, Key::U);
    desk.wait_for("There is no model to learn with yet");
    let offers = desk.window.query_all_by_label("Train a first network now").count();
    assert_eq!(offers, 2, "in the message and above the images");
}
