//! The embedding as `rank` drives it.

use burn::tensor::{Device, Tensor};

use super::{Embed, EmbedConfig};
use crate::error::Result;
use crate::image2text::dropout::Masks;
use crate::image2text::features::check_sentences;
use crate::model::{ImageTextMatching, PictureInput, Ranker, Region, SentenceVectors};
use crate::nn::packed::Packed;

impl ImageTextMatching for Embed {
    fn ranker(self, config: &EmbedConfig, _: &Device) -> Box<dyn Ranker> {
        Box::new(EmbedRanker { model: self, config: config.clone() })
    }
}

/// The model with its sizes.
struct EmbedRanker {
    model: Embed,
    config: EmbedConfig,
}

impl Ranker for EmbedRanker {
    fn input(&self) -> PictureInput {
        PictureInput::Features(self.config.features.size())
    }

    fn regions(&self) -> Option<Vec<Region>> {
        None
    }

    fn pictures(&self, pictures: Vec<f32>) -> Result<Tensor<3>> {
        Ok(self.model.pictures(&self.config, &pictures, &mut Masks::none())?.unsqueeze_dim(1))
    }

    fn sentences(&self, sentences: &[&[usize]]) -> Result<SentenceVectors> {
        check_sentences(sentences, self.config.vocabulary_size)?;
        let vectors = self.model.sentences(&self.config, &Packed::new(sentences), &mut Masks::none());
        Ok(SentenceVectors { vectors, counts: vec![1; sentences.len()] })
    }
}
