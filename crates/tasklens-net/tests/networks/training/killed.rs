//! Runs that were killed between two of the files that an epoch writes, as folders made by hand.

use std::path::{Path, PathBuf};

use tasklens_net::model::checkpoint;
use tasklens_net::training::events::Event;
use tasklens_net::training::run_folder::{BEST, HISTORY, LAST, PREDICTIONS, RunRecord};

use super::{Project, stopped, warnings};

/// Copies files of one folder into another.
fn copy(from: &Path, to: &Path, names: &[&str]) {
    std::fs::create_dir_all(to).expect("a folder");
    for name in names {
        std::fs::copy(from.join(name), to.join(name)).expect("copied");
    }
}

/// A run that was killed in its second epoch, after these files of it were written.
fn killed(project: &Project, name: &str, written: &[&str]) -> PathBuf {
    let run = project.path(name);
    copy(&project.path("one"), &run, &RUN_FILES);
    copy(&project.path("two"), &run, written);
    run
}

/// With a seed with which the second epoch is better than the first.
fn epochs(epochs: &'static str) -> [(&'static str, &'static str); 2] {
    [("model.epochs", epochs), ("model.random_seed", "5")]
}

const RUN_FILES: [&str; 7] = ["config.yml", "split.csv", "events.jsonl", HISTORY, LAST, PREDICTIONS, BEST];

#[test]
fn a_run_that_was_killed_between_any_two_of_its_files_comes_to_the_same_end() {
    let project = Project::new();
    let whole = project.train("whole", false, &epochs("2"));
    assert_eq!(stopped(&whole).best_epoch, Some(2), "or there is nothing to be torn");
    project.train("one", false, &epochs("1"));
    copy(&project.path("one"), &project.path("two"), &RUN_FILES);
    project.train("two", true, &epochs("2"));
    let checkpoints = whole.iter().filter_map(|event| match event {
        Event::Checkpoint { path, .. } => path.file_name(),
        _ => None,
    });
    assert_eq!(checkpoints.take(2).collect::<Vec<_>>(), [LAST, BEST], "the moments below are in this order");
    let text = |run: &Path, name: &str| std::fs::read_to_string(run.join(name)).expect("a text");
    let moments: [&[&str]; 7] = [
        &[],
        &[LAST],
        &[LAST, PREDICTIONS],
        &[LAST, PREDICTIONS, BEST],
        &[LAST, PREDICTIONS, BEST, HISTORY],
        // In the order of earlier versions.
        &[PREDICTIONS],
        &[PREDICTIONS, BEST],
    ];
    for (moment, written) in moments.iter().enumerate() {
        let run = killed(&project, &format!("killed_{moment}"), written);
        // Where the epoch was complete, there is nothing left to train, and still something to mend.
        let events = project.train(&format!("killed_{moment}"), true, &epochs("2"));
        let (ours, theirs) = (stopped(&events), stopped(&whole));
        assert_eq!(ours.best_epoch, theirs.best_epoch, "{written:?}");
        let held = checkpoint::load(&run.join(BEST), tch::Device::Cpu).expect("the best");
        let expected =
            checkpoint::load(&project.path("whole").join(BEST), tch::Device::Cpu).expect("the best");
        assert_eq!(Some(held.description.epoch), ours.best_epoch, "{written:?}");
        for parameter in expected.network.parameters().iter() {
            let own = held.network.parameters().get(&parameter.name).expect("a tensor");
            assert!(own.equal(&parameter.tensor), "{written:?}: {}", parameter.name);
        }
        for name in [HISTORY, PREDICTIONS] {
            assert_eq!(text(&run, name), text(&project.path("whole"), name), "{written:?}: {name}");
        }
        let epochs: Vec<usize> =
            RunRecord::open(&run).expect("a run").epochs.iter().map(|metrics| metrics.epoch).collect();
        assert_eq!(epochs, [1, 2], "{written:?}");
    }
}

#[test]
fn the_best_epoch_of_a_resumed_run_is_the_one_whose_weights_are_kept() {
    let project = Project::new();
    project.train("one", false, &epochs("1"));
    copy(&project.path("one"), &project.path("two"), &RUN_FILES);
    project.train("two", true, &epochs("2"));
    // As earlier versions left it: the best weights are of an epoch that is trained again, and now otherwise.
    let run = killed(&project, "killed", &[PREDICTIONS, BEST]);
    let otherwise =
        [("model.random_seed", "12"), ("model.early_stopping_min_delta", "1000"), ("model.epochs", "4")];
    let events = project.train("killed", true, &otherwise);
    let mut held = checkpoint::read_description(&run.join(BEST)).expect("the best");
    let loss = held.extra["metrics"]["validation"]["loss"].take().as_f64().expect("a loss");
    let best = stopped(&events).best.as_ref().expect("a best epoch");
    assert_eq!((best.epoch, stopped(&events).best_epoch), (held.epoch, Some(held.epoch)));
    assert!((best.validation.loss - loss).abs() < 1e-9, "{} is told, {loss} kept", best.validation.loss);
    assert!(warnings(&events).iter().any(|w| w.contains("holds the weights of epoch 2")), "{events:?}");
}
