//! DeepFashion in the window: from a download to a project, stopped and gone on with, and what is missing told.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, ImportCommand, ImportField, UiCommand};
use tasklens_data::config::Config;
use tasklens_data::dataset::import::deepfashion::drawn;

use crate::desk::Desk;
use crate::pictures::{pictures, pictures_over};
use crate::shell::Dropped;

const WINDOW: egui::Vec2 = egui::vec2(1280.0, 800.0);
const SMALL: egui::Vec2 = egui::vec2(800.0, 600.0);

/// A window with the dialog open, and a download in `data`.
fn asked(size: egui::Vec2) -> Desk {
    let mut desk = Desk::with(size, |folder| {
        drawn::write(&folder.join("data"), [12, 3, 3], 5).unwrap();
        Start::default()
    });
    desk.press(UiCommand::ImportDeepFashion.text());
    desk.wait_for("Data folder");
    desk
}

fn data(desk: &Desk) -> PathBuf {
    desk.folder.path().join("data")
}

fn choose(desk: &mut Desk, field: ImportField, path: PathBuf) {
    desk.window.state().commands().send(AppCommand::Import(ImportCommand::Choose(field, path)));
    desk.settle();
}

#[test]
fn a_dropped_download_is_filled_in() {
    let mut desk = Desk::with(WINDOW, |folder| {
        drawn::write(&folder.join("data"), [12, 3, 3], 5).unwrap();
        Start::default()
    });
    let folder = data(&desk);
    desk.window.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(folder.clone())));
    desk.window.step();
    desk.wait_for("Data folder");
    desk.settle();
    let typed = folder.display().to_string();
    let fields = desk.window.query_all_by_role(Role::TextInput);
    assert!(fields.into_iter().any(|field| field.value().as_deref() == Some(typed.as_str())));
    desk.wait_for("All files of the annotation are there. Images: 12 training");
}

fn is_disabled(desk: &Desk, button: &str) -> bool {
    desk.node(button).accesskit_node().is_disabled()
}

/// So many further training images, all of which are links to one.
fn add_images(data: &Path, count: usize) {
    let append = |file: &str, line: &dyn Fn(usize) -> String| {
        let file = data.join("Anno_fine").join(file);
        let first = fs::read_to_string(&file).unwrap().lines().next().unwrap().to_owned();
        let mut file = fs::File::options().append(true).open(file).unwrap();
        for number in 0..count {
            let line = line(number);
            writeln!(file, "{}", if line.is_empty() { &first } else { &line }).unwrap();
        }
    };
    fs::create_dir_all(data.join("img/Many")).unwrap();
    for number in 0..count {
        let link = data.join(format!("img/Many/{number}.jpg"));
        fs::hard_link(data.join("img/Drawn_Blouse/img_00000001.jpg"), link).unwrap();
    }
    append("train.txt", &|number| format!("img/Many/{number}.jpg"));
    for file in ["train_cate.txt", "train_attr.txt", "train_bbox.txt"] {
        append(file, &|_| String::new());
    }
}

/// Takes all but the first lines out of the lists of the training images.
fn keep_lines(data: &Path, lines: usize) {
    for file in ["train.txt", "train_cate.txt", "train_attr.txt", "train_bbox.txt"] {
        let file = data.join("Anno_fine").join(file);
        let text = fs::read_to_string(&file).unwrap();
        let kept: String = text.lines().take(lines).map(|line| format!("{line}\n")).collect();
        fs::write(&file, kept).unwrap();
    }
}

/// Pictures of the form, whose data folder has another name in every run.
fn form_pictures(desk: &mut Desk, name: &str) {
    pictures_over(desk, name, |desk| {
        desk.settle();
        vec![desk.window.get_by_role_and_label(Role::TextInput, "Data folder").rect()]
    });
}

#[test]
fn a_download_becomes_a_project_that_opens() {
    let mut desk = asked(WINDOW);
    assert!(is_disabled(&desk, "Import"), "nothing is named yet");
    assert!(desk.window.get_by_role_and_label(Role::TextInput, "Data folder").is_focused());
    let typed = data(&desk).display().to_string();
    desk.type_text(&typed);
    assert!(is_disabled(&desk, "Import"), "it is still being typed");
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for("Images: 12 training, 3 validation, 3 test.");
    assert!(desk.shows("The project goes into the folder data."));

    let out = desk.folder.path().join("shop");
    choose(&mut desk, ImportField::Out, out.clone());
    desk.wait_for("The project goes into the folder shop.");
    for kind in ["Upper body", "Lower body", "Full body"] {
        desk.window.get_by_role_and_label(Role::CheckBox, kind).click();
        desk.window.run_steps(3);
    }
    assert!(desk.shows("Keep at least one kind of category.") && is_disabled(&desk, "Import"));
    for kind in ["Upper body", "Full body"] {
        desk.window.get_by_role_and_label(Role::CheckBox, kind).click();
        desk.window.run_steps(3);
    }
    fs::remove_file(data(&desk).join("img/Drawn_Tee/img_00000002.jpg")).unwrap();
    desk.press("Import");
    desk.wait_for("DeepFashion is imported");
    assert!(desk.shows("14 images"));
    assert!(
        desk.shows("Of 18 in the annotation, 15 of them in the groups to model; 0 crops were there already")
    );
    assert!(desk.shows("1 problem: what cannot be used was left out") && desk.shows("missing image"));
    assert!(desk.shows("processed_subset.problems.txt beside the CSV has all of them"));
    assert!(out.join("processed_subset.problems.txt").is_file());
    assert!(desk.shows("long_sleeve, short_sleeve, sleeveless"), "the labels of sleeves");

    // The dialog has another size now, and is in the middle again with the next frames.
    desk.settle();
    desk.press("Open project");
    desk.wait_for("14 rows");
    let config = &desk.window.state().project().unwrap().config;
    assert_eq!(config.file, out.join("config.yml"));
    assert!(Config::open(&config.file).unwrap().notices.is_empty());
}

#[test]
fn the_dataset_config_of_the_python_project_gives_files_and_groups() {
    let mut desk = asked(WINDOW);
    let config = desk.folder.path().join("config/dataset_config.yml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let groups =
        "categories:\n  aggregation: {Dresses: [Dress, Robe], Trousers: [Jeans]}\n  to_model: [Dresses]\n";
    fs::write(&config, groups).unwrap();
    choose(&mut desk, ImportField::Config, config);
    desk.wait_for("has no `paths.categories_path`");
    assert!(is_disabled(&desk, "Import"));
    let data = data(&desk);
    choose(&mut desk, ImportField::Data, data);
    desk.wait_for("is outside of the project's folder");
    let out = desk.folder.path().join("shop");
    choose(&mut desk, ImportField::Out, out);
    desk.wait_for("Dresses, as the dataset config says");
    desk.press("Import");
    desk.wait_for("DeepFashion is imported");
    assert!(desk.shows("6 images"), "dresses and robes alone");
}

#[test]
fn what_is_missing_is_told_and_nothing_is_begun() {
    let mut desk = asked(WINDOW);
    let data = data(&desk);
    for file in ["train_bbox.txt", "val.txt"] {
        fs::remove_file(data.join("Anno_fine").join(file)).unwrap();
    }
    choose(&mut desk, ImportField::Data, data.clone());
    assert!(desk.shows("2 files of the annotation are missing:"));
    assert!(desk.shows("Anno_fine/train_bbox.txt") && desk.shows("Anno_fine/val.txt"));
    assert!(desk.shows("unpack img and Anno_fine of the download into one folder"));
    assert!(is_disabled(&desk, "Import"));
    form_pictures(&mut desk, "import_deepfashion_missing");
    let nowhere = desk.folder.path().join("nowhere");
    choose(&mut desk, ImportField::Data, nowhere);
    assert!(desk.shows("14 files of the annotation are missing:") && desk.shows("and 10 more"));
    desk.press("Cancel");
    assert!(!desk.shows("Data folder") && !data.join("img_crop").exists());
}

#[test]
fn an_error_is_told_in_the_dialog() {
    let mut desk = asked(WINDOW);
    let data = data(&desk);
    fs::write(data.join("processed_subset.csv"), "mine").unwrap();
    choose(&mut desk, ImportField::Data, data.clone());
    desk.press("Import");
    desk.wait_for("it is not replaced; move it away, or name another output folder");
    assert!(!is_disabled(&desk, "Import"), "it can be tried again");
    assert_eq!(fs::read_to_string(data.join("processed_subset.csv")).unwrap(), "mine");
}

#[test]
fn an_import_is_hidden_stopped_and_gone_on_with() {
    let mut desk = asked(WINDOW);
    let data = data(&desk);
    add_images(&data, 6000);
    choose(&mut desk, ImportField::Data, data.clone());
    desk.press("Import");
    desk.wait_for("Cropping the images");
    running_picture(&mut desk, "import_deepfashion_running");
    desk.press("Hide");
    assert!(!desk.shows("Stop the import") && desk.shows("Importing DeepFashion"), "the status bar shows it");
    // Another download that is dropped meanwhile does not disturb it.
    let other = desk.folder.path().join("other");
    drawn::write(&other, [3, 3, 3], 5).unwrap();
    desk.window.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(other)));
    desk.wait_for("Stop the import");
    desk.window.run_steps(3);
    desk.press("Stop the import");
    desk.wait_for("The import was stopped.");
    desk.wait_for("An import was stopped here");
    assert!(!data.join("processed_subset.csv").exists());
    let made = |folder: &str| fs::read_dir(data.join("img_crop").join(folder)).map_or(0, Iterator::count);
    assert!(made("Drawn_Blouse") > 0 && made("Many") < 6000);

    keep_lines(&data, 40);
    desk.settle();
    desk.press("Go on importing");
    desk.wait_for("DeepFashion is imported");
    assert!(desk.shows("46 images") && !desk.shows("; 0 crops were there already"));
}

#[test]
fn an_import_that_ends_while_it_is_hidden_says_so() {
    let mut desk = asked(WINDOW);
    let data = data(&desk);
    add_images(&data, 300);
    choose(&mut desk, ImportField::Data, data);
    desk.press("Import");
    desk.keys(Modifiers::NONE, Key::Escape);
    desk.wait_for("DeepFashion is imported: 318 images");
    assert!(!desk.shows("Open project"));
    desk.window.state().commands().ui(UiCommand::ImportDeepFashion);
    desk.wait_for("Open project");
}

/// Pictures of an import that goes on: how far it is, is painted over, here and in the status bar.
fn running_picture(desk: &mut Desk, name: &str) {
    pictures_over(desk, name, |desk| {
        desk.window.run_steps(3);
        let size = desk.window.ctx.content_rect().size();
        let bar = desk.window.get_by_label("Progress of the import").rect();
        let far = Rect::from_min_max(bar.min, bar.max + egui::vec2(0.0, 24.0));
        vec![far, Rect::from_min_max(pos2(200.0, size.y - 36.0), size.to_pos2())]
    });
    assert!(desk.shows("Stop the import"), "it was still going on");
}

#[test]
fn import_deepfashion() {
    let mut desk = asked(WINDOW);
    pictures(&mut desk, "import_deepfashion_empty");
    checked_and_done(&mut desk, "");
}

#[test]
fn import_deepfashion_in_a_small_window() {
    let mut desk = asked(SMALL);
    checked_and_done(&mut desk, "_small");
}

#[test]
fn import_deepfashion_running_in_a_small_window() {
    let mut desk = asked(SMALL);
    let data = data(&desk);
    add_images(&data, 6000);
    choose(&mut desk, ImportField::Data, data);
    desk.press("Import");
    desk.wait_for("Cropping the images");
    running_picture(&mut desk, "import_deepfashion_running_small");
    desk.press("Stop the import");
    desk.wait_for("The import was stopped.");
}

fn checked_and_done(desk: &mut Desk, size: &str) {
    let data = data(desk);
    fs::remove_file(data.join("img/Drawn_Jeans/img_00000004.jpg")).unwrap();
    fs::write(data.join("img/Drawn_Tee/img_00000002.jpg"), "no image").unwrap();
    choose(desk, ImportField::Data, data);
    form_pictures(desk, &format!("import_deepfashion_checked{size}"));
    desk.press("Import");
    desk.wait_for("DeepFashion is imported");
    pictures(desk, &format!("import_deepfashion_done{size}"));
    desk.press("Import again");
    assert!(desk.shows("Data folder") && !desk.shows("DeepFashion is imported"));
}
