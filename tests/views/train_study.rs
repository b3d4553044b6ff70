//! One network or several? The form of a study, its course, what came of it; and the shares of the gradient.

use std::path::{Path, PathBuf};

use egui::Theme;
use egui_kittest::Harness;
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens::app::context::TrainingState;
use tasklens_data::config::Config;
use tasklens_net::study::report::{NeighbourRow, StudyReport, TaskResult, Times};
use tasklens_net::study::{StudyEvent, StudyPlan};
use tasklens_net::training::events::{
    BatchProgress, EpochMetrics, Event, Phase, Started, StopReason, Stopped,
};

use super::stage::{THEMES, snapshot};
use super::train::{Train, WINDOW, measured, metrics, play, press, stage, started, train, wait_for};

/// 800x600 without rail and status bar.
const SMALL: [f32; 2] = [728.0, 572.0];
const TAB: &str = "One network or several?";

type Desk = Harness<'static, Option<Train>>;

fn with_form(theme: Theme, size: [f32; 2]) -> (Desk, PathBuf) {
    let (mut desk, folder) = stage(theme, size, 1.0, true);
    desk.get_by_role_and_label(egui::accesskit::Role::Tab, TAB).click();
    desk.run_steps(2);
    desk.remove_cursor();
    wait_for(&mut desk, |desk| desk.query_by_label_contains("Training takes up to").map(|_| ()));
    (desk, folder)
}

fn plan(folder: &Path, seeds: usize) -> StudyPlan {
    let mut config = Config::open(&folder.join("config.yml")).unwrap();
    // As shown in a result, wherever the test runs.
    config.model.random_seed = 1;
    StudyPlan::new(config, Some(3), seeds, "2026-11-28_14-02-11-study").unwrap()
}

fn tell(desk: &mut Desk, events: Vec<StudyEvent>, state: TrainingState) {
    let stage = train(desk);
    for event in events {
        stage.view.on_study_event(&event);
    }
    stage.training = state;
    desk.run_steps(4);
}

/// Writes the run of a network that is over.
fn trained(folder: &Path, accuracy: f64, tasks: &[String]) {
    std::fs::create_dir_all(folder).unwrap();
    let Event::Started(started) = started() else { unreachable!() };
    let started = Started { run: folder.into(), tasks: tasks.to_vec(), epochs: 3, ..started };
    let epoch = |epoch: usize| {
        let mut metrics = metrics(epoch, epoch == 3);
        for split in [&mut metrics.train, &mut metrics.validation] {
            split.task_loss = vec![0.5; tasks.len()];
            split.task_accuracy = vec![accuracy; tasks.len()];
        }
        Event::Epoch(metrics)
    };
    let (why, secs) = (StopReason::Finished, 100.0);
    let stopped = Event::Stopped(Stopped { why, best_epoch: Some(3), best: None, model: None, secs });
    let lines = [Event::Started(started), epoch(1), epoch(2), epoch(3), stopped];
    let lines: Vec<String> = lines.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    std::fs::write(folder.join("events.jsonl"), lines.join("\n") + "\n").unwrap();
    std::fs::write(folder.join("best.safetensors"), "weights").unwrap();
}

/// A study whose second network is trained.
fn running(theme: Theme, size: [f32; 2]) -> (Desk, PathBuf) {
    let (mut desk, folder) = with_form(theme, size);
    let plan = plan(&folder, 1);
    trained(&plan.runs()[0].folder, 0.925, &["print", "sleeves", "neckline"].map(str::to_owned));
    train(&mut desk).runs.read_again();
    train(&mut desk).view.on_study_start(&plan);
    let Event::Started(started) = started() else { unreachable!() };
    let started = Started { tasks: vec!["print".to_owned()], epochs: 3, ..started };
    let of_one = |epoch| {
        let mut metrics = metrics(epoch, true);
        for split in [&mut metrics.train, &mut metrics.validation] {
            split.task_loss.truncate(1);
            split.task_accuracy.truncate(1);
        }
        Event::Epoch(metrics)
    };
    let batch = BatchProgress {
        epoch: 3,
        phase: Phase::Train,
        done: 1024,
        of: 2731,
        images_per_sec: 61.3,
        loss: 0.4321,
        phase_secs_left: 28.0,
        secs_left: 28.0,
        latest: None,
    };
    let training = [Event::Started(started), of_one(1), of_one(2), Event::Batch(batch)];
    let begins = [StudyEvent::Run { index: 0, is_over: true }, StudyEvent::Run { index: 1, is_over: false }];
    let events = begins.into_iter().chain(training.map(StudyEvent::Training)).collect();
    tell(&mut desk, events, TrainingState::Running);
    wait_for(&mut desk, |desk| desk.query_by_label_contains("1 of 4 networks are trained").map(|_| ()));
    (desk, folder)
}

fn report(plan: &StudyPlan) -> StudyReport {
    let task = |name: &str, all: [f64; 3], single: [f64; 3]| TaskResult {
        task: name.to_owned(),
        all: all.to_vec(),
        single: single.to_vec(),
    };
    let row = |network: &str, right: [usize; 3]| NeighbourRow {
        network: network.to_owned(),
        accuracies: right.map(|right| (right, 341)).to_vec(),
    };
    StudyReport {
        epochs: 3,
        seeds: plan.seeds().to_vec(),
        tasks: vec![
            task("print", [0.905, 0.921, 0.914], [0.884, 0.881, 0.893]),
            task("sleeves", [0.981, 0.985, 0.978], [0.975, 0.983, 0.979]),
            task("neckline", [0.824, 0.861, 0.803], [0.842, 0.837, 0.853]),
        ],
        times: Times {
            batch: 16,
            all: 0.0112,
            single: 0.0336,
            all_one_by_one: 0.0154,
            single_one_by_one: 0.0449,
        },
        neighbours: vec![
            row("all tasks", [302, 336, 327]),
            row("print", [301, 270, 255]),
            row("sleeves", [263, 322, 300]),
            row("neckline", [240, 281, 318]),
        ],
        runs: plan
            .runs()
            .iter()
            .map(|run| run.folder.file_name().unwrap().to_string_lossy().into())
            .collect(),
        notices: Vec::new(),
    }
}

/// A study of three seeds that is over.
fn finished(theme: Theme, size: [f32; 2]) -> (Desk, PathBuf) {
    let (mut desk, folder) = with_form(theme, size);
    let plan = plan(&folder, 3);
    for run in plan.runs() {
        let tasks: Vec<String> = run.config.model.tasks.iter().map(|task| task.name.clone()).collect();
        trained(&run.folder, 0.9, &tasks);
    }
    train(&mut desk).runs.read_again();
    train(&mut desk).view.on_study_start(&plan);
    tell(&mut desk, vec![StudyEvent::Finished(Box::new(report(&plan)))], TrainingState::Idle);
    measured(&mut desk);
    wait_for(&mut desk, |desk| desk.query_by_label_contains("Training takes up to").map(|_| ()));
    (desk, folder)
}

/// Writes a study of one seed that was stopped after its first network, and one of three seeds that is over.
fn stored(folder: &Path) {
    let runs = folder.join("runs");
    std::fs::create_dir_all(&runs).unwrap();
    let mut config = Config::open(&folder.join("config.yml")).unwrap();
    (config.model.random_seed, config.model.epochs) = (1, 3);
    let write = |name: &str, seeds: usize, report: Option<StudyReport>| {
        let study =
            serde_json::json!({ "config": config.to_yaml_in(&runs), "seeds": seeds, "report": report });
        std::fs::write(runs.join(format!("{name}.study.json")), study.to_string()).unwrap();
    };
    write("2026-11-27_09-00-00-study", 3, Some(report(&plan(folder, 3))));
    write("2026-11-28_14-02-11-study", 1, None);
    trained(&plan(folder, 1).runs()[0].folder, 0.925, &["print", "sleeves", "neckline"].map(str::to_owned));
}

/// After a restart: studies are on the disk.
fn reopened(theme: Theme, size: [f32; 2]) -> (Desk, PathBuf) {
    let (mut desk, folder) = with_form(theme, size);
    stored(&folder);
    train(&mut desk).runs.read_again();
    wait_for(&mut desk, |desk| desk.query_by_label_contains("unfinished: 1 of 4 trained").map(|_| ()));
    desk.run_steps(2);
    (desk, folder)
}

fn scroll(desk: &mut Desk, to: &str) {
    desk.get_by_label_contains(to).scroll_to_me();
    desk.run_steps(8);
}

#[test]
fn the_form_says_what_is_trained_and_how_long_that_takes_and_starts_a_study() {
    let (mut desk, folder) = with_form(Theme::Dark, WINDOW);
    assert!(
        desk.query_by_label_contains("4 networks: all tasks, print alone, sleeves alone, neckline alone")
            .is_some()
    );
    // Four times what the way that is chosen takes.
    assert!(desk.query_by_label_contains("up to 3:45:00").is_some(), "4 x 3,333 s");
    train(&mut desk).sent();
    press(&mut desk, "Start the study");
    let request = wait_for(&mut desk, |desk| {
        train(desk).sent().into_iter().find_map(|command| match command {
            AppCommand::StartStudy(request) => Some(request),
            AppCommand::Notify(notice) => panic!("{}", notice.message),
            _ => None,
        })
    });
    assert_eq!((request.plan.seeds().len(), request.plan.runs().len()), (1, 4));
    assert!(request.plan.runs()[0].folder.starts_with(folder.join("runs")));
}

#[test]
fn while_a_run_goes_on_no_study_begins_and_while_a_study_goes_on_it_can_only_be_stopped() {
    let (mut desk, _folder) = with_form(Theme::Dark, WINDOW);
    play(&mut desk, &[started()], TrainingState::Running);
    assert!(desk.get_by_label("Start the study").accesskit_node().is_disabled());
    let (mut desk, _folder) = running(Theme::Dark, WINDOW);
    assert!(desk.query_by_label("Start the study").is_none());
    train(&mut desk).sent();
    press(&mut desk, "Stop the study");
    let sent = train(&mut desk).sent();
    assert!(sent.iter().any(|it| matches!(it, AppCommand::Ui(UiCommand::StopTraining))), "{sent:?}");
    press(&mut desk, "Training");
    for name in ["Start training", "Pause training"] {
        assert!(desk.get_by_label(name).accesskit_node().is_disabled(), "{name}");
    }
}

#[test]
fn a_result_is_saved_as_a_page_and_its_runs_are_inspected() {
    let (mut desk, folder) = finished(Theme::Dark, WINDOW);
    assert!(desk.query_by_label("sleeves, all tasks: 98.1 % (97.3 to 99.0)").is_some());
    assert!(desk.query_by_label("in batches of 16, 3 networks: 33.6 ms").is_some());
    train(&mut desk).sent();
    press(&mut desk, "Save as page");
    let sent = train(&mut desk).sent();
    let page = sent.iter().find_map(|command| match command {
        AppCommand::AskWhereToSavePage { name, page } => Some((name.as_str(), page)),
        _ => None,
    });
    let (name, page) = page.expect("a page");
    assert_eq!(name, "2026-11-28_14-02-11-study.html");
    assert!(page.contains("aria-label=\"Accuracy of each task\"") && page.contains("<b>3.00 times</b>"));
    scroll(&mut desk, "Its networks");
    press(&mut desk, "Inspect the network of sleeves alone, seed 2");
    let sent = train(&mut desk).sent();
    let run = folder.join("runs/2026-11-28_14-02-11-study-seed2-2-sleeves");
    assert!(sent.iter().any(|it| matches!(it, AppCommand::InspectRun(path) if *path == run)), "{sent:?}");
}

#[test]
fn studies_are_found_again_and_one_that_was_stopped_goes_on() {
    let (mut desk, folder) = reopened(Theme::Dark, WINDOW);
    assert!(desk.query_by_label("What came of it").is_some(), "the result of the one that is over");
    train(&mut desk).sent();
    press(&mut desk, "Go on with the study 2026-11-28_14-02-11-study");
    let sent = train(&mut desk).sent();
    let request = sent.iter().find_map(|command| match command {
        AppCommand::StartStudy(request) => Some(request),
        _ => None,
    });
    let plan = &request.expect("a study").plan;
    assert_eq!((plan.name(), plan.epochs(), plan.seeds()), ("2026-11-28_14-02-11-study", 3, &[1][..]));
    assert_eq!(plan.runs()[0].folder, folder.join("runs/2026-11-28_14-02-11-study-seed1-all"));
}

#[test]
fn pictures_of_a_study() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (mut desk, _folder) = with_form(theme, WINDOW);
        snapshot(&mut desk, "study_form");
        pictures.extend_harness(&mut desk);
        let (mut desk, _folder) = running(theme, WINDOW);
        snapshot(&mut desk, "study_running");
        pictures.extend_harness(&mut desk);
        let (mut desk, _folder) = finished(theme, WINDOW);
        snapshot(&mut desk, "study_result");
        scroll(&mut desk, "Its networks");
        snapshot(&mut desk, "study_result_tables");
        pictures.extend_harness(&mut desk);
        let (mut desk, _folder) = reopened(theme, WINDOW);
        snapshot(&mut desk, "study_earlier");
        pictures.extend_harness(&mut desk);
    }
}

#[test]
fn pictures_of_a_study_in_a_small_window() {
    let mut pictures = SnapshotResults::new();
    let (mut desk, _folder) = with_form(Theme::Light, SMALL);
    snapshot(&mut desk, "study_small_form");
    pictures.extend_harness(&mut desk);
    let (mut desk, _folder) = running(Theme::Dark, SMALL);
    snapshot(&mut desk, "study_small_running");
    pictures.extend_harness(&mut desk);
    let (mut desk, _folder) = finished(Theme::Light, SMALL);
    scroll(&mut desk, "Time of a prediction");
    snapshot(&mut desk, "study_small_result");
    pictures.extend_harness(&mut desk);
}

/// Nine epochs in which the neckline has less and less of the gradient and does not get better.
fn shares() -> Vec<Event> {
    let epoch = |epoch: usize| {
        let starved = 0.3 * 0.7_f64.powi(epoch as i32);
        let mut metrics: EpochMetrics = metrics(epoch, true);
        metrics.gradient_shares = vec![0.6 - 0.4 * starved, 0.4 - 0.6 * starved, starved];
        metrics.train.task_accuracy[2] = 0.62;
        metrics.validation.task_accuracy[2] = 0.55;
        Event::Epoch(metrics)
    };
    std::iter::once(started()).chain((1..=9).map(epoch)).collect()
}

#[test]
fn the_shares_of_the_gradient_are_shown_and_a_starved_task_is_told() {
    let mut pictures = SnapshotResults::new();
    for (theme, size) in [(Theme::Dark, WINDOW), (Theme::Light, WINDOW), (Theme::Light, SMALL)] {
        let (mut desk, _folder) = stage(theme, size, 1.0, true);
        play(&mut desk, &shares(), TrainingState::Running);
        let value = desk.get_by_label("Share of the gradient chart").value().unwrap();
        assert!(value.contains("neckline train 1.2 % at epoch 9"), "{value}");
        let told = desk.query_by_label_contains("neckline may be starved: in the last 3 epochs");
        assert!(told.is_some(), "the sentence");
        scroll(&mut desk, "neckline may be starved");
        snapshot(&mut desk, if size == WINDOW { "train_shares" } else { "train_small_shares" });
        pictures.extend_harness(&mut desk);
    }
    let (mut desk, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    let unmeasured = [started(), Event::Epoch(metrics(1, true))];
    play(&mut desk, &unmeasured, TrainingState::Running);
    assert!(desk.query_by_label("Share of the gradient chart").is_none(), "a run of an earlier version");
}
