use crossbeam_channel::unbounded;
use tasklens_data::config::Backbone;

use super::*;
use crate::training::events::{Event, SplitMetrics};
use crate::training::run_folder::EVENTS;

const CONFIG_TEXT: &str =
    "{paths: {model_dataframe: x.csv}, model: {backbone: xception_small, target_encoder: {print: [a, b]}}}";

fn config(folder: &Path) -> Config {
    Config::parse(CONFIG_TEXT, &folder.join(CONFIG)).unwrap()
}

fn metrics(epoch: usize, loss: f64) -> EpochMetrics {
    let validation = SplitMetrics { loss, task_loss: vec![loss], task_accuracy: vec![0.5] };
    EpochMetrics { epoch, validation, ..EpochMetrics::without_values(1) }
}

/// What `last.safetensors` says after epochs with these losses.
fn progress(folder: &Path, losses: &[f64]) -> RunProgress {
    let mut progress = RunProgress::new(&config(folder), String::new());
    for (epoch, loss) in (1..).zip(losses) {
        let verdict = progress.stopping.after_epoch(epoch, *loss);
        progress.epochs.push(metrics(epoch, *loss));
        if verdict.best {
            progress.best = progress.epochs.last().cloned();
        }
    }
    progress
}

fn write_best(folder: &Path, config: &Config, epoch: usize, metrics: Option<&EpochMetrics>) {
    let network = Network::new(Backbone::XceptionSmall, &config.model.tasks, 1, tch::Device::Cpu).unwrap();
    let description = Description {
        epoch,
        extra: serde_json::json!({ "metrics": metrics }),
        ..Description::new(Backbone::XceptionSmall, config.model.tasks.clone(), (32, 32), "fp32")
    };
    checkpoint::write(&folder.join(BEST), &network, &description, &[]).unwrap();
}

/// Settles a folder; what the run goes on with, and its warnings.
fn settled(folder: &Path, mut progress: RunProgress) -> (RunProgress, Behind, Vec<String>) {
    let ((events, told), (_commands, heard)) = (unbounded(), unbounded());
    let behind = progress.settle(folder, &config(folder), &mut Reporter::new(events, heard, Box::new(|| {})));
    let warnings = told.try_iter().map(|event| match event {
        Event::Warning { message, .. } => message,
        other => panic!("{other:?}"),
    });
    (progress, behind, warnings.collect())
}

fn best(progress: &RunProgress) -> Option<(usize, f64)> {
    progress.best().map(|metrics| (metrics.epoch, metrics.validation.loss))
}

#[test]
fn whole_files_are_left_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    write_best(dir.path(), &config(dir.path()), 2, Some(&metrics(2, 0.5)));
    let (progress, behind, warnings) = settled(dir.path(), progress(dir.path(), &[0.9, 0.5, 0.7]));
    assert_eq!((best(&progress), behind.lacks_best), (Some((2, 0.5)), false));
    assert_eq!(warnings, [] as [&str; 0]);
}

#[test]
fn a_kill_before_the_best_weights_were_kept_leaves_them_to_be_made_of_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let killed = |losses: &[f64]| {
        let (progress, behind, warnings) = settled(dir.path(), progress(dir.path(), losses));
        assert_eq!(warnings, [] as [&str; 0]);
        (best(&progress), behind.lacks_best)
    };
    assert_eq!(killed(&[0.9]), (Some((1, 0.9)), true), "within the first epoch there is no file yet");
    write_best(dir.path(), &config(dir.path()), 1, Some(&metrics(1, 0.9)));
    assert_eq!(killed(&[0.9, 0.5]), (Some((2, 0.5)), true));
}

#[test]
fn best_weights_of_an_epoch_that_is_not_complete_are_the_best_until_one_is_better() {
    let dir = tempfile::tempdir().unwrap();
    // As earlier versions left it: first the best, then the last.
    write_best(dir.path(), &config(dir.path()), 3, Some(&metrics(3, 0.5)));
    for losses in [[0.9, 0.7], [0.7, 0.9]] {
        let (mut progress, behind, warnings) = settled(dir.path(), progress(dir.path(), &losses));
        assert_eq!((best(&progress), behind.lacks_best), (Some((3, 0.5)), false));
        assert!(warnings[0].contains("holds the weights of epoch 3"), "{warnings:?}");
        let again = progress.clone().stopping.after_epoch(3, 0.5);
        assert!(again.best, "the same epoch again takes its own place");
        assert!(!progress.stopping.after_epoch(3, 0.6).best);
        progress.epochs.push(metrics(3, 0.6));
        assert_eq!(best(&progress), Some((3, 0.5)), "what is reported is what the file holds");
        assert!(!progress.stopping.after_epoch(4, 0.55).best && progress.stopping.after_epoch(5, 0.4).best);
    }
}

#[test]
fn weights_that_nothing_validated_make_room_for_the_first_epoch_with_a_loss() {
    let dir = tempfile::tempdir().unwrap();
    let resumed = || {
        let (mut progress, behind, warnings) = settled(dir.path(), progress(dir.path(), &[f64::NAN; 2]));
        assert_eq!((best(&progress), behind.lacks_best), (None, false));
        assert_eq!(warnings, [] as [&str; 0]);
        assert!(progress.stopping.after_epoch(3, 9.0).best);
    };
    // A run that was killed, and one that ended.
    resumed();
    write_best(dir.path(), &config(dir.path()), 2, Some(&metrics(2, f64::NAN)));
    resumed();
}

#[test]
fn the_best_weights_of_another_time_are_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    write_best(dir.path(), &config(dir.path()), 1, Some(&metrics(1, 0.9)));
    let (progress, behind, warnings) = settled(dir.path(), progress(dir.path(), &[0.9, 0.5, 0.7]));
    assert_eq!((best(&progress), behind.lacks_best), (Some((1, 0.9)), false));
    assert!(warnings[0].contains("holds the weights of epoch 1"), "{warnings:?}");
}

#[test]
fn best_weights_that_are_lost_or_foreign_make_room_for_the_next_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let lost = |warning: &str| {
        let (mut progress, behind, warnings) = settled(dir.path(), progress(dir.path(), &[0.9, 0.5, 0.7]));
        assert_eq!((best(&progress), behind.lacks_best), (None, false));
        assert!(warnings.iter().any(|said| said.contains(warning)), "{warnings:?}");
        assert!(progress.stopping.after_epoch(4, 5.0).best);
    };
    lost("are lost");
    std::fs::write(dir.path().join(BEST), "no weights").unwrap();
    lost("is not a safetensors file, or is damaged");
    let other = CONFIG_TEXT.replace("[a, b]", "[a, c]");
    let other = Config::parse(&other, &dir.path().join(CONFIG)).unwrap();
    write_best(dir.path(), &other, 2, Some(&metrics(2, 0.5)));
    lost("has other tasks or labels");
    // Weights that nothing validated.
    write_best(dir.path(), &config(dir.path()), 0, None);
    lost("are lost");
}

#[test]
fn a_run_of_an_earlier_version_is_settled_too() {
    let dir = tempfile::tempdir().unwrap();
    write_best(dir.path(), &config(dir.path()), 2, Some(&metrics(2, 0.5)));
    let mut old = progress(dir.path(), &[0.9, 0.5, 0.7]);
    old.best = None;
    assert_eq!(best(&settled(dir.path(), old).0), Some((2, 0.5)));
}

#[test]
fn the_epochs_that_the_log_lacks_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let told = || settled(dir.path(), progress(dir.path(), &[0.9, 0.8])).1.last_told;
    assert_eq!(told(), 0);
    let line = serde_json::to_string(&Event::Epoch(metrics(1, 0.9))).unwrap();
    std::fs::write(dir.path().join(EVENTS), line + "\n").unwrap();
    assert_eq!(told(), 1);
}

#[test]
fn a_run_does_not_go_on_from_numbers_that_none_has() {
    let text = "paths: {model_dataframe: a.csv}\nmodel: {target_encoder: {print: [a, b]}}";
    let config = Config::parse(text, Path::new("config.yml")).unwrap();
    let mut good = RunProgress::new(&config, String::new());
    good.epochs = vec![EpochMetrics::without_values(1)];
    good.check(1).unwrap();
    let refused = |change: &dyn Fn(&mut RunProgress)| {
        let mut progress = good.clone();
        change(&mut progress);
        progress.check(1).unwrap_err().to_string()
    };
    let metrics = "the metrics of its epoch 1 are not those of 1 tasks";
    assert_eq!(refused(&|progress| progress.epochs[0].validation.task_loss.clear()), metrics);
    assert_eq!(refused(&|progress| progress.epochs[0].train.task_accuracy.push(0.5)), metrics);
    assert_eq!(refused(&|progress| progress.epochs[0].gradient_shares = vec![0.5, 0.5]), metrics);
    assert_eq!(refused(&|progress| progress.epochs[0].epoch = 0), metrics);
    assert_eq!(refused(&|progress| progress.learning_rate = f64::NAN), "its learning rate is NaN");
    assert!(refused(&|progress| progress.adam_steps = u64::MAX).starts_with("it has taken 1844"));
}
