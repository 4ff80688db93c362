//! The sizes of a LAPGAN.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Config, ImageSize};
use crate::nn::caption_encoder::CaptionEncoder;

/// Sides of the kernels of a generator's two hidden convolutions, and of all others.
pub const KERNELS: [usize; 2] = [7, 5];

/// Sizes of a LAPGAN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LapganConfig {
    /// Words of the vocabulary, unused ids included (V).
    pub vocabulary_size: usize,
    /// Canvas height, pixels.
    pub height: usize,
    /// Canvas width, pixels.
    pub width: usize,
    /// Colour planes: 1 or 3.
    pub channels: usize,
    /// Pictures of the pyramid, each half as large as the next: steps of a drawing.
    pub levels: usize,
    /// Width of a word's embedding.
    pub embedding_size: usize,
    /// LSTM units of each direction of the caption encoder (L).
    pub word_size: usize,
    /// Numbers of noise that the smallest picture is drawn from.
    pub noise_size: usize,
    /// Units of each hidden layer of the smallest picture's networks.
    pub hidden_size: usize,
    /// Maps of each hidden convolution (M); the paper's sharpener has 128.
    pub maps: usize,
    /// Standard deviation of the noise on what the smallest pictures' discriminator is shown in training (Sønderby et al.
    /// 2017), true or drawn; 0: none.
    pub instance_noise: f32,
    /// Weight of a mode-seeking term on the smallest pictures (Mao et al. 2019): two of one caption should differ as their
    /// noise does; 0: none.
    pub mode_seeking: f32,
}

impl LapganConfig {
    /// Photos, 8 → 16 → 32.
    pub fn photos() -> Self {
        Self {
            vocabulary_size: 1,
            height: 32,
            width: 32,
            channels: 3,
            levels: 3,
            embedding_size: 48,
            word_size: 64,
            noise_size: 100,
            hidden_size: 400,
            maps: 64,
            instance_noise: 0.0,
            mode_seeking: 0.0,
        }
    }

    /// A model small enough for tests.
    pub fn tiny() -> Self {
        Self {
            vocabulary_size: 11,
            height: 20,
            width: 20,
            levels: 2,
            embedding_size: 3,
            word_size: 4,
            noise_size: 5,
            hidden_size: 6,
            maps: 2,
            ..Self::photos()
        }
    }

    /// Height and width of each picture of the pyramid, the smallest first.
    pub fn sizes(&self) -> Vec<[usize; 2]> {
        (0..self.levels).rev().map(|halved| [self.height >> halved, self.width >> halved]).collect()
    }
}

/// What two convolutions of 5 pixels without padding, the second in steps of 2, leave of a side.
pub fn judged_side(side: usize) -> usize {
    let [_, kernel] = KERNELS;
    (side.saturating_sub(kernel - 1)).saturating_sub(kernel) / 2 + 1
}

impl Config for LapganConfig {
    fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary_size", self.vocabulary_size, 1, 65_536),
            ("height", self.height, 2, 65_536),
            ("width", self.width, 2, 65_536),
            ("levels", self.levels, 1, 8),
            ("embedding_size", self.embedding_size, 1, 65_536),
            ("word_size", self.word_size, 1, 65_536),
            ("noise_size", self.noise_size, 1, 65_536),
            ("hidden_size", self.hidden_size, 1, 65_536),
            ("maps", self.maps, 1, 65_536),
        ];
        for (name, size, least, most) in sizes {
            if !(least..=most).contains(&size) {
                return Err(Error::Config(format!("{name} is {size}, expected {least} to {most}")));
            }
        }
        self.image_size().check()?;
        for (name, value) in [("instance_noise", self.instance_noise), ("mode_seeking", self.mode_seeking)] {
            if !(0.0..=10.0).contains(&value) {
                return Err(Error::Config(format!("{name} is {value}, expected 0 to 10")));
            }
        }
        let times = self.levels - 1;
        let smallest = 1usize << times;
        for (name, side) in [("height", self.height), ("width", self.width)] {
            // The picture after the smallest one is judged by two convolutions without padding.
            if !side.is_multiple_of(smallest) || (times > 0 && side / (smallest / 2) < 10) {
                return Err(Error::Config(format!(
                    "{name} is {side}, expected a multiple of {smallest}, {} or more: it is halved {times} times",
                    5 * smallest
                )));
            }
        }
        Ok(())
    }

    fn image_size(&self) -> ImageSize {
        ImageSize { channels: self.channels, height: self.height, width: self.width }
    }

    fn num_steps(&self) -> usize {
        self.levels
    }

    /// The steps are the pyramid's pictures: they stay.
    fn with_num_steps(self, _: usize) -> Self {
        self
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
        let (said, planes, maps, h) = (2 * self.word_size, self.channels, self.maps, self.hidden_size);
        let area = self.height.saturating_mul(self.width);
        let [wide, narrow] = KERNELS.map(|kernel| kernel * kernel);
        let smallest = (area >> (2 * (self.levels - 1).min(16))).saturating_mul(planes);
        let base = product(self.noise_size + 2 * said + 2 * h + 2 * smallest, h);
        let level = [
            product(wide * (planes + 2 + maps), maps),
            product(narrow * (2 * planes + 1 + maps), maps),
            product(2 * said + maps, area),
        ];
        let level = level.into_iter().fold(0u64, u64::saturating_add);
        let caption = CaptionEncoder::floats(self.vocabulary_size, self.embedding_size, self.word_size);
        let drawing = product(2 * maps + 4 * planes, area);
        let all = [base, level.saturating_mul(self.levels as u64), drawing];
        4u64.saturating_mul(all.into_iter().fold(caption, u64::saturating_add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_cannot_be_are_refused_by_name() {
        let refusal = |change: fn(&mut LapganConfig)| {
            let mut config = LapganConfig::tiny();
            assert!(config.check().is_ok());
            change(&mut config);
            config.check().expect_err("refused").to_string()
        };
        assert!(refusal(|c| c.maps = 0).contains("maps is 0, expected 1"));
        assert!(refusal(|c| c.mode_seeking = -1.0).contains("mode_seeking is -1, expected 0 to 10"));
        assert!(refusal(|c| c.levels = 9).contains("levels is 9, expected 1 to 8"));
        assert!(refusal(|c| c.height = 21).contains("height is 21, expected a multiple of 2"));
        assert!(refusal(|c| c.width = 8).contains("width is 8, expected a multiple of 2, 10 or more"));
        let one = LapganConfig { levels: 1, height: 3, ..LapganConfig::tiny() };
        assert!(one.check().is_ok());
    }

    #[test]
    fn the_pyramid_of_photos() {
        let photos = LapganConfig::photos();
        assert!(photos.check().is_ok());
        assert_eq!(photos.sizes(), [[8, 8], [16, 16], [32, 32]]);
        assert_eq!([16, 32].map(judged_side), [4, 12]);
    }
}
