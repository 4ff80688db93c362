//! The lower bound after sharpening (Mansimov et al. 2016, table 2).

use burn::tensor::activation::sigmoid;

use super::bound::BATCH;
use crate::data::batch::{CaptionBatch, TrainBatch};
use crate::data::noise::Noise;
use crate::data::source::Source;
use crate::data::vocabulary::Vocabulary;
use crate::error::Result;
use crate::model::{CaptionIds, Trainable};
use crate::nn::floats;
use crate::paint::Sharpening;

/// How near 0 and 1 a sharpened mean may be: half of a grey level. A sharpener's pictures are cut to 0 and 1, where
/// the cross entropy of any other value is infinite.
const LEAST: f32 = 0.5 / 255.0;

/// `−Σ x log p + (1 − x) log (1 − p)`, nats.
fn cross_entropy(truth: &[f32], drawn: &[f32]) -> f64 {
    let nats = |(&x, &p): (&f32, &f32)| {
        let (x, p) = (f64::from(x), f64::from(p.clamp(LEAST, 1.0 - LEAST)));
        -(x * p.ln() + (1.0 - x) * (1.0 - p).ln())
    };
    truth.iter().zip(drawn).map(nats).sum()
}

/// What is measured.
pub struct Sharpened<'a> {
    /// What sharpens the means of the colour values that the model draws from its posterior.
    pub sharpening: &'a Sharpening,
    /// The model's words.
    pub vocabulary: &'a Vocabulary,
    /// Images, drawn from the source.
    pub images: usize,
    /// Seed of samples and noise.
    pub seed: u64,
}

impl Sharpened<'_> {
    /// The bound with sharpened means, nats per image, averaged; none for models without a likelihood.
    ///
    /// **Errors** [`crate::error::Error::Config`] when the sharpener takes pictures of another size.
    pub async fn bound<M: Trainable>(
        &self,
        model: &M,
        config: &M::Config,
        source: &dyn Source,
    ) -> Result<Option<f64>> {
        let ids = self.sharpening.ids_of(self.vocabulary);
        let mut total = 0.0;
        for start in (0..self.images).step_by(BATCH) {
            let size = BATCH.min(self.images - start);
            let mut noise = Noise::stream(self.seed, start as u64);
            let batch = source.batch(size, &mut noise);
            let item = TrainBatch::measured(batch, noise.next_u64());
            let Some(drawn) = model.reconstructions(config, &item) else { return Ok(None) };
            let CaptionBatch { ids: said, words, images, .. } = &item.batch;
            let captions = CaptionIds {
                ids: said.iter().map(|&id| ids.get(id).copied().unwrap_or(0)).collect(),
                batch: size,
                words: *words,
            };
            let means = floats(sigmoid(drawn.logits).into_data());
            let sharp = self.sharpening.sharpen(&captions, means).await?;
            let kl: f32 = floats(drawn.kl.into_data()).iter().sum();
            total += cross_entropy(images, &sharp) + f64::from(kl);
        }
        Ok(Some(-total / self.images as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_to_0_costs_no_more_than_half_a_grey_level() {
        let half = cross_entropy(&[0.5, 1.0], &[0.5, 1.0]);
        assert!((half - (2f64.ln() - (1.0 - f64::from(LEAST)).ln())).abs() < 1e-6, "{half}");
        let wrong = cross_entropy(&[1.0], &[0.0]);
        assert!((wrong + f64::from(LEAST).ln()).abs() < 1e-6, "{wrong}");
    }
}
