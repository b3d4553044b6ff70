//! Loss and accuracy: per batch for the gradient, summed over a split for reporting.

use tasklens_torch::staging;
use tch::{Device, Kind, Reduction, TchError, Tensor};

use super::balance::TaskBalance;
use super::events::SplitMetrics;
use super::within::{self, Totalled};
use crate::inference::samples::NO_LABEL;

/// Weights of tasks and labels. The loss of a split is the sum over tasks of the task's weight times the mean over
/// the rows that have a label for it. The loss of a batch is scaled so that this is its expected value.
pub struct Weights {
    /// Weight per task.
    pub tasks: Vec<f64>,
    /// Label weights per task, `[labels]` in float32 on the device, if labels are weighted: with average 1 over the
    /// training rows, so that the weight of the task is unaffected.
    pub classes: Vec<Option<Tensor>>,
    /// Per task the share of training rows that have a label for it.
    pub labelled: Vec<f64>,
    /// Label smoothing: the share of a label that is spread over all labels of its task (Szegedy et al. 2016).
    pub smoothing: f64,
    /// Learnt weights of the tasks, in the loss for the gradient only: reported losses stay comparable.
    pub balance: Option<TaskBalance>,
}

impl Weights {
    /// Equal weights, with a label in every row.
    pub fn without_classes(tasks: Vec<f64>) -> Self {
        Self {
            classes: tasks.iter().map(|_| None).collect(),
            labelled: vec![1.0; tasks.len()],
            smoothing: 0.0,
            balance: None,
            tasks,
        }
    }

    /// Weights of the tasks in the penalty of [`TaskBalance`]: as in the loss, whether or not a batch has labels of the
    /// task, so that its expected value is right. A task without any label has no loss that could hold its variance.
    fn balanced(&self) -> Vec<f64> {
        let has_loss = |(weight, labelled): (&f64, &f64)| if *labelled > 0.0 { *weight } else { 0.0 };
        self.tasks.iter().zip(&self.labelled).map(has_loss).collect()
    }
}

/// Sums over the batches of a split, kept on the device until they are read.
pub struct Totals {
    /// `[tasks]`: weighted cross-entropy.
    loss: Tensor,
    /// `[tasks]`: number of correctly predicted rows.
    correct: Tensor,
    /// Number of labelled rows per task.
    counts: Vec<usize>,
}

impl Totals {
    /// All sums zero.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn new(tasks: usize, device: Device) -> Result<Self, TchError> {
        let zeros = || Tensor::f_zeros([tasks as i64], (sum_kind(device), device));
        Ok(Self { loss: zeros()?, correct: zeros()?, counts: vec![0; tasks] })
    }

    /// As they were when [`Self::numbers`] were taken.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn of(numbers: &Totalled, device: Device) -> Result<Self, TchError> {
        let sums = |values: &[f64]| within::tensor_of(values, sum_kind(device), device);
        let (loss, correct) = (sums(&numbers.loss)?, sums(&numbers.correct)?);
        Ok(Self { loss, correct, counts: numbers.counts.clone() })
    }

    /// The sums so far. Waits for the device.
    ///
    /// # Errors
    /// The device failed.
    pub fn numbers(&self) -> Result<Totalled, TchError> {
        let (loss, correct) = (within::numbers_of(&self.loss)?, within::numbers_of(&self.correct)?);
        Ok(Totalled { loss, correct, counts: self.counts.clone() })
    }

    /// Adds a batch and returns its loss for the gradient: per task the sum over the labelled rows, divided by the
    /// average number of labelled rows in a batch of this size, summed with the tasks' weights, fixed and learnt.
    /// `None` if no row has any label.
    ///
    /// Dividing by the number of labelled rows in this very batch would cancel the weight of a rare label that is
    /// alone in the sum, and a sparsely labelled task would count in full in each batch with such a row and not at
    /// all in others. Keras also divides the weighted sum by the number of rows, not by their weights.
    ///
    /// `logits` is `[N, labels]` per task, `labels` `[tasks, N]` on the host.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn add(
        &mut self,
        logits: &[Tensor],
        labels: &[i64],
        weights: &Weights,
    ) -> Result<Option<Tensor>, TchError> {
        let rows = labels.len() / logits.len().max(1);
        let device = self.loss.device();
        let on_device =
            staging::to_device(&Tensor::f_from_slice(labels)?.f_view([-1, rows as i64])?, device)?;
        let mut batch_loss: Option<Tensor> = None;
        for (task, logits) in logits.iter().enumerate() {
            let host_labels = &labels[task * rows..(task + 1) * rows];
            let count = host_labels.iter().filter(|&&label| label != NO_LABEL).count();
            if count == 0 {
                continue;
            }
            let target = on_device.f_get(task as i64)?;
            let sum = summed(logits, &target, weights.classes[task].as_ref(), weights.smoothing)?;
            let expected = rows as f64 * weights.labelled[task];
            let mut mean = sum.f_mul_scalar(weights.tasks[task] / expected)?;
            if let Some(balance) = &weights.balance {
                mean = mean.f_mul(&balance.factor(task)?)?;
            }
            let _ = self.loss.f_get(task as i64)?.f_add_(&sum.f_detach()?)?;
            // A missing label is not a class index, so it never counts as correct.
            let right = logits.f_argmax(1, false)?.f_eq_tensor(&target)?.f_sum(self.correct.kind())?;
            let _ = self.correct.f_get(task as i64)?.f_add_(&right)?;
            self.counts[task] += count;
            batch_loss = Some(match batch_loss {
                None => mean,
                Some(loss) => loss.f_add(&mean)?,
            });
        }
        match (batch_loss, &weights.balance) {
            (Some(loss), Some(balance)) => Ok(Some(loss.f_add(&balance.penalty(&weights.balanced())?)?)),
            (loss, _) => Ok(loss),
        }
    }

    /// Loss and accuracy so far. Waits for the device.
    ///
    /// # Errors
    /// The device failed.
    pub fn metrics(&self, weights: &Weights) -> Result<SplitMetrics, TchError> {
        Ok(self.numbers()?.metrics(weights))
    }
}

impl Totalled {
    /// Loss and accuracy.
    pub fn metrics(&self, weights: &Weights) -> SplitMetrics {
        // Without rows this is 0 / 0, NaN.
        let mean = |sums: &[f64]| sums.iter().zip(&self.counts).map(|(sum, n)| sum / *n as f64).collect();
        let (task_loss, task_accuracy): (Vec<f64>, Vec<f64>) = (mean(&self.loss), mean(&self.correct));
        let labelled = task_loss.iter().zip(&weights.tasks).zip(&self.counts).filter(|(_, n)| **n > 0);
        let loss = labelled.map(|((loss, weight), _)| loss * weight).sum();
        SplitMetrics { loss, task_loss, task_accuracy }
    }
}

/// What sums are kept in: Apple's GPUs have no float64.
fn sum_kind(device: Device) -> Kind {
    if device == Device::Mps { Kind::Float } else { Kind::Double }
}

/// Cross-entropy summed over the labelled rows. A row is weighted by its label, also with smoothing, as in Keras:
/// libtorch would weight each of the smoothed labels by its own weight.
fn summed(
    logits: &Tensor,
    target: &Tensor,
    classes: Option<&Tensor>,
    smoothing: f64,
) -> Result<Tensor, TchError> {
    let (Some(classes), true) = (classes, smoothing > 0.0) else {
        return logits.f_cross_entropy_loss(target, classes, Reduction::Sum, NO_LABEL, smoothing);
    };
    let none = None::<&Tensor>;
    let rows = logits.f_cross_entropy_loss(target, none, Reduction::None, NO_LABEL, smoothing)?;
    // A row without a label has no loss, so its weight does not matter.
    let weights = classes.f_index_select(0, &target.f_clamp_min(0)?)?;
    rows.f_mul(&weights)?.f_sum(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logits(rows: &[[f32; 2]]) -> Tensor {
        Tensor::from_slice(&rows.concat()).view([-1, 2])
    }

    /// Cross-entropy of two logits, the right one first.
    fn cross_entropy(right: f64, wrong: f64) -> f64 {
        (1.0 + (wrong - right).exp()).ln()
    }

    #[test]
    fn a_row_counts_only_for_the_tasks_it_has() {
        let mut totals = Totals::new(2, Device::Cpu).unwrap();
        let mut weights = Weights::without_classes(vec![1.0, 2.0]);
        weights.labelled[1] = 0.25;
        let logits = [logits(&[[2.0, 0.0], [0.0, 1.0]]), logits(&[[9.0, 0.0], [0.0, 3.0]])];
        // The second task is labelled in the second row only, twice as often as in other batches.
        let loss = totals.add(&logits, &[0, 0, NO_LABEL, 1], &weights).unwrap().unwrap();
        let first = (cross_entropy(2.0, 0.0) + cross_entropy(0.0, 1.0)) / 2.0;
        let second = cross_entropy(3.0, 0.0);
        assert!((loss.double_value(&[]) - (first + 2.0 * second / (2.0 * 0.25))).abs() < 1e-6);

        let metrics = totals.metrics(&weights).unwrap();
        assert!((metrics.loss - (first + 2.0 * second)).abs() < 1e-6);
        assert_eq!(metrics.task_accuracy, [0.5, 1.0]);
    }

    #[test]
    fn the_mean_of_an_epoch_is_over_rows_not_batches() {
        let mut totals = Totals::new(1, Device::Cpu).unwrap();
        let weights = Weights::without_classes(vec![1.0]);
        totals.add(&[logits(&[[0.0, 0.0]; 3])], &[0, 0, 0], &weights).unwrap();
        totals.add(&[logits(&[[4.0, 0.0]])], &[0], &weights).unwrap();
        let expected = (3.0 * cross_entropy(0.0, 0.0) + cross_entropy(4.0, 0.0)) / 4.0;
        assert!((totals.metrics(&weights).unwrap().loss - expected).abs() < 1e-6);
    }

    #[test]
    fn class_weights_are_not_divided_by_their_sum_in_the_batch() {
        let mut totals = Totals::new(1, Device::Cpu).unwrap();
        let mut weights = Weights::without_classes(vec![1.0]);
        weights.classes[0] = Some(Tensor::from_slice(&[0.5_f32, 3.0]));
        let loss = totals.add(&[logits(&[[1.0, 0.0], [1.0, 0.0]])], &[0, 0], &weights).unwrap().unwrap();
        assert!((loss.double_value(&[]) - 0.5 * cross_entropy(1.0, 0.0)).abs() < 1e-6);
        let loss = totals.add(&[logits(&[[1.0, 0.0], [1.0, 0.0]])], &[0, 1], &weights).unwrap().unwrap();
        let expected = (0.5 * cross_entropy(1.0, 0.0) + 3.0 * cross_entropy(0.0, 1.0)) / 2.0;
        assert!((loss.double_value(&[]) - expected).abs() < 1e-6);
        let over_both = (1.5 * cross_entropy(1.0, 0.0) + 3.0 * cross_entropy(0.0, 1.0)) / 4.0;
        assert!((totals.metrics(&weights).unwrap().loss - over_both).abs() < 1e-6);
    }

    #[test]
    fn smoothing_spreads_a_part_of_the_label_over_all() {
        let logits = logits(&[[2.0, 0.0], [0.5, 1.0], [3.0, 3.0]]);
        let mut weights = Weights::without_classes(vec![1.0]);
        weights.smoothing = 0.1;
        let labels = [0, 1, NO_LABEL];
        let of = |weights: &Weights| {
            let mut totals = Totals::new(1, Device::Cpu).unwrap();
            totals.add(std::slice::from_ref(&logits), &labels, weights).unwrap().unwrap().double_value(&[])
        };
        // 0.95 of the loss with the label and 0.05 of that with the other.
        let first = 0.95 * cross_entropy(2.0, 0.0) + 0.05 * cross_entropy(0.0, 2.0);
        let second = 0.95 * cross_entropy(1.0, 0.5) + 0.05 * cross_entropy(0.5, 1.0);
        assert!((of(&weights) - (first + second) / 3.0).abs() < 1e-6);
        // A row counts by the weight of its own label.
        weights.classes[0] = Some(Tensor::from_slice(&[0.5_f32, 3.0]));
        assert!((of(&weights) - (0.5 * first + 3.0 * second) / 3.0).abs() < 1e-6);
    }

    /// The rows of an epoch in batches of 16: what each batch's gradient is, of logits that each have their own
    /// parameter, summed without its sign over the rows that `counts` says.
    fn pull(rows: &[i64], of: usize, weights: &Weights, counts: impl Fn(usize, usize) -> bool) -> f64 {
        let tasks = weights.tasks.len();
        let mut sum = 0.0;
        for begin in (0..of).step_by(16) {
            let n = 16.min(of - begin);
            let logits: Vec<Tensor> = (0..tasks)
                .map(|_| Tensor::zeros([n as i64, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true))
                .collect();
            let labels: Vec<i64> =
                (0..tasks).flat_map(|task| rows[task * of + begin..][..n].iter().copied()).collect();
            let mut totals = Totals::new(tasks, Device::Cpu).unwrap();
            let Some(loss) = totals.add(&logits, &labels, weights).unwrap() else { continue };
            loss.backward();
            for (task, logits) in logits.iter().enumerate() {
                let gradient = logits.grad();
                // A task that the batch has no label for has no gradient at all.
                if !gradient.defined() {
                    continue;
                }
                let rows = gradient.abs().sum_dim_intlist(1, false, Kind::Double);
                let rows = Vec::<f64>::try_from(rows).unwrap();
                sum += rows
                    .iter()
                    .enumerate()
                    .filter(|(row, _)| counts(task, begin + row))
                    .map(|(_, g)| g)
                    .sum::<f64>();
            }
        }
        sum
    }

    #[test]
    fn a_rare_label_that_is_balanced_has_half_of_the_gradient() {
        // 1 of 100 rows has the rare label, each in a batch of its own.
        let rows: Vec<i64> = (0..1600).map(|row| i64::from(row % 100 == 0)).collect();
        let mut weights = Weights::without_classes(vec![1.0]);
        weights.classes[0] = Some(Tensor::from_slice(&[1600.0_f32 / (2.0 * 1584.0), 50.0]));
        let rare = pull(&rows, 1600, &weights, |_, row| row % 100 == 0);
        let share = rare / pull(&rows, 1600, &weights, |_, _| true);
        assert!((share - 0.5).abs() < 1e-3, "{share}");
    }

    #[test]
    fn a_task_that_few_rows_have_counts_by_its_weight_in_gradient_and_loss() {
        // The second task is labelled in 2 % of the rows.
        let second = |row: usize| if row.is_multiple_of(50) { 0 } else { NO_LABEL };
        let rows: Vec<i64> = std::iter::repeat_n(0, 1600).chain((0..1600).map(second)).collect();
        let mut weights = Weights::without_classes(vec![1.0, 1.0]);
        weights.labelled[1] = 0.02;
        let gradient = |of: usize| pull(&rows, 1600, &weights, |task, _| task == of);
        let ratio = gradient(1) / gradient(0);
        assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
        let mut totals = Totals::new(2, Device::Cpu).unwrap();
        let logits = [logits(&[[0.0; 2]; 1600]), logits(&[[0.0; 2]; 1600])];
        totals.add(&logits, &rows, &weights).unwrap();
        let metrics = totals.metrics(&weights).unwrap();
        assert!((metrics.loss - 2.0 * cross_entropy(0.0, 0.0)).abs() < 1e-6, "{metrics:?}");
    }

    #[test]
    fn a_batch_without_labels_has_no_loss() {
        let mut totals = Totals::new(1, Device::Cpu).unwrap();
        let weights = Weights::without_classes(vec![1.0]);
        assert!(totals.add(&[logits(&[[1.0, 0.0]])], &[NO_LABEL], &weights).unwrap().is_none());
        assert!(totals.metrics(&weights).unwrap().task_accuracy[0].is_nan());
    }
}
