//! From a folder of images to a project that can be labelled.

use std::path::{Path, PathBuf};

use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::command::UiCommand;
use tasklens::app::place::Place;
use tasklens_data::config::Config;

use crate::desk::{Desk, write_garments};
use crate::pictures::pictures;

const WINDOW: egui::Vec2 = egui::vec2(1280.0, 800.0);

/// A folder with drawn garments and nothing else; those of `sub_folders` are spread over them.
fn photos(folder: &Path, sub_folders: &[&str]) -> PathBuf {
    let config = write_garments(folder, 12);
    std::fs::remove_file(&config).unwrap();
    std::fs::remove_file(config.with_file_name("garments.csv")).unwrap();
    let folder = folder.join("garments");
    for (index, name) in sub_folders.iter().enumerate() {
        std::fs::create_dir(folder.join(name)).unwrap();
        for image in (index..12).step_by(sub_folders.len()) {
            let name_of_image = format!("garment_{image}.png");
            let to = folder.join(name).join(&name_of_image);
            std::fs::rename(folder.join(name_of_image), to).unwrap();
        }
    }
    folder
}

fn desk(size: egui::Vec2, sub_folders: &[&str]) -> Desk {
    let mut desk = Desk::with(size, |folder| Start { open: Some(photos(folder, sub_folders)) });
    desk.wait_for("Label the images of garments");
    desk.settle();
    desk
}

fn read(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.folder.path().join("garments").join(name)).unwrap()
}

/// Goes on with Tab until this has the keyboard.
fn tab_to(desk: &mut Desk, name: &str) {
    for _ in 0..40 {
        if desk.window.query_by_label(name).is_some_and(|node| node.is_focused()) {
            return;
        }
        desk.keys(Modifiers::NONE, Key::Tab);
    }
    panic!("Tab never came to {name}");
}

fn can_create(desk: &Desk) -> bool {
    !desk.node("Create and label").accesskit_node().is_disabled()
}

fn wait_for_label_place(desk: &mut Desk) {
    desk.wait_until("the Label place", |window| {
        let button = window.query_by_role_and_label(egui::accesskit::Role::Button, Place::Label.name());
        button.is_some_and(|button| button.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True))
    });
}

#[test]
fn a_folder_of_images_is_ready_to_be_labelled_after_a_few_keys() {
    let mut desk = desk(WINDOW, &[]);
    assert!(desk.shows("12 images"));
    assert!(desk.shows("Give the task a name"));
    assert!(!can_create(&desk));

    assert!(desk.node("Name of task 1").is_focused(), "typing can begin at once");
    desk.type_text("sleeves");
    desk.keys(Modifiers::NONE, Key::Enter);
    assert!(desk.node("Labels of task 1").is_focused());
    assert!(desk.shows("The task `sleeves` needs at least two labels."));
    desk.type_text("short,");
    desk.type_text("none");
    desk.keys(Modifiers::NONE, Key::Enter);
    assert!(desk.shows("Remove none from sleeves"));
    desk.keys(Modifiers::NONE, Key::Backspace);
    assert!(desk.shows("Remove none from sleeves"), "one key alone removes nothing");
    desk.keys(Modifiers::NONE, Key::Backspace);
    assert!(!desk.shows("Remove none from sleeves"));
    desk.type_text("long");
    assert!(can_create(&desk), "the label that is being typed counts");

    tab_to(&mut desk, "Add task");
    desk.keys(Modifiers::NONE, Key::Space);
    assert!(desk.node("Name of task 2").is_focused());
    desk.type_text("print");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.window.event(Event::Paste("solid\nstriped\nlight, dotted\n".to_owned()));
    desk.window.run_steps(3);
    assert!(desk.shows("Remove dotted from print"));

    tab_to(&mut desk, "Create and label");
    desk.keys(Modifiers::NONE, Key::Space);
    wait_for_label_place(&mut desk);
    let csv = read(&desk, "labels.csv");
    assert!(csv.starts_with("image_path,sleeves,print\ngarment_0.png,,\ngarment_1.png,,\n"), "{csv}");
    assert_eq!(csv.lines().count(), 13);
    let config = Config::open(&desk.folder.path().join("garments/config.yml")).unwrap();
    assert_eq!(config.model.tasks[0].labels, ["short", "long"]);
    assert_eq!(config.model.tasks[1].labels, ["solid", "striped", "light", "dotted"]);
    desk.go_to(Place::Data);
    desk.wait_for("12 rows");
}

#[test]
fn names_of_sub_folders_become_labels() {
    let mut desk = desk(WINDOW, &["dresses", "shirts"]);
    assert!(desk.shows("12 images in 2 sub-folders"));
    desk.press("Use the names of the sub-folders as labels");
    assert!(!desk.shows("Name of task 2"), "it takes the place of the empty task");
    assert!(!desk.shows("Use the names of the sub-folders as labels"), "once is enough");
    desk.press("Create and label");
    wait_for_label_place(&mut desk);
    let csv = read(&desk, "labels.csv");
    assert!(csv.starts_with("image_path,category\ndresses/garment_0.png,dresses\n"), "{csv}");
    assert_eq!(csv.matches(",shirts\n").count(), 6);
}

#[test]
fn labels_and_tasks_can_be_removed_again() {
    let mut desk = desk(WINDOW, &["dresses", "shirts"]);
    desk.press("Use the names of the sub-folders as labels");
    desk.press("Remove shirts from category");
    assert!(desk.shows("The task `category` needs at least two labels."));
    desk.press("Remove task 1");
    desk.press("Yes, remove task 1");
    assert!(desk.shows("Add a task"));
    desk.press("Add task");
    assert!(desk.node("Name of task 1").is_focused());
}

#[test]
fn tab_and_space_remove_no_task_and_what_was_removed_comes_back() {
    let mut desk = desk(WINDOW, &[]);
    desk.type_text("sleeves");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.keys(Modifiers::NONE, Key::Tab);
    assert!(!desk.node("Remove task 1").is_focused(), "the bin is not next to the labels");
    assert!(desk.node("Add task").is_focused());
    tab_to(&mut desk, "Remove task 1");
    desk.keys(Modifiers::NONE, Key::Space);
    assert!(desk.node("Keep task 1").is_focused(), "it asks first");
    desk.keys(Modifiers::NONE, Key::Space);
    assert!(desk.shows("Name of task 1") && !desk.shows("Keep task 1"));

    tab_to(&mut desk, "Remove task 1");
    desk.keys(Modifiers::NONE, Key::Space);
    desk.keys(Modifiers::NONE, Key::Tab);
    desk.keys(Modifiers::NONE, Key::Space);
    assert!(!desk.shows("Name of task 1"));
    assert!(desk.node("Bring back sleeves").is_focused());
    desk.keys(Modifiers::COMMAND, Key::Z);
    assert_eq!(desk.node("Name of task 1").accesskit_node().value().unwrap(), "sleeves");

    // A label comes back, too.
    tab_to(&mut desk, "Labels of task 1");
    desk.type_text("short, long,");
    desk.press("Remove short from sleeves");
    desk.press("Bring back short");
    assert!(desk.shows("Remove short from sleeves"));
}

#[test]
fn no_single_key_removes_a_label_and_two_do() {
    let mut desk = desk(WINDOW, &[]);
    desk.type_text("sleeves");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.type_text("short, long, none,");
    for key in [Key::Space, Key::Enter, Key::Delete, Key::Backspace] {
        tab_to(&mut desk, "Remove short from sleeves");
        desk.keys(Modifiers::NONE, key);
        assert!(desk.shows("Remove short from sleeves"), "{key:?}");
        assert!(desk.shows("Press Delete or Backspace to remove short"), "{key:?}");
        // Leaving it forgets the first key.
        desk.keys(Modifiers::NONE, Key::Tab);
        assert!(!desk.shows("Press Delete or Backspace to remove"), "{key:?}");
    }
    // Nor does a key that is held, or one that presses.
    tab_to(&mut desk, "Remove short from sleeves");
    for repeat in [false, true, true] {
        let (key, modifiers) = (Key::Delete, Modifiers::NONE);
        desk.window.event(Event::Key { key, physical_key: None, pressed: true, repeat, modifiers });
        desk.window.run_steps(2);
    }
    desk.window.key_up(Key::Delete);
    desk.keys(Modifiers::NONE, Key::Space);
    assert!(desk.shows("Remove short from sleeves"));
    desk.keys(Modifiers::NONE, Key::Delete);
    assert!(!desk.shows("Remove short from sleeves"));
    assert!(desk.node("Bring back short").is_focused());
    desk.keys(Modifiers::NONE, Key::Space);
    assert!(desk.shows("Remove short from sleeves"));
}

#[test]
fn the_images_can_be_predicted_instead_or_nothing_be_done() {
    let mut desk = desk(WINDOW, &[]);
    desk.press("Cancel");
    desk.wait_for(UiCommand::NewProject.text());
    let folder = desk.folder.path().join("garments");
    desk.window.state().commands().send(tasklens::app::command::AppCommand::OpenPath(folder));
    desk.wait_for("Predict these images");
    desk.press("Predict these images");
    desk.wait_for("Picture of garment_0.png");
    assert!(desk.shows("12 images"));
    let files = std::fs::read_dir(desk.folder.path().join("garments")).unwrap().count();
    assert_eq!(files, 12, "nothing was written");
}

#[test]
fn a_folder_with_one_csv_opens_the_csv() {
    let mut desk = Desk::with(WINDOW, |folder| {
        let config = write_garments(folder, 12);
        std::fs::remove_file(&config).unwrap();
        Start { open: config.parent().map(Path::to_path_buf) }
    });
    desk.wait_for("What is in garments.csv?");
}

#[test]
fn a_folder_that_cannot_be_written_to_keeps_what_was_typed() {
    let mut desk = desk(WINDOW, &["dresses", "shirts"]);
    desk.press("Use the names of the sub-folders as labels");
    let folder = desk.folder.path().join("garments");
    std::fs::rename(&folder, folder.with_file_name("moved")).unwrap();
    std::fs::write(&folder, "no folder any more").unwrap();
    desk.press("Create and label");
    desk.wait_for("cannot be written");
    assert!(desk.shows("Remove dresses from category"));
}

/// Two tasks, one of them of the sub-folders.
fn filled(size: egui::Vec2) -> Desk {
    let mut desk = desk(size, &["dresses", "jackets", "shirts"]);
    desk.type_text("sleeves");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.type_text("none, short, three-quarter, long,");
    // In the smallest window it is out of sight at first: the keyboard brings it there.
    tab_to(&mut desk, "Use the names of the sub-folders as labels");
    desk.keys(Modifiers::NONE, Key::Space);
    desk.settle();
    desk
}

#[test]
fn new_project() {
    pictures(&mut filled(WINDOW), "new_project");
}

#[test]
fn new_project_at_the_beginning() {
    pictures(&mut desk(WINDOW, &["dresses", "shirts"]), "new_project_empty");
}

#[test]
fn new_project_before_and_after_a_task_is_removed() {
    let mut desk = filled(WINDOW);
    desk.press("Remove task 1");
    pictures(&mut desk, "new_project_asks");
    desk.press("Yes, remove task 1");
    pictures(&mut desk, "new_project_undo");
}

#[test]
fn new_project_in_the_smallest_window() {
    pictures(&mut filled(egui::vec2(640.0, 400.0)), "new_project_small");
}

#[test]
fn new_project_at_200_percent() {
    let mut desk = filled(WINDOW);
    desk.window.ctx.set_zoom_factor(2.0);
    pictures(&mut desk, "new_project_200_percent");
}
