//! Exported networks answer in another engine as here.

#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use rten::{Model, Value};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor as Values, TensorView};
use tasklens_data::config::{Backbone, Task};
use tasklens_data::images::{Rgb, resize};
use tasklens_net::export;
use tasklens_net::model::conventions::Conventions;
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tch::{Device, Kind, Tensor, no_grad};

use crate::golden::weights;

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
        task("neck line", &["1"]),
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
    let model = export::engine_model(network, (height, width)).expect("a model");
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
    for (height, width) in [(64, 65), (95, 96)] {
        check_at(&network, height, width);
    }
}
