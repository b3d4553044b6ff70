//! How the gradient on the shared features divides among the tasks: a task with a small share has little say in what
//! the backbone learns. GradNorm (Chen et al. 2018) steers by these norms; here they are only reported.

use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::within::{self, Shared};

/// One batch in so many is measured, the first included.
const EVERY: usize = 10;

/// The shares over the batches of an epoch, kept on the device until they are read.
pub struct GradientShares {
    /// `[tasks]`: sum of the shares in the measured batches.
    sum: Tensor,
    /// Number of batches so far, measured or not.
    batches: usize,
}

impl GradientShares {
    /// Before the first batch.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn new(tasks: usize, device: Device) -> Result<Self, TchError> {
        Ok(Self { sum: Tensor::f_zeros([tasks as i64], (Kind::Float, device))?, batches: 0 })
    }

    /// As it was when [`Self::numbers`] were taken.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn of(numbers: &Shared, device: Device) -> Result<Self, TchError> {
        let sum = within::tensor_of(&numbers.sum, Kind::Float, device)?;
        Ok(Self { sum, batches: numbers.batches })
    }

    /// The sums so far. Waits for the device.
    ///
    /// # Errors
    /// The device failed.
    pub fn numbers(&self) -> Result<Shared, TchError> {
        Ok(Shared { sum: within::numbers_of(&self.sum)?, batches: self.batches })
    }

    /// Counts a batch and measures it if it is its turn: per task the norm of the derivative of its part of `loss`, as
    /// weighted for training, by the features `[N, features]`, divided by the sum of these norms. Call it before the
    /// optimizer's step.
    ///
    /// With `logits = features * head^T + bias` the derivative by the features is that by the logits, `[N, labels]`,
    /// times `head`, `[labels, features]`. Only the loss itself is differentiated for it, no layer. One task alone has
    /// nothing to share.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn follow<'a>(
        &mut self,
        loss: &Tensor,
        logits: &[Tensor],
        heads: impl Iterator<Item = &'a Tensor>,
    ) -> Result<(), TchError> {
        self.batches += 1;
        if logits.len() < 2 || self.batches % EVERY != 1 {
            return Ok(());
        }
        let gradients = Tensor::f_run_backward(&[loss], logits, true, false)?;
        no_grad(|| {
            let norm = |(gradient, head): (&Tensor, &Tensor)| {
                // A task without a label in the batch has no part in the loss.
                let is_labelled = gradient.defined();
                if is_labelled {
                    gradient.f_matmul(head)?.f_norm()
                } else {
                    self.sum.f_get(0)?.f_zeros_like()
                }
            };
            let norms: Vec<Tensor> = gradients.iter().zip(heads).map(norm).collect::<Result<_, _>>()?;
            let norms = Tensor::f_stack(&norms, 0)?;
            // Where all are 0, so is each share.
            let all = norms.f_sum(Kind::Float)?.f_clamp_min(f64::from(f32::MIN_POSITIVE))?;
            let _ = self.sum.f_add_(&norms.f_div(&all)?)?;
            Ok(())
        })
    }

    /// Mean share per task, 0 to 1 with sum 1; empty if nothing was measured. Waits for the device.
    ///
    /// # Errors
    /// The device failed.
    pub fn mean(&self) -> Result<Vec<f64>, TchError> {
        let shares = within::numbers_of(&self.sum)?;
        let all: f64 = shares.iter().sum();
        let is_measured = all.is_finite() && all > 0.0;
        Ok(if is_measured { shares.iter().map(|share| share / all).collect() } else { Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::balance::TaskBalance;
    use super::super::metrics::{Totals, Weights};
    use super::*;
    use crate::inference::samples::NO_LABEL;

    fn noise(shape: &[i64], from: i64) -> Tensor {
        let values: Vec<f32> = (from..from + shape.iter().product::<i64>())
            .map(|i| (i * 7919 % 251) as f32 / 125.0 - 1.0)
            .collect();
        Tensor::from_slice(&values).view(shape)
    }

    /// Six rows with five features, and heads for tasks of 2, 3 and 4 labels.
    struct Batch {
        features: Tensor,
        heads: Vec<Tensor>,
    }

    impl Batch {
        fn new() -> Self {
            let head = |labels: i64| noise(&[labels, 5], 31 * labels).set_requires_grad(true);
            Self { features: noise(&[6, 5], 0).set_requires_grad(true), heads: [2, 3, 4].map(head).into() }
        }

        fn logits(&self) -> Vec<Tensor> {
            self.heads.iter().map(|head| self.features.linear::<Tensor>(head, None)).collect()
        }

        fn loss(&self, logits: &[Tensor], labels: &[i64], weights: &Weights) -> Tensor {
            let mut totals = Totals::new(3, Device::Cpu).unwrap();
            totals.add(logits, labels, weights).unwrap().unwrap()
        }

        fn shares(&self, labels: &[i64], weights: &Weights) -> Vec<f64> {
            let logits = self.logits();
            let mut shares = GradientShares::new(3, Device::Cpu).unwrap();
            shares.follow(&self.loss(&logits, labels, weights), &logits, self.heads.iter()).unwrap();
            shares.mean().unwrap()
        }
    }

    /// All that a config can weigh by.
    fn weights() -> Weights {
        let mut weights = Weights::without_classes(vec![1.0, 0.5, 2.0]);
        weights.classes[1] = Some(Tensor::from_slice(&[0.5_f32, 1.0, 2.0]));
        weights.smoothing = 0.1;
        weights.labelled = vec![1.0, 0.7, 0.5];
        let config = "{paths: {model_dataframe: a.csv}, model: {task_balancing: uncertainty, \
                      target_encoder: {a: [x, y], b: [x, y], c: [x, y]}}}";
        let config =
            tasklens_data::config::Config::parse(config, std::path::Path::new("/config.yml")).unwrap();
        weights.balance = TaskBalance::of(&config.model, Device::Cpu).unwrap();
        no_grad(|| {
            let variances = weights.balance.as_ref().unwrap().parameter().1;
            variances.shallow_clone().copy_(&Tensor::from_slice(&[0.3_f32, -0.4, 0.9]));
        });
        weights
    }

    const N: i64 = NO_LABEL;
    const LABELS: [i64; 18] = [0, 1, 1, 0, 0, 1, /**/ 2, N, 1, 0, N, 2, /**/ N, 3, N, 0, 1, N];

    #[test]
    fn shares_are_those_that_a_derivative_of_each_tasks_loss_has() {
        let (batch, weights) = (Batch::new(), weights());
        let norm = |task: usize| {
            // The labels of this task alone; the penalty of the balance does not depend on the features.
            let own = |(at, label): (usize, &i64)| if at / 6 == task { *label } else { N };
            let labels: Vec<i64> = LABELS.iter().enumerate().map(own).collect();
            let loss = batch.loss(&batch.logits(), &labels, &weights);
            let gradient = Tensor::run_backward(&[&loss], &[&batch.features], false, false).remove(0);
            gradient.norm().double_value(&[])
        };
        let norms = [0, 1, 2].map(norm);
        let expected = norms.map(|norm| norm / norms.iter().sum::<f64>());
        let shares = batch.shares(&LABELS, &weights);
        assert!(
            shares.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
            "{shares:?} and {expected:?}"
        );
    }

    #[test]
    fn a_task_without_labels_in_a_batch_has_no_share_in_it() {
        let mut labels = LABELS;
        labels[6..12].fill(N);
        let shares = Batch::new().shares(&labels, &weights());
        assert_eq!(shares[1], 0.0);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_first_and_every_tenth_batch_after_it_count() {
        let (batch, weights) = (Batch::new(), weights());
        let mut mean = GradientShares::new(3, Device::Cpu).unwrap();
        let mut labels = LABELS;
        let first = batch.shares(&labels, &weights);
        labels[..6].fill(N);
        let other = batch.shares(&labels, &weights);
        for number in 0..20 {
            let labels = if number == 10 { &labels } else { &LABELS };
            let logits = batch.logits();
            mean.follow(&batch.loss(&logits, labels, &weights), &logits, batch.heads.iter()).unwrap();
        }
        for ((mean, a), b) in mean.mean().unwrap().iter().zip(first).zip(other) {
            assert!((mean - (a + b) / 2.0).abs() < 1e-6);
        }
    }

    #[test]
    fn one_task_has_nothing_to_share() {
        let logits = noise(&[2, 2], 0).set_requires_grad(true);
        let mut shares = GradientShares::new(1, Device::Cpu).unwrap();
        let head = noise(&[2, 5], 0);
        shares.follow(&logits.sum(Kind::Float), &[logits], std::iter::once(&head)).unwrap();
        assert!(shares.mean().unwrap().is_empty());
    }
}
