//! A model that Keras saved computes with us what it computes there: files and answers are recorded by
//! `keras/models.py`, in the form of Keras 2 (TensorFlow 2) and of Keras 3.

#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tasklens_data::config::{Config, DeviceChoice};
use tasklens_net::inference::Predictor;
use tasklens_net::model::backbone_file;
use tasklens_net::model::conventions::Conventions;
use tasklens_net::model::keras;
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::{Network, probabilities};
use tasklens_net::training::events::Event;
use tasklens_net::training::imported_run::{self, Target};
use tasklens_net::training::{Request, Unsaved, start};
use tch::{Kind, Tensor, no_grad};

/// Height and width of the images.
const SIZE: (i64, i64) = (71, 64);
const IMAGES: i64 = 4;

pub fn unpacked(folder: &Path, name: &str, packed: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacks");
    let file = folder.join(name);
    std::fs::write(&file, bytes).expect("written");
    file
}

/// A config of the recorded models, with further lines of `model:`.
fn config(folder: &Path, tasks: &str, lines: &str) -> Config {
    let text = format!(
        "paths: {{model_dataframe: a.csv}}\nmodel:\n  input_shape: [71, 64]\n  backbone: xception_small\n  \
         target_encoder: {tasks}\n{lines}"
    );
    Config::parse(&text, &folder.join("config.yml")).expect("a config")
}

const TASKS: &str = "{sleeves: [short, long], print: [solid, striped, floral]}";

/// `keras/models.py` says how they are made.
fn images() -> Vec<u8> {
    let (height, width) = SIZE;
    let mut bytes = Vec::new();
    for number in 0..IMAGES {
        for y in 0..height {
            for x in 0..width {
                for c in 0..3 {
                    let value = y * (7 + number) + x * (3 + 2 * number) + c * 41 + (x * y) / (9 + number);
                    bytes.push((value % 256) as u8);
                }
            }
        }
    }
    bytes
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn listed(text: &str) -> Value {
    serde_json::from_str(text).expect("recorded values are JSON")
}

/// Greatest difference to what is listed, of the probabilities of a task by its place in the file.
fn difference(ours: &[f32], listed: &Value, task: usize) -> f64 {
    let theirs = listed["probabilities"][task].as_array().expect("images").iter().flat_map(numbers);
    ours.iter().zip(theirs).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

/// `[IMAGES, 32]`: the features that are listed.
fn features(network: &Network, kind: Kind) -> Vec<f64> {
    let (height, width) = SIZE;
    let bytes = Tensor::f_from_data_size(&images(), &[IMAGES, height, width, 3], Kind::Uint8).expect("bytes");
    let of = || -> Result<Tensor, tch::TchError> {
        network.features(&network.normalise(&bytes, kind)?, ForwardPass::evaluate(kind))
    };
    let features = no_grad(of).expect("features");
    let every_16th = features.slice(1, 0, None, 16).contiguous().view([-1]).to_kind(Kind::Double);
    Vec::<f64>::try_from(every_16th).expect("numbers")
}

/// Greatest relative difference to the features that are listed.
fn deviation(network: &Network, listed: &Value) -> f64 {
    let theirs: Vec<f64> =
        listed["features_every_16th"].as_array().expect("images").iter().flat_map(numbers).collect();
    let ours = features(network, Kind::Float);
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f64::max)
}

/// Name of a file, its bytes, what Keras says of it, and who wrote it.
fn recorded() -> [(&'static str, &'static [u8], Value, &'static str); 2] {
    [
        (
            "keras2.h5",
            include_bytes!("keras/keras2.h5.gz"),
            listed(include_str!("keras/keras2.json")),
            "Keras 2.21.0",
        ),
        (
            "keras3.h5",
            include_bytes!("keras/keras3.h5.gz"),
            listed(include_str!("keras/keras3.json")),
            "Keras 3.15.1",
        ),
    ]
}

#[test]
fn a_model_of_keras_computes_what_it_computes_there() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, packed, listed, written_by) in recorded() {
        let file = unpacked(dir.path(), name, packed);
        let config = config(dir.path(), TASKS, "");
        let imported = keras::import(&file, &config).expect("imported");
        assert_eq!((imported.written_by.as_str(), imported.notices.len()), (written_by, 0));
        let mut network = imported.network;
        let error = deviation(&network, &listed);
        assert!(error < 1e-4, "{name}: {error}");
        network.fold(Kind::Float).expect("folds");
        let error = deviation(&network, &listed);
        assert!(error < 1e-4, "{name}, folded: {error}");

        // The padding and the epsilon are what makes the difference.
        network.follow(Conventions::Published);
        let error = deviation(&network, &listed);
        assert!(error > 0.01, "{name} by the conventions of PyTorch: {error}");
    }
}

#[test]
fn an_imported_run_predicts_as_keras_does_and_a_network_on_its_backbone_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let (run, config, listed) = imported_run(dir.path(), "");
    assert_eq!(run, dir.path().join("run"));
    let (file, target) = (dir.path().join("keras2.h5"), Target::Run(run.clone()));
    let again = imported_run::import_keras(&file, &config, &target, || true);
    assert!(again.expect_err("there already").to_string().contains("already contains a run"));

    let predictor = Predictor::open(&run, DeviceChoice::Cpu).expect("opens");
    assert_eq!(predictor.description().conventions, Conventions::Keras);
    let look = predictor.look_at(&images(), IMAGES as usize).expect("predicts");
    // The config has the tasks in another order than the file.
    for (task, in_file) in [(0, 1), (1, 0)] {
        let error = difference(&look.probabilities[task], &listed, in_file);
        assert!(error < 1e-4, "task {task}: {error}");
    }

    // As `pretrained` does, whichever way a network has begun.
    let mut other =
        Network::new(config.model.backbone, &config.model.tasks, 3, tch::Device::Cpu).expect("a network");
    backbone_file::load(&mut other, &run.join("best.safetensors")).expect("the backbone of a run");
    assert_eq!(other.conventions(), Conventions::Keras);
    let error = deviation(&other, &listed);
    assert!(error < 1e-4, "{error}");
    let logits = no_grad(|| other.classify(&Tensor::zeros([1, 512], (Kind::Float, tch::Device::Cpu))))
        .expect("logits");
    assert_eq!(probabilities(&logits[0]).expect("numbers"), [0.5; 2], "new heads");
}

#[test]
fn an_imported_model_computes_the_same_in_bf16_but_for_rounding() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, packed, listed, _) in recorded() {
        let file = unpacked(dir.path(), name, packed);
        let config = config(dir.path(), TASKS, "");
        let mut network = keras::import(&file, &config).expect("imported").network;
        network.fold(Kind::BFloat16).expect("folds");
        let theirs = listed["features_every_16th"].as_array().expect("images").iter().flat_map(numbers);
        let (mut error, mut size) = (0.0, 0.0);
        for (ours, theirs) in features(&network, Kind::BFloat16).into_iter().zip(theirs) {
            error += (ours - theirs).abs();
            size += theirs.abs();
        }
        // Rounding makes 3 % of it: these weights are random, and no layer forgives.
        assert!(size > 0.0 && error / size < 0.06, "{name}: {}", error / size);
    }
}

#[test]
fn heat_maps_of_an_imported_run_tell_labels_apart() {
    let dir = tempfile::tempdir().expect("a folder");
    let (run, ..) = imported_run(dir.path(), "");
    let predictor = Predictor::open(&run, DeviceChoice::Cpu).expect("opens");
    let (height, width) = SIZE;
    let pixels = images()[..(height * width * 3) as usize].to_vec();
    let image = image::RgbImage::from_raw(width as u32, height as u32, pixels).expect("an image");
    let heat = |label| predictor.heat_map(&image, 1, label).expect("a heat map");
    let [solid, striped, floral] = [0, 1, 2].map(heat);
    for heat in [&solid, &striped, &floral] {
        assert_eq!((heat.height, heat.width), (5, 4));
        assert!(heat.values.contains(&1.0) && heat.values.iter().all(|value| (0.0..=1.0).contains(value)));
    }
    assert!(solid != striped && striped != floral && floral != solid);
}

#[test]
fn training_goes_on_from_the_imported_weights() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut csv = "image_path,sleeves,print\n".to_owned();
    for number in 0..12_u32 {
        let pixel = |x: u32, y: u32| image::Rgb([(x * number) as u8, (y * 3) as u8, (x + y * number) as u8]);
        let name = format!("{number}.png");
        image::RgbImage::from_fn(64, 71, pixel).save(dir.path().join(&name)).expect("saved");
        let print = ["solid", "striped", "floral"][number as usize % 3];
        csv += &format!("{name},{},{print}\n", if number % 2 == 0 { "short" } else { "long" });
    }
    std::fs::write(dir.path().join("a.csv"), csv).expect("a CSV");
    // The backbone stays as it was imported, and the heads learn.
    let lines = "  paths: image_path\n  device: cpu\n  workers: 1\n  epochs: 2\n  batch_size: 4\n  \
                 freeze_convolutional_layers: true\n  learning_rate: 0.00001\n";
    let (run, config, listed) = imported_run(dir.path(), lines);
    let before = Predictor::open(&run, DeviceChoice::Cpu).expect("opens");
    let before = before.look_at(&images(), IMAGES as usize).expect("predicts").probabilities;
    let request = Request {
        config: config.clone(),
        run: Some(run.clone()),
        resume: true,
        allow_outside: true,
        edits: Unsaved::default(),
    };
    let events: Vec<Event> = start(request, || {}).events.iter().collect();
    let is_over = matches!(events.last(), Some(Event::Stopped(stopped)) if stopped.model.is_some());
    assert!(is_over, "{:?}", events.last());

    let mut trained =
        Network::new(config.model.backbone, &config.model.tasks, 3, tch::Device::Cpu).expect("a network");
    backbone_file::load(&mut trained, &run.join("best.safetensors")).expect("the backbone of a run");
    let error = deviation(&trained, &listed);
    assert!(error < 1e-4, "{error}");
    let after = Predictor::open(&run, DeviceChoice::Cpu).expect("opens");
    assert_eq!(after.description().conventions, Conventions::Keras);
    let after = after.look_at(&images(), IMAGES as usize).expect("predicts").probabilities;
    assert_ne!(before, after, "the heads have learnt");
    let change = before.iter().flatten().zip(after.iter().flatten()).map(|(a, b)| (a - b).abs());
    let most = change.fold(0.0, f32::max);
    assert!(most < 0.5, "they went on from those of Keras: {most}");
}

/// A run of a recorded model, its config with further lines, and what Keras says of it.
fn imported_run(folder: &Path, lines: &str) -> (PathBuf, Config, Value) {
    let [(name, packed, listed, _), _] = recorded();
    let file = unpacked(folder, name, packed);
    let config = config(folder, TASKS, lines);
    let target = Target::Run(folder.join("run"));
    let imported = imported_run::import_keras(&file, &config, &target, || true).expect("imported");
    (imported.written, config, listed)
}

/// What is said of a file with a config.
fn refusal(file: &Path, config: &Config) -> String {
    format!("{:#}", keras::import(file, config).expect_err("refused"))
}

#[test]
fn what_does_not_fit_the_config_is_told_at_once_with_the_names_of_layers() {
    let dir = tempfile::tempdir().expect("a folder");
    let [_, (name, packed, ..)] = recorded();
    let file = unpacked(dir.path(), name, packed);
    let other = config(dir.path(), "{print: [solid, striped], neck: [v, u]}", "");
    let told = refusal(&file, &other);
    for part in [
        "keras3.h5 and ",
        "the layer `print_clf` has 3 labels, and the task `print` in `target_encoder` has 2",
        "the task `neck` has no layer `neck_clf` (there are print_clf, sleeves_clf)",
        "the layer `sleeves_clf` (2 labels) answers no task",
    ] {
        assert!(told.contains(part), "{told}\nshould say: {part}");
    }
    let mut larger = config(dir.path(), TASKS, "");
    larger.model.height = 299;
    larger.model.backbone = tasklens_data::config::Backbone::Xception;
    let told = refusal(&file, &larger);
    assert!(told.contains("the height of its images is 71, and `input_shape` has 299"), "{told}");
    assert!(told.contains("set `backbone: xception_small`"), "{told}");
}

#[test]
fn a_file_of_another_kind_is_told_what_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = config(dir.path(), TASKS, "");
    let file = dir.path().join("x");
    for (bytes, expected) in [
        (&b""[..], "is empty"),
        (b"PK\x03\x04rest", "is a zip archive, as Keras 3 saves `.keras` files"),
        (b"\x80\x04\x95", "is a Python pickle"),
        (b"hello, this is text", "is no HDF5 file: expected what `model.save(\"model.h5\")`"),
        (b"\x89HDF\r\n\x1a\n", "is damaged"),
    ] {
        std::fs::write(&file, bytes).expect("written");
        let told = refusal(&file, &config);
        assert!(told.contains(expected), "{told}\nshould say: {expected}");
    }
    assert!(refusal(dir.path(), &config).contains("is a folder, as TensorFlow's SavedModel is"));
    let tiny = unpacked(dir.path(), "tiny.h5", include_bytes!("keras/tiny.h5.gz"));
    let told = refusal(&tiny, &config);
    assert!(told.contains("tiny.h5 holds another network than the Xception of keras.applications"), "{told}");
    assert!(told.contains("Conv2D `block1_conv1` has `filters: 4`, expected 32"), "{told}");
}
