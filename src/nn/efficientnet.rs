//! EfficientNet-Lite0 (Tan & Le 2019; the Lite variants without squeeze-and-excitation, with ReLU6), as its TensorFlow
//! checkpoints have it, batch norms folded into the convolutions. Inference alone: no dropout, no stochastic depth.

use burn::module::{Module, Param};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

/// Side of the square pictures, pixels.
pub const SIDE: usize = 224;
/// Cells along each side of the maps.
pub const GRID: usize = 7;
/// Channels of the last map.
pub const FEATURES: usize = 1280;
/// Channels of the map before the head.
const NARROW: usize = 320;
/// Channels after the first convolution.
const STEM: usize = 32;

/// Blocks that share their sizes.
struct Stage {
    blocks: usize,
    kernel: usize,
    /// Of the first block; 1 for the others.
    stride: usize,
    /// Times that a block widens what it gets.
    expansion: usize,
    channels: usize,
}

const fn stage(blocks: usize, kernel: usize, stride: usize, expansion: usize, channels: usize) -> Stage {
    Stage { blocks, kernel, stride, expansion, channels }
}

const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(2, 5, 2, 6, 40),
    stage(3, 3, 2, 6, 80),
    stage(3, 5, 1, 6, 112),
    stage(4, 5, 2, 6, 192),
    stage(1, 3, 1, 6, NARROW),
];

/// A convolution with TensorFlow's "same" padding: `⌈size / stride⌉` pixels come out, and where the padding is
/// odd, the odd pixel goes to the right and below.
fn same(x: Tensor<4>, weight: Tensor<4>, bias: &Param<Tensor<1>>, stride: usize, groups: usize) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let [_, _, kernel, _] = weight.dims();
    let padding = [height, width].map(|size| {
        let all = ((size.div_ceil(stride) - 1) * stride + kernel).saturating_sub(size);
        (all / 2, all - all / 2)
    });
    let options = ConvOptions::new_with_padding([stride; 2], padding, [1; 2], groups);
    conv2d(x, weight, Some(bias.val()), options)
}

fn relu6(x: Tensor<4>) -> Tensor<4> {
    x.clamp(0.0, 6.0)
}

fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::zeros(shape, device))
}

/// A product at each pixel: a convolution with a kernel of one pixel.
#[derive(Module, Debug)]
struct Pointwise {
    /// [out, in].
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Pointwise {
    fn init(from: usize, to: usize, device: &Device) -> Self {
        Self { weight: zeros([to, from], device), bias: zeros([to], device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let [to, from] = weight.dims();
        same(x, weight.reshape([to, from, 1, 1]), &self.bias, 1, 1)
    }
}

/// A kernel for each channel.
#[derive(Module, Debug)]
struct Depthwise {
    /// [channel, kernel, kernel].
    weight: Param<Tensor<3>>,
    bias: Param<Tensor<1>>,
    stride: usize,
}

impl Depthwise {
    fn init(channels: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        Self { weight: zeros([channels, kernel, kernel], device), bias: zeros([channels], device), stride }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let [channels, kernel, _] = weight.dims();
        same(x, weight.reshape([channels, 1, kernel, kernel]), &self.bias, self.stride, channels)
    }
}

/// An inverted residual block.
#[derive(Module, Debug)]
struct Block {
    expand: Option<Pointwise>,
    depthwise: Depthwise,
    project: Pointwise,
    residual: bool,
}

impl Block {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let wide = match &self.expand {
            Some(expand) => relu6(expand.forward(x.clone())),
            None => x.clone(),
        };
        let narrow = self.project.forward(relu6(self.depthwise.forward(wide)));
        if self.residual { x + narrow } else { narrow }
    }
}

/// The first convolution.
#[derive(Module, Debug)]
struct Stem {
    /// [32, 3, 3, 3].
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
}

/// The network up to its last map; its classifier is left out.
#[derive(Module, Debug)]
pub struct EfficientNetLite0 {
    stem: Stem,
    blocks: Vec<Block>,
    head: Pointwise,
}

impl EfficientNetLite0 {
    /// The network with weights of zero, to be filled from a file.
    pub fn init(device: &Device) -> Self {
        let stem = Stem { weight: zeros([STEM, 3, 3, 3], device), bias: zeros([STEM], device) };
        let (mut blocks, mut channels) = (Vec::new(), STEM);
        for Stage { blocks: count, kernel, stride, expansion, channels: to } in STAGES {
            for at in 0..count {
                let wide = channels * expansion;
                let stride = if at == 0 { stride } else { 1 };
                blocks.push(Block {
                    expand: (expansion > 1).then(|| Pointwise::init(channels, wide, device)),
                    depthwise: Depthwise::init(wide, kernel, stride, device),
                    project: Pointwise::init(wide, to, device),
                    residual: at > 0,
                });
                channels = to;
            }
        }
        Self { stem, blocks, head: Pointwise::init(NARROW, FEATURES, device) }
    }

    /// The last map, 0 to 6: pictures [batch, 3, 224, 224], RGB from 0 to 255, to [batch, 1280, 7, 7].
    pub fn forward(&self, pictures: Tensor<4>) -> Tensor<4> {
        let x = (pictures - 127.0) / 128.0;
        let x = relu6(same(x, self.stem.weight.val(), &self.stem.bias, 2, 1));
        let narrow = self.blocks.iter().fold(x, |x, block| block.forward(x));
        relu6(self.head.forward(narrow))
    }
}
