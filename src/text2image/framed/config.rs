//! The sizes of a framed painter.

use serde::{Deserialize, Serialize};

use super::order::Order;
use crate::error::{Error, Result};
use crate::kernels::window::Geometry;
use crate::model::{Config, ImageSize, MOST_FILTERS};

/// What is learned first: pictures of one drawn word, in every sentence that can place it. Where words begin together, two may
/// share a frame or settle in each other's. (Runs from before were moved by noise too, which their records still say and
/// nothing reads.)
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameCurriculum {
    /// Captions with one drawn word alone until this share of the run at the latest.
    pub singles_until: f32,
    /// Until this share of their pictures has its own caption as the likeliest of all of theirs; none: as long as
    /// `singles_until` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub singles_learned: Option<f64>,
}

/// Units of a learned order, where a manifest from before there was one says nothing.
fn attention_size() -> usize {
    64
}

/// Sizes of a framed painter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FramedConfig {
    /// Words of the vocabulary, unused ids included (V).
    pub vocabulary_size: usize,
    /// Ids of the words that are drawn, from the data set's description: they stand for one another.
    pub drawn: Vec<usize>,
    /// Drawn words that a caption may have (K).
    pub max_drawn: usize,
    /// Canvas height, pixels.
    pub height: usize,
    /// Canvas width, pixels.
    pub width: usize,
    /// Colour planes: 1 or 3.
    pub channels: usize,
    /// Width of a word's embedding in the caption encoder.
    pub embedding_size: usize,
    /// LSTM units of each direction of the caption encoder (L).
    pub word_size: usize,
    /// Width of the hidden layers of frames and of their posterior.
    pub frame_size: usize,
    /// Filters along each axis of the glimpse that the frame's posterior takes (G).
    pub frame_read_size: usize,
    /// LSTM units of the inference network (E).
    pub encoder_size: usize,
    /// LSTM units of the generative network (D).
    pub decoder_size: usize,
    /// Latent variables a step (Z).
    pub latent_size: usize,
    /// Filters along each axis of the read window.
    pub read_size: usize,
    /// Filters along each axis of the write window (N).
    pub write_size: usize,
    /// Steps of a drawing (T), shared equally by its drawn words.
    pub num_steps: usize,
    /// Where every pixel of the learned initial canvas starts, a logit.
    pub initial_canvas: f32,
    /// How it is chosen which word a step draws.
    #[serde(default)]
    pub order: Order,
    /// Units of a learned order: of its query, and of the alignment's hidden layer (A).
    #[serde(default = "attention_size")]
    pub attention_size: usize,
    /// What is learned first; none: everything at once.
    #[serde(default)]
    pub curriculum: Option<FrameCurriculum>,
}

impl FramedConfig {
    /// MNIST with captions, 60×60; `drawn` are the ids of the digits.
    pub fn digits(drawn: Vec<usize>) -> Self {
        Self {
            vocabulary_size: 23,
            drawn,
            max_drawn: 2,
            height: 60,
            width: 60,
            channels: 1,
            embedding_size: 32,
            word_size: 64,
            frame_size: 64,
            frame_read_size: 12,
            encoder_size: 160,
            decoder_size: 160,
            latent_size: 40,
            read_size: 10,
            write_size: 10,
            num_steps: 8,
            initial_canvas: -6.0,
            order: Order::Sentence,
            attention_size: attention_size(),
            curriculum: Some(FrameCurriculum { singles_until: 0.25, singles_learned: Some(0.95) }),
        }
    }

    /// A model small enough for tests; every size differs from every other.
    pub fn tiny() -> Self {
        Self {
            vocabulary_size: 11,
            max_drawn: 2,
            height: 9,
            width: 8,
            embedding_size: 3,
            word_size: 5,
            frame_size: 6,
            frame_read_size: 4,
            encoder_size: 7,
            decoder_size: 9,
            latent_size: 2,
            read_size: 3,
            write_size: 4,
            num_steps: 4,
            initial_canvas: -1.0,
            attention_size: 8,
            curriculum: None,
            ..Self::digits(vec![1, 2, 3])
        }
    }

    /// Floats of one glimpse: the image and the error image.
    pub fn glimpse_len(&self) -> usize {
        2 * self.channels * self.read_size * self.read_size
    }

    /// Floats of the glimpse that a frame's posterior takes.
    pub fn frame_glimpse_len(&self) -> usize {
        self.channels * self.frame_read_size * self.frame_read_size
    }

    /// Floats of a patch.
    pub fn patch_len(&self) -> usize {
        self.channels * self.write_size * self.write_size
    }

    /// The canvas, and windows of `size` filters along each axis.
    pub fn geometry(&self, size: usize) -> Geometry {
        Geometry { height: self.height, width: self.width, size, limit: f32::INFINITY }
    }

    /// The longer side of the canvas, pixels.
    pub fn side(&self) -> usize {
        self.height.max(self.width)
    }
}

impl Config for FramedConfig {
    fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary_size", self.vocabulary_size, 1),
            ("max_drawn", self.max_drawn, 1),
            ("height", self.height, 2),
            ("width", self.width, 2),
            ("embedding_size", self.embedding_size, 1),
            ("word_size", self.word_size, 1),
            ("frame_size", self.frame_size, 1),
            ("frame_read_size", self.frame_read_size, 2),
            ("encoder_size", self.encoder_size, 1),
            ("decoder_size", self.decoder_size, 1),
            ("latent_size", self.latent_size, 1),
            ("read_size", self.read_size, 2),
            ("write_size", self.write_size, 2),
            ("num_steps", self.num_steps, self.max_drawn),
            ("attention_size", self.attention_size, 1),
        ];
        for (name, size, least) in sizes {
            let most =
                if name.ends_with("read_size") || name == "write_size" { MOST_FILTERS } else { 65_536 };
            if !(least..=most).contains(&size) {
                return Err(Error::Config(format!("{name} is {size}, expected {least} to {most}")));
            }
        }
        self.image_size().check()?;
        match self.drawn.iter().find(|&&id| id >= self.vocabulary_size) {
            Some(id) => Err(Error::Config(format!(
                "drawn names word {id}, expected ids below the vocabulary's size, {}",
                self.vocabulary_size
            ))),
            None if self.drawn.is_empty() => {
                Err(Error::Config("drawn is empty, expected the ids of the words that are drawn".to_owned()))
            }
            None => Ok(()),
        }
    }

    fn image_size(&self) -> ImageSize {
        ImageSize { channels: self.channels, height: self.height, width: self.width }
    }

    fn num_steps(&self) -> usize {
        self.num_steps
    }

    fn with_num_steps(self, num_steps: usize) -> Self {
        Self { num_steps, ..self }
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
        let (d, e, z, l) = (self.decoder_size, self.encoder_size, self.latent_size, self.word_size);
        let (n, canvas) = (self.write_size * self.write_size * self.channels, self.image_size().len());
        let products = [
            (self.vocabulary_size, self.embedding_size + 2 * z + 4 * e + 4 * d),
            (2 * (self.embedding_size + l + 1), 4 * l),
            (2 * l + self.channels * self.frame_read_size * self.frame_read_size + 10, self.frame_size),
            (self.glimpse_len() + d + e + 1, 4 * e),
            (e + 1, 2 * z),
            (z + d + 1, 4 * d),
            (d + 1, 2 * z + 10 + n),
            (2 * l + self.attention_size + 1, 5 * self.attention_size),
            (self.num_steps + 2, canvas + 8 * d),
        ];
        4 * products.iter().fold(0u64, |sum, &(a, b)| sum.saturating_add((a as u64).saturating_mul(b as u64)))
    }
}
