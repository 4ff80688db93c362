//! The parameters of a LAPGAN, how they start, and how they draw.

use burn::module::Module;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};

use super::LapganConfig;
use super::networks::{Discriminator, Layers, Residual};
use crate::error::{Error, Result};
use crate::model::{CaptionIds, Config, ImageSize, Sharpener, Values};
use crate::nn::caption_encoder::CaptionEncoder;
use crate::nn::on_device;
use crate::nn::start::Start;
use crate::text2image::feedforward::{Feedforward, FeedforwardPainter};

/// The weights of a LAPGAN.
#[derive(Module, Debug)]
pub struct Lapgan {
    /// Learned with the discriminators.
    caption: CaptionEncoder,
    /// Draws the smallest picture.
    pub(super) smallest: Layers,
    /// Add what doubled pictures lack, the smaller ones first.
    pub(super) residuals: Vec<Residual>,
    /// Discriminator of the smallest picture.
    pub(super) smallest_discriminator: Layers,
    /// Discriminators of doubled pictures, the smaller ones first.
    pub(super) discriminators: Vec<Discriminator>,
}

/// Pictures of half the size.
pub fn halved(pictures: Tensor<4>) -> Tensor<4> {
    let [batch, planes, height, width] = pictures.dims();
    let cells: Tensor<6> = pictures.reshape([batch, planes, height / 2, 2, width / 2, 2]);
    cells.mean_dim(5).mean_dim(3).reshape([batch, planes, height / 2, width / 2])
}

/// Pictures of another size, bilinearly.
pub fn resized(pictures: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let options = InterpolateOptions {
        align_corners: false,
        output_size: Some(size),
        ..InterpolateOptions::new(InterpolateMode::Bilinear)
    };
    interpolate(pictures, options)
}

impl Lapgan {
    /// Fresh weights from a seed.
    pub fn fresh(config: &LapganConfig, seed: u64, device: &Device) -> Self {
        let c = config;
        let sizes = c.sizes();
        let pixels = sizes.first().map_or(1, |[height, width]| height * width);
        let mut start = Start::new(seed, device);
        let doubled = &sizes[1.min(sizes.len())..];
        Self {
            caption: CaptionEncoder::fresh(c.vocabulary_size, c.embedding_size, c.word_size, &mut start),
            smallest: Layers::generator(c, pixels, &mut start),
            residuals: doubled.iter().map(|size| Residual::fresh(c, *size, &mut start)).collect(),
            smallest_discriminator: Layers::discriminator(c, pixels, &mut start),
            discriminators: doubled.iter().map(|size| Discriminator::fresh(c, *size, &mut start)).collect(),
        }
    }

    /// The same smallest pictures below fresh levels of a higher pyramid.
    pub fn grown(self, config: &LapganConfig) -> Self {
        let fresh = Self::fresh(config, 0, &self.device());
        Self { residuals: fresh.residuals, discriminators: fresh.discriminators, ..self }
    }

    /// Where its weights lie.
    pub fn device(&self) -> Device {
        self.caption.device()
    }

    /// The captions as vectors [batch, 2L].
    pub fn said(&self, captions: &CaptionIds) -> Tensor<2> {
        self.caption.mean(&captions.ids, captions.words)
    }

    /// The smallest pictures [batch, channel, height, width], from `noise` [batch, noise].
    pub fn smallest(&self, config: &LapganConfig, noise: Tensor<2>, said: &Tensor<2>) -> Tensor<4> {
        let [batch, _] = noise.dims();
        let [height, width] = config.sizes().first().copied().unwrap_or([1; 2]);
        self.smallest.draw(noise, said).reshape([batch, config.channels, height, width])
    }
}

impl Feedforward for Lapgan {
    type Config = LapganConfig;

    /// Of the smallest picture, then a map for each doubled one, which training alone uses.
    fn noise_len(config: &LapganConfig) -> usize {
        let maps: usize = config.sizes().iter().skip(1).map(|[height, width]| height * width).sum();
        config.noise_size + maps
    }

    /// The pictures of the pyramid, all in the size of the largest.
    ///
    /// **Deviations** Noise draws the smallest picture alone: above it there is none, as in the authors' sharpening. With
    /// the noise that they learn with, levels that were trained briefly strew grains.
    fn pictures(&self, config: &LapganConfig, captions: &CaptionIds, noise: Tensor<2>) -> Vec<Tensor<4>> {
        let (said, full) = (self.said(captions), [config.height, config.width]);
        let batch = captions.batch;
        let mut picture = self.smallest(config, noise.clone().narrow(1, 0, config.noise_size), &said);
        let mut pictures = vec![resized(picture.clone(), full)];
        for (residual, [height, width]) in self.residuals.iter().zip(config.sizes().into_iter().skip(1)) {
            let map = Tensor::zeros([batch, 1, height, width], &noise.device());
            picture = residual.sharpen(resized(picture, [height, width]), &said, map).clamp(0.0, 1.0);
            pictures.push(resized(picture.clone(), full));
        }
        pictures
    }

    fn sharpener(painter: &FeedforwardPainter<Self>) -> Option<&dyn Sharpener> {
        (!painter.model.residuals.is_empty()).then_some(painter)
    }
}

/// The last level alone, without noise, on pictures of any painter.
impl Sharpener for FeedforwardPainter<Lapgan> {
    fn image_size(&self) -> ImageSize {
        self.config.image_size()
    }

    fn sharpen(&self, captions: &CaptionIds, pictures: Vec<f32>) -> Result<Values> {
        let (Some(residual), 1..) = (self.model.residuals.last(), captions.words) else {
            return Err(Error::Config("there is no caption to sharpen by, expected one".to_owned()));
        };
        let ImageSize { channels, height, width } = self.config.image_size();
        let blurry = on_device(pictures, [captions.batch, channels, height, width], &self.device);
        let noise = Tensor::zeros([captions.batch, 1, height, width], &self.device);
        Ok(residual.sharpen(blurry, &self.model.said(captions), noise).clamp(0.0, 1.0).into())
    }
}
