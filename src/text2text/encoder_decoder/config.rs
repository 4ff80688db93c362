//! The sizes of the encoder-decoder.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::image2text::features::{check_dropout, check_size};
use crate::model::{Config, ImageSize};

/// Words of the longest sentence that memory is counted for.
const MOST_WORDS: u64 = 64;

/// Shares of units that are dropped in training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Of the decoder's states on their way to the words.
    pub hidden: f32,
    /// Of embeddings.
    pub words: f32,
}

/// Sizes of an encoder-decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderDecoderConfig {
    /// Words of the vocabulary, unused ids included (V); the end of a sentence has a row of its own, V.
    pub vocabulary_size: usize,
    /// Width of a word's embedding, and of the layer below the words, which is multiplied by the embeddings.
    pub embedding_size: usize,
    /// Units of the encoder and of the decoder.
    pub hidden_size: usize,
    /// Whether the decoder attends to the words; else it is told the summary of the sentence at every step.
    pub attention: bool,
    /// Width of the attention's hidden layer.
    pub align_size: usize,
    /// Shares of units that are dropped in training.
    pub dropout: Dropout,
}

impl EncoderDecoderConfig {
    /// For captions of a few thousand different words.
    pub fn captions() -> Self {
        Self {
            vocabulary_size: 1,
            embedding_size: 192,
            hidden_size: 256,
            attention: true,
            align_size: 128,
            dropout: Dropout { hidden: 0.3, words: 0.1 },
        }
    }

    /// A model small enough for tests; every size differs from every other.
    pub fn tiny() -> Self {
        Self {
            vocabulary_size: 11,
            embedding_size: 7,
            hidden_size: 9,
            align_size: 6,
            dropout: Dropout { hidden: 0.0, words: 0.0 },
            ..Self::captions()
        }
    }
}

impl Config for EncoderDecoderConfig {
    fn check(&self) -> Result<()> {
        check_size("vocabulary_size", self.vocabulary_size)?;
        check_size("embedding_size", self.embedding_size)?;
        check_size("hidden_size", self.hidden_size)?;
        check_size("align_size", self.align_size)?;
        check_dropout("hidden", self.dropout.hidden)?;
        check_dropout("words", self.dropout.words)
    }

    /// It knows no images.
    fn image_size(&self) -> ImageSize {
        ImageSize { channels: 0, height: 0, width: 0 }
    }

    fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    fn fit_data(&mut self, words: usize, _: Option<ImageSize>) {
        self.vocabulary_size = self.vocabulary_size.max(words);
    }

    fn memory_bytes(&self) -> u64 {
        let [words, word, hidden, align] =
            [self.vocabulary_size + 1, self.embedding_size, self.hidden_size, self.align_size]
                .map(|size| size as u64);
        let weights = words * (word + 1)
            + 3 * hidden * (2 * word + 3 * hidden + 2)
            + 2 * hidden * (hidden + 1)
            + align * (2 * hidden + 2)
            + word * (2 * hidden + 1);
        4 * (weights + words + MOST_WORDS * (4 * hidden + align))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_model_can_be_is_named() {
        let named = |change: fn(&mut EncoderDecoderConfig), what: &str| {
            let mut config = EncoderDecoderConfig::captions();
            change(&mut config);
            let error = config.check().expect_err(what).to_string();
            assert!(error.contains(what), "{error}");
        };
        named(|c| c.hidden_size = 0, "hidden_size is 0, expected 1");
        named(|c| c.align_size = 1 << 17, "align_size is 131072");
        named(|c| c.dropout.words = -0.5, "dropout of words is -0.5");
        assert!(
            EncoderDecoderConfig::captions().check().is_ok() && EncoderDecoderConfig::tiny().check().is_ok()
        );
    }
}
