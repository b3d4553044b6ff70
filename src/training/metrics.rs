//! Loss and accuracy: per batch for the gradient, summed over a split for the reader.

use tch::{Device, Kind, Reduction, TchError, Tensor};

use super::events::SplitMetrics;
use crate::images::loader::NO_LABEL;

/// How much tasks and labels count.
pub struct Weights {
    /// One per task.
    pub tasks: Vec<f64>,
    /// `[labels]` per task, float32 on the device, where labels count differently.
    pub classes: Vec<Option<Tensor>>,
    /// The same as plain numbers.
    pub class_values: Vec<Option<Vec<f64>>>,
}

impl Weights {
    /// Every label counts the same.
    pub fn without_classes(tasks: Vec<f64>) -> Self {
        let none = vec![None; tasks.len()];
        Self { classes: tasks.iter().map(|_| None).collect(), class_values: none, tasks }
    }

    /// What the labels of one task weigh together; rows without a label weigh nothing.
    fn sum(&self, task: usize, labels: &[i64]) -> f64 {
        let labelled = labels.iter().filter(|&&label| label != NO_LABEL);
        match &self.class_values[task] {
            None => labelled.count() as f64,
            Some(weights) => labelled.map(|&label| weights[label as usize]).sum(),
        }
    }
}

/// Sums over the batches of a split, kept on the device until they are asked for.
pub struct Totals {
    /// `[tasks]`: weighted cross-entropy.
    loss: Tensor,
    /// `[tasks]`: rows whose most probable label is right.
    correct: Tensor,
    /// Weights of the labelled rows per task.
    weights: Vec<f64>,
    /// Labelled rows per task.
    counts: Vec<usize>,
}

impl Totals {
    /// Nothing yet.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn new(tasks: usize, device: Device) -> Result<Self, TchError> {
        // Apple's GPUs have no float64.
        let kind = if device == Device::Mps { Kind::Float } else { Kind::Double };
        let zeros = || Tensor::f_zeros([tasks as i64], (kind, device));
        Ok(Self { loss: zeros()?, correct: zeros()?, weights: vec![0.0; tasks], counts: vec![0; tasks] })
    }

    /// Adds a batch and gives its loss for the gradient: per task the mean over the labelled rows,
    /// summed with the tasks' weights. `None` where no row has any label.
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
        let on_device = Tensor::f_from_slice(labels)?.f_view([-1, rows as i64])?.f_to_device(device)?;
        let mut batch_loss: Option<Tensor> = None;
        for (task, logits) in logits.iter().enumerate() {
            let host_labels = &labels[task * rows..(task + 1) * rows];
            let count = host_labels.iter().filter(|&&label| label != NO_LABEL).count();
            let weight = weights.sum(task, host_labels);
            if count == 0 || weight <= 0.0 {
                continue;
            }
            let target = on_device.f_get(task as i64)?;
            let class_weights = weights.classes[task].as_ref();
            let sum = logits.f_cross_entropy_loss(&target, class_weights, Reduction::Sum, NO_LABEL, 0.0)?;
            let mean = sum.f_mul_scalar(weights.tasks[task] / weight)?;
            let _ = self.loss.f_get(task as i64)?.f_add_(&sum.f_detach()?)?;
            // A missing label is no class index, so that it never counts as right.
            let right = logits.f_argmax(1, false)?.f_eq_tensor(&target)?.f_sum(self.correct.kind())?;
            let _ = self.correct.f_get(task as i64)?.f_add_(&right)?;
            self.weights[task] += weight;
            self.counts[task] += count;
            batch_loss = Some(match batch_loss {
                None => mean,
                Some(loss) => loss.f_add(&mean)?,
            });
        }
        Ok(batch_loss)
    }

    /// Loss and accuracy so far. Waits for the device.
    ///
    /// # Errors
    /// The device failed.
    pub fn metrics(&self, weights: &Weights) -> Result<SplitMetrics, TchError> {
        let host = |tensor: &Tensor| -> Result<Vec<f64>, TchError> {
            Vec::<f64>::try_from(tensor.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?)
        };
        let (loss, correct) = (host(&self.loss)?, host(&self.correct)?);
        let ratio = |sum: f64, of: f64| if of > 0.0 { sum / of } else { f64::NAN };
        let task_loss: Vec<f64> = loss.iter().zip(&self.weights).map(|(l, w)| ratio(*l, *w)).collect();
        let task_accuracy = correct.iter().zip(&self.counts).map(|(c, n)| ratio(*c, *n as f64)).collect();
        let labelled = task_loss.iter().zip(&weights.tasks).zip(&self.counts).filter(|(_, n)| **n > 0);
        let loss = labelled.map(|((loss, weight), _)| loss * weight).sum();
        Ok(SplitMetrics { loss, task_loss, task_accuracy })
    }
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
        let weights = Weights::without_classes(vec![1.0, 2.0]);
        let logits = [logits(&[[2.0, 0.0], [0.0, 1.0]]), logits(&[[9.0, 0.0], [0.0, 3.0]])];
        // The second task is labelled in the second row only.
        let loss = totals.add(&logits, &[0, 0, NO_LABEL, 1], &weights).unwrap().unwrap();
        let first = (cross_entropy(2.0, 0.0) + cross_entropy(0.0, 1.0)) / 2.0;
        let second = cross_entropy(3.0, 0.0);
        assert!((loss.double_value(&[]) - (first + 2.0 * second)).abs() < 1e-6);

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
    fn class_weights_shift_the_mean() {
        let mut totals = Totals::new(1, Device::Cpu).unwrap();
        let weights = Weights {
            tasks: vec![1.0],
            classes: vec![Some(Tensor::from_slice(&[1.0_f32, 3.0]))],
            class_values: vec![Some(vec![1.0, 3.0])],
        };
        let loss = totals.add(&[logits(&[[1.0, 0.0], [1.0, 0.0]])], &[0, 1], &weights).unwrap().unwrap();
        let expected = (cross_entropy(1.0, 0.0) + 3.0 * cross_entropy(0.0, 1.0)) / 4.0;
        assert!((loss.double_value(&[]) - expected).abs() < 1e-6);
    }

    #[test]
    fn a_batch_without_labels_has_no_loss() {
        let mut totals = Totals::new(1, Device::Cpu).unwrap();
        let weights = Weights::without_classes(vec![1.0]);
        assert!(totals.add(&[logits(&[[1.0, 0.0]])], &[NO_LABEL], &weights).unwrap().is_none());
        assert!(totals.metrics(&weights).unwrap().task_accuracy[0].is_nan());
    }
}
