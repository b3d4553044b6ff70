//! Learnt weights of the tasks (`task_balancing: uncertainty`): homoscedastic uncertainty after Kendall, Gal and Cipolla
//! 2018, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics".
//!
//! Their form for classification is `loss / sigma^2 + ln sigma` per task. With the log variance `s = ln sigma^2` as the
//! parameter, which cannot become negative or divide by zero, it is `loss * exp(-s) + s / 2`. Both terms are multiplied
//! by the task's `task_weights`: if only the first were, `s` would learn to undo that weight.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use tasklens_data::config::{ModelConfig, TaskBalancing};
use tch::{Device, Kind, TchError, Tensor, no_grad};

/// The name of the log variances in `last.safetensors`.
pub const LOG_VARIANCES: &str = "balance.log_variances";

/// A log variance per task, trained with the network.
pub struct TaskBalance {
    /// `[tasks]` in float32 on the network's device.
    log_variances: Tensor,
}

impl TaskBalance {
    /// For a new run: log variances 0, with which each task counts as without balancing. `None` if the weights of the
    /// tasks are fixed.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn of(model: &ModelConfig, device: Device) -> Result<Option<Self>, TchError> {
        if model.task_balancing == TaskBalancing::Fixed {
            return Ok(None);
        }
        let zeros = Tensor::f_zeros([model.tasks.len() as i64], (Kind::Float, device))?;
        Ok(Some(Self { log_variances: zeros.f_set_requires_grad(true)? }))
    }

    /// The same log variances: training either trains both.
    pub fn share(&self) -> Self {
        Self { log_variances: self.log_variances.shallow_clone() }
    }

    /// Name and tensor, for the optimizer and the checkpoint. It has one dimension, so weight decay spares it.
    pub fn parameter(&self) -> (String, Tensor) {
        (LOG_VARIANCES.to_owned(), self.log_variances.shallow_clone())
    }

    /// Takes the log variances of a checkpoint.
    ///
    /// # Errors
    /// They are missing, are not one finite number per task, or the device failed.
    pub fn restore(&self, tensors: &HashMap<String, Tensor>) -> anyhow::Result<()> {
        let from = tensors
            .get(LOG_VARIANCES)
            .with_context(|| format!("its log variances of the tasks, `{LOG_VARIANCES}`, are missing"))?;
        ensure!(
            from.size() == self.log_variances.size() && from.f_isfinite()?.f_all()?.f_int64_value(&[])? == 1,
            "its log variances of the tasks, `{LOG_VARIANCES}`, are not a number for each"
        );
        Ok(no_grad(|| self.log_variances.shallow_clone().f_copy_(from))?)
    }

    /// `exp(-s)` of a task, a scalar.
    ///
    /// # Errors
    /// The device failed.
    pub fn factor(&self, task: usize) -> Result<Tensor, TchError> {
        self.log_variances.f_get(task as i64)?.f_neg()?.f_exp()
    }

    /// The sum of `weight * s / 2` over the tasks: what keeps the factors from becoming zero.
    ///
    /// # Errors
    /// The device failed.
    pub fn penalty(&self, weights: &[f64]) -> Result<Tensor, TchError> {
        let halves: Vec<f32> = weights.iter().map(|weight| *weight as f32 / 2.0).collect();
        let halves = Tensor::f_from_slice(&halves)?.f_to_device(self.log_variances.device())?;
        self.log_variances.f_dot(&halves)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tasklens_data::config::Config;

    use super::super::metrics::{Totals, Weights};
    use super::*;
    use crate::inference::samples::NO_LABEL;

    /// Two tasks of two labels: the second weighs three times as much, and half of the rows have a label for it.
    fn weights(log_variances: [f32; 2]) -> Weights {
        let log_variances = Tensor::from_slice(&log_variances).set_requires_grad(true);
        let mut weights = Weights::without_classes(vec![1.0, 3.0]);
        weights.labelled[1] = 0.5;
        weights.balance = Some(TaskBalance { log_variances });
        weights
    }

    /// The loss of one batch, its derivatives by the log variances, and the reported loss.
    fn learnt(weights: &Weights, labels: &[i64]) -> (f64, Vec<f64>, f64) {
        let mut totals = Totals::new(2, Device::Cpu).unwrap();
        let logits = Tensor::from_slice(&[2_f32, 0.0, 0.0, 1.0]).view([2, 2]);
        let loss = totals.add(&[logits.copy(), logits], labels, weights).unwrap().unwrap();
        let variances = weights.balance.as_ref().unwrap().parameter().1;
        let gradient = Tensor::run_backward(&[&loss], &[variances], false, false).remove(0);
        let gradient = Vec::<f64>::try_from(gradient.to_kind(Kind::Double)).unwrap();
        (loss.double_value(&[]), gradient, totals.metrics(weights).unwrap().loss)
    }

    fn cross_entropy(right: f64, wrong: f64) -> f64 {
        (1.0 + (wrong - right).exp()).ln()
    }

    fn is_near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn a_loss_is_divided_by_the_variance_and_half_the_log_variance_is_added() {
        let weights = weights([0.4, -0.6]);
        let (loss, gradient, reported) = learnt(&weights, &[0, 1, 0, NO_LABEL]);
        // The second task has a label in one of the two rows, as on average.
        let first = (cross_entropy(2.0, 0.0) + cross_entropy(1.0, 0.0)) / 2.0;
        let second = cross_entropy(2.0, 0.0);
        let term = |loss: f64, s: f64| loss * (-s).exp() + s / 2.0;
        assert!(is_near(loss, term(first, 0.4) + 3.0 * term(second, -0.6)), "{loss}");
        let slope = |loss: f64, s: f64| 0.5 - loss * (-s).exp();
        let expected = [slope(first, 0.4), 3.0 * slope(second, -0.6)];
        assert!(gradient.iter().zip(expected).all(|(a, b)| is_near(*a, b)), "{gradient:?} and {expected:?}");
        assert!(is_near(reported, first + 3.0 * second), "the plain sum is reported: {reported}");
    }

    #[test]
    fn a_new_balance_weighs_as_none_does() {
        let config = "{paths: {model_dataframe: a.csv}, model: {task_balancing: uncertainty, \
                      target_encoder: {a: [x, y], b: [x, y]}}}";
        let config = Config::parse(config, Path::new("/config.yml")).unwrap();
        let balance = TaskBalance::of(&config.model, Device::Cpu).unwrap();
        let (balanced, _, reported) =
            learnt(&Weights { balance, ..weights([0.0, 0.0]) }, &[0, 1, 0, NO_LABEL]);
        assert!(is_near(balanced, reported));
    }

    #[test]
    fn a_batch_without_labels_of_a_task_still_holds_its_variance() {
        // Otherwise the few batches with a label would decide alone, as if all had one.
        let (_, gradient, _) = learnt(&weights([0.4, -0.6]), &[0, 1, NO_LABEL, NO_LABEL]);
        assert!(is_near(gradient[1], 1.5), "{gradient:?}");
        let mut never = weights([0.4, -0.6]);
        never.labelled[1] = 0.0;
        let (_, gradient, _) = learnt(&never, &[0, 1, NO_LABEL, NO_LABEL]);
        assert_eq!(gradient[1], 0.0, "nothing would stop it");
    }

    #[test]
    fn log_variances_that_are_no_numbers_are_refused() {
        let balance = weights([0.0, 0.0]).balance.unwrap();
        let told = |tensors: HashMap<String, Tensor>| balance.restore(&tensors).unwrap_err().to_string();
        assert!(told(HashMap::new()).contains("`balance.log_variances`, are missing"));
        let named = |values: &[f32]| HashMap::from([(LOG_VARIANCES.to_owned(), Tensor::from_slice(values))]);
        assert!(told(named(&[0.0, f32::NAN])).contains("are not a number for each"));
        assert!(told(named(&[0.5])).contains("are not a number for each"));
        balance.restore(&named(&[0.5, -0.25])).unwrap();
        assert_eq!(Vec::<f32>::try_from(balance.parameter().1).unwrap(), [0.5, -0.25]);
    }
}
