use std::time::{Duration, Instant};

use tasklens_data::config::Backbone;
use tasklens_net::inference::engine;
use tasklens_net::model::checkpoint::{BEST, Description};
use tasklens_net::model::network::Network;

use super::*;

/// A network with random weights; its file is in the folder.
fn model() -> tempfile::TempDir {
    let task = Task { name: "print".to_owned(), labels: vec!["a".to_owned(), "b".to_owned()] };
    let network =
        Network::new(Backbone::XceptionSmall, std::slice::from_ref(&task), 1, tch::Device::Cpu).unwrap();
    let description =
        Description { epoch: 1, ..Description::new(Backbone::XceptionSmall, vec![task], (64, 64), "fp32") };
    let folder = tempfile::tempdir().unwrap();
    checkpoint::write(&folder.path().join(BEST), &network, &description, &[]).unwrap();
    folder
}

#[test]
fn openvino_gets_ready_behind_the_first_answer_which_does_not_wait_for_it() {
    let (folder, predictors) = (model(), Predictors::default());
    let opened = open_model(&predictors, folder.path(), DeviceChoice::Cpu).unwrap();
    let predictor = predictors.open(folder.path(), DeviceChoice::Cpu).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(!predictor.is_sped_up(Demand::SingleImages), "nothing was asked yet");
    let image = Rgb::from_pixel(64, 64, image::Rgb([90; 3]));
    let first = (opened.predict)(std::slice::from_ref(&image)).unwrap();
    if engine::installed().is_err() {
        return;
    }
    let begin = Instant::now();
    while !predictor.is_sped_up(Demand::SingleImages) {
        assert!(begin.elapsed() < Duration::from_secs(60), "it is never sped up");
        std::thread::sleep(Duration::from_millis(5));
    }
    let later = (opened.predict)(std::slice::from_ref(&image)).unwrap();
    for (a, b) in first[0].probabilities[0].iter().zip(&later[0].probabilities[0]) {
        assert!((a - b).abs() < 1e-3, "{first:?} {later:?}");
    }
}
