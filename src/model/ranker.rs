//! What a model that compares sentences with pictures promises: vectors of both. `rank` scores and aligns, for every
//! ranker alike.

use burn::tensor::{Device, Tensor};
use serde::Serialize;

use super::{PictureInput, Trainable};
use crate::error::Result;

/// A model that says which sentence belongs to which picture.
pub trait ImageTextMatching: Trainable {
    /// A ranker on the device that holds the model.
    fn ranker(self, config: &Self::Config, device: &Device) -> Box<dyn Ranker>;
}

/// A region of a picture. **Units** shares of the picture: (0, 0) is its top left corner, (1, 1) the bottom right one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Region {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

/// Vectors of sentences: one of each word, or one of the whole sentence.
#[derive(Clone, Debug)]
pub struct SentenceVectors {
    /// [vector, size], sentence after sentence.
    pub vectors: Tensor<2>,
    /// How many vectors each sentence has.
    pub counts: Vec<usize>,
}

impl SentenceVectors {
    /// Of each vector its sentence.
    pub fn owners(&self) -> Vec<usize> {
        let owners = self.counts.iter().enumerate();
        owners.flat_map(|(sentence, &count)| std::iter::repeat_n(sentence, count)).collect()
    }
}

/// A model ready to compare. It allocates and computes; `rank` alone waits for devices. A sentence's score for a
/// picture is the sum, over the sentence's vectors, of the highest product with one of the picture's
/// ([`crate::nn::matching::scores`]).
pub trait Ranker {
    /// What it looks at.
    fn input(&self) -> PictureInput;

    /// The regions that a picture's vectors are of, where each word has a vector of its own and so chooses one; none
    /// for models that compare whole sentences with whole pictures.
    fn regions(&self) -> Option<Vec<Region>>;

    /// Vectors of pictures [picture, channel, row, column], as [picture, region, size]; a single region where there
    /// are none.
    ///
    /// **Errors** [`crate::error::Error::Config`] when these are not pictures of its size.
    fn pictures(&self, pictures: Vec<f32>) -> Result<Tensor<3>>;

    /// Vectors of sentences, each as one word id or more.
    ///
    /// **Errors** [`crate::error::Error::Config`] for a sentence without words, or with one outside the vocabulary.
    fn sentences(&self, sentences: &[&[usize]]) -> Result<SentenceVectors>;
}
