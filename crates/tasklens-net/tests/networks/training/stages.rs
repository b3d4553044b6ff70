//! Heads first, then all layers; and a run that is stopped in either stage.

use tasklens_net::training::events::Stage;

use super::*;

const RECIPE: [(&str, &str); 9] = [
    ("model.epochs", "5"),
    ("model.frozen_epochs", "2"),
    ("model.schedule", "one_cycle"),
    ("model.optimizer", "adamw"),
    ("model.weight_decay", "0.05"),
    ("model.learning_rate", "0.003"),
    ("model.backbone_learning_rate", "0.0005"),
    ("model.label_smoothing", "0.1"),
    ("model.augmentation", "{rotation: 0, zoom: [1, 1], crop: {scale: [0.5, 1]}}"),
];

fn stages(events: &[Event]) -> Vec<(usize, Stage)> {
    fn began(event: &Event) -> Option<(usize, Stage)> {
        if let Event::StageBegan { epoch, stage } = event { Some((*epoch, *stage)) } else { None }
    }
    events.iter().filter_map(began).collect()
}

fn tensor(project: &Project, run: &str, name: &str) -> tch::Tensor {
    let loaded = checkpoint::load(&project.path(run).join(LAST), tch::Device::Cpu).expect("loads");
    loaded.network.parameters().get(name).expect("a tensor").copy()
}

#[test]
fn the_heads_learn_first_and_then_all_layers() {
    let project = Project::new();
    let events = project.train("run", false, &RECIPE);
    assert_eq!(stopped(&events).why, StopReason::Finished);
    assert_eq!(stages(&events), [(1, Stage::Heads), (3, Stage::All)]);
    let said = warnings(&events);
    assert!(
        said.iter().any(|warning| warning.contains("`frozen_epochs` trains the heads first, but")),
        "{said:?}"
    );
    let record = RunRecord::open(&project.path("run")).expect("a run");
    assert_eq!((record.epochs.len(), record.all_layers_from), (5, Some(3)));
    // Each stage has a cycle to its end.
    let rates: Vec<f64> = record.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    assert!((rates[1] - 0.003e-4).abs() < 1e-9 && (rates[4] - 0.003e-4).abs() < 1e-9, "{rates:?}");
    assert!(rates[2] > 1e-3, "{rates:?}");
    // The columns are Keras'.
    let history = std::fs::read_to_string(project.path("run").join(HISTORY)).expect("a history");
    assert!(history.starts_with("epoch,loss,lr,shade_clf_accuracy,"), "{history}");

    project.train_until("heads", &RECIPE, 2);
    let (begun, heads) = ("conv1.weight", "heads.shade.weight");
    let fresh = tasklens_net::model::network::Network::new(
        tasklens_data::config::Backbone::XceptionSmall,
        &project.config(&[]).model.tasks,
        11,
        tch::Device::Cpu,
    )
    .expect("a network");
    let fresh = |name: &str| fresh.parameters().get(name).expect("a tensor").copy();
    if RunRecord::open(&project.path("heads")).expect("a run").epochs.len() == 2 {
        assert!(tensor(&project, "heads", begun).equal(&fresh(begun)), "the backbone is frozen at first");
    }
    assert!(!tensor(&project, "heads", heads).equal(&fresh(heads)));
    assert!(!tensor(&project, "run", begun).equal(&fresh(begun)));
}

#[test]
fn a_run_that_is_stopped_in_either_stage_goes_on_as_if_it_had_not() {
    let project = Project::new();
    project.train("whole", false, &RECIPE);
    let history = |run: &str| std::fs::read_to_string(project.path(run).join(HISTORY)).expect("a history");
    // In the first stage, between both, and in the second.
    for last in [1, 2, 3] {
        let run = format!("stopped{last}");
        project.train_until(&run, &RECIPE, last);
        let events = project.train(&run, true, &RECIPE);
        assert_eq!(stopped(&events).why, StopReason::Finished);
        assert_eq!(history("whole"), history(&run), "stopped after epoch {last}");
        let weights = |run: &str| tensor(&project, run, "block3.rep.1.conv1.weight");
        assert!(weights("whole").equal(&weights(&run)), "stopped after epoch {last}");
        let record = RunRecord::open(&project.path(&run)).expect("a run");
        assert_eq!(record.all_layers_from, Some(3), "stopped after epoch {last}");
    }
}

#[test]
fn other_stages_are_refused_and_another_cycle_is_told() {
    let project = Project::new();
    project.train_until("run", &RECIPE, 1);
    let changed = |key: &'static str, value: &'static str| {
        let mut changes = RECIPE.to_vec();
        changes.iter_mut().filter(|change| change.0 == key).for_each(|change| change.1 = value);
        changes
    };
    let events = project.train("run", true, &changed("model.frozen_epochs", "3"));
    assert!(failed(&events).contains("set it as it was, or start a new run"), "{}", failed(&events));
    let events = project.train("run", true, &changed("model.epochs", "4"));
    assert!(
        warnings(&events).iter().any(|warning| warning.contains("over 5 epochs and continues")),
        "{events:?}"
    );
}

#[test]
fn patience_does_not_end_the_first_stage() {
    let project = Project::new();
    // No epoch is better than the first by so much.
    let events = project.train(
        "run",
        false,
        &[
            ("model.epochs", "6"),
            ("model.frozen_epochs", "3"),
            ("model.early_stopping_patience", "1"),
            ("model.early_stopping_min_delta", "1000"),
        ],
    );
    assert_eq!(stopped(&events).why, StopReason::EarlyStopping);
    let record = RunRecord::open(&project.path("run")).expect("a run");
    assert_eq!((record.epochs.len(), record.all_layers_from), (4, Some(4)));
}

#[test]
fn smoothing_is_in_the_loss_of_training_alone() {
    let project = Project::new();
    // Nothing moves, so that both losses are of the same network.
    let still = [
        ("model.epochs", "2"),
        ("model.freeze_convolutional_layers", "true"),
        ("model.learning_rate", "1e-12"),
        ("model.label_smoothing", "0.9"),
    ];
    project.train("smooth", false, &still);
    project.train("plain", false, &still[..3]);
    let losses = |run: &str| {
        let record = RunRecord::open(&project.path(run)).expect("a run");
        (record.epochs[0].train.loss, record.epochs[0].validation.loss)
    };
    let (smooth, plain) = (losses("smooth"), losses("plain"));
    assert!((smooth.1 - plain.1).abs() < 1e-9, "{smooth:?} and {plain:?}");
    assert!((smooth.0 - plain.0).abs() > 1e-5, "{smooth:?} and {plain:?}");
}

#[test]
fn settings_that_contradict_each_other_are_refused_before_anything_is_written() {
    let project = Project::new();
    let mut config = project.config(&RECIPE);
    // As the window's form may leave it.
    config.model.epochs = 2;
    let request = Request {
        config,
        run: Some(project.path("run")),
        resume: false,
        allow_outside: false,
        edits: Unsaved::default(),
    };
    let events: Vec<Event> = start(request, || {}).events.iter().collect();
    assert!(failed(&events).contains("of 2 epochs none is left for all layers"), "{}", failed(&events));
    assert!(!project.path("run").exists());
}
