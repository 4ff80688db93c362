//! From words to the vector of a sentence, in burn tensors.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::data::noise::Noise;
use crate::error::{Error, Result};
use crate::nn::gru::Gru;

/// Sizes of an encoder of sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Words of the vocabulary.
    pub vocabulary_size: usize,
    /// Length of a word's embedding; 620 in the paper.
    pub embedding_size: usize,
    /// Length of a sentence vector, a multiple of 4: half from the uni-directional encoder, a quarter from
    /// each direction of the other; 4800 in the paper.
    pub sentence_size: usize,
}

impl EncoderConfig {
    /// Refuses sizes that no encoder can have.
    ///
    /// **Errors** [`Error::Config`], naming the field.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary_size", self.vocabulary_size),
            ("embedding_size", self.embedding_size),
            ("sentence_size", self.sentence_size),
        ];
        for (name, size) in sizes {
            if !(1..=65_536).contains(&size) {
                return Err(Error::Config(format!("{name} is {size}, expected 1 to 65536")));
            }
        }
        if !self.sentence_size.is_multiple_of(4) {
            let size = self.sentence_size;
            return Err(Error::Config(format!("sentence_size is {size}, expected a multiple of 4")));
        }
        Ok(())
    }

    /// Units of the uni-directional GRU and of the two directions of the other.
    pub(super) fn units(&self) -> [usize; 3] {
        [self.sentence_size / 2, self.sentence_size / 4, self.sentence_size / 4]
    }

    /// Numbers of each of an encoder's tensors, in the order in which the module visits them.
    pub fn lengths(&self) -> Vec<usize> {
        let size = self.embedding_size;
        let gru = |units: usize| [size * 3 * units, units * 2 * units, units * units, 3 * units];
        let words = std::iter::once(self.vocabulary_size * size);
        words.chain(self.units().into_iter().flat_map(gru)).collect()
    }

    /// Numbers of an encoder.
    pub fn parameters(&self) -> u64 {
        self.lengths().iter().map(|&len| len as u64).sum()
    }
}

/// Captions of different lengths, filled up with word 0.
#[derive(Clone, Debug)]
pub struct Padded {
    /// Word ids [batch, word].
    pub ids: Tensor<2, Int>,
    /// 1 for a word, 0 for what was filled up [batch, word].
    pub mask: Tensor<2>,
}

impl Padded {
    /// Fills captions up to the longest.
    pub fn new(captions: &[&[usize]], device: &Device) -> Self {
        let words = captions.iter().map(|caption| caption.len()).max().unwrap_or(0);
        let (mut ids, mut mask) = (Vec::new(), Vec::new());
        for caption in captions {
            ids.extend((0..words).map(|word| caption.get(word).map_or(0, |&id| id as i64)));
            mask.extend((0..words).map(|word| if word < caption.len() { 1.0f32 } else { 0.0 }));
        }
        let shape = [captions.len(), words];
        Self {
            ids: Tensor::from_data(TensorData::new(ids, shape), device),
            mask: Tensor::from_data(TensorData::new(mask, shape), device),
        }
    }
}

/// A uni- and a bi-directional GRU over the same word embeddings; a sentence vector is their last states.
#[derive(Module, Debug)]
pub struct SentenceEncoder {
    /// [V, embedding].
    pub(super) embedding: Param<Tensor<2>>,
    pub(super) uni: Gru,
    pub(super) forward: Gru,
    pub(super) backward: Gru,
}

impl SentenceEncoder {
    /// Fresh weights.
    pub fn init(config: &EncoderConfig, noise: &mut Noise, device: &Device) -> Self {
        let (words, size) = (config.vocabulary_size, config.embedding_size);
        let [uni, forward, backward] = config.units();
        let rows: Vec<f32> = (0..words * size).map(|_| 2.0 * noise.uniform() - 1.0).collect();
        Self {
            embedding: Param::from_data(TensorData::new(rows, [words, size]), device),
            uni: Gru::init(size, uni, noise, device),
            forward: Gru::init(size, forward, noise, device),
            backward: Gru::init(size, backward, noise, device),
        }
    }

    /// Embeddings [batch, word, size].
    pub fn embed(&self, captions: &Padded) -> Tensor<3> {
        let [batch, words] = captions.ids.dims();
        let rows = self.embedding.val().select(0, captions.ids.clone().reshape([batch * words]));
        let size = rows.dims()[1];
        rows.reshape([batch, words, size])
    }

    /// The state of one GRU after the last word that it reads [batch, H].
    fn read(gru: &Gru, embedded: &Tensor<3>, mask: &Tensor<2>, backward: bool) -> Tensor<2> {
        let [batch, words, size] = embedded.dims();
        let inputs = gru.project(embedded.clone().reshape([batch * words, size]));
        let gates = inputs.dims()[1];
        let inputs = inputs.reshape([batch, words, gates]);
        let mut state = gru.initial(batch);
        for step in 0..words {
            let word = if backward { words - 1 - step } else { step };
            let input = inputs.clone().narrow(1, word, 1).squeeze_dim::<2>(1);
            let after = gru.step(input, state.clone());
            // What was filled up leaves the state as it is.
            state = state.clone() + (after - state) * mask.clone().narrow(1, word, 1);
        }
        state
    }

    /// The halves of the sentence vectors, both [batch, S/2]: uni- and bi-directional.
    pub fn codes(&self, captions: &Padded) -> [Tensor<2>; 2] {
        let (embedded, mask) = (self.embed(captions), &captions.mask);
        let forward = Self::read(&self.forward, &embedded, mask, false);
        let backward = Self::read(&self.backward, &embedded, mask, true);
        [Self::read(&self.uni, &embedded, mask, false), Tensor::cat(vec![forward, backward], 1)]
    }

    /// Sentence vectors [batch, S], each half of length 1.
    pub fn vectors(&self, captions: &Padded) -> Tensor<2> {
        let unit = |code: Tensor<2>| {
            let length = code.clone().square().sum_dim(1).sqrt().clamp_min(1e-8);
            code / length
        };
        Tensor::cat(self.codes(captions).map(unit).to_vec(), 1)
    }

    /// Where its weights lie.
    pub fn device(&self) -> Device {
        self.embedding.val().device()
    }
}
