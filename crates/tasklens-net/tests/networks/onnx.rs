//! Exported networks answer in another engine as here.

#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use std::path::{Path, PathBuf};

use prost::Message as _;
use rten::{Model, Value};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor as Values, TensorView};
use tasklens_data::config::{Backbone, DeviceChoice, Task};
use tasklens_data::images::{Rgb, decode::decode_file, resize};
use tasklens_net::export::{self, Options, Precision};
use tasklens_net::inference::Predictor;
use tasklens_net::model::checkpoint::{self, Description};
use tasklens_net::model::conventions::Conventions;
use tasklens_net::model::int8;
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tasklens_net::onnx::{self, protobuf::ModelProto};
use tch::{Device, Kind, Tensor, no_grad};

use crate::golden::weights;

/// The example of the card: it compiles.
#[expect(dead_code, reason = "it opens files that are not here")]
#[path = "../../src/export/example.rs"]
mod example;

/// With weights made from formulas, so that no layer is without effect.
fn made(backbone: Backbone, tasks: &[Task]) -> Network {
    let mut network = Network::new(backbone, tasks, 0, Device::Cpu).expect("a network");
    let values = network.parameters().iter();
    let values = values.map(|p| (p.name.clone(), weights(&p.name, &p.tensor.size()))).collect();
    network.load(&values, |_| true).expect("every tensor");
    network
}

fn tasks() -> Vec<Task> {
    let task = |name: &str, labels: &[&str]| Task {
        name: name.to_owned(),
        labels: labels.iter().map(|&label| label.to_owned()).collect(),
    };
    // Names that the graph itself would like to use.
    vec![
        task("image", &["plain", "dotted"]),
        task("features", &["v", "round", "boat"]),
        task("neck line", &["long", "short"]),
        task("/normalise/factor", &["a", "b"]),
    ]
}

fn noise(width: u32, height: u32) -> Rgb {
    Rgb::from_fn(width, height, |x, y| {
        let hash = (x * 2_654_435 + y * 40_503).wrapping_mul(2_246_822_519) >> 13;
        image::Rgb([hash as u8, (x * 255 / width) as u8, (hash >> 8) as u8 / 2 + (y * 127 / height) as u8])
    })
}

/// The outputs of a file for images of one size, in its order.
fn run(model: &Model, images: &[&Rgb]) -> Vec<Vec<f32>> {
    let (width, height) = images[0].dimensions();
    let bytes: Vec<u8> = images.iter().flat_map(|image| image.as_raw().iter().copied()).collect();
    let bytes = Values::from_data(&[images.len(), height as usize, width as usize, 3], bytes);
    let input = model.input_ids()[0];
    let values = model.run(vec![(input, Value::from(bytes).into())], model.output_ids(), None);
    let numbers = |value: &Value| TensorView::<f32>::try_from(value).expect("float32").to_vec();
    values.expect("answers").iter().map(numbers).collect()
}

fn greatest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Compares the file for engines with the network itself at a size.
fn check_at(network: &Network, height: u32, width: u32) {
    let name = network.backbone().name();
    let model = onnx::engine_model(network, (height, width)).expect("a model");
    let model = Model::load(model).expect("a valid model");
    let images = [noise(width, height), noise(width, height + 1)];
    let images = [images[0].clone(), resize::resize(&images[1], width, height)];
    let given = run(&model, &images.each_ref());

    let bytes: Vec<u8> = images.iter().flat_map(|image| image.as_raw().iter().copied()).collect();
    let (features, answers) = no_grad(|| {
        let bytes = Tensor::from_slice(&bytes).view([2, height.into(), width.into(), 3]);
        let images = network.normalise(&bytes, Kind::Float).expect("images");
        let features = network.features(&images, ForwardPass::evaluate(Kind::Float)).expect("features");
        let logits = network.classify(&features).expect("logits");
        let answers: Vec<Tensor> = logits.iter().map(|logits| logits.softmax(-1, Kind::Float)).collect();
        (features, answers)
    });
    let numbers = |tensor: &Tensor| Vec::<f32>::try_from(tensor.contiguous().view([-1])).expect("numbers");
    assert_eq!(given.len(), answers.len() + 1, "{name}: one output per task, and the features");
    let expected = numbers(&features);
    let scale = expected.iter().fold(0_f32, |most, value| most.max(value.abs()));
    let apart = greatest(&given[answers.len()], &expected);
    assert!(apart < 1e-4 * scale, "{name} {height}x{width}: features of up to {scale} differ by {apart}");
    for (given, expected) in given.iter().zip(&answers) {
        let apart = greatest(given, &numbers(expected));
        assert!(apart < 1e-4, "{name} {height}x{width}: probabilities differ by {apart}");
    }
}

#[test]
fn every_network_answers_in_another_engine_as_here() {
    for backbone in Backbone::ALL {
        // Sides that are padded in front and behind, or behind alone, differently at every stage.
        check_at(&made(*backbone, &tasks()), 75, 102);
    }
}

#[test]
fn odd_and_even_sides_are_padded_as_here_by_either_rule() {
    for conventions in [Conventions::Published, Conventions::Keras] {
        let mut network = made(Backbone::XceptionSmall, &tasks());
        network.follow(conventions);
        for (height, width) in [(64, 71), (71, 96), (97, 128)] {
            check_at(&network, height, width);
        }
    }
    let network = made(Backbone::EfficientNetLite0, &tasks());
    // So that many features reach 6, where they end.
    let norms = network.parameters().iter().filter(|p| p.name.ends_with(".weight") && p.tensor.dim() == 1);
    let last = norms.last().expect("a normalisation").tensor.shallow_clone();
    let _ = no_grad(|| last.shallow_clone().f_mul_scalar_(1000.0)).expect("larger features");
    for (height, width) in [(64, 65), (95, 96)] {
        check_at(&network, height, width);
    }
}

const SIZE: (u32, u32) = (96, 80);

/// A checkpoint of the small network.
fn checkpoint_in(folder: &Path) -> PathBuf {
    let network = made(Backbone::XceptionSmall, &tasks());
    let description =
        Description { epoch: 7, ..Description::new(network.backbone(), tasks(), (SIZE.0, SIZE.1), "fp32") };
    let file = folder.join("garments.safetensors");
    checkpoint::write(&file, &network, &description, &[]).expect("a checkpoint");
    file
}

fn exported(folder: &Path, precision: Precision) -> (Predictor, Model) {
    let checkpoint = checkpoint_in(folder);
    let file = folder.join("garments.onnx");
    let options = Options { precision, replace: false };
    export::export(&checkpoint, &file, options, &mut |_, _| true).expect("an export");
    let predictor = Predictor::open(&checkpoint, DeviceChoice::Cpu).expect("a predictor");
    (predictor, Model::load_file(&file).expect("a valid model"))
}

/// The greatest difference on each image; checks the answers.
fn differences(predictor: &Predictor, model: &Model, images: &[Rgb]) -> Vec<f32> {
    let expected = predictor.predict(images).expect("predictions");
    let compare = |(image, expected): (&Rgb, &tasklens_net::inference::Prediction)| {
        let given = run(model, &[image]);
        assert_eq!(given.len(), expected.probabilities.len());
        let label = |values: &[f32]| {
            let most = values.iter().copied().fold(0.0, f32::max);
            values.iter().position(|value| *value == most)
        };
        let tasks = given.iter().zip(&expected.probabilities);
        let difference = |(given, expected): (&Vec<f32>, &Vec<f32>)| {
            assert_eq!(label(given), label(expected), "the answer for an image of {:?}", image.dimensions());
            greatest(given, expected)
        };
        tasks.map(difference).fold(0.0, f32::max)
    };
    images.iter().zip(&expected).map(compare).collect()
}

#[test]
fn an_exported_file_takes_images_of_any_size_and_answers_as_here() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (predictor, model) = exported(folder.path(), Precision::Single);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tasklens-data/tests/fixtures/images");
    let mut images = Vec::new();
    for entry in fixtures.read_dir().expect("fixtures") {
        let file = entry.expect("a file").path();
        if file.extension().is_some_and(|ending| ending != "md") {
            images.push(decode_file(&file).expect("an image").into_rgb());
        }
    }
    assert!(images.len() > 15, "{} fixtures", images.len());
    // Larger and smaller than the network's images, in either direction.
    let sizes = [(1, 1), (2, 300), (300, 2), (80, 333), (333, 96), (81, 95), (640, 427), (1500, 1000)];
    images.extend(sizes.map(|(width, height)| noise(width, height)));
    let worst = differences(&predictor, &model, &images).into_iter().fold(0.0, f32::max);
    assert!(worst < 1e-3, "probabilities differ by {worst}");
    println!("{} images of any size: {worst:e}", images.len());

    let (height, width) = SIZE;
    let images: Vec<Rgb> = images.iter().map(|image| resize::resize(image, width, height)).collect();
    let worst = differences(&predictor, &model, &images).into_iter().fold(0.0, f32::max);
    assert!(worst < 1e-4, "probabilities differ by {worst} on images of the network's size");
    println!("{} images of the network's size: {worst:e}", images.len());
}

#[test]
fn half_precision_is_half_the_size_and_answers_nearly_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (predictor, model) = exported(folder.path(), Precision::Half);
    let images = [noise(200, 100), noise(80, 96)];
    let worst = differences(&predictor, &model, &images).into_iter().fold(0.0, f32::max);
    assert!((1e-6..2e-2).contains(&worst), "probabilities differ by {worst}");
    let bytes = |name: &str| folder.path().join(name).metadata().expect("a file").len();
    let share = bytes("garments.onnx") as f64 / bytes("garments.safetensors") as f64;
    assert!((0.45..0.55).contains(&share), "{share} of the checkpoint");
    let card = std::fs::read_to_string(folder.path().join("garments.md")).expect("a card");
    assert!(card.contains("computes in half precision"), "{card}");
    let unmeasured = "Half precision against float32: by how much its answers differ is not known: ";
    assert!(card.contains(unmeasured), "a checkpoint alone has no validation images: {card}");
}

#[test]
fn a_file_says_what_it_answers_and_a_task_called_as_the_input_gets_another_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    drop(exported(folder.path(), Precision::Single));
    let bytes = std::fs::read(folder.path().join("garments.onnx")).expect("a file");
    let model = ModelProto::decode(bytes.as_slice()).expect("an ONNX file");
    let said = |key: &str| {
        let entry = model.metadata_props.iter().find(|entry| entry.key.as_deref() == Some(key));
        entry.and_then(|entry| entry.value.clone()).expect("an entry")
    };
    assert_eq!(said("tasks"), r#"["image","features","neck line","/normalise/factor"]"#);
    let labels: serde_json::Value = serde_json::from_str(&said("labels")).expect("JSON");
    assert_eq!(labels["features"], serde_json::json!(["v", "round", "boat"]));
    let outputs: serde_json::Value = serde_json::from_str(&said("outputs")).expect("JSON");
    assert_eq!((&outputs["image"], &outputs["neck line"]), (&"image_2".into(), &"neck line".into()));
    assert_eq!(said("input_size"), r#"{"height":96,"width":80}"#);
    assert_eq!((said("network"), said("precision")), ("xception_small".to_owned(), "fp32".to_owned()));
    let graph = model.graph.expect("a graph");
    let names: Vec<_> = graph.output.iter().filter_map(|output| output.name.as_deref()).collect();
    assert_eq!(names, ["image_2", "features", "neck line", "/normalise/factor"]);
    let card = std::fs::read_to_string(folder.path().join("garments.md")).expect("a card");
    assert!(card.contains("The task image is the output image\\_2, as the input has its name."), "{card}");
    assert!(
        card.contains("InferenceSession(\"garments.onnx\")") && card.contains("load_file(\"garments.onnx\")")
    );
}

#[test]
fn weights_of_8_bits_are_nearly_a_quarter_of_the_size_and_those_of_the_rounded_network() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (exact, model) = exported(folder.path(), Precision::Int8);
    let images = [noise(80, 96), noise(200, 100)];
    let worst = differences(&exact, &model, &images).into_iter().fold(0.0, f32::max);
    assert!((1e-5..0.1).contains(&worst), "probabilities differ by {worst}");
    let bytes = |name: &str| folder.path().join(name).metadata().expect("a file").len();
    let share = bytes("garments.onnx") as f64 / bytes("garments.safetensors") as f64;
    assert!((0.2..0.35).contains(&share), "{share} of the checkpoint");

    // What is measured before an export is what the file computes.
    let network = made(Backbone::XceptionSmall, &tasks());
    int8::round_weights(&network).expect("rounded weights");
    let description = Description::new(network.backbone(), tasks(), (SIZE.0, SIZE.1), "fp32");
    let rounded = folder.path().join("rounded.safetensors");
    checkpoint::write(&rounded, &network, &description, &[]).expect("a checkpoint");
    let rounded = Predictor::open(&rounded, DeviceChoice::Cpu).expect("a predictor");
    let rest = differences(&rounded, &model, &images).into_iter().fold(0.0, f32::max);
    assert!(rest < worst / 10.0, "{rest} of {worst} is left");
    let card = std::fs::read_to_string(folder.path().join("garments.md")).expect("a card");
    assert!(card.contains("from weights of 8 bits"), "{card}");
}
