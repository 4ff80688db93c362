//! What a model that describes pictures promises: it looks at pictures, then says of hypotheses, begun
//! sentences, which word comes next. `describe` searches, for every captioner alike.

use burn::tensor::Device;

use super::{ImageSize, Trainable, Values};
use crate::error::Result;

/// A model that describes pictures.
pub trait ImageToText: Trainable {
    /// A captioner on the device that holds the model.
    fn captioner(self, config: &Self::Config, device: &Device) -> Box<dyn Captioner>;
}

/// What a captioner looks at, always planar: [channel, row, column].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureInput {
    /// Pixels in [0, 1].
    Pixels(ImageSize),
    /// Features that another network makes of a picture: `channels` of each cell of a grid.
    Features(ImageSize),
}

impl PictureInput {
    /// Whether it is the average of the features of a region: they are of one cell.
    pub fn is_region(self) -> bool {
        matches!(self, Self::Features(ImageSize { height: 1, width: 1, .. }))
    }

    /// Its sizes.
    pub fn size(self) -> ImageSize {
        match self {
            Self::Pixels(size) | Self::Features(size) => size,
        }
    }
}

/// A model ready to describe. It allocates and computes; `describe` alone waits for devices.
pub trait Captioner {
    /// What it looks at.
    fn input(&self) -> PictureInput;

    /// Rows and columns of the locations that it attends to; none for models without attention.
    fn grid(&self) -> Option<[usize; 2]>;

    /// Words of its vocabulary (V), unused ids included; V itself is the id of the end of a sentence.
    fn vocabulary_size(&self) -> usize;

    /// Looks at pictures [picture, channel, row, column]. The sentences that begin so have one hypothesis of no
    /// words for each picture.
    ///
    /// **Errors** [`crate::error::Error::Config`] when these are not pictures of its size.
    fn look(&self, pictures: Vec<f32>) -> Result<Box<dyn Sentences>>;
}

/// A hypothesis that goes on from one of the last ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation {
    /// Which of the hypotheses of the last step (of the pictures, at the first) it goes on from.
    pub parent: usize,
    /// The word that it adds; none at the first step.
    pub word: Option<usize>,
}

/// What a captioner says of each hypothesis.
pub struct NextWords {
    /// Log-probabilities of every word and of the end, [hypothesis, V + 1].
    pub log_probs: Values,
    /// How much each location was attended to for the word that comes next, [hypothesis, row, column], summing
    /// to 1; none for models without attention.
    pub attention: Option<Values>,
}

/// A batch of begun sentences.
pub trait Sentences {
    /// Advances hypotheses by a word each: those not named are dropped, one named twice is split.
    ///
    /// **Errors** [`crate::error::Error::Device`].
    fn step(&mut self, next: &[Continuation]) -> Result<NextWords>;
}
