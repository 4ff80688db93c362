//! The framed painter in training: its bound, and what it learns first.

use burn::tensor::{Device, Tensor};

use super::caption::Slots;
use super::drawing::{StepNoise, moved};
use super::painter::FramedPainter;
use super::{FrameCurriculum, Framed, FramedConfig, Order, presets};
use crate::data::batch::{Lesson, TrainBatch};
use crate::data::noise::Noise;
use crate::model::{CaptionIds, Painter, Terms, TextToImage, Trainable};
use crate::nn::{on_device, softplus};
use crate::options::Preset;

/// The bound's terms, nats per image.
const TERMS: [&str; 3] = ["reconstruction", "kl", "kl_frame"];

/// Streams of a batch's noise seed beyond those of its images.
const JITTER_STREAM: u64 = 1 << 40;
const ORDER_STREAM: u64 = 1 << 41;

/// Words are drawn in any order until this share of a run: frames that are found in an order may be found for one word in
/// the place of another.
const ORDER_RANDOM_UNTIL: f32 = 0.4;
/// Share of a run after which a learned order hears no noise.
const ORDER_NOISE_UNTIL: f32 = 0.8;
/// Times Gumbel noise of 1: no energies are felt beside it.
const RANDOM: f32 = 100.0;

impl FrameCurriculum {
    /// Standard deviation of the noise on frames at a share of the run.
    fn noise_at(&self, progress: f32) -> f32 {
        if progress < self.singles_until || progress >= self.noise_until {
            return 0.0;
        }
        let falling = self.noise_until - self.noise_constant_until;
        self.noise * ((self.noise_until - progress) / falling.max(f32::EPSILON)).min(1.0)
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

    fn lesson(config: &FramedConfig, progress: f32) -> Lesson {
        let singles = config.curriculum.is_some_and(|curriculum| progress < curriculum.singles_until);
        if singles { Lesson::OneObject } else { Lesson::Everything }
    }

    fn terms(&self, config: &FramedConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let device = self.frame_bias.val().device();
        let (batch, k) = (item.batch.len(), config.max_drawn);
        let captions = CaptionIds { ids: item.batch.ids.to_vec(), batch, words: item.batch.words };
        let slots = Slots::of(config, &captions).expect("the data set's captions name what is drawn");
        let jitter = jitter(config, item, batch);
        let (steps, z) = (config.num_steps, config.latent_size);
        let (mut of_frames, mut of_steps) = (Vec::new(), Vec::new());
        for b in 0..batch {
            let mut stream = Noise::stream(item.noise_seed, b as u64);
            of_frames.extend(stream.normals(2 * k));
            of_steps.extend(stream.normals(steps * z));
        }
        let noise = BoundNoise { of_frames, of_steps, jitter, of_order: order_noise(config, item, batch) };
        self.bound(config, &captions, &slots, item.batch.images.to_vec(), noise, &device)
    }
}

/// The numbers that a bound is estimated with.
pub struct BoundNoise {
    /// Standard normal, of the frames' latents [batch, slot, 2].
    pub of_frames: Vec<f32>,
    /// Standard normal, of the steps' latents [batch, step, latent].
    pub of_steps: Vec<f32>,
    /// What the centres of frames are moved by, half-canvases [batch, slot, 2]; none: they are not.
    pub jitter: Option<Vec<f32>>,
    /// What is added to the energies of a learned order [batch, step, slot]; none: nothing is.
    pub of_order: Option<Vec<f32>>,
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
        let mut encoded = self.encode(config, captions, slots);
        if let Some(jitter) = noise.jitter {
            encoded.frames = moved(&encoded.frames, on_device(jitter, [batch * k, 2], device));
        }
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

/// The curriculum's noise on the centres of frames [batch · slot, 2]; none once it is over.
fn jitter(config: &FramedConfig, item: &TrainBatch, batch: usize) -> Option<Vec<f32>> {
    let curriculum = config.curriculum?;
    let std = curriculum.noise_at(item.progress);
    if std == 0.0 {
        return None;
    }
    let of = |b: usize| -> Vec<f32> {
        let mut stream = Noise::stream(item.noise_seed, JITTER_STREAM + b as u64);
        let moved = stream.uniform() < curriculum.noise_share;
        let std = if moved { std } else { 0.0 };
        stream.normals(2 * config.max_drawn).into_iter().map(|x| std * x).collect()
    };
    Some((0..batch).flat_map(of).collect())
}

/// Gumbel noise on the energies of a learned order [batch · step · slot]: nothing but noise, then less and less of it; none
/// once it is over.
fn order_noise(config: &FramedConfig, item: &TrainBatch, batch: usize) -> Option<Vec<f32>> {
    if config.order == Order::Sentence || item.progress >= ORDER_NOISE_UNTIL {
        return None;
    }
    let falling = (ORDER_NOISE_UNTIL - item.progress) / (ORDER_NOISE_UNTIL - ORDER_RANDOM_UNTIL);
    let level = if item.progress < ORDER_RANDOM_UNTIL { RANDOM } else { falling };
    let gumbel = |uniform: f32| -(-uniform.max(f32::MIN_POSITIVE).ln()).max(f32::MIN_POSITIVE).ln();
    let of = |b: usize| -> Vec<f32> {
        let mut stream = Noise::stream(item.noise_seed, ORDER_STREAM + b as u64);
        (0..config.num_steps * config.max_drawn).map(|_| level * gumbel(stream.uniform())).collect()
    };
    Some((0..batch).flat_map(of).collect())
}

impl TextToImage for Framed {
    fn painter(self, config: &FramedConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(FramedPainter::new(config, self, device))
    }
}
