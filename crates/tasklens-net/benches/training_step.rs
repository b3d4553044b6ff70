//! How long a training step takes on a processor: forward, backward and the optimizer, on synthetic images of 224 x 224, by
//! fused operations and by those of libtorch in turn.
//!
//! `cargo bench -p tasklens-net --bench training_step [-- NETWORK...] [--float32] [--batch N] [--rounds N]`; `--only fused`
//! or `--only unfused` takes one way and prints its images a second and the most memory that the process had.

#![allow(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::time::Instant;

use tasklens_data::config::{Backbone, Task};
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tasklens_net::training::adam::Adam;
use tasklens_torch::memory::Keeping;
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
    let networks =
        if named.is_empty() { vec![Backbone::Xception, Backbone::EfficientNetLite0] } else { named };
    let only =
        arguments.iter().position(|argument| argument == "--only").map(|at| arguments[at + 1] == "fused");
    for backbone in networks {
        match only {
            Some(fuse) => {
                let rate = batch as f64 / measure(backbone, batch, rounds, kind, &[fuse])[0];
                println!("images_per_sec: {rate:.2}\npeak_mib: {}", peak_mib());
            }
            None => {
                let [fused, unfused] = measure(backbone, batch, rounds, kind, &[true, false])[..] else {
                    return;
                };
                println!(
                    "{:<20} {kind:?}, batches of {batch}: {:.2} / {:.2} images/s = {:.2} times as fast as unfused",
                    backbone.name(),
                    batch as f64 / fused,
                    batch as f64 / unfused,
                    unfused / fused
                );
            }
        }
    }
}

/// A network and its optimizer.
struct Trainee {
    network: Network,
    adam: Adam,
    fuse: bool,
}

/// Median seconds of a step in each of the `ways`, fused or not. In turn, so that a slow spell of the machine hits all;
/// the first round warms up.
fn measure(backbone: Backbone, batch: i64, rounds: i64, kind: Kind, ways: &[bool]) -> Vec<f64> {
    let task = |name: &str, labels: usize| Task {
        name: name.to_owned(),
        labels: (0..labels).map(|i| format!("label{i}")).collect(),
    };
    let tasks = [task("item", 10), task("sleeves", 2), task("worn_on", 5)];
    // As a training does.
    let _memory = Keeping::begin();
    let mut trainees: Vec<Trainee> = ways
        .iter()
        .map(|&fuse| {
            let network = Network::new(backbone, &tasks, 1, Device::Cpu).expect("a network");
            let adam = Adam::new(network.parameters().trainable(|_| true)).expect("an optimizer");
            Trainee { network, adam: if fuse { adam } else { adam.unfused() }, fuse }
        })
        .collect();
    let pixels: Vec<u8> = (0..batch * SIZE * SIZE * 3).map(|i| (i * 7919 % 251) as u8).collect();
    let bytes = Tensor::from_slice(&pixels).view([batch, SIZE, SIZE, 3]);
    let labels = Tensor::from_slice(&(0..batch).map(|i| i % 2).collect::<Vec<i64>>());
    let mut times = vec![Vec::new(); ways.len()];
    for round in 0..=rounds {
        for (Trainee { network, adam, fuse }, times) in trainees.iter_mut().zip(&mut times) {
            let began = Instant::now();
            let images = network.normalise(&bytes, kind).expect("images");
            let pass = ForwardPass { fuse: *fuse, ..ForwardPass::train(kind) };
            let logits = network.forward(&images, pass).expect("logits");
            let loss: Tensor = logits.iter().map(|logits| logits.cross_entropy_for_logits(&labels)).sum();
            adam.step(&loss, 1e-4).expect("a step");
            if round > 0 {
                times.push(began.elapsed().as_secs_f64());
            }
        }
    }
    times.into_iter().map(median).collect()
}

/// The most memory that this process had, MiB; 0 where the system does not say.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|kib| kib.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
