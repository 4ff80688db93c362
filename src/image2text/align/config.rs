//! The sizes of the alignment.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::image2text::features::{Features, check_dropout, check_margin, check_size};
use crate::image2text::windows::WINDOWS;
use crate::model::{Config, ImageSize};
use crate::nn::efficientnet::GRID;

/// Sizes of an alignment of words with regions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlignConfig {
    /// Words of the vocabulary.
    pub vocabulary_size: usize,
    /// What is looked at; the windows are of 7×7 cells.
    pub features: Features,
    /// Width of a word's embedding.
    pub word_size: usize,
    /// Units of the recurrent network in each direction, and length of the vectors of words and regions.
    pub size: usize,
    /// Share of units that is dropped in training, of the vectors of regions and of what words give to the network.
    pub dropout: f32,
    /// By how much a right pair must score higher than a wrong one.
    pub margin: f32,
}

impl AlignConfig {
    /// Features of photos, at sizes of which the weights in 8 bits are a short download.
    pub fn photos() -> Self {
        Self {
            vocabulary_size: 1,
            features: Features::photos(),
            word_size: 300,
            size: 512,
            dropout: 0.2,
            margin: 1.0,
        }
    }

    /// A model small enough for tests.
    pub fn tiny() -> Self {
        Self {
            vocabulary_size: 11,
            features: Features { channels: 5, scale: 0.7, ..Features::photos() },
            word_size: 4,
            size: 6,
            ..Self::photos()
        }
    }
}

impl Config for AlignConfig {
    fn check(&self) -> Result<()> {
        check_size("vocabulary_size", self.vocabulary_size)?;
        check_size("word_size", self.word_size)?;
        check_size("size", self.size)?;
        self.features.check()?;
        let Features { rows, columns, .. } = self.features;
        if (rows, columns) != (GRID, GRID) {
            return Err(Error::Config(format!(
                "the features are of {rows}×{columns} cells, expected {GRID}×{GRID}"
            )));
        }
        check_dropout("regions and words", self.dropout)?;
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
        let (word, size, channels) = (self.word_size as u64, self.size as u64, self.features.channels as u64);
        let (cells, windows) = ((self.features.rows * self.features.columns) as u64, WINDOWS.len() as u64);
        let weights = self.vocabulary_size as u64 * word + size * (channels + word + 3 * size + 5);
        4 * (weights + channels * (cells + windows) + size * windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_model_can_be_is_named() {
        let named = |change: fn(&mut AlignConfig), what: &str| {
            let mut config = AlignConfig::photos();
            change(&mut config);
            let error = config.check().expect_err(what).to_string();
            assert!(error.contains(what), "{error}");
        };
        named(|c| c.size = 0, "size is 0, expected 1");
        named(|c| c.word_size = 1 << 20, "word_size is 1048576");
        named(|c| c.vocabulary_size = 0, "vocabulary_size is 0");
        named(|c| c.features.rows = 5, "of 5×7 cells, expected 7×7");
        named(|c| c.features.scale = f32::NAN, "scale of the features is NaN");
        named(|c| c.dropout = 1.0, "dropout of regions and words is 1");
        named(|c| c.margin = 0.0, "margin is 0, expected above 0");
        assert!(AlignConfig::photos().check().is_ok() && AlignConfig::tiny().check().is_ok());
    }
}
