//! The alignment in training.

use burn::tensor::{Device, Tensor};

use super::{Align, AlignConfig, presets};
use crate::data::batch::TrainBatch;
use crate::image2text::dropout::Masks;
use crate::model::{Terms, Trainable};
use crate::nn::matching::{ranking_loss, scores};
use crate::nn::packed::Packed;
use crate::options::Preset;

impl Trainable for Align {
    type Config = AlignConfig;

    fn init(config: &AlignConfig, seed: u64, device: &Device) -> Self {
        Self::fresh(config, seed, device)
    }

    fn term_names(_: &AlignConfig) -> Vec<&'static str> {
        vec!["ranking"]
    }

    fn presets() -> Vec<Preset<AlignConfig>> {
        presets::all()
    }

    /// **Equation** `Σ_{l ≠ k} max(0, S_kl − S_kk + m) + Σ_{l ≠ k} max(0, S_lk − S_kk + m)` of each picture k, over the
    /// pictures and captions of the batch.
    fn terms(&self, config: &AlignConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let mut masks = Masks::of(item);
        let packed = Packed::new(&item.batch.sentences());
        let words = self.words(config, &packed, &mut masks);
        let regions = self
            .regions(config, &item.batch.images, &mut masks)
            .expect("a source gives pictures of the model's size");
        let scores = scores(regions, words, packed.owners(), packed.len());
        Terms(vec![("ranking", ranking_loss(scores, config.margin))])
    }
}
