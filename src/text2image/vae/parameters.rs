//! The parameters of a variational autoencoder and how they start.

use burn::module::Module;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};

use super::{Body, Prior, VaeConfig};
use crate::model::CaptionIds;
use crate::nn::caption_encoder::CaptionEncoder;
use crate::nn::convolution::{Convolution, Doubling, KERNEL};
use crate::nn::gaussian::Gaussian;
use crate::nn::layer::Layer;
use crate::nn::start::Start;
use crate::text2image::feedforward::Feedforward;

/// The weights of a variational autoencoder.
#[derive(Module, Debug)]
pub struct Vae {
    caption: CaptionEncoder,
    /// Caption → prior, mean then log standard deviation, before tanh [2L, 2Z]; none: N(0, I).
    prior: Option<Layer>,
    /// Dense: picture → hidden layer [CHW, H]; the caption comes in behind it.
    see: Option<Layer>,
    /// Convolutional: each halves the picture.
    halvings: Vec<Convolution>,
    /// What was seen, and caption → mean, then log standard deviation [S + 2L, 2Z].
    posterior: Layer,
    /// Latents and caption → what is drawn from [Z + 2L, S].
    imagine: Layer,
    /// Dense: hidden layer → logits [H, CHW].
    draw: Option<Layer>,
    /// Convolutional: each doubles the picture, the last one to logits.
    doublings: Vec<Doubling>,
}

impl Vae {
    /// Fresh weights from a seed.
    pub fn fresh(config: &VaeConfig, seed: u64, device: &Device) -> Self {
        let c = config;
        let (said, z, seen, image) =
            (2 * c.word_size, c.latent_size, c.seen_len(), c.channels * c.height * c.width);
        let mut start = Start::new(seed, device);
        let caption = CaptionEncoder::fresh(c.vocabulary_size, c.embedding_size, c.word_size, &mut start);
        let prior = (c.prior == Prior::Conditional).then(|| Layer::faint(said, 2 * z, &mut start));
        let dense = c.body == Body::Dense;
        let see = dense.then(|| Layer::fresh(image, c.hidden_size, &mut start));
        let draw = dense.then(|| Layer::fresh(c.hidden_size, image, &mut start));
        let mut from = c.channels;
        let (mut halvings, mut doublings) = (Vec::new(), Vec::new());
        for maps in c.maps() {
            halvings.push(Convolution::halving(from, maps, &mut start));
            doublings.push(Doubling::fresh(maps, from, &mut start));
            from = maps;
        }
        doublings.reverse();
        let posterior = Layer::fresh(seen + said, 2 * z, &mut start);
        let imagine = Layer::fresh(z + said, seen, &mut start);
        Self { caption, prior, see, halvings, posterior, imagine, draw, doublings }
    }

    /// Where its weights lie.
    pub fn device(&self) -> Device {
        self.caption.device()
    }

    /// The captions as vectors [batch, 2L].
    pub fn said(&self, captions: &CaptionIds) -> Tensor<2> {
        self.caption.mean(&captions.ids, captions.words)
    }

    /// What is expected of the latents.
    pub fn expected(&self, config: &VaeConfig, said: &Tensor<2>) -> Gaussian {
        match &self.prior {
            Some(prior) => Gaussian::side_by_side(prior.forward(said).tanh()),
            None => {
                let [batch, _] = said.dims();
                Gaussian::side_by_side(Tensor::zeros([batch, 2 * config.latent_size], &said.device()))
            }
        }
    }

    /// What the pictures [batch, channel, height, width] tell of the latents.
    pub fn recognised(&self, images: Tensor<4>, said: &Tensor<2>) -> Gaussian {
        let seen = match &self.see {
            Some(see) => relu(see.forward(&images.flatten::<2>(1, 3))),
            None => {
                let halved = self.halvings.iter().fold(images, |x, layer| relu(layer.forward(x)));
                halved.flatten::<2>(1, 3)
            }
        };
        Gaussian::side_by_side(self.posterior.forward(&Tensor::cat(vec![seen, said.clone()], 1)))
    }

    /// Logits of the pictures [batch, channel, height, width].
    pub fn logits(&self, config: &VaeConfig, z: Tensor<2>, said: &Tensor<2>) -> Tensor<4> {
        let [batch, _] = z.dims();
        let from = relu(self.imagine.forward(&Tensor::cat(vec![z, said.clone()], 1)));
        if let Some(draw) = &self.draw {
            return draw.forward(&from).reshape([batch, config.channels, config.height, config.width]);
        }
        let maps = config.maps().last().copied().unwrap_or(0);
        let small: Tensor<4> = from.reshape([batch, maps, KERNEL, KERNEL]);
        let last = self.doublings.len().saturating_sub(1);
        self.doublings.iter().enumerate().fold(small, |x, (at, layer)| {
            let doubled = layer.forward(x);
            if at < last { relu(doubled) } else { doubled }
        })
    }
}

impl Feedforward for Vae {
    type Config = VaeConfig;

    fn noise_len(config: &VaeConfig) -> usize {
        config.latent_size
    }

    fn pictures(&self, config: &VaeConfig, captions: &CaptionIds, noise: Tensor<2>) -> Vec<Tensor<4>> {
        let said = self.said(captions);
        let z = self.expected(config, &said).sample(noise);
        vec![sigmoid(self.logits(config, z, &said))]
    }
}
