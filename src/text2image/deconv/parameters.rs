//! The parameters of an LSTM with transposed convolutions and how they start.

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};

use super::DeconvConfig;
use crate::model::CaptionIds;
use crate::nn::convolution::{Convolution, Doubling, KERNEL};
use crate::nn::gaussian::Gaussian;
use crate::nn::indices;
use crate::nn::layer::Layer;
use crate::nn::lstm::OverWords;
use crate::nn::start::Start;
use crate::text2image::feedforward::Feedforward;

/// Standard deviation of a word's embedding that no file gives: that of the word vectors which the presets begin with.
const EMBEDDING_STD: f32 = 0.4;

/// The weights; gates in the order i, f, g, o.
#[derive(Module, Debug)]
pub struct Deconv {
    /// Word → embedding [V, embedding].
    word_embedding: Param<Tensor<2>>,
    /// Embedding → gates [embedding, 4Z].
    caption_input: Param<Tensor<2>>,
    /// State → gates [Z, 4Z].
    caption_recurrent: Param<Tensor<2>>,
    /// Gate bias [4Z].
    caption_bias: Param<Tensor<1>>,
    /// Code → maps of 4×4 [Z, 16M].
    small: Layer,
    /// Batch norms, before each doubling.
    norms: Vec<BatchNorm>,
    /// Transposed convolutions, the last to the picture.
    doublings: Vec<Doubling>,
    /// Variant: code → log standard deviation of the prior, before tanh [Z, Z].
    prior: Option<Layer>,
    /// Variant: convolutions that halve the picture down to 4×4.
    halvings: Vec<Convolution>,
    /// Variant: what was seen → what the posterior adds to the code, then its log standard deviation [16M + Z, 2Z].
    posterior: Option<Layer>,
}

impl Deconv {
    /// Fresh weights from a seed.
    pub fn fresh(config: &DeconvConfig, seed: u64, device: &Device) -> Self {
        let (z, embedding, widths) = (config.latent_size, config.embedding_size, config.widths());
        let mut start = Start::new(seed, device);
        let bound = 1.0 / (z as f32).sqrt();
        let word_embedding = start.normal([config.vocabulary_size, embedding], EMBEDDING_STD);
        let caption_input = start.uniform([embedding, 4 * z], bound);
        let caption_recurrent = start.uniform([z, 4 * z], bound);
        let caption_bias = start.uniform([4 * z], bound);
        let small = Layer::fresh(z, config.small_len(), &mut start);
        let doublings = widths.windows(2).map(|pair| Doubling::fresh(pair[0], pair[1], &mut start)).collect();
        let norm = |maps: &usize| BatchNormConfig::new(*maps).init(device);
        let norms = widths[..widths.len() - 1].iter().map(norm).collect();
        let prior = config.prior.then(|| Layer::faint(z, z, &mut start));
        let posterior = config.prior.then(|| Layer::faint(config.small_len() + z, 2 * z, &mut start));
        let halved = widths.windows(2).rev().filter(|_| config.prior);
        let halvings = halved.map(|pair| Convolution::halving(pair[1], pair[0], &mut start)).collect();
        Self {
            word_embedding,
            caption_input,
            caption_recurrent,
            caption_bias,
            small,
            norms,
            doublings,
            prior,
            halvings,
            posterior,
        }
    }

    /// Where its weights lie.
    pub fn device(&self) -> Device {
        self.word_embedding.val().device()
    }

    /// The last state over each caption [batch, Z].
    pub fn code(&self, captions: &CaptionIds) -> Tensor<2> {
        let embedded = self.word_embedding.val().select(0, indices(captions.ids.clone(), &self.device()));
        let lstm = OverWords {
            input: &self.caption_input,
            recurrent: &self.caption_recurrent,
            bias: &self.caption_bias,
            backward: false,
        };
        let states = lstm.states(&embedded, captions.batch, captions.words);
        states.narrow(1, captions.words - 1, 1).squeeze_dim(1)
    }

    /// What is added to a code before the picture is seen: standard deviations `e^{−1 + tanh}`, 0.14 to 1. None for
    /// the model whose code is fixed.
    pub fn expected(&self, code: &Tensor<2>) -> Option<Gaussian> {
        let log_std = self.prior.as_ref()?.forward(code).tanh() - 1.0;
        Some(Gaussian { mean: Tensor::zeros_like(&log_std), log_std })
    }

    /// What the pictures [batch, channel, height, width] tell of that.
    pub fn recognised(&self, images: Tensor<4>, code: &Tensor<2>) -> Option<Gaussian> {
        let posterior = self.posterior.as_ref()?;
        let seen = self.halvings.iter().fold(images, |x, layer| relu(layer.forward(x)));
        let both = Tensor::cat(vec![seen.flatten::<2>(1, 3), code.clone()], 1);
        Some(Gaussian::side_by_side(posterior.forward(&both)))
    }

    /// Pictures in [0, 1] of codes [batch, Z].
    pub fn draw(&self, config: &DeconvConfig, z: &Tensor<2>) -> Tensor<4> {
        let [batch, _] = z.dims();
        let small: Tensor<4> = self.small.forward(z).reshape([batch, config.maps, KERNEL, KERNEL]);
        let layers = self.norms.iter().zip(&self.doublings);
        sigmoid(layers.fold(small, |x, (norm, doubling)| doubling.forward(relu(norm.forward(x)))))
    }
}

impl Feedforward for Deconv {
    type Config = DeconvConfig;

    fn noise_len(config: &DeconvConfig) -> usize {
        if config.prior { config.latent_size } else { 0 }
    }

    fn pictures(&self, config: &DeconvConfig, captions: &CaptionIds, noise: Tensor<2>) -> Vec<Tensor<4>> {
        let code = self.code(captions);
        let z = match self.expected(&code) {
            Some(prior) => code + prior.sample(noise),
            None => code,
        };
        vec![self.draw(config, &z)]
    }
}
