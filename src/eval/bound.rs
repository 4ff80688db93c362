//! The lower bound in nats on images of known captions.

use serde::Serialize;

use crate::data::{batch::CaptionBatch, noise::Noise};
use crate::text2image::draw::cpu::{Shard, Weights, losses};

/// Images of a batch.
const BATCH: usize = 100;

/// Terms of the bound, nats per image, averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bound {
    /// The lower bound `−(reconstruction + kl)`.
    pub bound: f64,
    /// Cross entropy of the image.
    pub reconstruction: f64,
    /// KL of the posterior from the prior.
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

/// Batches of the bound's estimate, one posterior sample an image.
pub struct Estimate<'a> {
    /// The model.
    pub weights: &'a Weights,
    /// Images.
    pub images: usize,
    /// Seed of samples and noise.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
}

impl Estimate<'_> {
    /// The bound over batches of `sample(size, noise)`, or none when there is nothing to sample.
    pub fn over<'b>(&self, sample: impl Fn(usize, &mut Noise) -> Option<CaptionBatch<'b>>) -> Option<Bound> {
        let mut shards: Vec<_> = (0..self.threads.max(1)).map(|_| Shard::default()).collect();
        let mut total = Bound { images: self.images, ..Bound::default() };
        for start in (0..self.images).step_by(BATCH) {
            let size = BATCH.min(self.images - start);
            let mut noise = Noise::stream(self.seed, start as u64);
            let batch = sample(size, &mut noise)?;
            let terms = losses(self.weights, &batch, noise.next_u64(), &mut shards);
            let share = size as f64 / self.images as f64;
            total.reconstruction += share * terms.reconstruction;
            total.kl += share * terms.kl;
            total.entropy_floor += share * entropy(&batch);
        }
        total.bound = -(total.reconstruction + total.kl);
        Some(total)
    }
}
