//! What was labelled is safe: reloading in a hurry, closing the window, other windows, a disk that refuses.

use std::path::PathBuf;

use egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::Queryable as _;
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::{self, AnnotationSource, Step};
use tasklens_data::dataset::vocabulary::{self, VocabularyChange};
use tasklens_data::files::fault::{DiskFault, inject};

use crate::desk::Desk;
use crate::label::desk;

fn path(desk: &Desk, name: &str) -> PathBuf {
    desk.folder.path().join("shop").join(name)
}

fn csv(desk: &Desk) -> String {
    String::from_utf8_lossy(&std::fs::read(path(desk, "labels.csv")).unwrap()).into_owned()
}

/// Gives the first image a label as another window does that is closed again.
fn label_elsewhere(desk: &Desk, label: &str) {
    let config = Config::open(&path(desk, "config.yml")).unwrap();
    let dataset = Dataset::open(&config).unwrap();
    let edits::OpenedAnnotations { mut state, mut journal, .. } = edits::open(&config, &dataset).unwrap();
    let change = state.label_change(&dataset, 0, 0, Some(label));
    journal.append(&[state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()]).unwrap();
}

/// Labels the first image over and over: a journal that is not read in a moment.
fn many_steps(desk: &Desk) {
    let config = Config::open(&path(desk, "config.yml")).unwrap();
    let dataset = Dataset::open(&config).unwrap();
    let edits::OpenedAnnotations { mut state, mut journal, .. } = edits::open(&config, &dataset).unwrap();
    let labels = ["solid", "striped"].into_iter().cycle().take(20_001);
    let entries: Vec<_> = labels
        .map(|label| {
            let change = state.label_change(&dataset, 0, 0, Some(label));
            state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()
        })
        .collect();
    journal.append(&entries).unwrap();
}

/// A press on the window's close button, and whether it would close.
pub fn close(desk: &mut Desk) -> bool {
    let viewport = desk.window.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    viewport.events.push(ViewportEvent::Close);
    desk.window.step();
    let is_kept_open = commands(desk).contains(&ViewportCommand::CancelClose);
    let viewport = desk.window.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    viewport.events.clear();
    !is_kept_open
}

/// Until the status bar has no label edit that the CSV lacks.
fn wait_for_none(desk: &mut Desk) {
    desk.wait_until("no label edits", |window| {
        window.query_all_by_label_contains("label edit").next().is_none()
    });
}

fn commands(desk: &Desk) -> Vec<ViewportCommand> {
    let output = desk.window.output().viewport_output.get(&ViewportId::ROOT);
    output.map(|output| output.commands.clone()).unwrap_or_default()
}

/// Waits until the app wants this of its window.
pub fn wait_for_command(desk: &mut Desk, command: &ViewportCommand) {
    let mut has_come = false;
    desk.wait_up_to(120, &format!("{command:?}"), |window| {
        let output = window.output().viewport_output.get(&ViewportId::ROOT);
        has_come |= output.is_some_and(|output| output.commands.contains(command));
        has_come
    });
}

#[test]
fn reloading_twice_in_a_hurry_does_not_lock_the_user_out() {
    let mut desk = desk();
    many_steps(&desk);
    desk.keys(Modifiers::NONE, Key::F5);
    desk.wait_for("1 label edit");
    for _ in 0..4 {
        // Long enough for the rows to be read, and not for the edits.
        desk.keys(Modifiers::NONE, Key::F5);
        desk.wait_until("the rows", |window| window.query_all_by_label_contains("Opening").next().is_none());
    }
    desk.wait_for("1 label edit");
    desk.press("Next image");
    desk.keys(Modifiers::NONE, Key::Num2);
    desk.wait_for("2 label edits");
    assert!(!desk.shows("another window"), "{:?}", desk.window.root());
}

#[test]
fn a_label_key_pressed_while_the_labels_are_read_anew_waits_and_a_second_one_is_refused() {
    let mut desk = desk();
    many_steps(&desk);
    desk.press("Next image");
    desk.wait_for("2 of 60");
    desk.keys(Modifiers::NONE, Key::F5);
    desk.wait_until("the reading", |window| window.query_by_label("Reading labels").is_some());
    desk.keys(Modifiers::NONE, Key::Num2);
    assert!(desk.shows("Reading labels") && !desk.shows("press the key again"));
    desk.keys(Modifiers::NONE, Key::Num3);
    assert!(desk.shows("Reading labels") && desk.shows("press the key again"));
    desk.wait_for("2 label edits");
    desk.settle();
    let rows = &desk.window.state().project().unwrap().dataset.rows;
    let classes = |row: usize| rows[row].labels.iter().map(|label| label.class()).collect::<Vec<_>>();
    assert_eq!((classes(1), classes(2)), (vec![Some(1), None, None], vec![None; 3]));
    // It went on to the next task, as it does otherwise.
    desk.keys(Modifiers::NONE, Key::Num3);
    desk.wait_for("3 label edits");
    let labels = &desk.window.state().project().unwrap().dataset.rows[1].labels;
    assert_eq!(labels.iter().map(|label| label.class()).collect::<Vec<_>>(), [Some(1), Some(2), None]);
}

#[test]
fn a_second_save_does_not_reload_what_the_first_one_wrote() {
    let mut desk = desk();
    for (key, saved) in [(Key::Num1, "00.png;solid;"), (Key::Num2, "00.png;solid;")] {
        desk.keys(Modifiers::NONE, key);
        desk.wait_for("1 label edit");
        desk.keys(Modifiers::COMMAND, Key::S);
        wait_for_none(&mut desk);
        desk.settle();
        let table = &desk.window.state().project().unwrap().dataset.table;
        assert!(table.is_edited(), "the rows are those of before, with edits in them: {key:?}");
        assert!(csv(&desk).contains(saved), "{}", csv(&desk));
    }
}

#[test]
fn closing_while_the_disk_refuses_labels_asks_first() {
    let mut desk = desk();
    assert!(close(&mut desk), "nothing is unfinished");
    std::fs::write(path(&desk, "labels.csv.edits"), "in the way").unwrap();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("Label edits cannot be kept");
    assert!(!close(&mut desk));
    desk.wait_for("1 label edit is in memory only");
    desk.press("Keep Tasklens open");
    assert!(!desk.shows("in memory only"));
    desk.keys(Modifiers::NONE, Key::Num2);
    assert!(!close(&mut desk));
    desk.wait_for("2 label edits are in memory only");
    desk.press("Close and lose these edits");
    desk.wait_until("the end", |_| true);
    assert!(close(&mut desk), "the user has decided");
}

#[test]
fn a_window_that_is_closing_closes_by_itself_once_the_disk_takes_the_labels() {
    let mut desk = desk();
    let obstacle = path(&desk, "labels.csv.edits");
    std::fs::write(&obstacle, "in the way").unwrap();
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("Label edits cannot be kept");
    assert!(!close(&mut desk));
    std::fs::remove_file(&obstacle).unwrap();
    wait_for_command(&mut desk, &ViewportCommand::Close);
    assert!(std::fs::read_to_string(obstacle.join("journal.jsonl")).unwrap().contains("solid"));
}

#[test]
fn labels_given_in_another_window_meanwhile_are_not_mixed_with_ours() {
    let mut desk = desk();
    label_elsewhere(&desk, "dotted");
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("were edited in another window meanwhile");
    desk.wait_for("the last labels were lost");
    assert!(close(&mut desk), "nothing can be waited for");
    // It is said what to do, and it can be done.
    desk.keys(Modifiers::NONE, Key::F5);
    desk.wait_for("1 label edit");
    desk.settle();
    desk.keys(Modifiers::COMMAND, Key::S);
    wait_for_none(&mut desk);
    assert!(csv(&desk).contains("00.png;dotted;"), "{}", csv(&desk));
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("1 label edit");
}

#[test]
fn a_rename_that_was_cut_short_is_finished_when_the_project_is_opened() {
    let mut desk = Desk::empty();
    let shop = desk.folder.path().join("shop");
    std::fs::create_dir(&shop).unwrap();
    std::fs::write(shop.join("labels.csv"), "image,print\na.png,solid\nb.png,striped\n").unwrap();
    let config = shop.join("config.yml");
    std::fs::write(
        &config,
        "paths: {model_dataframe: labels.csv}\nmodel: {paths: image, target_encoder: {print: [solid, striped]}}\n",
    )
    .unwrap();
    let rename = VocabularyChange::RenameTask { task: "print".to_owned(), to: "pattern".to_owned() };
    // Killed as soon as the CSV has it: the config has not.
    for at in 0.. {
        inject(at, DiskFault::Killed, || vocabulary::apply(&config, &rename).is_ok());
        if std::fs::read_to_string(shop.join("labels.csv")).unwrap().contains("pattern") {
            break;
        }
        vocabulary::finish(&config).unwrap();
    }
    assert!(!std::fs::read_to_string(&config).unwrap().contains("pattern"));
    desk.window.state().commands().send(tasklens::app::command::AppCommand::OpenPath(config.clone()));
    desk.wait_for("had been interrupted is completed");
    desk.wait_for("pattern");
    assert!(std::fs::read_to_string(&config).unwrap().contains("pattern"));
}
