//! The backbones compute what the published networks compute: features of weights and inputs that are made from
//! formulas, against values from the packages that publish them, recorded by `golden/*.py`.

#![expect(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use std::collections::HashMap;

use serde_json::Value;
use tasklens_data::config::Backbone;
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tch::{Device, Kind, Tensor, no_grad};

use crate::skip;

mod efficientnet_lite;

/// The polynomial of zlib's crc32, bit by bit: it hashes a few hundred names.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// The weights that `golden/xception.py` describes.
pub fn weights(name: &str, shape: &[i64]) -> Tensor {
    let seed = crc32(name.as_bytes());
    let count = shape.iter().product::<i64>() as u32;
    let values: Vec<f32> = (0..count)
        .map(|i| {
            let mut v = i.wrapping_mul(2_654_435_761).wrapping_add(seed);
            v ^= v >> 15;
            v = v.wrapping_mul(2_246_822_519);
            v ^= v >> 13;
            let u = f64::from(v) / 4_294_967_296.0 - 0.5;
            let value = if shape.len() == 4 {
                u * (6.0 / (shape[1] * shape[2] * shape[3]) as f64).sqrt() * 1.3
            } else if name.ends_with("running_var") {
                1.0 + 0.2 * u.abs()
            } else if name.ends_with(".weight") {
                1.0 + 0.1 * u
            } else {
                0.1 * u
            };
            value as f32
        })
        .collect();
    Tensor::from_slice(&values).view(shape)
}

fn input(height: i64, width: i64) -> Tensor {
    let mut values = Vec::new();
    for c in 0..3 {
        for y in 0..height {
            for x in 0..width {
                values.push(((7 * c + 3 * y + 5 * x) % 17) as f32 / 8.5 - 1.0);
            }
        }
    }
    Tensor::from_slice(&values).view([1, 3, height, width])
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn relative_error(ours: &[f64], listed: &[f64]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut ours.iter().zip(listed).map(|(a, b)| a - b)) / norm(&mut listed.iter().copied())
}

/// Features `[1, N]` are those listed, to a ten-thousandth.
fn compare(features: &Tensor, listed: &Value, what: &str) {
    let ours = Vec::<f64>::try_from(features.view([-1]).to_kind(Kind::Double)).expect("numbers");
    let every_16th: Vec<f64> = ours.iter().copied().step_by(16).collect();
    let mean = ours.iter().sum::<f64>() / ours.len() as f64;
    let errors = [
        relative_error(&every_16th, &numbers(&listed["every_16th"])),
        relative_error(&[mean], &[listed["mean"].as_f64().expect("mean")]),
    ];
    assert!(errors.iter().all(|e| *e < 1e-4), "{what}: relative errors {errors:?}");
}

/// Height and width of `HEIGHTxWIDTH`.
fn sides(size: &str) -> (i64, i64) {
    let (height, width) = size.split_once('x').expect("HEIGHTxWIDTH");
    (height.parse().expect("height"), width.parse().expect("width"))
}

#[test]
fn xception_reproduces_the_published_network() {
    let golden: Value =
        serde_json::from_str(include_str!("golden/xception.json")).expect("golden values are JSON");
    let mut network = Network::new(Backbone::Xception, &[], 0, Device::Cpu).expect("a network");

    let mut values = HashMap::new();
    for parameter in golden["parameters"].as_array().expect("a list") {
        let name = parameter[0].as_str().expect("a name");
        let shape: Vec<i64> = numbers(&parameter[1]).into_iter().map(|n| n as i64).collect();
        values.insert(name.to_owned(), weights(name, &shape));
    }
    assert_eq!(network.parameters().iter().count(), values.len(), "as many tensors as the published network");
    network.load(&values, |_| true).expect("names and shapes are those of the published network");

    for folded in [false, true] {
        if folded {
            network.fold(Kind::Float).expect("folds");
        }
        for (size, listed) in golden["features"].as_object().expect("sizes") {
            let (height, width) = sides(size);
            let images = input(height, width);
            let features =
                no_grad(|| network.features(&images, ForwardPass::evaluate(Kind::Float))).expect("features");
            assert_eq!(features.size(), [1, 2048]);
            compare(&features, listed, &format!("{size}, folded {folded}"));
        }
    }
}
