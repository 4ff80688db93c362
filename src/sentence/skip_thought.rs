//! Sentence vectors after skip-thought (Kiros et al. 2015).
//!
//! **Deviations** Skip-thought predicts the sentences before and after in a book; its tables are not to
//! be had, and captions have no neighbours. Here the decoders predict another caption of the same
//! picture. The uni- and the bi-directional encoder share their word embeddings and are trained at once.

use burn::module::{Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::encoder::{EncoderConfig, Padded, SentenceEncoder};
use crate::data::noise::Noise;
use crate::error::{Error, Result};
use crate::nn::gru::{Gru, uniform_matrix, zero_bias};

/// Sizes of the encoder and of the decoders that train it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkipThoughtConfig {
    /// The encoder's.
    pub encoder: EncoderConfig,
    /// Units of each decoder; 2400 in the paper.
    pub decoder_size: usize,
}

impl SkipThoughtConfig {
    /// The paper's sizes.
    pub fn paper(vocabulary_size: usize) -> Self {
        let encoder = EncoderConfig { vocabulary_size, embedding_size: 620, sentence_size: 4_800 };
        Self { encoder, decoder_size: 2_400 }
    }

    /// Sizes for captions of a few hundred different words, minutes on one core.
    pub fn small(vocabulary_size: usize) -> Self {
        let encoder = EncoderConfig { vocabulary_size, embedding_size: 48, sentence_size: 256 };
        Self { encoder, decoder_size: 128 }
    }

    /// Refuses sizes that no model can have.
    ///
    /// **Errors** [`Error::Config`], naming the field.
    pub fn check(&self) -> Result<()> {
        self.encoder.check()?;
        let size = self.decoder_size;
        if !(1..=65_536).contains(&size) {
            return Err(Error::Config(format!("decoder_size is {size}, expected 1 to 65536")));
        }
        Ok(())
    }
}

/// The encoders, and the decoders that are needed in training alone.
#[derive(Module, Debug)]
pub struct SkipThought {
    /// What is kept after training.
    pub encoder: SentenceEncoder,
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
            gru: Gru::init(config.encoder.embedding_size, hidden, noise, device),
            context: uniform_matrix(config.encoder.sentence_size / 2, 3 * hidden, noise, device),
            output: uniform_matrix(hidden, config.encoder.vocabulary_size, noise, device),
            output_bias: zero_bias(config.encoder.vocabulary_size, device),
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
        Self {
            encoder: SentenceEncoder::init(&config.encoder, noise, device),
            uni_decoder: Decoder::init(config, noise, device),
            bi_decoder: Decoder::init(config, noise, device),
        }
    }

    /// How badly the decoders predict another caption of the same picture: nats per caption [batch], the
    /// two decoders' sum.
    pub fn nats(&self, source: &Padded, target: &Padded) -> Tensor<1> {
        let [uni, bi] = self.encoder.codes(source);
        let embedded = self.encoder.embed(target);
        self.uni_decoder.nats(&embedded, target, uni) + self.bi_decoder.nats(&embedded, target, bi)
    }
}
