//! Runs whose validation loss is no number for some epochs, or for all.

use super::*;

/// Trains on from one epoch's weights with the running variance of one channel made `of` what it tends to: below 0 its
/// root is no number, which only validation sees.
fn with_variance(project: &Project, of: f64, epochs: &str) -> Vec<Event> {
    let first = project.train("first", false, &[("model.epochs", "1")]);
    let model = stopped(&first).model.clone().expect("a model");
    let loaded = checkpoint::load(&model, tch::Device::Cpu).expect("loads");
    let variance = loaded.network.parameters().get("bn1.running_var").expect("a tensor").shallow_clone();
    tch::no_grad(|| {
        let mut channel = variance.get(0);
        let _ = channel.fill_(of);
    });
    let spoilt = project.path("spoilt.safetensors");
    checkpoint::write(&spoilt, &loaded.network, &loaded.description, &[]).expect("written");
    let rows = [("model.pretrained", "spoilt.safetensors"), ("model.epochs", epochs)];
    project.train("run", false, &rows)
}

#[test]
fn a_validation_loss_that_is_no_number_for_a_while_does_not_end_the_run() {
    let project = Project::new();
    let events = with_variance(&project, -0.01, "8");
    let stopped = stopped(&events);
    let record = RunRecord::open(&project.path("run")).expect("a run");
    let losses: Vec<f64> = record.epochs.iter().map(|epoch| epoch.validation.loss).collect();
    assert!(!losses[0].is_finite() && losses[7].is_finite(), "{losses:?}");
    assert!(record.epochs.iter().all(|epoch| !epoch.best || epoch.validation.loss.is_finite()));
    let told = warnings(&events);
    assert_eq!(
        told.iter().filter(|told| told.contains("the validation loss of epoch 1 is NaN")).count(),
        1,
        "{told:?}"
    );
    assert!(!told.iter().any(|told| told.contains("in any epoch")), "{told:?}");
    let history = std::fs::read_to_string(project.path("run").join(HISTORY)).expect("a history");
    assert!(history.lines().nth(1).is_some_and(|row| row.contains("nan")), "{history}");
    let best = checkpoint::read_description(&project.path("run").join(BEST)).expect("a checkpoint");
    assert_eq!(Some(best.epoch), stopped.best_epoch);
    assert!(losses[best.epoch - 1].is_finite());
}

#[test]
fn a_run_without_any_validation_loss_keeps_its_last_weights_and_says_so() {
    let project = Project::new();
    let events = with_variance(&project, f64::NAN, "2");
    let stopped = stopped(&events);
    assert_eq!((stopped.best_epoch, stopped.best.is_none()), (None, true));
    let told = warnings(&events);
    assert!(
        told.iter().any(|told| told.contains("was not finite in any epoch: the last weights are kept")),
        "{told:?}"
    );
    let model = stopped.model.as_ref().expect("a model");
    assert_eq!(checkpoint::read_description(model).expect("a checkpoint").epoch, 2);
    let record = RunRecord::open(&project.path("run")).expect("a run");
    assert!(record.kept_epoch().is_none() && record.epochs.len() == 2);
    // It goes on from there.
    let events =
        project.train("run", true, &[("model.pretrained", "spoilt.safetensors"), ("model.epochs", "3")]);
    assert_eq!(RunRecord::open(&project.path("run")).expect("a run").epochs.len(), 3, "{events:?}");
}
