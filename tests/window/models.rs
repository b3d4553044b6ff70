//! Which run is the current model, and what can be done with runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::AppCommand;
use tasklens::app::place::Place;
use tasklens::app::services::settings::Settings;
use tasklens_data::config::{Backbone, Task};
use tasklens_net::model::checkpoint::{self, Description};
use tasklens_net::model::network::Network;
use tasklens_net::training::events::{EpochMetrics, Event, SplitMetrics, Started, StopReason, Stopped};
use tasklens_net::training::run_folder::{BEST, EVENTS};
use tasklens_net::training::run_note::RunNote;

use crate::desk::{Desk, PRINTS, SLEEVES};

/// Writes a run of the drawn garments as training leaves it: its last event, and the accuracies of its only epoch,
/// where that was completed.
pub fn write_run(desk: &Desk, name: &str, accuracies: Option<[f64; 2]>, hours_old: u64) -> PathBuf {
    let run = runs(desk).join(name);
    std::fs::create_dir_all(&run).unwrap();
    let started = Event::Started(Started {
        run: run.clone(),
        device: "CPU".into(),
        precision: "fp32".into(),
        parameters: 1,
        n_train: 32,
        n_validation: 8,
        tasks: vec!["print".into(), "sleeves".into()],
        validation_labels: Vec::new(),
        epochs: 1,
        epochs_done: 0,
        weights: "from scratch".into(),
        found_batch_size: None,
    });
    let epoch = |accuracies: [f64; 2]| {
        let split = SplitMetrics { loss: 0.5, task_loss: vec![0.25; 2], task_accuracy: accuracies.to_vec() };
        Event::Epoch(EpochMetrics {
            epoch: 1,
            learning_rate: 0.001,
            secs: 1.0,
            images_per_sec: 8.0,
            train: split.clone(),
            validation: split,
            best: true,
            gradient_shares: Vec::new(),
        })
    };
    let why = if accuracies.is_some() { StopReason::Finished } else { StopReason::Asked };
    let best_epoch = accuracies.map(|_| 1);
    let stopped =
        Event::Stopped(Stopped { why, best_epoch, best: None, model: Some(run.join(BEST)), secs: 1.0 });
    let events = [Some(started), accuracies.map(epoch), Some(stopped)];
    let lines = events.into_iter().flatten().map(|event| serde_json::to_string(&event).unwrap() + "\n");
    std::fs::write(run.join(BEST), "weights").unwrap();
    std::fs::write(run.join(EVENTS), lines.collect::<String>()).unwrap();
    let then = SystemTime::now() - Duration::from_secs(hours_old * 3600 + 60);
    std::fs::File::options().append(true).open(run.join(EVENTS)).unwrap().set_modified(then).unwrap();
    run
}

fn runs(desk: &Desk) -> PathBuf {
    desk.folder.path().join("garments/runs")
}

/// Waits for what the chip in the status bar says.
fn wait_for_model(desk: &mut Desk, name: &str) {
    let start = format!("Current model: {name},");
    desk.wait_until(&start, |window| window.query_all_by_label_contains(&start).next().is_some());
}

/// Has the runs read again, as whenever another place is shown.
fn read_again(desk: &mut Desk) {
    desk.go_to(Place::Data);
    desk.go_to(Place::Train);
    desk.settle();
}

#[test]
fn after_a_restart_a_run_that_was_cut_off_is_not_the_current_model() {
    let mut desk = Desk::with_garments(12);
    write_run(&desk, "2026-11-01_10-00-00", Some([0.8, 0.9]), 30);
    write_run(&desk, "2026-11-02_10-00-00", None, 1);
    read_again(&mut desk);
    wait_for_model(&mut desk, "2026-11-01_10-00-00");
    let mut desk = desk.restart();
    wait_for_model(&mut desk, "2026-11-01_10-00-00, the best run, print 80.0 %  sleeves 90.0 %");
    assert!(!desk.shows("The current model is now"), "nothing has changed");
}

/// Puts a network for the drawn garments into a run.
/// Puts a network that was never trained into a run of the drawn garments.
pub fn write_network(run: &Path) {
    let task = |name: &str, labels: &[&str]| Task {
        name: name.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    let tasks = vec![task("print", &PRINTS), task("sleeves", &SLEEVES)];
    let backbone = Backbone::XceptionSmall;
    let network = Network::new(backbone, &tasks, 1, tch::Device::Cpu).unwrap();
    let description = Description {
        epoch: 1,
        extra: serde_json::json!({ "metrics": null }),
        ..Description::new(backbone, tasks, (64, 64), "fp32")
    };
    checkpoint::write(&run.join(BEST), &network, &description, &[]).unwrap();
}

#[test]
fn every_place_follows_the_current_model_and_says_where_it_shows_another() {
    let mut desk = Desk::with_garments(12);
    let first = write_run(&desk, "2026-11-01_10-00-00", Some([0.8, 0.9]), 30);
    write_network(&first);
    read_again(&mut desk);
    wait_for_model(&mut desk, "2026-11-01_10-00-00");
    in_every_place(&mut desk, "2026-11-01_10-00-00");
    let second = write_run(&desk, "2026-11-02_10-00-00", Some([0.9, 0.9]), 1);
    write_network(&second);
    read_again(&mut desk);
    wait_for_model(&mut desk, "2026-11-02_10-00-00");
    in_every_place(&mut desk, "2026-11-02_10-00-00");

    // One looks at another run, and at the current one again.
    desk.press("Run to inspect");
    desk.press("2026-11-01_10-00-00, print 80.0 %  sleeves 90.0 %, yesterday");
    desk.wait_for("Inspect the current model");
    is_inspected(&mut desk, "2026-11-01_10-00-00");
    wait_for_model(&mut desk, "2026-11-02_10-00-00");
    desk.press("Inspect the current model");
    is_inspected(&mut desk, "2026-11-02_10-00-00");
    assert!(!desk.shows("Inspect the current model"));
}

/// Label, Predict and Inspect have this run, in the end.
fn in_every_place(desk: &mut Desk, run: &str) {
    desk.go_to(Place::Label);
    desk.wait_until("the model in Label", |window| {
        window
            .query_by_label("Suggestions from")
            .and_then(|menu| menu.accesskit_node().value())
            .is_some_and(|model| model == run)
    });
    desk.go_to(Place::Predict);
    desk.wait_until("the model in Predict", |window| window.query_all_by_label(run).next().is_some());
    desk.go_to(Place::Inspect);
    is_inspected(desk, run);
}

fn is_inspected(desk: &mut Desk, run: &str) {
    desk.wait_until("the run in Inspect", |window| {
        window
            .query_by_label("Run to inspect")
            .and_then(|menu| menu.accesskit_node().value())
            .is_some_and(|shown| shown == run)
    });
}

#[test]
fn a_better_run_becomes_the_current_model_with_a_notice_that_can_be_undone() {
    let mut desk = Desk::with_garments(12);
    let first = write_run(&desk, "2026-11-01_10-00-00", Some([0.8, 0.9]), 30);
    read_again(&mut desk);
    wait_for_model(&mut desk, "2026-11-01_10-00-00");
    let second = write_run(&desk, "2026-11-03_10-00-00", Some([0.9, 0.9]), 1);
    read_again(&mut desk);
    wait_for_model(&mut desk, "2026-11-03_10-00-00, the best run");
    desk.wait_for(
        "The current model is now 2026-11-03_10-00-00 (90.0 %). Before, it was 2026-11-01_10-00-00 (85.0 %)",
    );
    desk.press("Undo the change");
    wait_for_model(&mut desk, "2026-11-01_10-00-00, chosen by you");
    let config = desk.folder.path().join("garments/config.yml");
    desk.settle();
    let kept = Settings::read(&desk.folder.path().join("settings/settings.json")).0;
    assert_eq!(kept.models[&config].chosen, Some(first));

    // The choice is kept: across a restart, and when a run is better still.
    let mut desk = desk.restart();
    wait_for_model(&mut desk, "2026-11-01_10-00-00, chosen by you");
    write_run(&desk, "2026-11-04_10-00-00", Some([1.0, 1.0]), 0);
    read_again(&mut desk);
    desk.wait_for("2026-11-01_10-00-00 (85.0 %) stays the current model, as you chose it");
    // Until the user wants the best again.
    desk.press_containing("Current model: 2026");
    desk.press("Best run (changes as runs get better)");
    wait_for_model(&mut desk, "2026-11-04_10-00-00, the best run");
    // Any run can be chosen from the menu, with its name, accuracies and age.
    desk.press_containing("Current model: 2026");
    desk.press("2026-11-03_10-00-00, print 90.0 %  sleeves 90.0 %, 1 h ago");
    wait_for_model(&mut desk, "2026-11-03_10-00-00, chosen by you");
    desk.settle();
    let kept = Settings::read(&desk.folder.path().join("settings/settings.json")).0;
    assert_eq!(kept.models[&config].chosen, Some(second));
    // One that stays behind by the user's choice can be taken all the same.
    write_run(&desk, "2026-11-05_10-00-00", Some([0.6, 0.6]), 0);
    read_again(&mut desk);
    desk.wait_for("The new run is 2026-11-05_10-00-00 (60.0 %)");
    desk.press("Use the new one");
    wait_for_model(&mut desk, "2026-11-05_10-00-00, chosen by you");
}

#[test]
fn a_run_has_a_name_and_a_note_by_which_it_is_found() {
    let mut desk = Desk::with_garments(12);
    let run = write_run(&desk, "2026-11-01_10-00-00", Some([0.8, 0.9]), 30);
    for day in 2..=6 {
        write_run(&desk, &format!("2026-11-0{day}_10-00-00"), Some([0.5, 0.5]), 20);
    }
    read_again(&mut desk);
    desk.press("Find a run by name or note");
    desk.type_text("11-01");
    assert!(!desk.shows("More: 2026-11-02"), "the list has only what was looked for");
    desk.press("More: 2026-11-01_10-00-00");
    desk.press("Describe");
    desk.type_text("All the prints");
    desk.press("Note on the run");
    desk.type_text("with flips");
    desk.press("Save");
    wait_for_model(&mut desk, "All the prints");
    let said = RunNote { name: "All the prints".to_owned(), note: "with flips".to_owned() };
    assert_eq!(RunNote::read(&run).unwrap(), said);
    // It is still found by the name of its folder, and by its note.
    for text in ["11-01", "FLIPS"] {
        desk.node("Find a run by name or note").focus();
        desk.keys(egui::Modifiers::COMMAND, egui::Key::A);
        desk.type_text(text);
        assert!(desk.shows("More: All the prints") && !desk.shows("More: 2026"), "{text}");
    }
}

#[test]
fn a_run_is_exported_for_other_programs_from_its_menu() {
    let mut desk = Desk::with_garments(12);
    let run = write_run(&desk, "2026-11-01_10-00-00", Some([0.8, 0.9]), 30);
    write_network(&run);
    write_run(&desk, "2026-11-02_10-00-00", None, 1);
    read_again(&mut desk);
    desk.window.query_all_by_label("2026-11-01_10-00-00").last().unwrap().click_secondary();
    desk.wait_for("Export model\u{2026}");
    desk.keys(egui::Modifiers::NONE, egui::Key::Escape);
    desk.settle();
    desk.go_to(Place::Predict);
    desk.press("Try validation images");
    desk.wait_for("Export model\u{2026}");

    let file = desk.folder.path().join("mine.onnx");
    let export = |desk: &mut Desk, file: PathBuf| {
        desk.window.state().commands().send(AppCommand::ExportModel { model: run.clone(), file });
    };
    export(&mut desk, file.clone());
    desk.wait_for("The model is in ");
    assert!(desk.shows("Show in folder"));
    assert!(file.metadata().unwrap().len() > 1_000_000);
    let card = std::fs::read_to_string(file.with_extension("md")).unwrap();
    assert!(card.contains("from the run 2026-11-01\\_10-00-00 by Tasklens"), "{card}");
    assert!(card.contains("| print | solid, striped, dotted |"), "{card}");

    // Whoever chooses a file that is there has agreed to replace it.
    std::fs::write(&file, "an older model").unwrap();
    desk.press("Dismiss");
    export(&mut desk, file.clone());
    desk.wait_for("The model is in ");
    assert!(file.metadata().unwrap().len() > 1_000_000);

    let other = desk.folder.path().join("mine.txt");
    export(&mut desk, other);
    desk.wait_for("does not end in `.onnx`: choose a file name that does");
}

#[test]
fn a_deleted_run_goes_into_the_bin_and_comes_back() {
    let mut desk = Desk::with_garments(12);
    let worse = write_run(&desk, "2026-11-01_10-00-00", Some([0.5, 0.5]), 30);
    let best = write_run(&desk, "2026-11-02_10-00-00", Some([0.8, 0.9]), 20);
    read_again(&mut desk);
    wait_for_model(&mut desk, "2026-11-02_10-00-00");
    desk.press("More: 2026-11-02_10-00-00");
    desk.press("Delete");
    // To bring it back matters more than what follows from it, which is in the log.
    desk.wait_for("2026-11-02_10-00-00 was moved to");
    desk.wait_for("1 more");
    assert!(desk.shows("Undo deleting") && !desk.shows("is gone"));
    desk.press_containing("1 more");
    assert!(desk.shows("2026-11-02_10-00-00 is gone. The current model is now 2026-11-01_10-00-00 (50.0 %)"));
    assert!(!best.exists() && worse.is_dir() && runs(&desk).join(".bin/2026-11-02_10-00-00").is_dir());
    desk.press("Undo deleting");
    desk.wait_until("the run", |_| best.is_dir());
    wait_for_model(&mut desk, "2026-11-02_10-00-00");
    assert!(is_same(&best.join(BEST), b"weights"));
}

fn is_same(file: &Path, bytes: &[u8]) -> bool {
    std::fs::read(file).unwrap() == bytes
}
