//! The lower bound in nats on images of known captions.

use serde::Serialize;

use crate::data::{batch::CaptionBatch, mnist_captions::Scene, mnist_captions::Scenes, noise::Noise};
use crate::text2image::align_draw::cpu::{Shard, Weights, losses};

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

/// One posterior sample for each of these scenes, rendered from fresh digits.
pub fn bound(weights: &Weights, scenes: &Scenes, list: &[Scene], seed: u64, threads: usize) -> Bound {
    let mut shards: Vec<_> = (0..threads.max(1)).map(|_| Shard::default()).collect();
    let mut total = Bound { images: list.len(), ..Bound::default() };
    for (index, part) in list.chunks(BATCH).enumerate() {
        let mut noise = Noise::stream(seed, index as u64);
        let batch = scenes.batch_of(part, &mut noise);
        let terms = losses(weights, &batch, noise.next_u64(), &mut shards);
        let share = part.len() as f64 / list.len() as f64;
        total.reconstruction += share * terms.reconstruction;
        total.kl += share * terms.kl;
        total.entropy_floor += share * entropy(&batch);
    }
    total.bound = -(total.reconstruction + total.kl);
    total
}
