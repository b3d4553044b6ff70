//! How long a run is said to take.

use tasklens_net::training::estimate::estimate;

use super::*;

const FROZEN: [(&str, &str); 3] =
    [("model.freeze_convolutional_layers", "true"), ("model.augmentation", "none"), ("model.epochs", "2")];

#[test]
fn a_speed_is_measured_and_features_that_are_there_count_as_done() {
    let project = Project::new();
    let config = project.config(&FROZEN);
    let data = Dataset::open(&config).expect("rows");
    let first = estimate(&config, &data, None, &|| true).expect("an estimate");
    let speed = first.speed;
    assert!(speed.decode > 0.0 && speed.forward > 0.0 && speed.heads > 0.0, "{speed:?}");
    assert_eq!(speed.train, 0.0, "the backbone does not learn");

    stopped(&project.train("runs/a", false, &FROZEN));
    let then = estimate(&config, &data, Some(speed), &|| true).expect("an estimate");
    let images = (data.split.train.len() + data.split.validation.len()) as f64;
    let saved = images * (speed.forward + speed.decode);
    let difference = first.seconds - then.seconds;
    assert!((difference - saved).abs() < 1e-6, "{difference} instead of {saved}");
    // Other features are another matter.
    let other = project.config(&[&FROZEN[..], &[("model.input_shape", "[32, 40]")]].concat());
    let other = estimate(&other, &data, Some(speed), &|| true).expect("an estimate");
    assert!((other.seconds - first.seconds).abs() < 1e-6);
}

#[test]
fn all_layers_are_measured_too_and_measuring_can_be_cancelled() {
    let project = Project::new();
    let config = project.config(&[("model.epochs", "2")]);
    let data = Dataset::open(&config).expect("rows");
    let found = estimate(&config, &data, None, &|| true).expect("an estimate");
    assert!(found.speed.train > found.speed.forward, "{found:?}");
    let error = estimate(&config, &data, None, &|| false).expect_err("cancelled").to_string();
    assert_eq!(error, "cancelled");
    for row in &data.rows {
        std::fs::remove_file(&row.image).expect("a picture");
    }
    let error = estimate(&config, &data, None, &|| true).expect_err("no images").to_string();
    assert!(error.contains("could be read"), "{error}");
}
