//! What a model that says sentences in other words promises: it reads sentences, then says of hypotheses which word
//! comes next, as a captioner does. `paraphrase` searches with the same loop.

use burn::tensor::Device;

use super::{Sentences, Trainable};
use crate::error::Result;

/// A model that paraphrases.
pub trait TextToText: Trainable {
    /// A paraphraser on the device that holds the model.
    fn paraphraser(self, config: &Self::Config, device: &Device) -> Box<dyn Paraphraser>;
}

/// A model ready to paraphrase. It allocates and computes; `paraphrase` alone waits for devices.
pub trait Paraphraser {
    /// Words of its vocabulary (V), unused ids included; V itself is the id of the end of a sentence.
    fn vocabulary_size(&self) -> usize;

    /// Whether it attends to the words that it read.
    fn attends(&self) -> bool;

    /// Reads sentences. Those that begin so have one hypothesis of no words for each; their attention is
    /// [hypothesis, word] up to the longest sentence, 0 behind the last word of a shorter one.
    ///
    /// **Errors** [`crate::error::Error::Config`] for a sentence without words.
    fn read(&self, sentences: &[&[usize]]) -> Result<Box<dyn Sentences>>;
}
