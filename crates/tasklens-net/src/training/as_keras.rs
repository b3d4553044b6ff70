//! What Keras' callbacks do on the same losses: recorded by `tests/fixtures/training/callbacks.py`, from Keras 2, which
//! the Python project had, and from Keras 3. Where ours differ on purpose, it says so here.

use std::path::Path;

use serde_json::Value;
use tasklens_data::config::Config;

use super::events::{EpochMetrics, SplitMetrics};
use super::history;
use super::progress::RunProgress;

fn recorded() -> [(u8, Value); 2] {
    [
        (2, serde_json::from_str(include_str!("../../tests/fixtures/training/keras2.json")).unwrap()),
        (3, serde_json::from_str(include_str!("../../tests/fixtures/training/keras3.json")).unwrap()),
    ]
}

fn losses(of: &Value) -> Vec<f64> {
    let loss = |value: &Value| match value.as_str() {
        Some("nan") => f64::NAN,
        Some(_) => f64::INFINITY,
        None => value.as_f64().unwrap(),
    };
    of["losses"].as_array().unwrap().iter().map(loss).collect()
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().unwrap()
}

/// A run at its beginning, with keys of `model:`.
fn begun(change: impl Fn(&mut tasklens_data::config::ModelConfig)) -> RunProgress {
    let text = "{paths: {model_dataframe: a.csv}, model: {target_encoder: {print: [a, b], sleeves: [c, d]}}}";
    let mut config = Config::parse(text, Path::new("/config.yml")).unwrap();
    change(&mut config.model);
    RunProgress::new(&config, String::new())
}

fn count(of: &Value, key: &str) -> usize {
    usize::try_from(of[key].as_u64().unwrap()).unwrap()
}

/// Epochs that ran, whether they were stopped, and whose weights are kept.
fn stopped(settings: &Value, losses: &[f64]) -> (usize, bool, Option<usize>) {
    let mut progress = begun(|model| {
        model.early_stopping_patience = count(settings, "patience");
        model.early_stopping_min_delta = settings["min_delta"].as_f64().unwrap();
    });
    let stop = (1..).zip(losses).find(|(epoch, loss)| progress.after_epoch(*epoch, **loss, false).stop);
    (stop.map_or(losses.len(), |(epoch, _)| epoch), stop.is_some(), progress.stopping.best_epoch())
}

#[test]
fn early_stopping_ends_where_keras_ends_and_keeps_what_it_keeps() {
    let mut compared = 0;
    for (version, recorded) in recorded() {
        for sequence in list(&recorded, "sequences") {
            let (name, losses) = (&sequence["name"], losses(sequence));
            for theirs in list(sequence, "early_stopping") {
                let ours = stopped(theirs, &losses);
                let told = format!("Keras {version}, {name}, {theirs}: {ours:?}");
                if version == 3 && !losses[0].is_finite() {
                    // Keras 3 holds a first loss that is no number against all that follow. We do as Keras 2.
                    continue;
                }
                compared += 1;
                assert_eq!(ours.0, count(theirs, "epochs"), "{told}");
                assert_eq!(Some(ours.1), theirs["stopped"].as_bool(), "{told}");
                let kept = count(theirs, "weights_of");
                let finite = losses[..ours.0].iter().any(|loss| loss.is_finite());
                match ours.2 {
                    // On purpose: the best weights are kept whatever ends the run, as Keras 3 does; Keras 2 leaves
                    // those of the last epoch where patience does not end it.
                    Some(best) if version == 2 && !ours.1 => assert!(best <= kept, "{told}"),
                    Some(best) => assert_eq!(best, kept, "{told}"),
                    // On purpose: an epoch whose loss is no number is never the best; Keras keeps the first.
                    None => assert!(!finite && kept <= ours.0, "{told}"),
                }
            }
        }
    }
    assert_eq!(compared, (13 + 10) * 12);
}

#[test]
fn the_best_weights_of_a_run_that_patience_does_not_end_are_those_of_keras_3() {
    let [_, (_, recorded)] = recorded();
    let unended = list(&recorded, "sequences")
        .iter()
        .filter(|sequence| losses(sequence)[0].is_finite())
        .flat_map(|sequence| {
            let settings = list(sequence, "early_stopping").iter();
            settings.filter(|theirs| theirs["stopped"] == false).map(|theirs| (losses(sequence), theirs))
        });
    let mut earlier = 0;
    for (losses, theirs) in unended {
        let (.., best) = stopped(theirs, &losses);
        assert_eq!(best, Some(count(theirs, "weights_of")), "{theirs}");
        earlier += usize::from(best != Some(losses.len()));
    }
    assert!(earlier > 0, "some are not of the last epoch");
}

/// The learning rate that each epoch runs at.
fn rates(settings: &Value, losses: &[f64], first: f64) -> Vec<f64> {
    let number = |key: &str| settings[key].as_f64().unwrap();
    let mut progress = begun(|model| {
        model.learning_rate = first;
        model.lr_reducer_factor = number("factor");
        model.lr_reducer_patience = count(settings, "patience");
        model.lr_reducer_min_delta = number("min_delta");
        model.lr_reducer_cooldown = count(settings, "cooldown");
        model.min_lr = number("min_lr");
    });
    let mut next = |loss: &f64| {
        let rate = progress.learning_rate;
        progress.learning_rate = progress.plateau.after_epoch(*loss, rate).unwrap_or(rate);
        rate
    };
    losses.iter().map(&mut next).collect()
}

#[test]
fn the_learning_rate_falls_when_it_falls_in_keras() {
    let mut compared = 0;
    for (version, recorded) in recorded() {
        let first = recorded["first_rate"].as_f64().unwrap();
        for sequence in list(&recorded, "sequences") {
            let losses = losses(sequence);
            for theirs in list(sequence, "reduce_lr_on_plateau") {
                let expected: Vec<f64> =
                    list(theirs, "rates").iter().map(|rate| rate.as_f64().unwrap()).collect();
                let ours = rates(theirs, &losses, first);
                // Keras 2 keeps the rate in single precision.
                let same = ours.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-7 * b);
                // On purpose: a first loss that is no number is forgotten, as in Keras 2; Keras 3 never finds a loss
                // better than it.
                let is_as_keras_2 = version == 3 && !losses[0].is_finite();
                assert!(same || is_as_keras_2, "Keras {version}, {}, {theirs}: {ours:?}", sequence["name"]);
                compared += usize::from(!is_as_keras_2);
            }
        }
    }
    assert_eq!(compared, (13 + 10) * 8);
}

#[test]
fn history_has_the_lines_of_keras_logger() {
    let tasks = ["sleeves".to_owned(), "print".to_owned()];
    let split = |loss: f64, accuracy: [f64; 2], losses: [f64; 2]| SplitMetrics {
        loss,
        task_loss: losses.to_vec(),
        task_accuracy: accuracy.to_vec(),
    };
    for (version, recorded) in recorded() {
        let logged = &recorded["csv_logger"];
        let mut rates = [0.5, 0.5, 0.5, 0.25].into_iter();
        let epoch = |(epoch, loss): (usize, f64)| EpochMetrics {
            epoch,
            learning_rate: rates.next().unwrap(),
            train: split(loss + 0.5, [0.25, 0.5], [0.5, loss]),
            validation: split(loss, [0.125, 0.75], [0.25, loss - 0.25]),
            ..EpochMetrics::without_values(2)
        };
        let epochs: Vec<EpochMetrics> = (1..).zip(losses(logged)).map(epoch).collect();
        let text = history::to_csv(&tasks, &epochs);
        let ours: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        let theirs: Vec<Vec<&str>> =
            list(logged, "lines").iter().map(|line| line.as_str().unwrap().split(',').collect()).collect();
        assert_eq!(ours.len(), theirs.len());
        // On purpose: the column is `lr`, as in the Python project's files; Keras 3 calls it `learning_rate`, and sorts
        // it before `loss`.
        let name = |column: &str| if column == "learning_rate" { "lr".to_owned() } else { column.to_owned() };
        let names: Vec<String> = theirs[0].iter().map(|column| name(column)).collect();
        if version == 2 {
            assert_eq!(ours[0], names);
        }
        for (ours_of, theirs_of) in ours.iter().zip(&theirs).skip(1) {
            for (column, value) in names.iter().zip(theirs_of) {
                let place = ours[0].iter().position(|name| name == column).unwrap();
                let (ours, theirs): (f64, f64) = (ours_of[place].parse().unwrap(), value.parse().unwrap());
                assert!(ours == theirs || ours.is_nan() && theirs.is_nan(), "{column}: {ours} and {theirs}");
                assert_eq!(ours.is_nan(), ours_of[place] == *value && *value == "nan", "as Keras writes it");
            }
        }
    }
}
