//! Sentence vectors after skip-thought (Kiros et al. 2015).
//!
//! **Deviations** Skip-thought predicts the sentences before and after in a book; its tables are not to
//! be had, and captions have no neighbours. Here the decoders predict another caption of the same
//! picture. The uni- and the bi-directional encoder share their word embeddings and are trained at once.

use burn::module::{Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::data::noise::Noise;
use crate::error::{Error, Result};
use crate::nn::gru::{Gru, uniform_matrix, zero_bias};

/// Sizes of the encoder and of the decoders that train it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkipThoughtConfig {
    /// Words of the vocabulary.
    pub vocabulary_size: usize,
    /// Length of a word's embedding; 620 in the paper.
    pub word_size: usize,
    /// Length of a sentence vector, a multiple of 4: half from the uni-directional encoder, a quarter from
    /// each direction of the other; 4800 in the paper.
    pub sentence_size: usize,
    /// Units of each decoder; 2400 in the paper.
    pub decoder_size: usize,
}

impl SkipThoughtConfig {
    /// The paper's sizes.
    pub fn paper(vocabulary_size: usize) -> Self {
        Self { vocabulary_size, word_size: 620, sentence_size: 4_800, decoder_size: 2_400 }
    }

    /// Sizes for captions of a few hundred different words, minutes on one core.
    pub fn small(vocabulary_size: usize) -> Self {
        Self { vocabulary_size, word_size: 48, sentence_size: 256, decoder_size: 128 }
    }

    /// Refuses sizes that no model can have.
    ///
    /// **Errors** [`Error::Config`], naming the field.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary_size", self.vocabulary_size),
            ("word_size", self.word_size),
            ("sentence_size", self.sentence_size),
            ("decoder_size", self.decoder_size),
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
}

/// Captions of different lengths, filled up with word 0.
#[derive(Clone, Debug)]
pub struct Padded {
    /// Word ids [batch, word].
    ids: Tensor<2, Int>,
    /// 1 for a word, 0 for what was filled up [batch, word].
    mask: Tensor<2>,
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

/// The encoders, and the decoders that are needed in training alone.
#[derive(Module, Debug)]
pub struct SkipThought {
    /// Embeddings [V, word].
    embedding: Param<Tensor<2>>,
    uni: Gru,
    forward: Gru,
    backward: Gru,
    uni_decoder: Decoder,
    bi_decoder: Decoder,
}

/// A language model that hears a sentence vector at every word.
#[derive(Module, Debug)]
struct Decoder {
    gru: Gru,
    /// Sentence vector → gates [S/2, 3D].
    context: Param<Tensor<2>>,
    /// State → words [D, V].
    output: Param<Tensor<2>>,
    output_bias: Param<Tensor<1>>,
}

impl Decoder {
    fn init(config: &SkipThoughtConfig, noise: &mut Noise, device: &Device) -> Self {
        let hidden = config.decoder_size;
        Self {
            gru: Gru::init(config.word_size, hidden, noise, device),
            context: uniform_matrix(config.sentence_size / 2, 3 * hidden, noise, device),
            output: uniform_matrix(hidden, config.vocabulary_size, noise, device),
            output_bias: zero_bias(config.vocabulary_size, device),
        }
    }

    /// `−log p(target | code)`, nats per caption [batch]; each word hears the ones before it.
    fn nats(&self, embedded: &Tensor<3>, target: &Padded, code: Tensor<2>) -> Tensor<1> {
        let [batch, words, size] = embedded.dims();
        let inputs = self.gru.project(embedded.clone().reshape([batch * words, size]));
        let gates = inputs.dims()[1];
        let inputs = inputs.reshape([batch, words, gates]);
        let context = code.matmul(self.context.val());
        let mut state = self.gru.initial(batch);
        let mut states = Vec::with_capacity(words);
        for word in 0..words {
            // The first word hears the sentence vector alone.
            let before = match word {
                0 => context.clone(),
                _ => context.clone() + inputs.clone().narrow(1, word - 1, 1).squeeze_dim::<2>(1),
            };
            state = self.gru.step(before, state);
            states.push(state.clone());
        }
        let states = Tensor::stack::<3>(states, 1);
        let hidden = states.dims()[2];
        let logits = states.reshape([batch * words, hidden]).matmul(self.output.val())
            + self.output_bias.val().unsqueeze::<2>();
        let ids = target.ids.clone().reshape([batch * words, 1]);
        let said = log_softmax(logits, 1).gather(1, ids).reshape([batch, words]);
        (said * target.mask.clone()).sum_dim(1).squeeze_dim::<1>(1).neg()
    }
}

impl SkipThought {
    /// Fresh weights from a seed.
    pub fn init(config: &SkipThoughtConfig, seed: u64, device: &Device) -> Self {
        let mut noise = Noise::new(seed);
        let noise = &mut noise;
        let (words, size, half) = (config.vocabulary_size, config.word_size, config.sentence_size / 2);
        let rows: Vec<f32> = (0..words * size).map(|_| 2.0 * noise.uniform() - 1.0).collect();
        Self {
            embedding: Param::from_data(TensorData::new(rows, [words, size]), device),
            uni: Gru::init(size, half, noise, device),
            forward: Gru::init(size, half / 2, noise, device),
            backward: Gru::init(size, half / 2, noise, device),
            uni_decoder: Decoder::init(config, noise, device),
            bi_decoder: Decoder::init(config, noise, device),
        }
    }

    /// Embeddings [batch, word, size].
    fn embed(&self, captions: &Padded) -> Tensor<3> {
        let [batch, words] = captions.ids.dims();
        let rows = self.embedding.val().select(0, captions.ids.clone().reshape([batch * words]));
        let size = rows.dims()[1];
        rows.reshape([batch, words, size])
    }

    /// The state of one encoder after the last word that it reads [batch, H].
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
    fn codes(&self, captions: &Padded) -> [Tensor<2>; 2] {
        let (embedded, mask) = (self.embed(captions), &captions.mask);
        let forward = Self::read(&self.forward, &embedded, mask, false);
        let backward = Self::read(&self.backward, &embedded, mask, true);
        [Self::read(&self.uni, &embedded, mask, false), Tensor::cat(vec![forward, backward], 1)]
    }

    /// How badly the decoders predict another caption of the same picture: nats per caption [batch], the
    /// two decoders' sum.
    pub fn nats(&self, source: &Padded, target: &Padded) -> Tensor<1> {
        let [uni, bi] = self.codes(source);
        let embedded = self.embed(target);
        self.uni_decoder.nats(&embedded, target, uni) + self.bi_decoder.nats(&embedded, target, bi)
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
