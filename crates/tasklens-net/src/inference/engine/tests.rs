use std::cell::Cell;

use tasklens_data::config::{Backbone, Task};

use super::*;
use crate::model::network::Network;
use crate::onnx::engine_model;

/// An engine that is ready for batches of images of 32 x 32.
fn ready() -> Option<Engine> {
    installed().ok()?;
    let task = Task { name: "print".to_owned(), labels: vec!["a".to_owned(), "b".to_owned()] };
    let network = Network::new(Backbone::XceptionSmall, &[task], 1, tch::Device::Cpu).unwrap();
    let engine = Engine::new(tch::Device::Cpu, 1, (32, 32), Kind::Float);
    engine.prepare(Demand::Batches, || engine_model(&network, (32, 32)));
    Some(engine)
}

#[test]
fn where_a_network_cannot_be_compiled_libtorch_answers_and_it_is_not_tried_again() {
    let engine = Engine::new(tch::Device::Cpu, 1, (32, 32), Kind::Float);
    assert!(engine.look_at(&[0; 3 * 32 * 32], 1).is_none(), "nothing is prepared");
    let asked = Cell::new(0);
    for demand in [Demand::Batches, Demand::Batches, Demand::SingleImages] {
        engine.prepare(demand, || {
            asked.set(asked.get() + 1);
            Ok(b"no network".to_vec())
        });
        assert!(engine.look_at(&[0; 3 * 32 * 32], 1).is_none());
    }
    assert_eq!(asked.get(), u32::from(installed().is_ok()));
}

#[test]
fn on_a_gpu_it_is_not_used() {
    let engine = Engine::new(tch::Device::Cuda(0), 1, (32, 32), Kind::Float);
    engine.prepare(Demand::Batches, || panic!("the network is not asked for"));
    assert_eq!(engine.batch_size(8, 10_000), 8);
}

#[test]
fn batches_are_of_its_size_where_it_is_used() {
    let engine = Engine::new(tch::Device::Cpu, 1, (32, 32), Kind::Float);
    assert_eq!(engine.batch_size(6, WORTHWHILE - 1), 6);
    if installed().is_ok() {
        assert_eq!([6, 16, 20].map(|asked| engine.batch_size(asked, WORTHWHILE)), [16, 16, 32]);
    }
}

#[test]
fn what_fails_while_it_predicts_is_left_to_libtorch_from_then_on() {
    let Some(engine) = ready() else { return };
    assert!(engine.is_ready(Demand::Batches) && !engine.is_ready(Demand::SingleImages));
    assert_eq!(engine.look_at(&[9; 3 * 32 * 32], 1).unwrap().probabilities[0].len(), 2);
    assert!(engine.look_at(&[9; 3 * 32], 1).is_none(), "pixels of another size");
    assert!(!engine.is_ready(Demand::Batches));
    assert!(engine.look_at(&[9; 3 * 32 * 32], 1).is_none());
    engine.prepare(Demand::SingleImages, || panic!("it is not tried again"));
}

#[test]
fn a_network_is_compiled_once_for_each_demand() {
    let Some(engine) = ready() else { return };
    engine.prepare(Demand::Batches, || panic!("it is ready"));
    let asked = Cell::new(false);
    engine.prepare(Demand::SingleImages, || {
        asked.set(true);
        anyhow::bail!("as was wanted")
    });
    assert!(asked.get());
}

#[test]
fn it_is_told_what_predicts_and_else_why_it_is_libtorch() {
    let mut device = crate::device::pick(tasklens_data::config::DeviceChoice::Cpu).unwrap();
    let expected = match installed() {
        Ok(found) => format!("Predictions: OpenVINO {}", found.version),
        Err(why) => format!("Predictions: libtorch, as {why}"),
    };
    assert_eq!(told(&device), expected);
    device.tch = tch::Device::Cuda(0);
    assert_eq!(told(&device), "Predictions: libtorch, on the GPU");
}
