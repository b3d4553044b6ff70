//! The Train place: controls send commands, events become numbers and curves.

use std::path::{Path, PathBuf};

use egui::Theme;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens::app::context::TrainingState;
use tasklens::app::places::train::estimates::Machine;
use tasklens::app::places::train::{Restored, TrainView};
use tasklens_data::config::Config;
use tasklens_data::config::{Backbone, Recipe};
use tasklens_data::dataset::Dataset;
use tasklens_net::training::estimate::{Speed, TimeEstimate};
use tasklens_net::training::events::{
    BatchProgress, Concern, EpochMetrics, Event, LabelledImages, Phase, SplitMetrics, Started, StopReason,
    Stopped,
};

use super::stage::{Stage, THEMES, harness, project, snapshot};

pub(super) type Train = Stage<TrainView>;

/// 1280x800 without rail and status bar.
pub(super) const WINDOW: [f32; 2] = [1208.0, 772.0];
/// Room for the advanced settings, too.
const TALL: [f32; 2] = [1208.0, 1800.0];

pub(super) fn stage(
    theme: Theme,
    size: [f32; 2],
    zoom: f32,
    has_project: bool,
) -> (Harness<'static, Option<Train>>, PathBuf) {
    let machine = Machine { estimate, ..Machine::for_test() };
    let (mut harness, folder) = stage_at(theme, size, zoom, has_project, machine);
    if has_project && size[0] > 720.0 {
        wait_for(&mut harness, |harness| harness.query_by_label("up to 1:25:00").map(|_| ()));
    }
    (harness, folder)
}

/// Minutes that differ from way to way.
fn estimate(
    config: &Config,
    _: &Dataset,
    _: Option<Speed>,
    _: &dyn Fn() -> bool,
) -> anyhow::Result<TimeEstimate> {
    let seconds = match Recipe::of(&config.model) {
        Some(Recipe::Quick) => 83.0,
        Some(Recipe::Full) => 754.0,
        Some(Recipe::Scratch) => 5_000.0,
        None => 3_333.0,
    };
    Ok(TimeEstimate { seconds, speed: Speed { decode: 0.0, forward: 0.1, train: 0.4, heads: 0.0 } })
}

fn stage_at(
    theme: Theme,
    size: [f32; 2],
    zoom: f32,
    has_project: bool,
    machine: Machine,
) -> (Harness<'static, Option<Train>>, PathBuf) {
    let folder = tempfile::tempdir().unwrap().keep();
    let at = folder.clone();
    let harness = harness(
        theme,
        size,
        zoom,
        move |ctx| {
            let project = has_project.then(|| project(&at));
            let mut stage = Stage::new(ctx, TrainView::new(machine), project);
            let (view, mut context) = stage.split();
            view.on_project(&mut context);
            stage
        },
        |ui, stage: &mut Train| {
            stage.begin_frame();
            let (view, mut context) = stage.split();
            view.ui(ui, &mut context);
        },
    );
    (harness, folder)
}

pub(super) fn train<'a>(harness: &'a mut Harness<'static, Option<Train>>) -> &'a mut Train {
    harness.state_mut().as_mut().unwrap()
}

pub(super) fn started() -> Event {
    Event::Started(Started {
        run: "runs/2026-11-23 14-02-11".into(),
        device: "CPU, 2 threads".into(),
        precision: "bf16".into(),
        parameters: 20_900_000,
        n_train: 2731,
        n_validation: 678,
        tasks: ["print", "sleeves", "neckline"].map(str::to_owned).to_vec(),
        validation_labels: Vec::new(),
        epochs: 100,
        epochs_done: 0,
        weights: "ImageNet".into(),
        found_batch_size: None,
    })
}

pub(super) fn metrics(epoch: usize, best: bool) -> EpochMetrics {
    let at = epoch as f64;
    let split = |gap: f64| {
        let task = |hardness: f64| hardness * (-at / 6.0).exp() + gap * (0.06 + 0.004 * at) + 0.05;
        let task_loss: Vec<f64> = [1.8, 1.0, 1.4].map(task).to_vec();
        SplitMetrics {
            loss: task_loss.iter().sum(),
            task_accuracy: task_loss.iter().map(|loss| (-loss * 0.8).exp()).collect(),
            task_loss,
        }
    };
    EpochMetrics {
        epoch,
        learning_rate: if epoch <= 14 { 1e-3 } else { 1e-4 },
        secs: 44.0,
        images_per_sec: 61.3,
        train: split(0.2 * (at * 1.7).sin()),
        validation: split(1.0 + 0.5 * (at * 2.3).sin()),
        best,
        gradient_shares: Vec::new(),
    }
}

/// A run up to the middle of epoch 19.
fn events() -> Vec<Event> {
    let mut events = vec![started()];
    for epoch in 1..=18 {
        events.push(Event::Epoch(metrics(epoch, epoch <= 16)));
        if epoch == 14 {
            events.push(Event::LearningRateReduced { epoch, learning_rate: 1e-4 });
        }
    }
    events.push(Event::Batch(BatchProgress {
        epoch: 19,
        phase: Phase::Train,
        done: 1024,
        of: 2731,
        images_per_sec: 61.3,
        loss: 0.4321,
        phase_secs_left: 27.8,
        secs_left: 3723.0,
        latest: None,
    }));
    events
}

pub(super) fn play(harness: &mut Harness<'static, Option<Train>>, events: &[Event], state: TrainingState) {
    let stage = train(harness);
    for event in events {
        stage.view.on_event(event);
    }
    stage.training = state;
    harness.run_steps(4);
}

fn stopped() -> Event {
    Event::Stopped(Stopped {
        why: StopReason::EarlyStopping,
        best_epoch: Some(16),
        best: Some(metrics(16, true)),
        model: Some("runs/2026-11-23 14-02-11/best.safetensors".into()),
        secs: 833.0,
    })
}

#[test]
fn start_sends_the_settings_as_they_are_shown() {
    let (mut harness, _folder) = stage(Theme::Dark, TALL, 1.0, true);
    press(&mut harness, "Advanced");
    press(&mut harness, "Augmentation");
    assert!(harness.query_by_label_contains("Changed here").is_some(), "the change is told");
    let request = start(&mut harness);
    assert_eq!(request.config.model.batch_size, 16);
    assert!(!request.config.model.augmentation.horizontal_flip, "augmentation was switched off");
    assert!(!request.resume);
}

pub(super) fn press(harness: &mut Harness<'static, Option<Train>>, name: &str) {
    harness.get_by_label(name).click();
    harness.run_steps(12);
}

/// Presses Start; what the app is asked to begin.
fn start(harness: &mut Harness<'static, Option<Train>>) -> Box<tasklens_net::training::Request> {
    train(harness).sent();
    harness.get_by_label("Start training").click();
    harness.run_steps(2);
    let sent = train(harness).sent();
    assert!(matches!(sent.as_slice(), [AppCommand::Ui(UiCommand::StartTraining)]), "{sent:?}");
    let stage = train(harness);
    let (view, context) = stage.split();
    view.start(&context);
    match stage.sent().pop() {
        Some(AppCommand::StartTraining(request)) => request,
        sent => panic!("{sent:?}"),
    }
}

/// The way that is chosen.
fn chosen(harness: &Harness<'static, Option<Train>>) -> Vec<&'static str> {
    let is_chosen = |title: &&str| {
        let name = format!("How to train: {title}");
        let way = harness.query_by_label(&name);
        way.is_some_and(|way| way.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True))
    };
    ["Quick", "Full", "From scratch", "Custom"].into_iter().filter(is_chosen).collect()
}

#[test]
fn a_way_to_train_sets_what_start_sends_and_says_how_long_it_takes() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    assert_eq!(chosen(&harness), ["Custom"], "a config of the Python project is none of them");
    for text in ["about 1:30", "about 13:00", "up to 56:00"] {
        assert!(harness.query_by_label(text).is_some(), "{text}");
    }
    assert!(harness.query_by_label_contains("Suggested. Trains the heads alone").is_some());
    assert!(harness.query_by_label("Batch size").is_none(), "what is advanced is folded");
    press(&mut harness, "How to train: Quick");
    assert_eq!(chosen(&harness), ["Quick"]);
    let request = start(&mut harness);
    assert_eq!(Recipe::of(&request.config.model), Some(Recipe::Quick));
    assert!(request.config.model.freeze_convolutional_layers);
    press(&mut harness, "How to train: Custom");
    assert_eq!(start(&mut harness).config.model.batch_size, 16, "what the file says is back");
}

#[test]
fn a_number_beyond_what_can_be_chosen_is_shown_and_stays() {
    let (mut harness, folder) = stage(Theme::Dark, TALL, 1.0, true);
    let file = folder.join("config.yml");
    let text = std::fs::read_to_string(&file).unwrap() + "  validation_split: 0.0004\n";
    std::fs::write(&file, text).unwrap();
    train(&mut harness).project.as_mut().unwrap().config = Config::open(&file).unwrap();
    let (view, mut context) = train(&mut harness).split();
    view.on_project(&mut context);
    harness.run_steps(3);
    press(&mut harness, "Advanced");
    let shown = harness.query_all_by_role(Role::SpinButton);
    let shown: Vec<f64> = shown.filter_map(|node| node.accesskit_node().numeric_value()).collect();
    assert!(shown.contains(&0.0004), "{shown:?}");
    assert!(harness.query_by_label("As in config.yml").is_some(), "looking at it has changed nothing");
    assert_eq!(start(&mut harness).config.model.validation_split, 0.0004);
}

#[test]
fn a_change_under_advanced_makes_it_the_users_own() {
    let (mut harness, _folder) = stage(Theme::Dark, TALL, 1.0, true);
    press(&mut harness, "How to train: Quick");
    press(&mut harness, "Advanced");
    press(&mut harness, "Augmentation");
    assert_eq!(chosen(&harness), ["Custom"]);
    wait_for(&mut harness, |harness| harness.query_by_label("about 56:00").map(|_| ()));
    press(&mut harness, "Augmentation");
    assert_eq!(chosen(&harness), ["Quick"]);
}

#[test]
fn what_was_chosen_is_remembered_until_the_file_says_otherwise() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    press(&mut harness, "How to train: Full");
    let remembered = train(&mut harness).sent().into_iter().find_map(|command| match command {
        AppCommand::RememberTraining { chosen, .. } => chosen,
        _ => None,
    });
    let remembered = remembered.expect("the app is told");
    // Read again, as when the project is opened.
    let (view, mut context) = train(&mut harness).split();
    view.on_project(&mut context);
    harness.run_steps(3);
    assert_eq!(chosen(&harness), ["Custom"]);
    assert_eq!(train(&mut harness).view.restore(&remembered), Restored::Yes);
    harness.run_steps(3);
    assert_eq!(chosen(&harness), ["Full"]);
    press(&mut harness, "Undo changes");
    let sent = train(&mut harness).sent();
    assert!(
        sent.iter().any(|command| matches!(command, AppCommand::RememberTraining { chosen: None, .. })),
        "{sent:?}"
    );
}

#[test]
fn without_the_weights_a_way_says_what_is_missing_and_cannot_be_chosen() {
    let machine = Machine { weights: || vec![Backbone::EfficientNetLite0], estimate };
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (mut harness, _folder) = stage_at(theme, WINDOW, 1.0, true, machine);
        wait_for(&mut harness, |harness| harness.query_by_label("up to 1:25:00").map(|_| ()));
        assert_eq!(harness.query_all_by_label_contains("the set-up of Tasklens fetches them").count(), 2);
        assert!(harness.get_by_label("How to train: Quick").accesskit_node().is_disabled());
        press(&mut harness, "How to train: Quick");
        assert_eq!(chosen(&harness), ["Custom"]);
        snapshot(&mut harness, "train_without_weights");
        pictures.extend_harness(&mut harness);
    }
}

#[test]
fn measuring_ends_when_a_run_begins() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static IS_CANCELLED: AtomicBool = AtomicBool::new(false);
    let endless = |_: &Config, _: &Dataset, _: Option<Speed>, keep_going: &dyn Fn() -> bool| {
        while keep_going() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        IS_CANCELLED.store(true, Ordering::Relaxed);
        anyhow::bail!("cancelled")
    };
    let machine = Machine { estimate: endless, ..Machine::for_test() };
    let (mut harness, _folder) = stage_at(Theme::Dark, WINDOW, 1.0, true, machine);
    harness.run_steps(3);
    assert_eq!(harness.query_all_by_label("Measuring\u{2026}").count(), 4);
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!IS_CANCELLED.load(Ordering::Relaxed));
    play(&mut harness, &events(), TrainingState::Running);
    wait_for(&mut harness, |_| IS_CANCELLED.load(Ordering::Relaxed).then_some(()));
    assert_eq!(harness.query_all_by_label("Measuring\u{2026}").count(), 0);
}

#[test]
fn every_setting_is_there_under_advanced() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (mut harness, _folder) = stage(theme, TALL, 1.0, true);
        press(&mut harness, "How to train: Full");
        press(&mut harness, "Advanced");
        for name in [
            "Schedule",
            "Optimizer",
            "Weight decay",
            "Label smoothing",
            "Frozen epochs",
            "Backbone rate",
            "Crop area from",
        ] {
            assert!(harness.query_all_by_label(name).next().is_some(), "{name}");
        }
        snapshot(&mut harness, "train_advanced");
        pictures.extend_harness(&mut harness);
    }
}

#[test]
fn saving_changes_only_the_changed_key_of_the_file() {
    let (mut harness, folder) = stage(Theme::Dark, TALL, 1.0, true);
    press(&mut harness, "Advanced");
    press(&mut harness, "Freeze backbone");
    harness.get_by_label("Save to config.yml").click();
    let text = wait_for(&mut harness, |harness| {
        train(harness).sent().into_iter().find_map(|command| match command {
            AppCommand::SaveConfig { text, .. } => Some(text),
            AppCommand::Notify(notice) => panic!("{}", notice.message),
            _ => None,
        })
    });
    let before = std::fs::read_to_string(folder.join("config.yml")).unwrap();
    assert_eq!(text, before + "  freeze_convolutional_layers: true\n");
}

/// Steps until `found` has something; jobs run in threads of their own.
pub(super) fn wait_for<T>(
    harness: &mut Harness<'static, Option<Train>>,
    mut found: impl FnMut(&mut Harness<'static, Option<Train>>) -> Option<T>,
) -> T {
    for _ in 0..500 {
        harness.run_steps(1);
        if let Some(value) = found(harness) {
            return value;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("nothing came in five seconds");
}

#[test]
fn events_become_numbers_curves_and_marks() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    play(&mut harness, &events(), TrainingState::Running);
    let told = harness.get_by_label("Progress of the run").value().unwrap();
    assert_eq!(told, "Epoch 19 of 100, training: 1,024 of 2,731 images, loss 0.4321");
    assert!(harness.query_by_label_contains("61.3 images/s").is_some());
    assert!(harness.query_by_label_contains("0:28 left to train, 1:02:03 in all").is_some());
    let loss = harness.get_by_label("Loss chart").value().unwrap();
    let total = metrics(18, false).validation.loss;
    assert!(loss.contains(&format!("total validation {total:.4} at epoch 18")), "{loss}");
    assert!(harness.get_by_label("Accuracy chart").value().unwrap().contains("neckline validation"));
    assert!(harness.get_by_label("Learning rate chart").value().unwrap().contains("0.0001"));
    assert!(harness.query_by_label("rate reduced").is_some(), "the legend explains the mark");
}

#[test]
fn the_legend_hides_a_task_in_every_chart() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    play(&mut harness, &events(), TrainingState::Running);
    harness.get_by_label("Show sleeves in the charts").click();
    harness.run_steps(3);
    for chart in ["Loss chart", "Accuracy chart"] {
        let values = harness.get_by_label(chart).value().unwrap();
        assert!(!values.contains("sleeves") && values.contains("print"), "{values}");
    }
}

#[test]
fn pause_and_stop_ask_the_app_and_start_is_off_meanwhile() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    play(&mut harness, &events(), TrainingState::Running);
    assert!(harness.get_by_label("Start training").accesskit_node().is_disabled());
    harness.get_by_label("Pause training").click();
    harness.run_steps(2);
    harness.get_by_label("Stop training").click();
    harness.run_steps(2);
    let sent = train(&mut harness).sent();
    assert!(
        matches!(
            sent.as_slice(),
            [AppCommand::Ui(UiCommand::PauseTraining), AppCommand::Ui(UiCommand::StopTraining)]
        ),
        "{sent:?}"
    );
    train(&mut harness).training = TrainingState::Paused;
    harness.run_steps(2);
    assert!(harness.query_by_label("Resume training").is_some());
}

#[test]
fn the_end_sums_up_and_hands_the_model_on() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    play(&mut harness, &events(), TrainingState::Running);
    play(&mut harness, &[stopped()], TrainingState::Idle);
    assert!(harness.query_by_label("Done: epoch 16 was best").is_some());
    assert!(harness.query_by_label_contains("did not improve for 2 epochs").is_some());
    harness.get_by_label("Predict with this model").click();
    harness.run_steps(2);
    let sent = train(&mut harness).sent();
    assert!(
        matches!(sent.as_slice(), [AppCommand::UseModel(path)] if path.ends_with("best.safetensors")),
        "{sent:?}"
    );
}

#[test]
fn a_run_that_learnt_nothing_or_cannot_tell_gets_no_green_tick() {
    for (images, most_common, text) in
        [(678, 600, "Nothing was learnt of print"), (10, 4, "Too few images validate print")]
    {
        let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
        let mut events = events();
        if let Some(Event::Started(started)) = events.first_mut() {
            started.validation_labels = vec![LabelledImages { images, most_common }];
        }
        play(&mut harness, &events, TrainingState::Running);
        play(&mut harness, &[stopped()], TrainingState::Idle);
        assert!(harness.query_by_label_contains(text).is_some(), "{text}");
        assert!(harness.query_by_label_contains("It learnt what it was shown").is_none());
    }
}

#[test]
fn a_failure_shows_its_error_and_what_is_left() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    play(&mut harness, &events(), TrainingState::Running);
    play(
        &mut harness,
        &[Event::Failed { error: "Out of memory: halve batch_size".into() }],
        TrainingState::Idle,
    );
    assert!(harness.query_by_label("Training failed").is_some());
    assert!(harness.query_by_label("Out of memory: halve batch_size").is_some());
    assert!(harness.query_by_label_contains("after 18 epochs are kept in").is_some());
}

/// Writes a run that was killed after three epochs into the project's folder of runs.
fn earlier_run(folder: &Path) -> PathBuf {
    let run = folder.join("runs/2026-11-20 14-02-11");
    std::fs::create_dir_all(&run).unwrap();
    let mut lines = vec![started()];
    lines.extend(
        (1..=9).map(|epoch| Event::Epoch(EpochMetrics { epoch, ..metrics(epoch.div_ceil(2), true) })),
    );
    let lines: Vec<String> = lines.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    std::fs::write(run.join("events.jsonl"), lines.join("\n") + "\n").unwrap();
    for name in ["best.safetensors", "last.safetensors"] {
        std::fs::write(run.join(name), "weights").unwrap();
    }
    std::fs::copy(folder.join("config.yml"), run.join("config.yml")).unwrap();
    run
}

/// Reads the earlier runs of the project and waits for them.
fn with_earlier_run(theme: Theme) -> (Harness<'static, Option<Train>>, PathBuf) {
    let (mut harness, folder) = stage(theme, WINDOW, 1.0, true);
    let run = earlier_run(&folder);
    train(&mut harness).runs.read_again();
    wait_for(&mut harness, |harness| harness.query_by_label("Earlier runs").map(|_| ()));
    (harness, run)
}

#[test]
fn an_earlier_run_is_listed_laid_over_the_charts_used_and_resumed() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (mut harness, run) = with_earlier_run(theme);
        assert!(harness.query_by_label_contains("unfinished: 9 of 100").is_some());
        play(&mut harness, &events(), TrainingState::Running);
        harness.get_by_label("Show 2026-11-20 14-02-11 in the charts").click();
        harness.run_steps(3);
        snapshot(&mut harness, "train_overlay");
        let place = harness.get_by_label("Loss chart").rect();
        harness.hover_at(place.lerp_inside(egui::vec2(0.07, 0.5)));
        harness.run_steps(3);
        assert!(harness.query_by_label("total, 2026-11-20 14-02-11").is_some(), "the readout has both runs");
        harness.get_by_label("Predict with 2026-11-20 14-02-11").click();
        harness.run_steps(2);
        let sent = train(&mut harness).sent();
        assert!(matches!(sent.as_slice(), [AppCommand::UseModel(path)] if *path == run), "{sent:?}");
        harness.get_by_label("Inspect 2026-11-20 14-02-11").click();
        harness.run_steps(2);
        let sent = train(&mut harness).sent();
        assert!(matches!(sent.as_slice(), [AppCommand::InspectRun(path)] if *path == run), "{sent:?}");
        harness.get_by_label("More: 2026-11-20 14-02-11").click();
        harness.run_steps(3);
        snapshot(&mut harness, "train_run_menu");
        harness.get_by_label("Resume").click();
        let request = wait_for(&mut harness, |harness| {
            train(harness).sent().into_iter().find_map(|command| match command {
                AppCommand::StartTraining(request) => Some(request),
                AppCommand::Notify(notice) => panic!("{}", notice.message),
                _ => None,
            })
        });
        assert!(request.resume);
        assert_eq!(request.run.as_deref(), Some(run.as_path()));
        let (view, context) = train(&mut harness).split();
        view.on_start(&request, context.runs);
        harness.run_steps(3);
        let loss = harness.get_by_label("Loss chart").value().unwrap();
        assert!(loss.contains("at epoch 9"), "the curves go on from the ninth epoch: {loss}");
        pictures.extend_harness(&mut harness);
    }
}

const EXPORT: &str = "Export model\u{2026}";

#[test]
fn the_menu_of_a_run_works_with_keys_alone_and_is_that_of_a_right_click() {
    let (mut harness, run) = with_earlier_run(Theme::Dark);
    let entries = |harness: &Harness<'static, Option<Train>>| {
        let all = ["Inspect", "Predict with", "Resume", "Make current", EXPORT, "Describe", "Delete"];
        all.into_iter().filter(|name| harness.query_by_label(name).is_some()).collect::<Vec<_>>()
    };
    let key = |harness: &mut Harness<'static, Option<Train>>, key: egui::Key| {
        harness.key_press(key);
        harness.run_steps(3);
    };
    assert!(entries(&harness).is_empty());
    harness.get_by_label("More: 2026-11-20 14-02-11").focus();
    harness.run_steps(2);
    key(&mut harness, egui::Key::Enter);
    let offered = entries(&harness);
    assert_eq!(offered, ["Inspect", "Predict with", "Resume", "Make current", EXPORT, "Describe", "Delete"]);
    assert!(harness.get_by_label("Inspect").is_focused(), "the keyboard is in the menu");
    // What is left without a choice gives the keyboard back.
    key(&mut harness, egui::Key::Escape);
    assert!(entries(&harness).is_empty());
    assert!(harness.get_by_label("More: 2026-11-20 14-02-11").is_focused());
    key(&mut harness, egui::Key::Enter);
    for _ in 0..5 {
        key(&mut harness, egui::Key::Tab);
    }
    key(&mut harness, egui::Key::Enter);
    let sent = train(&mut harness).sent();
    assert!(matches!(sent.as_slice(), [AppCommand::AskAboutRun(path)] if *path == run), "{sent:?}");
    assert!(entries(&harness).is_empty(), "a choice closes the menu");
    let name = harness.get_by_label("2026-11-20 14-02-11").rect().center();
    harness.hover_at(name);
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos: name,
            button: egui::PointerButton::Secondary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
    }
    harness.run_steps(3);
    assert_eq!(entries(&harness), offered);
    train(&mut harness).sent();
    press(&mut harness, EXPORT);
    let sent = train(&mut harness).sent();
    assert!(
        matches!(sent.as_slice(), [AppCommand::AskWhereToExportModel { model, name }]
            if *model == run && name == "2026-11-20 14-02-11"),
        "{sent:?}"
    );
}

#[test]
fn without_a_project_the_place_says_what_to_do() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (mut harness, _folder) = stage(theme, WINDOW, 1.0, false);
        assert!(harness.query_by_label("Nothing to train on yet").is_some());
        snapshot(&mut harness, "train_empty");
        harness.get_by_label("Open the sample").click();
        harness.run_steps(2);
        assert!(matches!(train(&mut harness).sent().as_slice(), [AppCommand::Ui(UiCommand::OpenSample)]));
        pictures.extend_harness(&mut harness);
    }
}

/// Waits until nothing is being measured any more: each estimate comes when its job is done.
pub(super) fn measured(harness: &mut Harness<'static, Option<Train>>) {
    wait_for(harness, |harness| (harness.query_all_by_label("Measuring\u{2026}").count() == 0).then_some(()));
}

#[test]
fn pictures_of_a_run_in_both_themes() {
    let message = "12 rows have no readable image and are left out".to_owned();
    let warning = Event::Warning { message, about: Concern::Data };
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (mut harness, _folder) = stage(theme, WINDOW, 1.0, true);
        snapshot(&mut harness, "train_ready");
        let loading =
            Event::Preparing { what: "Downloading weights".into(), done: 12_300_000, of: 91_700_000 };
        play(&mut harness, &[loading], TrainingState::Running);
        snapshot(&mut harness, "train_preparing");
        play(&mut harness, &events(), TrainingState::Running);
        snapshot(&mut harness, "train_running");
        play(&mut harness, &[warning.clone(), stopped()], TrainingState::Idle);
        measured(&mut harness);
        snapshot(&mut harness, "train_finished");
        train(&mut harness).sent();
        press(&mut harness, "Show rows");
        let sent = train(&mut harness).sent();
        assert!(sent.iter().any(|command| matches!(command, AppCommand::ShowProblems)), "{sent:?}");
        pictures.extend_harness(&mut harness);
        let (mut harness, _folder) = stage(theme, WINDOW, 1.0, true);
        play(&mut harness, &events(), TrainingState::Running);
        let error =
            "The CPU ran out of memory at epoch 19: set batch_size to 8, or input_shape to [160, 160]";
        play(&mut harness, &[Event::Failed { error: error.into() }], TrainingState::Idle);
        measured(&mut harness);
        snapshot(&mut harness, "train_failed");
        pictures.extend_harness(&mut harness);
    }
}

#[test]
fn a_small_window_at_200_percent_still_has_everything_one_below_the_other() {
    // 1280x800 at 200 %, without rail and status bar.
    let (mut harness, _folder) = stage(Theme::Light, [568.0, 372.0], 2.0, true);
    wait_for(&mut harness, |harness| harness.query_by_label("up to 1:25:00").map(|_| ()));
    snapshot(&mut harness, "train_zoomed_ready");
    play(&mut harness, &events(), TrainingState::Running);
    snapshot(&mut harness, "train_zoomed");
    assert!(harness.query_by_label("Learning rate chart").is_some());
}

/// In a small window with large letters, the line takes more lines instead of being cut.
#[test]
fn how_far_a_run_is_can_be_read_in_a_small_window() {
    let lines = |size| {
        let (mut harness, _folder) = stage(Theme::Light, size, 1.0, true);
        play(&mut harness, &events(), TrainingState::Running);
        let rect = |part: &str| {
            let mut named = harness.query_all_by_label_contains(part);
            named.find(|node| node.accesskit_node().role() == Role::Label).unwrap().rect()
        };
        [rect("Epoch 19 of 100, training"), rect("left to train")]
    };
    let [whole, time] = lines(WINDOW);
    assert!(whole.right() < time.left() && (whole.center().y - time.center().y).abs() < 1.0, "side by side");
    for size in [[730.0, 430.0], [460.0, 370.0], [330.0, 270.0]] {
        let small = lines(size);
        for (part, whole) in small.iter().zip([whole, time]) {
            let rows = (part.height() / whole.height()).round();
            assert!(rows * part.width() >= whole.width() - 1.0, "{size:?}: {part} shows all of {whole}");
            assert!(part.left() >= 0.0 && part.right() <= size[0], "{size:?}: {part} is in the window");
        }
        assert!(!small[0].intersects(small[1]), "{size:?}: {small:?}");
    }
}
