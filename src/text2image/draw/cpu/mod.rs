//! The DRAW family on the CPU: the model of `definition.rs` with its passes fused, forward and backward.
//!
//! Why beside burn's own operations: on two cores they train at half of PyTorch's speed and draw
//! slower than onnxruntime-web; this is several times faster than both (README, `make bench`).
//! `tests/it/reference.rs` holds it to the definition under burn's autodiff and to an independent
//! float64 reference.

mod backward;
mod caption;
mod forward;
mod tape;
mod transposed;
mod weight_gradients;
mod weights;

pub use caption::Caption;
pub use tape::{Mode, Tape};
pub use weights::Weights;

use super::parameters::ParameterValues;
use crate::data::{
    batch::{CaptionBatch, Captions},
    noise::Noise,
};
use crate::kernels::{gaussian, steps::StepBuffer};

/// The lower bound's two terms, nats per image, averaged over a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Losses {
    /// Cross entropy of the image under the final canvas.
    pub reconstruction: f64,
    /// KL of the posterior from the prior, summed over steps and latents.
    pub kl: f64,
}

impl Losses {
    /// The negative lower bound, nats.
    pub fn total(&self) -> f64 {
        self.reconstruction + self.kl
    }
}

/// A part of a batch with its memory, which one thread works on.
#[derive(Default)]
pub struct Shard {
    caption: Caption,
    tape: Tape,
    work: backward::Cotangents,
    gradients: Option<ParameterValues>,
    /// Sums over its images.
    losses: Losses,
    /// The bound or the log importance weight of each image, where they are asked for.
    of_images: Vec<f64>,
}

impl Shard {
    /// Runs the posterior over a part of a batch; losses are sums over its images.
    fn forward(
        &mut self,
        weights: &Weights,
        mode: Mode,
        batch: &CaptionBatch,
        noise: impl Fn(usize, &mut [f32]),
    ) {
        let config = &weights.config;
        let (size, steps, z) = (batch.len(), config.num_steps, config.latent_size);
        let captions = batch.captions();
        let captions = if mode == Mode::Bound { captions.once_if_equal() } else { captions };
        self.caption.encode(weights, captions);
        self.tape.begin(weights, mode, size, batch.words, steps);
        let mut numbers = vec![0.0; steps * z];
        for b in 0..size {
            noise(b, &mut numbers);
            for t in 0..steps {
                self.tape.noise.at_mut(t)[b * z..][..z].copy_from_slice(&numbers[t * z..][..z]);
            }
        }
        forward::begin(weights, &mut self.tape, mode, &batch.images);
        for t in 0..steps {
            forward::step(weights, &self.caption, &mut self.tape, mode, &batch.images, t);
        }
        self.losses = Losses {
            reconstruction: forward::reconstruction(weights, &self.tape, &batch.images).iter().sum(),
            kl: self.tape.kl.iter().sum(),
        };
    }
}

/// The bound's terms and the gradients of `mean_b (reconstruction_b + KL_b)`; one thread for each shard.
/// Image `i` of the batch uses stream `i` of `noise_seed`.
///
/// The result depends on the number of shards only through the order of the final sums.
pub fn loss_and_gradients(
    weights: &Weights,
    batch: &CaptionBatch,
    noise_seed: u64,
    shards: &mut [Shard],
) -> (Losses, ParameterValues) {
    gradients_from(weights, batch, seeded(noise_seed), shards)
}

/// [`loss_and_gradients`] with the noise given, [batch, step, latent].
pub fn gradients_with_noise(
    weights: &Weights,
    batch: &CaptionBatch,
    noise: &[f32],
    shards: &mut [Shard],
) -> (Losses, ParameterValues) {
    let copy = |b: usize, out: &mut [f32]| out.copy_from_slice(&noise[b * out.len()..][..out.len()]);
    gradients_from(weights, batch, copy, shards)
}

fn seeded(seed: u64) -> impl Fn(usize, &mut [f32]) + Sync {
    move |image, out| Noise::stream(seed, image as u64).fill_normal(out)
}

fn gradients_from(
    weights: &Weights,
    batch: &CaptionBatch,
    noise: impl Fn(usize, &mut [f32]) + Sync,
    shards: &mut [Shard],
) -> (Losses, ParameterValues) {
    let scale = 1.0 / batch.len() as f32;
    run_shards(batch, shards, |start, part, shard| {
        shard.forward(weights, Mode::Posterior, part, |b, out| noise(start + b, out));
        let gradients = shard.gradients.get_or_insert_with(|| ParameterValues::zeros(&weights.config));
        backward::backward(
            weights,
            &shard.caption,
            &shard.tape,
            &part.images,
            scale,
            &mut shard.work,
            gradients,
        );
    });
    let mut total = ParameterValues::zeros(&weights.config);
    for gradients in shards.iter().filter_map(|shard| shard.gradients.as_ref()) {
        total.add(gradients);
    }
    (mean_losses(shards, batch.len()), total)
}

/// The bound's terms for a batch, without gradients.
pub fn losses(weights: &Weights, batch: &CaptionBatch, noise_seed: u64, shards: &mut [Shard]) -> Losses {
    run_shards(batch, shards, |start, part, shard| {
        shard.forward(weights, Mode::Bound, part, |b, out| seeded(noise_seed)(start + b, out));
    });
    mean_losses(shards, batch.len())
}

/// The lower bound of each image of a batch, nats, with the noise of [`losses`].
pub fn image_bounds(
    weights: &Weights,
    batch: &CaptionBatch,
    noise_seed: u64,
    shards: &mut [Shard],
) -> Vec<f64> {
    run_shards(batch, shards, |start, part, shard| {
        shard.forward(weights, Mode::Bound, part, |b, out| seeded(noise_seed)(start + b, out));
        let kl = &shard.tape.kl;
        let of_image = |(b, nats): (usize, f64)| -(nats + kl.iter().skip(b).step_by(part.len()).sum::<f64>());
        let reconstruction = forward::reconstruction(weights, &shard.tape, &part.images);
        shard.of_images = reconstruction.into_iter().enumerate().map(of_image).collect();
    });
    shards.iter().flat_map(|shard| shard.of_images.iter().copied()).collect()
}

/// `log [p(x, z) / q(z | x)]` of each image and one sample z of its posterior, nats: minus what the bound
/// is the mean of, with the log densities of z in the place of the KL (Burda, Grosse & Salakhutdinov
/// 2016). Image `i` of the batch uses stream `i` of `noise_seed`.
pub fn log_weights(
    weights: &Weights,
    batch: &CaptionBatch,
    noise_seed: u64,
    shards: &mut [Shard],
) -> Vec<f64> {
    let (steps, z) = (weights.config.num_steps, weights.config.latent_size);
    run_shards(batch, shards, |start, part, shard| {
        shard.forward(weights, Mode::Bound, part, |b, out| seeded(noise_seed)(start + b, out));
        let tape = &shard.tape;
        let reconstruction = forward::reconstruction(weights, tape, &part.images);
        let ratio = |b: usize, t: usize| {
            let of = |buffer: &StepBuffer| buffer.at(t)[b * z..][..z].to_vec();
            let (mean_p, log_std_p) = tape.prior.at(t)[b * 2 * z..][..2 * z].split_at(z);
            let (latent, noise) = (of(&tape.latent), of(&tape.noise));
            gaussian::log_ratio(&latent, &noise, &of(&tape.posterior_log_std), mean_p, log_std_p)
        };
        let log_weight = |(b, nats)| (0..steps).map(|t| ratio(b, t)).sum::<f64>() - nats;
        shard.of_images = reconstruction.into_iter().enumerate().map(log_weight).collect();
    });
    shards.iter().flat_map(|shard| shard.of_images.iter().copied()).collect()
}

fn mean_losses(shards: &[Shard], batch: usize) -> Losses {
    let images = batch as f64;
    Losses {
        reconstruction: shards.iter().map(|s| s.losses.reconstruction).sum::<f64>() / images,
        kl: shards.iter().map(|s| s.losses.kl).sum::<f64>() / images,
    }
}

fn run_shards(
    batch: &CaptionBatch,
    shards: &mut [Shard],
    work: impl Fn(usize, &CaptionBatch, &mut Shard) + Sync,
) {
    for shard in shards.iter_mut() {
        shard.losses = Losses::default();
        shard.of_images.clear();
        shard.gradients.iter_mut().flat_map(ParameterValues::vectors_mut).for_each(|v| v.fill(0.0));
    }
    batch.share(shards, |images, shard| work(images.start, &batch.slice(images.start, images.end), shard));
}

/// A drawing in progress: a batch of pictures of captions of equal length, kept step by step.
pub struct Drawing {
    caption: Caption,
    tape: Tape,
    done: usize,
}

impl Drawing {
    /// Encodes the captions and lays out an empty canvas for each. `noise` holds [batch, step, latent]
    /// standard normal numbers.
    pub fn begin(weights: &Weights, captions: Captions, noise: &[f32]) -> Self {
        let config = &weights.config;
        let (mut caption, mut tape) = (Caption::default(), Tape::default());
        caption.encode(weights, captions);
        let (steps, z) = (config.num_steps, config.latent_size);
        tape.begin(weights, Mode::Prior, caption.batch, captions.words, steps);
        for b in 0..caption.batch {
            for t in 0..steps {
                let numbers = &noise[(b * steps + t) * z..][..z];
                tape.noise.at_mut(t)[b * z..][..z].copy_from_slice(numbers);
            }
        }
        forward::begin(weights, &mut tape, Mode::Prior, &[]);
        Self { caption, tape, done: 0 }
    }

    /// A drawing that goes on from picture `picture` as it stood after `step` steps, with one caption
    /// and noise [step, latent] of its own for the steps that follow.
    pub fn branch(
        &self,
        weights: &Weights,
        picture: usize,
        step: usize,
        caption: Captions,
        noise: &[f32],
    ) -> Self {
        let mut branch = Self::begin(weights, caption, noise);
        branch.tape.branch(&self.tape, picture, step);
        branch.done = step;
        branch
    }

    /// Steps drawn so far.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Draws the next step; false when the drawing is finished.
    pub fn step(&mut self, weights: &Weights) -> bool {
        if self.done == self.tape.num_steps {
            return false;
        }
        forward::step(weights, &self.caption, &mut self.tape, Mode::Prior, &[], self.done);
        self.done += 1;
        true
    }

    /// Pixels in [0, 1] after `step` steps, [batch, CHW].
    pub fn images(&self, step: usize) -> &[f32] {
        self.tape.image.at(step)
    }

    /// Alignment of step `step` (1-based), [batch, word]; none where there is no attention.
    pub fn alignment(&self, step: usize) -> Option<&[f32]> {
        Some(self.tape.alignment.at(step - 1)).filter(|alignment| !alignment.is_empty())
    }

    /// Raw write window of step `step` (1-based), [batch, 5].
    pub fn write_raw(&self, step: usize) -> &[f32] {
        self.tape.write_raw.at(step - 1)
    }
}
