//! Label in the whole window: from the keyboard alone, with suggestions, many at once.

use std::path::Path;

use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::App;
use tasklens::app::Start;
use tasklens::app::place::Place;

use crate::desk::Desk;
use crate::garments::inspected;

const IMAGES: usize = 60;
const TASKS: [(&str, [&str; 3]); 3] = [
    ("print", ["solid", "striped", "dotted"]),
    ("sleeves", ["long", "short", "none"]),
    ("neckline", ["round", "v", "collar"]),
];
/// A column of the user's between the labels, in Windows-1252.
const NOTE: &[u8] = b"\"f\xfcr \"\"Anna\"\"; gro\xdf\"";

/// 60 images without any label, in a CSV as a German spreadsheet writes it.
pub fn unlabelled(folder: &Path) -> Start {
    let folder = folder.join("shop");
    std::fs::create_dir_all(&folder).unwrap();
    let mut csv = b"image_path;print;note;sleeves;neckline\r\n".to_vec();
    for image in 0..IMAGES {
        crate::garments::picture(image).save(folder.join(format!("{image:02}.png"))).unwrap();
        csv.extend(format!("{image:02}.png;;").bytes());
        csv.extend(NOTE);
        csv.extend(b";;\r\n");
    }
    std::fs::write(folder.join("labels.csv"), csv).unwrap();
    let tasks: Vec<String> =
        TASKS.iter().map(|(task, labels)| format!("    {task}: [{}]", labels.join(", "))).collect();
    let config = format!(
        "paths:\n  model_dataframe: labels.csv\nmodel:\n  paths: image_path\n  pretrained: none\n  backbone: \
         xception_small\n  input_shape: [32, 32]\n  target_encoder:\n{}\n",
        tasks.join("\n")
    );
    std::fs::write(folder.join("config.yml"), config).unwrap();
    Start { open: Some(folder.join("config.yml")) }
}

/// The window on the Label place of unlabelled images.
pub fn desk() -> Desk {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), unlabelled);
    desk.wait_for("60 rows");
    desk.keys(Modifiers::COMMAND, Key::Num2);
    desk.wait_for("1 of 60");
    desk
}

fn digit(label: usize) -> Key {
    [Key::Num1, Key::Num2, Key::Num3][label]
}

/// What the person sees in image `image` for each task.
fn truth(image: usize) -> [usize; 3] {
    [image % 3, image / 3 % 3, image * 7 % 3]
}

fn csv(desk: &Desk) -> Vec<u8> {
    std::fs::read(desk.folder.path().join("shop/labels.csv")).unwrap()
}

pub fn is_chosen(desk: &Desk, name: &str) -> bool {
    desk.node(name).accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)
}

#[test]
fn sixty_images_are_labelled_from_the_keyboard_alone() {
    let mut desk = desk();
    let original = csv(&desk);
    for image in 0..IMAGES {
        for label in truth(image) {
            desk.window.key_press(digit(label));
            desk.window.step();
        }
    }
    desk.wait_for("180 label edits");
    assert_eq!(csv(&desk), original, "the CSV waits for Save labels");
    desk.keys(Modifiers::COMMAND, Key::S);
    desk.wait_for("60 rows of the CSV changed.");
    let mut expected = b"image_path;print;note;sleeves;neckline\r\n".to_vec();
    for image in 0..IMAGES {
        let [print, sleeves, neckline] = truth(image);
        expected.extend(format!("{image:02}.png;{};", TASKS[0].1[print]).bytes());
        expected.extend(NOTE);
        expected.extend(format!(";{};{}\r\n", TASKS[1].1[sleeves], TASKS[2].1[neckline]).bytes());
    }
    assert_eq!(csv(&desk), expected, "right to the byte");
}

#[test]
fn a_task_that_does_not_apply_is_done_and_has_its_own_word_in_the_csv() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.keys(Modifiers::NONE, Key::N);
    desk.settle();
    assert!(is_chosen(&desk, "sleeves: does not apply"), "it stays in sight beside the next task");
    assert!(desk.shows("neckline: does not apply"), "the task at hand offers it");
    assert!(!desk.shows("print: does not apply"), "others do not");
    assert!(desk.shows("sleeves: 1 of 60 images labelled"));
    desk.keys(Modifiers::NONE, Key::Num3);
    desk.wait_for("2 of 60");

    // Pressed again, the button takes it back, as a label's does.
    desk.keys(Modifiers::NONE, Key::ArrowLeft);
    desk.wait_for("1 of 60");
    desk.press("sleeves: does not apply");
    desk.wait_until("missing again", |window| {
        window.query_by_label("sleeves: 0 of 60 images labelled").is_some()
    });
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_until("undone", |window| window.query_by_label("sleeves: 1 of 60 images labelled").is_some());
    desk.keys(Modifiers::COMMAND, Key::S);
    desk.wait_for("1 row of the CSV changed.");
    let saved = String::from_utf8_lossy(&csv(&desk)).into_owned();
    let row = saved.lines().nth(1).unwrap_or_default();
    assert!(row.starts_with("00.png;solid;") && row.ends_with(";n/a;collar"), "{row}");
}

#[test]
fn keys_go_back_correct_clear_flag_and_undo() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::Num1);
    assert!(desk.shows("1 of 60"), "the next task comes before the next image");
    desk.keys(Modifiers::NONE, Key::Num2);
    desk.keys(Modifiers::NONE, Key::Num3);
    desk.wait_for("2 of 60");
    desk.keys(Modifiers::NONE, Key::ArrowLeft);
    desk.wait_for("1 of 60");
    assert!(is_chosen(&desk, "print: solid") && is_chosen(&desk, "neckline: collar"));

    // The second task is corrected, and cleared.
    desk.keys(Modifiers::NONE, Key::Tab);
    desk.keys(Modifiers::NONE, Key::Backspace);
    desk.wait_until("no sleeves", |window| {
        let node = window.get_by_label("sleeves: short");
        node.accesskit_node().toggled() != Some(egui::accesskit::Toggled::True)
    });
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.settle();
    assert!(is_chosen(&desk, "sleeves: short"), "undo brings the label back");

    // A flag with a note: letters typed into the note give no labels.
    desk.keys(Modifiers::NONE, Key::F);
    desk.type_text("blurred 1");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("Note: blurred 1");
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    desk.wait_for("2 of 60");
    assert!(!desk.shows("Note: "));

    // Undo from afar leads back to the image it is about.
    desk.keys(Modifiers::NONE, Key::Num3);
    for _ in 0..5 {
        desk.keys(Modifiers::NONE, Key::ArrowRight);
    }
    desk.wait_for("7 of 60");
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_for("2 of 60");
}

#[test]
fn a_held_key_labels_one_image_only() {
    let mut desk = desk();
    let held = |repeat| Event::Key {
        key: Key::Num1,
        physical_key: None,
        pressed: true,
        repeat,
        modifiers: Modifiers::NONE,
    };
    desk.window.event(held(false));
    for _ in 0..20 {
        desk.window.event(held(true));
    }
    desk.window.run_steps(4);
    desk.wait_for("1 label edit");
    assert!(desk.shows("1 of 60"));
}

#[test]
fn many_images_get_one_label_with_one_key() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::G);
    desk.wait_for("00.png: no label");
    desk.press("02.png: no label");
    desk.window.key_down_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    desk.window.key_up_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    desk.window.run_steps(3);
    desk.keys(Modifiers::SHIFT, Key::ArrowRight);
    desk.wait_for("3 selected");
    desk.keys(Modifiers::NONE, Key::Num2);
    desk.wait_for("3 label edits");
    for image in ["02", "03", "04"] {
        assert!(desk.shows(&format!("{image}.png: striped")), "{image}");
    }
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_for("02.png: no label");
    assert!(desk.shows("03.png: no label"), "one step for all of them");
    desk.press("02.png: no label");
    desk.keys(Modifiers::NONE, Key::F);
    desk.wait_for("02.png: no label, flagged");
}

/// Presses a key so that the next frame has all of it.
fn press_in_this_frame(desk: &mut Desk, key: Key, modifiers: Modifiers) {
    // Let go first, or it would count as held.
    for pressed in [false, true] {
        let event = Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        desk.window.input_mut().events.push(event);
    }
}

#[test]
fn each_label_counts_in_the_frame_that_shows_it() {
    let mut desk = desk();
    desk.settle();
    assert!(desk.shows("print: 0 of 60 images labelled"));
    let press = |desk: &mut Desk, key, modifiers| {
        press_in_this_frame(desk, key, modifiers);
        // One frame takes the key, the next shows what came of it; the rows follow later.
        desk.window.run_steps(2);
    };
    press(&mut desk, Key::Num1, Modifiers::NONE);
    assert!(desk.shows("print: 1 of 60 images labelled"));
    press(&mut desk, Key::Num1, Modifiers::NONE);
    assert!(desk.shows("sleeves: 1 of 60 images labelled"));
    press(&mut desk, Key::Z, Modifiers::COMMAND);
    assert!(desk.shows("sleeves: 0 of 60 images labelled") && desk.shows("print: 1 of 60 images labelled"));
    desk.settle();
    assert!(desk.shows("sleeves: 0 of 60 images labelled") && desk.shows("print: 1 of 60 images labelled"));
}

#[test]
fn labelling_leaves_the_settings_of_the_next_run_as_they_were_changed() {
    let mut desk = desk();
    desk.settle();
    desk.go_to(Place::Train);
    desk.press("How to train: From scratch");
    assert!(desk.shows("Changed here"));
    desk.go_to(Place::Label);
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
    desk.settle();
    desk.go_to(Place::Train);
    assert!(desk.shows("Changed here"));
}

#[test]
fn an_update_that_is_asked_for_knows_the_label_given_just_before() {
    let mut desk = desk_with_model();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.keys(Modifiers::COMMAND, Key::U);
    desk.wait_for("learnt ");
    let learnt = |window: &Harness<'static, App>| -> Option<usize> {
        let node = window.query_all_by_label_contains("learnt ").next()?;
        node.accesskit_node().value()?.split_whitespace().nth(2)?.parse().ok()
    };
    let before = learnt(&desk.window).unwrap();
    // The command comes in the frame after the key: the rows had no time to follow.
    for (key, modifiers) in [(Key::Num1, Modifiers::NONE), (Key::U, Modifiers::COMMAND)] {
        press_in_this_frame(&mut desk, key, modifiers);
        desk.window.step();
    }
    desk.wait_until("one label more", |window| learnt(window) == Some(before + 1));
}

/// Moves a slider down by so many steps, from the keyboard; it then has the focus.
fn lower(desk: &mut Desk, slider: &str, steps: usize) {
    desk.window.get_by_role_and_label(egui::accesskit::Role::Slider, slider).focus();
    desk.window.run_steps(2);
    for _ in 0..steps {
        desk.window.key_press(Key::ArrowLeft);
        desk.window.step();
    }
}

/// The window on the Label place of [`inspected`]'s project, whose run has outputs.
pub fn desk_with_model() -> Desk {
    desk_with_model_of(|_| {})
}

/// The same, after the folder of the images was changed.
pub fn desk_with_model_of(change: impl FnOnce(&Path)) -> Desk {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let folder = folder.join("shop");
        std::fs::create_dir_all(&folder).unwrap();
        let config = inspected(&folder).0.config.file;
        // Half of the images have lost their labels.
        let csv = std::fs::read_to_string(folder.join("garments.csv")).unwrap();
        let lines = csv.lines().enumerate().map(|(line, text)| {
            let mut cells: Vec<&str> = text.split(',').collect();
            if line > 30 {
                (cells[1], cells[2]) = ("", "");
            }
            cells.join(",") + "\n"
        });
        std::fs::write(folder.join("garments.csv"), lines.collect::<String>()).unwrap();
        change(&folder);
        Start { open: Some(config) }
    });
    desk.wait_for("60 rows");
    desk.go_to(Place::Label);
    desk.wait_for("1 of 60");
    desk.wait_until("suggestions", |window| {
        window.query_all_by_label_contains("print: ").any(|node| node.accesskit_node().value().is_some())
    });
    desk
}

#[test]
fn space_takes_the_suggestion_and_enter_takes_all() {
    let mut desk = desk_with_model();
    // Image 8 lacks its sleeves and comes first; its print is known.
    desk.wait_for("08.png");
    desk.keys(Modifiers::NONE, Key::Space);
    desk.wait_for("1 label edit");
    desk.wait_for("30.png");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("3 label edits");
    desk.wait_for("31.png");
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_for("30.png");
    desk.wait_for("1 label edit");
}

#[test]
fn sure_suggestions_are_reviewed_and_accepted_together() {
    let mut desk = desk_with_model();
    desk.press("View: Grid");
    desk.press("Review suggestions");
    desk.wait_for("Accept ");
    // The run of the drawn garments is at most 95 % sure: a lower bar shows some.
    lower(&mut desk, "Lowest probability", 20);
    let accept = |desk: &Desk| {
        let node = desk.window.query_all_by_label_contains("Accept ").next().unwrap();
        node.accesskit_node().label().unwrap()
    };
    desk.wait_until("some suggestions", |window| {
        let node = window.query_all_by_label_contains("Accept ").next().unwrap();
        node.accesskit_node().label().unwrap() != "Accept 0 suggestions"
    });
    desk.settle();
    let count: usize = accept(&desk).split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(count > 2, "{}", accept(&desk));
    // One is taken out.
    let cell = desk.window.query_all_by_label_contains("suggested").next().unwrap();
    let name = cell.accesskit_node().label().unwrap();
    cell.click();
    desk.window.run_steps(3);
    assert_eq!(accept(&desk), format!("Accept {} suggestions", count - 1));
    let accept = accept(&desk);
    desk.press(&accept);
    desk.wait_for(&format!("{} label edits", count - 1));
    desk.wait_until("the refused one alone is left", |window| {
        window
            .query_all_by_label_contains("suggested")
            .filter_map(|node| node.accesskit_node().label())
            .collect::<Vec<_>>()
            == [name.clone()]
    });
}

#[test]
fn a_review_is_done_from_the_keyboard_and_undone_in_one_step() {
    let mut desk = desk_with_model();
    desk.press("View: Grid");
    desk.press("Review suggestions");
    desk.wait_for("Accept ");
    lower(&mut desk, "Lowest probability", 20);
    desk.wait_until("some suggestions", |window| window.query_by_label("Accept 0 suggestions").is_none());
    desk.settle();
    let suggested = |desk: &Desk| -> Vec<String> {
        let cells = desk.window.query_all_by_role(egui::accesskit::Role::ListBoxOption);
        cells.filter_map(|cell| cell.accesskit_node().label()).collect()
    };
    let before = suggested(&desk);
    assert!(before.len() > 2, "{before:?}");
    // From the slider back to the images, and the first of them is taken out.
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    desk.keys(Modifiers::NONE, Key::Space);
    assert!(desk.shows(&format!("Accept {} suggestions", before.len() - 1)));
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for(&format!("{} label edits", before.len() - 1));
    desk.wait_until("the one that was taken out", |window| {
        window.query_all_by_role(egui::accesskit::Role::ListBoxOption).count() == 1
    });
    assert_eq!(suggested(&desk), before[..1]);
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_until("no label edit", |window| {
        window.query_all_by_label_contains("label edit").next().is_none()
    });
}

#[test]
fn all_like_this_gathers_neighbours_and_one_key_labels_them() {
    let mut desk = desk_with_model();
    desk.press("View: Grid");
    desk.wait_for("30.png");
    let cell = desk.window.query_all_by_label_contains("30.png").next().unwrap();
    cell.click();
    desk.window.run_steps(3);
    desk.press("Task print");
    desk.press("All like this");
    desk.wait_for("Like this, without a label for print");
    desk.wait_for("39.png");
    lower(&mut desk, "Lowest similarity", 400);
    // The keys are the grid's again.
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("1 selected"), "a lower bar chooses more");
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("label edits");
}

#[test]
fn the_model_learns_from_the_labels_and_says_so() {
    let mut desk = desk_with_model();
    desk.keys(Modifiers::COMMAND, Key::U);
    desk.wait_for("learnt ");
    assert!(desk.shows("1 of 60") || desk.shows("of 60"));
    // Another order that needs it.
    desk.press("Order of the images");
    desk.press("Most uncertain (margin)");
    desk.wait_for("of 60");
}

#[test]
fn labels_that_the_network_trained_on_are_not_held_against_it_until_heads_have_judged_them() {
    let mut desk = desk_with_model();
    desk.press("Order of the images");
    desk.press("Label and model disagree");
    // The run of this desk does not tell what it trained on.
    desk.wait_for("without training images");
    desk.keys(Modifiers::COMMAND, Key::U);
    desk.wait_for("learnt ");
    desk.wait_until("the heads' word", |window| {
        window.query_all_by_label_contains("without training images").next().is_none()
    });
}

#[test]
fn a_label_gets_the_key_that_the_user_presses() {
    let mut desk = desk();
    let row = desk.node("print: dotted");
    row.click_secondary();
    desk.window.run_steps(3);
    desk.press("Choose a key (press it next)");
    desk.keys(Modifiers::NONE, Key::X);
    desk.keys(Modifiers::NONE, Key::X);
    desk.wait_for("1 label edit");
    desk.keys(Modifiers::NONE, Key::ArrowUp);
    assert!(is_chosen(&desk, "print: dotted"));
}

#[test]
fn a_label_that_is_missing_is_added_where_it_is_missed() {
    let mut desk = desk_with_model();
    desk.press("Task print");
    desk.press("Add a label to print");
    desk.type_text("checked");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("print: checked");
    let config = std::fs::read_to_string(desk.folder.path().join("shop/config.yml")).unwrap();
    assert!(config.contains("print: [solid, striped, dotted, checked]"), "{config}");
    desk.wait_for("08.png");
    desk.press("Task print");
    desk.keys(Modifiers::NONE, Key::Num4);
    desk.wait_for("1 label edit");
    // What the model says of the others still stands beside the right labels.
    desk.keys(Modifiers::NONE, Key::ArrowRight);
    desk.wait_for("30.png");
    desk.wait_until("suggestions", |window| {
        window.get_by_label("print: solid").accesskit_node().value().as_deref() == Some("59 %")
    });
}

#[test]
fn escape_leaves_a_gathered_list_and_f6_leads_to_the_buttons() {
    let mut desk = desk_with_model();
    desk.keys(Modifiers::NONE, Key::G);
    desk.press("Review suggestions");
    desk.wait_for("Accept ");
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.wait_for("Review suggestions");
    let has_keys = |desk: &Desk| {
        desk.window.get_by_role_and_label(egui::accesskit::Role::ListBox, "Images to label").is_focused()
    };
    assert!(has_keys(&desk));
    desk.keys(Modifiers::NONE, Key::F6);
    assert!(!has_keys(&desk), "another widget has the focus");
    desk.keys(Modifiers::NONE, Key::Num1);
    assert!(!desk.shows("label edit"), "and keys give no labels");
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(has_keys(&desk));
}

/// Draws over the grid with the pointer, through these places.
fn draw(desk: &mut Desk, through: &[egui::Pos2], modifiers: Modifiers) {
    let button =
        |pos, pressed| Event::PointerButton { pos, button: egui::PointerButton::Primary, pressed, modifiers };
    desk.window.event(Event::ModifiersChanged(modifiers));
    desk.window.event(Event::PointerMoved(through[0]));
    desk.window.event(button(through[0], true));
    desk.window.step();
    for pos in &through[1..] {
        desk.window.event(Event::PointerMoved(*pos));
        desk.window.step();
    }
    desk.window.event(button(through[through.len() - 1], false));
    desk.window.step();
    desk.window.event(Event::ModifiersChanged(Modifiers::NONE));
    desk.window.run_steps(2);
}

#[test]
fn a_rectangle_or_a_line_drawn_over_images_chooses_them() {
    let mut desk = desk();
    desk.keys(Modifiers::NONE, Key::G);
    desk.wait_for("08.png: no label");
    let middle = |desk: &Desk, image: &str| {
        let name = format!("{image}.png: no label");
        desk.window.get_by_label(&name).rect().center()
    };
    // Two rows of six: a rectangle from the second image to the third of the row below.
    let (from, to) = (middle(&desk, "01"), middle(&desk, "08"));
    draw(&mut desk, &[from, from.lerp(to, 0.5), to], Modifiers::NONE);
    desk.wait_for("4 selected");
    // With Alt, a line around the first image alone.
    let (here, right, below) = (middle(&desk, "00"), middle(&desk, "01"), middle(&desk, "06"));
    let aside = (right - here) * 0.4;
    let under = (below - here) * 0.6;
    let corners =
        [here - aside - under * 0.5, here + aside - under * 0.5, here + aside + under, here - aside + under];
    draw(&mut desk, &corners, Modifiers::ALT);
    desk.wait_for("1 selected");
    desk.keys(Modifiers::NONE, Key::Num3);
    desk.wait_for("00.png: dotted");
}
