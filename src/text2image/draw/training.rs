//! The DRAW family in training: its terms in burn tensors, and the fused passes of the CPU.

use std::borrow::Cow;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::cpu::{Losses, Shard, Weights, image_bounds, log_weights, loss_and_gradients, losses};
use super::definition::CaptionInput;
use super::painter::{DevicePainter, FusedPainter};
use super::{Draw, DrawConfig, ParameterValues, presets};
use crate::data::{
    batch::{CaptionBatch, TrainBatch},
    noise::Noise,
};
use crate::error::Result;
use crate::model::{
    Config, FusedPasses, ImageSize, Painter, Reconstructions, TakeTensor, Terms, TextToImage, Trainable,
};
use crate::options::Preset;
use crate::platform;
use crate::sentence::{encoder::SentenceEncoder, host::HostEncoder};

/// The bound's terms, nats per image.
const TERMS: [&str; 2] = ["reconstruction", "kl"];
/// Stream of a seed's noise for the encoder of sentences, apart from that of the other weights.
const ENCODER_STREAM: u64 = 1;
/// Seed of what a model does not take over from one with another kind of conditioning.
const OTHER_CONDITIONING_SEED: u64 = 1;

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
        if self.reads_words() || self.sentence_encoder().is_some() {
            self.vocabulary_size = self.vocabulary_size.max(words);
        }
        if let Some(size) = image {
            (self.channels, self.height, self.width) = (size.channels, size.height, size.width);
        }
    }

    fn memory_bytes(&self) -> u64 {
        let table: u64 = self.parameters().iter().map(|(_, _, shape)| product(shape)).sum();
        let weights = table + self.sentence_encoder().map_or(0, |encoder| encoder.parameters());
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
        let sentences = config.sentence_encoder();
        let sentences = sentences
            .map(|encoder| SentenceEncoder::init(&encoder, &mut Noise::stream(seed, ENCODER_STREAM), device));
        Self { sentences, ..Self::from_host(config, ParameterValues::init(config, seed), device) }
    }

    fn term_names(_: &DrawConfig) -> Vec<&'static str> {
        TERMS.to_vec()
    }

    fn presets() -> Vec<Preset<DrawConfig>> {
        presets::all()
    }

    fn terms(&self, config: &DrawConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let (captions, images, noise) = self.inputs(config, item);
        let (reconstruction, kl) = self.bound(config, captions, images, noise);
        Terms(TERMS.into_iter().zip([reconstruction, kl]).collect())
    }

    fn reconstructions(&self, config: &DrawConfig, item: &TrainBatch) -> Option<Reconstructions> {
        let (captions, images, noise) = self.inputs(config, item);
        Some(self.reconstruct(config, captions, &images, noise))
    }

    fn adapt(self, from: &DrawConfig, to: &DrawConfig) -> Result<Self> {
        let device = self.initial_canvas.val().device();
        let host = self.to_host();
        if from.conditioning == to.conditioning {
            let sentences = self.sentences;
            return Ok(Self { sentences, ..Self::from_host(to, host.upsample_to(from, to)?, &device) });
        }
        let fresh = Self::init(to, OTHER_CONDITIONING_SEED, &device);
        let host = host.with_conditioning(from, to, fresh.to_host())?;
        Ok(Self { sentences: fresh.sentences, ..Self::from_host(to, host, &device) })
    }

    fn fused(_: &DrawConfig, threads: usize) -> Option<Box<dyn FusedPasses<Self>>> {
        let shards = (0..threads.max(1)).map(|_| Shard::default()).collect();
        Some(Box::new(Fused { shards, sentences: None, held: None }))
    }
}

impl Draw {
    /// What is said, the images [batch, channel, height, width] and the noise [batch, step, latent] of a batch.
    fn inputs(&self, config: &DrawConfig, item: &TrainBatch) -> (CaptionInput, Tensor<4>, Tensor<3>) {
        let device = self.initial_canvas.val().device();
        let batch = item.batch.len();
        let captions = self.caption_input(config, item.batch.captions(), &device);
        let shape = [batch, config.channels, config.height, config.width];
        let images = Tensor::from_data(TensorData::new(item.batch.images.to_vec(), shape), &device);
        let (steps, latent) = (config.num_steps, config.latent_size);
        let noise: Vec<f32> = (0..batch)
            .flat_map(|b| Noise::stream(item.noise_seed, b as u64).normals(steps * latent))
            .collect();
        (captions, images, Tensor::from_data(TensorData::new(noise, [batch, steps, latent]), &device))
    }
}

/// The fused passes, their memory kept between updates.
struct Fused {
    /// One part of a batch for each thread.
    shards: Vec<Shard>,
    /// A copy of the model's encoder of sentences, which a run does not change, and what it has read.
    sentences: Option<HostEncoder>,
    /// The packed weights of the one model that is asked.
    held: Option<Arc<Weights>>,
}

impl Fused {
    /// The packed weights of a model.
    fn weights(&self, model: &Draw, config: &DrawConfig) -> Arc<Weights> {
        self.held.clone().unwrap_or_else(|| Arc::new(Weights::new(config, model.to_host())))
    }

    /// A batch in the form that the model hears.
    fn heard<'a>(&mut self, model: &Draw, config: &DrawConfig, item: &'a TrainBatch) -> CaptionBatch<'a> {
        let batch = item.batch.slice(0, item.batch.len());
        let (Some(encoder), Some(sizes)) = (&model.sentences, config.sentence_encoder()) else {
            return batch;
        };
        let encoder = self.sentences.get_or_insert_with(|| HostEncoder::of(&sizes, encoder));
        let vectors = encoder.known_vectors(&batch.ids, batch.words);
        batch.with_sentences(Cow::Owned(vectors))
    }
}

/// The gradient of each parameter, in the order in which the module visits them: zeros of an encoder of sentences.
fn gradient_vectors(gradients: ParameterValues, config: &DrawConfig) -> Vec<Vec<f32>> {
    let frozen = config.sentence_encoder().map_or(Vec::new(), |encoder| encoder.lengths());
    gradients.into_vectors().into_iter().chain(frozen.into_iter().map(|len| vec![0.0; len])).collect()
}

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
        let batch = self.heard(model, config, item);
        let (losses, gradients) = loss_and_gradients(&weights, &batch, item.noise_seed, &mut self.shards);
        (terms(losses), gradient_vectors(gradients, config))
    }

    fn terms(&mut self, model: &Draw, config: &DrawConfig, item: &TrainBatch) -> Terms<f64> {
        let weights = self.weights(model, config);
        let batch = self.heard(model, config, item);
        terms(losses(&weights, &batch, item.noise_seed, &mut self.shards))
    }

    fn hold(&mut self, model: &Draw, config: &DrawConfig) {
        self.held = Some(Arc::new(Weights::new(config, model.to_host())));
    }

    fn image_bounds(&mut self, model: &Draw, config: &DrawConfig, item: &TrainBatch) -> Option<Vec<f64>> {
        let weights = self.weights(model, config);
        let batch = self.heard(model, config, item);
        Some(image_bounds(&weights, &batch, item.noise_seed, &mut self.shards))
    }

    fn log_weights(&mut self, model: &Draw, config: &DrawConfig, item: &TrainBatch) -> Option<Vec<f64>> {
        let weights = self.weights(model, config);
        let batch = self.heard(model, config, item);
        Some(log_weights(&weights, &batch, item.noise_seed, &mut self.shards))
    }
}

fn fused_painter(config: &DrawConfig, take: &mut TakeTensor) -> Result<FusedPainter> {
    let values = ParameterValues::from_named(config, &mut *take)?;
    let encoder = config.sentence_encoder();
    let encoder = encoder.map(|encoder| HostEncoder::from_named(&encoder, "sentences", take)).transpose()?;
    // A few pictures at a time are bound by reading weights, many by arithmetic.
    let pack = if platform::HAS_PACKED_GEMM { Weights::new } else { Weights::for_painting };
    Ok(FusedPainter::new(pack(config, values), encoder))
}

impl TextToImage for Draw {
    fn painter(self, config: &DrawConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(DevicePainter::new(config, self, device))
    }

    fn fused_painter(config: &DrawConfig, take: &mut TakeTensor) -> Option<Result<Box<dyn Painter>>> {
        Some(fused_painter(config, take).map(|painter| Box::new(painter) as Box<dyn Painter>))
    }
}
