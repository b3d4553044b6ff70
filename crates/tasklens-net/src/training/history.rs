//! Writes `history.csv` like Keras' CSVLogger: `epoch` from 0, then the other columns by name. After them come the
//! gradient shares, which Keras does not have, if any epoch has them.

use std::collections::BTreeMap;

use super::events::{EpochMetrics, SplitMetrics};

/// The content of the file: a header and a row per epoch. Values without labels, and losses that are not finite, are
/// `nan`.
pub fn to_csv(tasks: &[String], epochs: &[EpochMetrics]) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let columns = |epoch: &EpochMetrics| {
        let mut columns = BTreeMap::from([("lr".to_owned(), epoch.learning_rate)]);
        add(&mut columns, "", tasks, &epoch.train);
        add(&mut columns, "val_", tasks, &epoch.validation);
        columns
    };
    let names = columns(&EpochMetrics::without_values(tasks.len()));
    let has_shares = epochs.iter().any(|epoch| !epoch.gradient_shares.is_empty());
    let of_shares = if has_shares { tasks } else { &[] };
    let shares = of_shares.iter().map(|task| format!("{task}_gradient_share"));
    let header = std::iter::once("epoch".to_owned()).chain(names.into_keys()).chain(shares);
    let rows = epochs.iter().map(|epoch| {
        let share = |task| epoch.gradient_shares.get(task).copied().unwrap_or(f64::NAN);
        let values = columns(epoch).into_values().chain((0..of_shares.len()).map(share)).map(number);
        std::iter::once((epoch.epoch - 1).to_string()).chain(values).collect::<Vec<_>>()
    });
    // Writing to memory cannot fail; the rows are as long as the header by construction.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn add(columns: &mut BTreeMap<String, f64>, prefix: &str, tasks: &[String], metrics: &SplitMetrics) {
    columns.insert(format!("{prefix}loss"), metrics.loss);
    for (i, task) in tasks.iter().enumerate() {
        columns.insert(format!("{prefix}{task}_clf_loss"), metrics.task_loss[i]);
        columns.insert(format!("{prefix}{task}_clf_accuracy"), metrics.task_accuracy[i]);
    }
}

fn number(value: f64) -> String {
    // Infinity, too, because the checkpoint for resuming cannot store it.
    if value.is_finite() { value.to_string() } else { "nan".to_owned() }
}

impl EpochMetrics {
    /// An epoch without values, for `tasks` tasks.
    pub(crate) fn without_values(tasks: usize) -> Self {
        let none = SplitMetrics {
            loss: f64::NAN,
            task_loss: vec![f64::NAN; tasks],
            task_accuracy: vec![f64::NAN; tasks],
        };
        Self {
            epoch: 1,
            learning_rate: 0.0,
            secs: 0.0,
            images_per_sec: 0.0,
            train: none.clone(),
            validation: none,
            best: false,
            gradient_shares: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_in_keras_order() {
        let tasks = ["sleeves".to_owned(), "item".to_owned()];
        let mut epoch = EpochMetrics::without_values(2);
        epoch.learning_rate = 0.001;
        epoch.train = SplitMetrics { loss: 3.0, task_loss: vec![1.0, 2.0], task_accuracy: vec![0.5, 0.25] };
        epoch.validation =
            SplitMetrics { loss: 4.0, task_loss: vec![f64::NAN, 4.0], task_accuracy: vec![f64::NAN, 0.125] };
        assert_eq!(
            to_csv(&tasks, &[epoch]),
            "epoch,item_clf_accuracy,item_clf_loss,loss,lr,sleeves_clf_accuracy,sleeves_clf_loss,\
             val_item_clf_accuracy,val_item_clf_loss,val_loss,val_sleeves_clf_accuracy,val_sleeves_clf_loss\n\
             0,0.25,2,3,0.001,0.5,1,0.125,4,4,nan,nan\n"
        );
    }

    #[test]
    fn shares_stand_behind_the_columns_of_keras_and_old_epochs_have_none() {
        let tasks = ["sleeves".to_owned(), "item".to_owned()];
        let old = EpochMetrics::without_values(2);
        let plain = to_csv(&tasks, std::slice::from_ref(&old));
        let new = EpochMetrics { epoch: 2, gradient_shares: vec![0.75, 0.25], ..old.clone() };
        let text = to_csv(&tasks, &[old, new]);
        let mut lines = text.lines().zip(plain.lines().chain([plain.lines().next_back().unwrap()]));
        let (header, of_keras) = lines.next().unwrap();
        assert_eq!(header, format!("{of_keras},sleeves_gradient_share,item_gradient_share"));
        let (first, of_keras) = lines.next().unwrap();
        assert_eq!(first, format!("{of_keras},nan,nan"));
        assert!(lines.next().unwrap().0.ends_with(",0.75,0.25"), "{text}");
    }

    #[test]
    fn a_loss_that_is_no_number_is_nan() {
        let mut epoch = EpochMetrics::without_values(1);
        epoch.train = SplitMetrics { loss: 3.0, task_loss: vec![3.0], task_accuracy: vec![0.5] };
        epoch.validation =
            SplitMetrics { loss: f64::INFINITY, task_loss: vec![f64::NAN], task_accuracy: vec![0.5] };
        let text = to_csv(&["item".to_owned()], &[epoch]);
        assert_eq!(text.lines().nth(1), Some("0,0.5,3,3,0,0.5,nan,nan"));
    }

    #[test]
    fn a_task_name_with_a_comma_is_quoted() {
        let text = to_csv(&["a,b".to_owned()], &[]);
        assert!(text.starts_with("epoch,\"a,b_clf_accuracy\","), "{text}");
    }
}
