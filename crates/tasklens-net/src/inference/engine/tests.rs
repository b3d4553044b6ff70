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
        assert_eq!([6, 32, 40].map(|asked| engine.batch_size(asked, WORTHWHILE)), [32, 32, 64]);
    }
}

#[test]
fn images_come_back_in_their_order_however_many_there_are() {
    let Some(engine) = ready() else { return };
    let size = 3 * 32 * 32;
    let pixels: Vec<u8> = (0..19 * size).map(|i| (i / size * 12 + i % 7) as u8).collect();
    let each: Vec<Look> = pixels.chunks(size).map(|image| engine.look_at(image, 1).unwrap()).collect();
    assert!(each[0].features != each[18].features);
    for images in [1, 3, 4, 5, 16, 19] {
        let look = engine.look_at(&pixels[..images * size], images).unwrap();
        let one_by_one: Vec<f32> =
            each[..images].iter().flat_map(|look| look.probabilities[0].clone()).collect();
        assert_eq!(look.probabilities[0].len(), 2 * images);
        let near = look.probabilities[0].iter().zip(&one_by_one).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near, "{images}: {look:?} and {one_by_one:?}");
        assert_eq!(look.features.len(), each[0].features.len() * images);
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
