//! The networks of a LAPGAN's levels.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::{leaky_relu, relu, sigmoid};

use super::config::{KERNELS, LapganConfig, judged_side};
use crate::nn::convolution::Convolution;
use crate::nn::layer::Layer;
use crate::nn::start::Start;

/// Slope of a discriminator's rectifiers below 0.
const LEAK: f64 = 0.2;

/// Three layers.
#[derive(Module, Debug)]
pub struct Layers {
    first: Layer,
    second: Layer,
    third: Layer,
}

impl Layers {
    fn fresh([from, hidden, to]: [usize; 3], start: &mut Start) -> Self {
        Self {
            first: Layer::rectified(from, hidden, start),
            second: Layer::rectified(hidden, hidden, start),
            third: Layer::rectified(hidden, to, start),
        }
    }

    /// The generator of the smallest picture.
    pub fn generator(config: &LapganConfig, pixels: usize, start: &mut Start) -> Self {
        let from = config.noise_size + 2 * config.word_size;
        Self::fresh([from, config.hidden_size, pixels * config.channels], start)
    }

    /// Its discriminator.
    pub fn discriminator(config: &LapganConfig, pixels: usize, start: &mut Start) -> Self {
        let from = pixels * config.channels + 2 * config.word_size;
        Self::fresh([from, config.hidden_size, 1], start)
    }

    /// The smallest pictures in [0, 1] [batch, channel · pixel] from `noise` [batch, noise] and sentences [batch, 2L].
    pub fn draw(&self, noise: Tensor<2>, said: &Tensor<2>) -> Tensor<2> {
        let hidden = relu(self.first.forward(&Tensor::cat(vec![noise, said.clone()], 1)));
        sigmoid(self.third.forward(&relu(self.second.forward(&hidden))))
    }

    /// How true pictures look, logits [batch]; `keep` [batch, hidden] is dropout's.
    pub fn judge(&self, pictures: &Tensor<4>, said: &Tensor<2>, keep: Option<&Tensor<2>>) -> Tensor<1> {
        let seen = pictures.clone().flatten::<2>(1, 3) * 2.0 - 1.0;
        let hidden = leaky_relu(self.first.forward(&Tensor::cat(vec![seen, said.clone()], 1)), LEAK);
        let hidden = leaky_relu(self.second.forward(&hidden), LEAK);
        self.third.forward(&dropped(hidden, keep)).squeeze_dim(1)
    }
}

fn dropped(x: Tensor<2>, keep: Option<&Tensor<2>>) -> Tensor<2> {
    match keep {
        Some(keep) => x * keep.clone(),
        None => x,
    }
}

/// What is said as one map of a size [batch, 1, height, width].
fn said_map(layer: &Layer, said: &Tensor<2>, [height, width]: [usize; 2]) -> Tensor<4> {
    let [batch, _] = said.dims();
    relu(layer.forward(said)).reshape([batch, 1, height, width])
}

/// The generator of what a doubled picture lacks.
#[derive(Module, Debug)]
pub struct Residual {
    said: Layer,
    first: Convolution,
    second: Convolution,
    third: Convolution,
}

impl Residual {
    /// Fresh weights for pictures of a size; it begins by adding little.
    pub fn fresh(config: &LapganConfig, [height, width]: [usize; 2], start: &mut Start) -> Self {
        let ([wide, narrow], maps, planes) = (KERNELS, config.maps, config.channels);
        Self {
            said: Layer::fresh(2 * config.word_size, height * width, start),
            first: Convolution::keeping(planes + 2, maps, wide, start),
            second: Convolution::keeping(maps, maps, wide, start),
            third: Convolution::faint(maps, planes, narrow, start),
        }
    }

    /// Sharper pictures of `blurry` [batch, channel, height, width], not yet cut to [0, 1], with one map of noise
    /// [batch, 1, height, width].
    pub fn sharpen(&self, blurry: Tensor<4>, said: &Tensor<2>, noise: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = blurry.dims();
        let said = said_map(&self.said, said, [height, width]);
        let heard = Tensor::cat(vec![noise, said, blurry.clone()], 1);
        let hidden = relu(self.second.forward(relu(self.first.forward(heard))));
        blurry + self.third.forward(hidden)
    }
}

/// The discriminator of a doubled picture.
#[derive(Module, Debug)]
pub struct Discriminator {
    said: Layer,
    first: Convolution,
    second: Convolution,
    verdict: Layer,
}

impl Discriminator {
    /// Fresh weights for pictures of a size.
    pub fn fresh(config: &LapganConfig, size @ [height, width]: [usize; 2], start: &mut Start) -> Self {
        let ([_, kernel], maps) = (KERNELS, config.maps);
        Self {
            said: Layer::fresh(2 * config.word_size, height * width, start),
            first: Convolution::valid(config.channels + 1, maps, kernel, 1, start),
            second: Convolution::valid(maps, maps, kernel, 2, start),
            verdict: Layer::fresh(judged_len(config, size), 1, start),
        }
    }

    /// How true pictures look, logits [batch]; `keep` [batch, [`judged_len`]] is dropout's.
    pub fn judge(&self, pictures: &Tensor<4>, said: &Tensor<2>, keep: Option<&Tensor<2>>) -> Tensor<1> {
        let [_, _, height, width] = pictures.dims();
        let seen =
            Tensor::cat(vec![pictures.clone() * 2.0 - 1.0, said_map(&self.said, said, [height, width])], 1);
        let hidden = leaky_relu(self.first.forward(seen), LEAK);
        let hidden = leaky_relu(self.second.forward(hidden), LEAK);
        self.verdict.forward(&dropped(hidden.flatten::<2>(1, 3), keep)).squeeze_dim(1)
    }
}

/// Numbers that the verdict on pictures of a size is made of.
pub fn judged_len(config: &LapganConfig, [height, width]: [usize; 2]) -> usize {
    config.maps * judged_side(height) * judged_side(width)
}
