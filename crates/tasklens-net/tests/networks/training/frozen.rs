//! Runs whose backbone is frozen: which images their features are computed of, and which are there already.

use std::collections::BTreeMap;

use tasklens_data::config::Backbone;
use tasklens_data::dataset::{Row, RowLabel, Rows};
use tasklens_net::inference::Predictor;
use tasklens_net::inference::outputs::OutputStore;
use tasklens_net::training::base_network;

use super::*;

const FROZEN: [(&str, &str); 3] =
    [("model.freeze_convolutional_layers", "true"), ("model.epochs", "3"), ("model.split_column", "part")];

/// 18 images train in five views each, 6 validate in one.
const TRAIN: u64 = 18 * 5;
const ALL: u64 = TRAIN + 6;

/// A project whose CSV says which rows train.
fn project() -> Project {
    let project = Project::new();
    let csv = std::fs::read_to_string(project.path("data.csv")).expect("a CSV");
    let (header, rows) = csv.split_once('\n').expect("rows");
    let part =
        |(i, row): (usize, &str)| format!("{row},{}\n", if i % 4 == 3 { "validation" } else { "train" });
    let rows: String = rows.lines().enumerate().map(part).collect();
    std::fs::write(project.path("data.csv"), format!("{header},part\n{rows}")).expect("a CSV");
    project
}

fn train(project: &Project, run: &str) -> Vec<Event> {
    let events = project.train(run, false, &FROZEN);
    stopped(&events);
    events
}

/// How many vectors a run computed.
fn computed(events: &[Event]) -> u64 {
    let mut computed = BTreeMap::new();
    for event in events {
        if let Event::Preparing { what, of, .. } = event
            && what.contains("features")
        {
            computed.insert(what.clone(), *of);
        }
    }
    computed.values().sum()
}

fn history(project: &Project, run: &str) -> String {
    std::fs::read_to_string(project.path(run).join(HISTORY)).expect("a history")
}

/// The shards of the only store of a project, in the order of writing.
fn shards(project: &Project) -> Vec<PathBuf> {
    let stores: Vec<_> =
        std::fs::read_dir(project.path("runs/features")).expect("stores").flatten().collect();
    assert_eq!(stores.len(), 1);
    let mut shards: Vec<PathBuf> =
        std::fs::read_dir(stores[0].path()).expect("shards").flatten().map(|entry| entry.path()).collect();
    shards.sort();
    shards
}

fn rewrite(project: &Project, change: impl FnOnce(Vec<String>) -> Vec<String>) {
    let csv = std::fs::read_to_string(project.path("data.csv")).expect("a CSV");
    let (header, rows) = csv.split_once('\n').expect("rows");
    let rows = change(rows.lines().map(str::to_owned).collect());
    std::fs::write(project.path("data.csv"), format!("{header}\n{}\n", rows.join("\n"))).expect("a CSV");
}

#[test]
fn a_history_is_the_same_whether_features_were_computed_or_found() {
    let project = project();
    assert_eq!(computed(&train(&project, "first")), ALL);
    assert_eq!(computed(&train(&project, "again")), 0);
    assert_eq!(history(&project, "first"), history(&project, "again"));
    // Another seed draws other heads and another order, but the views of an image are the same.
    let seed = [&FROZEN[..], &[("model.random_seed", "12")]].concat();
    let weights = project.path("first").join(BEST);
    let weights = weights.to_str().expect("UTF-8");
    let same = [&seed[..], &[("model.pretrained", weights)]].concat();
    assert_eq!(computed(&project.train("other seed", false, &same)), 0);
    assert_ne!(history(&project, "first"), history(&project, "other seed"));
}

#[test]
fn a_new_label_or_row_costs_its_own_images_alone() {
    let project = project();
    train(&project, "first");
    std::fs::copy(project.path("1.png"), project.path("new.png")).expect("copied");
    std::fs::copy(project.path("2.png"), project.path("newer.png")).expect("copied");
    rewrite(&project, |mut rows| {
        rows.insert(0, "new.png,light,red,train".to_owned());
        rows.insert(9, "newer.png,light,red,validation".to_owned());
        rows
    });
    assert_eq!(computed(&train(&project, "more")), 5 + 1);
    // Fewer rows in another order, and a label that is another.
    rewrite(&project, |rows| {
        let rows = rows.into_iter().rev().skip(2);
        rows.map(|row| row.replace("4.png,dark", "4.png,light")).collect()
    });
    assert_eq!(computed(&train(&project, "fewer")), 0);
    // A row that validated trains now: its plain view is known.
    rewrite(&project, |rows| {
        let moved = |row: String| row.replace("7.png,light,blue,validation", "7.png,light,blue,train");
        rows.into_iter().map(moved).collect()
    });
    assert_eq!(computed(&train(&project, "moved")), 4);
}

#[test]
fn a_changed_image_another_augmentation_and_another_size_are_computed_anew() {
    let project = project();
    train(&project, "first");
    let picture = image::RgbImage::from_pixel(48, 48, image::Rgb([9, 200, 9]));
    picture.save(project.path("0.png")).expect("a picture");
    assert_eq!(computed(&train(&project, "changed")), 5);
    let with = |run: &str, change: (&str, &str)| {
        let events = project.train(run, false, &[&FROZEN[..], &[change]].concat());
        stopped(&events);
        computed(&events)
    };
    assert_eq!(with("augmented", ("model.augmentation.rotation", "33")), 18 * 4);
    assert_eq!(with("plain", ("model.augmentation", "none")), 0, "the plain views are there");
    assert_eq!(with("large", ("model.input_shape", "[56, 48]")), ALL);
    assert_eq!(with("weights", ("model.random_seed", "12")), ALL, "drawn weights are another network");
    assert_eq!(with("first again", ("model.random_seed", "11")), 0);
}

#[test]
fn what_labelling_computes_is_there_for_a_frozen_run() {
    let project = project();
    std::fs::create_dir(project.path("drawn")).expect("a folder");
    let weights = project.path("drawn/xception_small.safetensors");
    let tasks = project.config(&[]).model.tasks;
    let network =
        tasklens_net::model::network::Network::new(Backbone::XceptionSmall, &tasks, 5, tch::Device::Cpu);
    let network = network.expect("a network");
    let tensors: Vec<_> = network.parameters().iter().map(|p| (p.name.clone(), &p.tensor)).collect();
    tasklens_net::model::tensor_file::write(&weights, &tensors, None).expect("weights");
    for precision in ["auto", "bf16", "fp32"] {
        let own = [("model.pretrained", weights.to_str().expect("UTF-8")), ("model.precision", precision)];
        let changes = [&FROZEN[..], &own, &[("model.augmentation", "none")]].concat();
        let config = project.config(&changes);
        let base = base_network::prepare(&config, 24, &|_| None, &|_, _| {}, &|| true).expect("a backbone");
        let dataset = Dataset::open(&config).expect("a dataset");
        let rows: Vec<usize> = (0..dataset.rows.len()).collect();
        let open = || Predictor::open(&base, config.model.device);
        let store = OutputStore::of(&base).expect("a store");
        store
            .compute(open, &dataset.rows, &rows, Batching { size: 8, workers: 1 }, &mut |_, _| true)
            .expect("features");
        let events = project.train(precision, false, &changes);
        stopped(&events);
        assert_eq!(computed(&events), 0, "{precision}");
    }
}

#[test]
fn an_image_that_cannot_be_read_costs_only_itself() {
    let project = project();
    let whole = std::fs::read(project.path("5.png")).expect("a picture");
    std::fs::write(project.path("5.png"), &whole[..whole.len() - 20]).expect("cut");
    let events = train(&project, "first");
    let told = |events: &[Event]| warnings(events).iter().filter(|told| told.contains("5.png")).count();
    assert_eq!((computed(&events), told(&events)), (ALL, 1));
    let again = train(&project, "again");
    assert_eq!((computed(&again), told(&again)), (5, 1), "it is tried again, and alone");
    std::fs::write(project.path("5.png"), &whole).expect("mended");
    assert_eq!(computed(&train(&project, "mended")), 5);
    assert_eq!(computed(&train(&project, "all")), 0);
}

#[test]
fn a_damaged_file_of_features_is_computed_again_with_a_word() {
    let project = project();
    train(&project, "first");
    let shard = &shards(&project)[1];
    let bytes = std::fs::read(shard).expect("a shard");
    std::fs::write(shard, &bytes[..bytes.len() - 7]).expect("cut");
    let events = train(&project, "again");
    // One view of the images that train.
    assert_eq!(computed(&events), 18);
    assert!(warnings(&events).iter().any(|told| told.contains("is damaged")), "{:?}", warnings(&events));
    assert_eq!(history(&project, "first"), history(&project, "again"));
    assert_eq!(computed(&train(&project, "more")), 0);
}

#[test]
fn a_run_that_is_stopped_keeps_the_features_that_it_has() {
    let project = project();
    let request = Request {
        config: project.config(&[&FROZEN[..], &[("model.batch_size", "2")]].concat()),
        run: Some(project.path("stopped")),
        resume: false,
        allow_outside: false,
        edits: Unsaved::default(),
    };
    let training = start(request, || {});
    for event in training.events {
        if matches!(event, Event::Preparing { what, done, .. } if what.contains("features") && done > 0) {
            // A run that is past its features by now is stopped, too.
            let _ = training.commands.send(Command::Stop);
        }
    }
    let kept = computed(&train(&project, "whole"));
    assert!(kept < ALL, "{kept} of {ALL} were computed again");
}

#[test]
fn what_an_earlier_version_kept_goes() {
    let project = project();
    let former = project.path("runs/features/0123456789abcdef0123456789abcdef.safetensors");
    let tensor = tch::Tensor::zeros([5, 18, 512], (tch::Kind::Half, tch::Device::Cpu));
    std::fs::create_dir_all(project.path("runs/features")).expect("a folder");
    let tensors = [("features".to_owned(), &tensor)];
    tasklens_net::model::tensor_file::write(&former, &tensors, None).expect("written");
    std::fs::write(project.path("runs/features/notes.txt"), "mine").expect("written");
    train(&project, "first");
    assert!(!former.exists() && project.path("runs/features/notes.txt").exists());
}

#[test]
fn what_a_run_says_follows_from_its_features_and_agrees_with_its_own_validation() {
    let project = project();
    train(&project, "runs/first");
    let run = project.path("runs/first");
    // What looks the same from outside, and is no image any more.
    for number in 0..24 {
        let file = project.path(&format!("{number}.png"));
        let metadata = std::fs::metadata(&file).expect("a picture");
        std::fs::write(&file, vec![0; metadata.len() as usize]).expect("spoilt");
        let file = std::fs::File::options().append(true).open(&file).expect("a picture");
        file.set_modified(metadata.modified().expect("a time")).expect("set");
    }
    let predictor = Predictor::open(&run, DeviceChoice::Cpu).expect("a predictor");
    let written = std::fs::read_to_string(run.join(PREDICTIONS)).expect("predictions");
    let images: Vec<PathBuf> = (0..24).map(|number| project.path(&format!("{number}.png"))).collect();
    let row = |image: &PathBuf| Row {
        image: image.as_path().into(),
        labels: vec![RowLabel::Missing; 2].into(),
        usable: true,
    };
    let rows: Rows = images.iter().map(row).collect();
    let which: Vec<usize> = (0..24).collect();
    let store = OutputStore::of(&run).expect("a store");
    let pass = store
        .compute(|| Ok(&predictor), &rows, &which, Batching { size: 8, workers: 1 }, &mut |_, _| true)
        .expect("a pass");
    assert_eq!((pass.predicted, pass.failures.len()), (24, 0), "{pass:?}");
    let outputs = store.load().expect("outputs");
    let mut compared = 0;
    for record in csv::Reader::from_reader(written.as_bytes()).records() {
        let record = record.expect("a row");
        let at =
            outputs.images.iter().position(|image| *image == Path::new(&record[0])).expect("its outputs");
        for (column, label) in [(3, 0), (4, 1)] {
            let written: f32 = record[column].parse().expect("a probability");
            let said = outputs.probabilities[0][2 * at + label];
            assert!((written - said).abs() < 2e-6, "{written} was written, {said} said");
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * 6);
}
