//! The sizes of a variational autoencoder.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Config, ImageSize};
use crate::nn::caption_encoder::CaptionEncoder;
use crate::nn::convolution::{KERNEL, doublings};

/// What lies between pictures and latents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// A hidden layer on either side.
    Dense,
    /// Convolutions that halve the picture down to 4×4, and transposed ones that double it.
    Convolutional,
}

/// What is expected of the latents before the picture is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prior {
    /// N(0, I).
    Standard,
    /// A Gaussian that the caption decides.
    Conditional,
}

/// Sizes of a variational autoencoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaeConfig {
    /// What lies between pictures and latents.
    pub body: Body,
    /// What is expected of the latents.
    pub prior: Prior,
    /// Words of the vocabulary, unused ids included (V).
    pub vocabulary_size: usize,
    /// Canvas height, pixels.
    pub height: usize,
    /// Canvas width, pixels.
    pub width: usize,
    /// Colour planes: 1 or 3.
    pub channels: usize,
    /// Width of a word's embedding.
    pub embedding_size: usize,
    /// LSTM units of each direction of the caption encoder (L).
    pub word_size: usize,
    /// Latent variables (Z).
    pub latent_size: usize,
    /// Dense: units of each hidden layer (H). Convolutional: maps beside the picture, twice as many at each half (H).
    pub hidden_size: usize,
}

impl VaeConfig {
    /// The fully connected one for 32×32 photos.
    pub fn dense() -> Self {
        Self {
            body: Body::Dense,
            prior: Prior::Conditional,
            vocabulary_size: 1,
            height: 32,
            width: 32,
            channels: 3,
            embedding_size: 48,
            word_size: 64,
            latent_size: 100,
            hidden_size: 300,
        }
    }

    /// The convolutional one for 32×32 photos.
    pub fn convolutional() -> Self {
        Self { body: Body::Convolutional, hidden_size: 32, ..Self::dense() }
    }

    /// A model small enough for tests; every size differs from every other.
    pub fn tiny(body: Body) -> Self {
        Self {
            body,
            prior: Prior::Conditional,
            vocabulary_size: 11,
            height: 8,
            width: 8,
            channels: 3,
            embedding_size: 3,
            word_size: 4,
            latent_size: 2,
            hidden_size: 5,
        }
    }

    /// Maps after each halving, from the picture on; none for the dense body.
    pub fn maps(&self) -> Vec<usize> {
        match self.body {
            Body::Dense => Vec::new(),
            Body::Convolutional => {
                (0..doublings(self.height).unwrap_or(0)).map(|at| self.hidden_size << at).collect()
            }
        }
    }

    /// Numbers that the picture is seen as, and that a picture is drawn from.
    pub fn seen_len(&self) -> usize {
        self.maps().last().map_or(self.hidden_size, |maps| maps * KERNEL * KERNEL)
    }
}

impl Config for VaeConfig {
    fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary_size", self.vocabulary_size, 1),
            ("height", self.height, 2),
            ("width", self.width, 2),
            ("embedding_size", self.embedding_size, 1),
            ("word_size", self.word_size, 1),
            ("latent_size", self.latent_size, 1),
            ("hidden_size", self.hidden_size, 1),
        ];
        for (name, size, least) in sizes {
            if !(least..=65_536).contains(&size) {
                return Err(Error::Config(format!("{name} is {size}, expected {least} to 65536")));
            }
        }
        self.image_size().check()?;
        let square = self.height == self.width && doublings(self.height).is_some();
        if self.body == Body::Convolutional && !square {
            let (height, width) = (self.height, self.width);
            return Err(Error::Config(format!(
                "height·width is {height}·{width}: a convolutional body draws squares of 8, 16, 32, 64, … pixels"
            )));
        }
        Ok(())
    }

    fn image_size(&self) -> ImageSize {
        ImageSize { channels: self.channels, height: self.height, width: self.width }
    }

    fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    fn fit_data(&mut self, words: usize, image: Option<ImageSize>) {
        self.vocabulary_size = self.vocabulary_size.max(words);
        if let Some(size) = image {
            (self.channels, self.height, self.width) = (size.channels, size.height, size.width);
        }
    }

    fn memory_bytes(&self) -> u64 {
        let product = |a: usize, b: usize| (a as u64).saturating_mul(b as u64);
        let (said, z, seen, image) =
            (2 * self.word_size, self.latent_size, self.seen_len(), self.image_size().len());
        let body = match self.body {
            Body::Dense => product(2 * image + said, self.hidden_size),
            Body::Convolutional => {
                let mut before = self.channels;
                let weights = self.maps().into_iter().map(|maps| {
                    let layer = product(2 * KERNEL * KERNEL * before, maps);
                    before = maps;
                    layer
                });
                weights.fold(0u64, u64::saturating_add)
            }
        };
        let caption = CaptionEncoder::floats(self.vocabulary_size, self.embedding_size, self.word_size);
        let latents = product(seen + 2 * said + 2, 2 * z).saturating_add(product(z + said, seen));
        let drawing = product(4, image.saturating_mul(self.maps().first().copied().unwrap_or(1)));
        4u64.saturating_mul([body, latents, drawing].into_iter().fold(caption, u64::saturating_add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: fn(&mut VaeConfig)) -> String {
        let mut config = VaeConfig::tiny(Body::Convolutional);
        assert!(config.check().is_ok());
        change(&mut config);
        config.check().expect_err("refused").to_string()
    }

    #[test]
    fn sizes_that_cannot_be_are_refused_by_name() {
        assert!(refusal(|c| c.latent_size = 0).contains("latent_size is 0, expected 1"));
        assert!(refusal(|c| c.channels = 2).contains("channels is 2"));
        let squares = "squares of 8, 16, 32";
        assert!(refusal(|c| c.height = 12).contains(squares), "{}", refusal(|c| c.height = 12));
        assert!(refusal(|c| (c.height, c.width) = (60, 60)).contains(squares));
        let dense = VaeConfig { height: 60, width: 12, ..VaeConfig::tiny(Body::Dense) };
        assert!(dense.check().is_ok());
    }

    #[test]
    fn room_is_made_for_the_data() {
        let mut config = VaeConfig::convolutional();
        config.fit_data(4_000, Some(ImageSize { channels: 1, height: 64, width: 64 }));
        assert_eq!((config.vocabulary_size, config.maps()), (4_000, vec![32, 64, 128, 256]));
        let huge = VaeConfig { hidden_size: 65_536, ..config };
        assert!(huge.memory_bytes() > crate::model::MEMORY_LIMIT);
    }
}
