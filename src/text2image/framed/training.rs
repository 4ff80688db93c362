//! The framed painter in training: its bound, what it learns first, and the fused passes of the CPU.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::caption::Slots;
use super::cpu::{FramedValues, Shard, Weights, bounds};
use super::drawing::StepNoise;
use super::painter::{DevicePainter, FusedPainter};
use super::{FrameCurriculum, Framed, FramedConfig, Order, presets};
use crate::data::batch::{Lesson, Progress, TrainBatch};
use crate::data::noise::Noise;
use crate::error::Result;
use crate::model::{CaptionIds, FusedPasses, Painter, TakeTensor, Terms, TextToImage, Trainable};
use crate::nn::{on_device, softplus};
use crate::options::Preset;

/// The bound's terms, nats per image.
const TERMS: [&str; 3] = ["reconstruction", "kl", "kl_frame"];

/// Why every caption of a batch has words that are drawn.
const NAMED: &str = "the data set's captions name what is drawn";

/// Stream of a batch's noise seed beyond those of its images.
const ORDER_STREAM: u64 = 1 << 41;

/// A learned order is that of the sentence until this share of a run: frames that are found beside an order may be found for
/// one word in the place of another.
const ORDER_GIVEN_UNTIL: f32 = 0.4;
/// Share of a run after which a learned order hears no noise.
const ORDER_NOISE_UNTIL: f32 = 0.8;
/// Added to the energy of the word whose turn it is while the order is given: no other is chosen.
const GIVEN: f32 = 1e4;

impl FrameCurriculum {
    /// The share of a run at which single words end, as far as is known when it is so far.
    fn singles_end(&self, progress: Progress) -> f32 {
        let learned = progress.learned.filter(|_| self.singles_learned.is_some());
        learned.map_or(self.singles_until, |learned| learned.min(self.singles_until))
    }
}

impl Trainable for Framed {
    type Config = FramedConfig;

    fn init(config: &FramedConfig, seed: u64, device: &Device) -> Self {
        Self::fresh(config, seed, device)
    }

    fn term_names(_: &FramedConfig) -> Vec<&'static str> {
        TERMS.to_vec()
    }

    fn presets() -> Vec<Preset<FramedConfig>> {
        presets::all()
    }

    fn fused(_: &FramedConfig, threads: usize) -> Option<Box<dyn FusedPasses<Self>>> {
        let shards = (0..threads.max(1)).map(|_| Shard::default()).collect();
        Some(Box::new(Fused { shards, held: None }))
    }

    fn lesson(config: &FramedConfig, progress: Progress) -> Lesson {
        let singles =
            config.curriculum.is_some_and(|curriculum| progress.done < curriculum.singles_end(progress));
        if singles { Lesson::OneObject } else { Lesson::Everything }
    }

    fn first_lesson(config: &FramedConfig) -> Option<f64> {
        config.curriculum?.singles_learned
    }

    fn terms(&self, config: &FramedConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let device = self.frame_bias.val().device();
        let captions = captions(item);
        let slots = Slots::of(config, &captions).expect(NAMED);
        let noise = BoundNoise::of(config, item);
        self.bound(config, &captions, &slots, item.batch.images.to_vec(), noise, &device)
    }
}

/// The captions of a batch.
fn captions(item: &TrainBatch) -> CaptionIds {
    CaptionIds { ids: item.batch.ids.to_vec(), batch: item.batch.len(), words: item.batch.words }
}

/// The numbers that a bound is estimated with.
pub struct BoundNoise {
    /// Standard normal, of the frames' latents [batch, slot, 2].
    pub of_frames: Vec<f32>,
    /// Standard normal, of the steps' latents [batch, step, latent].
    pub of_steps: Vec<f32>,
    /// What is added to the energies of a learned order [batch, step, slot]; none: nothing is.
    pub of_order: Option<Vec<f32>>,
}

impl BoundNoise {
    /// That of a batch: everything comes from its seed.
    pub fn of(config: &FramedConfig, item: &TrainBatch) -> Self {
        let batch = item.batch.len();
        let (mut of_frames, mut of_steps) = (Vec::new(), Vec::new());
        for b in 0..batch {
            let mut stream = Noise::stream(item.noise_seed, b as u64);
            of_frames.extend(stream.normals(2 * config.max_drawn));
            of_steps.extend(stream.normals(config.num_steps * config.latent_size));
        }
        Self { of_frames, of_steps, of_order: order_noise(config, item, batch) }
    }

    /// That of some pictures of a batch of `batch`.
    pub fn slice(&self, batch: usize, pictures: Range<usize>) -> Self {
        let of = |all: &Vec<f32>| {
            let len = all.len() / batch;
            all[pictures.start * len..pictures.end * len].to_vec()
        };
        Self {
            of_frames: of(&self.of_frames),
            of_steps: of(&self.of_steps),
            of_order: self.of_order.as_ref().map(of),
        }
    }
}

impl Framed {
    /// The bound's terms of pictures [batch, channel, height, width] of these captions, nats [batch] each.
    pub fn bound(
        &self,
        config: &FramedConfig,
        captions: &CaptionIds,
        slots: &Slots,
        images: Vec<f32>,
        noise: BoundNoise,
        device: &Device,
    ) -> Terms<Tensor<1>> {
        let (batch, k) = (captions.batch, config.max_drawn);
        let images: Tensor<4> =
            on_device(images, [batch, config.channels, config.height, config.width], device);
        let encoded = self.encode(config, captions, slots);
        let frame_noise = on_device(noise.of_frames, [batch * k, 2], device);
        let (frames, kl_frames) = self.posterior_frames(config, &encoded, &images, frame_noise);
        let words = self.words(config, captions, slots, &encoded, frames);
        let steps = config.num_steps;
        let of_order = noise.of_order.map(|values| on_device::<3>(values, [batch, steps, k], device));
        let noise: Tensor<3> = on_device(noise.of_steps, [batch, steps, config.latent_size], device);
        let mut state = self.begin(config, batch);
        let mut kl = Tensor::zeros([batch], device);
        for t in 0..steps {
            let of_step = |table: &Tensor<3>| table.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            let noise = StepNoise { of_latents: of_step(&noise), of_order: of_order.as_ref().map(of_step) };
            let (next, step) = self.step(config, &words, state, t, Some(&images), noise);
            state = next;
            if let Some(step) = step.kl {
                kl = kl + step;
            }
        }
        let canvas = state.canvas;
        let nats = (softplus(canvas.clone()) - images * canvas).flatten::<2>(1, 3);
        let used = used_slots(slots, k);
        let kl_frame = (kl_frames * on_device(used, [batch, k], device)).sum_dim(1).squeeze_dim::<1>(1);
        Terms(TERMS.into_iter().zip([nats.sum_dim(1).squeeze_dim::<1>(1), kl, kl_frame]).collect())
    }
}

/// 1 for slots in which a word is drawn, 0 for the others [batch, slot].
fn used_slots(slots: &Slots, k: usize) -> Vec<f32> {
    let used = |drawn: &Vec<usize>| (0..k).map(|slot| f32::from(slot < drawn.len())).collect::<Vec<_>>();
    slots.positions.iter().flat_map(used).collect()
}

/// What is added to the energies of a learned order [batch · step · slot]: first what makes it that of the sentence, then
/// less and less Gumbel noise; none once that is over.
fn order_noise(config: &FramedConfig, item: &TrainBatch, batch: usize) -> Option<Vec<f32>> {
    if config.order == Order::Sentence || item.progress.done >= ORDER_NOISE_UNTIL {
        return None;
    }
    let (steps, k) = (config.num_steps, config.max_drawn);
    if item.progress.done < ORDER_GIVEN_UNTIL {
        let slots = Slots::of(config, &captions(item)).expect(NAMED);
        let of_steps: Vec<_> = (0..steps).map(|step| slots.in_order(step, steps, k)).collect();
        let of = |b: usize| of_steps.iter().flat_map(move |now| &now[b * k..][..k]).map(|now| now * GIVEN);
        return Some((0..batch).flat_map(of).collect());
    }
    let level = (ORDER_NOISE_UNTIL - item.progress.done) / (ORDER_NOISE_UNTIL - ORDER_GIVEN_UNTIL);
    let gumbel = |uniform: f32| -(-uniform.max(f32::MIN_POSITIVE).ln()).max(f32::MIN_POSITIVE).ln();
    let of = |b: usize| -> Vec<f32> {
        let mut stream = Noise::stream(item.noise_seed, ORDER_STREAM + b as u64);
        (0..steps * k).map(|_| level * gumbel(stream.uniform())).collect()
    };
    Some((0..batch).flat_map(of).collect())
}

/// The fused passes, their memory kept between updates.
struct Fused {
    /// One part of a batch for each thread.
    shards: Vec<Shard>,
    /// The packed weights of the one model that is asked.
    held: Option<Arc<Weights>>,
}

impl Fused {
    fn bounds(&mut self, model: &Framed, config: &FramedConfig, item: &TrainBatch) -> Vec<[f64; 3]> {
        let weights = self.held.clone();
        let weights = weights.unwrap_or_else(|| Arc::new(pack(model, config)));
        bounds(&weights, &item.batch, &BoundNoise::of(config, item), &mut self.shards, false).0
    }
}

fn pack(model: &Framed, config: &FramedConfig) -> Weights {
    Weights::new(config, FramedValues::of(config, model))
}

fn mean_terms(of_images: &[[f64; 3]]) -> Terms<f64> {
    let mean = |at: usize| of_images.iter().map(|terms| terms[at]).sum::<f64>() / of_images.len() as f64;
    Terms(TERMS.into_iter().zip((0..TERMS.len()).map(mean)).collect())
}

impl FusedPasses<Framed> for Fused {
    fn gradients(
        &mut self,
        model: &Framed,
        config: &FramedConfig,
        item: &TrainBatch,
    ) -> (Terms<f64>, Vec<Vec<f32>>) {
        let noise = BoundNoise::of(config, item);
        let weights = pack(model, config);
        let (terms, gradients) = bounds(&weights, &item.batch, &noise, &mut self.shards, true);
        let gradients = gradients.unwrap_or_else(|| FramedValues::zeros(config));
        (mean_terms(&terms), gradients.into_vectors())
    }

    fn terms(&mut self, model: &Framed, config: &FramedConfig, item: &TrainBatch) -> Terms<f64> {
        mean_terms(&self.bounds(model, config, item))
    }

    fn hold(&mut self, model: &Framed, config: &FramedConfig) {
        self.held = Some(Arc::new(pack(model, config)));
    }

    fn image_bounds(&mut self, model: &Framed, config: &FramedConfig, item: &TrainBatch) -> Option<Vec<f64>> {
        Some(self.bounds(model, config, item).iter().map(|terms| -terms.iter().sum::<f64>()).collect())
    }
}

impl TextToImage for Framed {
    fn painter(self, config: &FramedConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(DevicePainter::new(config, self, device))
    }

    fn fused_painter(config: &FramedConfig, take: &mut TakeTensor) -> Option<Result<Box<dyn Painter>>> {
        let values = FramedValues::from_named(config, take);
        Some(
            values
                .map(|values| Box::new(FusedPainter::new(Weights::new(config, values))) as Box<dyn Painter>),
        )
    }
}
