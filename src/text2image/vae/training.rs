//! A variational autoencoder in training: its bound.

use burn::tensor::{Device, Tensor};

use super::{Vae, VaeConfig, presets};
use crate::data::batch::TrainBatch;
use crate::model::{CaptionIds, Painter, Reconstructions, Terms, TextToImage, Trainable};
use crate::nn::gaussian::Gaussian;
use crate::options::Preset;
use crate::text2image::feedforward::{FeedforwardPainter, Inputs};

/// The bound's terms, nats per image.
const TERMS: [&str; 2] = ["reconstruction", "kl"];

/// The nats of a bound's term.
fn kl(posterior: &Gaussian, prior: &Gaussian, _: &Tensor<2>) -> Tensor<1> {
    posterior.kl(prior)
}

impl Vae {
    /// The bound's terms of pictures [batch, channel, height, width], nats [batch] each; `noise` is standard normal
    /// [batch, latent].
    pub fn bound(
        &self,
        config: &VaeConfig,
        captions: &CaptionIds,
        images: Tensor<4>,
        noise: Tensor<2>,
    ) -> Terms<Tensor<1>> {
        let terms = self.reconstruct(config, captions, &images, noise, kl).terms(images);
        Terms(TERMS.into_iter().zip(terms).collect())
    }

    /// Pictures drawn from their posterior, as [`Self::bound`] takes them; `apart` are the nats [batch] between posterior
    /// and prior, which it is given with the noise.
    fn reconstruct(
        &self,
        config: &VaeConfig,
        captions: &CaptionIds,
        images: &Tensor<4>,
        noise: Tensor<2>,
        apart: impl Fn(&Gaussian, &Gaussian, &Tensor<2>) -> Tensor<1>,
    ) -> Reconstructions {
        let said = self.said(captions);
        let posterior = self.recognised(images.clone(), &said);
        let kl = apart(&posterior, &self.expected(config, &said), &noise);
        Reconstructions { logits: self.logits(config, posterior.sample(noise), &said), kl }
    }

    fn inputs(&self, config: &VaeConfig, item: &TrainBatch) -> Inputs {
        Inputs::of(item, config, config.latent_size, &self.device())
    }
}

impl Trainable for Vae {
    type Config = VaeConfig;

    fn init(config: &VaeConfig, seed: u64, device: &Device) -> Self {
        Self::fresh(config, seed, device)
    }

    fn term_names(_: &VaeConfig) -> Vec<&'static str> {
        TERMS.to_vec()
    }

    fn presets() -> Vec<Preset<VaeConfig>> {
        presets::all()
    }

    fn terms(&self, config: &VaeConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let Inputs { captions, images, noise } = self.inputs(config, item);
        self.bound(config, &captions, images, noise)
    }

    fn reconstructions(&self, config: &VaeConfig, item: &TrainBatch) -> Option<Reconstructions> {
        let Inputs { captions, images, noise } = self.inputs(config, item);
        Some(self.reconstruct(config, &captions, &images, noise, kl))
    }

    fn log_weights(&self, config: &VaeConfig, item: &TrainBatch) -> Option<Tensor<1>> {
        let Inputs { captions, images, noise } = self.inputs(config, item);
        let at_sample = |q: &Gaussian, p: &Gaussian, noise: &Tensor<2>| q.log_ratio(p, noise).neg();
        let [nats, apart] = self.reconstruct(config, &captions, &images, noise, at_sample).terms(images);
        Some((nats + apart).neg())
    }
}

impl TextToImage for Vae {
    fn painter(self, config: &VaeConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(FeedforwardPainter::new(config, self, device))
    }
}
