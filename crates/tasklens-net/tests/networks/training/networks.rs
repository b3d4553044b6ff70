//! What a run can do, it can with every kind of network.

use super::*;

const LITE: (&str, &str) = ("model.backbone", "efficientnet_lite0");

#[test]
fn a_lite_run_is_resumed_and_predicts_what_it_wrote() {
    let project = Project::new();
    project.train("whole", false, &[LITE, ("model.epochs", "2")]);
    project.train("parts", false, &[LITE, ("model.epochs", "1")]);
    let events = project.train("parts", true, &[LITE, ("model.epochs", "2")]);
    assert_eq!(stopped(&events).why, StopReason::Finished);
    let history = |run: &str| std::fs::read_to_string(project.path(run).join(HISTORY)).expect("a history");
    assert_eq!(history("whole"), history("parts"));

    let run = project.path("parts");
    let predictor = Predictor::open(&run, DeviceChoice::Cpu).expect("a predictor");
    assert_eq!(predictor.description().std, [128.0 / 255.0; 3], "as the checkpoint says");
    let text = std::fs::read_to_string(run.join(PREDICTIONS)).expect("predictions");
    let row = csv::Reader::from_reader(text.as_bytes()).records().next().expect("a row").expect("readable");
    let image = decode_file(Path::new(&row[0])).expect("an image").into_rgb();
    let prediction = predictor.predict(&[image]).expect("a prediction").remove(0);
    let written: f32 = row[3].parse().expect("a probability");
    let ours = prediction.probabilities[0][0];
    assert!((written - ours).abs() < 1e-4, "{written} was written, {ours} predicted");
}

#[test]
fn a_frozen_lite_run_keeps_its_backbone_and_stores_its_features() {
    let project = Project::new();
    let frozen = [LITE, ("model.freeze_convolutional_layers", "true"), ("model.epochs", "2")];
    let events = project.train("run", false, &frozen);
    stopped(&events);
    let trained = checkpoint::load(&project.path("run").join(LAST), tch::Device::Cpu).expect("loads").network;
    let config = project.config(&frozen).model;
    let fresh =
        tasklens_net::model::network::Network::new(config.backbone, &config.tasks, 11, tch::Device::Cpu)
            .expect("a network");
    for parameter in fresh.parameters().iter() {
        let same = trained.parameters().get(&parameter.name).expect("a tensor").equal(&parameter.tensor);
        assert_eq!(same, !parameter.name.starts_with("heads."), "{}", parameter.name);
    }
    let computed =
        |event: &Event| matches!(event, Event::Preparing { what, .. } if what.contains("features"));
    let again = project.train("again", false, &frozen);
    assert!(events.iter().any(computed) && !again.iter().any(computed));
}

#[test]
fn a_lite_run_in_bf16_has_losses_that_are_numbers() {
    let project = Project::new();
    let events = project.train("run", false, &[LITE, ("model.precision", "bf16"), ("model.epochs", "1")]);
    stopped(&events);
    let record = RunRecord::open(&project.path("run")).expect("a run");
    assert!(record.epochs.iter().all(|e| e.train.loss.is_finite() && e.validation.loss.is_finite()));
}
