use std::path::Path;

use tasklens_net::training::events::{
    EpochMetrics, Event, LabelledImages, SplitMetrics, Started, StopReason, Stopped,
};
use tasklens_net::training::run_folder::{BEST, RunRecord};

use super::*;

fn tasks(names: &[&str]) -> Vec<Task> {
    names.iter().map(|name| Task { name: (*name).to_owned(), labels: vec!["a".into(), "b".into()] }).collect()
}

fn started(tasks: &[&str], images: usize) -> Event {
    Event::Started(Started {
        run: "/runs".into(),
        device: "CPU".into(),
        precision: "fp32".into(),
        parameters: 1,
        n_train: 8,
        n_validation: images,
        tasks: tasks.iter().map(|task| (*task).to_owned()).collect(),
        validation_labels: tasks.iter().map(|_| LabelledImages { images, most_common: images / 2 }).collect(),
        epochs: 10,
        epochs_done: 0,
        weights: "from scratch".into(),
        found_batch_size: None,
    })
}

fn stopped(why: StopReason, best_epoch: Option<usize>) -> Event {
    Event::Stopped(Stopped { why, best_epoch, best: None, model: None, secs: 1.0 })
}

/// A run with a model, as it is after these events.
fn run(name: &str, events: &[Event]) -> Run {
    let mut record = RunRecord::default();
    for event in events {
        record.apply(event);
    }
    record.folder = Path::new("/runs").join(name);
    record.name = name.to_owned();
    record.best = Some(record.folder.join(BEST));
    Run::new(record)
}

fn epoch(accuracies: &[f64]) -> Event {
    let task_accuracy = accuracies.to_vec();
    let split = SplitMetrics { loss: 1.0, task_loss: vec![1.0; accuracies.len()], task_accuracy };
    let (train, validation) = (split.clone(), split);
    Event::Epoch(EpochMetrics {
        epoch: 1,
        learning_rate: 0.1,
        secs: 1.0,
        images_per_sec: 1.0,
        train,
        validation,
        best: true,
        gradient_shares: Vec::new(),
    })
}

/// A finished run of the task `print` with this accuracy on so many images.
fn finished(name: &str, accuracy: f64, images: usize) -> Run {
    run(name, &[started(&["print"], images), epoch(&[accuracy]), stopped(StopReason::Finished, Some(1))])
}

fn best_of(runs: &[Run]) -> Option<String> {
    best(runs, &tasks(&["print"])).map(|run| run.record.name.clone())
}

#[test]
fn the_best_run_is_the_most_accurate_and_among_equals_the_newest() {
    let runs = [finished("3", 0.8, 100), finished("2", 0.9, 100), finished("1", 0.7, 100)];
    assert_eq!(best_of(&runs).as_deref(), Some("2"));
    let runs = [finished("2", 0.9, 100), finished("1", 0.9, 100)];
    assert_eq!(best_of(&runs).as_deref(), Some("2"));
    let mean = |name: &str, accuracies: [f64; 2]| {
        let begin =
            [started(&["a", "b"], 100), epoch(&accuracies), stopped(StopReason::EarlyStopping, Some(1))];
        run(name, &begin)
    };
    let runs = [mean("2", [0.99, 0.6]), mean("1", [0.8, f64::NAN])];
    assert_eq!(
        best(&runs, &tasks(&["b", "a"])).unwrap().record.name,
        "1",
        "a task without labels does not count"
    );
}

#[test]
fn a_run_that_was_cut_off_or_failed_is_never_taken_by_itself() {
    let begin = || vec![started(&["print"], 100), epoch(&[0.99])];
    let with =
        |name: &str, last: Option<Event>| run(name, &begin().into_iter().chain(last).collect::<Vec<_>>());
    let aborted = || run("6", &[started(&["print"], 100), stopped(StopReason::Asked, None)]);
    let failed = || with("5", Some(Event::Failed { error: "out of memory".into() }));
    let killed = || with("4", None);
    assert_eq!(best_of(&[aborted(), failed(), killed()]), None);
    let mut training = finished("3", 0.99, 100);
    training.is_training = true;
    let runs = [aborted(), failed(), killed(), training, finished("2", 0.5, 100)];
    assert_eq!(best_of(&runs).as_deref(), Some("2"));
    let by_user = with("7", Some(stopped(StopReason::Asked, Some(1))));
    assert_eq!(best_of(&[by_user, finished("2", 0.5, 100)]).as_deref(), Some("7"), "it was validated");
}

#[test]
fn other_questions_are_not_compared_and_serve_for_want_of_others() {
    let other = |name: &str, accuracy| {
        run(name, &[started(&["sleeves"], 100), epoch(&[accuracy]), stopped(StopReason::Finished, Some(1))])
    };
    let brought = || run("0", &[]);
    assert_eq!(best_of(&[other("3", 0.99), finished("2", 0.5, 100)]).as_deref(), Some("2"));
    assert_eq!(best_of(&[other("3", 0.6), other("2", 0.99)]).as_deref(), Some("3"), "the newest");
    assert_eq!(best_of(&[finished("2", 0.5, 100), brought()]).as_deref(), Some("2"));
    assert_eq!(best_of(&[brought()]).as_deref(), Some("0"));
}

#[test]
fn luck_on_a_few_images_does_not_hold_off_a_run_on_more() {
    let lucky = || finished("1", 0.95, 20);
    assert_eq!(best_of(&[finished("2", 0.9, 200), lucky()]).as_deref(), Some("2"));
    assert_eq!(best_of(&[finished("2", 0.4, 200), lucky()]).as_deref(), Some("1"), "no chance explains this");
}

fn folder(name: &str) -> PathBuf {
    Path::new("/runs").join(name)
}

#[test]
fn a_better_run_is_told_of_and_a_worse_one_too() {
    let mut current = CurrentModel::default();
    let all = tasks(&["print"]);
    assert_eq!(current.decide(&[finished("1", 0.8, 100)], &all), None, "the first one is no surprise");
    let runs = [finished("2", 0.9, 100), finished("1", 0.8, 100)];
    let changed = Decision::Changed { from: folder("1"), to: folder("2"), lost_choice: false };
    assert_eq!(current.decide(&runs, &all), Some(changed));
    let runs = [finished("3", 0.7, 100), finished("2", 0.9, 100), finished("1", 0.8, 100)];
    assert_eq!(current.decide(&runs, &all), Some(Decision::Stayed { newcomer: folder("3") }));
    assert_eq!(current.decide(&runs, &all), None, "once");
    let of_study =
        run("4", &[started(&["sleeves"], 100), epoch(&[0.99]), stopped(StopReason::Finished, Some(1))]);
    let more = [of_study, finished("3", 0.7, 100), finished("2", 0.9, 100), finished("1", 0.8, 100)];
    assert_eq!(current.decide(&more, &all), None, "it answers another question");
    // After a restart, a better one that another program has trained.
    let mut later = CurrentModel::new(current.remembered().clone());
    assert_eq!(later.decide(&runs, &all), None);
    let runs = [finished("4", 0.95, 100), finished("2", 0.9, 100)];
    let mut later = CurrentModel::new(current.remembered().clone());
    let changed = Decision::Changed { from: folder("2"), to: folder("4"), lost_choice: false };
    assert_eq!(later.decide(&runs, &all), Some(changed));
}

#[test]
fn a_choice_is_kept_until_it_is_taken_back_or_its_run_is_gone() {
    let all = tasks(&["print"]);
    let mut current = CurrentModel::default();
    current.choose(Some(folder("1")));
    let runs = [finished("2", 0.9, 100), finished("1", 0.8, 100)];
    assert_eq!(current.decide(&runs, &all), None);
    assert_eq!((current.folder(), current.is_chosen()), (Some(folder("1").as_path()), true));
    let mut later = CurrentModel::new(current.remembered().clone());
    assert_eq!(later.decide(&runs, &all), None);
    assert_eq!(later.folder(), Some(folder("1").as_path()));
    let gone = Decision::Changed { from: folder("1"), to: folder("2"), lost_choice: true };
    assert_eq!(later.decide(&runs[..1], &all), Some(gone));
    assert!(!later.is_chosen());
    current.choose(None);
    assert_eq!(current.decide(&runs, &all), None, "the user asked for it");
    assert_eq!(current.folder(), Some(folder("2").as_path()));
    assert_eq!(current.decide(&[], &all), Some(Decision::Lost { from: folder("2") }));
}

#[test]
fn a_current_model_that_is_trained_on_stays_until_that_has_ended() {
    let all = tasks(&["print"]);
    let mut current = CurrentModel::default();
    let mut runs = [finished("2", 0.9, 100), finished("1", 0.8, 100)];
    current.decide(&runs, &all);
    runs[0].is_training = true;
    assert_eq!(current.decide(&runs, &all), None);
    assert_eq!(current.folder(), Some(folder("2").as_path()));
}
