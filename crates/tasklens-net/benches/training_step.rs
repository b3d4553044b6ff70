//! How long a training step takes: forward, backward and the optimizer, on synthetic images of 224 x 224.
//!
//! `cargo bench -p tasklens-net --bench training_step [-- NETWORK...] [--float32] [--batch N] [--rounds N]`

#![allow(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::time::Instant;

use tasklens_data::config::{Backbone, Task};
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tasklens_net::training::adam::Adam;
use tch::{Device, Kind, Tensor};

const SIZE: i64 = 224;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |name: &str, default: i64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(default, |at| arguments[at + 1].parse().expect("a number"))
    };
    let (batch, rounds) = (number("--batch", 16), number("--rounds", 7));
    let kind = if arguments.iter().any(|a| a == "--float32") { Kind::Float } else { Kind::BFloat16 };
    let named: Vec<Backbone> =
        Backbone::ALL.iter().copied().filter(|b| arguments.iter().any(|a| a == b.name())).collect();
    let networks = if named.is_empty() { vec![Backbone::Xception, Backbone::EfficientNetLite0] } else { named };
    for backbone in networks {
        measure(backbone, batch, rounds, kind);
    }
}

fn measure(backbone: Backbone, batch: i64, rounds: i64, kind: Kind) {
    let task = |name: &str, labels: usize| Task {
        name: name.to_owned(),
        labels: (0..labels).map(|i| format!("label{i}")).collect(),
    };
    let tasks = [task("item", 10), task("sleeves", 2), task("worn_on", 5)];
    let network = Network::new(backbone, &tasks, 1, Device::Cpu).expect("a network");
    let mut adam = Adam::new(network.parameters().trainable(|_| true)).expect("an optimizer");
    let pixels: Vec<u8> = (0..batch * SIZE * SIZE * 3).map(|i| (i * 7919 % 251) as u8).collect();
    let bytes = Tensor::from_slice(&pixels).view([batch, SIZE, SIZE, 3]);
    let labels: Vec<i64> = (0..batch).map(|i| i % 2).collect();
    let labels = Tensor::from_slice(&labels);
    let mut times = Vec::new();
    for round in 0..=rounds {
        let began = Instant::now();
        let images = network.normalise(&bytes, kind).expect("images");
        let logits = network.forward(&images, ForwardPass::train(kind)).expect("logits");
        let loss: Tensor = logits.iter().map(|logits| logits.cross_entropy_for_logits(&labels)).sum();
        let forward = began.elapsed().as_secs_f64();
        adam.step(&loss, 1e-3).expect("a step");
        let step = began.elapsed().as_secs_f64();
        if round > 0 {
            times.push((step, forward));
        }
    }
    let step = median(times.iter().map(|t| t.0).collect());
    let forward = median(times.iter().map(|t| t.1).collect());
    println!(
        "{:<20} {kind:?}, {batch} images: {:.2} images/s, {:.1} ms a step, forward {:.1} ms",
        backbone.name(),
        batch as f64 / step,
        1e3 * step,
        1e3 * forward
    );
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
