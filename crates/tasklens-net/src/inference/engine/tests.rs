use std::cell::Cell;

use super::*;

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
