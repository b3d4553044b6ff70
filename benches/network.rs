//! What one shared backbone and folded normalisation are worth, as ratios from one run:
//! `cargo xtask bench`. Bare times say more about the machine than about the program.

#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::time::Instant;

use tasklens::config::{Backbone, Task};
use tasklens::model::layers::Pass;
use tasklens::model::network::Network;
use tch::{Device, Kind, Tensor, no_grad};

const IMAGES: i64 = 8;
const SIZE: i64 = 160;

fn main() {
    let task = |name: &str| Task { name: name.to_owned(), labels: vec!["a".to_owned(), "b".to_owned()] };
    let tasks = [task("print"), task("sleeves"), task("neckline")];
    let network =
        |tasks: &[Task]| Network::new(Backbone::Xception, tasks, 1, Device::Cpu).expect("a network");
    let pixels: Vec<u8> = (0..IMAGES * SIZE * SIZE * 3).map(|i| (i * 7919 % 251) as u8).collect();
    let bytes = Tensor::from_slice(&pixels).view([IMAGES, SIZE, SIZE, 3]);
    let images = normalise(&bytes, Device::Cpu, Kind::Float).expect("images");
    let predict = |network: &Network| {
        no_grad(|| network.forward(&images, Pass::evaluate(Kind::Float)).expect("a prediction"));
    };

    let mut multitask = network(&tasks);
    let single: Vec<Network> = tasks.iter().map(|task| network(std::slice::from_ref(task))).collect();
    let (one, three) = alternate(5, || predict(&multitask), || single.iter().for_each(predict));
    println!("one network with three heads / three networks: {:.2} of the time", one / three);

    let mut plain = Vec::new();
    let mut folded = Vec::new();
    for _ in 0..5 {
        multitask = network(&tasks);
        plain.push(seconds(|| predict(&multitask)));
        multitask.fold(Kind::Float).expect("folds");
        folded.push(seconds(|| predict(&multitask)));
    }
    println!("folded normalisation / plain: {:.2} of the time", median(folded) / median(plain));
}

/// Median seconds of both, run in turn so that a slow spell of the machine hits both.
fn alternate(rounds: usize, a: impl Fn(), b: impl Fn()) -> (f64, f64) {
    a();
    b();
    let times: Vec<(f64, f64)> = (0..rounds).map(|_| (seconds(&a), seconds(&b))).collect();
    (median(times.iter().map(|t| t.0).collect()), median(times.iter().map(|t| t.1).collect()))
}

fn seconds(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
