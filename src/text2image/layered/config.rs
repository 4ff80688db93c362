//! The sizes of a layered painter.

use serde::{Deserialize, Serialize};

use super::{CodesConfig, Lexicon};
use crate::error::{Error, Result};
use crate::model::{Config, ImageSize};

/// What is learned first, in shares of the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerCurriculum {
    /// Pictures of places alone until here, where places are drawn in codes; nothing else is learned from them.
    #[serde(default)]
    pub places_until: f32,
    /// Where things stand alone from there until here, without pictures.
    #[serde(default)]
    pub frames_until: f32,
    /// Captions that name one thing alone until here.
    pub singles_until: f32,
    /// No latent of strokes until here: they learn the average of a thing before they learn how things differ, and
    /// the place cannot paint what its latents see.
    pub latents_from: f32,
    /// The latents are whole from here on.
    pub latents_until: f32,
}

/// Sizes of a layered painter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayeredConfig {
    /// Words of the vocabulary, unused ids included (V).
    pub vocabulary_size: usize,
    /// What the words do.
    pub lexicon: Lexicon,
    /// Things of a caption, several of a kind counted one by one.
    pub max_things: usize,
    /// Canvas height, pixels.
    pub height: usize,
    /// Canvas width, pixels.
    pub width: usize,
    /// Width of a word's embedding in the caption encoder.
    pub embedding_size: usize,
    /// LSTM units of each direction of the caption encoder (L).
    pub word_size: usize,
    /// LSTM units of the network that places layer after layer (P).
    pub place_size: usize,
    /// Width of what a layer is said to be (H).
    pub said_size: usize,
    /// LSTM units of the inference network (E).
    pub encoder_size: usize,
    /// LSTM units of the generative network (D).
    pub decoder_size: usize,
    /// Latent variables a step (Z).
    pub latent_size: usize,
    /// Cells along each axis of the read window (R).
    pub read_size: usize,
    /// Cells along each axis of a patch (N).
    pub write_size: usize,
    /// Steps of a drawing (T).
    pub num_steps: usize,
    /// The first of them, which draw the place.
    pub place_steps: usize,
    /// The place is drawn in codes; none: by strokes as things are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place_codes: Option<CodesConfig>,
    /// What is learned first; none: everything at once.
    #[serde(default)]
    pub curriculum: Option<LayerCurriculum>,
}

/// Colour planes.
pub const CHANNELS: usize = 3;

impl LayeredConfig {
    /// Colour scenes, 64×64.
    pub fn scenes(vocabulary_size: usize, lexicon: Lexicon) -> Self {
        Self {
            vocabulary_size,
            lexicon,
            max_things: 6,
            height: 64,
            width: 64,
            embedding_size: 32,
            word_size: 64,
            place_size: 64,
            said_size: 128,
            encoder_size: 224,
            decoder_size: 288,
            latent_size: 8,
            read_size: 12,
            write_size: 48,
            num_steps: 9,
            place_steps: 3,
            place_codes: None,
            curriculum: Some(LayerCurriculum {
                places_until: 0.0,
                frames_until: 0.0,
                singles_until: 0.1,
                latents_from: 0.5,
                latents_until: 0.55,
            }),
        }
    }

    /// A model small enough for tests; every size differs from every other.
    pub fn tiny() -> Self {
        let lexicon = Lexicon {
            places: vec![1, 2],
            things: vec![[3, 3], [4, 3], [5, 5]],
            counts: vec![[6, 2, 2]],
            boundaries: vec![7],
            styles: vec![8],
            homes: vec![(5, vec![2])],
            inverses: vec![[9, 10]],
            alike: vec![vec![3, 4, 5]],
            ..Lexicon::default()
        };
        Self {
            vocabulary_size: 11,
            max_things: 2,
            height: 10,
            width: 9,
            embedding_size: 3,
            word_size: 4,
            place_size: 5,
            said_size: 6,
            encoder_size: 8,
            decoder_size: 9,
            latent_size: 2,
            read_size: 3,
            write_size: 4,
            num_steps: 5,
            place_steps: 1,
            curriculum: None,
            ..Self::scenes(11, lexicon)
        }
    }

    /// Floats of one glimpse: the picture and the error image.
    pub fn glimpse_len(&self) -> usize {
        2 * CHANNELS * self.read_size * self.read_size
    }

    /// Floats of one patch: colours, and how much each cell covers.
    pub fn patch_len(&self) -> usize {
        (CHANNELS + 1) * self.write_size * self.write_size
    }

    /// Rows and columns of the place's codes; none where it is drawn by strokes.
    pub fn place_cells(&self) -> Option<[usize; 2]> {
        self.place_codes.map(|codes| codes.cells([self.height, self.width]))
    }

    /// Layers of a drawing at most.
    pub fn max_layers(&self) -> usize {
        self.max_things + 1
    }
}

impl Config for LayeredConfig {
    fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary_size", self.vocabulary_size, 1),
            ("max_things", self.max_things, 1),
            ("height", self.height, 2),
            ("width", self.width, 2),
            ("embedding_size", self.embedding_size, 1),
            ("word_size", self.word_size, 1),
            ("place_size", self.place_size, 1),
            ("said_size", self.said_size, 1),
            ("encoder_size", self.encoder_size, 1),
            ("decoder_size", self.decoder_size, 1),
            ("latent_size", self.latent_size, 1),
            ("read_size", self.read_size, 2),
            ("write_size", self.write_size, 2),
            ("place_steps", self.place_steps, 1),
            ("num_steps", self.num_steps, self.place_steps.saturating_add(self.max_things)),
        ];
        for (name, size, least) in sizes {
            if !(least..=65_536).contains(&size) {
                return Err(Error::Config(format!("{name} is {size}, expected {least} to 65536")));
            }
        }
        if let Some(codes) = &self.place_codes {
            codes.check([self.height, self.width], self.place_steps)?;
        }
        if let Some(id) = self.lexicon.ids().find(|&id| id >= self.vocabulary_size) {
            return Err(Error::Config(format!(
                "the lexicon names word {id}, expected ids below the vocabulary's size, {}",
                self.vocabulary_size
            )));
        }
        let most = self.max_things;
        match self.lexicon.counts.iter().find(|[_, drawn, of]| !(1..=*of).contains(drawn) || *of > most) {
            Some([word, drawn, of]) => Err(Error::Config(format!(
                "the lexicon says that word {word} counts {drawn} of {of}, expected 1 to {most} of at most {most}",
            ))),
            None if self.lexicon.things.is_empty() => {
                Err(Error::Config("the lexicon has no things, expected the ids of what is drawn".to_owned()))
            }
            None => Ok(()),
        }
    }

    fn image_size(&self) -> ImageSize {
        ImageSize { channels: CHANNELS, height: self.height, width: self.width }
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
            (self.height, self.width) = (size.height, size.width);
        }
    }

    fn memory_bytes(&self) -> u64 {
        let (d, e, z, l) = (self.decoder_size, self.encoder_size, self.latent_size, self.word_size);
        let products = [
            (self.vocabulary_size, self.embedding_size + 2 * self.said_size + 12),
            (2 * (self.embedding_size + l + 1), 4 * l),
            (2 * l + self.place_size + 7, 4 * self.place_size),
            (2 * self.said_size + self.place_size + 10, self.place_size),
            (self.said_size, 2 * z + 4 * e + 4 * d),
            (self.glimpse_len() + d + e + 1, 4 * e),
            (e + 1, 2 * z),
            (z + d + 1, 4 * d),
            (d + 1, d + 2 * z + 3 + self.patch_len()),
            (self.num_steps + 2, self.image_size().len() + 8 * d),
        ];
        let codes =
            self.place_codes.map_or(0, |codes| codes.floats([self.height, self.width], self.said_size));
        4 * products
            .iter()
            .fold(codes, |sum, &(a, b)| sum.saturating_add((a as u64).saturating_mul(b as u64)))
    }
}
