//! Xception: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017.
//!
//! Names and shapes are those of timm's `legacy_xception`, so that the public ImageNet file loads as
//! it is.

use tasklens_data::config::networks::Widths;
use tch::{Kind, TchError, Tensor};

use super::conventions::Conventions;
use super::interpreter::Interpreter;
use super::layers::{ConvNorm, ForwardPass, Names};
use super::parameters::Builder;
use super::sketch::Sketch;
use super::trunk::Trunk;

/// A residual block of separable convolutions.
#[derive(Debug)]
struct Block {
    skip: Option<ConvNorm>,
    convolutions: Vec<ConvNorm>,
    starts_with_relu: bool,
    halves: bool,
    conventions: Conventions,
}

/// How a block is built.
pub(super) struct BlockPlan {
    /// Channels of its input and its output.
    pub channels: (i64, i64),
    convolutions: usize,
    /// Whether it ends with a max pooling and has a convolution beside it.
    pub halves: bool,
    pub starts_with_relu: bool,
    /// Whether the first convolution already has the output width, or only the last.
    grows_first: bool,
}

/// A separable convolution of a block.
pub(super) struct Step {
    /// Channels of its input and its output.
    pub channels: (i64, i64),
    /// Its place in timm's nn.Sequential: [relu] separable norm relu separable norm ...
    pub place: usize,
}

impl BlockPlan {
    /// All blocks of a network, in order.
    pub fn of(widths: &Widths) -> Vec<Self> {
        let Widths { stem, entry, middle_blocks, exit, .. } = *widths;
        let halving = |from, to| Self {
            channels: (from, to),
            convolutions: 2,
            halves: true,
            starts_with_relu: true,
            grows_first: true,
        };
        let mut plans = vec![
            Self { starts_with_relu: false, ..halving(stem[1], entry[0]) },
            halving(entry[0], entry[1]),
            halving(entry[1], entry[2]),
        ];
        plans.extend((0..middle_blocks).map(|_| Self {
            convolutions: 3,
            halves: false,
            ..halving(entry[2], entry[2])
        }));
        plans.push(Self { grows_first: false, ..halving(entry[2], exit) });
        plans
    }

    /// Its separable convolutions, in order.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        let (channels_in, channels_out) = self.channels;
        (0..self.convolutions).map(move |i| {
            let from = if self.grows_first && i > 0 { channels_out } else { channels_in };
            let to = if self.grows_first || i + 1 == self.convolutions { channels_out } else { channels_in };
            Step { channels: (from, to), place: 3 * i + usize::from(self.starts_with_relu) }
        })
    }
}

impl Block {
    fn new(builder: &mut Builder<'_>, name: &str, plan: &BlockPlan) -> Result<Self, TchError> {
        let mut convolutions = Vec::new();
        for Step { channels, place } in plan.steps() {
            let names = Names {
                convolution: &format!("{name}.rep.{place}"),
                norm: &format!("{name}.rep.{}", place + 1),
            };
            convolutions.push(ConvNorm::separable(builder, &names, channels)?);
        }
        let skip = if plan.halves {
            let names = Names { convolution: &format!("{name}.skip"), norm: &format!("{name}.skipbn") };
            Some(ConvNorm::plain(builder, &names, plan.channels, 1, 2)?)
        } else {
            None
        };
        Ok(Self {
            skip,
            convolutions,
            starts_with_relu: plan.starts_with_relu,
            halves: plan.halves,
            conventions: Conventions::default(),
        })
    }

    /// The block's maps; with `relu_after`, their ReLU, too.
    fn apply<I: Interpreter>(
        &self,
        with: &mut I,
        input: &Input<I::Maps>,
        relu_after: bool,
    ) -> Result<Input<I::Maps>, TchError> {
        let mut x = match &input.relu {
            _ if !self.starts_with_relu => with.share(&input.maps),
            Some(relu) => with.share(relu),
            // Not in place: the skip connection needs the input as it was.
            None => with.relu_of(&input.maps)?,
        };
        let (last, others) = self.convolutions.split_last().unzip();
        for convolution in others.unwrap_or_default() {
            x = with.layer_relu(convolution, &x)?;
        }
        let Some(last) = last else { return Ok(Input { maps: x, relu: None }) };
        // What is added, and the layer whose maps it is added to.
        let (layer, of, beside) = match &self.skip {
            None => (last, x, with.share(&input.maps)),
            Some(skip) => {
                x = with.layer(last, &x)?;
                if self.halves {
                    x = with.halve(&x, self.conventions)?;
                }
                (skip, with.share(&input.maps), x)
            }
        };
        if relu_after {
            let (maps, relu) = with.layer_add_relu(layer, &of, &beside)?;
            return Ok(Input { maps, relu: Some(relu) });
        }
        Ok(Input { maps: with.layer_add(layer, &of, &beside)?, relu: None })
    }
}

/// What goes into a block.
struct Input<M> {
    maps: M,
    /// Their ReLU, if it is there already.
    relu: Option<M>,
}

/// Xception as a [`Trunk`].
#[derive(Debug)]
pub struct Xception {
    conv1: ConvNorm,
    conv2: ConvNorm,
    blocks: Vec<Block>,
    conv3: ConvNorm,
    conv4: ConvNorm,
}

impl Xception {
    /// A backbone with randomly initialised weights.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn new(builder: &mut Builder<'_>, widths: &Widths) -> Result<Self, TchError> {
        let Widths { stem, exit, tail, .. } = *widths;
        let names = |convolution, norm| Names { convolution, norm };
        let conv1 = ConvNorm::plain(builder, &names("conv1", "bn1"), (3, stem[0]), 3, 2)?;
        let conv2 = ConvNorm::plain(builder, &names("conv2", "bn2"), (stem[0], stem[1]), 3, 1)?;

        let blocks = BlockPlan::of(widths)
            .iter()
            .enumerate()
            .map(|(i, plan)| Block::new(builder, &format!("block{}", i + 1), plan))
            .collect::<Result<_, _>>()?;

        let conv3 = ConvNorm::separable(builder, &names("conv3", "bn3"), (exit, tail[0]))?;
        let conv4 = ConvNorm::separable(builder, &names("conv4", "bn4"), (tail[0], tail[1]))?;
        Ok(Self { conv1, conv2, blocks, conv3, conv4 })
    }
}

impl Xception {
    /// Entry and middle flow.
    fn enter<I: Interpreter>(&self, with: &mut I, images: &I::Maps) -> Result<I::Maps, TchError> {
        let x = with.layer_relu(&self.conv1, images)?;
        let mut x = Input { maps: with.layer_relu(&self.conv2, &x)?, relu: None };
        let blocks = &self.blocks[..self.blocks.len() - 1];
        for (i, block) in blocks.iter().enumerate() {
            x = block.apply(with, &x, i + 1 < blocks.len())?;
        }
        Ok(x.maps)
    }

    /// The exit flow of the paper: the last two separable convolutions and the block before.
    fn leave<I: Interpreter>(&self, with: &mut I, maps: &I::Maps) -> Result<I::Maps, TchError> {
        let mut x = Input { maps: with.share(maps), relu: None };
        for block in &self.blocks[self.blocks.len() - 1..] {
            x = block.apply(with, &x, false)?;
        }
        let x = with.layer_relu(&self.conv3, &x.maps)?;
        with.layer_relu(&self.conv4, &x)
    }

    fn layers(&mut self) -> impl Iterator<Item = &mut ConvNorm> {
        let of_blocks =
            self.blocks.iter_mut().flat_map(|block| block.skip.iter_mut().chain(&mut block.convolutions));
        [&mut self.conv1, &mut self.conv2, &mut self.conv3, &mut self.conv4].into_iter().chain(of_blocks)
    }
}

impl Trunk for Xception {
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
        self.layers().try_for_each(|layer| layer.fold(kind))
    }

    fn follow(&mut self, conventions: Conventions) {
        self.layers().for_each(|layer| layer.follow(conventions));
        self.blocks.iter_mut().for_each(|block| block.conventions = conventions);
    }
}
