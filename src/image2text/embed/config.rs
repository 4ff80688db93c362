//! The sizes of the embedding.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::image2text::features::{Features, check_dropout, check_margin, check_size};
use crate::model::{Config, ImageSize};

/// Shares of units that are dropped in training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Of a picture's vector, before it gets length 1.
    pub picture: f32,
    /// Of embeddings of words.
    pub words: f32,
}

/// Sizes of a visual-semantic embedding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedConfig {
    /// Words of the vocabulary.
    pub vocabulary_size: usize,
    /// What is looked at.
    pub features: Features,
    /// Width of a word's embedding.
    pub word_size: usize,
    /// GRU units, and length of the vectors of sentences and pictures.
    pub size: usize,
    /// Shares of units that are dropped in training.
    pub dropout: Dropout,
    /// By how much a right pair must score higher than a wrong one.
    pub margin: f32,
}

impl EmbedConfig {
    /// Features of photos, at sizes of which the weights in 8 bits are a short download.
    pub fn photos() -> Self {
        Self {
            vocabulary_size: 1,
            features: Features::photos(),
            word_size: 232,
            size: 512,
            dropout: Dropout { picture: 0.3, words: 0.2 },
            margin: 0.2,
        }
    }

    /// A model small enough for tests.
    pub fn tiny() -> Self {
        Self {
            vocabulary_size: 11,
            features: Features { channels: 5, rows: 2, columns: 3, scale: 0.7 },
            word_size: 4,
            size: 6,
            ..Self::photos()
        }
    }
}

impl Config for EmbedConfig {
    fn check(&self) -> Result<()> {
        check_size("vocabulary_size", self.vocabulary_size)?;
        check_size("word_size", self.word_size)?;
        check_size("size", self.size)?;
        self.features.check()?;
        check_dropout("pictures", self.dropout.picture)?;
        check_dropout("words", self.dropout.words)?;
        check_margin(self.margin)
    }

    fn image_size(&self) -> ImageSize {
        self.features.size()
    }

    fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    fn fit_data(&mut self, words: usize, image: Option<ImageSize>) {
        self.vocabulary_size = self.vocabulary_size.max(words);
        if let Some(size) = image {
            self.features.fit(size);
        }
    }

    fn memory_bytes(&self) -> u64 {
        let (word, size) = (self.word_size as u64, self.size as u64);
        let (channels, image) = (self.features.channels as u64, self.features.size());
        let cells = (image.height as u64).saturating_mul(image.width as u64);
        let weights = self.vocabulary_size as u64 * word + size * (channels + 3 * word + 3 * size + 4);
        4 * weights.saturating_add(channels.saturating_mul(cells + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_model_can_be_is_named() {
        let named = |change: fn(&mut EmbedConfig), what: &str| {
            let mut config = EmbedConfig::photos();
            change(&mut config);
            let error = config.check().expect_err(what).to_string();
            assert!(error.contains(what), "{error}");
        };
        named(|c| c.size = 0, "size is 0, expected 1");
        named(|c| c.features.columns = 0, "columns is 0");
        named(|c| c.features.scale = 0.0, "scale of the features is 0");
        named(|c| c.dropout.picture = -0.1, "dropout of pictures is -0.1");
        named(|c| c.dropout.words = f32::NAN, "dropout of words is NaN");
        named(|c| c.margin = f32::INFINITY, "margin is inf");
        assert!(EmbedConfig::photos().check().is_ok() && EmbedConfig::tiny().check().is_ok());
    }
}
