//! The sizes of an LSTM with transposed convolutions.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Config, ImageSize};
use crate::nn::convolution::{KERNEL, doublings};

/// Sizes of an LSTM with transposed convolutions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeconvConfig {
    /// Whether the code is random, with a prior that the caption decides.
    pub prior: bool,
    /// Words of the vocabulary, unused ids included (V).
    pub vocabulary_size: usize,
    /// Canvas height, pixels: 4 doubled once or more.
    pub height: usize,
    /// Canvas width, pixels: the same.
    pub width: usize,
    /// Colour planes: 1 or 3.
    pub channels: usize,
    /// Width of a word's embedding.
    pub embedding_size: usize,
    /// LSTM units: the length of the code (Z).
    pub latent_size: usize,
    /// Maps of 4×4 that the picture begins with (M), half as many at each doubling.
    pub maps: usize,
    /// Deviation of a colour value that the error is measured in.
    pub deviation: f32,
}

impl DeconvConfig {
    /// Colour scenes, 64×64.
    pub fn scenes() -> Self {
        Self {
            prior: false,
            vocabulary_size: 1,
            height: 64,
            width: 64,
            channels: 3,
            embedding_size: 100,
            latent_size: 256,
            maps: 256,
            deviation: 0.1,
        }
    }

    /// A model small enough for tests; every size differs from every other.
    pub fn tiny() -> Self {
        Self {
            prior: false,
            vocabulary_size: 11,
            height: 16,
            width: 16,
            channels: 3,
            embedding_size: 5,
            latent_size: 7,
            maps: 8,
            deviation: 0.1,
        }
    }

    /// Maps of each size from 4×4 on, the last being the picture's planes.
    pub fn widths(&self) -> Vec<usize> {
        let times = doublings(self.height).unwrap_or(0);
        let mut widths: Vec<usize> = (0..times).map(|at| self.maps >> at).collect();
        widths.push(self.channels);
        widths
    }

    /// Numbers that the picture begins with.
    pub fn small_len(&self) -> usize {
        self.maps * KERNEL * KERNEL
    }
}

impl Config for DeconvConfig {
    fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary_size", self.vocabulary_size),
            ("embedding_size", self.embedding_size),
            ("latent_size", self.latent_size),
            ("maps", self.maps),
        ];
        for (name, size) in sizes {
            if !(1..=65_536).contains(&size) {
                return Err(Error::Config(format!("{name} is {size}, expected 1 to 65536")));
            }
        }
        self.image_size().check()?;
        let (height, width) = (self.height, self.width);
        let Some(times) = doublings(height).filter(|_| height == width) else {
            return Err(Error::Config(format!(
                "height·width is {height}·{width}: transposed convolutions draw squares of 8, 16, 32, 64, … pixels"
            )));
        };
        if self.maps >> (times - 1) == 0 {
            let (maps, least) = (self.maps, 1usize << (times - 1));
            return Err(Error::Config(format!(
                "maps is {maps}, expected {least} or more: they are halved at each of {times} doublings but the last"
            )));
        }
        if !(self.deviation > 0.0 && self.deviation <= 1.0) {
            let deviation = self.deviation;
            return Err(Error::Config(format!("deviation is {deviation}, expected above 0, at most 1")));
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
        let (z, widths) = (self.latent_size, self.widths());
        let kernels = widths.windows(2).map(|pair| product(KERNEL * KERNEL * pair[0], pair[1]));
        let kernels = kernels.fold(0u64, u64::saturating_add);
        let encoders = if self.prior { 2 } else { 1 };
        let parts = [
            product(self.vocabulary_size, self.embedding_size),
            product(self.embedding_size + z + 1, 4 * z),
            product(encoders * (z + 4), self.small_len()),
            kernels.saturating_mul(encoders as u64),
            product(self.image_size().len(), self.maps),
        ];
        4u64.saturating_mul(parts.into_iter().fold(0, u64::saturating_add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_cannot_be_are_refused_by_name() {
        let refusal = |change: fn(&mut DeconvConfig)| {
            let mut config = DeconvConfig::tiny();
            assert!(config.check().is_ok());
            change(&mut config);
            config.check().expect_err("refused").to_string()
        };
        assert!(refusal(|c| c.latent_size = 0).contains("latent_size is 0, expected 1"));
        assert!(refusal(|c| (c.height, c.width) = (60, 60)).contains("squares of 8, 16, 32, 64"));
        assert!(refusal(|c| c.width = 32).contains("squares of 8, 16, 32, 64"));
        assert!(
            refusal(|c| (c.maps, c.height, c.width) = (4, 64, 64)).contains("maps is 4, expected 8 or more")
        );
        assert!(refusal(|c| c.deviation = 0.0).contains("deviation is 0"));
    }

    #[test]
    fn maps_are_halved_while_pictures_double() {
        assert_eq!(DeconvConfig::scenes().widths(), [256, 128, 64, 32, 3]);
        assert_eq!(DeconvConfig::tiny().widths(), [8, 4, 3]);
    }
}
