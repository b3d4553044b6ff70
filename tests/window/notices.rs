//! One quiet place for notices, and the log behind it.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, CommandSender, Level, Notice, Subject, UiCommand};
use tasklens::app::place::Place;

use crate::desk::{Desk, write_garments};
use crate::whole_loop::trainable;

fn commands(desk: &Desk) -> CommandSender {
    desk.window.state().commands().clone()
}

fn has_notice(desk: &Desk) -> bool {
    desk.window.query_by_label("Dismiss").is_some()
}

#[test]
fn one_notice_is_shown_and_the_log_has_the_others() {
    let mut desk = Desk::with_garments(12);
    assert!(!has_notice(&desk));
    let commands = commands(&desk);
    commands.toast(Level::Error, "The disk is full");
    let warning = Notice::new(Level::Warning, "Nothing suggests labels yet");
    commands.notify(warning.offering("Show training", AppCommand::Ui(UiCommand::ShowTrain)));
    commands.toast(Level::Success, "12 images were written");
    desk.window.run_steps(3);
    assert!(desk.shows("The disk is full") && desk.shows("2 more"));
    assert!(!desk.shows("Nothing suggests") && !desk.shows("were written"));
    assert!(desk.window.query_by_label("Log, 2 unseen").is_some());

    // The error survives time and another place.
    desk.go_to(Place::Label);
    desk.window.run_steps(60);
    assert!(desk.shows("The disk is full"));
    desk.press("Log, 2 unseen");
    assert!(!has_notice(&desk) && desk.window.query_by_label("Log, 2 unseen").is_none());
    for line in
        ["The disk is full", "Nothing suggests", "were written", "12 rows", "Finished: Checking images"]
    {
        assert!(desk.shows(line), "{line}");
    }
    desk.press("Show training");
    assert!(desk.window.query_by_label("Show training").is_none(), "it is done");
    desk.keys(Modifiers::COMMAND, Key::J);
    assert!(!has_notice(&desk) && !desk.shows("The disk is full"));
}

#[test]
fn the_whole_log_can_be_copied() {
    let mut desk = Desk::with_garments(12);
    commands(&desk).toast(Level::Error, "The disk is full");
    desk.keys(Modifiers::COMMAND, Key::J);
    desk.node("Copy all").click();
    let mut copied = None;
    for _ in 0..5 {
        desk.window.step();
        let commands = desk.window.output().platform_output.commands.iter();
        copied = copied.or(commands.cloned().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text),
            _ => None,
        }));
    }
    let text = copied.expect("a text for the clipboard");
    assert!(text.contains("error: The disk is full\n") && text.contains("config.yml has 12 rows"), "{text}");
}

#[test]
fn images_that_cannot_be_used_are_told_elsewhere_than_in_data_and_are_shown() {
    let mut desk = Desk::with_garments(12);
    let lose = |desk: &Desk, name: &str| {
        std::fs::remove_file(desk.folder.path().join("garments").join(name)).unwrap();
        commands(desk).ui(UiCommand::CheckImages);
    };
    lose(&desk, "garment_1.png");
    desk.wait_for("Problems  2");
    desk.settle();
    assert!(!has_notice(&desk), "Data shows it");
    desk.go_to(Place::Train);
    lose(&desk, "garment_2.png");
    desk.wait_for("1 image cannot be used");
    desk.press("Show rows");
    desk.wait_for("3 of 12 rows");
    assert!(!has_notice(&desk) && desk.shows("Problems  3"));
}

#[test]
fn a_notice_goes_when_what_it_offers_is_done_by_another_way() {
    let mut desk = Desk::with_garments(12);
    desk.go_to(Place::Label);
    let notice = Notice::new(Level::Warning, "The run has failed").about(Subject::Training);
    commands(&desk).notify(notice.offering("Show training", AppCommand::Ui(UiCommand::ShowTrain)));
    desk.window.run_steps(3);
    assert!(desk.shows("The run has failed"));
    desk.go_to(Place::Train);
    assert!(!has_notice(&desk));
}

#[test]
fn pressing_pause_and_stop_answers_at_once() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), trainable);
    desk.wait_for("24 rows");
    desk.go_to(Place::Train);
    desk.press("Start training");
    desk.wait_up_to(60, "an epoch", |window| {
        window.query_all_by_label_contains("training: ").next().is_some()
    });
    // Two frames: one that takes the press, one that shows what came of it.
    desk.node("Pause training").click();
    desk.window.run_steps(2);
    assert!(desk.shows("pausing") || desk.shows("Resume training"), "{:?}", desk.window.root());
    desk.wait_for("paused");
    desk.node("Stop training").click();
    desk.window.run_steps(2);
    assert!(desk.shows("stopping") || desk.shows("Stopped at your request"));
    desk.wait_for("Stopped at your request");
    assert!(!has_notice(&desk), "Train shows it");
}

/// What a notice must not cover in Label.
fn to_be_seen(desk: &Desk) -> Vec<(String, egui::Rect)> {
    let is_progress = |name: &str| name.ends_with("images labelled");
    let is_label = |name: &str| name.starts_with("print: ") || name.starts_with("sleeves: ");
    let named = desk.window.query_all_by_label_contains(": ");
    let named = named.filter_map(|node| Some((node.accesskit_node().label()?, node.rect())));
    named.filter(|(name, _)| is_progress(name) || is_label(name)).collect()
}

#[test]
fn a_notice_in_label_covers_neither_labels_nor_progress() {
    for size in [egui::vec2(1280.0, 800.0), egui::vec2(800.0, 600.0)] {
        let mut desk = Desk::with(size, |folder| Start { open: Some(write_garments(folder, 24)) });
        desk.wait_for("garment_0.png");
        desk.go_to(Place::Label);
        desk.wait_for("1 of 24");
        desk.settle();
        for mode in ["one image", "the grid"] {
            let notice = Notice::new(Level::Error, "The labels cannot be saved: the disk is full");
            commands(&desk).notify(notice.offering("Reload", AppCommand::Ui(UiCommand::ReloadProject)));
            desk.window.run_steps(6);
            let [dismiss, reload] = ["Dismiss", "Reload"].map(|name| desk.node(name).rect());
            let covered = dismiss.union(reload);
            let message = desk.window.get_by_label_contains("The labels cannot be saved").rect();
            let covered = covered.union(message).expand(8.0);
            let all = to_be_seen(&desk);
            assert!(all.iter().any(|(name, _)| name.ends_with("images labelled")), "{mode}: {all:?}");
            for (name, rect) in all {
                assert!(!covered.intersects(rect), "{mode} at {size}: {name} at {rect} is below {covered}");
            }
            let window = desk.window.ctx.content_rect();
            assert!(window.contains_rect(covered), "{mode} at {size}: {covered}");
            desk.press("Dismiss");
            desk.keys(Modifiers::NONE, Key::G);
            desk.settle();
        }
    }
}
