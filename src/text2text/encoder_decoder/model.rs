//! The encoder-decoder in burn tensors: what is read of a sentence, a word's step, and the words' logits. Training and
//! paraphrasing run the same code.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::EncoderDecoderConfig;
use super::cell::ContextGru;
use crate::data::noise::Noise;
use crate::image2text::dropout::Masks;
use crate::image2text::starts::linear;
use crate::nn::additive_attention::ExponentialKeys;
use crate::nn::gru::{Gru, uniform_matrix, zero_bias};
use crate::nn::indices;
use crate::nn::packed::Packed;

/// What is added to the energy of a word that is none: its share of the alignment is 0 in f32.
const NOTHING: f32 = -1e4;

/// The weights of an encoder-decoder. Matrices are input × output.
///
/// **Deviations** Encoder and decoder share their embeddings, which are those of the words that are said, too: both speak
/// one language. The encoder's update gate is 1 − z of the papers', which is the same with the other sign.
#[derive(Module, Debug)]
pub struct EncoderDecoder {
    /// Word → embedding [V + 1, E]; the last row is the end's.
    embedding: Param<Tensor<2>>,
    encoder: Gru,
    /// State after the last word → summary (V) [H, H].
    summary: Linear,
    /// Summary → first state of the decoder (V') [H, H].
    initial: Linear,
    decoder: ContextGru,
    attention: Option<Attention>,
    /// State → layer below the words [H, E].
    output: Linear,
    /// Context → layer below the words [H, E].
    context_output: Param<Tensor<2>>,
    /// Of each word and of the end [V + 1].
    word_bias: Param<Tensor<1>>,
}

/// What the attention learns.
#[derive(Module, Debug)]
pub struct Attention {
    /// State of the encoder → key [H, L].
    key: Linear,
    /// State of the decoder → query [H, L].
    query: Param<Tensor<2>>,
    /// v [L].
    score: Param<Tensor<1>>,
}

/// Sentences that were read.
#[derive(Clone, Debug)]
pub struct Read {
    /// c [sentence, H].
    summary: Tensor<2>,
    /// What the decoder attends to; none without attention.
    words: Option<ReadWords>,
}

/// The words of sentences, up to the longest.
#[derive(Clone, Debug)]
struct ReadWords {
    /// h_j [sentence, word, H].
    states: Tensor<3>,
    keys: ExponentialKeys,
    /// 0 for a word, [`NOTHING`] behind the last one [sentence, word].
    nothing: Tensor<2>,
}

/// What a step is told of the sentence.
pub struct Told {
    /// c_i [batch, H].
    pub context: Tensor<2>,
    /// What it adds to the gates [batch, 3H].
    gates: Tensor<2>,
    /// α_i [batch, word]; none without attention.
    pub alignment: Option<Tensor<2>>,
}

impl Read {
    /// Those of some sentences, in this order.
    pub fn select(&self, sentences: &Tensor<1, Int>) -> Self {
        let words = self.words.as_ref().map(|words| ReadWords {
            states: words.states.clone().select(0, sentences.clone()),
            keys: words.keys.select(sentences),
            nothing: words.nothing.clone().select(0, sentences.clone()),
        });
        Self { summary: self.summary.clone().select(0, sentences.clone()), words }
    }
}

impl EncoderDecoder {
    /// Fresh weights from a seed.
    pub(super) fn fresh(config: &EncoderDecoderConfig, seed: u64, device: &Device) -> Self {
        let noise = &mut Noise::new(seed);
        let (rows, word, hidden) = (config.vocabulary_size + 1, config.embedding_size, config.hidden_size);
        let align = config.align_size;
        // Rows of about unit length, so that the logits are of about 1.
        let scale = (word as f32).sqrt().recip();
        let values: Vec<f32> = noise.normals(rows * word).iter().map(|x| scale * x).collect();
        Self {
            embedding: Param::from_data(TensorData::new(values, [rows, word]), device),
            encoder: Gru::init(word, hidden, noise, device),
            summary: linear(hidden, hidden, noise, device),
            initial: linear(hidden, hidden, noise, device),
            decoder: ContextGru::init(word, hidden, hidden, noise, device),
            attention: config.attention.then(|| Attention {
                key: linear(hidden, align, noise, device),
                query: uniform_matrix(hidden, align, noise, device),
                score: score(align, noise, device),
            }),
            output: linear(hidden, word, noise, device),
            context_output: uniform_matrix(hidden, word, noise, device),
            word_bias: zero_bias(rows, device),
        }
    }

    /// The device that holds it.
    pub fn device(&self) -> Device {
        self.embedding.val().device()
    }

    /// Embeddings of words [word, E].
    pub fn embed(&self, ids: &[usize]) -> Tensor<2> {
        self.embedding.val().select(0, indices(ids.to_vec(), &self.device()))
    }

    /// Reads sentences, each of a word or more; and the decoder's states before the first word [sentence, H].
    ///
    /// **Equation** `c = tanh(V h_N)`, `s_0 = tanh(V' c)`.
    pub fn read(&self, sentences: &[&[usize]], masks: &mut Masks, dropout: f32) -> (Read, Tensor<2>) {
        let packed = Packed::new(sentences);
        let embedded = masks.drop(self.embed(packed.ids()), dropout);
        let inputs = self.encoder.project(embedded);
        let [_, gates] = inputs.dims();
        let states = packed.forward(&inputs, gates / 3, |input, state| self.encoder.step(input, state));
        let summary = self.summary.forward(packed.last(&states)).tanh();
        let initial = self.initial.forward(summary.clone()).tanh();
        let words = self.attention.as_ref().map(|attention| {
            let states = side_by_side(sentences, &packed, states.packed());
            let keys = ExponentialKeys::new(attention.key.forward(states.clone()));
            let [count, longest, _] = states.dims();
            let nothing: Vec<f32> = sentences
                .iter()
                .flat_map(|words| (0..longest).map(|at| if at < words.len() { 0.0 } else { NOTHING }))
                .collect();
            let nothing = Tensor::from_data(TensorData::new(nothing, [count, longest]), &states.device());
            ReadWords { states, keys, nothing }
        });
        (Read { summary, words }, initial)
    }

    /// What the next step is told, from the state before it.
    ///
    /// **Equation** `e_ij = v · tanh(U h_j + W s_{i−1} + b)`, `α = softmax(e)`, `c_i = Σ_j α_ij h_j`; without attention
    /// `c_i = c`.
    pub fn told(&self, read: &Read, state: &Tensor<2>) -> Told {
        let (context, alignment) = match (&self.attention, &read.words) {
            (Some(attention), Some(words)) => {
                let query = state.clone().matmul(attention.query.val());
                let energies = words.keys.energies(query, attention.score.val());
                let alignment = softmax(energies + words.nothing.clone(), 1);
                let context = alignment.clone().unsqueeze_dim::<3>(1).matmul(words.states.clone());
                (context.squeeze_dim::<2>(1), Some(alignment))
            }
            _ => (read.summary.clone(), None),
        };
        Told { gates: self.decoder.project_context(context.clone()), context, alignment }
    }

    /// What words give to the decoder's gates [word, 3H], from embeddings.
    pub fn word_gates(&self, embedded: Tensor<2>) -> Tensor<2> {
        self.decoder.project(embedded)
    }

    /// The state after a word [batch, H], from what the word gives to the gates.
    pub fn advance(&self, word: Tensor<2>, told: &Told, state: Tensor<2>) -> Tensor<2> {
        self.decoder.step(word, told.gates.clone(), state)
    }

    /// Logits of all words and of the end [batch, V + 1].
    ///
    /// **Equation** `E tanh(W_s s_i + e(y_{i−1}) + W_c c_i + b) + b_w` (Pascanu et al. 2014, deep output).
    ///
    /// **Deviations** The papers have a maxout layer there.
    pub fn logits(
        &self,
        states: Tensor<2>,
        embedded: Tensor<2>,
        contexts: Tensor<2>,
        masks: &mut Masks,
        dropout: f32,
    ) -> Tensor<2> {
        let states = masks.drop(states, dropout);
        let below = self.output.forward(states) + embedded + contexts.matmul(self.context_output.val());
        below.tanh().matmul(self.embedding.val().transpose()) + self.word_bias.val().unsqueeze()
    }
}

/// v, uniform in ±1/√L.
fn score(align: usize, noise: &mut Noise, device: &Device) -> Param<Tensor<1>> {
    let bound = (align as f32).sqrt().recip();
    let values: Vec<f32> = (0..align).map(|_| bound * (2.0 * noise.uniform() - 1.0)).collect();
    Param::from_data(TensorData::new(values, [align]), device)
}

/// States of packed words [word, H], sentence beside sentence [sentence, word, H], zeros behind the last word of the
/// shorter ones.
fn side_by_side(sentences: &[&[usize]], packed: &Packed, states: Tensor<2>) -> Tensor<3> {
    let [words, hidden] = states.dims();
    let device = states.device();
    let longest = sentences.iter().map(|sentence| sentence.len()).max().unwrap_or(0);
    let mut places = packed.sentence_after_sentence().into_iter();
    let mut rows = Vec::with_capacity(sentences.len() * longest);
    for sentence in sentences {
        rows.extend(places.by_ref().take(sentence.len()));
        rows.resize(rows.len() + longest - sentence.len(), words);
    }
    let states = Tensor::cat(vec![states, Tensor::zeros([1, hidden], &device)], 0);
    states.select(0, indices(rows, &device)).reshape([sentences.len(), longest, hidden])
}
