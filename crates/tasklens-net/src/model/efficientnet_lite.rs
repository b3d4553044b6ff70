//! EfficientNet-Lite: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
//! ICML 2019, in the variant that its authors published for small devices: no squeeze-and-excitation, ReLU6, and
//! neither stem nor head scaled.
//!
//! Names and shapes are those of `efficientnet_pytorch`, as in the public weights; timm's are understood, too.
//! Padding is TensorFlow's `same`.

use tasklens_data::config::networks::Scale;
use tch::{Kind, TchError, Tensor};

use super::interpreter::Interpreter;
use super::layers::{ConvNorm, ForwardPass, Names, Same};
use super::parameters::Builder;
use super::sketch::Sketch;
use super::trunk::Trunk;

/// Epsilon of batch normalisation, as published.
const EPSILON: f64 = 1e-3;
/// Channels of the first convolution.
const STEM: i64 = 32;
/// Channels of the last one: the features.
const HEAD: i64 = 1280;
/// Number of stages with maps of 1/16 of the image or larger; the next one halves them again.
const ENTRY_STAGES: usize = 5;

/// A stage: a sequence of blocks of one kind.
struct BlockStage {
    repeats: usize,
    kernel: i64,
    /// Stride of the first block.
    stride: i64,
    /// How many times wider a block is inside than at its input.
    expansion: i64,
    /// Output channels of each block.
    channels: i64,
}

/// The stages of the smallest network, table 1 of the paper.
const STAGES: [BlockStage; 7] = [
    BlockStage { repeats: 1, kernel: 3, stride: 1, expansion: 1, channels: 16 },
    BlockStage { repeats: 2, kernel: 3, stride: 2, expansion: 6, channels: 24 },
    BlockStage { repeats: 2, kernel: 5, stride: 2, expansion: 6, channels: 40 },
    BlockStage { repeats: 3, kernel: 3, stride: 2, expansion: 6, channels: 80 },
    BlockStage { repeats: 3, kernel: 5, stride: 1, expansion: 6, channels: 112 },
    BlockStage { repeats: 4, kernel: 5, stride: 2, expansion: 6, channels: 192 },
    BlockStage { repeats: 1, kernel: 3, stride: 1, expansion: 6, channels: 320 },
];

/// Channels times `width`, rounded to a multiple of 8 that is at least 90 % of the product.
fn wider(channels: i64, width: f64) -> i64 {
    let product = channels as f64 * width;
    let rounded = ((product + 4.0) as i64 / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * product { rounded + 8 } else { rounded }
}

/// Number of blocks of a stage; the lite variant does not scale the first and the last stage.
fn repeats(stage: usize, depth: f64) -> usize {
    let repeats = STAGES[stage].repeats;
    if stage == 0 || stage + 1 == STAGES.len() { repeats } else { (repeats as f64 * depth).ceil() as usize }
}

/// Mobile inverted bottleneck: 1x1 expansion, depthwise convolution, 1x1 projection.
#[derive(Debug)]
struct MobileBlock {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    has_skip: bool,
}

/// Parameters of a [`MobileBlock`].
struct MobileBlockPlan {
    channels: (i64, i64),
    kernel: i64,
    stride: i64,
    expansion: i64,
}

impl MobileBlock {
    fn new(builder: &mut Builder<'_>, name: &str, plan: &MobileBlockPlan) -> Result<Self, TchError> {
        let (channels_in, channels_out) = plan.channels;
        let inside = channels_in * plan.expansion;
        let mut layer = |convolution: &str, norm: &str, shape: &Same| {
            let names =
                Names { convolution: &format!("{name}.{convolution}"), norm: &format!("{name}.{norm}") };
            ConvNorm::same(builder, &names, shape)
        };
        let expand = match plan.expansion {
            1 => None,
            _ => Some(layer("_expand_conv", "_bn0", &pointwise(channels_in, inside))?),
        };
        let (kernel, stride) = (plan.kernel, plan.stride);
        let depthwise =
            Same { channels: (inside, inside), kernel, stride, depthwise: true, epsilon: EPSILON };
        Ok(Self {
            expand,
            depthwise: layer("_depthwise_conv", "_bn1", &depthwise)?,
            project: layer("_project_conv", "_bn2", &pointwise(inside, channels_out))?,
            has_skip: stride == 1 && channels_in == channels_out,
        })
    }

    fn apply<I: Interpreter>(&self, with: &mut I, input: &I::Maps) -> Result<I::Maps, TchError> {
        let mut x = with.share(input);
        if let Some(expand) = &self.expand {
            x = with.layer_relu6(expand, &x)?;
        }
        x = with.layer_relu6(&self.depthwise, &x)?;
        if self.has_skip { with.layer_add(&self.project, &x, input) } else { with.layer(&self.project, &x) }
    }
}

fn pointwise(channels_in: i64, channels_out: i64) -> Same {
    Same { channels: (channels_in, channels_out), kernel: 1, stride: 1, depthwise: false, epsilon: EPSILON }
}

/// EfficientNet-Lite as a [`Trunk`].
#[derive(Debug)]
pub struct EfficientNetLite {
    stem: ConvNorm,
    /// The blocks, `[stage][repeat]`.
    stages: Vec<Vec<MobileBlock>>,
    head: ConvNorm,
}

impl EfficientNetLite {
    /// A backbone with randomly initialised weights.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn new(builder: &mut Builder<'_>, scale: &Scale) -> Result<Self, TchError> {
        let stem = Same { channels: (3, STEM), kernel: 3, stride: 2, depthwise: false, epsilon: EPSILON };
        let stem = ConvNorm::same(builder, &Names { convolution: "_conv_stem", norm: "_bn0" }, &stem)?;
        let mut channels = STEM;
        let mut number = 0..;
        let mut stages = Vec::new();
        for (i, stage) in STAGES.iter().enumerate() {
            let out = wider(stage.channels, scale.width);
            let mut blocks = Vec::new();
            for (repeat, number) in (0..repeats(i, scale.depth)).zip(&mut number) {
                let plan = MobileBlockPlan {
                    channels: (channels, out),
                    kernel: stage.kernel,
                    stride: if repeat == 0 { stage.stride } else { 1 },
                    expansion: stage.expansion,
                };
                blocks.push(MobileBlock::new(builder, &format!("_blocks.{number}"), &plan)?);
                channels = out;
            }
            stages.push(blocks);
        }
        let names = Names { convolution: "_conv_head", norm: "_bn1" };
        let head = ConvNorm::same(builder, &names, &pointwise(channels, HEAD))?;
        Ok(Self { stem, stages, head })
    }
}

impl Trunk for EfficientNetLite {
    fn entry(&self, images: &Tensor, mut pass: ForwardPass) -> Result<Tensor, TchError> {
        self.enter(&mut pass, images)
    }

    fn exit(&self, maps: &Tensor, mut pass: ForwardPass) -> Result<Tensor, TchError> {
        self.leave(&mut pass, maps)
    }

    fn sketch(&self, height: i64, width: i64) -> Result<Sketch, TchError> {
        Sketch::of(height, width, |sketch, images| {
            let maps = self.enter(sketch, &images)?;
            self.leave(sketch, &maps)
        })
    }

    fn fold(&mut self, kind: Kind) -> Result<(), TchError> {
        self.stem.fold(kind)?;
        self.head.fold(kind)?;
        for block in self.stages.iter_mut().flatten() {
            for layer in block.expand.iter_mut().chain([&mut block.depthwise, &mut block.project]) {
                layer.fold(kind)?;
            }
        }
        Ok(())
    }

    /// timm's name: it numbers blocks by stage, and layers in order of execution.
    fn other_name(&self, name: &str) -> Option<String> {
        let Some(rest) = name.strip_prefix("_blocks.") else {
            let (layer, value) = name.split_once('.')?;
            let layer = match layer {
                "_conv_stem" => "conv_stem",
                "_bn0" => "bn1",
                "_conv_head" => "conv_head",
                "_bn1" => "bn2",
                _ => return None,
            };
            return Some(format!("{layer}.{value}"));
        };
        let (number, rest) = rest.split_once('.')?;
        let (layer, value) = rest.split_once('.')?;
        let (stage, block) = self.place(number.parse().ok()?)?;
        let expands = self.stages[stage][block].expand.is_some();
        let layer = match (layer, expands) {
            ("_expand_conv", true) => "conv_pw",
            ("_bn0", true) | ("_bn1", false) => "bn1",
            ("_depthwise_conv", _) => "conv_dw",
            ("_bn1", true) | ("_bn2", false) => "bn2",
            ("_project_conv", true) => "conv_pwl",
            ("_project_conv", false) => "conv_pw",
            ("_bn2", true) => "bn3",
            _ => return None,
        };
        Some(format!("blocks.{stage}.{block}.{layer}.{value}"))
    }
}

impl EfficientNetLite {
    /// The stages with the larger maps.
    fn enter<I: Interpreter>(&self, with: &mut I, images: &I::Maps) -> Result<I::Maps, TchError> {
        let x = with.layer_relu6(&self.stem, images)?;
        self.stages[..ENTRY_STAGES].iter().flatten().try_fold(x, |x, block| block.apply(with, &x))
    }

    /// The others, and the last convolution.
    fn leave<I: Interpreter>(&self, with: &mut I, maps: &I::Maps) -> Result<I::Maps, TchError> {
        let x = with.share(maps);
        let x = self.stages[ENTRY_STAGES..].iter().flatten().try_fold(x, |x, block| block.apply(with, &x))?;
        with.layer_relu6(&self.head, &x)
    }

    /// Stage of the block with this number (from 0), and its index there.
    fn place(&self, mut number: usize) -> Option<(usize, usize)> {
        for (stage, blocks) in self.stages.iter().enumerate() {
            if number < blocks.len() {
                return Some((stage, number));
            }
            number -= blocks.len();
        }
        None
    }
}
