//! The whole loop on a few small drawn pictures: train, stop, resume, predict, evaluate.

#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use std::path::{Path, PathBuf};

use tasklens_data::config::{Config, DeviceChoice};
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::{AnnotationChange, AnnotationSource, Field, State, Step};
use tasklens_data::dataset::split::Part;
use tasklens_data::images::decode::decode_file;
use tasklens_net::evaluation::agreement::{Disagreement, Record, disagreements};
use tasklens_net::evaluation::inspection::Inspection;
use tasklens_net::evaluation::report::PartScores;
use tasklens_net::inference::Predictor;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::outputs::OutputStore;
use tasklens_net::model::checkpoint;
use tasklens_net::training::events::{Command, Event, Phase, StopReason, Stopped};
use tasklens_net::training::run_folder::{BEST, HISTORY, LAST, PREDICTIONS, RunRecord};
use tasklens_net::training::split_file;
use tasklens_net::training::{Request, Unsaved, start};

mod balance;
mod estimate;
mod frozen;
mod killed;
mod latest;
mod networks;
mod stages;
mod unvalidated;
mod within;

/// A project of 24 pictures of one colour each: `shade` is dark or light, `tint` red or blue, and a
/// third of the rows have no tint.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut csv = "image_path,shade,tint\n".to_owned();
        for i in 0..24_u8 {
            let (dark, red) = (i % 2 == 0, i % 4 < 2);
            let level = if dark { 60 } else { 220 } + i;
            let pixel = if red { [level, 20, 20] } else { [20, 20, level] };
            let name = format!("{i}.png");
            let picture = image::RgbImage::from_pixel(48, 48, image::Rgb(pixel));
            picture.save(folder.path().join(&name)).expect("a picture");
            let tint = match (i % 3, red) {
                (0, _) => "",
                (_, true) => "red",
                (_, false) => "blue",
            };
            csv += &format!("{name},{},{tint}\n", if dark { "dark" } else { "light" });
        }
        std::fs::write(folder.path().join("data.csv"), csv).expect("a CSV");
        std::fs::write(folder.path().join("config.yml"), CONFIG).expect("a config");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, changes: &[(&str, &str)]) -> Config {
        let changes: Vec<_> = changes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::with_overrides(&self.path("config.yml"), &changes).expect("a valid config")
    }

    fn train(&self, run: &str, resume: bool, changes: &[(&str, &str)]) -> Vec<Event> {
        self.train_with(Unsaved::default(), run, resume, changes)
    }

    fn train_with(&self, edits: Unsaved, run: &str, resume: bool, changes: &[(&str, &str)]) -> Vec<Event> {
        start(self.request(edits, run, resume, changes), || {}).events.iter().collect()
    }

    fn request(&self, edits: Unsaved, run: &str, resume: bool, changes: &[(&str, &str)]) -> Request {
        Request {
            config: self.config(changes),
            run: Some(self.path(run)),
            resume,
            allow_outside: false,
            edits,
        }
    }

    /// Trains and asks to stop after epoch `last`, before the end.
    fn train_until(&self, run: &str, changes: &[(&str, &str)], last: usize) {
        let training = start(self.request(Unsaved::default(), run, false, changes), || {});
        for event in training.events {
            if matches!(&event, Event::Epoch(metrics) if metrics.epoch == last) {
                training.commands.send(Command::Stop).expect("the run listens");
            }
        }
        let record = RunRecord::open(&self.path(run)).expect("a run");
        let all = record.started.expect("a start").epochs;
        assert!(record.epochs.len() < all, "it went on to its end");
    }
}

const CONFIG: &str = "
paths: {model_dataframe: data.csv, model_path: model/best.safetensors, training_history_path: history.csv}
model:
  input_shape: [48, 48]
  target_encoder: {shade: [dark, light], tint: [red, blue]}
  paths: image_path
  backbone: xception_small
  pretrained: none
  precision: fp32
  device: cpu
  workers: 1
  threads: 1
  batch_size: 8
  epochs: 3
  learning_rate: 0.002
  random_seed: 11
  validation_split: 0.25
";

fn stopped(events: &[Event]) -> &Stopped {
    match events.last() {
        Some(Event::Stopped(stopped)) => stopped,
        other => panic!("expected a run that ends well, got {other:?}"),
    }
}

fn failed(events: &[Event]) -> &str {
    match events.last() {
        Some(Event::Failed { error }) => error,
        other => panic!("expected a failed run, got {other:?}"),
    }
}

fn warnings(events: &[Event]) -> Vec<&str> {
    fn text(event: &Event) -> Option<&str> {
        if let Event::Warning { message, .. } = event { Some(message) } else { None }
    }
    events.iter().filter_map(text).collect()
}

#[test]
fn a_run_leaves_a_folder_that_can_predict() {
    let project = Project::new();
    // As without the key: as many as other programs leave cores.
    let events = project.train("run", false, &[("model.epochs", "8"), ("model.threads", "auto")]);
    let stopped = stopped(&events);
    assert_eq!(stopped.why, StopReason::Finished);
    let run = project.path("run");
    for name in ["config.yml", HISTORY, BEST, LAST, PREDICTIONS, "events.jsonl"] {
        assert!(run.join(name).is_file(), "{name} is missing");
    }
    let history = std::fs::read_to_string(run.join(HISTORY)).expect("a history");
    assert!(
        history.starts_with("epoch,loss,lr,shade_clf_accuracy,shade_clf_loss,tint_clf_accuracy"),
        "{history}"
    );
    assert_eq!(history.lines().count(), 9);
    assert_eq!(history, std::fs::read_to_string(project.path("history.csv")).expect("the copy"));
    assert_eq!(
        std::fs::read(project.path("model/best.safetensors")).expect("the copy"),
        std::fs::read(run.join(BEST)).expect("the best")
    );

    let record = RunRecord::open(&run).expect("a run");
    assert_eq!(record.epochs.len(), 8);
    assert_eq!(record.started.as_ref().map(|s| (s.n_train, s.n_validation)), Some((18, 6)));
    assert_eq!(record.stopped.as_ref(), Some(stopped));
    let first = record.epochs[0].train.loss;
    let last = record.epochs[7].train.loss;
    assert!(last < first / 2.0, "the loss went from {first} to {last} only");

    // Predicting a validation image gives what the run wrote of it.
    let predictor = Predictor::open(&run, DeviceChoice::Cpu).expect("a predictor");
    let text = std::fs::read_to_string(run.join(PREDICTIONS)).expect("predictions");
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let row = rows.records().next().expect("a row").expect("a readable row");
    let image = decode_file(Path::new(&row[0])).expect("an image").into_rgb();
    let prediction = predictor.predict(&[image]).expect("a prediction").remove(0);
    for (place, label) in [(3, 0), (4, 1)] {
        let written: f32 = row[place].parse().expect("a probability");
        let ours = prediction.probabilities[0][label];
        assert!((written - ours).abs() < 1e-4, "{written} was written, {ours} predicted");
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let project = Project::new();
    let history = |run: &str, changes: &[(&str, &str)]| {
        project.train(run, false, changes);
        std::fs::read_to_string(project.path(run).join(HISTORY)).expect("a history")
    };
    let once = history("a", &[]);
    assert_eq!(once, history("b", &[]));
    assert_ne!(once, history("c", &[("model.random_seed", "12")]));
}

#[test]
fn a_resumed_run_goes_on_as_if_it_had_not_stopped() {
    let project = Project::new();
    project.train("whole", false, &[]);
    project.train("parts", false, &[("model.epochs", "2")]);
    let events = project.train("parts", true, &[("model.epochs", "3")]);
    let record = RunRecord::open(&project.path("parts")).expect("a run");
    assert_eq!(record.started.map(|s| s.epochs_done), Some(2));
    assert_eq!(stopped(&events).why, StopReason::Finished);
    let history = |run: &str| std::fs::read_to_string(project.path(run).join(HISTORY)).expect("a history");
    assert_eq!(history("whole"), history("parts"));
}

#[test]
fn a_run_finds_its_batch_size_and_keeps_it_when_resumed() {
    let project = Project::new();
    let auto = ("model.batch_size", "auto");
    let found = |events: &[Event]| {
        let started = events.iter().find_map(|event| match event {
            Event::Started(started) => Some(started.found_batch_size),
            _ => None,
        });
        started.expect("a start")
    };
    let given = project.train("given", false, &[("model.epochs", "1")]);
    assert_eq!(found(&given), None);
    // Larger batches than 2 would leave too few steps of 18 images.
    let events = project.train("run", false, &[auto, ("model.epochs", "1")]);
    assert_eq!(found(&events), Some(2), "{events:?}");
    let config = || Config::open(&project.path("run/config.yml")).expect("the config of the run").model;
    assert_eq!((config().batch_size, config().auto_batch_size), (2, false));
    // What it began with counts, not what would fit today.
    let path = project.path("run/config.yml");
    let text =
        std::fs::read_to_string(&path).expect("a config").replace("batch_size: 2\n", "batch_size: 6\n");
    std::fs::write(&path, text).expect("a config");
    let events = project.train("run", true, &[auto, ("model.epochs", "2")]);
    assert_eq!((found(&events), config().batch_size), (Some(6), 6));
    assert_eq!(stopped(&events).why, StopReason::Finished);
}

#[test]
fn stop_keeps_the_best_weights() {
    let project = Project::new();
    let request = Request {
        config: project.config(&[("model.epochs", "100")]),
        run: Some(project.path("run")),
        resume: false,
        allow_outside: false,
        edits: Unsaved::default(),
    };
    let training = start(request, || {});
    let mut events = Vec::new();
    for event in training.events {
        if matches!(event, Event::Epoch(_)) {
            training.commands.send(Command::Stop).expect("the run listens");
        }
        events.push(event);
    }
    let stopped = stopped(&events);
    assert_eq!(stopped.why, StopReason::Asked);
    assert!(stopped.best_epoch.is_some());
    let best = checkpoint::read_description(&project.path("run").join(BEST)).expect("a checkpoint");
    assert_eq!(Some(best.epoch), stopped.best_epoch);
}

#[test]
fn frozen_layers_stay_as_they_were_and_the_heads_learn() {
    let project = Project::new();
    let frozen = [("model.freeze_convolutional_layers", "true"), ("model.epochs", "6")];
    let events = project.train("run", false, &frozen);
    assert!(warnings(&events).iter().any(|w| w.contains("no pretrained weights")), "{events:?}");
    let record = RunRecord::open(&project.path("run")).expect("a run");
    assert!(record.epochs[5].train.loss < record.epochs[0].train.loss);
    let load =
        |name: &str| checkpoint::load(&project.path("run").join(name), tch::Device::Cpu).expect("loads");
    let fresh = tasklens_net::model::network::Network::new(
        tasklens_data::config::Backbone::XceptionSmall,
        &project.config(&[]).model.tasks,
        11,
        tch::Device::Cpu,
    )
    .expect("a network");
    let trained = load(LAST).network;
    let tensor = |network: &tasklens_net::model::network::Network, name: &str| {
        network.parameters().get(name).expect("a tensor").copy()
    };
    for name in ["conv1.weight", "bn4.running_mean", "block3.skip.weight"] {
        assert!(tensor(&trained, name).equal(&tensor(&fresh, name)), "{name} changed");
    }
    assert!(!tensor(&trained, "heads.shade.weight").equal(&tensor(&fresh, "heads.shade.weight")));
    // The second run finds the features on disk.
    let again = project.train("again", false, &frozen);
    let computed =
        |event: &Event| matches!(event, Event::Preparing { what, .. } if what.contains("features"));
    assert!(events.iter().any(computed) && !again.iter().any(computed));
}

#[test]
fn a_vanished_image_is_left_out_with_its_name() {
    let project = Project::new();
    std::fs::remove_file(project.path("5.png")).expect("removed");
    let events = project.train("run", false, &[("model.epochs", "1")]);
    stopped(&events);
    assert!(
        warnings(&events)
            .iter()
            .any(|w| w.contains("data.csv has problems: 1 of 24 rows is not used, 1 warning")),
        "{:?}",
        warnings(&events)
    );
    let record = RunRecord::open(&project.path("run")).expect("a run");
    let started = record.started.expect("a start");
    assert_eq!(started.n_train + started.n_validation, 23);
}

#[test]
fn a_loss_that_is_no_number_says_what_to_do() {
    let project = Project::new();
    let first = project.train("first", false, &[("model.epochs", "1")]);
    let model = stopped(&first).model.clone().expect("a model");
    let loaded = checkpoint::load(&model, tch::Device::Cpu).expect("loads");
    let weight = loaded.network.parameters().get("conv1.weight").expect("a tensor");
    let _ = tch::no_grad(|| weight.shallow_clone().fill_(f64::NAN));
    let spoilt = project.path("spoilt.safetensors");
    checkpoint::write(&spoilt, &loaded.network, &loaded.description, &[]).expect("written");

    let events = project.train("run", false, &[("model.pretrained", "spoilt.safetensors")]);
    let error = failed(&events);
    assert!(error.contains("start again with a lower `learning_rate`"), "{error}");
}

#[test]
fn frozen_layers_do_without_an_image_that_cannot_be_read() {
    let project = Project::new();
    // The header is whole, so that only decoding finds it.
    let whole = std::fs::read(project.path("5.png")).expect("a picture");
    std::fs::write(project.path("5.png"), &whole[..whole.len() - 20]).expect("cut");
    let frozen = [("model.freeze_convolutional_layers", "true"), ("model.epochs", "1")];
    let events = project.train("run", false, &frozen);
    stopped(&events);
    assert!(warnings(&events).iter().any(|w| w.contains("5.png")), "{:?}", warnings(&events));
}

#[test]
fn one_value_per_channel_is_no_success() {
    let project = Project::new();
    let tiny = [("model.batch_size", "1"), ("model.input_shape", "[32, 32]")];
    let events = project.train("run", false, &tiny);
    assert!(failed(&events).contains("`batch_size` is 1"), "{}", failed(&events));
    assert!(!project.path("run").exists(), "a run that never began leaves nothing");
}

#[test]
fn a_single_image_to_train_with_is_told_as_such() {
    let project = Project::new();
    let rows = std::fs::read_to_string(project.path("data.csv")).expect("a CSV");
    let rows: Vec<&str> = rows.lines().take(3).collect();
    std::fs::write(project.path("data.csv"), rows.join("\n")).expect("written");
    let events = project.train("run", false, &[("model.batch_size", "4"), ("model.input_shape", "[32, 32]")]);
    let told = failed(&events);
    assert!(
        told.starts_with("there is only one image to train with") && !told.contains("batch_size"),
        "{told}"
    );
    assert!(warnings(&events).iter().all(|warning| !warning.contains("0 of")), "{:?}", warnings(&events));
    assert!(!project.path("run").exists());
    // A folder that was there, or has something else in it, stays.
    std::fs::create_dir(project.path("run")).expect("a folder");
    failed(&project.train("run", false, &[("model.input_shape", "[32, 32]")]));
    assert!(project.path("run").is_dir());
}

#[test]
fn a_resumed_run_keeps_to_the_images_that_it_began_with() {
    let project = Project::new();
    project.train("run", false, &[("model.epochs", "1")]);
    let split = |run: &str| std::fs::read_to_string(project.path(run).join("split.csv")).expect("a split");
    let before = split("run");
    let csv = std::fs::read_to_string(project.path("data.csv")).expect("a CSV");
    // The rows of the CSV in another order, with one more.
    std::fs::copy(project.path("1.png"), project.path("new.png")).expect("copied");
    let (header, rows) = csv.split_once('\n').expect("rows");
    let turned: Vec<&str> = rows.lines().rev().collect();
    std::fs::write(project.path("data.csv"), format!("{header}\nnew.png,dark,red\n{}\n", turned.join("\n")))
        .expect("written");
    let events = project.train("run", true, &[("model.epochs", "2")]);
    stopped(&events);
    assert!(warnings(&events).iter().any(|w| w.contains("1 row was added to the CSV")), "{events:?}");
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&before), sorted(&split("run")));
}

#[test]
fn a_resumed_run_of_another_project_is_not_trained_with_the_edits_of_this_one() {
    let (open, other) = (Project::new(), Project::new());
    // Images that both projects have under the same path lose their labels here.
    let change = |image: usize, task: &str| AnnotationChange {
        image: format!("{image}.png").into(),
        field: Field::Label(task.into()),
        before: Some("given".into()),
        after: None,
    };
    let changes = (0..4).flat_map(|image| ["shade", "tint"].map(|task| change(image, task))).collect();
    let mut state = State::default();
    state.edit(Step::now(AnnotationSource::Hand, changes)).expect("labels are taken away");
    let unsaved = Unsaved::new(&open.path("data.csv"), state.values());
    let images = |events: &[Event]| {
        let started = events.iter().find_map(|event| match event {
            Event::Started(started) => Some(started.n_train + started.n_validation),
            _ => None,
        });
        started.expect("a start")
    };
    other.train("run", false, &[("model.epochs", "1")]);
    let events = other.train_with(unsaved.clone(), "run", true, &[("model.epochs", "2")]);
    assert_eq!((images(&events), stopped(&events).why), (24, StopReason::Finished));
    open.train("run", false, &[("model.epochs", "1")]);
    let events = open.train_with(unsaved, "run", true, &[("model.epochs", "2")]);
    assert_eq!(images(&events), 20, "what the window shows is what its own run is trained with");
}

#[test]
fn a_refused_resume_leaves_the_run_as_it_was() {
    let project = Project::new();
    project.train("run", false, &[("model.epochs", "1")]);
    let refused = project.train("run", true, &[("model.backbone", "xception"), ("model.epochs", "2")]);
    assert!(failed(&refused).contains("the config another"), "{}", failed(&refused));
    let refused = project.train("run", true, &[("model.input_shape", "[64, 48]"), ("model.epochs", "2")]);
    let told = "was trained with `input_shape: [48, 48]`, and the config has [64, 48]: set it as it was";
    assert!(failed(&refused).contains(told), "{}", failed(&refused));
    let own = Config::open(&project.path("run/config.yml")).expect("the run's config");
    assert_eq!(own.model.height, 48);
    assert_eq!(own.model.backbone, tasklens_data::config::Backbone::XceptionSmall);
}

#[test]
fn a_folder_of_the_user_is_not_taken_for_a_run() {
    let project = Project::new();
    let before = std::fs::read(project.path("config.yml")).expect("a config");
    let events = project.train("", false, &[]);
    assert!(failed(&events).contains("is not empty: choose a new folder"), "{}", failed(&events));
    assert_eq!(std::fs::read(project.path("config.yml")).expect("a config"), before);
}

#[test]
fn a_run_is_not_overwritten_and_an_empty_one_not_resumed() {
    let project = Project::new();
    project.train("run", false, &[("model.epochs", "1")]);
    let error = failed(&project.train("run", false, &[])).to_owned();
    assert!(error.contains("already contains a run"), "{error}");
    let error = failed(&project.train("new", true, &[])).to_owned();
    assert!(error.contains("has no last.safetensors"), "{error}");
}

/// Trains in `precision`, then predicts the rows and says where that is not what the run recorded.
fn evaluated(project: &Project, precision: &str) -> (Inspection, Vec<Disagreement>) {
    project.train("run", false, &[("model.precision", precision)]);
    evaluated_again(project)
}

fn evaluated_again(project: &Project) -> (Inspection, Vec<Disagreement>) {
    let run = project.path("run");
    let predictor = Predictor::open(&run, DeviceChoice::Cpu).expect("a predictor");
    let dataset = Dataset::open(&project.config(&[])).expect("a dataset");
    let parts = split_file::parts(&run, &dataset).expect("parts");
    // As Inspect does: those that validate first.
    let which: Vec<usize> =
        (0..dataset.rows.len()).filter(|row| parts[*row] == Some(Part::Validation)).collect();
    let store = OutputStore::of(&run).expect("a store");
    let pass = store.compute(
        || Ok(&predictor),
        &dataset.rows,
        &which,
        Batching { size: 8, workers: 2 },
        &mut |_, _| true,
    );
    assert!(pass.expect("outputs").complete);
    let inspection = Inspection::new(&dataset, &parts, &store.load().expect("outputs"));
    let record = Record::open(&run, predictor.tasks()).expect("a record");
    let found = disagreements(&record, &dataset, &inspection, predictor.precision());
    (inspection, found)
}

#[test]
fn evaluation_agrees_with_the_run_s_own_validation_to_the_digit() {
    for precision in ["fp32", "bf16"] {
        let project = Project::new();
        let (inspection, found) = evaluated(&project, precision);
        let record = RunRecord::open(&project.path("run")).expect("a run");
        let best = record.kept_epoch().expect("a best epoch");
        assert_eq!(inspection.items_of(Some(Part::Validation)).len(), 6);
        let is_same = Predictor::open(&project.path("run"), DeviceChoice::Cpu).expect("a predictor");
        if is_same.precision() != precision {
            eprintln!("this processor has no {precision}: it rounds otherwise");
            continue;
        }
        for task in 0..inspection.tasks.len() {
            let scores = PartScores::new(&inspection, task).validation.expect("validation rows");
            let (accuracy, loss) = (scores.accuracy.expect("rows"), scores.log_loss.expect("rows"));
            assert!((accuracy.value - best.validation.task_accuracy[task]).abs() < 1e-9);
            let difference = (loss.value - best.validation.task_loss[task]).abs();
            assert!(difference < 1e-6, "{precision}: {difference}");
        }
        assert_eq!(found, []);
    }
}

#[test]
fn a_label_corrected_since_is_why_evaluation_and_run_differ() {
    let project = Project::new();
    let (inspection, _) = evaluated(&project, "fp32");
    let row = inspection.rows[0];
    let csv = std::fs::read_to_string(project.path("data.csv")).expect("the CSV");
    let swapped = |line: &str| {
        if line.contains(",dark,") {
            line.replace(",dark,", ",light,")
        } else {
            line.replace(",light,", ",dark,")
        }
    };
    let lines = csv.lines().enumerate();
    let lines = lines.map(|(place, line)| if place == row + 1 { swapped(line) } else { line.to_owned() });
    std::fs::write(project.path("data.csv"), lines.collect::<Vec<_>>().join("\n")).expect("written");
    let (_, found) = evaluated_again(&project);
    let [shade] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((shade.task.as_str(), shade.relabelled, shade.then.of, shade.now.of), ("shade", 1, 6, 6));
    assert_eq!(shade.then.right.abs_diff(shade.now.right), 1);
    assert!(shade.sentence().ends_with("Since then 1 label is another"), "{}", shade.sentence());
}
