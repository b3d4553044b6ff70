//! Xception: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017.
//!
//! Names and shapes are those of timm's `legacy_xception`, so that the public ImageNet file loads as
//! it is.

use tasklens_data::config::networks::Widths;
use tch::{Kind, TchError, Tensor};

use super::layers::{ConvNorm, Names, Pass};
use super::parameters::Builder;
use super::trunk::Trunk;

/// A residual block of separable convolutions.
#[derive(Debug)]
struct Block {
    skip: Option<ConvNorm>,
    convolutions: Vec<ConvNorm>,
    starts_with_relu: bool,
    halves: bool,
}

/// Parameters of a [`Block`].
struct BlockPlan {
    channels: (i64, i64),
    convolutions: usize,
    halves: bool,
    starts_with_relu: bool,
    /// Whether the first convolution already has the output width, or only the last one.
    grows_first: bool,
}

impl Block {
    fn new(builder: &mut Builder<'_>, name: &str, plan: &BlockPlan) -> Result<Self, TchError> {
        let (channels_in, channels_out) = plan.channels;
        let mut convolutions = Vec::new();
        for i in 0..plan.convolutions {
            let from = if plan.grows_first && i > 0 { channels_out } else { channels_in };
            let to = if plan.grows_first || i + 1 == plan.convolutions { channels_out } else { channels_in };
            // Positions in timm's nn.Sequential: [relu] separable norm relu separable norm ...
            let place = 3 * i + usize::from(plan.starts_with_relu);
            let names = Names {
                convolution: &format!("{name}.rep.{place}"),
                norm: &format!("{name}.rep.{}", place + 1),
            };
            convolutions.push(ConvNorm::separable(builder, &names, (from, to))?);
        }
        let skip = if plan.halves || channels_in != channels_out {
            let names = Names { convolution: &format!("{name}.skip"), norm: &format!("{name}.skipbn") };
            let stride = if plan.halves { 2 } else { 1 };
            Some(ConvNorm::plain(builder, &names, plan.channels, 1, stride)?)
        } else {
            None
        };
        Ok(Self { skip, convolutions, starts_with_relu: plan.starts_with_relu, halves: plan.halves })
    }

    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor, TchError> {
        let mut x = input.shallow_clone();
        for (i, convolution) in self.convolutions.iter().enumerate() {
            if i > 0 {
                x = x.f_relu_()?;
            } else if self.starts_with_relu {
                // Not in place: the skip connection needs the input as it was.
                x = x.f_relu()?;
            }
            x = convolution.forward(&x, pass)?;
        }
        if self.halves {
            x = x.f_max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)?;
        }
        match &self.skip {
            Some(skip) => x.f_add_(&skip.forward(input, pass)?),
            None => x.f_add_(input),
        }
    }
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
        let Widths { stem, entry, middle_blocks, exit, tail } = *widths;
        let names = |convolution, norm| Names { convolution, norm };
        let conv1 = ConvNorm::plain(builder, &names("conv1", "bn1"), (3, stem[0]), 3, 2)?;
        let conv2 = ConvNorm::plain(builder, &names("conv2", "bn2"), (stem[0], stem[1]), 3, 1)?;

        let halving = |from, to| BlockPlan {
            channels: (from, to),
            convolutions: 2,
            halves: true,
            starts_with_relu: true,
            grows_first: true,
        };
        let mut plans = vec![
            BlockPlan { starts_with_relu: false, ..halving(stem[1], entry[0]) },
            halving(entry[0], entry[1]),
            halving(entry[1], entry[2]),
        ];
        plans.extend((0..middle_blocks).map(|_| BlockPlan {
            convolutions: 3,
            halves: false,
            ..halving(entry[2], entry[2])
        }));
        plans.push(BlockPlan { grows_first: false, ..halving(entry[2], exit) });
        let blocks = plans
            .iter()
            .enumerate()
            .map(|(i, plan)| Block::new(builder, &format!("block{}", i + 1), plan))
            .collect::<Result<_, _>>()?;

        let conv3 = ConvNorm::separable(builder, &names("conv3", "bn3"), (exit, tail[0]))?;
        let conv4 = ConvNorm::separable(builder, &names("conv4", "bn4"), (tail[0], tail[1]))?;
        Ok(Self { conv1, conv2, blocks, conv3, conv4 })
    }
}

impl Trunk for Xception {
    /// Entry and middle flow.
    fn entry(&self, images: &Tensor, pass: Pass) -> Result<Tensor, TchError> {
        let x = self.conv1.forward(images, pass)?.f_relu_()?;
        let mut x = self.conv2.forward(&x, pass)?.f_relu_()?;
        for block in &self.blocks[..self.blocks.len() - 1] {
            x = block.forward(&x, pass)?;
        }
        Ok(x)
    }

    /// Exit flow.
    fn exit(&self, maps: &Tensor, pass: Pass) -> Result<Tensor, TchError> {
        let mut x = maps.shallow_clone();
        for block in &self.blocks[self.blocks.len() - 1..] {
            x = block.forward(&x, pass)?;
        }
        let x = self.conv3.forward(&x, pass)?.f_relu_()?;
        self.conv4.forward(&x, pass)?.f_relu_()
    }

    fn fold(&mut self, kind: Kind) -> Result<(), TchError> {
        for layer in [&mut self.conv1, &mut self.conv2, &mut self.conv3, &mut self.conv4] {
            layer.fold(kind)?;
        }
        for block in &mut self.blocks {
            for layer in block.skip.iter_mut().chain(&mut block.convolutions) {
                layer.fold(kind)?;
            }
        }
        Ok(())
    }
}
