//! The lower bound in nats on images of known captions, and the tighter one of several samples an image.

use serde::{Deserialize, Serialize};

use crate::data::{
    batch::{CaptionBatch, TrainBatch},
    noise::Noise,
    source::Source,
};
use crate::model::Bounded;

/// Images of a batch.
pub(super) const BATCH: usize = 100;

/// Terms of the bound, nats per image, averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// The importance-weighted bound, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<ImportanceBound>,
}

/// The bound of several posterior samples an image (Burda, Grosse & Salakhutdinov 2016).
///
/// **Equation** `E log (1/K) Σ_k p(x, z_k) / q(z_k | x)`: the lower bound for K = 1, log p(x) in the
/// limit, never falling on the way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportanceBound {
    /// Nats per image, averaged.
    pub bound: f64,
    /// Samples an image (K).
    pub samples: usize,
}

/// `log (1/K) Σ_k e^{w_k}` without overflow.
pub fn log_mean_exp(log_weights: &[f64]) -> f64 {
    let highest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !highest.is_finite() {
        return highest;
    }
    let total: f64 = log_weights.iter().map(|weight| (weight - highest).exp()).sum();
    highest + (total / log_weights.len() as f64).ln()
}

/// `Σ H(x)` over the pixels of a batch, nats per image.
fn entropy(batch: &CaptionBatch) -> f64 {
    let nats = |p: f32| if p <= 0.0 { 0.0 } else { -f64::from(p) * f64::from(p).ln() };
    let total: f64 = batch.images.iter().map(|&x| nats(x) + nats(1.0 - x)).sum();
    total / batch.len() as f64
}

/// A model whose bound is estimated, one posterior sample an image, and if asked for the one of several.
pub struct Estimate<'a> {
    /// The model.
    pub model: &'a mut dyn Bounded,
    /// Images.
    pub images: usize,
    /// Seed of samples and noise.
    pub seed: u64,
    /// Samples an image of the importance-weighted bound; 0: it is not estimated.
    pub importance: usize,
}

impl Estimate<'_> {
    /// The bound over batches of `sample(size, noise)`, or none when there is nothing to sample.
    pub fn over(
        &mut self,
        sample: impl Fn(usize, &mut Noise) -> Option<CaptionBatch<'static>>,
    ) -> Option<Bound> {
        let mut total = Bound { images: self.images, ..Bound::default() };
        let mut importance = 0.0;
        for start in (0..self.images).step_by(BATCH) {
            let size = BATCH.min(self.images - start);
            let mut noise = Noise::stream(self.seed, start as u64);
            let batch = sample(size, &mut noise)?;
            let item = TrainBatch::measured(batch, noise.next_u64());
            let terms = self.model.terms(&item);
            importance += self.importance_sum(&item, &mut noise);
            let share = size as f64 / self.images as f64;
            let reconstruction = terms.get("reconstruction");
            total.reconstruction += share * reconstruction;
            total.kl += share * (terms.total() - reconstruction);
            total.entropy_floor += share * entropy(&item.batch);
        }
        total.bound = -(total.reconstruction + total.kl);
        // A model that cannot weigh its samples has none, rather than one that is no number.
        total.importance = (self.importance > 0 && !importance.is_nan())
            .then(|| ImportanceBound { bound: importance / self.images as f64, samples: self.importance });
        Some(total)
    }

    /// The bound over all samples of a source that has a fixed number of them, or over fresh ones.
    pub fn of(&mut self, source: &dyn Source) -> Option<Bound> {
        let Some(images) = source.fixed_len() else {
            return self.over(|size, noise| Some(source.batch(size, noise)));
        };
        let start = std::cell::Cell::new(0);
        let (seed, importance) = (self.seed, self.importance);
        let mut whole = Estimate { model: self.model, images, seed, importance };
        whole.over(|size, _| source.fixed_batch(start.replace(start.get() + size), size))
    }

    /// The importance-weighted bound summed over the images of a batch; 0 if it is not asked for, NaN where the
    /// model has none.
    fn importance_sum(&mut self, item: &TrainBatch, noise: &mut Noise) -> f64 {
        let mut of_image = vec![Vec::with_capacity(self.importance); item.batch.len()];
        for _ in 0..self.importance {
            let again = TrainBatch { noise_seed: noise.next_u64(), ..item.clone() };
            let Some(sample) = self.model.log_weights(&again) else { return f64::NAN };
            of_image.iter_mut().zip(sample).for_each(|(weights, weight)| weights.push(weight));
        }
        match self.importance {
            0 => 0.0,
            _ => of_image.iter().map(|weights| log_mean_exp(weights)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::model::{Config, OnCpu};
    use crate::text2image::draw::{Draw, DrawConfig, ParameterValues};
    use crate::text2image::vae::{Body, Vae, VaeConfig};
    use burn::tensor::Device;

    /// The bounds of single images average to the batch's, by the fused passes and in burn tensors.
    #[test]
    fn the_bounds_of_images_average_to_that_of_the_batch() {
        let config = DrawConfig::tiny();
        let model = Draw::from_host(&config, ParameterValues::init(&config, 3), &Device::flex());
        let images: Vec<f32> = (0..3 * config.image_len()).map(|at| (at % 4 == 0).into()).collect();
        let batch = CaptionBatch::of_words(Cow::Owned([1, 2].repeat(3)), 2, Cow::Owned(images));
        let item = TrainBatch::measured(batch, 7);
        let mut fused = OnCpu::new(&model, &config, 2);
        let mean = -fused.terms(&item).total();
        let mut plain = OnCpu { model: &model, config: &config, fused: None };
        let images = item.batch.images.to_vec();
        let mut estimate = Estimate { model: &mut plain, images: 3, seed: 1, importance: 2 };
        let unweighted = estimate.over(|_, _| {
            Some(CaptionBatch::of_words(Cow::Owned([1, 2].repeat(3)), 2, Cow::Owned(images.clone())))
        });
        assert!(unweighted.expect("a bound").importance.is_none(), "burn's tensors weigh no samples");
        for bounds in [fused.image_bounds(&item), plain.image_bounds(&item)] {
            assert_eq!(bounds.len(), 3);
            assert!((bounds.iter().sum::<f64>() / 3.0 - mean).abs() < 1e-3 * mean.abs(), "{bounds:?} {mean}");
            assert!((bounds[0] - bounds[1]).abs() > 1e-6, "{bounds:?}");
        }
    }

    #[test]
    fn the_mean_of_exponentials_by_hand() {
        // log (e^0 + e^{ln 3}) / 2 = log 2
        assert!((log_mean_exp(&[0.0, 3f64.ln()]) - 2f64.ln()).abs() < 1e-12);
        // The same far outside what e^x can hold.
        assert!((log_mean_exp(&[-2_000.0, -2_000.0 + 3f64.ln()]) + 2_000.0 - 2f64.ln()).abs() < 1e-9);
    }

    /// On a tiny model: with K = 1 the estimate has the bound for its mean, and it grows with K.
    #[test]
    fn the_importance_weighted_bound_begins_at_the_bound_and_grows() {
        let config = DrawConfig::tiny();
        let mut host = ParameterValues::init(&config, 3);
        // A posterior that differs from the prior, so that samples differ in weight.
        host.posterior_mean_bias.fill(0.8);
        host.posterior_log_std_bias.fill(-1.0);
        let model = Draw::from_host(&config, host, &Device::flex());
        let images: Vec<f32> = (0..config.image_len()).map(|at| (at % 3 == 0).into()).collect();
        let (ids, many) = (vec![1, 2, 3], 400);
        let estimate = |importance: usize| {
            let mut on_cpu = OnCpu::new(&model, &config, 1);
            let mut estimate = Estimate { model: &mut on_cpu, images: many, seed: 5, importance };
            estimate.over(|size, _| {
                let (ids, images) = (ids.repeat(size), images.repeat(size));
                Some(CaptionBatch::of_words(Cow::Owned(ids), 3, Cow::Owned(images)))
            })
        };
        let bound =
            |importance| estimate(importance).and_then(|bound| bound.importance).expect("asked").bound;
        assert!(estimate(0).expect("a bound").importance.is_none());
        let one_sample = estimate(1).expect("a bound");
        let [one, five, fifty] = [1, 5, 50].map(bound);
        let gap = (one - one_sample.bound).abs();
        println!("{:.3} analytic; K = 1: {one:.3}, 5: {five:.3}, 50: {fifty:.3}", one_sample.bound);
        assert!(gap < 0.5, "{one}, the bound is {}", one_sample.bound);
        assert!(one + 0.1 < five && five + 0.1 < fifty, "{one} {five} {fifty}");
    }

    /// In burn tensors: a variational autoencoder weighs its samples.
    #[test]
    fn samples_of_a_vae_are_weighed() {
        let config = VaeConfig::tiny(Body::Dense);
        let model = Vae::fresh(&config, 1, &Device::flex());
        let pixels = config.image_size().len();
        let bound = |importance: usize| {
            let mut on_cpu = OnCpu::new(&model, &config, 1);
            let mut estimate = Estimate { model: &mut on_cpu, images: 200, seed: 5, importance };
            let found = estimate.over(|size, noise| {
                let images = (0..size * pixels).map(|_| noise.uniform()).collect();
                Some(CaptionBatch::of_words(Cow::Owned([1, 2].repeat(size)), 2, Cow::Owned(images)))
            });
            found.expect("a bound")
        };
        let analytic = bound(0);
        assert!(analytic.importance.is_none());
        let [one, many] = [1, 20].map(|samples| bound(samples).importance.expect("it was asked for").bound);
        let gap = (one - analytic.bound).abs();
        assert!(gap < 1.0, "one sample: {one}, the bound is {}", analytic.bound);
        assert!(one < many, "{one} {many}");
    }
}
