//! Weights in 8 bits: whole numbers from -127 to 127 and a scale per output channel, symmetric about 0.
//!
//! What a normalisation that is folded into a convolution does to its weights is a factor per output channel, too: so
//! the rounding is the same before and after folding. Krishnamoorthi, "Quantizing deep convolutional networks for
//! efficient inference" (2018), section 3.1.1. The layers still compute in float32.

use tch::{Kind, TchError, Tensor, no_grad};

use super::network::Network;

/// The largest number.
const MOST: f64 = 127.0;

/// A tensor of weights in 8 bits.
#[derive(Debug)]
pub struct Quantised {
    /// Whole numbers, in the shape of the weights.
    pub values: Tensor,
    /// What a number of each output channel stands for, `[K]`.
    pub scales: Tensor,
}

/// Whether weights of this shape (`[K, C, height, width]` for a convolution) are worth it: depthwise convolutions have few
/// weights, and lose most.
pub fn is_worth_it(shape: &[i64]) -> bool {
    matches!(shape, [_, channels, _, _] if *channels > 1)
}

/// Weights `[K, ..]` in 8 bits.
///
/// # Errors
/// Memory is short.
pub fn quantise(weights: &Tensor) -> Result<Quantised, TchError> {
    let weights = weights.f_detach()?.f_to_kind(Kind::Float)?;
    let channels = weights.size().first().copied().unwrap_or(1);
    let greatest = weights.f_abs()?.f_reshape([channels, -1])?.f_amax([1], false)?;
    // A channel of zeros stays one.
    let scales = greatest.f_div_scalar(MOST)?.f_clamp_min(f64::from(f32::MIN_POSITIVE))?;
    let values = weights.f_div(&per_channel(&scales, &weights)?)?.f_round()?.f_clamp(-MOST, MOST)?;
    Ok(Quantised { values: values.f_to_kind(Kind::Int8)?, scales })
}

/// Rounds the weights of a network to those that 8 bits can hold.
///
/// # Errors
/// Memory is short.
pub fn round_weights(network: &Network) -> Result<(), TchError> {
    no_grad(|| {
        for parameter in network.parameters().iter().filter(|it| is_worth_it(&it.tensor.size())) {
            let Quantised { values, scales } = quantise(&parameter.tensor)?;
            let rounded = values.f_to_kind(Kind::Float)?.f_mul(&per_channel(&scales, &values)?)?;
            parameter.tensor.shallow_clone().f_copy_(&rounded)?;
        }
        Ok(())
    })
}

fn per_channel(scales: &Tensor, weights: &Tensor) -> Result<Tensor, TchError> {
    let mut shape = vec![1; weights.dim()];
    shape[0] = -1;
    scales.f_view(&shape[..])
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::{Backbone, Task};
    use tch::Device;

    use super::*;

    #[test]
    fn each_channel_has_its_own_scale_and_the_greatest_weight_stays() {
        let weights = Tensor::from_slice(&[1.27_f32, -0.634, 0.0, 0.0, -254.0, 3.0]).view([3, 2, 1, 1]);
        let Quantised { values, scales } = quantise(&weights).unwrap();
        let values: Vec<f64> = Vec::try_from(values.to_kind(Kind::Double).flatten(0, -1)).unwrap();
        assert_eq!(values, [127.0, -63.0, 0.0, 0.0, -127.0, 2.0]);
        let scales: Vec<f32> = Vec::try_from(scales).unwrap();
        assert!((scales[0] - 0.01).abs() < 1e-7 && scales[2] == 2.0, "{scales:?}");
    }

    #[test]
    fn rounding_before_folding_is_rounding_after_it() {
        let labels = vec!["a".to_owned(), "b".to_owned()];
        let tasks = [Task { name: "print".to_owned(), labels }];
        let network = Network::new(Backbone::EfficientNetLite0, &tasks, 1, Device::Cpu).unwrap();
        // Of either sign, as trained normalisations are.
        for parameter in network.parameters().iter().filter(|it| it.name.ends_with("bn1.weight")) {
            let _ = no_grad(|| parameter.tensor.shallow_clone().uniform_(-2.0, 2.0));
        }
        let weights = |network: &Network| -> Vec<Tensor> {
            let sketch = network.sketch(64, 64).unwrap();
            let convolutions = sketch.operations().iter().filter_map(|operation| match operation {
                crate::model::sketch::Operation::Convolution(_, it) => Some(it.weight.copy()),
                _ => None,
            });
            convolutions.filter(|weight| is_worth_it(&weight.size())).collect()
        };
        let folded = weights(&network);
        round_weights(&network).unwrap();
        let rounded = weights(&network);
        assert!(folded.len() > 20);
        for (before, after) in folded.iter().zip(&rounded) {
            let Quantised { values, scales } = quantise(before).unwrap();
            let expected = values.to_kind(Kind::Float) * per_channel(&scales, before).unwrap();
            let error = (after - &expected).abs().max().double_value(&[]);
            // A weight in the middle between two numbers may go either way.
            let step = scales.max().double_value(&[]);
            let wrong = (after - &expected).abs().gt(step * 1e-3).to_kind(Kind::Float).mean(Kind::Float);
            assert!(error <= step * 1.01 && wrong.double_value(&[]) < 1e-3, "{error} of {step}");
            assert!((after - before).abs().max().double_value(&[]) > 0.0, "it was rounded");
        }
    }
}
