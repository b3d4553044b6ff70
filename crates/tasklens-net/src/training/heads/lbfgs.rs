//! L-BFGS (Liu and Nocedal 1989) as a state machine: it asks for loss and gradient at a trial point, so that many
//! problems can share one pass over the data.

use std::collections::VecDeque;

/// Number of remembered steps.
const MEMORY: usize = 10;
/// Armijo condition: share of the decrease predicted by the gradient that a step must achieve.
const SUFFICIENT: f64 = 1e-4;
/// Maximum number of step halvings.
const HALVINGS: u32 = 12;

/// Minimises a smooth function, starting at zero.
#[derive(Clone, Debug)]
pub struct Lbfgs {
    at: Vec<f32>,
    /// Loss and gradient there; none before the first evaluation.
    known: Option<(f64, Vec<f32>)>,
    direction: Vec<f32>,
    step: f32,
    halvings: u32,
    trial: Vec<f32>,
    /// Steps, changes of the gradient, and 1 / their dot product.
    memory: VecDeque<(Vec<f32>, Vec<f32>, f64)>,
    tolerance: f64,
    finished: bool,
}

impl Lbfgs {
    /// For this many parameters; finished when a step improves the loss by less than `tolerance`.
    pub fn new(parameters: usize, tolerance: f64) -> Self {
        Self {
            at: vec![0.0; parameters],
            known: None,
            direction: Vec::new(),
            step: 0.0,
            halvings: 0,
            trial: vec![0.0; parameters],
            memory: VecDeque::new(),
            tolerance,
            finished: false,
        }
    }

    /// The trial point at which loss and gradient are needed.
    pub fn trial(&self) -> &[f32] {
        &self.trial
    }

    /// The best point so far.
    pub fn best(&self) -> &[f32] {
        &self.at
    }

    /// Whether it is finished.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Supplies loss and gradient at [`Lbfgs::trial`].
    pub fn tell(&mut self, loss: f64, gradient: Vec<f32>) {
        let Some((before, old)) = &self.known else {
            self.accept(loss, gradient);
            return;
        };
        let promised = SUFFICIENT * f64::from(self.step) * dot(old, &self.direction);
        // Also false if the loss is NaN.
        if loss <= before + promised {
            let gain = before - loss;
            let moved: Vec<f32> = self.trial.iter().zip(&self.at).map(|(a, b)| a - b).collect();
            let changed: Vec<f32> = gradient.iter().zip(old).map(|(a, b)| a - b).collect();
            let product = dot(&moved, &changed);
            if product > 1e-12 * dot(&changed, &changed) {
                self.memory.push_back((moved, changed, 1.0 / product));
                if self.memory.len() > MEMORY {
                    self.memory.pop_front();
                }
            }
            self.finished = gain < self.tolerance && self.halvings == 0 && self.memory.len() > 1;
            self.accept(loss, gradient);
        } else if self.halvings < HALVINGS {
            self.halvings += 1;
            self.step /= 2.0;
            self.propose();
        } else {
            self.finished = true;
        }
    }

    /// Accepts the trial point, and plans the next one.
    fn accept(&mut self, loss: f64, gradient: Vec<f32>) {
        self.at.clone_from(&self.trial);
        let mut direction: Vec<f32> = gradient.iter().map(|value| -value).collect();
        let mut shares = Vec::with_capacity(self.memory.len());
        for (moved, changed, inverse) in self.memory.iter().rev() {
            let share = inverse * dot(moved, &direction);
            add(&mut direction, -share, changed);
            shares.push(share);
        }
        if let Some((_, changed, inverse)) = self.memory.back() {
            let scale = 1.0 / (inverse * dot(changed, changed));
            direction.iter_mut().for_each(|value| *value *= scale as f32);
        }
        for ((moved, changed, inverse), share) in self.memory.iter().zip(shares.into_iter().rev()) {
            let correction = share - inverse * dot(changed, &direction);
            add(&mut direction, correction, moved);
        }
        let size: f64 = gradient.iter().map(|value| f64::from(value.abs())).sum();
        self.finished |= size == 0.0 || !loss.is_finite();
        self.step = if self.memory.is_empty() { (1.0 / size.max(1e-30)).min(1.0) as f32 } else { 1.0 };
        self.halvings = 0;
        self.direction = direction;
        self.known = Some((loss, gradient));
        self.propose();
    }

    fn propose(&mut self) {
        self.trial.clone_from(&self.at);
        add(&mut self.trial, f64::from(self.step), &self.direction);
    }
}

/// Several partial sums, because a single one would wait for each addition.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let ((a, rest_of_a), (b, rest_of_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest = rest_of_a.iter().zip(rest_of_b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

fn add(to: &mut [f32], times: f64, what: &[f32]) {
    let times = times as f32;
    for (to, what) in to.iter_mut().zip(what) {
        *to += times * what;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_curved_valley_is_found() {
        // Rosenbrock's function, from (0, 0): steepest descent needs thousands of steps.
        let mut search = Lbfgs::new(2, 1e-12);
        let mut asked = 0;
        while !search.is_finished() && asked < 80 {
            let (x, y) = (f64::from(search.trial()[0]), f64::from(search.trial()[1]));
            let loss = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
            let slope = [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)];
            search.tell(loss, slope.map(|value| value as f32).to_vec());
            asked += 1;
        }
        let [x, y] = search.best() else { panic!("two parameters") };
        assert!((x - 1.0).abs() < 1e-2 && (y - 1.0).abs() < 1e-2, "{x} {y} after {asked}");
    }

    #[test]
    fn a_product_has_every_number_in_it() {
        let numbers: Vec<f32> = (1..=19).map(|number| number as f32).collect();
        for (count, squares) in [(0, 0.0), (1, 1.0), (8, 204.0), (19, 2470.0)] {
            assert_eq!(dot(&numbers[..count], &numbers[..count]), squares, "{count}");
        }
    }

    #[test]
    fn a_flat_function_and_one_that_is_no_number_end_at_once() {
        let mut flat = Lbfgs::new(3, 1e-6);
        flat.tell(1.0, vec![0.0; 3]);
        assert!(flat.is_finished());
        assert_eq!(flat.best(), [0.0; 3]);
        let mut broken = Lbfgs::new(1, 1e-6);
        broken.tell(f64::NAN, vec![1.0]);
        assert!(broken.is_finished());
        assert_eq!(broken.best(), [0.0]);
    }
}
