//! The alignment as `rank` drives it.

use burn::tensor::{Device, Tensor};

use super::{Align, AlignConfig};
use crate::error::Result;
use crate::image2text::dropout::Masks;
use crate::image2text::features::check_sentences;
use crate::image2text::windows::{WINDOWS, Window};
use crate::model::{ImageTextMatching, PictureInput, Ranker, Region, SentenceVectors};
use crate::nn::indices;
use crate::nn::packed::Packed;

impl ImageTextMatching for Align {
    fn ranker(self, config: &AlignConfig, device: &Device) -> Box<dyn Ranker> {
        Box::new(AlignRanker { model: self, config: config.clone(), device: device.clone() })
    }
}

/// The model with its sizes and device.
struct AlignRanker {
    model: Align,
    config: AlignConfig,
    device: Device,
}

impl Ranker for AlignRanker {
    fn input(&self) -> PictureInput {
        PictureInput::Features(self.config.features.size())
    }

    fn regions(&self) -> Option<Vec<Region>> {
        Some(WINDOWS.iter().map(Window::region).collect())
    }

    fn pictures(&self, pictures: Vec<f32>) -> Result<Tensor<3>> {
        self.model.regions(&self.config, &pictures, &mut Masks::none())
    }

    fn sentences(&self, sentences: &[&[usize]]) -> Result<SentenceVectors> {
        check_sentences(sentences, self.config.vocabulary_size)?;
        let packed = Packed::new(sentences);
        let words = self.model.words(&self.config, &packed, &mut Masks::none());
        let places = indices(packed.sentence_after_sentence(), &self.device);
        let counts = sentences.iter().map(|words| words.len()).collect();
        Ok(SentenceVectors { vectors: words.select(0, places), counts })
    }
}
