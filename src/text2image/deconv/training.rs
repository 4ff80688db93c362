//! An LSTM with transposed convolutions in training.

use burn::tensor::{Device, Tensor};

use super::{Deconv, DeconvConfig, presets};
use crate::data::batch::TrainBatch;
use crate::model::{CaptionIds, Painter, Terms, TextToImage, Trainable};
use crate::options::Preset;
use crate::text2image::feedforward::{FeedforwardPainter, Inputs};

impl Deconv {
    /// Terms of pictures [batch, channel, height, width], [batch] each; `noise` is standard normal [batch, Z].
    ///
    /// **Equation** error `‖x − x̂‖² / 2σ²`, σ the deviation that the sizes give; with a prior the KL too.
    pub fn loss(
        &self,
        config: &DeconvConfig,
        captions: &CaptionIds,
        images: Tensor<4>,
        noise: Tensor<2>,
    ) -> Terms<Tensor<1>> {
        let code = self.code(captions);
        let (prior, posterior) = (self.expected(&code), self.recognised(images.clone(), &code));
        let (z, kl) = match prior.zip(posterior) {
            Some((prior, posterior)) => (code + posterior.sample(noise), Some(posterior.kl(&prior))),
            None => (code, None),
        };
        let error =
            (self.draw(config, &z) - images).square().flatten::<2>(1, 3).sum_dim(1).squeeze_dim::<1>(1);
        let mut terms = vec![("error", error / (2.0 * config.deviation * config.deviation))];
        terms.extend(kl.map(|kl| ("kl", kl)));
        Terms(terms)
    }
}

impl Trainable for Deconv {
    type Config = DeconvConfig;

    const BOUND: bool = false;

    fn init(config: &DeconvConfig, seed: u64, device: &Device) -> Self {
        Self::fresh(config, seed, device)
    }

    fn term_names(config: &DeconvConfig) -> Vec<&'static str> {
        if config.prior { vec!["error", "kl"] } else { vec!["error"] }
    }

    fn presets() -> Vec<Preset<DeconvConfig>> {
        presets::all()
    }

    fn terms(&self, config: &DeconvConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let Inputs { captions, images, noise } = Inputs::of(item, config, config.latent_size, &self.device());
        self.loss(config, &captions, images, noise)
    }
}

impl TextToImage for Deconv {
    fn painter(self, config: &DeconvConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(FeedforwardPainter::new(config, self, device))
    }
}
