//! The layers that the backbones are built from.
//!
//! Tensors are `[N, C, H, W]` with channels-last strides, the fastest layout for CPUs and tensor cores. Weights stay
//! float32 and are cast inside the forward pass, so that their gradients are float32, too.

use tasklens_torch::normalisation::{Activation, Normalisation};
use tasklens_torch::{depthwise, is_faster};
use tch::{Device, Kind, TchError, Tensor};

use super::conventions::Conventions;
use super::parameters::Builder;
use super::sketch::Convolution;

/// Mode of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardPass {
    /// Batch statistics and gradients (training), or running statistics (evaluation).
    pub train: bool,
    /// Float or BFloat16, for convolutions and activations.
    pub kind: Kind,
    /// Whether training computes several operations in one where it can: the same up to rounding, in less time.
    pub fuse: bool,
}

impl ForwardPass {
    /// Training mode in `kind`.
    pub fn train(kind: Kind) -> Self {
        Self { train: true, kind, fuse: is_faster() }
    }

    /// Evaluation mode in `kind`.
    pub fn evaluate(kind: Kind) -> Self {
        Self { train: false, kind, fuse: false }
    }
}

/// Epsilon of batch normalisation, PyTorch's default.
const EPSILON: f64 = 1e-5;
/// What it adds by Keras' default.
const EPSILON_OF_KERAS: f64 = 1e-3;
/// Share of the batch in running statistics (PyTorch's convention).
const MOMENTUM: f64 = 0.1;

/// Batch normalisation, Ioffe and Szegedy 2015.
#[derive(Debug)]
struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    /// Epsilon, added to the variance.
    epsilon: f64,
}

impl BatchNorm {
    fn new(builder: &mut Builder<'_>, name: &str, channels: i64, epsilon: f64) -> Result<Self, TchError> {
        Ok(Self {
            epsilon,
            weight: builder.constant(format!("{name}.weight"), &[channels], 1.0, true)?,
            bias: builder.constant(format!("{name}.bias"), &[channels], 0.0, true)?,
            running_mean: builder.constant(format!("{name}.running_mean"), &[channels], 0.0, false)?,
            running_var: builder.constant(format!("{name}.running_var"), &[channels], 1.0, false)?,
        })
    }

    fn fused(&self) -> Normalisation<'_> {
        Normalisation {
            weight: &self.weight,
            bias: &self.bias,
            running_mean: &self.running_mean,
            running_var: &self.running_var,
            momentum: MOMENTUM,
            epsilon: self.epsilon,
        }
    }

    /// By the operations of libtorch.
    fn forward(&self, x: &Tensor, train: bool) -> Result<Tensor, TchError> {
        x.f_batch_norm(
            Some(&self.weight),
            Some(&self.bias),
            Some(&self.running_mean),
            Some(&self.running_var),
            train,
            MOMENTUM,
            self.epsilon,
            true,
        )
    }
}

/// Names of a convolution and of the normalisation after it.
pub(super) struct Names<'a> {
    /// Such as `block1.skip` or `block1.rep.0`.
    pub convolution: &'a str,
    /// Such as `block1.skipbn` or `block1.rep.1`.
    pub norm: &'a str,
}

/// Padding of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Padding {
    None,
    /// TensorFlow's `same`: gives ceil(size / stride) cells; an odd pixel goes to the bottom and right.
    Same,
}

impl Padding {
    /// Padding before and after a side of `size` pixels.
    fn of(self, size: i64, kernel: i64, stride: i64) -> (i64, i64) {
        if self == Self::None {
            return (0, 0);
        }
        let cells = (size + stride - 1) / stride;
        let all = ((cells - 1) * stride + kernel - size).max(0);
        (all / 2, all - all / 2)
    }
}

/// Parameters of a convolution with TensorFlow's `same` padding.
pub(super) struct Same {
    /// Input and output channels.
    pub channels: (i64, i64),
    /// Height and width of the kernel.
    pub kernel: i64,
    /// Stride in both directions.
    pub stride: i64,
    /// Whether it is depthwise, with equal input and output channels.
    pub depthwise: bool,
    /// Epsilon of the normalisation after it.
    pub epsilon: f64,
}

/// A convolution without bias (plain, depthwise or separable), followed by batch normalisation.
///
/// [`ConvNorm::fold`] merges the two for prediction, which saves one pass over memory.
#[derive(Debug)]
pub(super) struct ConvNorm {
    /// `[C, 1, 3, 3]`: the depthwise part of a separable convolution.
    depthwise: Option<Tensor>,
    /// `[O, C / groups, k, k]`.
    weight: Tensor,
    groups: i64,
    stride: i64,
    padding: Padding,
    norm: BatchNorm,
    folded: Option<Folded>,
}

/// Weights of a convolution with folded normalisation.
#[derive(Debug)]
struct Folded {
    kind: Kind,
    depthwise: Option<Tensor>,
    weight: Tensor,
    bias: Tensor,
}

/// He uniform initialisation (He et al. 2015), by fan-out.
fn he_bound(out_channels: i64, kernel: i64) -> f32 {
    (6.0 / (out_channels * kernel * kernel) as f32).sqrt()
}

/// What follows a normalisation, in place.
fn activated(mut y: Tensor, beside: Option<&Tensor>, activation: Activation) -> Result<Tensor, TchError> {
    if let Some(beside) = beside {
        let _ = y.f_add_(beside)?;
    }
    match activation {
        Activation::None => Ok(y),
        Activation::Relu => y.f_relu_(),
        Activation::Relu6 => y.f_relu6_(),
    }
}

impl ConvNorm {
    /// A plain convolution `kernel` x `kernel`, without bias.
    pub fn plain(
        builder: &mut Builder<'_>,
        names: &Names<'_>,
        (channels_in, channels_out): (i64, i64),
        kernel: i64,
        stride: i64,
    ) -> Result<Self, TchError> {
        let weight = builder.uniform(
            format!("{}.weight", names.convolution),
            &[channels_out, channels_in, kernel, kernel],
            he_bound(channels_out, kernel),
        )?;
        let norm = BatchNorm::new(builder, names.norm, channels_out, EPSILON)?;
        Ok(Self { depthwise: None, weight, groups: 1, stride, padding: Padding::None, norm, folded: None })
    }

    /// A convolution with TensorFlow's padding.
    pub fn same(builder: &mut Builder<'_>, names: &Names<'_>, shape: &Same) -> Result<Self, TchError> {
        let &Same { channels: (channels_in, channels_out), kernel, stride, depthwise, epsilon } = shape;
        let groups = if depthwise { channels_in } else { 1 };
        // The fan-out of a depthwise kernel is its size.
        let weight = builder.uniform(
            format!("{}.weight", names.convolution),
            &[channels_out, channels_in / groups, kernel, kernel],
            he_bound(channels_out / groups, kernel),
        )?;
        let norm = BatchNorm::new(builder, names.norm, channels_out, epsilon)?;
        Ok(Self { depthwise: None, weight, groups, stride, padding: Padding::Same, norm, folded: None })
    }

    /// 3x3 depthwise with padding 1, then 1x1 pointwise, both without bias.
    pub(crate) fn separable(
        builder: &mut Builder<'_>,
        names: &Names<'_>,
        (channels_in, channels_out): (i64, i64),
    ) -> Result<Self, TchError> {
        // The fan-out of a depthwise kernel is its size, 9.
        let depthwise = builder.uniform(
            format!("{}.conv1.weight", names.convolution),
            &[channels_in, 1, 3, 3],
            he_bound(1, 3),
        )?;
        let weight = builder.uniform(
            format!("{}.pointwise.weight", names.convolution),
            &[channels_out, channels_in, 1, 1],
            he_bound(channels_out, 1),
        )?;
        let norm = BatchNorm::new(builder, names.norm, channels_out, EPSILON)?;
        Ok(Self {
            depthwise: Some(depthwise),
            weight,
            groups: 1,
            stride: 1,
            padding: Padding::None,
            norm,
            folded: None,
        })
    }

    /// `[N, C, H, W]` -> activation(normalised convolution + `beside`), `[N, O, H', W']`.
    pub fn forward(
        &self,
        x: &Tensor,
        pass: ForwardPass,
        beside: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor, TchError> {
        if let (false, Some(folded)) = (pass.train, &self.folded)
            && folded.kind == pass.kind
        {
            let y = self.convolve(x, folded.depthwise.as_ref(), &folded.weight, Some(&folded.bias))?;
            return activated(y, beside, activation);
        }
        self.normalised(&self.unnormalised(x, pass)?, pass, beside, activation)
    }

    /// activation(normalised `y` + `beside`).
    fn normalised(
        &self,
        y: &Tensor,
        pass: ForwardPass,
        beside: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor, TchError> {
        let fused = self.norm.fused();
        if pass.train && pass.fuse && fused.can(y) {
            return fused.apply(y, beside, activation);
        }
        activated(self.norm.forward(y, pass.train)?, beside, activation)
    }

    /// Normalised convolution + `beside`, and its ReLU.
    pub fn forward_with_relu(
        &self,
        x: &Tensor,
        pass: ForwardPass,
        beside: &Tensor,
    ) -> Result<(Tensor, Tensor), TchError> {
        let sum = if pass.train && pass.fuse {
            let y = self.unnormalised(x, pass)?;
            let fused = self.norm.fused();
            if fused.can(&y) {
                return fused.with_relu(&y, Some(beside));
            }
            self.normalised(&y, pass, Some(beside), Activation::None)?
        } else {
            self.forward(x, pass, Some(beside), Activation::None)?
        };
        let relu = sum.f_relu()?;
        Ok((sum, relu))
    }

    /// The convolution alone.
    fn unnormalised(&self, x: &Tensor, pass: ForwardPass) -> Result<Tensor, TchError> {
        if pass.train
            && pass.fuse
            && let Some(y) = self.by_own_kernels(&x.f_to_kind(pass.kind)?)?
        {
            return Ok(y);
        }
        let kind = if pass.train && self.learns_slowly_in_bf16(x) { Kind::Float } else { pass.kind };
        let depthwise = self.depthwise.as_ref().map(|w| w.f_to_kind(kind)).transpose()?;
        let y =
            self.convolve(&x.f_to_kind(kind)?, depthwise.as_ref(), &self.weight.f_to_kind(kind)?, None)?;
        y.f_to_kind(pass.kind)
    }

    /// The convolution of maps `x` where its depthwise part has kernels of ours.
    fn by_own_kernels(&self, x: &Tensor) -> Result<Option<Tensor>, TchError> {
        if let Some(weight) = &self.depthwise {
            if !depthwise::can(x, weight) {
                return Ok(None);
            }
            let between = depthwise::convolve(x, weight, 1, [1; 4])?;
            return self.convolve(&between, None, &self.weight.f_to_kind(x.f_kind()?)?, None).map(Some);
        }
        if self.groups == 1 || !depthwise::can(x, &self.weight) {
            return Ok(None);
        }
        let pads = self.pads(x.size()[2], x.size()[3]);
        depthwise::convolve(x, &self.weight, self.stride, pads).map(Some)
    }

    /// Cells of padding at the top, left, bottom and right of maps of `height` x `width` cells.
    fn pads(&self, height: i64, width: i64) -> [i64; 4] {
        let kernel = self.weight.size()[2];
        let (top, bottom) = self.padding.of(height, kernel, self.stride);
        let (left, right) = self.padding.of(width, kernel, self.stride);
        [top, left, bottom, right]
    }

    /// On CPUs, the gradients of depthwise convolutions are fast in bf16 only for 3x3 at stride 1: for others they
    /// take four to forty times as long as in float32 (libtorch 2.11.0).
    fn learns_slowly_in_bf16(&self, x: &Tensor) -> bool {
        self.groups > 1 && (self.stride > 1 || self.weight.size()[2] > 3) && x.device() == Device::Cpu
    }

    fn convolve(
        &self,
        x: &Tensor,
        depthwise: Option<&Tensor>,
        weight: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Tensor, TchError> {
        let between = match depthwise {
            None => x.shallow_clone(),
            Some(depthwise) => {
                let channels = depthwise.size()[0];
                x.f_conv2d(depthwise, None::<&Tensor>, [1, 1], [1, 1], [1, 1], channels)?
            }
        };
        let [top, left, bottom, right] = self.pads(x.size()[2], x.size()[3]);
        let stride = [self.stride; 2];
        if top == bottom && left == right {
            return between.f_conv2d(weight, bias, stride, [top, left], [1, 1], self.groups);
        }
        between.f_constant_pad_nd([left, right, top, bottom])?.f_conv2d(
            weight,
            bias,
            stride,
            [0, 0],
            [1, 1],
            self.groups,
        )
    }

    /// Adds to the variance what `conventions` add; forgets what was folded.
    pub fn follow(&mut self, conventions: Conventions) {
        self.norm.epsilon = match conventions {
            Conventions::Published => EPSILON,
            Conventions::Keras => EPSILON_OF_KERAS,
        };
        self.folded = None;
    }

    /// Merges the normalisation's running statistics into the weights, for evaluation in `kind`.
    /// Later changes of the weights do not reach the folded copy: call it again.
    pub fn fold(&mut self, kind: Kind) -> Result<(), TchError> {
        self.folded = Some(self.merged(kind)?);
        Ok(())
    }

    fn merged(&self, kind: Kind) -> Result<Folded, TchError> {
        let norm = &self.norm;
        let deviation = norm.running_var.f_add_scalar(norm.epsilon)?.f_sqrt()?;
        let scale = norm.weight.f_div(&deviation)?;
        let bias = norm.bias.f_sub(&norm.running_mean.f_mul(&scale)?)?;
        let weight = self.weight.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
        let cast = |tensor: &Tensor| tensor.f_detach()?.f_to_kind(kind);
        Ok(Folded {
            kind,
            depthwise: self.depthwise.as_ref().map(cast).transpose()?,
            weight: cast(&weight)?,
            bias: cast(&bias)?,
        })
    }

    /// What it computes in evaluation on maps of `height` x `width` cells: one convolution or two, the normalisation
    /// merged.
    pub fn convolutions(&self, height: i64, width: i64) -> Result<Vec<Convolution>, TchError> {
        let Folded { depthwise, weight, bias, .. } = self.merged(Kind::Float)?;
        let depthwise = depthwise.map(|weight| {
            let groups = weight.size()[0];
            Convolution { weight, bias: None, groups, stride: 1, pads: [1; 4] }
        });
        let pads = self.pads(height, width);
        let last = Convolution { weight, bias: Some(bias), groups: self.groups, stride: self.stride, pads };
        Ok(depthwise.into_iter().chain([last]).collect())
    }
}

/// A linear layer, computed in float32.
#[derive(Debug)]
pub(super) struct LinearLayer {
    weight: Tensor,
    bias: Tensor,
}

impl LinearLayer {
    /// Weights uniform with PyTorch's default bound.
    pub fn new(builder: &mut Builder<'_>, name: &str, inputs: i64, outputs: i64) -> Result<Self, TchError> {
        let bound = 1.0 / (inputs as f32).sqrt();
        Ok(Self {
            weight: builder.uniform(format!("{name}.weight"), &[outputs, inputs], bound)?,
            bias: builder.constant(format!("{name}.bias"), &[outputs], 0.0, true)?,
        })
    }

    /// `[outputs, inputs]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// `[N, inputs]` -> `[N, outputs]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        x.f_linear(&self.weight, Some(&self.bias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_that_of_tensorflow() {
        // Cells are ceil(size / stride); the odd pixel is behind.
        for (size, kernel, stride, expected) in [
            (224, 3, 2, (0, 1)),
            (71, 3, 2, (1, 1)),
            (28, 5, 2, (1, 2)),
            (65, 5, 2, (2, 2)),
            (7, 5, 1, (2, 2)),
            (7, 1, 1, (0, 0)),
            (1, 3, 2, (1, 1)),
        ] {
            assert_eq!(Padding::Same.of(size, kernel, stride), expected, "{size}, {kernel}, {stride}");
            assert_eq!(Padding::None.of(size, kernel, stride), (0, 0));
        }
    }
}
