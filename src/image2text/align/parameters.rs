//! The parameters of the alignment and how they start.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use super::AlignConfig;
use crate::data::noise::Noise;
use crate::image2text::starts::{embedding, linear};

/// The weights of an alignment. Matrices are input × output.
#[derive(Module, Debug)]
pub struct Align {
    /// Average of a region's features → its vector (W_m, b_m) [channel, size].
    pub region: Linear,
    /// Word → embedding (W_w) [V, word].
    pub embedding: Param<Tensor<2>>,
    /// Embedding → what the recurrent network reads (W_e, b_e) [word, size].
    pub word: Linear,
    /// State before a word → state (W_f, b_f) [size, size].
    pub forward: Linear,
    /// State after a word → state (W_b, b_b) [size, size].
    pub backward: Linear,
    /// Both states → the word's vector (W_d, b_d) [size, size].
    pub output: Linear,
}

impl Align {
    /// Fresh weights from a seed.
    pub fn fresh(config: &AlignConfig, seed: u64, device: &Device) -> Self {
        let noise = &mut Noise::new(seed);
        let (word, size) = (config.word_size, config.size);
        Self {
            region: linear(config.features.channels, size, noise, device),
            embedding: embedding(config.vocabulary_size, word, noise, device),
            word: linear(word, size, noise, device),
            forward: linear(size, size, noise, device),
            backward: linear(size, size, noise, device),
            output: linear(size, size, noise, device),
        }
    }

    /// The device that holds it.
    pub fn device(&self) -> Device {
        self.embedding.val().device()
    }
}
