//! The DRAW family in training: its terms in burn tensors, and the fused passes of the CPU.

use burn::tensor::{Device, Tensor, TensorData};

use super::cpu::{Losses, Shard, Weights, image_bounds, log_weights, loss_and_gradients, losses};
use super::definition::CaptionInput;
use super::painter::{DevicePainter, FusedPainter};
use super::{Draw, DrawConfig, ParameterValues, presets};
use crate::data::{batch::TrainBatch, noise::Noise};
use crate::error::Result;
use crate::model::{Config, FusedPasses, ImageSize, Painter, TakeTensor, Terms, TextToImage, Trainable};
use crate::options::Preset;
use crate::platform;

/// The bound's terms, nats per image.
const TERMS: [&str; 2] = ["reconstruction", "kl"];

impl Config for DrawConfig {
    fn check(&self) -> Result<()> {
        Self::check(self)
    }

    fn image_size(&self) -> ImageSize {
        ImageSize { channels: self.channels, height: self.height, width: self.width }
    }

    fn num_steps(&self) -> usize {
        self.num_steps
    }

    fn with_num_steps(self, num_steps: usize) -> Self {
        Self { num_steps, ..self }
    }

    fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    fn fit_data(&mut self, words: usize, image: Option<ImageSize>) {
        if self.reads_words() {
            self.vocabulary_size = self.vocabulary_size.max(words);
        }
        if let Some(size) = image {
            (self.channels, self.height, self.width) = (size.channels, size.height, size.width);
        }
    }

    fn memory_bytes(&self) -> u64 {
        let weights: u64 = self.parameters().iter().map(|(_, _, shape)| product(shape)).sum();
        let step = [
            2 * self.image_len(),
            2 * self.decoder_size,
            self.align_size + 4 * self.decoder_size + 2 * self.latent_size + self.patch_len(),
            self.write_size * (self.height + self.width),
        ];
        let step: u64 = step.iter().map(|&floats| floats as u64).sum();
        4 * weights.saturating_add(step.saturating_mul(self.num_steps as u64 + 1))
    }
}

fn product(shape: &[usize]) -> u64 {
    shape.iter().fold(1, |product, &size| product.saturating_mul(size as u64))
}

impl Trainable for Draw {
    type Config = DrawConfig;

    fn init(config: &DrawConfig, seed: u64, device: &Device) -> Self {
        Self::from_host(config, ParameterValues::init(config, seed), device)
    }

    fn term_names(_: &DrawConfig) -> Vec<&'static str> {
        TERMS.to_vec()
    }

    fn presets() -> Vec<Preset<DrawConfig>> {
        presets::all()
    }

    fn terms(&self, config: &DrawConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let device = self.initial_canvas.val().device();
        let batch = item.batch.len();
        let captions = CaptionInput::of(config, item.batch.captions(), &device);
        let shape = [batch, config.channels, config.height, config.width];
        let images = Tensor::from_data(TensorData::new(item.batch.images.to_vec(), shape), &device);
        let (steps, latent) = (config.num_steps, config.latent_size);
        let noise: Vec<f32> = (0..batch)
            .flat_map(|b| Noise::stream(item.noise_seed, b as u64).normals(steps * latent))
            .collect();
        let noise = Tensor::from_data(TensorData::new(noise, [batch, steps, latent]), &device);
        let (reconstruction, kl) = self.bound(config, captions, images, noise);
        Terms(TERMS.into_iter().zip([reconstruction, kl]).collect())
    }

    fn adapt(self, from: &DrawConfig, to: &DrawConfig) -> Result<Self> {
        let device = self.initial_canvas.val().device();
        Ok(Self::from_host(to, self.to_host().upsample_to(from, to)?, &device))
    }

    fn fused(_: &DrawConfig, threads: usize) -> Option<Box<dyn FusedPasses<Self>>> {
        Some(Box::new(Fused((0..threads.max(1)).map(|_| Shard::default()).collect())))
    }
}

/// The fused passes, their memory kept between updates; one shard of a batch for each thread.
struct Fused(Vec<Shard>);

fn terms(losses: Losses) -> Terms<f64> {
    Terms(TERMS.into_iter().zip([losses.reconstruction, losses.kl]).collect())
}

impl FusedPasses<Draw> for Fused {
    fn gradients(
        &mut self,
        model: &Draw,
        config: &DrawConfig,
        item: &TrainBatch,
    ) -> (Terms<f64>, Vec<Vec<f32>>) {
        let weights = Weights::new(config, model.to_host());
        let (losses, gradients) = loss_and_gradients(&weights, &item.batch, item.noise_seed, &mut self.0);
        (terms(losses), gradients.into_vectors())
    }

    fn terms(&mut self, model: &Draw, config: &DrawConfig, item: &TrainBatch) -> Terms<f64> {
        let weights = Weights::new(config, model.to_host());
        terms(losses(&weights, &item.batch, item.noise_seed, &mut self.0))
    }

    fn image_bounds(&mut self, model: &Draw, config: &DrawConfig, item: &TrainBatch) -> Option<Vec<f64>> {
        let weights = Weights::new(config, model.to_host());
        Some(image_bounds(&weights, &item.batch, item.noise_seed, &mut self.0))
    }

    fn log_weights(&mut self, model: &Draw, config: &DrawConfig, item: &TrainBatch) -> Option<Vec<f64>> {
        let weights = Weights::new(config, model.to_host());
        Some(log_weights(&weights, &item.batch, item.noise_seed, &mut self.0))
    }
}

impl TextToImage for Draw {
    const FUSED: bool = true;

    fn painter(self, config: &DrawConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(DevicePainter::new(config, self, device))
    }

    fn fused_painter(config: &DrawConfig, take: &mut TakeTensor) -> Option<Result<Box<dyn Painter>>> {
        let values = ParameterValues::from_named(config, take);
        // A few pictures at a time are bound by reading weights, many by arithmetic.
        let pack = if platform::HAS_PACKED_GEMM { Weights::new } else { Weights::for_painting };
        Some(values.map(|values| Box::new(FusedPainter(pack(config, values).into())) as Box<dyn Painter>))
    }
}
