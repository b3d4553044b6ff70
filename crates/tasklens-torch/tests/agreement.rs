//! What the C++ computes, against libtorch's own operations in float64.

#![expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "tests print")]

use std::ffi::CStr;
use std::sync::{Mutex, MutexGuard};

use tasklens_torch::adam::{self, Parameter, Step};
use tasklens_torch::depthwise;
use tasklens_torch::normalisation::{Activation, Normalisation};
use tasklens_torch::{pooling, use_instructions};
use tch::{Device, Kind, Tensor, no_grad};

const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;
/// Rounding of float32, and of bfloat16 once or twice.
const FLOAT: f64 = 2e-6;
const BFLOAT16: f64 = 4e-3;
const SHAPES: [[i64; 4]; 6] =
    [[16, 72, 14, 14], [2, 3, 5, 7], [1, 37, 9, 3], [3, 64, 33, 31], [9, 45, 1, 3], [2, 130, 2, 2]];

/// Instructions, threads and libtorch's random numbers are those of the whole process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[test]
fn every_set_of_instructions_agrees_with_libtorch() {
    let _turn = alone();
    let sets: [&CStr; 3] = [c"kBaseline", c"kAvx2", c"kAvx512"];
    let had: Vec<&&CStr> = sets.iter().filter(|name| use_instructions(name)).collect();
    assert!(had.contains(&&c"kBaseline"));
    println!("measured {had:?}");
    for name in had {
        assert!(use_instructions(name));
        for kind in [Kind::Float, Kind::BFloat16] {
            for shape in SHAPES {
                check_normalisation(shape, kind);
            }
            check_depthwise(kind);
            check_pooling(kind);
        }
        check_adam();
    }
}

fn noise(shape: &[i64], kind: Kind, seed: i64) -> Tensor {
    tch::manual_seed(seed);
    let values = Tensor::randn(shape, (Kind::Float, Device::Cpu)).to_kind(kind);
    if shape.len() == 4 && shape[1] > 1 { channels_last(&values) } else { values }
}

fn channels_last(maps: &Tensor) -> Tensor {
    maps.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}

fn error(ours: &Tensor, exact: &Tensor) -> f64 {
    assert_eq!(ours.size(), exact.size());
    let difference = (ours.to_kind(Kind::Double) - exact).norm().double_value(&[]);
    difference / exact.norm().double_value(&[]).max(1e-12)
}

fn leaf(tensor: &Tensor, kind: Kind) -> Tensor {
    tensor.detach().to_kind(kind).copy().set_requires_grad(true)
}

/// Results, gradients and running statistics, of ours or in float64.
fn normalise(
    [x, beside, weight, bias]: [&Tensor; 4],
    (activation, adds, both): (Activation, bool, bool),
    [grad, grad_sum]: [&Tensor; 2],
    exact: bool,
) -> Vec<Tensor> {
    let kind = |other: Kind| if exact { Kind::Double } else { other };
    let [x, beside] = [x, beside].map(|maps| leaf(maps, kind(maps.kind())));
    let [weight, bias] = [weight, bias].map(|values| leaf(values, kind(Kind::Float)));
    let channels = weight.size()[0];
    let mean = Tensor::full([channels], 0.5, (kind(Kind::Float), Device::Cpu));
    let var = mean.ones_like();
    let (y, sum) = if exact {
        let args = (Some(&weight), Some(&bias), Some(&mean), Some(&var));
        let y = x.batch_norm(args.0, args.1, args.2, args.3, true, MOMENTUM, EPSILON, false);
        let sum = if adds { y + &beside } else { y };
        let y = match activation {
            Activation::None => sum.shallow_clone(),
            Activation::Relu => sum.relu(),
            Activation::Relu6 => sum.relu6(),
        };
        (y, sum)
    } else {
        let fused = Normalisation {
            weight: &weight,
            bias: &bias,
            running_mean: &mean,
            running_var: &var,
            momentum: MOMENTUM,
            epsilon: EPSILON,
        };
        assert!(fused.can(&x));
        let beside = adds.then_some(&beside);
        if both {
            let (sum, y) = fused.with_relu(&x, beside).unwrap();
            (y, sum)
        } else {
            let y = fused.apply(&x, beside, activation).unwrap();
            assert_eq!((y.kind(), y.stride()), (x.kind(), x.stride()));
            (y.shallow_clone(), y)
        }
    };
    let mut loss = (&y * grad.to_kind(y.kind())).sum(Kind::Double);
    if both {
        loss += (&sum * grad_sum.to_kind(y.kind())).sum(Kind::Double);
    }
    loss.backward();
    let mut all = vec![y.detach(), x.grad(), weight.grad(), bias.grad(), mean, var];
    if both {
        all.push(sum.detach());
    }
    if adds {
        all.push(beside.grad());
    }
    all
}

fn check_normalisation(shape: [i64; 4], kind: Kind) {
    use Activation::{None, Relu, Relu6};
    let x = channels_last(&(noise(&shape, Kind::Float, 1) * 2.0 + 3.0).to_kind(kind));
    let beside = noise(&shape, kind, 2);
    let channels = [shape[1]];
    let weight = noise(&channels, Kind::Float, 3).abs() + 0.5;
    let bias = noise(&channels, Kind::Float, 4);
    let grads = [noise(&shape, kind, 5), noise(&shape, kind, 6)];
    for case in [
        (None, false, false),
        (Relu, false, false),
        (Relu6, false, false),
        (None, true, false),
        (Relu, true, false),
        (Relu6, true, false),
        (Relu, true, true),
        (Relu, false, true),
    ] {
        let run = |exact| normalise([&x, &beside, &weight, &bias], case, [&grads[0], &grads[1]], exact);
        for (i, (ours, exact)) in run(false).iter().zip(run(true)).enumerate() {
            // Where a few sums of rounded gradients meet, their rounding does not cancel out.
            let most = match (kind, case) {
                (Kind::Float, _) => FLOAT,
                // Sums just below 6 are rounded to 6, where the gradient ends.
                (_, (Relu6, true, _)) => 8.0 * BFLOAT16,
                _ => 2.0 * BFLOAT16,
            };
            let error = error(ours, &exact);
            assert!(error < most, "{case:?} of {shape:?} in {kind:?}: result {i} is {error:e} off");
        }
    }
}

fn check_depthwise(kind: Kind) {
    // The last one is more than a band of rows, and more than a block of channels.
    for shape in [[2, 45, 9, 7], [1, 37, 3, 3], [9, 33, 14, 15], [3, 64, 6, 5], [1, 150, 47, 41]] {
        for (kernel, stride, pads) in [
            (3, 1, [1, 1, 1, 1]),
            (3, 2, [0, 0, 1, 1]),
            (5, 1, [2, 2, 2, 2]),
            (5, 2, [1, 2, 2, 1]),
            (3, 1, [1, 0, 2, 1]),
        ] {
            let channels = shape[1];
            let x = noise(&shape, kind, 1);
            // In bfloat16 already, so that rounding them does not count.
            let weight = Tensor::randn([channels, 1, kernel, kernel], (Kind::BFloat16, Device::Cpu));
            let (ours_x, ours_weight) = (leaf(&x, kind), leaf(&weight, Kind::Float));
            assert!(depthwise::can(&ours_x, &ours_weight));
            let ours = depthwise::convolve(&ours_x, &ours_weight, stride, pads).unwrap();
            let grad = noise(&ours.size(), kind, 2);
            ours.backward_with(&grad);
            let (exact_x, exact_weight) = (leaf(&x, Kind::Double), leaf(&weight, Kind::Double));
            let [top, left, bottom, right] = pads;
            let padded = exact_x.constant_pad_nd([left, right, top, bottom]);
            let exact =
                padded.conv2d(&exact_weight, None::<&Tensor>, [stride, stride], [0, 0], [1, 1], channels);
            exact.backward_with(&grad.to_kind(Kind::Double));
            let most = if kind == Kind::Float { FLOAT } else { BFLOAT16 };
            let case = (shape, kernel, stride, pads, kind);
            for (what, ours, exact, most) in [
                ("result", &ours, &exact, most),
                ("gradient of the maps", &ours_x.grad(), &exact_x.grad(), most),
                ("gradient of the weights", &ours_weight.grad(), &exact_weight.grad(), FLOAT),
            ] {
                let error = error(ours, exact);
                assert!(error < most, "{what} of {case:?} is {error:e} off");
            }
        }
    }
}

fn check_pooling(kind: Kind) {
    for shape in [[2, 45, 9, 7], [1, 37, 8, 4], [3, 64, 33, 32], [2, 3, 3, 3]] {
        // Many equal values: the first of them has the gradient.
        let x = (noise(&shape, Kind::Float, 1) * 2.0).round().to_kind(kind);
        for (padding, hangs) in [([1, 1], false), ([shape[2] % 2, shape[3] % 2], true)] {
            let (ours_x, exact_x) = (leaf(&x, kind), leaf(&x, Kind::Double));
            assert!(pooling::can(&ours_x));
            let after = if hangs { [1, 1] } else { padding };
            let ours = pooling::halve(&ours_x, [padding[0], padding[1], after[0], after[1]]).unwrap();
            let exact = exact_x.max_pool2d([3, 3], [2, 2], padding, [1, 1], hangs);
            let grad = noise(&ours.size(), kind, 2);
            ours.backward_with(&grad);
            exact.backward_with(&grad.to_kind(Kind::Double));
            assert_eq!(error(&ours, &exact), 0.0);
            let most = if kind == Kind::Float { FLOAT } else { BFLOAT16 };
            let error = error(&ours_x.grad(), &exact_x.grad());
            assert!(error < most, "the gradient of {shape:?}, {padding:?}, {kind:?} is {error:e} off");
        }
    }
}

/// `backward` from a given gradient.
trait BackwardWith {
    fn backward_with(&self, gradient: &Tensor);
}

impl BackwardWith for Tensor {
    fn backward_with(&self, gradient: &Tensor) {
        (self * gradient).sum(Kind::Double).backward();
    }
}

fn check_adam() {
    check_adam_by(Step::apply, false);
    // What a GPU is given to; there, weights may be channels-last and gradients in another order.
    check_adam_by(Step::apply_by_libtorch, false);
    check_adam_by(Step::apply_by_libtorch, true);
}

fn check_adam_by(apply: impl Fn(&Step, &[Parameter<'_>]) -> Result<(), tch::TchError>, is_mixed: bool) {
    let step = Step { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    // One of them is longer than the piece that a thread takes; two share their numbers.
    let shapes: [&[i64]; 4] = [&[300, 333], &[5], &[7, 3, 3, 3], &[4, 5, 2, 2]];
    let make = |kind: Kind| -> Vec<[Tensor; 4]> {
        let tensor = |shape: &[i64], seed| {
            let values = noise(shape, Kind::Float, seed);
            let is_last = is_mixed && seed > 1;
            if is_last { values.to_kind(kind) } else { values.contiguous().to_kind(kind) }
        };
        shapes.iter().map(|s| [tensor(s, 1), tensor(s, 2), tensor(s, 3), tensor(s, 4).abs()]).collect()
    };
    let (ours, exact) = (make(Kind::Float), make(Kind::Double));
    let rated = |i: usize| (0.1 / (i.min(2) + 1) as f64, 1.0 - 0.01 * i.min(2) as f64);
    let parameters: Vec<Parameter<'_>> = ours
        .iter()
        .enumerate()
        .map(|(i, [gradient, weight, mean, square])| {
            let (rate, keep) = rated(i);
            Parameter { gradient, weight, mean, square, rate, keep }
        })
        .collect();
    assert!(is_mixed || ours.iter().flatten().all(adam::can));
    assert_eq!(is_mixed, ours[2][0].stride() != ours[2][1].stride());
    apply(&step, &parameters).unwrap();
    for (i, (ours, [gradient, weight, mean, square])) in ours.iter().zip(exact).enumerate() {
        let (rate, keep) = rated(i);
        let mean = mean * 0.9 + &gradient * 0.1;
        let square = square * 0.999 + gradient.square() * 0.001;
        let weight = weight * keep - &mean / (square.sqrt() + 1e-7) * rate;
        for (ours, exact) in ours[1..].iter().zip([weight, mean, square]) {
            assert!(error(ours, &exact) < FLOAT);
        }
    }
}

#[test]
fn an_exception_of_cpp_comes_back_as_an_error() {
    let _turn = alone();
    let weight = Tensor::ones([4], (Kind::Float, Device::Cpu));
    let (bias, mean, var) = (weight.zeros_like(), weight.zeros_like(), weight.ones_like());
    let fused = Normalisation {
        weight: &weight,
        bias: &bias,
        running_mean: &mean,
        running_var: &var,
        momentum: MOMENTUM,
        epsilon: EPSILON,
    };
    let x = noise(&[2, 4, 3, 3], Kind::Float, 1);
    let other = noise(&[2, 4, 3, 2], Kind::Float, 1);
    assert!(fused.can(&x));
    let error = fused.apply(&x, Some(&other), Activation::None).unwrap_err().to_string();
    assert!(error.contains("maps of [2, 4, 3, 2] beside maps of [2, 4, 3, 3]"), "{error}");
    for unfit in [x.contiguous(), x.to_kind(Kind::Double), noise(&[2, 5, 3, 3], Kind::Float, 1)] {
        assert!(!fused.can(&unfit));
        assert!(fused.apply(&unfit, None, Activation::None).is_err());
    }
    let kernel = Tensor::ones([4, 1, 7, 7], (Kind::Float, Device::Cpu));
    assert!(!depthwise::can(&x, &kernel));
    assert!(depthwise::convolve(&x, &kernel, 1, [3; 4]).is_err());
}

#[test]
fn a_gradient_that_others_use_stays_as_it_is() {
    let _turn = alone();
    let weight = Tensor::ones([8], (Kind::Float, Device::Cpu));
    let (bias, mean, var) = (weight.zeros_like(), weight.zeros_like(), weight.ones_like());
    let fused = Normalisation {
        weight: &weight,
        bias: &bias,
        running_mean: &mean,
        running_var: &var,
        momentum: MOMENTUM,
        epsilon: EPSILON,
    };
    let shape = [2, 8, 5, 5];
    let grad = noise(&shape, Kind::Float, 3);
    let gradients = |together: bool| {
        let x = [1, 2].map(|seed| noise(&shape, Kind::Float, seed).set_requires_grad(true));
        let y = [&x[0], &x[1]].map(|x| fused.apply(x, None, Activation::Relu).unwrap());
        if together {
            // The sum hands the same gradient to both.
            (&y[0] + &y[1]).backward_with(&grad);
        } else {
            y.iter().for_each(|y| y.backward_with(&grad));
        }
        x.map(|x| x.grad())
    };
    let (together, apart) = (gradients(true), gradients(false));
    assert!(together.iter().zip(&apart).all(|(a, b)| a.equal(b)));
}

#[test]
fn an_optimizer_that_cannot_step_changes_nothing() {
    let _turn = alone();
    let make = || Tensor::ones([3], (Kind::Float, Device::Cpu));
    let (weight, short) = (make(), Tensor::ones([2], (Kind::Float, Device::Cpu)));
    let (mean, square, other) = (make(), make(), make());
    let parameter =
        |gradient, weight| Parameter { gradient, weight, mean: &mean, square: &square, rate: 0.1, keep: 1.0 };
    let step = Step { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    assert!(step.apply(&[parameter(&other, &weight), parameter(&short, &weight)]).is_err());
    assert!(weight.equal(&make()) && mean.equal(&make()));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let _turn = alone();
    let x = noise(&[5, 40, 31, 29], Kind::BFloat16, 1).set_requires_grad(true);
    let kernel = noise(&[40, 1, 3, 3], Kind::Float, 2).contiguous().set_requires_grad(true);
    let weight = Tensor::ones([40], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let (bias, mean, var) = (weight.zeros_like(), weight.zeros_like(), weight.ones_like());
    let run = |threads| {
        tch::set_num_threads(threads);
        let fused = Normalisation {
            weight: &weight,
            bias: &bias,
            running_mean: &mean,
            running_var: &var,
            momentum: MOMENTUM,
            epsilon: EPSILON,
        };
        let y = depthwise::convolve(&x, &kernel, 2, [0, 0, 1, 1]).unwrap();
        let y = fused.apply(&y, None, Activation::Relu).unwrap();
        Tensor::run_backward(&[y.square().mean(Kind::Float)], &[&x, &kernel, &weight], false, false)
    };
    let (one, two) = (run(1), run(2));
    assert!(one.iter().zip(&two).all(|(one, two)| one.equal(two)));
    no_grad(|| assert!(one[1].norm().double_value(&[]) > 0.0));
}
