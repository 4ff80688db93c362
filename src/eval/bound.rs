//! The lower bound in nats on images of known captions.

use serde::Serialize;

use crate::data::{
    batch::{CaptionBatch, TrainBatch},
    noise::Noise,
};
use crate::model::{Terms, Trainable};
use crate::nn::floats;

/// Images of a batch.
const BATCH: usize = 100;

/// Terms of the bound, nats per image, averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bound {
    /// The lower bound `−(reconstruction + kl)`.
    pub bound: f64,
    /// Cross entropy of the image.
    pub reconstruction: f64,
    /// KL of the posterior from the prior, of all latents.
    pub kl: f64,
    /// Entropy of the real-valued pixels: the least that the reconstruction can be.
    pub entropy_floor: f64,
    /// Images.
    pub images: usize,
}

/// `Σ H(x)` over the pixels of a batch, nats per image.
fn entropy(batch: &CaptionBatch) -> f64 {
    let nats = |p: f32| if p <= 0.0 { 0.0 } else { -f64::from(p) * f64::from(p).ln() };
    let total: f64 = batch.images.iter().map(|&x| nats(x) + nats(1.0 - x)).sum();
    total / batch.len() as f64
}

/// A model whose bound is estimated, one posterior sample an image.
pub struct Estimate<'a> {
    /// The terms of a batch, averaged over its images.
    pub terms: &'a mut dyn FnMut(&TrainBatch) -> Terms<f64>,
    /// Images.
    pub images: usize,
    /// Seed of samples and noise.
    pub seed: u64,
}

impl Estimate<'_> {
    /// The bound over batches of `sample(size, noise)`, or none when there is nothing to sample.
    pub fn over(
        &mut self,
        sample: impl Fn(usize, &mut Noise) -> Option<CaptionBatch<'static>>,
    ) -> Option<Bound> {
        let mut total = Bound { images: self.images, ..Bound::default() };
        for start in (0..self.images).step_by(BATCH) {
            let size = BATCH.min(self.images - start);
            let mut noise = Noise::stream(self.seed, start as u64);
            let batch = sample(size, &mut noise)?;
            let item = TrainBatch { batch, noise_seed: noise.next_u64(), epoch: 0, index: 0, progress: 1.0 };
            let terms = (self.terms)(&item);
            let share = size as f64 / self.images as f64;
            let reconstruction = terms.get("reconstruction");
            total.reconstruction += share * reconstruction;
            total.kl += share * (terms.total() - reconstruction);
            total.entropy_floor += share * entropy(&item.batch);
        }
        total.bound = -(total.reconstruction + total.kl);
        Some(total)
    }
}

/// The terms of a batch by a model's fastest means on the CPU.
pub fn terms_on_cpu<M: Trainable>(
    model: &M,
    config: &M::Config,
    threads: usize,
) -> impl FnMut(&TrainBatch) -> Terms<f64> {
    let mut fused = M::fused(config, threads);
    move |batch| match &mut fused {
        Some(fused) => fused.terms(model, config, batch),
        None => model.terms(config, batch).map(|term| f64::from(floats(term.mean().into_data())[0])),
    }
}
