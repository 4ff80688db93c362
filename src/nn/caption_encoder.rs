//! A caption as one vector: the mean of the states of a bidirectional LSTM.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::indices;
use super::lstm::{OverWords, both_ways};
use super::start::Start;

/// The weights of the encoder; gates in the order i, f, g, o.
#[derive(Module, Debug)]
pub struct CaptionEncoder {
    /// Word → embedding [V, embedding].
    word_embedding: Param<Tensor<2>>,
    /// Embedding → gates, read from left to right [embedding, 4L].
    forward_input: Param<Tensor<2>>,
    /// State → gates, read from left to right [L, 4L].
    forward_recurrent: Param<Tensor<2>>,
    /// Gate bias, read from left to right [4L].
    forward_bias: Param<Tensor<1>>,
    /// Embedding → gates, read from right to left [embedding, 4L].
    backward_input: Param<Tensor<2>>,
    /// State → gates, read from right to left [L, 4L].
    backward_recurrent: Param<Tensor<2>>,
    /// Gate bias, read from right to left [4L].
    backward_bias: Param<Tensor<1>>,
}

impl CaptionEncoder {
    /// Fresh weights for `words` words, embeddings of `embedding` numbers and `size` units a direction.
    pub fn fresh(words: usize, embedding: usize, size: usize, start: &mut Start) -> Self {
        let bound = 1.0 / (size as f32).sqrt();
        Self {
            word_embedding: start.normal([words, embedding], 1.0),
            forward_input: start.uniform([embedding, 4 * size], bound),
            forward_recurrent: start.uniform([size, 4 * size], bound),
            forward_bias: start.uniform([4 * size], bound),
            backward_input: start.uniform([embedding, 4 * size], bound),
            backward_recurrent: start.uniform([size, 4 * size], bound),
            backward_bias: start.uniform([4 * size], bound),
        }
    }

    /// Where its weights lie.
    pub fn device(&self) -> Device {
        self.word_embedding.val().device()
    }

    /// The mean state of each caption [caption, 2L]; `ids` is [caption, word], with `words` (1 or more) words each.
    pub fn mean(&self, ids: &[usize], words: usize) -> Tensor<2> {
        let device = self.device();
        let captions = ids.len() / words;
        let embedded = self.word_embedding.val().select(0, indices(ids.to_vec(), &device));
        let forward = OverWords {
            input: &self.forward_input,
            recurrent: &self.forward_recurrent,
            bias: &self.forward_bias,
            backward: false,
        };
        let backward = OverWords {
            input: &self.backward_input,
            recurrent: &self.backward_recurrent,
            bias: &self.backward_bias,
            backward: true,
        };
        let states = both_ways([forward, backward], &embedded, captions, words);
        let [_, size] = states.dims();
        states.reshape([captions, words, size]).mean_dim(1).squeeze_dim(1)
    }

    /// Floats of an encoder of these sizes, for estimates of memory.
    pub fn floats(words: usize, embedding: usize, size: usize) -> u64 {
        let lstm = (embedding + size + 1) as u64 * 8 * size as u64;
        (words as u64 * embedding as u64).saturating_add(lstm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::floats;

    /// Captions do not hear each other, and the order of their words counts.
    #[test]
    fn a_caption_is_encoded_by_itself() {
        let device = Device::flex();
        let encoder = CaptionEncoder::fresh(9, 3, 4, &mut Start::new(5, &device));
        let alone = floats(encoder.mean(&[1, 2, 3], 3).into_data());
        let beside = floats(encoder.mean(&[4, 5, 6, 1, 2, 3], 3).into_data());
        assert_eq!(alone.len(), 8);
        assert!(alone.iter().zip(&beside[8..]).all(|(a, b)| (a - b).abs() < 1e-6));
        assert_ne!(alone, floats(encoder.mean(&[3, 2, 1], 3).into_data()));
    }
}
