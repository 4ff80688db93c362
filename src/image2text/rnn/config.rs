//! The sizes of the generator.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::image2text::features::{Features, check_dropout, check_size};
use crate::model::{Config, ImageSize};

/// When the picture is added to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// Before the first word alone (the paper).
    First,
    /// Before every word (NeuralTalk, unless it is told otherwise).
    Every,
}

/// Shares of units that are dropped in training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Of the states on their way to the words.
    pub hidden: f32,
    /// Of embeddings.
    pub words: f32,
}

/// Sizes of a generator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RnnConfig {
    /// Words of the vocabulary, unused ids included (V); the end of a sentence has a row of its own, V.
    pub vocabulary_size: usize,
    /// What is looked at: the average of all cells.
    pub features: Features,
    /// When.
    pub context: Context,
    /// Width of a word's embedding.
    pub embedding_size: usize,
    /// Units.
    pub hidden_size: usize,
    /// Shares of units that are dropped in training.
    pub dropout: Dropout,
}

impl RnnConfig {
    /// Features of photos, at NeuralTalk's sizes.
    pub fn photos() -> Self {
        Self {
            vocabulary_size: 1,
            // Averages vary less from photo to photo than cells do: at the scale of cells little of them is heard.
            features: Features { scale: 2.0, ..Features::photos() },
            context: Context::Every,
            embedding_size: 256,
            hidden_size: 256,
            dropout: Dropout { hidden: 0.5, words: 0.25 },
        }
    }

    /// The average of a region's features, at the same sizes.
    pub fn regions() -> Self {
        let photos = Self::photos();
        Self { features: Features { rows: 1, columns: 1, ..photos.features }, ..photos }
    }

    /// A model small enough for tests; every size differs from every other.
    pub fn tiny() -> Self {
        Self {
            vocabulary_size: 11,
            features: Features { channels: 5, rows: 2, columns: 3, scale: 0.7 },
            context: Context::First,
            embedding_size: 7,
            hidden_size: 9,
            dropout: Dropout { hidden: 0.0, words: 0.0 },
        }
    }
}

impl Config for RnnConfig {
    fn check(&self) -> Result<()> {
        check_size("vocabulary_size", self.vocabulary_size)?;
        check_size("embedding_size", self.embedding_size)?;
        check_size("hidden_size", self.hidden_size)?;
        self.features.check()?;
        check_dropout("hidden", self.dropout.hidden)?;
        check_dropout("words", self.dropout.words)
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
        let (words, word, hidden) =
            (self.vocabulary_size as u64 + 1, self.embedding_size as u64, self.hidden_size as u64);
        let (channels, image) = (self.features.channels as u64, self.features.size());
        let cells = (image.height as u64).saturating_mul(image.width as u64);
        let weights = words * (word + hidden + 2) + hidden * (channels + word + hidden + 2);
        4 * weights.saturating_add(channels.saturating_mul(cells + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_model_can_be_is_named() {
        let named = |change: fn(&mut RnnConfig), what: &str| {
            let mut config = RnnConfig::photos();
            change(&mut config);
            let error = config.check().expect_err(what).to_string();
            assert!(error.contains(what), "{error}");
        };
        named(|c| c.hidden_size = 0, "hidden_size is 0, expected 1");
        named(|c| c.embedding_size = 1 << 17, "embedding_size is 131072");
        named(|c| c.features.channels = 0, "channels is 0");
        named(|c| c.dropout.hidden = 1.0, "dropout of hidden is 1");
        assert!(RnnConfig::photos().check().is_ok() && RnnConfig::tiny().check().is_ok());
    }
}
