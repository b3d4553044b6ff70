//! Weights of the tasks that are learnt, and the shares that the tasks have in the gradient.

use tch::Tensor;

use super::*;

const LOG_VARIANCES: &str = "balance.log_variances";

/// The heads first, then all layers, both with learnt weights of the tasks.
const LEARNT: [(&str, &str); 6] = [
    ("model.task_balancing", "uncertainty"),
    ("model.epochs", "4"),
    ("model.frozen_epochs", "2"),
    ("model.optimizer", "adamw"),
    ("model.backbone_learning_rate", "0.0005"),
    ("model.task_weights", "{tint: 2}"),
];

fn tensors(project: &Project, run: &str, file: &str) -> Vec<(String, Tensor)> {
    Tensor::read_safetensors(project.path(run).join(file)).expect("a checkpoint")
}

fn log_variances(project: &Project, run: &str) -> Vec<f32> {
    let found = tensors(project, run, LAST).into_iter().find(|(name, _)| name == LOG_VARIANCES);
    Vec::try_from(found.expect("log variances").1).expect("numbers")
}

fn history(project: &Project, run: &str) -> String {
    std::fs::read_to_string(project.path(run).join(HISTORY)).expect("a history")
}

#[test]
fn a_resumed_run_has_the_log_variances_of_one_that_was_not_stopped() {
    let project = Project::new();
    project.train("whole", false, &LEARNT);
    let whole = log_variances(&project, "whole");
    assert!(whole.iter().all(|value| *value != 0.0) && whole[0] != whole[1], "{whole:?}");
    // In the first stage, between both, and in the second.
    for last in [1, 2, 3] {
        let run = format!("stopped{last}");
        project.train_until(&run, &LEARNT, last);
        assert_ne!(log_variances(&project, &run), whole, "they learn in both stages");
        let events = project.train(&run, true, &LEARNT);
        assert_eq!(stopped(&events).why, StopReason::Finished);
        assert_eq!(log_variances(&project, &run), whole, "stopped after epoch {last}");
        assert_eq!(history(&project, &run), history(&project, "whole"), "stopped after epoch {last}");
    }
    let fixed = [&LEARNT[..], &[("model.task_balancing", "fixed")]].concat();
    let events = project.train("whole", true, &fixed);
    assert!(failed(&events).contains("trained with `task_balancing: uncertainty`"), "{}", failed(&events));
}

#[test]
fn losses_are_the_plain_sum_and_prediction_needs_no_log_variances() {
    let project = Project::new();
    project.train("run", false, &LEARNT);
    for epoch in RunRecord::open(&project.path("run")).expect("a run").epochs {
        for split in [&epoch.train, &epoch.validation] {
            let sum = split.task_loss[0] + 2.0 * split.task_loss[1];
            assert!((split.loss - sum).abs() < 1e-9, "{split:?}");
        }
    }
    let is_of_balance = |(name, _): &(String, Tensor)| name.contains("balance");
    assert!(!tensors(&project, "run", BEST).iter().any(is_of_balance));
    Predictor::open(&project.path("run"), DeviceChoice::Cpu).expect("a predictor");
}

#[test]
fn the_rate_of_the_backbone_is_not_that_of_the_log_variances() {
    let project = Project::new();
    let still = [("model.task_balancing", "uncertainty"), ("model.backbone_learning_rate", "1e-9")];
    project.train("run", false, &[&still[..], &[("model.epochs", "1")]].concat());
    // Three steps of Adam at 0.002.
    let moved = log_variances(&project, "run");
    assert!(moved.iter().all(|value| value.abs() > 1e-4), "{moved:?}");
}

#[test]
fn fixed_weights_of_the_tasks_are_what_a_config_without_the_key_means() {
    let project = Project::new();
    project.train("default", false, &[]);
    project.train("fixed", false, &[("model.task_balancing", "fixed")]);
    project.train("learnt", false, &[("model.task_balancing", "uncertainty")]);
    assert_eq!(history(&project, "default"), history(&project, "fixed"));
    assert_ne!(history(&project, "default"), history(&project, "learnt"));
    let of_balance =
        |run: &str| tensors(&project, run, LAST).iter().any(|(name, _)| name.contains("balance"));
    assert_eq!(["default", "learnt"].map(of_balance), [false, true]);
}

#[test]
fn each_epoch_says_how_the_gradient_divides_among_the_tasks() {
    let project = Project::new();
    project.train("run", false, &LEARNT);
    let epochs = RunRecord::open(&project.path("run")).expect("a run").epochs;
    for epoch in &epochs {
        let shares = &epoch.gradient_shares;
        assert!(shares.iter().all(|share| *share > 0.0), "{shares:?}");
        assert!(shares.len() == 2 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{shares:?}");
    }
    let history = history(&project, "run");
    let columns = history.lines().next().expect("a header");
    assert!(columns.ends_with(",val_tint_clf_loss,shade_gradient_share,tint_gradient_share"), "{columns}");
    // A task that weighs nothing is starved.
    project.train("starved", false, &[("model.task_weights", "{tint: 0}"), ("model.epochs", "1")]);
    let starved = &RunRecord::open(&project.path("starved")).expect("a run").epochs[0].gradient_shares;
    assert_eq!(starved[..], [1.0, 0.0]);
}
