//! A variational autoencoder in training: its bound.

use burn::tensor::{Device, Tensor};

use super::{Vae, VaeConfig, presets};
use crate::data::batch::TrainBatch;
use crate::model::{CaptionIds, Painter, Reconstructions, Terms, TextToImage, Trainable};
use crate::options::Preset;
use crate::text2image::feedforward::{FeedforwardPainter, Inputs};

/// The bound's terms, nats per image.
const TERMS: [&str; 2] = ["reconstruction", "kl"];

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
        let terms = self.reconstruct(config, captions, &images, noise).terms(images);
        Terms(TERMS.into_iter().zip(terms).collect())
    }

    /// Pictures drawn from their posterior, as [`Self::bound`] takes them.
    fn reconstruct(
        &self,
        config: &VaeConfig,
        captions: &CaptionIds,
        images: &Tensor<4>,
        noise: Tensor<2>,
    ) -> Reconstructions {
        let said = self.said(captions);
        let posterior = self.recognised(images.clone(), &said);
        let kl = posterior.kl(&self.expected(config, &said));
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
        Some(self.reconstruct(config, &captions, &images, noise))
    }
}

impl TextToImage for Vae {
    fn painter(self, config: &VaeConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(FeedforwardPainter::new(config, self, device))
    }
}
