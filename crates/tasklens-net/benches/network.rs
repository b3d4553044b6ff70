//! What one shared backbone, folded normalisation and OpenVINO are worth, and how fast the networks are, as ratios from
//! one run: `cargo xtask bench`; `-- engine` for OpenVINO alone. Bare times say more about the machine than about the program.

#![allow(clippy::print_stdout, reason = "a bench prints, and makes files of its own")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::time::Instant;

use tasklens_data::config::{Backbone, DeviceChoice, Task};
use tasklens_net::inference::Predictor;
use tasklens_net::inference::engine::{Demand, installed};
use tasklens_net::model::checkpoint::{self, Description};
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tch::{Device, Kind, Tensor, no_grad};

const IMAGES: i64 = 8;
const SIZE: i64 = 160;

fn main() {
    let task = |name: &str| Task { name: name.to_owned(), labels: vec!["a".to_owned(), "b".to_owned()] };
    let tasks = [task("print"), task("sleeves"), task("neckline")];
    engine(&tasks);
    if std::env::args().any(|argument| argument == "engine") {
        return;
    }
    let network =
        |tasks: &[Task]| Network::new(Backbone::Xception, tasks, 1, Device::Cpu).expect("a network");
    let pixels: Vec<u8> = (0..IMAGES * SIZE * SIZE * 3).map(|i| (i * 7919 % 251) as u8).collect();
    let bytes = Tensor::from_slice(&pixels).view([IMAGES, SIZE, SIZE, 3]);
    let images = network(&tasks).normalise(&bytes, Kind::Float).expect("images");
    let predict = |network: &Network| {
        no_grad(|| network.forward(&images, ForwardPass::evaluate(Kind::Float)).expect("a prediction"));
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
    networks(&tasks, &bytes);
}

/// How many times faster OpenVINO predicts than libtorch, and how long it takes to compile the network.
fn engine(tasks: &[Task]) {
    let version = match installed() {
        Ok(installed) => &installed.version,
        Err(why) => return println!("OpenVINO is not measured: {why}"),
    };
    println!("images a second at 224 x 224, OpenVINO {version} / libtorch: in batches of 16, and one image");
    for backbone in [Backbone::Xception, Backbone::EfficientNetLite0] {
        for precision in ["fp32", "bf16"] {
            let folder = checkpoint_of(backbone, tasks, precision);
            let open = || Predictor::open(folder.path(), DeviceChoice::Cpu).expect("a predictor");
            let (libtorch, openvino) = (open(), open());
            let [batches, single] =
                [Demand::Batches, Demand::SingleImages].map(|demand| seconds(|| openvino.speed_up(demand)));
            let pixels: Vec<u8> = (0..16 * 224 * 224 * 3).map(|i| (i * 7919 % 251) as u8).collect();
            let rates = [16, 1].map(|images| {
                let pixels = &pixels[..pixels.len() / 16 * images];
                let look = |predictor: &Predictor| drop(predictor.look_at(pixels, images).expect("a look"));
                let (fast, slow) = alternate(7, || look(&openvino), || look(&libtorch));
                (images as f64 / fast, images as f64 / slow)
            });
            let [(fast, slow), (fast_one, slow_one)] = rates;
            println!(
                "{:<20} {} {fast:>6.1} / {slow:>6.1} = {:.2}   {fast_one:>6.1} / {slow_one:>6.1} = {:.2}   compiled in \
                 {batches:.2} and {single:.2} s",
                backbone.name(),
                libtorch.precision(),
                fast / slow,
                fast_one / slow_one
            );
        }
    }
}

fn checkpoint_of(backbone: Backbone, tasks: &[Task], precision: &str) -> tempfile::TempDir {
    let description =
        Description { epoch: 1, ..Description::new(backbone, tasks.to_vec(), (224, 224), precision) };
    let folder = tempfile::tempdir().expect("a folder");
    let network = Network::new(backbone, tasks, 1, Device::Cpu).expect("a network");
    checkpoint::write(&folder.path().join(checkpoint::BEST), &network, &description, &[]).expect("written");
    folder
}

/// How many times faster than Xception in float32 each network is, at the same size.
fn networks(tasks: &[Task], bytes: &Tensor) {
    println!("images a second / those of Xception in float32: predicting and training, float32 and bf16");
    let mut all: Vec<Network> = Backbone::ALL
        .iter()
        .map(|backbone| Network::new(*backbone, tasks, 1, Device::Cpu).expect("a network"))
        .collect();
    let mut first = [1.0; 2];
    let kinds = [Kind::Float, Kind::BFloat16];
    let mut seconds_of = vec![[[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]]; all.len()];
    // In turn, so that a slow spell of the machine hits all; the first round warms up.
    for round in 0..4 {
        for (network, times) in all.iter_mut().zip(&mut seconds_of) {
            for (kind, [predicting, training]) in kinds.into_iter().zip(times) {
                let images = network.normalise(bytes, kind).expect("images");
                network.fold(kind).expect("folds");
                let spent = [
                    seconds(|| no_grad(|| drop(network.forward(&images, ForwardPass::evaluate(kind))))),
                    seconds(|| train(network, &images, kind)),
                ];
                if round > 0 {
                    predicting.push(spent[0]);
                    training.push(spent[1]);
                }
            }
        }
    }
    for (network, times) in all.iter().zip(seconds_of) {
        let [[predict, train], [predict_bf16, train_bf16]] = times.map(|kind| kind.map(fastest));
        if network.backbone() == Backbone::Xception {
            first = [predict, train];
        }
        let [a, b, c, d] =
            [first[0] / predict, first[0] / predict_bf16, first[1] / train, first[1] / train_bf16];
        println!("{:<20} {a:>6.2} {b:>6.2}   {c:>6.2} {d:>6.2}", network.backbone().name());
    }
}

/// Forward and backward, without the optimizer.
fn train(network: &Network, images: &Tensor, kind: Kind) {
    let logits = network.forward(images, ForwardPass::train(kind)).expect("logits");
    let loss = logits.iter().map(|logits| logits.square().mean(Kind::Float)).sum::<Tensor>();
    loss.backward();
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

/// What other programs disturb least.
fn fastest(times: Vec<f64>) -> f64 {
    times.into_iter().fold(f64::INFINITY, f64::min)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
