//! The sizes of Show, Attend and Tell.

use serde::{Deserialize, Serialize};

use super::{Convolution, Picture};
use crate::error::{Error, Result};
use crate::model::{Config, ImageSize, PictureInput};
use crate::nn::efficientnet::{FEATURES, GRID};

/// How the picture reaches the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attention {
    /// Show and Tell: the mean annotation is fed once, before the first word (Vinyals et al. 2015, eq. 10).
    None,
    /// The mean of the annotations, weighted by the alignment.
    Soft,
    /// In every second batch one annotation, drawn by the alignment and learned by REINFORCE; the soft mean
    /// in the others, and when a picture is described.
    Hard,
}

/// Shares of units that are dropped in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Of the LSTM's state on its way to the words.
    pub hidden: f32,
    /// Of embeddings, and of the layer below the words.
    pub words: f32,
}

/// Sizes of a captioner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttendConfig {
    /// Words of the vocabulary, unused ids included (V); the end of a sentence has a row of its own, V.
    pub vocabulary_size: usize,
    /// What is looked at.
    pub picture: Picture,
    /// How it reaches the words.
    pub attention: Attention,
    /// Whether every cell has a learned vector of its own, added to its annotation: which cell it is.
    pub positions: bool,
    /// Width of the attention's hidden layer.
    pub align_size: usize,
    /// Width of a word's embedding, and of the layer below the words.
    pub embedding_size: usize,
    /// LSTM units.
    pub hidden_size: usize,
    /// Whether the layer below the words is multiplied by the embeddings, else by a matrix of its own.
    pub tied: bool,
    /// Shares of units that are dropped in training.
    pub dropout: Dropout,
    /// Weight of the doubly stochastic penalty (λ).
    pub coverage: f32,
    /// Weight of the attention's share inside the box of what a word names, where the data tell it (Liu et al. 2017).
    #[serde(default)]
    pub grounding: f32,
    /// Power of the alignment while a sentence is said, not learned: above 1 it settles on one of several things.
    #[serde(default = "one")]
    pub focus: f32,
    /// Sentences of a photo that the model says and learns from by what they are worth; 0: it learns the captions.
    #[serde(default)]
    pub self_critical: usize,
    /// Share of the run until which the convolutions stay as they began: those of another network would be lost
    /// while nothing reads them yet.
    #[serde(default)]
    pub trunk_frozen_until: f32,
    /// Share of the run from which captions are as frequent as in the language; before, what is hard is more frequent.
    #[serde(default = "one")]
    pub as_said_from: f32,
}

/// The focus that leaves the alignment as it is, and the share of the run that is never reached.
fn one() -> f32 {
    1.0
}

impl AttendConfig {
    /// Colour scenes, 64×64, on 8×8 cells.
    pub fn scenes() -> Self {
        let layer = |channels, kernel, stride| Convolution { channels, kernel, stride };
        let convolutions =
            vec![layer(24, 5, 2), layer(48, 3, 2), layer(96, 3, 2), layer(128, 3, 1), layer(128, 3, 1)];
        Self {
            vocabulary_size: 256,
            picture: Picture::Pixels { channels: 3, height: 64, width: 64, convolutions },
            attention: Attention::Soft,
            positions: true,
            align_size: 64,
            embedding_size: 96,
            hidden_size: 192,
            tied: true,
            dropout: Dropout::default(),
            coverage: 0.0,
            grounding: 0.0,
            focus: 1.0,
            self_critical: 0,
            trunk_frozen_until: 0.0,
            as_said_from: 1.0,
        }
    }

    /// Features of photos ([`crate::eyes`]), at the sizes of the published captioners.
    pub fn photos() -> Self {
        Self {
            vocabulary_size: 1,
            picture: Picture::Features {
                channels: FEATURES,
                rows: GRID,
                columns: GRID,
                // Their standard deviation is 0.876 (`scripts/eyes.py --photos`).
                scale: 0.57,
                annotation_size: 512,
            },
            positions: false,
            align_size: 256,
            embedding_size: 256,
            hidden_size: 512,
            dropout: Dropout { hidden: 0.5, words: 0.25 },
            coverage: 0.1,
            ..Self::scenes()
        }
    }

    /// A model small enough for tests; every size differs from every other.
    pub fn tiny() -> Self {
        let layer = |channels, stride| Convolution { channels, kernel: 3, stride };
        Self {
            vocabulary_size: 11,
            picture: Picture::Pixels {
                channels: 3,
                height: 8,
                width: 6,
                convolutions: vec![layer(4, 2), layer(5, 1)],
            },
            align_size: 6,
            embedding_size: 7,
            hidden_size: 9,
            coverage: 0.1,
            ..Self::scenes()
        }
    }

    /// Size of an annotation.
    pub fn annotation_size(&self) -> usize {
        match &self.picture {
            Picture::Pixels { convolutions, .. } => convolutions.last().map_or(0, |last| last.channels),
            // Show and Tell feeds what the other network saw as it is.
            Picture::Features { channels, .. } if self.attention == Attention::None => *channels,
            Picture::Features { annotation_size, .. } => *annotation_size,
        }
    }

    /// Rows and columns of cells.
    pub fn grid(&self) -> [usize; 2] {
        match &self.picture {
            Picture::Features { rows, columns, .. } => [*rows, *columns],
            Picture::Pixels { height, width, convolutions, .. } => [*height, *width].map(|side| {
                convolutions.iter().fold(side, |side, layer| side.saturating_sub(1) / layer.stride.max(1) + 1)
            }),
        }
    }

    /// Number of cells (L).
    pub fn cells(&self) -> usize {
        let [rows, columns] = self.grid();
        rows * columns
    }

    /// What is looked at, for [`crate::model::Captioner`].
    pub fn input(&self) -> PictureInput {
        match self.picture {
            Picture::Pixels { .. } => PictureInput::Pixels(self.image_size()),
            Picture::Features { .. } => PictureInput::Features(self.image_size()),
        }
    }

    /// Whether weights of the other sizes fit: it differs at most in how it is trained.
    pub fn fits(&self, other: &Self) -> bool {
        let same = Self {
            attention: other.attention,
            dropout: other.dropout,
            coverage: other.coverage,
            grounding: other.grounding,
            focus: other.focus,
            self_critical: other.self_critical,
            trunk_frozen_until: other.trunk_frozen_until,
            as_said_from: other.as_said_from,
            ..self.clone()
        };
        let attends = |config: &Self| config.attention != Attention::None;
        same == *other && attends(self) == attends(other)
    }

    /// The sizes by their names, and the least that each can be.
    fn sizes(&self) -> Vec<(String, usize, usize)> {
        let mut sizes = vec![
            ("vocabulary_size".to_owned(), self.vocabulary_size, 1),
            ("align_size".to_owned(), self.align_size, 1),
            ("embedding_size".to_owned(), self.embedding_size, 1),
            ("hidden_size".to_owned(), self.hidden_size, 1),
        ];
        match &self.picture {
            Picture::Pixels { height, width, convolutions, .. } => {
                sizes.extend([("height".to_owned(), *height, 1), ("width".to_owned(), *width, 1)]);
                for (at, layer) in convolutions.iter().enumerate() {
                    sizes.extend([
                        (format!("channels of convolution {at}"), layer.channels, 1),
                        (format!("stride of convolution {at}"), layer.stride, 1),
                    ]);
                }
            }
            Picture::Features { channels, rows, columns, annotation_size, .. } => sizes.extend([
                ("channels".to_owned(), *channels, 1),
                ("rows".to_owned(), *rows, 1),
                ("columns".to_owned(), *columns, 1),
                ("annotation_size".to_owned(), *annotation_size, 1),
            ]),
        }
        sizes
    }
}

impl Config for AttendConfig {
    fn check(&self) -> Result<()> {
        for (name, size, least) in self.sizes() {
            if !(least..=65_536).contains(&size) {
                return Err(Error::Config(format!("{name} is {size}, expected {least} to 65536")));
            }
        }
        self.picture.check()?;
        let ranges = [
            ("dropout of hidden", self.dropout.hidden, 0.0, 0.99),
            ("dropout of words", self.dropout.words, 0.0, 0.99),
            ("coverage", self.coverage, 0.0, 1e6),
            ("grounding", self.grounding, 0.0, 1e6),
            ("focus", self.focus, 1.0, 16.0),
            ("trunk_frozen_until", self.trunk_frozen_until, 0.0, 1.0),
            ("as_said_from", self.as_said_from, 0.0, 1.0),
        ];
        for (name, found, least, most) in ranges {
            if !(least..=most).contains(&found) {
                return Err(Error::Config(format!("{name} is {found}, expected {least} to {most}")));
            }
        }
        if self.self_critical == 1 || self.self_critical > 100 {
            let found = self.self_critical;
            return Err(Error::Config(format!("self_critical is {found}, expected 0 or 2 to 100")));
        }
        Ok(())
    }

    fn image_size(&self) -> ImageSize {
        match self.picture {
            Picture::Pixels { channels, height, width, .. } => ImageSize { channels, height, width },
            Picture::Features { channels, rows, columns, .. } => {
                ImageSize { channels, height: rows, width: columns }
            }
        }
    }

    fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    fn fit_data(&mut self, words: usize, image: Option<ImageSize>) {
        self.vocabulary_size = self.vocabulary_size.max(words);
        let Some(size) = image else { return };
        match &mut self.picture {
            Picture::Pixels { channels, height, width, .. } => {
                (*channels, *height, *width) = (size.channels, size.height, size.width);
            }
            Picture::Features { channels, rows, columns, .. } => {
                (*channels, *rows, *columns) = (size.channels, size.height, size.width);
            }
        }
    }

    fn memory_bytes(&self) -> u64 {
        let (a, e, h, v) =
            (self.annotation_size(), self.embedding_size, self.hidden_size, self.vocabulary_size + 1);
        let (cells, size) = (self.cells(), self.image_size());
        let mut products = vec![
            (v, 2 * e + 2),
            (a + e + h + 1, 4 * h),
            (a + h + 1, self.align_size + a),
            (a + h, e + 2 * h),
            (cells, 3 * a + self.align_size),
            (size.len(), 2),
        ];
        match &self.picture {
            Picture::Pixels { convolutions, .. } => {
                let mut from = size.channels;
                for layer in convolutions {
                    // Weights, and maps of at most the picture's size.
                    products.push((from, layer.channels.saturating_mul(layer.kernel * layer.kernel)));
                    products.push((size.height * size.width, layer.channels));
                    from = layer.channels;
                }
            }
            Picture::Features { channels, .. } => products.push((*channels, a)),
        }
        4 * products.iter().fold(0u64, |sum, &(a, b)| sum.saturating_add((a as u64).saturating_mul(b as u64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_follow_from_the_strides() {
        assert_eq!(AttendConfig::scenes().grid(), [8, 8]);
        assert_eq!(AttendConfig::photos().grid(), [7, 7]);
        assert_eq!(AttendConfig::tiny().grid(), [4, 3]);
    }

    #[test]
    fn what_no_model_can_be_is_named() {
        let named = |change: fn(&mut AttendConfig), what: &str| {
            let mut config = AttendConfig::scenes();
            change(&mut config);
            let error = config.check().expect_err(what).to_string();
            assert!(error.contains(what), "{error}");
        };
        named(|c| c.hidden_size = 0, "hidden_size is 0");
        named(|c| c.coverage = f32::NAN, "coverage is NaN");
        named(|c| c.dropout.words = 1.0, "dropout of words is 1");
        named(|c| c.focus = 0.5, "focus is 0.5, expected 1 to 16");
        named(|c| c.self_critical = 1, "self_critical is 1, expected 0 or 2");
        named(
            |c| {
                if let Picture::Pixels { convolutions, .. } = &mut c.picture {
                    convolutions[1].kernel = 4;
                }
            },
            "a kernel is 4, expected an odd side",
        );
        named(
            |c| {
                if let Picture::Pixels { convolutions, .. } = &mut c.picture {
                    convolutions.clear();
                }
            },
            "convolutions is empty",
        );
        named(
            |c| {
                c.picture =
                    Picture::Features { channels: 2, rows: 2, columns: 2, scale: 0.0, annotation_size: 2 };
            },
            "scale of the features is 0",
        );
        assert!(AttendConfig::scenes().check().is_ok() && AttendConfig::photos().check().is_ok());
    }
}
