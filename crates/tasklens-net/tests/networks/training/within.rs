//! A run that is left within an epoch goes on with the next batch.

use tasklens_net::training::run_folder::{self, STOP, WITHIN};

use super::*;

/// Nine batches an epoch, and a cycle, in which each has a rate of its own.
const SETTINGS: [(&str, &str); 3] =
    [("model.epochs", "2"), ("model.batch_size", "2"), ("model.schedule", "one_cycle")];

/// Trains until `is_time` says so of an event, then stops; returns the events.
fn train_until_event(
    project: &Project,
    run: &str,
    resume: bool,
    is_time: impl Fn(&Event) -> bool,
) -> Vec<Event> {
    let training = start(project.request(Unsaved::default(), run, resume, &SETTINGS), || {});
    let mut events = Vec::new();
    for event in training.events {
        if is_time(&event) {
            training.commands.send(Command::Stop).expect("the run listens");
        }
        events.push(event);
    }
    events
}

fn weights(project: &Project, run: &str, name: &str) -> Vec<(String, tch::Tensor)> {
    let file = project.path(run).join(name);
    let mut all = tch::Tensor::read_safetensors(&file).expect("a checkpoint");
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn is_batch(event: &Event, in_epoch: usize, phase: Phase) -> bool {
    matches!(event, Event::Batch(b) if b.epoch == in_epoch && b.phase == phase && b.done < b.of)
}

#[test]
fn a_run_that_is_left_within_an_epoch_ends_as_if_it_had_not_been() {
    let project = Project::new();
    stopped(&project.train("whole", false, &SETTINGS));
    let first = train_until_event(&project, "parts", false, |event| is_batch(event, 1, Phase::Train));
    assert_eq!((stopped(&first).why, stopped(&first).best_epoch), (StopReason::Asked, None));
    assert!(run_folder::can_go_on(&project.path("parts")) && project.path("parts").join(WITHIN).is_file());
    // Once more, in the second epoch.
    train_until_event(&project, "parts", true, |event| is_batch(event, 2, Phase::Train));
    assert!(project.path("parts").join(WITHIN).is_file(), "it went on to its end");
    let last = project.train("parts", true, &SETTINGS);
    assert_eq!(stopped(&last).why, StopReason::Finished);
    assert!(warnings(&last).iter().all(|warning| !warning.contains("begins again")), "{:?}", warnings(&last));
    assert!(!project.path("parts").join(WITHIN).exists(), "what is complete needs it no more");
    let history = |run: &str| std::fs::read_to_string(project.path(run).join(HISTORY)).expect("a history");
    assert_eq!(history("whole"), history("parts"));
    for name in [BEST, LAST] {
        let (whole, parts) = (weights(&project, "whole", name), weights(&project, "parts", name));
        assert_eq!(whole.len(), parts.len());
        for ((name, whole), (_, parts)) in whole.iter().zip(&parts) {
            assert!(whole.equal(parts), "{name}");
        }
    }
}

#[test]
fn a_run_with_other_batches_begins_its_epoch_again_and_says_so() {
    let project = Project::new();
    train_until_event(&project, "run", false, |event| is_batch(event, 1, Phase::Train));
    let changed: Vec<_> = SETTINGS.iter().copied().chain([("model.batch_size", "4")]).collect();
    let events = project.train("run", true, &changed);
    assert_eq!(stopped(&events).why, StopReason::Finished);
    assert!(
        warnings(&events).iter().any(|warning| warning.contains("epoch 1 begins again")),
        "{:?}",
        warnings(&events)
    );
}

#[test]
fn a_damaged_state_within_an_epoch_costs_this_epoch_alone() {
    let project = Project::new();
    train_until_event(&project, "run", false, |event| is_batch(event, 2, Phase::Train));
    std::fs::write(project.path("run").join(WITHIN), "damaged").expect("a file");
    let events = project.train("run", true, &SETTINGS);
    assert_eq!(stopped(&events).why, StopReason::Finished);
    let told = warnings(&events);
    assert!(told.iter().any(|w| w.contains("the run goes on from its last complete epoch")), "{told:?}");
}

#[test]
fn a_run_stops_when_a_file_in_its_folder_asks_for_it() {
    let project = Project::new();
    let changes = [("model.epochs", "1000")];
    let training = start(project.request(Unsaved::default(), "run", false, &changes), || {});
    let mut events = Vec::new();
    for event in training.events {
        if matches!(&event, Event::Epoch(metrics) if metrics.epoch == 1) {
            assert!(run_folder::is_in_use(&project.path("run")));
            run_folder::ask_to_stop(&project.path("run")).expect("a file");
        }
        events.push(event);
    }
    assert_eq!(stopped(&events).why, StopReason::Asked);
    assert!(!project.path("run").join(STOP).exists() && !run_folder::is_in_use(&project.path("run")));
}

#[test]
fn the_time_left_is_that_of_the_rate_beside_it() {
    let project = Project::new();
    let events = project.train("run", false, &SETTINGS);
    let batches: Vec<_> =
        events.iter().filter_map(|event| if let Event::Batch(b) = event { Some(b) } else { None }).collect();
    assert!(!batches[0].is_timed(), "the first batch says nothing of the others");
    let timed: Vec<_> = batches.into_iter().filter(|batch| batch.is_timed()).collect();
    assert!(!timed.is_empty());
    for batch in timed {
        let images = (batch.of - batch.done) as f64;
        let expected = images / batch.images_per_sec;
        assert!((batch.phase_secs_left - expected).abs() < 1e-6, "{batch:?}");
        assert!(batch.secs_left >= batch.phase_secs_left, "{batch:?}");
    }
}
