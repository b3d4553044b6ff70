//! What heads learn from: the features of the public network that Label begins with.

use std::time::Instant;

use tasklens_data::config::{Backbone, Config, DeviceChoice, Pretrained};
use tasklens_net::inference::Predictor;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::outputs::{OutputStore, Outputs};
use tasklens_net::labelling::suggestions::Suggestions;
use tasklens_net::model::pretrained;
use tasklens_net::training::base_network;

use super::subject::Subject;

const BACKBONE: Backbone = Backbone::EfficientNetLite2;
/// Height and width of what it is made for, pixels.
const SIDE: u32 = 260;
const BATCH: usize = 32;

/// The features of all images, of which nothing is said yet. They are computed once, and kept beside the subject.
pub fn of(subject: &Subject) -> Suggestions {
    let mut config = subject.config.clone();
    let model = &mut config.model;
    (model.backbone, model.height, model.width, model.pretrained) =
        (BACKBONE, SIDE, SIDE, Pretrained::Required);
    let outputs = computed(&config, subject);
    // Heads that have learnt nothing have nothing to say.
    let outputs = Outputs { tasks: Vec::new(), probabilities: Vec::new(), ..outputs };
    Suggestions::of_outputs(&subject.dataset, &outputs)
}

fn computed(config: &Config, subject: &Subject) -> Outputs {
    let network =
        base_network::prepare(config, subject.dataset.rows.len(), &pretrained::cached, &|_, _| {}, &|| true)
            .expect("the weights of the set-up");
    let store = OutputStore::of(&network).expect("a store");
    let open = || Predictor::open(&network, DeviceChoice::Auto);
    let rows = &subject.dataset.rows;
    let which: Vec<usize> = (0..rows.len()).collect();
    let began = Instant::now();
    let pass = store
        .compute(open, rows, &which, Batching { size: BATCH, workers: 2 }, &mut |_, _| true)
        .expect("features");
    assert!(pass.complete && pass.failures.is_empty(), "{:?}", pass.failures);
    let (secs, images) = (began.elapsed().as_secs_f64(), pass.predicted);
    eprintln!("{}: features of {images} new images in {secs:.0} s", subject.name);
    store.load().expect("features")
}
