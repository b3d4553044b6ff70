//! Adam as in Keras: Kingma and Ba 2015, the variant at the end of their section 2, which adds epsilon before the
//! bias correction of the variance. With decoupled weight decay it is AdamW. Its state can be saved and restored.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use tasklens_torch::adam::{self, Parameter, Step};
use tasklens_torch::is_faster;
use tch::{Device, Tensor, no_grad};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
/// Keras' default. In the first steps it damps small gradients more than PyTorch's 1e-8, which is added after the
/// correction.
const EPSILON: f64 = 1e-7;

/// Prefixes of parameter names in [`Adam::state`].
pub const PREFIXES: [&str; 2] = ["adam.exp_avg.", "adam.exp_avg_sq."];

/// A trained tensor with its two moments.
struct Slot {
    name: String,
    parameter: Tensor,
    /// Its learning rate relative to that of the step.
    share: f64,
    /// Weight decay, as a share of the learning rate.
    decay: f64,
    mean: Tensor,
    variance: Tensor,
}

impl Slot {
    /// Whether it can be changed together with others.
    fn can_fuse(&self) -> bool {
        [&self.parameter, &self.mean, &self.variance].into_iter().all(adam::can)
    }
}

/// The optimizer of a run.
pub struct Adam {
    slots: Vec<Slot>,
    steps: u64,
    fuse: bool,
}

impl Adam {
    /// For named parameters, with zero moments.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn new(parameters: Vec<(String, Tensor)>) -> anyhow::Result<Self> {
        let is_on_gpu = parameters.iter().any(|(_, parameter)| parameter.device().is_cuda());
        let slots = parameters
            .into_iter()
            .map(|(name, parameter)| {
                let mean = parameter.f_detach()?.f_zeros_like()?;
                let variance = mean.f_zeros_like()?;
                Ok(Slot { name, parameter, share: 1.0, decay: 0.0, mean, variance })
            })
            .collect::<Result<_, tch::TchError>>()?;
        Ok(Self { slots, steps: 0, fuse: is_faster() || is_on_gpu })
    }

    /// With decoupled weight decay (Loshchilov and Hutter 2019): each step first reduces the weights by the learning
    /// rate times `decay`. Biases and the parameters of batch normalisation (everything with one dimension) do not
    /// decay.
    pub fn with_decay(mut self, decay: f64) -> Self {
        for slot in &mut self.slots {
            slot.decay = if slot.parameter.dim() > 1 { decay } else { 0.0 };
        }
        self
    }

    /// Parameter by parameter with operations of libtorch, even where all can be changed at once: the same up to rounding,
    /// in more time.
    pub fn unfused(mut self) -> Self {
        self.fuse = false;
        self
    }

    /// With different learning rates by name: `share` of that of the step.
    pub fn with_shares(mut self, share: impl Fn(&str) -> f64) -> Self {
        for slot in &mut self.slots {
            slot.share = share(&slot.name);
        }
        self
    }

    /// Computes the gradients of `loss`, then makes one step.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn step(&mut self, loss: &Tensor, learning_rate: f64) -> anyhow::Result<()> {
        let gradients = self.gradients(loss)?;
        self.apply(&gradients, learning_rate)
    }

    /// Where its parameters are.
    pub fn device(&self) -> Device {
        self.slots.first().map_or(Device::Cpu, |slot| slot.parameter.device())
    }

    /// The shapes of its parameters.
    pub fn shapes(&self) -> Vec<Vec<i64>> {
        self.slots.iter().map(|slot| slot.parameter.size()).collect()
    }

    /// The gradients of `loss` by its parameters; one that the loss does not depend on has none that is defined.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn gradients(&self, loss: &Tensor) -> Result<Vec<Tensor>, tch::TchError> {
        let parameters: Vec<&Tensor> = self.slots.iter().map(|slot| &slot.parameter).collect();
        Tensor::f_run_backward(&[loss], &parameters, false, false)
    }

    /// Makes one step with gradients from [`Self::gradients`].
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn apply(&mut self, gradients: &[Tensor], learning_rate: f64) -> anyhow::Result<()> {
        self.steps += 1;
        let steps = self.steps as f64;
        let correction1 = 1.0 - BETA1.powf(steps);
        let correction = (1.0 - BETA2.powf(steps)).sqrt() / correction1;
        if self.fuse && self.slots.iter().all(Slot::can_fuse) {
            let parameters: Vec<Parameter<'_>> = self
                .slots
                .iter()
                .zip(gradients)
                // The head of a task without labels in the batch has no gradient.
                .filter(|(_, gradient)| gradient.defined())
                .map(|(slot, gradient)| Parameter {
                    gradient,
                    weight: &slot.parameter,
                    mean: &slot.mean,
                    square: &slot.variance,
                    rate: learning_rate * slot.share * correction,
                    keep: 1.0 - learning_rate * slot.share * slot.decay,
                })
                .collect();
            return Ok(Step { beta1: BETA1, beta2: BETA2, epsilon: EPSILON }.apply(&parameters)?);
        }
        no_grad(|| {
            for (slot, gradient) in self.slots.iter_mut().zip(gradients) {
                if !gradient.defined() {
                    continue;
                }
                let rate = learning_rate * slot.share;
                if slot.decay > 0.0 {
                    let _ = slot.parameter.f_mul_scalar_(1.0 - rate * slot.decay)?;
                }
                let _ = slot.mean.f_lerp_(gradient, 1.0 - BETA1)?;
                let _ = slot.variance.f_mul_scalar_(BETA2)?;
                let _ = slot.variance.f_addcmul_(gradient, &(gradient * (1.0 - BETA2)))?;
                let deviation = slot.variance.f_sqrt()?.f_add_scalar_(EPSILON)?;
                let update = slot.mean.f_div(&deviation)?.f_mul_scalar_(-(rate * correction))?;
                let _ = slot.parameter.f_add_(&update)?;
            }
            Ok(())
        })
    }

    /// Goes on as after so many steps.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// Number of steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The moments by name, for a checkpoint.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let slots = self.slots.iter();
        slots
            .flat_map(|slot| {
                [
                    (mean_name(&slot.name), slot.mean.shallow_clone()),
                    (variance_name(&slot.name), slot.variance.shallow_clone()),
                ]
            })
            .collect()
    }

    /// Restores a state from [`Adam::state`].
    ///
    /// # Errors
    /// A moment is missing or has another shape.
    pub fn restore(&mut self, state: &HashMap<String, Tensor>, steps: u64) -> anyhow::Result<()> {
        let take = |name: String, to: &mut Tensor| {
            let from =
                state.get(&name).with_context(|| format!("the optimizer's tensor `{name}` is missing"))?;
            ensure!(from.size() == to.size(), "the optimizer's tensor `{name}` has another shape");
            to.f_copy_(from)?;
            anyhow::Ok(())
        };
        no_grad(|| {
            for slot in &mut self.slots {
                take(mean_name(&slot.name), &mut slot.mean)?;
                take(variance_name(&slot.name), &mut slot.variance)?;
            }
            self.steps = steps;
            Ok(())
        })
    }
}

fn mean_name(parameter: &str) -> String {
    format!("{}{parameter}", PREFIXES[0])
}

fn variance_name(parameter: &str) -> String {
    format!("{}{parameter}", PREFIXES[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    /// The published update rule in plain numbers.
    fn reference(start: f64, gradients: &[f64], rate: f64) -> f64 {
        let (mut x, mut m, mut v) = (start, 0.0, 0.0);
        for (i, g) in gradients.iter().enumerate() {
            m = BETA1 * m + (1.0 - BETA1) * g;
            v = BETA2 * v + (1.0 - BETA2) * g * g;
            let t = i as i32 + 1;
            x -= rate * (1.0 - BETA2.powi(t)).sqrt() / (1.0 - BETA1.powi(t)) * m / (v.sqrt() + EPSILON);
        }
        x
    }

    #[test]
    fn steps_follow_the_published_rule() {
        let x = Tensor::from_slice(&[3.0_f32]).set_requires_grad(true);
        let mut adam = Adam::new(vec![("x".to_owned(), x.shallow_clone())]).unwrap();
        let gradients = [2.0, -1.0, 0.5];
        for g in gradients {
            adam.step(&(&x * g).sum(Kind::Float), 0.1).unwrap();
        }
        assert!((x.double_value(&[0]) - reference(3.0, &gradients, 0.1)).abs() < 1e-5);
    }

    #[test]
    fn a_gradient_as_small_as_epsilon_moves_less_as_in_keras() {
        let x = Tensor::from_slice(&[0.0_f32]).set_requires_grad(true);
        let mut adam = Adam::new(vec![("x".to_owned(), x.shallow_clone())]).unwrap();
        adam.step(&(&x * 1e-6).sum(Kind::Float), 1.0).unwrap();
        // tf.keras.optimizers.Adam(1.0) gives 0.2403; added after the correction, epsilon would leave 0.909.
        assert!((x.double_value(&[0]) + 0.2403).abs() < 1e-3, "{}", x.double_value(&[0]));
    }

    #[test]
    fn weights_decay_by_the_rate_and_biases_and_normalisations_do_not() {
        let make =
            |shape: &[i64]| Tensor::full(shape, 3.0, (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let (weight, bias) = (make(&[1, 1]), make(&[1]));
        let parameters =
            vec![("w".to_owned(), weight.shallow_clone()), ("b".to_owned(), bias.shallow_clone())];
        let mut adam = Adam::new(parameters).unwrap().with_decay(0.5);
        let gradients = [2.0, -1.0, 0.5];
        for g in gradients {
            adam.step(&((&weight * g).sum(Kind::Float) + (&bias * g).sum(Kind::Float)), 0.1).unwrap();
        }
        // torch.optim.AdamW's rule in plain numbers: first the decay of what was there, then Adam's step.
        let (mut x, mut before) = (3.0, 0.0);
        for steps in 1..=gradients.len() {
            let moved = reference(0.0, &gradients[..steps], 0.1);
            x = x * (1.0 - 0.1 * 0.5) + moved - before;
            before = moved;
        }
        assert!((weight.double_value(&[0, 0]) - x).abs() < 1e-5, "{weight} and {x}");
        assert!((bias.double_value(&[0]) - reference(3.0, &gradients, 0.1)).abs() < 1e-5);
    }

    #[test]
    fn a_share_of_the_rate_is_all_that_differs() {
        let make = || Tensor::from_slice(&[3.0_f32]).set_requires_grad(true);
        let (x, y) = (make(), make());
        let parameters = vec![("heads.x".to_owned(), x.shallow_clone()), ("y".to_owned(), y.shallow_clone())];
        let mut adam =
            Adam::new(parameters).unwrap().with_shares(|name| if name == "y" { 0.25 } else { 1.0 });
        for g in [2.0, -1.0] {
            adam.step(&(&x * g + &y * g).sum(Kind::Float), 0.1).unwrap();
        }
        assert!((x.double_value(&[0]) - reference(3.0, &[2.0, -1.0], 0.1)).abs() < 1e-5);
        assert!((y.double_value(&[0]) - reference(3.0, &[2.0, -1.0], 0.025)).abs() < 1e-5);
    }

    #[test]
    fn a_parameter_that_took_no_part_stays_as_it_was() {
        let make = || Tensor::from_slice(&[1.0_f32]).set_requires_grad(true);
        let (x, y) = (make(), make());
        let parameters = vec![("x".to_owned(), x.shallow_clone()), ("y".to_owned(), y.shallow_clone())];
        let mut adam = Adam::new(parameters).unwrap();
        adam.step(&(&x * 2.0).sum(Kind::Float), 0.1).unwrap();
        assert!(x.double_value(&[0]) < 1.0);
        assert_eq!(y.double_value(&[0]), 1.0);
    }

    #[test]
    fn a_restored_optimizer_takes_the_same_step() {
        let make = || {
            let x = Tensor::from_slice(&[1.0_f32, -2.0]).set_requires_grad(true);
            (Adam::new(vec![("x".to_owned(), x.shallow_clone())]).unwrap(), x)
        };
        let step = |adam: &mut Adam, x: &Tensor| adam.step(&(x * x).sum(Kind::Float), 0.1).unwrap();
        let (mut adam, x) = make();
        step(&mut adam, &x);
        let (mut again, y) = make();
        no_grad(|| y.shallow_clone().copy_(&x));
        again.restore(&adam.state().into_iter().map(|(n, t)| (n, t.copy())).collect(), adam.steps()).unwrap();
        step(&mut adam, &x);
        step(&mut again, &y);
        assert!(x.equal(&y));
        assert_eq!(x.device(), Device::Cpu);
    }
}
