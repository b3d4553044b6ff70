//! One network or several? A study of a drawn sample from its start to its result.

use std::path::{Path, PathBuf};

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::command::AppCommand;
use tasklens::app::place::Place;
use tasklens_net::study::StoredStudy;

use crate::desk::Desk;
use crate::whole_loop::trainable;

fn small(folder: &Path) -> Start {
    let start = trainable(folder);
    let config = start.open.as_ref().unwrap();
    let text = std::fs::read_to_string(config).unwrap();
    std::fs::write(config, text.replace("epochs: 40", "epochs: 1").replace("[64, 64]", "[32, 32]")).unwrap();
    start
}

fn to_study(desk: &mut Desk) {
    desk.go_to(Place::Train);
    desk.press("One network or several?");
}

#[test]
fn a_study_is_started_stopped_gone_on_with_looked_at_saved_and_found_again() {
    let mut desk = Desk::with(egui::vec2(1280.0, 1400.0), small);
    desk.wait_for("24 rows");
    to_study(&mut desk);
    desk.wait_for("3 networks: all tasks, print alone, sleeves alone, with seed 1");
    desk.press("Start the study");
    desk.wait_up_to(60, "the second network", |window| {
        window.query_all_by_label_contains("Network 2 of 3: print alone").next().is_some()
    });
    assert!(!desk.node("Stop the study").accesskit_node().is_disabled());
    desk.press("Stop the study");
    desk.wait_up_to(60, "the end of the study", |window| {
        window.query_all_by_label_contains("what is trained is kept").next().is_some()
    });
    let runs = desk.folder.path().join("garments/runs");
    let (found, _) = StoredStudy::list(&runs);
    assert!(found.len() == 1 && !found[0].is_over(), "{found:?}");
    desk.wait_for("unfinished: 1 of 3 trained");
    let name = found[0].plan.name().to_owned();

    desk.settle();
    desk.press(&format!("Go on with the study {name}"));
    desk.wait_up_to(240, "the result", |window| window.query_by_label("What came of it").is_some());
    let report = StoredStudy::list(&runs).0.remove(0).report.expect("a result on the disk");
    assert_eq!((report.tasks.len(), report.runs.len()), (2, 3));
    assert!(desk.shows("One network is") && desk.shows("What the features know"));
    desk.settle();

    let page = desk.folder.path().join("study.html");
    let html = tasklens_net::study::page::page(&report, &name);
    desk.window.state().commands().send(AppCommand::SavePage { file: page.clone(), page: html });
    desk.wait_for("The page is in");
    assert!(std::fs::read_to_string(&page).unwrap().contains("Time of a prediction"));

    // As after a restart.
    let config: PathBuf = desk.folder.path().join("garments/config.yml");
    let mut again = Desk::with(egui::vec2(1280.0, 1400.0), |_| Start { open: Some(config) });
    again.wait_for("24 rows");
    to_study(&mut again);
    again.wait_for("What came of it");
    again.settle();
    again.press("Inspect the network of print alone, seed 1");
    let run = format!("{name}-seed1-1-print");
    again.wait_until("the run in Inspect", |window| {
        let shown = window.query_by_label("Run to inspect").and_then(|menu| menu.value());
        shown.as_deref() == Some(&run)
    });
}

#[test]
fn a_run_and_a_study_exclude_each_other() {
    let mut desk = Desk::with(egui::vec2(1280.0, 1400.0), trainable);
    desk.wait_for("24 rows");
    to_study(&mut desk);
    desk.wait_for("3 networks");
    desk.press("Start the study");
    desk.wait_for("Network 1 of 3: all tasks");
    desk.press("Training");
    assert!(desk.node("Start training").accesskit_node().is_disabled());
    assert!(desk.node("Pause training").accesskit_node().is_disabled());
    desk.keys(egui::Modifiers::COMMAND, egui::Key::Enter);
    assert!(desk.shows("Network 1 of 3"), "the status bar goes on with the study");
    desk.press("Stop training");
    desk.wait_up_to(60, "the end of the study", |window| {
        window.query_all_by_label_contains("what is trained is kept").next().is_some()
    });
    assert!(!desk.node("Start training").accesskit_node().is_disabled());
}
