//! Fits many multinomial logistic regressions in shared passes over the features.
//!
//! Each pass reads every feature once and serves all problems (a task without one of its folds, or with one of
//! several penalties) by one matrix product; only one chunk of the float16 features is in memory.

use tasklens_data::work::KeepGoing;
use tch::{Kind, Tensor, no_grad};

use super::inputs::Inputs;
use super::lbfgs::Lbfgs;

/// Number of rows in memory at a time.
pub const CHUNK: usize = 4096;
/// Maximum number of passes: enough to come within 0.001 of the minimal loss with thousands of features.
pub const PASSES: usize = 80;
/// A fit ends when a step lowers the mean loss by less.
const TOLERANCE: f64 = 1e-5;

/// One logistic regression: a task, without one of the folds, at one penalty.
#[derive(Clone, Copy, Debug)]
pub struct HeadFit {
    /// Index of its task.
    pub task: usize,
    /// The fold that is held out.
    pub held_out: Option<u8>,
    /// L2 penalty of a weight of 1 (for a feature with standard deviation 1), in rows: the strength of the prior.
    pub penalty: f64,
}

/// The rows that the regressions learn from.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Features `[N, D]`.
    pub features: Inputs,
    /// `[task][row]`: the label, or -1.
    pub targets: Vec<Vec<i64>>,
    /// `[task][row]`: the fold of each labelled row.
    pub folds: Vec<Vec<u8>>,
    /// Number of labels per task.
    pub labels: Vec<usize>,
}

/// A fitted head, with the way it reads features.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearHead {
    /// Weights `[labels, D]`.
    pub weights: Vec<f32>,
    /// Biases, one per label.
    pub biases: Vec<f32>,
}

/// Reports progress and checks for a cancel.
pub struct FitProgress<'a> {
    /// Rows processed so far.
    pub done: usize,
    /// Upper bound of rows to process.
    pub of: usize,
    /// Gets (done, of) and returns whether to continue.
    pub keep_going: &'a mut KeepGoing<'a>,
}

impl FitProgress<'_> {
    /// Adds processed rows; returns whether to continue.
    pub fn step(&mut self, rows: usize) -> bool {
        self.done = (self.done + rows).min(self.of);
        (self.keep_going)(self.done, self.of)
    }
}

fn chunks(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).step_by(CHUNK).map(move |from| (from, rows.min(from + CHUNK)))
}

fn numbers(tensor: &Tensor) -> anyhow::Result<Vec<f32>> {
    let tensor = tensor.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut values = vec![0.0; tensor.numel()];
    tensor.f_copy_data(&mut values, tensor.numel())?;
    Ok(values)
}

/// Mean of each feature, and 1 / standard deviation (0 for a constant feature).
#[derive(Debug)]
struct Scaling {
    mean: Tensor,
    inverse: Tensor,
}

impl Scaling {
    fn of(features: &Inputs, progress: &mut FitProgress<'_>) -> anyhow::Result<Option<Self>> {
        let dimensions = features.dimensions() as i64;
        let zeros = || Tensor::f_zeros([dimensions], (Kind::Double, tch::Device::Cpu));
        let (mut sum, mut squares) = (zeros()?, zeros()?);
        for (from, to) in chunks(features.len()) {
            let values = features.chunk(from, to)?;
            sum = sum.f_add(&values.f_sum_dim_intlist(0, false, Kind::Double)?)?;
            squares = squares.f_add(&values.f_square()?.f_sum_dim_intlist(0, false, Kind::Double)?)?;
            if !progress.step(to - from) {
                return Ok(None);
            }
        }
        let count = features.len().max(1) as f64;
        let mean = sum.f_div_scalar(count)?;
        let variance = squares.f_div_scalar(count)?.f_sub(&mean.f_square()?)?.f_clamp_min(0.0)?;
        let deviation = variance.f_sqrt()?;
        // A feature that varies by less than the resolution of float16 counts as constant.
        let varies = deviation.f_gt_tensor(&mean.f_abs()?.f_mul_scalar(1e-4)?.f_add_scalar(1e-8)?)?;
        let inverse = deviation.f_reciprocal()?.f_where_self(&varies, &zeros()?)?;
        Ok(Some(Self { mean: mean.f_to_kind(Kind::Float)?, inverse: inverse.f_to_kind(Kind::Float)? }))
    }
}

/// A problem that is being fitted.
struct Fit<'a> {
    problem: HeadFit,
    /// Target per row; -1 for rows that are not used.
    targets: &'a [i64],
    folds: &'a [u8],
    /// Log frequencies of the labels with one row added to each: the prediction without any evidence.
    prior: Vec<f32>,
    rows: f64,
    search: Lbfgs,
}

impl<'a> Fit<'a> {
    fn new(problem: HeadFit, rows: &'a Rows) -> Self {
        let (targets, folds) = (&*rows.targets[problem.task], &*rows.folds[problem.task]);
        let labels = rows.labels[problem.task];
        let mut counts = vec![1.0_f64; labels];
        let mut taking_part = 0.0;
        for (target, fold) in targets.iter().zip(folds) {
            if *target >= 0 && Some(*fold) != problem.held_out {
                counts[*target as usize] += 1.0;
                taking_part += 1.0;
            }
        }
        let total = taking_part + labels as f64;
        Self {
            problem,
            targets,
            folds,
            prior: counts.iter().map(|count| (count / total).ln() as f32).collect(),
            rows: taking_part.max(1.0),
            search: Lbfgs::new(labels * (rows.features.dimensions() + 1), TOLERANCE),
        }
    }

    fn labels(&self) -> usize {
        self.prior.len()
    }

    /// The targets of some rows, -1 for those that are not used.
    fn targets(&self, from: usize, to: usize) -> Tensor {
        let rows = self.targets[from..to].iter().zip(&self.folds[from..to]);
        let targets: Vec<i64> = rows
            .map(|(target, fold)| if Some(*fold) == self.problem.held_out { -1 } else { *target })
            .collect();
        Tensor::from_slice(&targets)
    }

    /// Converts `parameters` for standardised inputs to a head for plain inputs.
    fn linear(&self, parameters: &[f32], scaling: &Scaling) -> anyhow::Result<(Tensor, Tensor)> {
        let labels = self.labels() as i64;
        let (weights, biases) = parameters.split_at(parameters.len() - self.labels());
        let weights = Tensor::f_from_slice(weights)?.f_view([labels, -1])?.f_mul(&scaling.inverse)?;
        let biases = Tensor::f_from_slice(biases)?.f_add(&Tensor::f_from_slice(&self.prior)?)?;
        let biases = biases.f_sub(&weights.f_mv(&scaling.mean)?)?;
        Ok((weights, biases))
    }
}

/// The sums of a pass for unfinished fits.
struct FitSums {
    losses: Vec<f64>,
    /// Gradient by the weights on inputs, `[all labels, D]`.
    weights: Tensor,
    /// Gradient by the biases, `[all labels]`.
    biases: Tensor,
}

/// Fits the heads for `problems`, in their order; `None` if cancelled by `progress`.
///
/// # Errors
/// Out of memory.
pub fn fit(
    rows: &Rows,
    problems: &[HeadFit],
    progress: &mut FitProgress<'_>,
) -> anyhow::Result<Option<Vec<LinearHead>>> {
    no_grad(|| {
        let end = progress.done + (PASSES + 1) * rows.features.len();
        let Some(scaling) = Scaling::of(&rows.features, progress)? else { return Ok(None) };
        let mut fits: Vec<Fit<'_>> = problems.iter().map(|problem| Fit::new(*problem, rows)).collect();
        for _ in 0..PASSES {
            let mut open: Vec<&mut Fit<'_>> =
                fits.iter_mut().filter(|fit| !fit.search.is_finished()).collect();
            if open.is_empty() {
                break;
            }
            let Some(sums) = pass(&rows.features, &open, &scaling, progress)? else { return Ok(None) };
            tell(&mut open, &sums, &scaling)?;
        }
        progress.done = progress.done.max(end.min(progress.of));
        let heads = fits.iter().map(|fit| {
            let (weights, biases) = fit.linear(fit.search.best(), &scaling)?;
            Ok(LinearHead { weights: numbers(&weights)?, biases: numbers(&biases)? })
        });
        Ok(Some(heads.collect::<anyhow::Result<_>>()?))
    })
}

/// Losses and gradients at the trial points of the fits.
fn pass(
    features: &Inputs,
    fits: &[&mut Fit<'_>],
    scaling: &Scaling,
    progress: &mut FitProgress<'_>,
) -> anyhow::Result<Option<FitSums>> {
    let heads = fits.iter().map(|fit| fit.linear(fit.search.trial(), scaling));
    let (weights, biases): (Vec<Tensor>, Vec<Tensor>) =
        heads.collect::<anyhow::Result<Vec<_>>>()?.into_iter().unzip();
    let (weights, biases) = (Tensor::f_cat(&weights, 0)?, Tensor::f_cat(&biases, 0)?);
    let transposed = weights.f_tr()?;
    let mut sums = FitSums {
        losses: vec![0.0; fits.len()],
        weights: weights.f_zeros_like()?,
        biases: biases.f_zeros_like()?,
    };
    for (from, to) in chunks(features.len()) {
        let values = features.chunk(from, to)?;
        let logits = biases.f_addmm(&values, &transposed)?;
        let mut slopes = Vec::with_capacity(fits.len());
        let mut at = 0;
        for (fit, sum) in fits.iter().zip(&mut sums.losses) {
            let labels = fit.labels() as i64;
            let logits = logits.f_narrow(1, at, labels)?.f_log_softmax(1, Kind::Float)?;
            at += labels;
            let targets = fit.targets(from, to);
            let takes_part = targets.f_ge(0)?.f_to_kind(Kind::Float)?.f_unsqueeze(1)?;
            let targets = targets.f_clamp_min(0)?.f_unsqueeze(1)?;
            let right = logits.f_gather(1, &targets, false)?.f_mul(&takes_part)?;
            *sum -= right.f_sum(Kind::Double)?.f_double_value(&[])?;
            let minus_one = takes_part.f_neg()?;
            slopes.push(logits.f_exp()?.f_mul(&takes_part)?.f_scatter_add(1, &targets, &minus_one)?);
        }
        let slopes = Tensor::f_cat(&slopes, 1)?;
        sums.weights = sums.weights.f_addmm(&slopes.f_tr()?, &values)?;
        sums.biases = sums.biases.f_add(&slopes.f_sum_dim_intlist(0, false, Kind::Float)?)?;
        if !progress.step(to - from) {
            return Ok(None);
        }
    }
    Ok(Some(sums))
}

/// Passes the mean loss per row and its gradient, with the penalty, to each fit.
fn tell(fits: &mut [&mut Fit<'_>], sums: &FitSums, scaling: &Scaling) -> anyhow::Result<()> {
    let centred = sums.weights.f_sub(&sums.biases.f_unsqueeze(1)?.f_mul(&scaling.mean)?)?;
    let by_weights = centred.f_mul(&scaling.inverse)?;
    let mut at = 0;
    for (fit, loss) in fits.iter_mut().zip(&sums.losses) {
        let labels = fit.labels() as i64;
        let mut gradient = numbers(&by_weights.f_narrow(0, at, labels)?)?;
        gradient.extend(numbers(&sums.biases.f_narrow(0, at, labels)?)?);
        at += labels;
        let (rows, penalty) = (fit.rows, fit.problem.penalty);
        let mut squares = 0.0;
        for (slope, parameter) in gradient.iter_mut().zip(fit.search.trial()) {
            squares += f64::from(*parameter).powi(2);
            *slope = ((f64::from(*slope) + penalty * f64::from(*parameter)) / rows) as f32;
        }
        fit.search.tell((loss + 0.5 * penalty * squares) / rows, gradient);
    }
    Ok(())
}

/// Calls `each` with (first row, `[head]` probabilities `[B, labels]`), chunk by chunk; `false` if cancelled by
/// `progress`.
///
/// # Errors
/// Out of memory.
pub fn apply(
    features: &Inputs,
    heads: &[&LinearHead],
    progress: &mut FitProgress<'_>,
    each: &mut dyn FnMut(usize, &[Vec<f32>]),
) -> anyhow::Result<bool> {
    no_grad(|| {
        let dimensions = features.dimensions() as i64;
        let weights: Vec<Tensor> = heads
            .iter()
            .map(|head| Tensor::f_from_slice(&head.weights)?.f_view([-1, dimensions]))
            .collect::<Result<_, _>>()?;
        let biases: Vec<Tensor> =
            heads.iter().map(|head| Tensor::f_from_slice(&head.biases)).collect::<Result<_, _>>()?;
        if features.is_empty() || heads.is_empty() {
            return Ok(true);
        }
        let (weights, biases) = (Tensor::f_cat(&weights, 0)?.f_tr()?, Tensor::f_cat(&biases, 0)?);
        for (from, to) in chunks(features.len()) {
            let logits = biases.f_addmm(&features.chunk(from, to)?, &weights)?;
            let mut at = 0;
            let mut all = Vec::with_capacity(heads.len());
            for head in heads {
                let labels = head.biases.len() as i64;
                all.push(numbers(&logits.f_narrow(1, at, labels)?.f_softmax(1, Kind::Float)?)?);
                at += labels;
            }
            each(from, &all);
            if !progress.step(to - from) {
                return Ok(false);
            }
        }
        Ok(true)
    })
}
