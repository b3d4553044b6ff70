//! Whole networks through the fused operations, against the same through those of libtorch.

use tasklens_data::config::{Backbone, Task};
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tch::{Device, Kind, Tensor};

/// Logits, gradients by name and running statistics of a training pass.
#[expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]
fn pass(backbone: Backbone, fuse: bool) -> (Vec<Tensor>, Vec<(String, Tensor)>) {
    let task = Task { name: "kind".to_owned(), labels: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()] };
    let network = Network::new(backbone, &[task], 1, Device::Cpu).unwrap();
    let (images, side) = (8, 96);
    tch::manual_seed(1);
    let bytes = Tensor::randint(256, [images, side, side, 3], (Kind::Uint8, Device::Cpu));
    let images = network.normalise(&bytes, Kind::Float).unwrap();
    let logits = network.forward(&images, ForwardPass { fuse, ..ForwardPass::train(Kind::Float) }).unwrap();
    let labels = Tensor::from_slice(&[0_i64, 1, 2, 0, 1, 2, 0, 1]);
    logits[0].cross_entropy_for_logits(&labels).backward();
    let values = network.parameters().iter().map(|parameter| {
        let tensor = &parameter.tensor;
        (parameter.name.clone(), if parameter.trainable { tensor.grad() } else { tensor.copy() })
    });
    (logits.iter().map(Tensor::detach).collect(), values.collect())
}

fn relative(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).norm().double_value(&[]) / b.norm().double_value(&[])
}

#[test]
fn a_fused_training_pass_is_that_of_libtorch() {
    for (backbone, last) in [
        (Backbone::XceptionSmall, ["conv4.", "bn4."]),
        (Backbone::EfficientNetLite0, ["_conv_head.", "_bn1."]),
    ] {
        let ((logits, ours), (expected_logits, expected)) = (pass(backbone, true), pass(backbone, false));
        assert!(!logits[0].equal(&expected_logits[0]), "{backbone:?} took the same way twice");
        let error = relative(&logits[0], &expected_logits[0]);
        assert!(error < 1e-4, "logits of {backbone:?}: {error:e}");
        // Of statistics, then of gradients. A mean of nearly 0 says nothing alone.
        let mut sums = [[0.0; 2]; 2];
        for ((name, ours), (_, expected)) in ours.iter().zip(&expected) {
            let statistics = name.ends_with("running_mean") || name.ends_with("running_var");
            let is_last = name.starts_with("heads.") || last.iter().any(|prefix| name.starts_with(prefix));
            if is_last && !statistics {
                let error = relative(ours, expected);
                assert!(error < 1e-3, "{name} of {backbone:?}: {error:e}");
            }
            let [difference, size] = &mut sums[usize::from(!statistics)];
            *difference += (ours - expected).square().sum(Kind::Double).double_value(&[]);
            *size += expected.square().sum(Kind::Double).double_value(&[]);
        }
        let [statistics, gradients] = sums.map(|[difference, size]| f64::sqrt(difference / size));
        assert!(statistics < 1e-3, "statistics of {backbone:?}: {statistics:e}");
        // New weights amplify rounding from layer to layer: either way is as far from float64.
        assert!(gradients < 3e-2, "gradients of {backbone:?}: {gradients:e}");
    }
}
