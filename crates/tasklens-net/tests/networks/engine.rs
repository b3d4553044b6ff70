//! OpenVINO answers as libtorch does.

#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use half::f16;
use tasklens_data::config::{Backbone, DeviceChoice, Task};
use tasklens_net::device::cpu_has_bf16;
use tasklens_net::inference::engine::{self, Demand, NoEngine};
use tasklens_net::inference::{Look, Predictor};
use tasklens_net::model::checkpoint::{self, Description};
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tch::{Device, Kind, Tensor, no_grad};

use crate::skip::skipped;

const SIDE: u32 = 96;

/// Whether there is an engine to test.
pub fn is_at_hand() -> bool {
    match engine::installed() {
        Ok(_) => true,
        Err(NoEngine::Broken(why)) => panic!("{why}"),
        Err(why) => {
            skipped(&format!("prediction by OpenVINO: {why}"));
            false
        }
    }
}

/// A network with random weights and running statistics of some images; its file is in the folder.
pub fn checkpoint_of(backbone: Backbone, precision: &str) -> tempfile::TempDir {
    let task = |name: &str, labels: usize| Task {
        name: name.to_owned(),
        labels: (0..labels).map(|label| format!("label{label}")).collect(),
    };
    let description = Description {
        epoch: 1,
        ..Description::new(
            backbone,
            vec![task("print", 3), task("features", 2), task("neckline", 5)],
            (SIDE, SIDE),
            precision,
        )
    };
    let network = Network::new(backbone, &description.tasks, 5, Device::Cpu).expect("a network");
    no_grad(|| {
        let images = pixels(8);
        let bytes = Tensor::from_slice(&images).view([8, i64::from(SIDE), i64::from(SIDE), 3]);
        let images = network.normalise(&bytes, Kind::Float).expect("images");
        for _ in 0..4 {
            network.forward(&images, ForwardPass::train(Kind::Float)).expect("a pass");
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    checkpoint::write(&folder.path().join(checkpoint::BEST), &network, &description, &[]).expect("written");
    folder
}

/// Images of patterns that differ.
pub fn pixels(images: usize) -> Vec<u8> {
    let image = |image: usize| {
        (0..SIDE * SIDE).flat_map(move |at| {
            let (x, y, image) = (at % SIDE, at / SIDE, image as u32);
            [x * (image + 1) / 2, y * (image % 7 + 1), (x * y / (image + 3)) % 251].map(|v| (v % 256) as u8)
        })
    };
    (0..images).flat_map(image).collect()
}

fn numbers(features: &[u8]) -> Vec<f32> {
    features.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32()).collect()
}

/// The greatest difference of a probability, and the difference of the features relative to their length.
fn difference(a: &Look, b: &Look) -> (f32, f32) {
    assert_eq!(a.probabilities.len(), b.probabilities.len());
    let (mut greatest, mut apart, mut length) = (0_f32, 0_f32, 0_f32);
    for (a, b) in a.probabilities.iter().zip(&b.probabilities) {
        assert_eq!(a.len(), b.len());
        greatest = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(greatest, f32::max);
    }
    let (a, b) = (numbers(&a.features), numbers(&b.features));
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        apart += (a - b).powi(2);
        length += a.powi(2);
    }
    (greatest, (apart / length).sqrt())
}

fn open(folder: &tempfile::TempDir) -> Predictor {
    Predictor::open(folder.path(), DeviceChoice::Cpu).expect("opens")
}

#[test]
fn openvino_gives_the_probabilities_and_features_of_libtorch_for_any_number_of_images() {
    if !is_at_hand() {
        return;
    }
    for backbone in [Backbone::XceptionSmall, Backbone::EfficientNetLite0] {
        let folder = checkpoint_of(backbone, "fp32");
        let libtorch = open(&folder);
        let all = libtorch.look_at(&pixels(35), 35).expect("predicts");
        let spread = all.probabilities[2].chunks(5).map(|row| row[0]);
        let (least, most) = spread.fold((1_f32, 0_f32), |(a, b), p| (a.min(p), b.max(p)));
        assert!(most - least > 0.01, "the images are told apart: {least} to {most}");
        for demand in [Demand::Batches, Demand::SingleImages] {
            let openvino = open(&folder);
            openvino.speed_up(demand);
            assert!(openvino.is_sped_up(demand));
            for images in [1, 2, 15, 16, 17, 35] {
                let expected = libtorch.look_at(&pixels(images), images).expect("predicts");
                let found = openvino.look_at(&pixels(images), images).expect("predicts");
                let (probability, features) = difference(&expected, &found);
                let what = format!("{} {demand:?} {images}: {probability} {features}", backbone.name());
                assert!(probability <= 1e-3 && features <= 1e-3, "{what}");
            }
            assert!(openvino.is_sped_up(demand), "it has not failed");
        }
    }
}

/// Why features of both may lie in one store: they differ as two computations in bf16 do.
#[test]
fn in_bf16_openvino_is_as_near_to_libtorch_as_bf16_is_to_float32() {
    if !is_at_hand() {
        return;
    }
    if !cpu_has_bf16() {
        skipped("prediction by OpenVINO in bf16: this processor has no bf16");
        return;
    }
    for backbone in [Backbone::XceptionSmall, Backbone::EfficientNetLite0] {
        let (fp32, bf16) = (checkpoint_of(backbone, "fp32"), checkpoint_of(backbone, "bf16"));
        let exact = open(&fp32).look_at(&pixels(20), 20).expect("predicts");
        let predictor = open(&bf16);
        assert_eq!(predictor.precision(), "bf16");
        let libtorch = predictor.look_at(&pixels(20), 20).expect("predicts");
        predictor.speed_up(Demand::Batches);
        let openvino = predictor.look_at(&pixels(20), 20).expect("predicts");
        let of_bf16 = difference(&exact, &libtorch);
        let of_openvino = difference(&exact, &openvino);
        let apart = difference(&libtorch, &openvino);
        let what = format!("{}: {of_bf16:?} {of_openvino:?} {apart:?}", backbone.name());
        println!("{what}");
        assert!(apart.0 <= 2e-2 && apart.1 <= 2.0 * of_bf16.1 && of_openvino.1 <= 1.5 * of_bf16.1, "{what}");
        assert!(of_openvino.1 > 1e-3, "it computes in bf16: {what}");
    }
}
